package vault_test

import (
	"net/http"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

func TestPortalFirst(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		id := w.vm("vm-x").ID
		w.vault.Fault(vault.Fault{Kind: vault.PortalFirst, Operation: "unplannedFailover", VM: "vm-x", Portal: "unplannedFailover"})
		w.get(id) // as the client found it: protected
		if got := w.post(id, "unplannedFailover", latest("Required")); got.status != http.StatusConflict {
			w.Errorf("the client's failover: %d", got.status)
		}
		if calls := w.vault.Ledger(); len(calls) != 2 || calls[0].Source != vault.SourcePortal || !calls[0].Accepted || calls[1].Accepted {
			w.Errorf("ledger %+v", calls)
		}
		// A list names no VM: the fault's VM is the one acted upon.
		w.vault.Fault(vault.Fault{Kind: vault.PortalFirst, Operation: "jobs", VM: "vm-y", Portal: "unplannedFailover"})
		list := vaultURL(subscription, group, vaultName) + "/replicationJobs"
		if jobs := dig(w.T, w.get(list).body, "value").([]any); len(jobs) != 2 || w.vm("vm-y").Job == "" {
			w.Errorf("%d jobs", len(jobs))
		}
	})
}

func TestPortalAtAMoment(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		w.plays("/portal", `{"vm": "vm-x", "operation": "unplannedFailover", "after_seconds": 90}`)
		start := time.Now()
		pause(time.Hour)
		calls := w.vault.Ledger()
		if len(calls) != 1 || calls[0].Source != vault.SourcePortal || !calls[0].At.Equal(start.Add(90*time.Second)) || w.vm("vm-x").Active != "Recovery" {
			w.Errorf("ledger %+v", calls)
		}
		if err := w.vault.PortalAfter(time.Second, "vm-none", "unplannedFailover"); err == nil {
			w.Error("a VM that is not there")
		}
	})
}
