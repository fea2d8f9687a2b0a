package azure

import (
	"context"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime/datetime"
	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"
)

// apiVersion is that of the SDK's clients.
const apiVersion = "2025-01-01"

// itemPage is a page of the list of items, with what mapItem reads of them and no more. The SDK's own types take an answer apart
// once for each level of nesting: a list of 1,000 items, which is read every half minute, took it half a second and 80 MB.
type itemPage struct {
	Value    []*listedItem `json:"value"`
	NextLink string        `json:"nextLink"`
}

type listedItem struct {
	ID         *string `json:"id"`
	Properties *struct {
		FriendlyName                   *string              `json:"friendlyName"`
		PrimaryFabricFriendlyName      *string              `json:"primaryFabricFriendlyName"`
		RecoveryFabricFriendlyName     *string              `json:"recoveryFabricFriendlyName"`
		ProtectionState                *string              `json:"protectionState"`
		TestFailoverState              *string              `json:"testFailoverState"`
		ReplicationHealth              *string              `json:"replicationHealth"`
		ActiveLocation                 *string              `json:"activeLocation"`
		FailoverRecoveryPointID        *string              `json:"failoverRecoveryPointId"`
		LastSuccessfulFailoverTime     *datetime.RFC3339    `json:"lastSuccessfulFailoverTime"`
		LastSuccessfulTestFailoverTime *datetime.RFC3339    `json:"lastSuccessfulTestFailoverTime"`
		AllowedOperations              []*string            `json:"allowedOperations"`
		HealthErrors                   []*listedHealthError `json:"healthErrors"`
		CurrentScenario                *listedScenario      `json:"currentScenario"`
		ProviderSpecificDetails        *listedDetails       `json:"providerSpecificDetails"`
	} `json:"properties"`
}

type listedHealthError struct {
	ErrorCode         *string `json:"errorCode"`
	ErrorMessage      *string `json:"errorMessage"`
	SummaryMessage    *string `json:"summaryMessage"`
	PossibleCauses    *string `json:"possibleCauses"`
	RecommendedAction *string `json:"recommendedAction"`
}

type listedScenario struct {
	ScenarioName *string `json:"scenarioName"`
	JobID        *string `json:"jobId"`
}

type listedDetails struct {
	InstanceType                   string  `json:"instanceType"`
	FabricObjectID                 *string `json:"fabricObjectId"`
	PrimaryFabricLocation          *string `json:"primaryFabricLocation"`
	RecoveryFabricLocation         *string `json:"recoveryFabricLocation"`
	InitialPrimaryFabricLocation   *string `json:"initialPrimaryFabricLocation"`
	RecoveryAzureVMSize            *string `json:"recoveryAzureVMSize"`
	RpoInSeconds                   *int64  `json:"rpoInSeconds"`
	MonitoringPercentageCompletion *int32  `json:"monitoringPercentageCompletion"`
	ProtectedManagedDisks          []struct {
		PrimaryStagingAzureStorageAccountID *string `json:"primaryStagingAzureStorageAccountId"`
	} `json:"protectedManagedDisks"`
}

// listed reads all pages of a list of items, at a path below the vault.
func (v *vault) listed(ctx context.Context, path string) ([]*siterecovery.ReplicationProtectedItem, error) {
	var all []*siterecovery.ReplicationProtectedItem
	for first, next := true, ""; first || next != ""; first = false {
		page, err := v.page(ctx, path, next)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Value {
			if item != nil {
				all = append(all, item.sdk())
			}
		}
		next = page.NextLink
	}
	return all, nil
}

// page reads the first page, or the next one.
func (v *vault) page(ctx context.Context, path, next string) (page itemPage, err error) {
	answer, err := runtime.FetcherForNextLink(ctx, v.client.Pipeline(), next, func(ctx context.Context) (*policy.Request, error) {
		return v.request(ctx, path)
	}, nil)
	if err != nil {
		return page, err
	}
	defer func() { _ = answer.Body.Close() }()
	err = runtime.UnmarshalAsJSON(answer, &page)
	return page, err
}

func (v *vault) request(ctx context.Context, path string) (*policy.Request, error) {
	r, err := runtime.NewRequest(ctx, http.MethodGet, runtime.JoinPaths(v.client.Endpoint(), v.id(), path))
	if err != nil {
		return nil, err
	}
	r.Raw().URL.RawQuery = "api-version=" + apiVersion
	r.Raw().Header.Set("Accept", "application/json")
	return r, nil
}

// sdk is the item in the SDK's type, so that there is one translation for lists and single items.
func (l *listedItem) sdk() *siterecovery.ReplicationProtectedItem {
	item := &siterecovery.ReplicationProtectedItem{ID: l.ID}
	p := l.Properties
	if p == nil {
		return item
	}
	item.Properties = &siterecovery.ReplicationProtectedItemProperties{
		FriendlyName: p.FriendlyName, PrimaryFabricFriendlyName: p.PrimaryFabricFriendlyName, RecoveryFabricFriendlyName: p.RecoveryFabricFriendlyName,
		ProtectionState: p.ProtectionState, TestFailoverState: p.TestFailoverState, ReplicationHealth: p.ReplicationHealth,
		ActiveLocation: p.ActiveLocation, FailoverRecoveryPointID: p.FailoverRecoveryPointID, AllowedOperations: p.AllowedOperations,
		LastSuccessfulFailoverTime: (*time.Time)(p.LastSuccessfulFailoverTime), LastSuccessfulTestFailoverTime: (*time.Time)(p.LastSuccessfulTestFailoverTime),
	}
	for _, e := range p.HealthErrors {
		if e == nil {
			continue
		}
		item.Properties.HealthErrors = append(item.Properties.HealthErrors, &siterecovery.HealthError{
			ErrorCode: e.ErrorCode, ErrorMessage: e.ErrorMessage, SummaryMessage: e.SummaryMessage, PossibleCauses: e.PossibleCauses, RecommendedAction: e.RecommendedAction,
		})
	}
	if s := p.CurrentScenario; s != nil {
		item.Properties.CurrentScenario = &siterecovery.CurrentScenarioDetails{ScenarioName: s.ScenarioName, JobID: s.JobID}
	}
	if d := p.ProviderSpecificDetails; d != nil && d.InstanceType == "A2A" {
		item.Properties.ProviderSpecificDetails = d.sdk()
	}
	return item
}

func (d *listedDetails) sdk() *siterecovery.A2AReplicationDetails {
	details := &siterecovery.A2AReplicationDetails{
		FabricObjectID: d.FabricObjectID, PrimaryFabricLocation: d.PrimaryFabricLocation, RecoveryFabricLocation: d.RecoveryFabricLocation,
		InitialPrimaryFabricLocation: d.InitialPrimaryFabricLocation, RpoInSeconds: d.RpoInSeconds, MonitoringPercentageCompletion: d.MonitoringPercentageCompletion,
		RecoveryAzureVMSize: d.RecoveryAzureVMSize,
	}
	for _, disk := range d.ProtectedManagedDisks {
		details.ProtectedManagedDisks = append(details.ProtectedManagedDisks, &siterecovery.A2AProtectedManagedDiskDetails{
			PrimaryStagingAzureStorageAccountID: disk.PrimaryStagingAzureStorageAccountID,
		})
	}
	return details
}
