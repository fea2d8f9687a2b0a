package azure_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"ferry/executor/azure"
	"ferry/failover"
)

// What a reprotect of vm-x from North Europe back to West Europe rests on, in the shapes of recorded answers. The item is
// still under the fabric of West Europe; the VM of before is spelt in lower case, as Site Recovery does.
const (
	dayPolicy    = vaultPath + "/replicationPolicies/24-hour-retention-policy"
	homeBox      = vaultPath + "/replicationFabrics/fabric/replicationProtectionContainers/container"
	farBox       = vaultPath + "/replicationFabrics/far/replicationProtectionContainers/far-container"
	homePage     = "/subscriptions/sub/resourceGroups/rg-home/providers/Microsoft.Compute/virtualMachines/vm-x"
	homeVM       = "/subscriptions/sub/resourcegroups/rg-home/providers/microsoft.compute/virtualmachines/vm-x"
	farVM        = "/subscriptions/sub/resourceGroups/rg-far/providers/Microsoft.Compute/virtualMachines/vm-x"
	farNetwork   = "/subscriptions/sub/resourceGroups/rg-far/providers/Microsoft.Network/virtualNetworks/vnet-far"
	homeNetwork  = "/subscriptions/sub/resourceGroups/rg-home/providers/Microsoft.Network/virtualNetworks/vnet-home"
	farCache     = "/subscriptions/sub/resourceGroups/rg-far/providers/Microsoft.Storage/storageAccounts/farcache"
	osDisk       = "/subscriptions/sub/resourceGroups/rg-far/providers/Microsoft.Compute/disks/os"
	dataDisk     = "/subscriptions/sub/resourceGroups/rg-far/providers/Microsoft.Compute/disks/data"
	mappingsPath = "/replicationFabrics/far/replicationProtectionContainers/far-container/replicationProtectionContainerMappings"
	byFabric     = "/replicationFabrics/far/replicationNetworks/azureNetwork/replicationNetworkMappings"
	itemPage     = "/replicationFabrics/fabric/replicationProtectionContainers/container/replicationProtectedItems/item"
)

const committedItem = `{"id":"` + itemPath + `","name":"item","properties":{"friendlyName":"vm-x","protectionState":"UnplannedFailoverCommitted","activeLocation":"Recovery",
"allowedOperations":["CompleteMigration","DisableProtection","SwitchProtection"],"recoveryContainerId":"` + farBox + `","healthErrors":[],"currentScenario":null,
"providerSpecificDetails":{"instanceType":"A2A","fabricObjectId":"` + homeVM + `","primaryFabricLocation":"westeurope","recoveryFabricLocation":"northeurope",
"recoveryAzureResourceGroupId":"/subscriptions/sub/resourceGroups/rg-far","recoveryAzureVMName":"vm-x","recoveryFabricObjectId":"` + farVM + `",
"primaryAvailabilityZone":"2","selectedRecoveryAzureNetworkId":"` + farNetwork + `","protectedManagedDisks":[]}}}`

// mapping is a container mapping to a container, by a policy.
func mapping(to, policy string) string {
	return `{"id":"x","name":"m","properties":{"targetProtectionContainerId":"` + to + `","policyId":"` + policy + `","providerSpecificDetails":{"instanceType":"A2A","agentAutoUpdateStatus":"Disabled"},"health":"Normal","state":"Paired"}}`
}

// networkMapping is one from North Europe to a region.
func networkMapping(from, to, region string) string {
	return `{"id":"x","name":"n","properties":{"state":"Paired","primaryNetworkId":"` + from + `","recoveryNetworkId":"` + to + `","fabricSpecificSettings":{"instanceType":"AzureToAzure","primaryFabricLocation":"northeurope","recoveryFabricLocation":"` + region + `"}}}`
}

// farMachine is the VM that runs now, with a disk of the operating system and others.
func farMachine(data ...string) string {
	return `{"id":"` + farVM + `","name":"vm-x","location":"northeurope","tags":null,"zones":null,"properties":{"vmId":"v","provisioningState":"Succeeded","availabilitySet":null,
"storageProfile":{"imageReference":null,"osDisk":{"name":"os","osType":"Linux","createOption":"Attach","diskSizeGB":127,"managedDisk":{"id":"` + osDisk + `","storageAccountType":"Premium_LRS"}},"dataDisks":[` + strings.Join(data, ",") + `]},
"networkProfile":{"networkInterfaces":[null,{"id":"/subscriptions/sub/resourceGroups/rg-far/providers/Microsoft.Network/networkInterfaces/vm-x-nic"},{"id":null}]}}}`
}

// deallocated is a data disk of a VM that is off: Compute leaves out what it does not know then.
const deallocated = `null,{"lun":0,"name":"data","managedDisk":{"id":"` + dataDisk + `"}}`

// healthFabric is the fabric of the region to replicate to.
func healthFabric(health string) string {
	return `{"id":"x","name":"fabric","properties":{"friendlyName":"West Europe","bcdrState":"Valid","health":` + health + `,"healthErrorDetails":[],"customDetails":{"instanceType":"Azure","location":"westeurope"}}}`
}

// aWayBack is the whole, everything in its place; cases change single answers.
func aWayBack() map[string]any {
	return map[string]any{
		itemPage:                      committedItem,
		"/replicationFabrics/fabric":  healthFabric(`"Normal"`),
		mappingsPath:                  list(`null`, `{"properties":null}`, mapping(farBox, dayPolicy), mapping(homeBox+"-2", dayPolicy), mapping(strings.ToUpper(homeBox), dayPolicy), mapping(homeBox, "/another")),
		"/replicationNetworkMappings": list(`null`, `{"properties":null}`, networkMapping(farNetwork, "/elsewhere", "uksouth"), networkMapping("/another-vnet", "/not-ours", "westeurope"), networkMapping(strings.ToLower(farNetwork), homeNetwork, "westeurope")),
		farVM:                         farMachine(deallocated),
		homePage:                      `{"id":"x","name":"vm-x","zones":["1"],"properties":{"availabilitySet":null}}`,
	}
}

func wantReversal() failover.Reversal {
	return failover.Reversal{
		From: "northeurope", To: "westeurope", Container: strings.ToUpper(homeBox), Policy: dayPolicy, Network: homeNetwork,
		ResourceGroup: "/subscriptions/sub/resourceGroups/rg-home", Zone: "1",
		Disks: []failover.ReversalDisk{
			{ID: osDisk, Name: "os", Bytes: 127 << 30, Type: "Premium_LRS", Cache: farCache},
			{ID: dataDisk, Name: "data", Cache: farCache},
		},
		Creates: []string{"replica disk os-ASRReplica", "replica disk data-ASRReplica"},
	}
}

// cachedSite has a staging account for North Europe, under the name that people give the region.
func cachedSite(t *testing.T, w *transport) *azure.Site {
	t.Helper()
	site, err := azure.New(azure.Options{
		Endpoint: endpoint, Credential: credential{}, Transport: w, Vaults: []azure.Vault{{SubscriptionID: "sub", ResourceGroup: "rg-dr", Name: "vault-dr"}},
		Caches: map[string]string{"North Europe": farCache, "westeurope": "/wrong"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func TestReversal(t *testing.T) {
	type bodies = map[string]any
	availability := func(r *failover.Reversal) { r.Zone, r.AvailabilitySet = "", "/as" }
	gone := func(r *failover.Reversal) { r.FullCopy, r.Zone = true, "2" }
	noNetwork := func(r *failover.Reversal) { r.Network = "" }
	tests := map[string]struct {
		change bodies
		want   func(*failover.Reversal)
	}{
		"whole":                             {nil, func(*failover.Reversal) {}},
		"in an availability set":            {bodies{homePage: `{"properties":{"availabilitySet":{"id":"/as"}}}`}, availability},
		"the VM of before shows nothing":    {bodies{homePage: `{"zones":[null],"properties":null}`}, func(r *failover.Reversal) { r.Zone = "" }},
		"the VM of before is gone":          {bodies{homePage: nil}, gone},
		"no network mapping":                {bodies{"/replicationNetworkMappings": list()}, noNetwork},
		"network mapping of another kind":   {bodies{"/replicationNetworkMappings": list(`{"properties":{"recoveryNetworkId":"/x","fabricSpecificSettings":{"instanceType":"VmmToAzure"}}}`)}, noNetwork},
		"its network is mapped nowhere":     {bodies{"/replicationNetworkMappings": list(networkMapping("/another-vnet", "/not-ours", "westeurope"))}, noNetwork},
		"its network is not known":          {bodies{itemPage: strings.Replace(committedItem, `"`+farNetwork+`"`, "null", 1), "/replicationNetworkMappings": list(networkMapping("/x", homeNetwork, "westeurope"))}, func(*failover.Reversal) {}},
		"only the fabric shows its mapping": {bodies{"/replicationNetworkMappings": http.StatusForbidden, byFabric: list(networkMapping(farNetwork, homeNetwork, "westeurope"))}, func(*failover.Reversal) {}},
		"the VM that runs is known by name": {bodies{itemPage: strings.Replace(committedItem, `"recoveryFabricObjectId":"`+farVM+`"`, `"recoveryFabricObjectId":null`, 1)}, func(*failover.Reversal) {}},
		"the fabric's health is unknown":    {bodies{"/replicationFabrics/fabric": `{"properties":null}`}, func(*failover.Reversal) {}},
		"the fabric warns":                  {bodies{"/replicationFabrics/fabric": healthFabric(`"Warning"`)}, func(*failover.Reversal) {}},
	}
	for name, test := range tests {
		all := aWayBack()
		maps.Copy(all, test.change)
		want := wantReversal()
		test.want(&want)
		w := pages(all)
		got, err := cachedSite(t, w).Reversal(t.Context(), anItem())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n%+v, want\n%+v", name, err, got, want)
		}
		for _, r := range w.sent {
			if r.Method != http.MethodGet {
				t.Errorf("%s: %s %s while reading", name, r.Method, r.URL.Path)
			}
		}
	}
}

func TestReversalLacks(t *testing.T) {
	type bodies = map[string]any
	unmanaged := strings.Replace(farMachine(), `"managedDisk":{"id":"`+osDisk+`","storageAccountType":"Premium_LRS"}`, `"vhd":{"uri":"https://x/y.vhd"}`, 1)
	without := func(key string) string {
		var item map[string]any
		if err := json.Unmarshal([]byte(committedItem), &item); err != nil {
			t.Fatal(err)
		}
		properties := item["properties"].(map[string]any)
		delete(properties, key)
		delete(properties["providerSpecificDetails"].(map[string]any), key)
		text, err := json.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	tests := map[string]struct {
		change          bodies
		message, action string
	}{
		"no mapping":                  {bodies{mappingsPath: list(mapping(farBox, dayPolicy))}, "No container mapping leads from northeurope back to westeurope.", "Create the container mapping from northeurope to westeurope in the vault, then ask again."},
		"a mapping without a policy":  {bodies{mappingsPath: list(mapping(homeBox, ""))}, "No container mapping leads from northeurope back to westeurope.", "Create the container mapping"},
		"the region is down":          {bodies{"/replicationFabrics/fabric": healthFabric(`"critical"`)}, "Site Recovery does not reach westeurope, so nothing can be replicated there.", "Ask again when the region is back."},
		"the VM that ran is gone":     {bodies{farVM: nil}, "The VM that vm-x was failed over to is not in northeurope any more.", "protect the VM anew"},
		"the VM that runs is unnamed": {bodies{itemPage: strings.NewReplacer(`"recoveryFabricObjectId":"`+farVM+`"`, `"recoveryFabricObjectId":null`, `"recoveryAzureVMName":"vm-x"`, `"recoveryAzureVMName":null`).Replace(committedItem)}, "Azure does not name the VM that vm-x was failed over to.", "reprotect it there"},
		"an unmanaged disk":           {bodies{farVM: unmanaged}, "The disk os of vm-x is not a managed disk; Ferry reprotects VMs with managed disks only.", "reprotect it there"},
		"no disks":                    {bodies{farVM: `{"properties":{"storageProfile":null}}`}, "Azure shows no disk of the VM that vm-x was failed over to.", "reprotect it there"},
		"the group of before is gone": {bodies{homePage: code("ResourceGroupNotFound")}, "The resource group rg-home, in which vm-x was, does not exist any more.", "Create the resource group rg-home, then ask again."},
		"no VM of before":             {bodies{itemPage: without("fabricObjectId")}, "Azure does not say where vm-x came from and where it runs now.", "reprotect it there"},
		"no container":                {bodies{itemPage: without("recoveryContainerId")}, "Azure does not say where vm-x came from and where it runs now.", "reprotect it there"},
		"no region to replicate from": {bodies{itemPage: without("recoveryFabricLocation")}, "Azure does not say where vm-x came from and where it runs now.", "reprotect it there"},
	}
	for name, test := range tests {
		all := aWayBack()
		maps.Copy(all, test.change)
		_, err := cachedSite(t, pages(all)).Reversal(t.Context(), anItem())
		e := siteError(t, err)
		if e.Kind != failover.RefusedBySite || e.Fault.Code != failover.CodePrerequisite || e.Fault.Message != test.message || !strings.Contains(e.Fault.Action, test.action) {
			t.Errorf("%s: %s %+v, want the prerequisite %q", name, e.Kind, e.Fault, test.message)
		}
	}
}

func TestReversalForbidden(t *testing.T) {
	const compute = "Microsoft.Compute/virtualMachines/read on the VM's resource group"
	for path, right := range map[string]string{
		farVM: compute, homePage: compute,
		itemPage:                     "vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/read on the vault",
		mappingsPath:                 "replicationProtectionContainerMappings/read on the vault",
		"/replicationFabrics/fabric": "vaults/replicationFabrics/read on the vault",
	} {
		all := aWayBack()
		all[path] = http.StatusForbidden
		_, err := cachedSite(t, pages(all)).Reversal(t.Context(), anItem())
		e := siteError(t, err)
		if e.Kind != failover.RefusedBySite || e.Fault.Code == failover.CodePrerequisite || !strings.Contains(e.Fault.Action, right) {
			t.Errorf("%s: %s %+v, want it to name %s", path, e.Kind, e.Fault, right)
		}
		if strings.Contains(e.Fault.Action, "Compute") && strings.Contains(e.Fault.Action, "Operator") {
			t.Errorf("%s: the role Operator has no right in Compute, but: %s", path, e.Fault.Action)
		}
	}
	all := aWayBack()
	all["/replicationNetworkMappings"], all[byFabric] = http.StatusForbidden, http.StatusForbidden
	_, err := cachedSite(t, pages(all)).Reversal(t.Context(), anItem())
	if e := siteError(t, err); !strings.Contains(e.Fault.Action, "replicationNetworkMappings/read") {
		t.Errorf("network mappings: %+v", e.Fault)
	}
}

// Azure answers SubscriptionNotFound to who may not see the subscription: that is no word about the VM.
func TestUnseenSubscriptionIsNoFullCopy(t *testing.T) {
	for _, path := range []string{farVM, homePage} {
		all := aWayBack()
		all[path] = code("SubscriptionNotFound")
		_, err := cachedSite(t, pages(all)).Reversal(t.Context(), anItem())
		if e := siteError(t, err); e.Fault.Code != "SubscriptionNotFound" || !strings.Contains(e.Fault.Action, "Microsoft.Compute/virtualMachines/read") {
			t.Errorf("%s: %+v", path, e.Fault)
		}
	}
}

func TestCacheAccounts(t *testing.T) {
	from := func(region, cache string) string {
		return `{"id":"` + itemPath + `2","properties":{"friendlyName":"vm-y","providerSpecificDetails":{"instanceType":"A2A","primaryFabricLocation":"` + region + `","protectedManagedDisks":[{"primaryStagingAzureStorageAccountId":"` + cache + `"}]}}}`
	}
	others := []string{from("northeurope", "/b"), from("NorthEurope", "/A"), from("westeurope", "/0"), from("northeurope", "/c")}
	for range 2 {
		all := aWayBack()
		all["/replicationProtectedItems"] = list(others...)
		got, err := siteOver(t, pages(all)).Reversal(t.Context(), anItem())
		if err != nil || got.Disks[0].Cache != "/A" || got.Disks[1].Cache != "/A" {
			t.Errorf("disks %+v, %v, want the first of those that other VMs use, whatever the order", got.Disks, err)
		}
		others[0], others[3] = others[3], others[0]
	}
	all := aWayBack()
	all["/replicationProtectedItems"] = list(others[2])
	_, err := siteOver(t, pages(all)).Reversal(t.Context(), anItem())
	if e := siteError(t, err); e.Fault.Code != failover.CodePrerequisite || e.Fault.Message != "No cache storage account in northeurope is known, through which the VM could be replicated back." ||
		e.Fault.Action != "Add the ARM id of a storage account in northeurope under azure.cache_storage of Ferry's configuration, then ask again." {
		t.Errorf("without one: %+v", e.Fault)
	}
}

// Any value of any answer may be null, one at a time: the outcome is an answer or a site error, never a panic, and what
// comes back can be sent.
func TestNullsOfAReversal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for path, body := range aWayBack() {
			for _, broken := range nulled(t, body.(string)) {
				all := aWayBack()
				all[path] = broken
				site := cachedSite(t, pages(all))
				got, err := site.Reversal(t.Context(), anItem())
				if err != nil {
					siteError(t, err)
					continue
				}
				call := failover.Call{Kind: failover.StepReprotect, Item: anItem(), ClientRequestID: requestID, Reversal: &got}
				if _, err := siteOver(t, fixed(http.StatusAccepted, "", "X-Ms-Request-Id", jobPath+jobName)).Begin(t.Context(), call); err != nil {
					t.Errorf("%s as %s: %+v cannot be sent: %v", path, broken, got, err)
				}
			}
		}
	})
}

// nulled gives a document as often as it has values, each time with another one null.
func nulled(t *testing.T, document string) []string {
	t.Helper()
	var all []string
	for n := 0; ; n++ {
		var v any
		if err := json.Unmarshal([]byte(document), &v); err != nil {
			t.Fatal(err)
		}
		left := n
		v = nullAt(v, &left)
		if left >= 0 {
			return all
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
}

// nullAt counts values, outer ones first, and puts null in the place of the one at which it reaches none left.
func nullAt(v any, left *int) any {
	if *left--; *left == -1 {
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if *left >= 0 {
				v[k] = nullAt(v[k], left)
			}
		}
	case []any:
		for i := range v {
			if *left >= 0 {
				v[i] = nullAt(v[i], left)
			}
		}
	}
	return v
}
