package sitetest

import (
	"slices"
	"strings"
	"time"

	"ferry/failover"
)

// steps are those that call Azure.
func steps() []failover.StepKind {
	return []failover.StepKind{
		failover.StepFailover, failover.StepChange, failover.StepCommit, failover.StepTest, failover.StepCleanup,
		failover.StepReprotect, failover.StepReprotectAgain,
	}
}

// ready brings VM to where a step may be taken, and returns the item as it is then.
func (w world) ready(kind failover.StepKind) failover.Item {
	w.Helper()
	switch kind {
	case failover.StepCleanup:
		w.do(failover.StepTest)
	case failover.StepChange, failover.StepCommit:
		w.do(failover.StepFailover)
	case failover.StepReprotect:
		w.do(failover.StepFailover)
		w.do(failover.StepCommit)
	case failover.StepReprotectAgain:
		w.ready(failover.StepReprotect)
		w.do(failover.StepReprotect)
		w.protected()
		w.ready(failover.StepReprotect)
	case failover.StepFailover, failover.StepTest, failover.StepProbe, failover.StepCheck, failover.StepSurvey, failover.StepResize:
	}
	return w.item(w.VM)
}

// callFor completes a call on VM with what it needs: the oldest point of a change, the network of a drill, and all of a
// reprotect. Where the state offers none of it, it is made up.
func (w world) callFor(kind failover.StepKind, item failover.Item) failover.Call {
	w.Helper()
	call := failover.Call{Kind: kind, Item: item, ClientRequestID: firstID}
	switch kind {
	case failover.StepChange:
		call.PointID = item.ID + "/recoveryPoints/" + secondID
		if points, err := w.Site.Points(w.Context(), item); err == nil && len(points) > 0 {
			call.PointID = oldest(points).ID
		}
	case failover.StepTest:
		call.Network = w.Network
	case failover.StepCleanup:
		call.Notes = "asked by the test"
	case failover.StepReprotect, failover.StepReprotectAgain:
		r, err := w.Site.Reversal(w.Context(), item)
		if err != nil && failover.Legal(kind, item) == nil {
			w.Fatalf("Reversal: %v", err)
		}
		if err != nil {
			r = failover.Reversal{Container: item.ID, Policy: "/p", ResourceGroup: "/subscriptions/s/resourceGroups/g", Disks: []failover.ReversalDisk{{ID: "/d", Cache: "/c"}}}
		}
		call.Reversal = &r
	case failover.StepFailover, failover.StepCommit, failover.StepProbe, failover.StepCheck, failover.StepSurvey, failover.StepResize:
	}
	return call
}

func oldest(points []failover.RecoveryPoint) failover.RecoveryPoint {
	return slices.MinFunc(points, func(a, b failover.RecoveryPoint) int { return a.Time.Compare(b.Time) })
}

// do takes a step on VM to the end of its job, which must succeed and have its effect.
func (w world) do(kind failover.StepKind) {
	w.Helper()
	before := w.item(w.VM)
	j := w.ended(w.begin(w.callFor(kind, before)).JobID)
	if j.State != failover.JobSucceeded {
		w.Fatalf("%s: job %+v", kind, j)
	}
	w.checkDone(kind, before)
}

// checkDone fails the test unless VM's item shows that a step was done.
func (w world) checkDone(kind failover.StepKind, before failover.Item) {
	w.Helper()
	now := w.again(before)
	state, drilled, moved := before.State, open(before), false
	switch kind {
	case failover.StepFailover, failover.StepChange:
		state = failover.StateCommitPending
	case failover.StepCommit:
		state = failover.StateCommitted
	case failover.StepTest:
		drilled = true
	case failover.StepCleanup:
		drilled = false
	case failover.StepReprotect, failover.StepReprotectAgain:
		state, moved = failover.StateReplicates, true
	case failover.StepProbe, failover.StepCheck, failover.StepSurvey, failover.StepResize:
	}
	if now.State != state || open(now) != drilled || now.Key != before.Key || now.Name != before.Name || now.JobID != "" || strings.EqualFold(now.ID, before.ID) == moved {
		w.Errorf("after %s: %+v, before: %+v", kind, now, before)
	}
}

// open reports whether a drill is open on an item.
func open(item failover.Item) bool { return item.TestState != "" && item.TestState != "None" }

// protected waits until VM is protected again.
func (w world) protected() failover.Item {
	w.Helper()
	for range 1000 {
		if item := w.item(w.VM); item.State == failover.StateProtected {
			return item
		}
		w.wait(5 * time.Minute)
	}
	w.Fatalf("%s was never protected again", w.VM)
	return failover.Item{}
}
