package sitetest

import (
	"slices"
	"strings"
	"time"

	"ferry/failover"
)

func begunCallShows(w world) {
	accepted := w.begin(w.call(failover.StepFailover))
	if accepted.JobID == "" || accepted.Poll < 0 {
		w.Errorf("accepted as %+v", accepted)
	}
	running := w.item(w.VM)
	if running.JobID != accepted.JobID || running.Scenario == "" {
		w.Errorf("the item runs %q %q, want %q", running.Scenario, running.JobID, accepted.JobID)
	}
	if failover.Legal(failover.StepFailover, running) == nil {
		w.Error("the item allows a failover while one runs")
	}
	j := w.job(accepted.JobID)
	if j.ID != accepted.JobID || j.State != failover.JobInProgress || j.Target != w.VM || j.StartedAt.IsZero() || !j.EndedAt.IsZero() {
		w.Errorf("running job %+v", j)
	}
	if !strings.HasPrefix(j.ActivityID, firstID) {
		w.Errorf("activity %q does not begin with the client request id %s", j.ActivityID, firstID)
	}
	if len(j.Tasks) == 0 || slices.ContainsFunc(j.Tasks, func(t failover.Task) bool { return t.Name == "" || t.State == "" }) {
		w.Errorf("tasks %+v", j.Tasks)
	}
	if other := w.item(w.Other); other.JobID != "" {
		w.Errorf("%s runs %s", w.Other, other.JobID)
	}
}

func failoverAndCommit(w world) {
	call := w.call(failover.StepFailover)
	key := call.Item.Key
	j := w.ended(w.begin(call).JobID)
	if j.State != failover.JobSucceeded || j.EndedAt.Before(j.StartedAt) || j.PointUsed.IsZero() || len(j.Errors) > 0 {
		w.Errorf("failover job %+v", j)
	}
	item := w.item(w.VM)
	if item.State != failover.StateCommitPending || item.Key != key || item.JobID != "" || item.Active != item.To {
		w.Errorf("after the failover: %+v", item)
	}
	commit := failover.Call{Kind: failover.StepCommit, Item: item, ClientRequestID: secondID}
	if j := w.ended(w.begin(commit).JobID); j.State != failover.JobSucceeded || !strings.HasPrefix(j.ActivityID, secondID) {
		w.Errorf("commit job %+v", j)
	}
	if item = w.again(item); item.State != failover.StateCommitted || item.Key != key {
		w.Errorf("after the commit: %+v", item)
	}
	if n := w.accepted(); n != 2 {
		w.Errorf("%d calls were accepted, want 2", n)
	}
}

func secondIsRefused(w world) {
	call := w.call(failover.StepFailover)
	accepted := w.begin(call)
	call.ClientRequestID = secondID
	if e := w.refusal(call, failover.RefusedBySite); e.Fault.Action == "" {
		w.Errorf("refused without an action: %+v", e.Fault)
	}
	if n := w.accepted(); n != 1 {
		w.Errorf("%d calls were accepted, want 1", n)
	}
	if running := w.item(w.VM); running.JobID != accepted.JobID {
		w.Errorf("the item runs %q, want the first job", running.JobID)
	}
}

func lostAnswerIsFound(w world) {
	since := time.Now()
	w.begin(failover.Call{Kind: failover.StepFailover, Item: w.item(w.Other), ClientRequestID: secondID})
	w.LoseAnswer(failover.StepFailover)
	w.refusal(w.call(failover.StepFailover), failover.Unknown)
	if n := w.accepted(); n != 2 {
		w.Fatalf("%d calls were accepted, want one for each VM: a lost call must not be sent again", n)
	}
	found := w.jobsSince(since)
	if len(found) != 1 || !strings.HasPrefix(found[0].ActivityID, firstID) || found[0].ID != w.item(w.VM).JobID {
		w.Errorf("found %+v, want the one job of %s", found, firstID)
	}
}

func brokenAnswerIsUnknown(w world) {
	for _, status := range []int{408, 500, 502, 503, 504} {
		w.Break(failover.StepFailover, status)
		w.refusal(w.call(failover.StepFailover), failover.Unknown)
	}
	if n := len(w.Calls()); n != 5 {
		w.Errorf("%d calls reached the world, want one for each status", n)
	}
}

func throttlingIsRetry(w world) {
	for _, after := range []time.Duration{17 * time.Second, 10 * time.Minute} {
		w.Throttle(failover.StepFailover, after)
		if e := w.refusal(w.call(failover.StepFailover), failover.Retry); e.After != after {
			w.Errorf("after %s, want %s", e.After, after)
		}
	}
	if n := w.accepted(); n != 0 || len(w.Calls()) != 2 {
		w.Errorf("%d calls of which %d were accepted, want 2 and none", len(w.Calls()), n)
	}
}

func failedJobExplains(w world) {
	want := failover.Fault{Code: "28031", Message: "No VM.", Cause: "A policy denies it.", Action: "Exempt the VM."}
	w.FailJob(failover.StepFailover, want)
	j := w.ended(w.begin(w.call(failover.StepFailover)).JobID)
	if j.State != failover.JobFailed || !slices.Contains(j.Errors, want) || !j.PointUsed.IsZero() {
		w.Errorf("failed job %+v, want the fault %+v", j, want)
	}
	w.FailJob(failover.StepFailover, failover.Fault{Code: "28031", Message: "AllocationFailed: no room for Standard_E8s_v5.", Cause: "None.", Action: "Later."})
	if j := w.ended(w.begin(w.call(failover.StepFailover)).JobID); len(j.Errors) != 1 || j.Errors[0].Capacity != "Standard_E8s_v5" {
		w.Errorf("%+v, want what there was no capacity for", j.Errors)
	}
}

func namedPointIsUsed(w world) {
	call := w.call(failover.StepFailover)
	points, err := w.Site.Points(w.Context(), call.Item)
	if err != nil || len(points) < 2 {
		w.Fatalf("%d points, %v", len(points), err)
	}
	oldest := slices.MinFunc(points, func(a, b failover.RecoveryPoint) int { return a.Time.Compare(b.Time) })
	call.PointID = oldest.ID
	j := w.ended(w.begin(call).JobID)
	if !j.PointUsed.Equal(oldest.Time) {
		w.Errorf("used %s, want %s", j.PointUsed, oldest.Time)
	}
	if calls := w.Calls(); len(calls) != 1 || calls[0].PointID != oldest.ID {
		w.Errorf("calls %+v, want the point %s", calls, oldest.ID)
	}
}

func shutdownAndLatest(w world) {
	for i, shutdown := range []bool{true, false} {
		call := w.call(failover.StepFailover)
		if i == 1 {
			call.Item = w.item(w.Other)
		}
		call.Shutdown = shutdown
		j := w.ended(w.begin(call).JobID)
		calls := w.Calls()
		if len(calls) != i+1 {
			w.Fatalf("%d calls, want %d", len(calls), i+1)
		}
		if got := calls[i]; got.Shutdown != shutdown || got.PointID != "" || got.ClientRequestID != firstID {
			w.Errorf("call %+v, want shutdown %t and no point", got, shutdown)
		}
		skipped := slices.ContainsFunc(j.Tasks, func(t failover.Task) bool { return t.State == "Skipped" })
		if skipped == shutdown {
			w.Errorf("with shutdown %t tasks were %+v", shutdown, j.Tasks)
		}
	}
}

func oldJobsAreLeftOut(w world) {
	w.ended(w.begin(w.call(failover.StepFailover)).JobID)
	w.begin(failover.Call{Kind: failover.StepFailover, Item: w.item(w.Other), ClientRequestID: secondID})
	w.wait(10 * time.Minute)
	since := time.Now()
	if found := w.jobsSince(since); len(found) != 0 {
		w.Errorf("found %+v, want none", found)
	}
	commit := w.begin(w.call(failover.StepCommit))
	if found := w.jobsSince(since); len(found) != 1 || found[0].ID != commit.JobID || len(found[0].Tasks) == 0 {
		w.Errorf("found %+v, want the commit, whole", found)
	}
}
