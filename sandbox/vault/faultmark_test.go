package vault_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

func TestFaultOfOneVM(t *testing.T) {
	bubble(t, threeVaults(), func(w *world) {
		w.vault.Fault(vault.Fault{Operation: "item", VM: "vault-two/vm-x", Kind: vault.ServerError})
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", VM: "vm-y", Kind: vault.JobFails})
		w.get(w.twin(vaultName, "vm-x").ID)
		w.get(w.twin("vault-two", "db-1").ID)
		_, other := w.failOver(latest("NotRequired"))
		job := w.post(w.vm("vm-y").ID, "unplannedFailover", latest("NotRequired")).header.Get("X-Ms-Request-Id")
		pause(90 * time.Second)
		for id, want := range map[string]string{other: "Succeeded", job: "Failed"} {
			if got := dig(w.T, w.get(id).body, "properties", "state"); got != want {
				w.Errorf("%s is %v, want %s", id, got, want)
			}
		}
		w.vault.Fault(vault.Fault{Operation: "job", VM: "vm-x", Kind: vault.ServerError})
		w.get(job) // of vm-y
		for _, id := range []string{w.twin("vault-two", "vm-x").ID, other} {
			if got := w.do(http.MethodGet, id+apiVersion, ""); got.status != http.StatusServiceUnavailable {
				w.Errorf("%s: %d", id, got.status)
			}
		}
	})
}

func TestFaultOfAClassOfRequests(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		id := w.vm("vm-x").ID
		container := id[:strings.LastIndexByte(id, '/')]
		root, _, _ := strings.Cut(id, "/replicationFabrics")
		first, job := w.failOver(latest("Required"))
		status, result := first.header.Get("Azure-AsyncOperation"), first.header.Get("Location")
		for _, row := range []struct {
			class     string
			hit, free []string
		}{
			{"poll", []string{status, result}, []string{job, id, container}},
			{"vault-list", []string{root + "/replicationProtectedItems", root + "/replicationProtectionContainers"}, []string{container, root + "/replicationJobs", status}},
			{"list", []string{container, root + "/replicationJobs", root + "/replicationProtectedItems"}, []string{id, job}},
			{"read", []string{container, id, status}, nil},
		} {
			w.vault.Fault(vault.Fault{Operation: row.class, Kind: vault.Forbid, Times: vault.Always})
			for range 2 {
				for _, path := range row.hit {
					if got := w.do(http.MethodGet, withVersion(path), ""); got.status != http.StatusForbidden || dig(w.T, got.body, "error", "code") != "AuthorizationFailed" {
						w.Errorf("%s: %s: %d", row.class, path, got.status)
					}
				}
				for _, path := range row.free {
					if got := w.do(http.MethodGet, withVersion(path), ""); got.status == http.StatusForbidden {
						w.Errorf("%s: %s: %d", row.class, path, got.status)
					}
				}
			}
			w.vault.ClearFaults()
		}
		w.vault.Fault(vault.Fault{Operation: "write", Kind: vault.Forbid})
		got := w.post(id, "failoverCommit", "")
		if message, _ := dig(w.T, got.body, "error", "message").(string); got.status != http.StatusForbidden ||
			!strings.Contains(message, "perform action 'Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/failoverCommit/action' over scope '"+id+"'") {
			w.Errorf("a forbidden write: %d %s", got.status, got.text)
		}
	})
}

// withVersion completes a path that is no poll URL.
func withVersion(path string) string {
	if strings.Contains(path, "?") {
		return path
	}
	return path + apiVersion
}
