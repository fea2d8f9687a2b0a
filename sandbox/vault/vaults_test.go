package vault_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

const otherSubscription = "8d1f6a52-0c1e-4a43-9a57-61f0b0a3c9d4"

// threeVaults is vault-dr with two more: one beside it, one of another subscription and region pair.
func threeVaults() vault.Options {
	return vault.Options{VMs: 2, More: []vault.Place{
		{VaultName: "vault-two", VMs: []string{"vm-x", "db-1"}},
		{SubscriptionID: otherSubscription, ResourceGroup: "rg-uk", VaultName: "vault-uk", SourceRegion: "UK South", TargetRegion: "UK West", VMs: []string{"vm-x"}},
	}}
}

func vaultURL(subscription, group, name string) string {
	return "/subscriptions/" + subscription + "/resourceGroups/" + group + "/providers/Microsoft.RecoveryServices/vaults/" + name
}

// twin is the item of a VM in a vault.
func (w *world) twin(at, vm string) vault.Item {
	w.Helper()
	for _, it := range w.vault.Items() {
		if it.Vault == at && it.Name == vm {
			return it
		}
	}
	w.Fatalf("no VM %s in %s", vm, at)
	return vault.Item{}
}

func TestVaultsAreApart(t *testing.T) {
	bubble(t, threeVaults(), func(w *world) {
		for url, want := range map[string]int{
			vaultURL(subscription, group, vaultName):         2,
			vaultURL(subscription, group, "vault-two"):       2,
			vaultURL(otherSubscription, "rg-uk", "vault-uk"): 1,
			vaultURL(otherSubscription, "RG-UK", "VAULT-UK"): 1,
		} {
			items := dig(w.T, w.get(url+"/replicationProtectedItems").body, "value").([]any)
			if len(items) != want || !strings.HasPrefix(strings.ToLower(dig(w.T, items[0], "id").(string)), strings.ToLower(url)) {
				w.Errorf("%s: %d items, the first %v", url, len(items), dig(w.T, items[0], "id"))
			}
			if got := dig(w.T, w.get(url).body, "id"); !strings.EqualFold(got.(string), url) {
				w.Errorf("%s says its id is %v", url, got)
			}
		}
		first, second := w.twin(vaultName, "vm-x"), w.twin("vault-two", "vm-x")
		if last := func(id string) string { return id[strings.LastIndexByte(id, '/'):] }; last(first.ID) == last(second.ID) {
			w.Errorf("twins share the name %s", last(first.ID))
		}
		containers := map[any]bool{}
		for _, name := range []string{vaultName, "vault-two"} {
			fabric := vaultURL(subscription, group, name) + "/replicationFabrics/" + fabric
			containers[dig(w.T, w.get(fabric).body, "properties", "customDetails", "containerIds", 0)] = true
		}
		if len(containers) != 2 {
			w.Errorf("two vaults share the container %v", containers)
		}
		uk := w.get(w.twin("vault-uk", "vm-x").ID).body
		if got := dig(w.T, uk, "properties", "providerSpecificDetails", "initialRecoveryFabricLocation"); got != "ukwest" {
			w.Errorf("vault-uk recovers to %v", got)
		}
	})
}

func TestTwinsFailOverApart(t *testing.T) {
	bubble(t, threeVaults(), func(w *world) {
		uk := w.twin("vault-uk", "vm-x")
		got := w.post(uk.ID, "unplannedFailover", latest("Required"))
		job := got.header.Get("X-Ms-Request-Id")
		if err := w.vault.Portal("vault-two/vm-x", "unplannedFailover"); err != nil {
			w.Error(err)
		}
		pause(140 * time.Second)
		for at, want := range map[string]string{vaultName: "Primary", "vault-two": "Recovery", "vault-uk": "Recovery"} {
			if got := w.twin(at, "vm-x").Active; got != want {
				w.Errorf("vm-x of %s is %s", at, got)
			}
		}
		calls := w.vault.Ledger()
		if len(calls) != 2 || calls[0].Vault != "vault-uk" || calls[1].Vault != "vault-two" || calls[0].ItemID != uk.ID {
			w.Errorf("ledger %+v", calls)
		}
		w.get(job)
		elsewhere := vaultURL(subscription, group, vaultName) + job[strings.LastIndex(job, "/replicationJobs"):]
		if got := w.do(http.MethodGet, elsewhere+apiVersion, ""); got.status != http.StatusNotFound {
			w.Errorf("the job of another vault: %d", got.status)
		}
		if status := w.do(http.MethodGet, got.header.Get("Azure-AsyncOperation"), ""); dig(w.T, status.body, "status") != "Succeeded" {
			w.Errorf("status %s", status.text)
		}
	})
}

func TestWhatIsNotThere(t *testing.T) {
	bubble(t, threeVaults(), func(w *world) {
		for url, want := range map[string]string{
			vaultURL("9c0a0000-0000-4000-8000-000000000000", group, vaultName): "SubscriptionNotFound",
			vaultURL(otherSubscription, group, vaultName):                      "ResourceGroupNotFound", // of the other subscription
			vaultURL(subscription, group, "vault-uk"):                          "ResourceNotFound",      // of the other group
		} {
			got := w.do(http.MethodGet, url+"/replicationJobs"+apiVersion, "")
			if got.status != http.StatusNotFound || dig(w.T, got.body, "error", "code") != want || got.header.Get("X-Ms-Failure-Cause") != "gateway" {
				w.Errorf("%s: %d %s", url, got.status, got.text)
			}
		}
	})
}

// A region is one for all vaults that replicate from it.
func TestSourceDownForAllVaults(t *testing.T) {
	bubble(t, threeVaults(), func(w *world) {
		w.vault.SourceDown(true)
		for at, want := range map[string]string{vaultName: "Critical", "vault-two": "Critical", "vault-uk": "Normal"} {
			if got := dig(w.T, w.get(w.twin(at, "vm-x").ID).body, "properties", "replicationHealth"); got != want {
				w.Errorf("vm-x of %s is %v", at, got)
			}
		}
	})
}
