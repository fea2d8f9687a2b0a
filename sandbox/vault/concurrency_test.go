package vault_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"ferry/sandbox/vault"
)

func TestOneOfManyIsAccepted(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		id := w.vm("vm-x").ID
		var calls sync.WaitGroup
		for range 10 {
			calls.Go(func() { w.post(id, "unplannedFailover", latest("Required")) })
			calls.Go(func() { w.vault.Jobs() })
			calls.Go(func() { w.vault.SetSpeed(2) })
		}
		calls.Wait()
		synctest.Wait()
		if got := accepted(w); len(got) != 1 || len(w.vault.Ledger()) != 10 {
			w.Errorf("%d of %d accepted", len(got), len(w.vault.Ledger()))
		}
	})
}

// TestRealPort checks on the bubble: the same world over TCP and by the machine's clock.
func TestRealPort(t *testing.T) {
	w := &world{T: t, vault: vault.New(vault.Options{Speed: 1e6})}
	server := httptest.NewServer(w.vault)
	defer server.Close()
	w.vault.SetBaseURL(server.URL)
	w.client, w.base = server.Client(), server.URL
	w.token = w.fetchToken()

	first, _ := w.failOver(latest("Required"))
	location := first.header.Get("Location")
	if !strings.HasPrefix(location, server.URL+"/Subscriptions/") {
		t.Errorf("Location %.80s", location)
	}
	got := w.do(http.MethodGet, location, "")
	for got.status == http.StatusAccepted {
		got = w.do(http.MethodGet, location, "")
	}
	if got.status != http.StatusOK || w.vm("vm-x").Active != "Recovery" {
		t.Errorf("result: %d %v, item %+v", got.status, got.err, w.vm("vm-x"))
	}
}
