package vault_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"ferry/sandbox/vault"
)

// BenchmarkThousand is what a request costs in a vault of 1,000 VMs, all of which have a job.
func BenchmarkThousand(b *testing.B) {
	v := vault.New(vault.Options{VMs: 1000, JobsAtOnce: 300, Buckets: vault.Buckets{Reads: vault.Bucket{Size: 1e12}}})
	for _, it := range v.Items() {
		if err := v.Portal(it.Name, "unplannedFailover"); err != nil {
			b.Fatal(err)
		}
	}
	got := httptest.NewRecorder()
	ask := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/identity/token?api-version=2019-08-01&resource=https%3A%2F%2Fmanagement.core.windows.net%2F", http.NoBody)
	ask.Header.Set("X-IDENTITY-HEADER", "sandbox")
	v.ServeHTTP(got, ask)
	var token struct {
		Value string `json:"access_token"`
	}
	if err := json.Unmarshal(got.Body.Bytes(), &token); err != nil {
		b.Fatal(err)
	}
	root := "/subscriptions/" + subscription + "/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-dr"
	item, job := v.Items()[500].ID, root+"/replicationJobs/"+v.Jobs()[500].ID
	for name, path := range map[string]string{"items": root + "/replicationProtectedItems", "jobs": root + "/replicationJobs", "item": item, "job": job} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, path+apiVersion, http.NoBody)
				r.Header.Set("Authorization", "Bearer "+token.Value)
				w := httptest.NewRecorder()
				v.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
	b.Run("state", func(b *testing.B) {
		for b.Loop() {
			v.World().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/state", http.NoBody))
		}
	})
}
