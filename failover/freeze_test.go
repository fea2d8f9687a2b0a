package failover_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

func storm(pattern string) failover.Freeze {
	return failover.Freeze{Op: "op-ffffffff", Pattern: pattern, By: eve, Since: start.Add(-time.Hour), Reason: "storm"}
}

// A freeze says who, since when and why in each refusal, and stops what begins, not what ends.
func TestFreezeStopsNewWork(t *testing.T) {
	for verb, stopped := range map[failover.Verb]bool{
		failover.VerbFailover: true, failover.VerbTest: true, failover.VerbReprotect: true, failover.VerbChange: true, failover.VerbFailback: true,
		failover.VerbCommit: false, failover.VerbCleanup: false,
	} {
		b := newTable(t, 1)
		if state, set := map[failover.Verb]failover.Item{
			failover.VerbReprotect: {State: failover.StateCommitted, Allowed: []string{"SwitchProtection"}},
			failover.VerbFailback:  {State: failover.StateCommitted, Allowed: []string{"SwitchProtection"}, Home: "west"},
			failover.VerbCommit:    {State: failover.StateCommitPending, Allowed: []string{"Commit"}},
			failover.VerbChange:    {State: failover.StateCommitPending, Allowed: []string{"ChangePit"}},
			failover.VerbCleanup:   {State: failover.StateProtected, TestState: "WaitingForCompletion", Allowed: []string{"TestFailoverCleanup"}},
		}[verb]; set {
			b.item.State, b.item.Allowed, b.item.Home, b.item.TestState = state.State, state.Allowed, state.Home, state.TestState
		}
		b.freezes = []failover.Freeze{storm("vm-*")}
		cmd := b.command(verb, ana)
		if verb == failover.VerbChange {
			cmd.Point = failover.Point{Kind: failover.LatestApp}
		}
		r := b.try(cmd)
		if frozen := r != nil && r.Kind == failover.Frozen; frozen != stopped {
			t.Errorf("%s: %+v", verb, r)
		}
		if stopped && r != nil {
			for _, want := range []string{"eve has frozen", "since 2026-11-23 02:00", "op-ffffffff", "storm", "/failover unfreeze vm-*"} {
				if !strings.Contains(r.Message+" "+r.Hint, want) {
					t.Errorf("%s: %q lacks %q", verb, r.Message+" "+r.Hint, want)
				}
			}
		}
		b.freezes = []failover.Freeze{storm("web-*")}
		if r := b.try(b.command(verb, ana)); r != nil && r.Kind == failover.Frozen {
			t.Errorf("%s: another pattern: %+v", verb, r)
		}
	}
}

// A gate that would begin new work stays shut; one that ends what is half-way opens.
func TestFreezeAtGates(t *testing.T) {
	b := newTable(t, 1)
	b.must(failover.VerbFailover, ana)
	b.freezes = []failover.Freeze{storm("*")}
	b.saysNo(b.command(failover.VerbApprove, ben), failover.Frozen, "storm")
	b.saysNo(b.command(failover.VerbApprove, eve), failover.NotAllowed, "role approver") // who may not is told that
	b.must(failover.VerbDeny, ben)

	b = newTable(t, 1)
	b.failedOver()
	b.freezes = []failover.Freeze{storm("*")}
	change := b.command(failover.VerbChange, ana)
	change.Point = failover.Point{Kind: failover.LatestApp}
	b.saysNo(change, failover.Frozen, "storm")
	b.must(failover.VerbCommit, ben)
	b.phase(failover.Running)
}

// What was approved before a freeze and has not begun does not begin: its gate closes again.
func TestFreezeAfterTheApproval(t *testing.T) {
	b := newTable(t, 1)
	b.must(failover.VerbFailover, ana)
	b.must(failover.VerbApprove, ben)
	e := b.next(b.looked())
	if _, acts := e.(failover.Act); !acts {
		t.Fatalf("%#v", e)
	}
	freezes := []failover.Freeze{storm("vm-x")}
	tell, ok := failover.Halt(b.op, b.item.Key, e, freezes, b.now).(failover.Tell)
	if !ok {
		t.Fatal("the call is made in spite of the freeze")
	}
	b.fold(tell.Facts[0], "")
	b.phase(failover.AwaitingApproval)
	if b.op.Lapsed == nil || !strings.Contains(b.op.Lapsed.Why, "eve has frozen") || b.op.Started() || b.op.ExpiresAt.IsZero() {
		t.Errorf("%+v", b.op.Lapsed)
	}
	if got := failover.InTheWay(b.op, freezes); len(got) != 1 {
		t.Errorf("it waits behind %v", got)
	}
	for _, other := range []failover.Effect{failover.Look{}, failover.Act{Intent: failover.StepStarted{Target: b.item.Key, Kind: failover.StepCommit}}} {
		if _, same := failover.Halt(b.op, b.item.Key, other, freezes, b.now).(failover.Tell); same {
			t.Errorf("%#v is stopped", other)
		}
	}
	again := failover.Act{Intent: failover.StepStarted{Target: b.item.Key, Kind: failover.StepFailover}, Again: true}
	tell, _ = failover.Halt(b.op, b.item.Key, again, freezes, b.now).(failover.Tell)
	if len(tell.Facts) != 1 {
		t.Fatal("a lost call is made again under a freeze")
	}
	if _, stuck := tell.Facts[0].(failover.Stuck); !stuck {
		t.Errorf("a lost call is for a person, got %#v", tell.Facts[0])
	}
}

func TestFreezeCommands(t *testing.T) {
	s := failover.Situation{Now: start, Policy: policy(1), Inventory: []failover.Item{item("web-1", failover.StateProtected), item("db", failover.StateProtected)}}
	cmd := func(verb failover.Verb, by failover.Actor, pattern, reason string) failover.Command {
		return failover.Command{MessageID: string(verb) + pattern, Op: "op-ffffffff", Verb: verb, By: by, Target: pattern, Reason: reason, At: start, ValidUntil: start.Add(time.Minute)}
	}
	no := func(op failover.Operation, c failover.Command, want string) {
		t.Helper()
		if _, r := failover.Decide(op, c, s); r == nil || !strings.Contains(r.Message+" "+r.Hint, want) {
			t.Errorf("%s %s: %+v, want %q", c.Verb, c.Target, r, want)
		}
	}
	none := failover.Operation{}
	no(none, cmd(failover.VerbFreeze, eve, "", "storm"), "may not freeze")
	no(none, cmd(failover.VerbFreeze, ana, "", ""), "/failover freeze --reason TEXT")
	no(none, cmd(failover.VerbFreeze, ana, "web-*", ""), "/failover freeze web-* --reason TEXT")
	no(none, cmd(failover.VerbFreeze, ana, "wbe-*", "storm"), "No replicated VM matches")
	no(none, cmd(failover.VerbFreeze, ana, "[", "storm"), "is no pattern")
	no(none, cmd(failover.VerbUnfreeze, ana, "", ""), "Nothing is frozen")
	var ops []failover.Operation
	for i, pattern := range []string{"", "WEB-*"} {
		facts, r := failover.Decide(none, cmd(failover.VerbFreeze, ana, pattern, "storm"), s)
		if r != nil {
			t.Fatal(r)
		}
		op := failover.Fold(none, failover.Batch{Facts: facts, At: start.Add(time.Duration(i) * time.Minute)})
		if !slices.Equal(op.Holds(), []string{failover.FreezeKey(failover.FreezePattern(pattern))}) || failover.HasWork(op) || op.Phase != failover.Running {
			t.Errorf("%+v", op)
		}
		ops = append(ops, op)
	}
	s.Freezes = failover.Freezes(ops)
	no(none, cmd(failover.VerbUnfreeze, ana, "db", ""), "Say which: /failover unfreeze, or /failover unfreeze web-*")
	no(ops[1], cmd(failover.VerbUnfreeze, eve, "web-*", ""), "may not freeze")
	no(ops[1], cmd(failover.VerbCancel, ana, "", ""), "/failover unfreeze web-*")
	s.Holder = ops[1]
	no(none, cmd(failover.VerbFreeze, ana, "web-*", "again"), "It is frozen already: ana has frozen new work on web-*")
	facts, r := failover.Decide(ops[1], cmd(failover.VerbUnfreeze, ana, "web-*", "calm"), s)
	if r != nil {
		t.Fatal(r)
	}
	ops[1] = failover.Fold(ops[1], failover.Batch{Facts: facts, At: start})
	if left := failover.Freezes(ops); len(left) != 1 || left[0].Pattern != failover.Everything {
		t.Errorf("unfreezing one leaves the other: %+v", left)
	}
}
