package vault_test

import (
	"net/http"
	"strings"
	"testing"

	"ferry/sandbox/vault"
)

func TestOperatorRole(t *testing.T) {
	bubble(t, vault.Options{Operator: true}, func(w *world) {
		id := w.vm("vm-x").ID
		root, _, _ := strings.Cut(id, "/replicationFabrics")
		container := id[:strings.LastIndexByte(id, '/')]
		first, job := w.failOver(latest("Required"))
		for _, path := range []string{id, container, job, root + "/replicationJobs", root + "/replicationFabrics"} {
			w.get(path)
		}
		refused := map[string]string{
			first.header.Get("Azure-AsyncOperation"):  "replicationOperationStatus/read",
			first.header.Get("Location"):              "replicationFabrics/replicationProtectionContainers/replicationProtectedItems/operationresults/read",
			root + "/replicationProtectedItems":       "replicationProtectedItems/read",
			root + "/replicationProtectionContainers": "replicationProtectionContainers/read",
		}
		for path, right := range refused {
			got := w.do(http.MethodGet, withVersion(path), "")
			if message, _ := dig(w.T, got.body, "error", "message").(string); got.status != http.StatusForbidden || !strings.Contains(message, "'Microsoft.RecoveryServices/vaults/"+right+"'") {
				w.Errorf("%.120s: %d %s", path, got.status, got.text)
			}
		}
		w.plays("/role", `{"operator": false}`)
		for path := range refused {
			if got := w.do(http.MethodGet, withVersion(path), ""); got.status == http.StatusForbidden {
				w.Errorf("with all rights: %.120s: %d", path, got.status)
			}
		}
	})
}
