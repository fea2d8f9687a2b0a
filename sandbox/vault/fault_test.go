package vault_test

import (
	"net/http"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

func TestThrottleAndServerError(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		w.vault.Fault(vault.Fault{Operation: "items", Kind: vault.Throttle, Times: 2, RetryAfter: 90 * time.Second})
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.ServerError, Status: http.StatusInternalServerError})
		list := "/subscriptions/" + subscription + "/resourceGroups/" + group + "/providers/Microsoft.RecoveryServices/vaults/" + vaultName + "/replicationProtectedItems" + apiVersion
		w.get(w.vm("vm-x").ID) // another operation is not hit
		for range 2 {
			got := w.do(http.MethodGet, list, "")
			if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "90" ||
				dig(w.T, got.body, "error", "code") != "SubscriptionRequestsThrottled" {
				w.Errorf("throttled: %d %v %s", got.status, got.header, got.text)
			}
		}
		if got := w.do(http.MethodGet, list, ""); got.status != http.StatusOK {
			w.Errorf("third list: %d", got.status)
		}
		if got := w.post(w.vm("vm-x").ID, "unplannedFailover", latest("Required")); got.status != http.StatusInternalServerError {
			w.Errorf("server error: %d", got.status)
		}
		if calls := w.vault.Ledger(); len(calls) != 1 || calls[0].Accepted || calls[0].Status != http.StatusInternalServerError {
			w.Errorf("ledger %+v", calls)
		}
		w.failOver(latest("Required"))
	})
}

func TestLostAnswerDidTheWork(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.LostAnswer})
		got := w.post(w.vm("vm-x").ID, "unplannedFailover", latest("Required"))
		if got.err == nil {
			w.Fatalf("answered %d", got.status)
		}
		calls := accepted(w)
		if len(calls) != 1 || calls[0].ClientRequestID != requestID {
			w.Fatalf("accepted %+v", calls)
		}
		scenario := dig(w.T, w.get(w.vm("vm-x").ID).body, "properties", "currentScenario")
		job := dig(w.T, scenario, "jobId").(string)
		activity := dig(w.T, w.get(job).body, "properties", "activityId").(string)
		if want := requestID + " ActivityId: "; activity[:len(want)] != want {
			w.Errorf("activityId %q does not start with %q", activity, want)
		}
	})
}

func TestLateCallArrivesByItself(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		w.vault.Fault(vault.Fault{Kind: vault.Late, Delay: 4 * time.Minute})
		start := time.Now()
		if got := w.post(w.vm("vm-x").ID, "unplannedFailover", latest("Required")); got.err == nil {
			w.Fatalf("answered %d", got.status)
		}
		if took := time.Since(start); took != 0 {
			w.Errorf("the connection was cut after %s", took)
		}
		pause(4*time.Minute - time.Second)
		if got := w.vm("vm-x"); got.Job != "" || len(w.vault.Ledger()) != 0 {
			w.Errorf("the call arrived too early: %+v", got)
		}
		pause(61 * time.Second)
		calls := w.vault.Ledger()
		if len(calls) != 1 || !calls[0].Accepted || !calls[0].At.Equal(start.Add(4*time.Minute)) {
			w.Fatalf("ledger %+v", calls)
		}
		if job := w.vault.Jobs()[0]; !job.Start.Equal(calls[0].At) || job.Task != "Synchronizing the latest changes" {
			w.Errorf("job %+v, want it started when the call arrived", job)
		}
	})
}

func TestLateCallMeetsTheStateFound(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.Late, Delay: 3 * time.Minute})
		w.post(w.vm("vm-x").ID, "unplannedFailover", latest("Required"))
		w.failOver(latest("Required"))
		pause(time.Hour)
		calls := w.vault.Ledger()
		if len(calls) != 2 || !calls[0].Accepted || calls[1].Accepted || calls[1].Status != http.StatusConflict {
			w.Errorf("ledger %+v", calls)
		}
	})
}

// Nothing looks at the vault between the end of the failover and the arrival.
func TestLateCallMeetsWhatEndedBeforeIt(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		w.failOver(latest("Required"))
		w.vault.Fault(vault.Fault{Operation: "failoverCommit", Kind: vault.Late, Delay: 3 * time.Minute})
		w.post(w.vm("vm-x").ID, "failoverCommit", "")
		pause(time.Hour)
		if got := w.vm("vm-x").ProtectionState; got != "UnplannedFailoverCommitted" || len(accepted(w)) != 2 {
			w.Errorf("%s, ledger %+v", got, w.vault.Ledger())
		}
	})
}

func TestSlowAnswers(t *testing.T) {
	bubble(t, vault.Options{Speed: 2}, func(w *world) {
		w.vault.Fault(vault.Fault{Operation: "item", Kind: vault.Slow, Delay: 40 * time.Second})
		start := time.Now()
		w.get(w.vm("vm-x").ID)
		if took := time.Since(start); took != 20*time.Second {
			w.Errorf("answered after %s, want 40 simulated seconds at twice the speed", took)
		}
	})
}

func TestSpeedChangesWithoutAJump(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		first, _ := w.failOver(latest("Required"))
		if got := first.header.Get("Retry-After"); got != "30" {
			w.Errorf("Retry-After %s", got)
		}
		start, newest := time.Now(), w.vm("vm-x").NewestPoint
		pause(70 * time.Second)
		w.vault.SetSpeed(10)
		if job := w.vault.Jobs()[0]; job.Task != "Synchronizing the latest changes" || !job.Start.Equal(start) {
			w.Errorf("right after the change: %+v", job)
		}
		if got := w.vm("vm-x").NewestPoint; !got.Equal(newest) {
			w.Errorf("the newest point moved from %s to %s", newest, got)
		}
		pause(7*time.Second - time.Millisecond)
		if job := w.vault.Jobs()[0]; job.State != "InProgress" {
			w.Errorf("too early: %+v", job)
		}
		pause(2 * time.Millisecond)
		if job := w.vault.Jobs()[0]; job.State != "Succeeded" || job.End.Sub(start) != 77*time.Second {
			w.Errorf("want the other half at tenfold speed: %+v", job)
		}
		commit := w.post(w.vm("vm-x").ID, "failoverCommit", "")
		if got := commit.header.Get("Retry-After"); got != "3" {
			w.Errorf("Retry-After %s at tenfold speed", got)
		}
		if w.vault.SetSpeed(0); w.vault.Speed() != 1 {
			w.Errorf("speed %v", w.vault.Speed())
		}
	})
}

// A client that repeats such a call must find out that it was done.
func TestErrorAfterTheWork(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.ErrorAfterWork, RetryAfter: 5 * time.Second})
		got := w.post(w.vm("vm-x").ID, "unplannedFailover", latest("Required"))
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "5" || got.header.Get("Azure-AsyncOperation") != "" {
			w.Errorf("answered %d %v", got.status, got.header)
		}
		calls := accepted(w)
		if len(calls) != 1 || calls[0].Status != http.StatusAccepted || w.vm("vm-x").Job != calls[0].JobID {
			w.Errorf("ledger %+v", calls)
		}
	})
}
