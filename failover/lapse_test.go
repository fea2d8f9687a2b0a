package failover_test

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// An approval that was not begun in time is spent: the gate waits anew, for a new press, and an old button does not act.
func TestLapse(t *testing.T) {
	b := newTable(t, 1)
	approved(b)
	old := b.op.Token(failover.StepFailover)
	b.now = b.now.Add(failover.BeginWithin)
	if _, ok := b.next(failover.Observation{}).(failover.Look); !ok {
		t.Fatalf("still in time, got %#v", b.next(failover.Observation{}))
	}
	b.now = b.now.Add(time.Second)
	b.tell(failover.Observation{})
	b.phase(failover.AwaitingApproval)
	if b.op.Started() || !b.op.ExpiresAt.Equal(b.now.Add(15*time.Minute)) || len(b.op.Approvers(failover.ClassFailover)) != 0 {
		t.Fatalf("%+v", b.op)
	}
	press := b.command(failover.VerbApprove, ben)
	press.Seen = old
	if refusal := b.try(press); refusal == nil || refusal.Kind != failover.TooLate {
		t.Fatalf("an old button: %v", refusal)
	}
	b.must(failover.VerbApprove, ben)
	b.phase(failover.Running)
	b.act(b.looked())
}

// A call that may have arrived is not made a second time on an old approval: a person looks.
func TestNoSecondAttemptOnAnOldApproval(t *testing.T) {
	b, _ := dangling(t)
	b.now = b.now.Add(failover.BeginWithin + time.Minute)
	b.tell(b.searched())
	if s := b.op.Targets[0].Step(failover.StepFailover); s.Unknown.IsZero() {
		t.Fatalf("%+v", s)
	}
	b.tell(b.searched())
	b.phase(failover.NeedsAttention)
}

// While Azure keeps a call waiting and people are told, it is tried for an hour.
func TestKeptWaiting(t *testing.T) {
	key := protected().Key
	for name, wait := range map[string]failover.Fact{
		"throttled":   failover.StepDelayed{Target: key, Kind: failover.StepFailover, Until: start.Add(20 * time.Minute)},
		"answer lost": failover.StepUnknown{Target: key, Kind: failover.StepFailover, Why: "the connection was cut"},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := dangling(t)
			b.fold(wait, "")
			b.now = b.now.Add(failover.TryWithin)
			b.act(b.searched())
		})
	}
	b := newTable(t, 1)
	approved(b)
	b.fold(failover.Observed{Target: key, Kind: failover.StepFailover, Note: "Azure does not answer since 03:00 UTC; Ferry keeps asking"}, "")
	b.now = b.now.Add(failover.TryWithin)
	b.tell(b.looked()) // that it answers again
	b.act(b.looked())
	b.fold(failover.StepDelayed{Target: key, Kind: failover.StepFailover, Until: b.now.Add(time.Second)}, "")
	b.now = b.now.Add(time.Minute)
	b.tell(b.looked())
	b.phase(failover.AwaitingApproval)
	if !strings.HasPrefix(b.op.Lapsed.Why, "Azure has not taken the call within an hour") {
		t.Errorf("%q", b.op.Lapsed.Why)
	}
}

// Who takes over a call whose answer is lost waits as long as who made it, whatever the clocks say: they may be another
// host's, or have been set meanwhile.
func TestWhoTakesOverWaitsAnew(t *testing.T) {
	b, _ := dangling(t)
	b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepFailover, Why: "reset"}, "")
	b.now = b.now.Add(3 * time.Hour)
	taken := b.now
	look := func() failover.Effect {
		seen := b.searched()
		seen.WatchedFrom = taken
		return b.next(seen)
	}
	if w, ok := look().(failover.Wait); !ok || w.Until.Before(b.now) {
		t.Fatalf("got %#v", look())
	}
	b.now = taken.Add(failover.ActAgainAfter)
	if _, waits := look().(failover.Wait); waits {
		t.Fatalf("got %#v", look())
	}
}

// A command is too late by the server's clock, too: a button on a phone whose bot is hours ahead is no younger for it.
func TestLateByTheServersClock(t *testing.T) {
	cmd := failover.Command{ValidUntil: start.Add(3 * time.Hour), StoredAt: start}
	if cmd.Late(start.Add(failover.CommandValidity)) || !cmd.Late(start.Add(failover.CommandValidity+time.Second)) {
		t.Error("the time at which it was stored does not count")
	}
}

// When the clock jumped while a request waited, the end of it says so.
func TestExpiryAfterAJump(t *testing.T) {
	b := newTable(t, 1)
	b.must(failover.VerbFailover, ana)
	cmd := failover.Command{MessageID: "x", Op: b.op.ID, Verb: failover.VerbExpire, At: b.now.Add(time.Hour), ValidUntil: b.now.Add(2 * time.Hour)}
	facts, _ := failover.Decide(b.op, cmd, failover.Situation{Now: b.now.Add(time.Hour), Policy: b.policy, Jumped: func(since time.Time) string {
		if !since.Equal(b.now) {
			t.Errorf("since %s", since)
		}
		return "Ferry's clock went forward."
	}})
	if end, ok := facts[0].(failover.Finished); !ok || end.Note != "Nobody decided in time. Nothing was started. Ferry's clock went forward." {
		t.Errorf("%+v", facts)
	}
}
