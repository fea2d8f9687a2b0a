package failover_test

import (
	"testing"
	"time"

	"ferry/failover"
)

// What waits for a person is told again every four hours: since the gate could be decided, or since the last word.
func TestRemindAt(t *testing.T) {
	rows := map[string]struct {
		reach  func(*table)
		remind bool
	}{
		"a request": {requested, false}, "running": {approved, false}, "the commit": {(*table).failedOver, true},
		"denied": {denied, false}, "check of a failback": {atCheck, true}, "last gate of a failback": {atHome, true},
		"first gate of a failback": {func(b *table) { b.homing(failover.StepReprotect) }, false},
		"a foreign commit":         {func(b *table) { failsOver(&b.item); b.policy = policy(2); b.must(failover.VerbCommit, ben) }, true},
		"a failed change":          {func(b *table) { changing(b); b.points = nil; b.tell(b.looked()) }, true},
		"a gate that has not been read": {func(b *table) {
			atCheck(b)
			b.presses(ben)
			b.tell(failover.Observation{})
			b.presses(ben)
			b.does(failover.StepCommit, commits)
		}, false},
		"attention": {func(b *table) { b.running(); b.fold(failover.Stuck{Target: b.item.Key}, "") }, false},
	}
	for name, r := range rows {
		b := newTable(t, 1)
		r.reach(b)
		at := failover.RemindAt(b.op)
		if at.IsZero() == r.remind || r.remind && !at.Equal(b.now.Add(4*time.Hour)) {
			t.Errorf("%s: %v", name, at)
		}
	}
	b := newTable(t, 1)
	b.failedOver()
	reached := b.now
	b.must(failover.VerbCommit, ana) // a word of somebody who does not decide
	b.now = b.now.Add(5 * time.Hour)
	if why := failover.Waiting(b.op); why.Why != "the commit waits since "+reached.Format("2006-01-02 15:04 UTC") {
		t.Errorf("%q", why.Why)
	}
	b.fold(failover.Waiting(b.op), "")
	if at := failover.RemindAt(b.op); !at.Equal(b.now.Add(4*time.Hour)) || b.op.Reminders != 1 || !b.op.WaitsSince.Equal(reached) {
		t.Errorf("%v, %d, since %v", at, b.op.Reminders, b.op.WaitsSince)
	}
	b.phase(failover.AwaitingCommit)
	b.now = b.now.Add(time.Minute)
	b.asks(ben, first)
	b.does(failover.StepChange, asItIs) // the gate is reached anew
	if at := failover.RemindAt(b.op); !at.Equal(b.now.Add(4 * time.Hour)) {
		t.Errorf("%v", at)
	}
}

// A drill is forgotten when its test VM is still there after hours, it was Ferry's, and nobody has asked for the clean-up.
func TestForgottenDrills(t *testing.T) {
	b := newTable(t, 1)
	drilled(b)
	b.tell(failover.Observation{})
	ended, open := b.now, b.item
	due := func(i failover.Item, at time.Duration, others ...failover.Operation) bool {
		return len(failover.Forgotten([]failover.Item{i}, append(others, b.op), ended.Add(at))) == 1
	}
	cleanup := failover.Operation{ID: "op-bbbbbbbb", Verb: failover.VerbCleanup, Phase: failover.Running, Targets: []failover.Target{{Item: open}}}
	failed := cleanup
	failed.Phase = failover.Failed
	gone, again := open, open
	cleansUp(&gone)
	again.LastTest = ended.Add(time.Hour)
	switch {
	case due(open, 4*time.Hour-time.Second):
		t.Error("too early")
	case !due(open, 4*time.Hour):
		t.Error("forgotten")
	case due(gone, 5*time.Hour):
		t.Error("it is cleaned up")
	case due(again, 5*time.Hour):
		t.Error("it is a drill of somebody else in the portal")
	case due(open, 5*time.Hour, cleanup):
		t.Error("it is being cleaned up")
	case !due(open, 5*time.Hour, failed):
		t.Error("the clean-up has failed")
	}
	phase := b.op.Phase
	b.now = ended.Add(5 * time.Hour)
	b.fold(failover.StillOpen(b.op), "")
	if b.op.Phase != phase || failover.HasWork(b.op) || !b.op.FinishedAt.Equal(ended) {
		t.Errorf("a word wakes it: %+v", b.op)
	}
	if due(open, 9*time.Hour-time.Second) || !due(open, 9*time.Hour) {
		t.Error("not four hours after the last word")
	}
}
