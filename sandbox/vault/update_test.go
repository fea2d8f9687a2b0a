package vault_test

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/sandbox/vault"
)

const (
	updateTakes = 6 * time.Second
	larger      = "Standard_E4s_v5"
)

// resized is a body that names a size and keeps the names and networks of vm-x.
func resized(size string) string {
	return `{"properties":{"recoveryAzureVMSize":"` + size + `","recoveryAzureVMName":"vm-x","selectedRecoveryAzureNetworkId":"` + groups +
		`rg-workload-asr/providers/Microsoft.Network/virtualNetworks/vnet-workload-asr","providerSpecificDetails":{"instanceType":"A2A"}}}`
}

func (w *world) patch(id, body string) answer {
	w.Helper()
	return w.do(http.MethodPatch, id+apiVersion, body)
}

// machineSize is that of the VM that vm-x was failed over to.
func (m *traveller) machineSize() any {
	m.Helper()
	return dig(m.T, m.get(m.detail("recoveryFabricObjectId").(string)).body, "properties", "hardwareProfile", "vmSize")
}

func TestAnUpdateChangesTheSize(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		m := newTraveller(w, "vm-x")
		got := w.patch(m.id, resized(larger))
		if m.detail("recoveryAzureVMSize") != "Standard_D2s_v5" || m.property("currentScenario", "scenarioName") != "UpdateVmProperties" {
			w.Errorf("the item at the beginning: %v", m.property("currentScenario"))
		}
		if again := w.patch(m.id, resized(larger)); again.status != http.StatusConflict {
			w.Errorf("while a job runs: %d", again.status)
		}
		job := m.follows(got, updateTakes)
		if dig(w.T, job, "properties", "scenarioName") != "UpdateVmProperties" || dig(w.T, job, "properties", "customDetails", "instanceType") != "AsrJobDetails" {
			w.Errorf("job %v", job)
		}
		if m.detail("recoveryAzureVMSize") != larger || w.vm("vm-x").Size != larger {
			w.Errorf("the size is %v, %s", m.detail("recoveryAzureVMSize"), w.vm("vm-x").Size)
		}
		calls := w.vault.Ledger()
		if len(calls) != 2 || calls[0].Operation != "update" || !calls[0].Accepted || calls[0].VM != "vm-x" || calls[0].JobID == "" || calls[1].Accepted {
			w.Errorf("ledger %+v", calls)
		}
		m.does("unplannedFailover", latest("Required"), failoverTakes)
		if got := m.machineSize(); got != larger {
			w.Errorf("failed over to a %v", got)
		}
		if got := w.patch(m.id, resized("Standard_D2s_v5")); got.status != http.StatusConflict {
			w.Errorf("after the failover: %d", got.status)
		}
	})
}

func TestAnUpdateClearsWhatItLeavesOut(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		m := newTraveller(w, "vm-x")
		m.follows(w.patch(m.id, `{"properties":{"providerSpecificDetails":{"instanceType":"A2A"}}}`), updateTakes)
		for _, key := range []string{"recoveryAzureVMName", "selectedRecoveryAzureNetworkId", "tfoAzureVMName"} {
			if got := m.detail(key); got != nil {
				w.Errorf("%s is %v", key, got)
			}
		}
		nic, disk := dig(w.T, m.detail("vmNics"), 0), dig(w.T, m.detail("protectedManagedDisks"), 0)
		if ips := dig(w.T, nic, "ipConfigs").([]any); len(ips) != 0 || dig(w.T, nic, "selectionType") != nil || dig(w.T, disk, "failoverDiskName") != nil {
			w.Errorf("nic %v, disk %v", nic, disk)
		}
		if m.detail("recoveryAzureVMSize") != "Standard_D2s_v5" || m.detail("recoveryAzureResourceGroupId") != groups+"rg-workload-asr" {
			w.Errorf("size %v, group %v", m.detail("recoveryAzureVMSize"), m.detail("recoveryAzureResourceGroupId"))
		}
		m.does("unplannedFailover", latest("Required"), failoverTakes)
		m.does("failoverCommit", "", 8*time.Second)
		m.follows(m.post(containerOf(m.id), "switchprotection", m.switchBody()), 510*time.Second)
		m = newTraveller(w, "vm-x")
		if m.detail("selectedRecoveryAzureNetworkId") == nil || len(dig(w.T, m.detail("vmNics"), 0, "ipConfigs").([]any)) != 1 {
			w.Errorf("a reprotect makes settings anew: %v", m.detail("vmNics"))
		}
	})
}

func TestUpdatesThatAreRefused(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		id := w.vm("vm-x").ID
		for name, body := range map[string]string{
			"empty": "", "no properties": "{}", "no provider": `{"properties":{"recoveryAzureVMSize":"Standard_D2s_v5"}}`,
			"provider":  strings.Replace(resized(larger), "A2A", "InMageRcm", 1),
			"no size":   resized("E4s"),
			"two words": resized("Standard_E4s v5"),
			"a type":    strings.Replace(resized(larger), `"`+larger+`"`, "4", 1),
			"group":     strings.Replace(resized(larger), `"A2A"`, `"A2A","recoveryResourceGroupId":"rg"`, 1),
			"nic":       strings.Replace(resized(larger), `"recoveryAzureVMName"`, `"vmNics":[{"nicId":"another"}],"recoveryAzureVMName"`, 1),
			"disk":      strings.Replace(resized(larger), `"A2A"`, `"A2A","managedDiskUpdateDetails":[{"diskId":"/another"}]`, 1),
		} {
			if got := w.patch(id, body); got.status != http.StatusBadRequest || dig(w.T, got.body, "error", "code") != "InvalidParameter" {
				w.Errorf("%s: %d %s", name, got.status, got.text)
			}
		}
		if got := w.patch(id+"x", resized(larger)); got.status != http.StatusNotFound {
			w.Errorf("an item that is not there: %d", got.status)
		}
		w.vault.SetOperator(true)
		got := w.patch(id, resized(larger))
		if message, _ := dig(w.T, got.body, "error", "message").(string); got.status != http.StatusForbidden ||
			!strings.Contains(message, "'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/write' over scope '"+id+"'") {
			w.Errorf("with the role Operator: %d %s", got.status, got.text)
		}
		if n := len(accepted(w)); n != 0 || w.vm("vm-x").Job != "" {
			w.Errorf("%d accepted", n)
		}
	})
}

func TestUpdatesOtherwise(t *testing.T) {
	bubble(t, vault.Options{VMs: 1, Guesses: vault.Guesses{UpdateScenario: "Settings"}}, func(w *world) {
		m := newTraveller(w, "vm-x")
		if job := m.follows(w.patch(m.id, resized(larger)), updateTakes); dig(w.T, job, "properties", "scenarioName") != "Settings" {
			w.Errorf("job %v", job)
		}
	})
	bubble(t, vault.Options{VMs: 1, Guesses: vault.Guesses{UpdatesWithoutJob: true}}, func(w *world) {
		id := w.vm("vm-x").ID
		got := w.patch(id, resized(larger))
		if got.status != http.StatusOK || dig(w.T, got.body, "properties", "providerSpecificDetails", "recoveryAzureVMSize") != larger ||
			strings.Contains(got.header.Get("X-Ms-Request-Id"), "replicationJobs") || got.header.Get("Location") != "" {
			w.Errorf("%d %v %s", got.status, got.header, got.text)
		}
		if got := w.patch(id, resized("large")); got.status != http.StatusBadRequest {
			w.Errorf("a wrong size: %d", got.status)
		}
		w.failOver(latest("Required"))
		if got := w.patch(id, resized(larger)); got.status != http.StatusConflict {
			w.Errorf("while a failover runs: %d", got.status)
		}
		if calls := accepted(w); len(calls) != 2 || calls[0].JobID != "" || calls[0].Status != http.StatusOK {
			w.Errorf("accepted %+v", calls)
		}
	})
}

// No capacity for a size is a matter of the failover: the next one, in another size, succeeds.
func TestNoCapacityGoesByTheSize(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		w.vault.Fault(vault.Fault{Kind: vault.JobNoCapacity, Size: "Standard_D2s_v5", Times: vault.Always})
		_, job := w.failOver(latest("NotRequired"))
		pause(failoverTakes)
		if message := dig(w.T, w.get(job).body, "properties", "errors", 0, "serviceErrorDetails", "message").(string); !strings.Contains(message, "Standard_D2s_v5") {
			w.Errorf("%s", message)
		}
		m := newTraveller(w, "vm-x")
		m.follows(w.patch(m.id, resized(larger)), updateTakes)
		m.does("unplannedFailover", latest("NotRequired"), failoverTakes-shutdownTakes)
		if got := m.machineSize(); got != larger {
			w.Errorf("failed over to a %v", got)
		}
	})
}

func TestUpdateFails(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		id := w.vm("vm-x").ID
		w.vault.Fault(vault.Fault{Kind: vault.JobFails, Operation: "update"})
		job := w.patch(id, resized(larger)).header.Get("X-Ms-Request-Id")
		pause(updateTakes)
		if got := w.get(job).body; dig(w.T, got, "properties", "state") != "Failed" || w.vm("vm-x").Size != "Standard_D2s_v5" {
			w.Errorf("%v, and the size is %s", got, w.vm("vm-x").Size)
		}
		w.vault.Fault(vault.Fault{Kind: vault.Throttle, Operation: "write"})
		if got := w.patch(id, resized(larger)); got.status != http.StatusTooManyRequests {
			w.Errorf("throttled: %d", got.status)
		}
	})
}

func TestPortalChangesTheSize(t *testing.T) {
	bubble(t, vault.Options{VMs: 2}, func(w *world) {
		m := newTraveller(w, "vm-x")
		before := m.detail("vmNics")
		w.plays("/portal", `{"vm": "vm-x", "operation": "update `+larger+`"}`)
		w.plays("/portal", `{"vm": "vm-y", "operation": "update `+larger+`", "after_seconds": 60}`)
		pause(70 * time.Second)
		if w.vm("vm-x").Size != larger || w.vm("vm-y").Size != larger || !reflect.DeepEqual(m.detail("vmNics"), before) {
			w.Errorf("sizes %s and %s, NICs %v", w.vm("vm-x").Size, w.vm("vm-y").Size, m.detail("vmNics"))
		}
		w.patch(m.id, resized(larger))
		pause(updateTakes)
		if err := w.vault.Portal("vm-x", "update Standard_D8s_v5"); err != nil {
			w.Error(err)
		}
		pause(updateTakes)
		if w.vm("vm-x").Size != "Standard_D8s_v5" || m.detail("recoveryAzureVMName") != "vm-x" {
			w.Errorf("size %s", w.vm("vm-x").Size)
		}
		if err := w.vault.Portal("vm-x", "update"); err == nil {
			w.Error("an update to no size")
		}
		if err := w.vault.Portal("vm-x", "unplannedFailover"); err != nil {
			w.Error(err)
		}
		if err := w.vault.Portal("vm-x", "update "+larger); !errors.Is(err, vault.ErrNotAllowed) {
			w.Errorf("while it fails over: %v", err)
		}
	})
}

func TestSDKUpdates(t *testing.T) {
	useIdentityEndpoint(t)
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		items, ctx := newFactory(w).NewReplicationProtectedItemsClient(), w.Context()
		name := *sdkItem(w, items, "vm-x").Name
		done := polled(w, func() (*runtime.Poller[siterecovery.ReplicationProtectedItemsClientUpdateResponse], error) {
			return items.BeginUpdate(ctx, group, vaultName, fabric, container, name, siterecovery.UpdateReplicationProtectedItemInput{
				Properties: &siterecovery.UpdateReplicationProtectedItemInputProperties{
					RecoveryAzureVMSize: new(larger), ProviderSpecificDetails: &siterecovery.A2AUpdateReplicationProtectedItemInput{},
				},
			}, nil)
		})
		if got := *done.Properties.ProviderSpecificDetails.(*siterecovery.A2AReplicationDetails).RecoveryAzureVMSize; got != larger {
			w.Errorf("size %s", got)
		}
	})
}
