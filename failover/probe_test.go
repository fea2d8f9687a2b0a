package failover_test

import (
	"testing"
	"time"

	"ferry/failover"
)

// probing is a failover of a VM that is asked whether it works.
func probing(t *testing.T, approvals int) *table {
	t.Helper()
	b := newTable(t, approvals)
	b.check = &failover.Check{Name: "vm-x", TCP: "vm-x:22"}
	b.must(failover.VerbFailover, ana)
	if approvals > 0 {
		b.presses(ben)
	}
	b.does(failover.StepFailover, failsOver)
	return b
}

// asksVM lets a driver ask the VM once, as the executor does.
func (b *table) asksVM(seen *failover.Observation, outcome failover.CheckOutcome) {
	b.t.Helper()
	if p, ok := b.next(*seen).(failover.Probe); !ok || p.Check != *b.check {
		b.t.Fatalf("want a probe, got %#v", b.next(*seen))
	}
	seen.Probe = failover.CheckResult{Name: b.check.Name, Outcome: outcome, Detail: "said", At: b.now}
	if seen.ProbedFrom.IsZero() {
		seen.ProbedFrom = b.now
	}
}

// Asked until it says that it works, or for five minutes; what it said last stands on the card, and opens no gate.
func TestProbe(t *testing.T) {
	for _, last := range []failover.CheckOutcome{failover.CheckPassed, failover.CheckFailed, failover.CheckNoData} {
		b, seen := probing(t, 1), failover.Observation{}
		b.phase(failover.Running)
		from := b.now
		b.asksVM(&seen, failover.CheckNoData)
		for last != failover.CheckPassed && b.now.Sub(from) < 5*time.Minute || last == failover.CheckPassed && b.now.Sub(from) < time.Minute {
			if wait, ok := b.next(seen).(failover.Wait); !ok || !wait.Until.Equal(b.now.Add(failover.LookEvery)) {
				t.Fatalf("after %s: %#v", b.now.Sub(from), b.next(seen))
			}
			b.now = b.now.Add(failover.LookEvery)
			b.asksVM(&seen, last)
			if last == failover.CheckPassed {
				break
			}
		}
		b.tell(seen)
		b.phase(failover.AwaitingCommit)
		b.gate(failover.StepCommit)
		if said := b.op.Targets[0].Checked; len(said) != 1 || said[0] != seen.Probe {
			t.Errorf("%s: the card has %+v", last, said)
		}
		if _, parked := b.next(failover.Observation{}).(failover.Park); !parked {
			t.Errorf("%s: it goes on without a press", last)
		}
	}
}

// The driver stops while it asks: the next one asks anew. A change starts the VM anew, and it is asked again.
func TestProbeAgain(t *testing.T) {
	b, seen := probing(t, 0), failover.Observation{}
	b.asksVM(&seen, failover.CheckFailed)
	seen = failover.Observation{} // another driver
	b.asksVM(&seen, failover.CheckPassed)
	b.tell(seen)
	b.now = b.now.Add(time.Minute)
	b.asks(ana, first)
	b.does(failover.StepChange, asItIs)
	b.phase(failover.Running)
	seen = failover.Observation{}
	b.asksVM(&seen, failover.CheckPassed)
	b.tell(seen)
	b.phase(failover.AwaitingCommit)
	if n := len(b.op.Targets[0].Checked); n != 2 {
		t.Errorf("%d results", n)
	}
	b.must(failover.VerbCancel, ana)
}

// A VM that nobody asks, and verbs after which nobody does.
func TestNoProbe(t *testing.T) {
	b := newTable(t, 1)
	b.check = &failover.Check{Name: "vm-x"}
	b.inNorth(failover.StateCommitted, "SwitchProtection")
	b.must(failover.VerbReprotect, ana)
	b.presses(ben)
	b.does(failover.StepReprotect, turns)
	b.tell(failover.Observation{})
	b.phase(failover.Succeeded)
	if len(b.op.Targets[0].Checked) != 0 {
		t.Error("a reprotect asks nobody")
	}
}

func TestCancelWhileItIsAsked(t *testing.T) {
	b := probing(t, 1)
	b.must(failover.VerbCancel, ana)
	says(t, b.op.Hint, "/failover commit vm-x")
}
