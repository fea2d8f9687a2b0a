package azure_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/executor/azure"
	"ferry/failover"
)

// Case and nulls as recorded; the id is Azure's spelling, not ours.
const fullItem = `{"id":"/Subscriptions/SUB/resourceGroups/RG-dr/providers/Microsoft.RecoveryServices/vaults/Vault-DR/replicationFabrics/fabric/replicationProtectionContainers/container/replicationProtectedItems/Item",
"name":"Item","properties":{"friendlyName":"vm-x","protectedItemType":"","protectableItemId":null,"primaryFabricFriendlyName":"West Europe",
"recoveryFabricFriendlyName":"North Europe","protectionState":"UnplannedFailoverCommitPendingStatesBegin","activeLocation":"Recovery",
"testFailoverState":"None","allowedOperations":["Commit","ChangePit"],"replicationHealth":"Warning","futureKey":{"a":1},
"lastSuccessfulTestFailoverTime":"2025-04-01T10:00:00.1234567Z","lastSuccessfulFailoverTime":"2025-04-08T10:00:00Z",
"healthErrors":[null,{"errorCode":"161011","summaryMessage":"Short.","errorMessage":"Long.","possibleCauses":"Cause.","recommendedAction":"Do.","innerHealthErrors":[]},{"errorCode":"1","summaryMessage":"Short.","errorMessage":null}],
"currentScenario":{"scenarioName":"CommitFailover","jobId":"/Subscriptions/SUB/resourceGroups/RG-dr/providers/Microsoft.RecoveryServices/vaults/Vault-DR/replicationJobs/` + jobName + `","startTime":"2025-04-09T08:00:00Z"},
"providerSpecificDetails":{"instanceType":"A2A","fabricObjectId":"/subscriptions/sub/resourcegroups/rg-workload/providers/microsoft.compute/virtualmachines/vm-x",
"primaryFabricLocation":"westeurope","recoveryFabricLocation":"northeurope","initialPrimaryFabricLocation":"northeurope","monitoringPercentageCompletion":34,"recoveryAzureVMSize":"Standard_D2s_v3",
"protectedManagedDisks":[null,{"diskId":"a","primaryStagingAzureStorageAccountId":"/cache"},{"primaryStagingAzureStorageAccountId":"/cache"},{"primaryStagingAzureStorageAccountId":null}],"rpoInSeconds":114,"rtoInSeconds":null,"agentExpiryDate":"9999-12-31T23:59:59.9999999","lastHeartbeat":"0001-01-01T00:00:00"}}}`

const bareItem = `{"id":"` + itemPath + `","properties":{"friendlyName":"vm-y","healthErrors":null,"allowedOperations":null,"activeLocation":"Moon",
"lastSuccessfulTestFailoverTime":"1753-01-01T01:01:01Z","primaryFabricFriendlyName":"West Europe","recoveryFabricFriendlyName":"North Europe",
"currentScenario":{"scenarioName":"None","jobId":"` + jobPath + `None","startTime":"1753-01-01T01:01:01Z"},
"providerSpecificDetails":{"instanceType":"A2A","rpoInSeconds":null,"fabricObjectId":null}}}`

const vmwareItem = `{"id":"x","properties":{"friendlyName":"old","providerSpecificDetails":{"instanceType":"InMageRcm"}}}`

const otherItems = vmwareItem + `,{"id":"y","properties":null},{"id":"z","properties":{"providerSpecificDetails":null}},null`

func wantFull() failover.Item {
	return failover.Item{
		ID:  strings.SplitN(fullItem, `"`, 5)[3],
		Key: failover.ItemKey(vaultPath, "item"), Name: "vm-x", Vault: "vault-dr", VaultID: vaultPath, ResourceGroup: "rg-workload",
		From: "westeurope", To: "northeurope", Active: "northeurope", State: failover.StateCommitPending, TestState: "None",
		Allowed: []string{"Commit", "ChangePit"}, Health: "Warning", Scenario: "CommitFailover", JobID: jobPath + jobName,
		RPO:      114 * time.Second,
		Errors:   []failover.Fault{{Code: "161011", Message: "Long.", Cause: "Cause.", Action: "Do."}, {Code: "1", Message: "Short."}},
		LastTest: time.Date(2025, 4, 1, 10, 0, 0, 123456700, time.UTC),
		VM:       "/subscriptions/sub/resourcegroups/rg-workload/providers/microsoft.compute/virtualmachines/vm-x",
		Home:     "northeurope", Caches: []string{"/cache"}, Replicated: 34, Size: "Standard_D2s_v3", LastFailover: time.Date(2025, 4, 8, 10, 0, 0, 0, time.UTC),
	}
}

func wantBare() failover.Item {
	return failover.Item{
		ID: itemPath, Key: failover.ItemKey(vaultPath, "item"), Name: "vm-y", Vault: "vault-dr", VaultID: vaultPath,
		ResourceGroup: "rg-dr", From: "West Europe", To: "North Europe", RPO: -time.Second,
	}
}

func TestItems(t *testing.T) {
	w := pages(map[string]any{"/replicationProtectedItems": list(fullItem, otherItems, bareItem)})
	got, err := siteOver(t, w).Items(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := []failover.Item{wantFull(), wantBare()}; !reflect.DeepEqual(got, want) {
		t.Errorf("items\n%+v, want\n%+v", got, want)
	}
}

func list(values ...string) string {
	return `{"value":[` + strings.Join(values, ",") + `],"nextLink":null}`
}

func TestItemThatIsNoVM(t *testing.T) {
	_, err := siteOver(t, pages(map[string]any{itemPath[len(vaultPath):]: vmwareItem})).Item(t.Context(), anItem())
	if e := siteError(t, err); e.Kind != failover.RefusedBySite {
		t.Errorf("error %v, want a refusal", e)
	}
}

func TestItemThatHasMoved(t *testing.T) {
	const moved = vaultPath + "/replicationFabrics/dr/replicationProtectionContainers/dr-container/replicationProtectedItems/ITEM"
	w := pages(map[string]any{"/replicationProtectedItems": list(vmwareItem, strings.ReplaceAll(bareItem, itemPath, moved))})
	got, err := siteOver(t, w).Item(t.Context(), anItem())
	if err != nil || got.ID != moved || got.Key != wantBare().Key {
		t.Errorf("item %+v, %v", got, err)
	}
}

const (
	fabricsPath    = "/replicationFabrics"
	containersPath = fabricsPath + "/fabric/replicationProtectionContainers"
	containerItems = containersPath + "/container/replicationProtectedItems"
)

func TestForbiddenListGoesThroughContainers(t *testing.T) {
	bodies := map[string]any{
		"/replicationProtectedItems": http.StatusForbidden,
		fabricsPath:                  list(`null`, `{"name":"fabric"}`, `{"name":null}`, `{"name":"empty"}`),
		containersPath:               list(`null`, `{"name":"container"}`, `{"name":null}`),
		containerItems:               list(fullItem, bareItem),
		fabricsPath + "/empty/replicationProtectionContainers": list(),
	}
	got, err := siteOver(t, pages(bodies)).Items(t.Context())
	if err != nil || len(got) != 2 {
		t.Fatalf("%d items, %v", len(got), err)
	}
	bodies[fabricsPath] = http.StatusForbidden
	_, err = siteOver(t, pages(bodies)).Items(t.Context())
	if e := siteError(t, err); e.Kind != failover.RefusedBySite || !strings.Contains(e.Fault.Action, "vaults/replicationFabrics/read") {
		t.Errorf("error %+v", e)
	}
}

func TestOneVaultDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := pages(map[string]any{"/replicationProtectedItems": list(fullItem)})
		site, err := azure.New(azure.Options{Endpoint: endpoint, Credential: credential{}, Transport: w, Vaults: []azure.Vault{
			{SubscriptionID: "sub", ResourceGroup: "rg-dr", Name: "gone"}, {SubscriptionID: "sub", ResourceGroup: "rg-dr", Name: "vault-dr"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := site.Items(t.Context())
		siteError(t, err)
		if len(got) != 1 || got[0].Name != "vm-x" {
			t.Errorf("items %+v, want those of the other vault", got)
		}
	})
}

func TestNextPages(t *testing.T) {
	for next, want := range map[string]bool{
		endpoint + vaultPath + "/replicationProtectedItems?page=2": true,
		"https://evil.test/items":                                  false, // no token goes there
		"http://management.azure.com" + vaultPath + "/items":       false,
	} {
		w := &transport{answer: func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("page") == "2" {
				return response(http.StatusOK, list(bareItem)), nil
			}
			return response(http.StatusOK, `{"value":[`+fullItem+`],"nextLink":"`+next+`"}`), nil
		}}
		got, err := siteOver(t, w).Items(t.Context())
		if want && (err != nil || len(got) != 2) {
			t.Errorf("%s: %d items, %v", next, len(got), err)
		}
		if !want {
			if siteError(t, err); len(w.sent) != 1 {
				t.Errorf("%s: %v after %d requests, want one", next, err, len(w.sent))
			}
		}
	}
}

func TestPoints(t *testing.T) {
	w := pages(map[string]any{itemPath[len(vaultPath):] + "/recoveryPoints": list(
		`{"id":"p1","properties":{"recoveryPointTime":"2025-04-09T08:05:00.5Z","recoveryPointType":"CrashConsistent","providerSpecificDetails":{"instanceType":"A2A","recoveryPointSyncType":"PerVmRecoveryPoint","disks":[]}}}`,
		`{"id":"p2","properties":{"recoveryPointTime":"2025-04-09T08:00:00","recoveryPointType":"ApplicationConsistent","providerSpecificDetails":null}}`,
		`{"id":"timeless","properties":{"recoveryPointTime":null}}`, `{"id":"odd","properties":{"recoveryPointTime":"1753-01-01T01:01:01Z"}}`,
		`{"properties":{"recoveryPointTime":"2025-04-09T08:00:00Z"}}`, `{"id":"empty"}`, `null`,
	)})
	got, err := siteOver(t, w).Points(t.Context(), anItem())
	want := []failover.RecoveryPoint{
		{ID: "p1", Time: time.Date(2025, 4, 9, 8, 5, 0, 5e8, time.UTC)},
		{ID: "p2", Time: time.Date(2025, 4, 9, 8, 0, 0, 0, time.UTC), AppConsistent: true},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("points %+v, %v, want %+v", got, err, want)
	}
}
