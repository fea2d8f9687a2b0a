package sitetest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"ferry/failover"
)

func drillAndCleanUp(w world) {
	points, err := w.Site.Points(w.Context(), w.item(w.VM))
	if err != nil || len(points) == 0 {
		w.Fatalf("%d points, %v", len(points), err)
	}
	before := w.item(w.VM)
	call := w.callFor(failover.StepTest, before)
	call.PointID = oldest(points).ID
	accepted := w.begin(call)
	if running := w.item(w.VM); running.JobID != accepted.JobID || failover.Legal(failover.StepCleanup, running) == nil {
		w.Errorf("while the drill starts: %+v", running)
	}
	if j := w.ended(accepted.JobID); j.State != failover.JobSucceeded || !j.PointUsed.Equal(oldest(points).Time) {
		w.Errorf("job of the drill %+v, want it to use the point of %s", j, oldest(points).Time)
	}
	w.checkDone(failover.StepTest, before)
	item := w.item(w.VM)
	if !item.LastTest.After(before.LastTest) || item.RPO < 0 || item.Active != item.From {
		w.Errorf("with a drill open: %+v", item)
	}
	if other := w.item(w.Other); open(other) || !other.LastTest.IsZero() {
		w.Errorf("%s has a drill, too: %+v", w.Other, other)
	}
	w.do(failover.StepCleanup)
	if failover.Legal(failover.StepFailover, w.item(w.VM)) != nil || w.item(w.VM).LastTest.IsZero() {
		w.Errorf("after the clean-up: %+v", w.item(w.VM))
	}
	w.refusal(w.callFor(failover.StepCleanup, w.item(w.VM)), failover.RefusedBySite)
	if got := w.kinds(); !slices.Equal(got, []failover.StepKind{failover.StepTest, failover.StepCleanup}) {
		w.Errorf("accepted %v", got)
	}
}

func changeOfPoint(w world) {
	item := w.ready(failover.StepChange)
	points, err := w.Site.Points(w.Context(), item)
	if err != nil || len(points) < 3 {
		w.Fatalf("%d points, %v", len(points), err)
	}
	slices.SortFunc(points, func(a, b failover.RecoveryPoint) int { return a.Time.Compare(b.Time) })
	for _, p := range []failover.RecoveryPoint{points[0], points[len(points)-2], points[1]} {
		call := w.callFor(failover.StepChange, item)
		call.PointID = p.ID
		if j := w.ended(w.begin(call).JobID); j.State != failover.JobSucceeded || !j.PointUsed.Equal(p.Time) {
			w.Errorf("job %+v, want the point of %s", j, p.Time)
		}
		w.checkDone(failover.StepChange, item)
		if calls := w.Calls(); calls[len(calls)-1].PointID != p.ID {
			w.Errorf("call %+v, want the point %s", calls[len(calls)-1], p.ID)
		}
	}
	w.do(failover.StepCommit)
	w.refusal(w.callFor(failover.StepChange, w.item(w.VM)), failover.RefusedBySite)
}

// changeToNoPoint asks for a point that was pruned, for one of the other VM, and for one that never was.
func changeToNoPoint(w world) {
	points, err := w.Site.Points(w.Context(), w.item(w.VM))
	if err != nil {
		w.Fatal(err)
	}
	others, err := w.Site.Points(w.Context(), w.item(w.Other))
	if err != nil {
		w.Fatal(err)
	}
	w.wait(26 * time.Hour) // longer than any point is kept
	item := w.ready(failover.StepChange)
	for _, id := range []string{oldest(points).ID, others[0].ID, item.ID + "/recoveryPoints/" + secondID} {
		call := w.callFor(failover.StepChange, item)
		call.PointID = id
		j := w.ended(w.begin(call).JobID)
		if j.State != failover.JobFailed || len(j.Errors) == 0 || j.Errors[0].Code != "BookmarkNotFound" || j.Errors[0].Action == "" || !j.PointUsed.IsZero() {
			w.Errorf("a change to %s: %+v", id, j)
		}
		if now := w.again(item); now.State != failover.StateCommitPending || failover.Legal(failover.StepChange, now) != nil {
			w.Errorf("after it: %+v", now)
		}
	}
	w.do(failover.StepChange)
}

func commitTakesPoints(w world) {
	item := w.ready(failover.StepCommit)
	if points, err := w.Site.Points(w.Context(), item); err != nil || len(points) == 0 {
		w.Errorf("before the commit %d points, %v", len(points), err)
	}
	w.do(failover.StepCommit)
	if points, err := w.Site.Points(w.Context(), item); err != nil || len(points) != 0 {
		w.Errorf("after the commit %d points, %v, want none", len(points), err)
	}
}

// twiceAround goes away and comes back, twice.
func twiceAround(w world) {
	first := w.item(w.VM)
	if first.Home != first.From || first.VM == "" || len(first.Caches) == 0 {
		w.Errorf("at home: %+v", first)
	}
	for range 2 {
		w.ready(failover.StepReprotect)
		away := w.switches(failover.StepReprotect, first)
		w.ready(failover.StepReprotect)
		committed := w.item(w.VM)
		back := w.switches(failover.StepReprotectAgain, away)
		if !strings.EqualFold(back.ID, first.ID) || back.From != first.From || back.To != first.To {
			w.Errorf("back home as %+v, first: %+v", back, first)
		}
		w.checkLeftovers(first, nil) // that VM is in use
		w.checkLeftovers(committed, []string{"virtual machine", "disk", "network interface"})
	}
	var want []failover.StepKind
	for range 4 {
		want = append(want, failover.StepFailover, failover.StepCommit, failover.StepReprotect)
	}
	if got := w.kinds(); !slices.Equal(got, want) {
		w.Errorf("accepted %v, want %v", got, want)
	}
}

// switches reprotects VM and follows it to the other side until it is protected there.
func (w world) switches(kind failover.StepKind, before failover.Item) failover.Item {
	w.Helper()
	since, now := time.Now(), w.item(w.VM)
	call := w.callFor(kind, now)
	if r := call.Reversal; r.From != now.To || r.To != now.From || r.Network == "" || r.Disks[0].Bytes == 0 || len(r.Creates) != len(r.Disks) {
		w.Errorf("it would use %+v", r)
	}
	accepted := w.begin(call)
	w.wait(2 * time.Minute)
	w.checkInnerJob(accepted.JobID, since)
	if j := w.ended(accepted.JobID); j.State != failover.JobSucceeded {
		w.Fatalf("job %+v", j)
	}
	w.checkDone(kind, now)
	w.checkReplicates(now)
	item := w.protected()
	if item.From != before.To || item.To != before.From || item.Active != item.From || item.Home != before.Home || item.Replicated != 0 || strings.EqualFold(item.VM, before.VM) {
		w.Errorf("protected again: %+v, before: %+v", item, before)
	}
	if item.Key != failover.ItemKey(item.VaultID, item.ID[strings.LastIndexByte(item.ID, '/')+1:]) || failover.Legal(failover.StepFailover, item) != nil {
		w.Errorf("protected again: %+v", item)
	}
	_, err := w.Site.Points(w.Context(), now)
	w.siteError(err, failover.RefusedBySite) // its old id is nobody's
	if points, err := w.Site.Points(w.Context(), item); err != nil || len(points) == 0 {
		w.Errorf("%d points, %v", len(points), err)
	}
	return item
}

// checkInnerJob checks that a reprotect shows its inner job as a part of a task, and as a job of another kind.
func (w world) checkInnerJob(id string, since time.Time) {
	w.Helper()
	if j := w.job(id); !slices.ContainsFunc(j.Tasks, func(t failover.Task) bool { return t.Part && t.Name != "" && t.State == "InProgress" }) {
		w.Errorf("no part of a task in %+v", j.Tasks)
	}
	var outer, inner []failover.Job
	for _, j := range w.jobsSince(since) {
		switch {
		case j.StartedAt.Before(since): // clocks differ, so the site gives some more
		case j.Scenario == "EnableDr":
			inner = append(inner, j)
		default:
			outer = append(outer, j)
		}
	}
	if len(outer) != 1 || outer[0].ID != id || len(inner) != 1 || inner[0].ID == id {
		w.Errorf("outer jobs %+v, inner %+v, want %s and one more", outer, inner, id)
	}
}

// checkReplicates follows the initial replication by the old id of an item.
func (w world) checkReplicates(old failover.Item) {
	w.Helper()
	last := -1
	for _, pause := range []time.Duration{time.Second, 10 * time.Minute, 10 * time.Minute} {
		w.wait(pause)
		item := w.again(old)
		if item.State != failover.StateReplicates || item.Replicated <= last || item.Replicated > 100 || item.RPO >= 0 || item.JobID != "" {
			w.Errorf("replicating, %d %% before: %+v", last, item)
		}
		last = item.Replicated
	}
}

func (w world) checkLeftovers(item failover.Item, want []string) {
	w.Helper()
	left, err := w.Site.Leftovers(w.Context(), item)
	if err != nil {
		w.Fatalf("Leftovers: %v", err)
	}
	var kinds []string
	for _, l := range left {
		if l.Name == "" || l.ID == "" {
			w.Errorf("leftover %+v", l)
		}
		if l.Kind != "cache storage account" {
			kinds = append(kinds, l.Kind)
		}
	}
	if !slices.Equal(kinds, want) {
		w.Errorf("left of %s in %s: %+v, want %v", item.Name, item.From, left, want)
	}
}

func stuckReplication(w world) {
	w.ready(failover.StepReprotect)
	w.Stick()
	w.do(failover.StepReprotect)
	w.wait(5 * time.Hour)
	stuck := w.item(w.VM)
	w.wait(24 * time.Hour)
	if now := w.item(w.VM); stuck.State != failover.StateReplicates || stuck.Replicated == 0 || now.State != stuck.State || now.Replicated != stuck.Replicated {
		w.Errorf("stuck as %+v, a day later %+v", stuck, now)
	}
	for _, step := range []failover.StepKind{failover.StepFailover, failover.StepReprotect} {
		if refusal := failover.Legal(step, stuck); refusal == nil || refusal.Hint == "" {
			w.Errorf("%s of a VM without a copy: %v", step, refusal)
		}
	}
}

// reprotectLacks: of a VM that was not failed over nothing can be read; then the region, then the mapping is missing.
func reprotectLacks(w world) {
	lacks := func(item failover.Item) failover.SiteError {
		_, err := w.Site.Reversal(w.Context(), item)
		e := w.siteError(err, failover.RefusedBySite)
		if e.Fault.Code != failover.CodePrerequisite || e.Fault.Action == "" {
			w.Errorf("%+v, want a prerequisite", e.Fault)
		}
		return e
	}
	lacks(w.item(w.VM))
	item := w.ready(failover.StepReprotect)
	if _, err := w.Site.Reversal(w.Context(), item); err != nil {
		w.Errorf("Reversal: %v", err)
	}
	w.Down()
	if e := lacks(item); !strings.Contains(e.Fault.Message, item.From) {
		w.Errorf("%+v, want it to name %s", e.Fault, item.From)
	}
	w.Unmap()
	lacks(item)
	gone := item
	gone.ID += "x"
	_, err := w.Site.Reversal(w.Context(), gone)
	if e, ok := errors.AsType[*failover.SiteError](err); !ok || e.Fault.Code == failover.CodePrerequisite {
		w.Errorf("of an item that is not there: %v", err)
	}
}

// kinds are those of the accepted calls.
func (w world) kinds() []failover.StepKind {
	var kinds []failover.StepKind
	for _, c := range w.Calls() {
		if c.Accepted {
			kinds = append(kinds, c.Kind)
		}
	}
	return kinds
}
