package failover_test

import (
	"testing"
	"time"

	"ferry/failover"
)

// How long it takes is a default until the VM has a history; then it is the median of that.
func TestExpected(t *testing.T) {
	b := newTable(t, 1)
	b.must(failover.VerbFailover, ana)
	if e := b.op.Expected; e.Took() != 4*time.Minute || e.Of != 0 {
		t.Errorf("%+v", e)
	}
	for _, took := range []time.Duration{2 * time.Minute, 20 * time.Minute, 3 * time.Minute} {
		past := newTable(t, 1)
		past.running()
		past.now = past.now.Add(took)
		past.fold(failover.StepDone{Target: past.item.Key, Kind: failover.StepFailover, EndedAt: past.now}, "")
		b.past = append(b.past, past.op)
	}
	b.op = failover.Operation{}
	b.must(failover.VerbFailover, ana)
	if e := b.op.Expected; e.Took() != 3*time.Minute || e.Of != 3 {
		t.Errorf("%+v", e)
	}
}

// Before it expires people are told once: when a third of the time is left, at least a minute before, and not at all when
// the whole time is that short.
func TestWarnBeforeItExpires(t *testing.T) {
	for expires, want := range map[time.Duration]time.Duration{15 * time.Minute: 10 * time.Minute, 2 * time.Minute: time.Minute, time.Minute: 0} {
		b := newTable(t, 1)
		b.policy.Rules[0].Expires = expires
		b.must(failover.VerbFailover, ana)
		at := failover.WarnAt(b.op)
		if want == 0 && !at.IsZero() || want != 0 && !at.Equal(start.Add(want)) {
			t.Errorf("%s: told at %s", expires, at)
		}
		b.fold(failover.Expiring(b.op), "")
		if !failover.WarnAt(b.op).IsZero() || b.op.Reminders != 0 {
			t.Errorf("%s: told once and for all: %+v", expires, b.op)
		}
	}
}
