package vault_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// remaining are the headers of a kind: the principal's and the subscription's.
func remaining(a answer, kind string) [2]string {
	return [2]string{
		a.header.Get("X-Ms-Ratelimit-Remaining-Subscription-" + kind),
		a.header.Get("X-Ms-Ratelimit-Remaining-Subscription-Global-" + kind),
	}
}

func TestRemainingHeadersFollowTheBuckets(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		read := func() [2]string { return remaining(w.get(w.vm("vm-x").ID), "Reads") }
		for _, want := range [][2]string{{"249", "3749"}, {"248", "3748"}} {
			if got := read(); got != want {
				w.Errorf("remaining reads %v, want %v", got, want)
			}
		}
		pause(40 * time.Millisecond)
		if got := read(); got != [2]string{"248", "3749"} { // one token refilled of its own, 15 of the subscription
			w.Errorf("remaining reads %v after 40 ms", got)
		}
		first, _ := w.failOver(latest("Required"))
		if got := remaining(first, "Writes"); got != [2]string{"199", "2999"} {
			w.Errorf("remaining writes %v", got)
		}
	})
}

func TestEmptyBucketRefuses(t *testing.T) {
	bubble(t, vault.Options{Buckets: vault.Buckets{Reads: vault.Bucket{Size: 2, PerSecond: 0.1}}}, func(w *world) {
		id := w.vm("vm-x").ID
		w.get(id)
		w.get(id)
		got := w.do(http.MethodGet, id+apiVersion, "")
		message, _ := dig(w.T, got.body, "error", "message").(string)
		if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "10" || remaining(got, "Reads")[0] != "0" ||
			dig(w.T, got.body, "error", "code") != "SubscriptionRequestsThrottled" ||
			!strings.HasPrefix(message, "Number of 'read' requests for subscription '"+subscription+"' actor '") ||
			!strings.Contains(message, "Please try again after '10' seconds") {
			w.Errorf("the third read: %d %v %s", got.status, got.header, got.text)
		}
		w.failOver(latest("Required")) // writes have their own
		pause(9 * time.Second)
		if got := w.do(http.MethodGet, id+apiVersion, ""); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "1" {
			w.Errorf("too early: %d, Retry-After %s", got.status, got.header.Get("Retry-After"))
		}
		pause(time.Second)
		w.get(id)
		if got := w.vault.Traffic(); got.Reads != 5 || got.Writes != 1 || got.Throttled != 2 || got.Of["item"] != 5 {
			w.Errorf("the traffic is %+v", got)
		}
	})
}

// Simulated seconds refill, so that a fast world bears the requests that it causes; and a pause starves nobody.
func TestBucketsRefillAtTheWorldsSpeed(t *testing.T) {
	bubble(t, vault.Options{Speed: 10, Buckets: vault.Buckets{Reads: vault.Bucket{Size: 1, PerSecond: 0.1}}}, func(w *world) {
		id := w.vm("vm-x").ID
		w.get(id)
		pause(time.Second)
		w.get(id)
		w.vault.Pause()
		pause(time.Second)
		w.get(id)
		if got := w.do(http.MethodGet, id+apiVersion, ""); got.status != http.StatusTooManyRequests {
			w.Errorf("a bucket that cannot be emptied: %d", got.status)
		}
	})
}

func TestBucketsArePerPrincipalAndSubscription(t *testing.T) {
	o := threeVaults()
	o.Buckets.Writes = vault.Bucket{Size: 1, PerSecond: 0.001}
	bubble(t, o, func(w *world) {
		failOver := func(at, vm string, want int) {
			w.Helper()
			if got := w.post(w.twin(at, vm).ID, "unplannedFailover", latest("Required")); got.status != want {
				w.Errorf("%s/%s: %d, want %d", at, vm, got.status, want)
			}
		}
		failOver(vaultName, "vm-x", http.StatusAccepted)
		failOver(vaultName, "vm-y", http.StatusTooManyRequests)
		failOver("vault-two", "vm-x", http.StatusTooManyRequests) // the same subscription
		failOver("vault-uk", "vm-x", http.StatusAccepted)         // another

		q := url.Values{"api-version": {"2019-08-01"}, "resource": {"https://management.core.windows.net/"}, "client_id": {requestID}}
		w.token = w.do(http.MethodGet, "/identity/token?"+q.Encode(), "", "X-IDENTITY-HEADER", "sandbox").body["access_token"].(string)
		failOver(vaultName, "vm-y", http.StatusAccepted) // another principal
		failOver("vault-two", "vm-x", http.StatusTooManyRequests)
		if calls := w.vault.Ledger(); len(calls) != 6 || len(accepted(w)) != 3 {
			w.Errorf("ledger %+v", calls)
		}
	})
}

func TestSubscriptionBucketIsForAllPrincipals(t *testing.T) {
	bubble(t, vault.Options{Buckets: vault.Buckets{Reads: vault.Bucket{Size: 1, PerSecond: 1e-6}}}, func(w *world) {
		id, refusedAt := w.vm("vm-x").ID, 0
		for n := 1; n <= 20 && refusedAt == 0; n++ {
			path := "/identity/token?api-version=2019-08-01&resource=https%3A%2F%2Fmanagement.azure.com%2F&client_id=" + strings.Repeat("p", n)
			w.token = w.do(http.MethodGet, path, "", "X-IDENTITY-HEADER", "sandbox").body["access_token"].(string)
			if got := w.do(http.MethodGet, id+apiVersion, ""); got.status == http.StatusTooManyRequests {
				refusedAt = n
			}
		}
		if refusedAt != 16 {
			w.Errorf("principal %d was refused first, want the 16th", refusedAt)
		}
	})
}
