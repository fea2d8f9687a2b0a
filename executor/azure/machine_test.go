package azure_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"ferry/failover"
)

// failedBack is vm-x as it was while it ran in North Europe, before the second reprotect.
func failedBack() failover.Item {
	return failover.Item{
		ID: farBox + "/replicationProtectedItems/item", Key: "k", Name: "vm-x", From: "northeurope", To: "westeurope",
		VM: strings.ToLower(farVM), Caches: []string{farCache},
	}
}

func TestLeftovers(t *testing.T) {
	const nic = "/subscriptions/sub/resourceGroups/rg-far/providers/Microsoft.Network/networkInterfaces/vm-x-nic"
	cache := failover.Leftover{Kind: "cache storage account", Name: "farcache", ID: farCache}
	whole := []failover.Leftover{
		{Kind: "virtual machine", Name: "vm-x", ID: farVM},
		{Kind: "disk", Name: "os", ID: osDisk},
		{Kind: "disk", Name: "data", ID: dataDisk},
		{Kind: "network interface", Name: "vm-x-nic", ID: nic},
		cache,
	}
	home := `{"id":"` + itemPath + `","properties":{"friendlyName":"vm-x","providerSpecificDetails":{"instanceType":"A2A","fabricObjectId":"` + homeVM + `","protectedManagedDisks":[{"primaryStagingAzureStorageAccountId":"/home"}]}}}`
	still := strings.NewReplacer(homeVM, strings.ToUpper(farVM), "/home", strings.ToUpper(farCache)).Replace(home)
	other := strings.Replace(home, "/home", farCache, 1)
	tests := map[string]struct {
		items, machine any
		want           []failover.Leftover
	}{
		"all of it":            {list(home), farMachine(deallocated), whole},
		"gone":                 {list(home), nil, []failover.Leftover{cache}},
		"gone with its group":  {list(home), code("ResourceGroupNotFound"), []failover.Leftover{cache}},
		"a bare VM":            {list(), `{"properties":null}`, []failover.Leftover{{Kind: "virtual machine", Name: "vm-x", ID: strings.ToLower(farVM)}, cache}},
		"cache is another's":   {list(other), farMachine(deallocated), whole[:4]},
		"not failed back yet":  {list(still), farMachine(), nil},
		"nothing is protected": {list(bareItem), farMachine(deallocated), whole},
	}
	for name, test := range tests {
		w := pages(map[string]any{"/replicationProtectedItems": test.items, farVM: test.machine})
		got, err := siteOver(t, w).Leftovers(t.Context(), failedBack())
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v\n%+v, want\n%+v", name, err, got, test.want)
		}
	}
	for _, answer := range []any{http.StatusForbidden, code("SubscriptionNotFound")} {
		_, err := siteOver(t, pages(map[string]any{"/replicationProtectedItems": list(home), farVM: answer})).Leftovers(t.Context(), failedBack())
		if e := siteError(t, err); e.Kind != failover.RefusedBySite || !strings.Contains(e.Fault.Action, "Microsoft.Compute/virtualMachines/read") {
			t.Errorf("%v: %+v, want it to name the right", answer, e.Fault)
		}
	}
	_, err := siteOver(t, pages(map[string]any{farVM: farMachine()})).Leftovers(t.Context(), failedBack())
	siteError(t, err)
}

func TestNullsOfLeftovers(t *testing.T) {
	for _, machine := range nulled(t, farMachine(deallocated)) {
		if _, err := siteOver(t, pages(map[string]any{"/replicationProtectedItems": list(), farVM: machine})).Leftovers(t.Context(), failedBack()); err != nil {
			t.Errorf("%s: %v", machine, err)
		}
	}
	for _, items := range nulled(t, list(fullItem)) {
		if _, err := siteOver(t, pages(map[string]any{"/replicationProtectedItems": items})).Items(t.Context()); err != nil {
			t.Errorf("%s: %v", items, err)
		}
	}
	for _, job := range append(nulled(t, failedJob), nulled(t, reprotectJob)...) {
		if _, err := siteOver(t, pages(map[string]any{"/replicationJobs/" + jobName: job})).Job(t.Context(), jobPath+jobName); err != nil {
			t.Errorf("%s: %v", job, err)
		}
	}
}
