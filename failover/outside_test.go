package failover_test

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// Azure does not show the job any more: the item tells how it ended, and what it does not tell is for a person.
func TestHiddenJob(t *testing.T) {
	hidden := func(b *table) failover.Observation {
		return failover.Observation{
			Job: failover.Job{ID: "/jobs/1"}, JobAt: b.now, Hidden: &failover.Fault{Message: "not found"}, HiddenSince: b.now,
			Item: b.item, LookedAt: b.now,
		}
	}
	b := newTable(t, 1)
	b.running()
	b.item.JobID = "/jobs/1"
	b.tell(hidden(b))
	if p := b.op.Targets[0].Progress; !strings.Contains(p, "does not show the job any more") {
		t.Fatalf("progress %q", p)
	}
	seen := hidden(b)
	if _, ok := b.next(seen).(failover.Wait); !ok {
		t.Fatalf("told once, got %#v", b.next(seen))
	}
	b.item.JobID, b.item.State = "", failover.StateCommitPending
	b.tell(hidden(b))
	b.phase(failover.AwaitingCommit)
	if s := b.op.Targets[0].Step(failover.StepFailover); !strings.Contains(s.Warning, "does not show the job any more") {
		t.Fatalf("warning %q", s.Warning)
	}

	b = newTable(t, 1)
	b.running()
	b.tell(hidden(b))
	seen = hidden(b)
	b.now = b.now.Add(failover.SettleWithin)
	b.tell(seen)
	b.phase(failover.NeedsAttention)
	if e := b.op.Targets[0].Error; !strings.Contains(e.Message, "is in the state Protected. Azure said: not found") {
		t.Fatalf("%+v", e)
	}
}

// Somebody changes the recovery point in the portal while the operation waits for its commit: the card follows, old presses
// count no more, and a commit of data that nobody was shown is not made. The next change is counted on.
func TestPointChangedOutside(t *testing.T) {
	b := newTable(t, 1)
	b.running()
	b.item.State, b.item.Allowed, b.item.Point = failover.StateCommitPending, []string{"Commit"}, "old"
	b.tell(failover.Observation{Job: failover.Job{ID: "/jobs/1", State: failover.JobSucceeded, PointUsed: start, EndedAt: b.now}, JobAt: b.now, Item: b.item, LookedAt: b.now})
	b.phase(failover.AwaitingCommit)
	token := b.op.Token(failover.StepCommit)
	b.now = b.now.Add(time.Minute)
	b.item.Point = "new"
	if facts := failover.OtherPoints(b.op, []failover.Item{b.item}, b.op.WaitsSince); len(facts) != 0 {
		t.Fatalf("what was read before says nothing: %+v", facts)
	}
	facts := failover.OtherPoints(b.op, []failover.Item{b.item}, b.now)
	if len(facts) != 1 {
		t.Fatalf("%+v", facts)
	}
	facts[0].PointUsed = start.Add(-time.Hour)
	changed := failover.Fold(b.op, failover.Batch{At: b.now, Facts: []failover.Fact{facts[0]}})
	if got := changed.Targets[0]; !got.PointUsed.Equal(start.Add(-time.Hour)) || got.Point != "new" || changed.Phase != failover.AwaitingCommit {
		t.Fatalf("%s %+v", changed.Phase, got)
	}
	if changed.Token(failover.StepCommit) == token {
		t.Error("a press on the old card would commit other data")
	}
	if more := failover.OtherPoints(changed, []failover.Item{b.item}, b.now.Add(time.Minute)); len(more) != 0 {
		t.Errorf("told again: %+v", more)
	}

	b.presses(ben) // before anybody noticed
	b.tell(failover.Observation{Item: b.item, LookedAt: b.now})
	b.phase(failover.AwaitingCommit)
	if e := b.op.Targets[0].Error; e == nil || !strings.Contains(e.Message, "changed outside Ferry") {
		t.Fatalf("%+v", e)
	}
}

// An initial replication that does not get on is said so, once.
func TestReplicationStandsStill(t *testing.T) {
	b := newTable(t, 1)
	b.running()
	b.item.State, b.item.Replicated = failover.StateReplicates, 30
	seen := failover.Observation{
		Job: failover.Job{ID: "/jobs/1", State: failover.JobSucceeded}, JobAt: b.now, Item: b.item, LookedAt: b.now, StillSince: b.now,
	}
	b.tell(seen)
	b.now = b.now.Add(time.Hour)
	b.tell(seen)
	if p := b.op.Targets[0].Progress; !strings.Contains(p, "no progress since "+start.Format("2006-01-02 15:04")) {
		t.Fatalf("progress %q", p)
	}
	if f, ok := b.next(seen).(failover.Tell); ok {
		t.Errorf("told again: %+v", f)
	}
}
