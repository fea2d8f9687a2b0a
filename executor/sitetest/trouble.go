package sitetest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"ferry/failover"
)

// each asks something of every step in turn, on one VM: a step whose call has no effect is taken after all, so that the
// next can follow.
func (w world) each(ask func(failover.Call)) {
	w.Helper()
	for _, kind := range []failover.StepKind{
		failover.StepTest, failover.StepCleanup, failover.StepFailover, failover.StepChange, failover.StepCommit, failover.StepReprotect,
		failover.StepFailover, failover.StepCommit, failover.StepReprotectAgain,
	} {
		before := w.item(w.VM)
		if before.State == failover.StateReplicates {
			before = w.protected()
		}
		ask(w.callFor(kind, before))
		if now := w.again(before); now.State == before.State && open(now) == open(before) && kind != failover.StepChange {
			w.do(kind)
		}
	}
}

func aFault() failover.Fault {
	return failover.Fault{Code: "28092", Message: "Not all of it.", Cause: "It is intermittent.", Action: "Ask again."}
}

func warnings(w world) {
	for _, description := range []string{"PartiallySucceeded", "CompletedWithInformation"} {
		w.each(func(call failover.Call) {
			w.WarnJob(call.Kind, description, aFault())
			j := w.ended(w.begin(call).JobID)
			if j.State != failover.JobSucceeded || j.Description != description || !slices.Contains(j.Errors, aFault()) {
				w.Errorf("%s: %+v, want success, %s and why", call.Kind, j, description)
			}
			w.checkDone(call.Kind, call.Item)
		})
	}
}

func vanishing(w world) {
	w.each(func(call failover.Call) {
		w.VanishJob(call.Kind, 3*time.Second)
		since := time.Now()
		accepted := w.begin(call)
		w.job(accepted.JobID)
		w.wait(4 * time.Second)
		_, err := w.Site.Job(w.Context(), accepted.JobID)
		if e := w.siteError(err, failover.RefusedBySite); e.Fault.Action == "" {
			w.Errorf("%s: %+v, want an action", call.Kind, e.Fault)
		}
		w.wait(15 * time.Minute)
		w.checkDone(call.Kind, call.Item)
		for _, j := range w.jobsSince(since) {
			if j.ID == accepted.JobID {
				w.Errorf("%s: %s is listed", call.Kind, j.ID)
			}
		}
	})
}

func failing(w world) {
	w.each(func(call failover.Call) {
		w.FailJob(call.Kind, aFault())
		j := w.ended(w.begin(call).JobID)
		if j.State != failover.JobFailed || !slices.Contains(j.Errors, aFault()) || !j.PointUsed.IsZero() {
			w.Errorf("%s: %+v, want a failure and why", call.Kind, j)
		}
		now := w.again(call.Item)
		if now.State != call.Item.State || open(now) != open(call.Item) || now.ID != call.Item.ID || now.JobID != "" || failover.Legal(call.Kind, now) != nil {
			w.Errorf("after a failed %s: %+v, before: %+v", call.Kind, now, call.Item)
		}
	})
}

func lostAnswers(w world) {
	w.each(func(call failover.Call) {
		since, accepted := time.Now(), w.accepted()
		w.LoseAnswer(call.Kind)
		w.refusal(call, failover.Unknown)
		if n := w.accepted(); n != accepted+1 {
			w.Fatalf("%s: %d calls were accepted, want one", call.Kind, n-accepted)
		}
		w.wait(time.Minute) // a reprotect has its inner job by then
		item := w.again(call.Item)
		ours := slices.DeleteFunc(w.jobsSince(since), func(j failover.Job) bool {
			return j.Scenario == "EnableDr" || !strings.HasPrefix(j.ActivityID, firstID) || j.StartedAt.Before(since)
		})
		if len(ours) != 1 || item.JobID != "" && item.JobID != ours[0].ID {
			w.Fatalf("%s: found %+v, want the job of the call; the item runs %q", call.Kind, ours, item.JobID)
		}
		if j := w.ended(ours[0].ID); j.State != failover.JobSucceeded {
			w.Errorf("%s: %+v", call.Kind, j)
		}
		w.checkDone(call.Kind, call.Item)
	})
}

func turnedAway(w world) {
	w.each(func(call failover.Call) {
		accepted := w.accepted()
		w.Throttle(call.Kind, 90*time.Second)
		e := w.refusal(call, failover.Retry)
		if e.After != 90*time.Second {
			w.Errorf("%s: after %s", call.Kind, e.After)
		}
		w.wait(e.After)
		w.Break(call.Kind, http.StatusServiceUnavailable)
		w.refusal(call, failover.Unknown)
		if now := w.item(w.VM); w.accepted() != accepted || now.JobID != "" {
			w.Errorf("%s was turned away, and runs: %+v", call.Kind, now)
		}
	})
}

// restricted goes the whole way with the rights of the built-in role.
func restricted(w world) {
	w.Restrict()
	w.each(func(call failover.Call) {
		j := w.ended(w.begin(call).JobID)
		if j.State != failover.JobSucceeded || len(w.jobsSince(j.StartedAt)) == 0 {
			w.Errorf("%s: %+v", call.Kind, j)
		}
		w.checkDone(call.Kind, call.Item)
	})
}
