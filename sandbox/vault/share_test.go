package vault_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// failed lists the VMs whose last job failed, after a failover of all that are not failed over.
func (w *world) failed() map[string]bool {
	w.Helper()
	for _, it := range w.vault.Items() {
		if it.Active == "Primary" {
			if err := w.vault.Portal(it.Name, "unplannedFailover"); err != nil {
				w.Fatal(err)
			}
		}
	}
	pause(failoverTakes)
	bad := map[string]bool{}
	for _, it := range w.vault.Items() {
		if it.Active == "Primary" {
			bad[it.Name] = true
		}
	}
	return bad
}

// A share of the VMs fails once, another one always; which, does not change from run to run.
func TestShareOfJobs(t *testing.T) {
	var before map[string]bool
	for range 2 {
		bubble(t, vault.Options{VMs: 1000}, func(w *world) {
			w.vault.Fault(vault.Fault{Kind: vault.JobFails, Operation: "unplannedFailover", Share: 0.03, Seed: 1})
			w.vault.Fault(vault.Fault{Kind: vault.JobFails, Operation: "unplannedFailover", Share: 0.01, Seed: 2, Times: vault.Always})
			first, second := w.failed(), w.failed()
			if len(first) < 25 || len(first) > 55 || len(second) < 4 || len(second) > 18 {
				w.Errorf("%d VMs fail at first, %d in the end", len(first), len(second))
			}
			if third := w.failed(); len(third) != len(second) {
				w.Errorf("%d VMs fail in the end, then %d", len(second), len(third))
			}
			for vm := range before {
				if !first[vm] {
					w.Errorf("%s failed in the run before and not in this one", vm)
				}
			}
			before = first
		})
	}
}

// For ten minutes some requests are refused, some are late, and of some nobody knows whether they were done.
func TestBrownOut(t *testing.T) {
	bubble(t, vault.Options{VMs: 200, Buckets: vault.Buckets{Writes: vault.Bucket{Size: 1000}}}, func(w *world) {
		w.vault.Fault(vault.Fault{Kind: vault.BrownOut, Operation: "write"})
		got := map[string]int{}
		for _, it := range w.vault.Items() {
			begun := time.Now()
			answer := w.post(it.ID, "unplannedFailover", latest("NotRequired"))
			switch took := time.Since(begun); {
			case answer.err != nil:
				got["lost"]++
			case took >= time.Minute:
				got["slow"]++
			default:
				got[http.StatusText(answer.status)]++
			}
			if time.Since(start()) > 9*time.Minute {
				break
			}
		}
		started := len(accepted(w))
		if got["Service Unavailable"] == 0 || got["lost"] == 0 || got["slow"] == 0 || got["Accepted"] == 0 || started <= got["Accepted"] {
			w.Errorf("%d jobs were started, the answers are %v", started, got)
		}
		pause(10 * time.Minute)
		if answer := w.post(w.vm("vm-200").ID, "unplannedFailover", latest("NotRequired")); answer.status != http.StatusAccepted {
			w.Errorf("after the brown-out: %d %v", answer.status, answer.err)
		}
	})
}

func start() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// Compute has no room for one size: VMs of another are not hit, and the error names code and size.
func TestNoCapacityForASize(t *testing.T) {
	bubble(t, vault.Options{VMs: 3, Sizes: map[string]string{"vm-x": "Standard_E8s_v5"}}, func(w *world) {
		w.vault.Fault(vault.Fault{Kind: vault.JobNoCapacity, Size: "Standard_E8s_v5", Code: "SkuNotAvailable", For: time.Hour, Times: vault.Always})
		_, job := w.failOver(latest("NotRequired"))
		w.start("vm-y")
		pause(failoverTakes)
		e := dig(w.T, w.get(job).body, "properties", "errors", 0, "serviceErrorDetails")
		text, _ := dig(w.T, e, "message").(string)
		if dig(w.T, e, "code") != "28031" || !strings.Contains(text, "SkuNotAvailable") || !strings.Contains(text, "Standard_E8s_v5") || !strings.Contains(text, "North Europe") {
			w.Errorf("the error is %v", e)
		}
		if w.vm("vm-y").Active != "Recovery" {
			w.Error("the other size is hit")
		}
		pause(time.Hour)
		if w.failed()["vm-x"] {
			w.Error("there is still no room after an hour")
		}
	})
}

func TestLists(t *testing.T) {
	bubble(t, vault.Options{VMs: 12, PageSize: 5}, func(w *world) {
		w.failed()
		for _, list := range []string{"/replicationProtectedItems", "/replicationJobs"} {
			seen, pages := map[any]bool{}, 0
			for next := vaultURL(subscription, group, vaultName) + list + apiVersion + "&$filter=" + "JobStatus%20eq%20'Succeeded'"; next != ""; pages++ {
				if list == "/replicationProtectedItems" {
					next = strings.Replace(next, "JobStatus%20eq%20'Succeeded'", "InstanceType%20eq%20'A2A'", 1)
				}
				got := w.do(http.MethodGet, next, "")
				for _, one := range dig(w.T, got.body, "value").([]any) {
					seen[dig(w.T, one, "id")] = true
				}
				next, _ = dig(w.T, got.body, "nextLink").(string)
			}
			if len(seen) != 12 || pages != 3 {
				w.Errorf("%s: %d entries in %d pages", list, len(seen), pages)
			}
		}
	})
}
