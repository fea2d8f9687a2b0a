package azure_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"ferry/executor/azure"
	"ferry/failover"
	"ferry/sandbox/vault"
)

// distant is a network that takes a moment each way, and counts what came of the requests that it carried.
type distant struct {
	client *http.Client
	mu     sync.Mutex
	sent   map[string]int // by method
	turned map[string]int // with 429
}

func (d *distant) Do(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	d.sent[r.Method]++
	trip := time.Duration(40+d.sent[r.Method]*37%110) * time.Millisecond
	d.mu.Unlock()
	<-time.After(trip)
	answer, err := d.client.Do(r)
	<-time.After(trip)
	if err == nil && answer.StatusCode == http.StatusTooManyRequests {
		d.mu.Lock()
		d.turned[r.Method]++
		d.mu.Unlock()
	}
	return answer, err
}

// spender is another program with the same identity: so many calls a second, each of which costs a write.
func spender(ctx context.Context, t *testing.T, client *http.Client, o azure.Options, perSecond int) {
	t.Helper()
	token, err := o.Credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://management.core.windows.net//.default"}})
	if err != nil {
		t.Error(err)
	}
	for ctx.Err() == nil {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, host+"/subscriptions/3f2b8c1e-7a54-4d0b-9c6e-2f1d5a7b9e30/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-dr/replicationJobs/none/cancel?api-version=2025-01-01", http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Authorization", "Bearer "+token.Token)
		if answer, err := client.Do(r); err == nil {
			_ = answer.Body.Close()
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second / time.Duration(perSecond)):
		}
	}
}

// Hundreds of failovers are called at once, by callers that come again when they are told to. The bound is what the bucket of
// the subscription lets through at best. Less than 1 % may be turned away, whatever the bucket is, and whoever spends from it.
func TestManyCallsWithinTheBudget(t *testing.T) {
	setIdentity(t)
	for name, c := range map[string]struct {
		writes vault.Bucket
		others int // calls a second of another program
		first  int // calls that others have made just before
		within float64
		calls  int
	}{
		"as documented":          {vault.Bucket{Size: 200, PerSecond: 10}, 0, 0, 1.15, 400},
		"half is spent":          {vault.Bucket{Size: 200, PerSecond: 10}, 0, 150, 1.15, 400},
		"another program spends": {vault.Bucket{Size: 200, PerSecond: 10}, 5, 0, 1.15, 400},
		"as recorded once":       {vault.Bucket{Size: 300, PerSecond: 15}, 0, 0, 1.15, 1200},
		"small":                  {vault.Bucket{Size: 50, PerSecond: 5}, 0, 0, 1.15, 400},
	} {
		if testing.Short() && name != "another program spends" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := c.calls
				world := vault.New(vault.Options{BaseURL: host, VMs: calls, Buckets: vault.Buckets{Writes: c.writes}})
				client := serve(t, world)
				network := &distant{client: client, sent: map[string]int{}, turned: map[string]int{}}
				site := newSite(t, network, nil)
				items, err := site.Items(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				var all, others sync.WaitGroup
				if c.first > 0 {
					spent, done := context.WithTimeout(ctx, time.Second)
					spender(spent, t, client, optionsOf(t, client), c.first)
					done()
				}
				if c.others > 0 {
					others.Go(func() { spender(ctx, t, client, optionsOf(t, client), c.others) })
				}
				begun := time.Now()
				for i := range calls {
					all.Go(func() {
						call := failover.Call{Kind: failover.StepFailover, Item: items[i], ClientRequestID: fmt.Sprintf("%s%04d", requestID[:32], i)}
						begin(t, site, call)
					})
				}
				all.Wait()
				took := time.Since(begun)
				stop()
				others.Wait()
				bound := time.Duration((float64(calls) - c.writes.Size + float64(c.first)) / (c.writes.PerSecond - float64(c.others)) * float64(time.Second))
				share := float64(network.turned[http.MethodPost]) / float64(network.sent[http.MethodPost])
				t.Logf("%d calls in %s, %.2f of the bound %s; %.2f %% turned away; %+v", calls, took, took.Seconds()/bound.Seconds(), bound, 100*share, site.Budgets())
				if took.Seconds() > c.within*bound.Seconds() || share > 0.01 {
					t.Errorf("too slow, or too many turned away: %d of %d", network.turned[http.MethodPost], network.sent[http.MethodPost])
				}
				net := c.writes.PerSecond - float64(c.others)
				if learned := budgetOf(site, "writes").PerSecond; took > 30*time.Second && (learned < 0.8*net || learned > 1.2*net) {
					t.Errorf("learned that %.1f a second are refilled, %.1f are", learned, net)
				}
				if n := len(world.Ledger()); n < calls {
					t.Errorf("%d calls arrived", n)
				}
			})
		})
	}
}

func budgetOf(site *azure.Site, kind string) failover.Budget {
	for _, b := range site.Budgets() {
		if b.Kind == kind {
			return b
		}
	}
	return failover.Budget{}
}

// begin makes one call and comes again as it is told to.
func begin(t *testing.T, site *azure.Site, call failover.Call) {
	t.Helper()
	for {
		_, err := site.Begin(t.Context(), call)
		if err == nil {
			return
		}
		e := siteError(t, err)
		if e.Kind != failover.Retry {
			t.Errorf("%+v", e)
			return
		}
		<-time.After(max(e.After, time.Second))
	}
}

// A 429 closes the bucket for everybody who shares it, and for nobody else: the kind of request and the subscription count.
func TestClosedForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := true
		w := &transport{answer: func(r *http.Request) (*http.Response, error) {
			if closed && r.Method == http.MethodPost {
				return response(http.StatusTooManyRequests, errorBody("SubscriptionRequestsThrottled", "Slow."), "Retry-After", "40"), nil
			}
			if r.Method == http.MethodPost {
				return response(http.StatusAccepted, "", "X-Ms-Request-Id", jobPath+jobName), nil
			}
			return response(http.StatusOK, `{"value":[]}`), nil
		}}
		site := siteOver(t, w)
		begun := time.Now()
		for i := range 3 {
			_, err := site.Begin(t.Context(), aFailover())
			if e := siteError(t, err); e.Kind != failover.Retry || e.After < 39*time.Second || e.After > 41*time.Second || len(w.sent) != 1 {
				t.Errorf("call %d: %+v, %d sent", i, e, len(w.sent))
			}
		}
		if b := site.Budgets(); len(b) != 1 || b[0].Kind != "writes" || b[0].Subscription != "sub" || b[0].Closed != 40*time.Second {
			t.Errorf("%+v", b)
		}
		if _, err := site.Points(t.Context(), anItem()); err != nil || !time.Now().Equal(begun) {
			t.Errorf("a read after %s: %v", time.Since(begun), err)
		}
		<-time.After(20 * time.Second)
		closed = false
		// What has the time waits.
		if _, err := site.Begin(t.Context(), aFailover()); err != nil || time.Since(begun) < 40*time.Second || time.Since(begun) > 41*time.Second {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
	})
}

// A 429 of Compute's own keeps nobody from failing over.
func TestAProvidersOwnLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &transport{answer: func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "Microsoft.Compute") {
				return response(http.StatusTooManyRequests, errorBody("TooManyRequests", "Slow."), "Retry-After", "40"), nil
			}
			return response(http.StatusOK, `{"value":[]}`), nil
		}}
		site := siteOver(t, w)
		item := anItem()
		item.VM = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-x"
		if _, err := site.Leftovers(t.Context(), item); err == nil {
			t.Error("the VM was read")
		}
		if b := site.Budgets(); len(b) != 1 || b[0].Closed != 0 {
			t.Errorf("%+v", b)
		}
	})
}

// Who goes away while waiting costs nothing, and the others get their turn in the order in which they came.
func TestInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		w := &transport{answer: func(r *http.Request) (*http.Response, error) {
			order = append(order, r.Header.Get("X-Ms-Client-Request-Id"))
			return response(http.StatusAccepted, "", "X-Ms-Request-Id", jobPath+jobName, "X-Ms-Ratelimit-Remaining-Subscription-Writes", "0"), nil
		}}
		site := siteOver(t, w)
		call := aFailover()
		if _, err := site.Begin(t.Context(), call); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for _, id := range []string{"a", "b", "c"} {
			ctx, cancel := context.WithCancel(t.Context())
			all.Go(func() {
				_, err := site.Begin(ctx, failover.Call{Kind: failover.StepFailover, Item: anItem(), ClientRequestID: id})
				if id == "b" != errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", id, err)
				}
			})
			synctest.Wait()
			if id == "b" {
				cancel()
			}
			defer cancel()
		}
		all.Wait()
		if got := strings.Join(order[1:], ""); got != "ac" {
			t.Errorf("sent %s", got)
		}
		if b := site.Budgets(); b[0].Waiting != 0 {
			t.Errorf("%+v", b)
		}
	})
}
