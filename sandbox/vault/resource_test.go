package vault_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"ferry/sandbox/vault"
)

const (
	groups   = "/subscriptions/" + subscription + "/resourceGroups/"
	homeVM   = groups + "rg-workload/providers/Microsoft.Compute/virtualMachines/sql-01"
	machines = "/providers/Microsoft.Compute/virtualMachines"
)

func TestMachineOfAFailover(t *testing.T) {
	bubble(t, vault.Options{VMs: 3}, func(w *world) {
		m := newTraveller(w, "sql-01")
		if m.detail("recoveryFabricObjectId") != nil || m.detail("fabricObjectId") != strings.ToLower(homeVM) {
			w.Errorf("before: %v", m.property("providerSpecificDetails"))
		}
		m.does("unplannedFailover", latest("Required"), failoverTakes)
		id := m.detail("recoveryFabricObjectId").(string)
		w.matches("machine", w.do(http.MethodGet, id+apiVersion+"&$expand=instanceView", "").body, "")
		if _, shown := dig(w.T, w.get(id).body, "properties").(map[string]any)["instanceView"]; shown {
			w.Error("instanceView without being asked for")
		}
		if got := w.power(homeVM); got != "PowerState/deallocated" {
			w.Errorf("the source is %s after a shutdown", got)
		}
	})
}

func (w *world) power(id string) any {
	w.Helper()
	return dig(w.T, w.do(http.MethodGet, id+apiVersion+"&$expand=instanceView", "").body, "properties", "instanceView", "statuses", 1, "code")
}

func TestWithoutShutdownBothRun(t *testing.T) {
	bubble(t, vault.Options{VMs: 3}, func(w *world) {
		m := newTraveller(w, "sql-01")
		m.does("unplannedFailover", latest("NotRequired"), failoverTakes-shutdownTakes)
		if home, away := w.power(homeVM), w.power(m.detail("recoveryFabricObjectId").(string)); home != "PowerState/running" || away != home {
			w.Errorf("home %v, away %v", home, away)
		}
	})
}

func TestWhatAFailbackLeavesBehind(t *testing.T) {
	bubble(t, vault.Options{VMs: 3}, func(w *world) {
		m := newTraveller(w, "sql-01")
		w.listsNames("rg-workload-asr"+machines, nil)
		m.leg("westeurope", "northeurope")
		if got := w.do(http.MethodGet, homeVM+apiVersion, ""); got.status != http.StatusNotFound {
			w.Errorf("the original VM answers %d after the first reprotect", got.status)
		}
		w.listsNames("rg-workload/providers/Microsoft.Network/networkInterfaces", []string{"vm-x-nic", "vm-y-nic"})
		m.leg("northeurope", "westeurope")
		w.listsNames("rg-workload-asr"+machines, []string{"sql-01"})
		w.listsNames("rg-workload-asr/providers/Microsoft.Network/networkInterfaces", []string{"sql-01-nic"})
		w.listsNames("rg-workload-asr/providers/Microsoft.Compute/disks", []string{
			"sql-01_DataDisk_0", "sql-01_DataDisk_0-ASRReplica", "sql-01_OsDisk_1", "sql-01_OsDisk_1-ASRReplica",
			"vm-x_OsDisk_1-ASRReplica", "vm-y_OsDisk_1-ASRReplica",
		})
		left := w.vm("sql-01").Leftover
		if left != groups+"rg-workload-asr"+machines+"/sql-01" || w.power(left) != "PowerState/deallocated" {
			w.Errorf("left behind: %s", left)
		}
		m.does("unplannedFailover", latest("Required"), failoverTakes)
		w.listsNames("rg-workload-asr"+machines, []string{"sql-01"})
		if left := w.vm("sql-01").Leftover; left != "" {
			w.Errorf("left behind: %s, though the VM runs there", left)
		}
	})
}

// listsNames compares the names of a resource group's list.
func (w *world) listsNames(path string, want []string) {
	w.Helper()
	var names []string
	for _, resource := range w.get(groups + path).body["value"].([]any) {
		names = append(names, dig(w.T, resource, "name").(string))
	}
	slices.Sort(names)
	if !slices.Equal(names, want) {
		w.Errorf("%s has %q, want %q", path, names, want)
	}
}

func TestNetworksAndAccounts(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		w.listsNames("rg-workload/providers/Microsoft.Network/virtualNetworks", []string{"vnet-workload", "vnet-workload-drill"})
		w.listsNames("RG-WORKLOAD-ASR/providers/Microsoft.Network/virtualNetworks", []string{"vnet-workload-asr", "vnet-workload-asr-drill"})
		w.listsNames("rg-workload/providers/Microsoft.Storage/storageAccounts", []string{"ferryasrcache"})
		w.listsNames("rg-workload-asr/providers/Microsoft.Storage/storageAccounts", []string{"ferryasrcachedr"})
		w.listsNames("rg-other/providers/Microsoft.Storage/storageAccounts", nil)
	})
}

func TestRecoveryNameAndGroupsOfOtherVaults(t *testing.T) {
	o := vault.Options{VMs: 1, RecoveryNames: map[string]string{"vm-x": "vm-x-dr"}, More: []vault.Place{{VaultName: "vault-two", VMs: []string{"vm-x"}}}}
	bubble(t, o, func(w *world) {
		m := newTraveller(w, "vm-x")
		m.does("unplannedFailover", latest("Required"), failoverTakes)
		if m.detail("recoveryAzureVMName") != "vm-x-dr" || !strings.HasSuffix(m.detail("recoveryFabricObjectId").(string), "/vm-x-dr") {
			w.Errorf("recovered as %v", m.detail("recoveryFabricObjectId"))
		}
		w.listsNames("rg-workload-vault-two"+machines, []string{"vm-x"})
	})
}
