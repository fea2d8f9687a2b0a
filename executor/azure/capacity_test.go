package azure

import (
	"testing"

	"ferry/failover"
)

// The texts are Compute's, as people have published them.
func TestCapacity(t *testing.T) {
	for text, want := range map[failover.Fault]string{
		{Code: "28031", Message: "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: Standard_D2s_v3' is currently not available in location 'eastus'. SkuNotAvailable"}:                                         "Standard_D2s_v3",
		{Code: "SkuNotAvailable", Message: "The requested size for resource '/subscriptions/s/vm' is currently not available in location 'westeurope' zones ''."}:                                                                                       anySize,
		{Code: "28031", Message: "Allocation failed. We do not have sufficient capacity for the requested VM size in this region."}:                                                                                                                     anySize,
		{Code: "ZonalAllocationFailed", Message: "We do not have sufficient capacity for the requested VM size Standard_E64-16s_v5 in zone 1."}:                                                                                                         "Standard_E64-16s_v5",
		{Code: "OperationNotAllowed", Message: "Operation could not be completed as it results in exceeding approved standardEASv5Family Cores quota. Additional details - Deployment Model: Resource Manager, Location: westeurope, Current Limit: 0"}: "more than the quota of standardEASv5Family Cores",
		{Code: "28031", Message: "Failed.", Cause: "QuotaExceeded: results in exceeding approved Total Regional Cores quota."}:                                                                                                                          "more than the quota of Total Regional Cores",
		{Code: "OperationNotAllowed", Message: "Operation results in exceeding quota limits of Core. Maximum allowed: 4"}:                                                                                                                               "more than the quota of Core",
		{Code: "ResourceQuotaExceeded", Message: "Creating the resource would exceed the quota."}:                                                                                                                                                       anyQuota,
		{Code: "28092", Message: "No network interface.", Cause: "The quota is used up."}:                                                                                                                                                               anyQuota,
		{Code: "150097", Message: "The size is not enabled.", Action: "Raise the quota."}:                                                                                                                                                               anySize + ", or for " + anyQuota,
		{Code: "28031", Message: "RequestDisallowedByPolicy: the resource was disallowed by policy."}:                                                                                                                                                   "",
		{Code: "OperationNotAllowed", Message: "The operation is not allowed in this state."}:                                                                                                                                                           "",
		{Code: "150253", Message: "Protection could not be enabled.", Cause: "A quota."}:                                                                                                                                                                "",
		{Code: "28092", Message: "No network interface.", Cause: "The quota is used up, or the failure is intermittent."}:                                                                                                                               "",
		{Code: "28031", Message: "No VM.", Cause: "The quota is used up, or an Azure Policy denies it."}:                                                                                                                                                "",
		{}: "",
	} {
		if got := capacity(text); got != want {
			t.Errorf("%+v: %q, want %q", text, got, want)
		}
	}
}
