package executor

import (
	"context"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// What follows from an operation that is over is asked for by its id: another operation of its VM, once, however often the
// command is delivered.
func TestAskedByTheOperationBefore(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		n.behind = map[failover.OpID]failover.Operation{} // the board knows no answer
		drill := b.command(failover.VerbTest, ana, "vm-x")
		b.must(e, drill)
		if r := b.decide(e, b.press(failover.VerbCleanup, ana, drill.Op)); r != nil {
			t.Fatalf("refused on the drill: %v", r)
		}
		if err := b.drive(e, drill.Op); err != nil {
			t.Fatal(err)
		}
		cleanup := b.press(failover.VerbCleanup, ana, drill.Op)
		cleanup.Notes = "fine"
		for range 2 {
			if err := e.decide(b.Context(), cleanup); err != nil {
				t.Fatal(err)
			}
		}
		id := failover.OpIDOf(cleanup.MessageID, 0)
		if err := b.drive(e, id); err != nil {
			t.Fatal(err)
		}
		op := b.phase(id, failover.Succeeded)
		if op.Verb != failover.VerbCleanup || op.Plan.Notes != "fine" || b.stream.count(id, "requested") != 1 {
			t.Errorf("%+v", op)
		}
		b.accepted(failover.StepTest, failover.StepCleanup)
		if r := b.decide(e, b.press(failover.VerbReprotect, ana, "op-zzzzzzzz")); r == nil || r.Kind != failover.UnknownName {
			t.Errorf("of an operation that nobody asked for: %v", r)
		}
	})
}

// The button on the card of a finished failover asks for a reprotect. While another operation waits for one, it is not its
// press: whoever pressed it has not seen that one's card.
func TestFollowingButtonIsNoPress(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		e.Policy.Roles["operator"] = append(e.Policy.Roles["operator"], ben.ID)
		away := b.failedOver(e)
		b.must(e, b.press(failover.VerbCommit, ben, away))
		if err := b.drive(e, away); err != nil {
			t.Fatal(err)
		}
		asked := b.press(failover.VerbReprotect, ana, away)
		if err := e.decide(b.Context(), asked); err != nil {
			t.Fatal(err)
		}
		back := failover.OpIDOf(asked.MessageID, 0)
		b.phase(back, failover.AwaitingApproval)
		again := b.press(failover.VerbReprotect, ben, away)
		if err := e.decide(b.Context(), again); err != nil {
			t.Fatal(err)
		}
		b.phase(back, failover.AwaitingApproval)
		answer := b.stream.load(failover.OpIDOf(again.MessageID, 0)).Answers[again.MessageID].Refused
		if answer == nil || answer.Kind != failover.Busy || !strings.Contains(answer.Message, string(back)) {
			t.Errorf("%v", answer)
		}
		typed := b.command(failover.VerbReprotect, ben, "vm-x") // of the VM, by who decides: that is the press
		if err := e.decide(b.Context(), typed); err != nil {
			t.Fatal(err)
		}
		b.phase(back, failover.Running)
	})
}

// A change needs the points of Azure when it is typed, and nothing of it when its button is pressed.
func TestChange(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.failedOver(e)
		wish := b.press(failover.VerbChange, ana, id)
		wish.Point = failover.Point{Kind: failover.ByID, ID: older}
		b.must(e, wish)
		b.vault.change(func(v *vault) { v.trouble = silent() })
		other := b.press(failover.VerbChange, ana, id)
		if r := b.decide(e, other); r == nil || r.Kind != failover.Unavailable {
			t.Errorf("%v", r)
		}
		button := b.press(failover.VerbChange, ben, id)
		button.Seen = b.stream.load(id).Token(failover.StepChange)
		b.must(e, button)
		b.phase(id, failover.Running)
		b.vault.change(func(v *vault) { v.trouble = nil })
		if err := b.drive(e, id); err != nil {
			t.Fatal(err)
		}
		b.phase(id, failover.AwaitingCommit)
		b.accepted(failover.StepFailover, failover.StepChange)
		if r := b.decide(e, button); r != nil { // delivered again
			t.Errorf("%v", r)
		}
		b.accepted(failover.StepFailover, failover.StepChange)
	})
}

// incident is a command that declares one.
func (b *bench) incident(ago time.Duration) failover.Command {
	cmd := b.command(failover.VerbIncident, ana, "")
	cmd.Point = failover.Point{Kind: failover.AtTime, Time: time.Now().Add(-ago)}
	return cmd
}

func (b *bench) incidentOver() failover.Command {
	cmd := b.command(failover.VerbIncident, ana, "")
	cmd.Over = true
	return cmd
}

// Two people declare an incident at the same moment: there is one. It outlives every executor, and nobody drives it.
func TestOneIncident(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		other, _ := b.executor("two")
		mine, theirs := b.incident(time.Hour), b.incident(2*time.Hour)
		n.before = on("requested", func() { b.must(other, theirs) })
		if r := b.decide(e, mine); r == nil || r.Kind != failover.Busy || !strings.Contains(r.Message, string(theirs.Op)) {
			t.Errorf("%v", r)
		}
		b.phase(theirs.Op, failover.Running)
		if b.stream.works(theirs.Op) != 0 {
			t.Error("somebody is told to drive it")
		}
		later, _ := b.executor("three") // knows nothing but the journal
		if r := b.decide(later, b.command(failover.VerbFailover, ana, "vm-x")); r == nil || !strings.Contains(r.Hint, "--force") {
			t.Errorf("the latest point has data from after the incident: %v", r)
		}
		forced := b.command(failover.VerbFailover, ana, "vm-x")
		forced.Force = true
		b.must(later, forced)
		b.must(later, b.command(failover.VerbTest, ana, "vm-y"))

		over := b.incidentOver()
		b.must(later, over)
		b.phase(theirs.Op, failover.Succeeded)
		if h := b.stream.holder(failover.IncidentKey()); h.Op != "" {
			t.Errorf("held by %s", h.Op)
		}
		if r := b.decide(later, b.incidentOver()); r == nil || !strings.Contains(r.Message, "No incident is declared") {
			t.Errorf("%v", r)
		}
		b.must(later, b.press(failover.VerbWithdraw, ana, forced.Op))
		b.must(later, b.command(failover.VerbFailover, ana, "vm-x"))
		b.must(later, b.incident(time.Minute))
	})
}

// prober is a VM that says what it is told to, in order, and nothing after.
type prober struct {
	says  []failover.CheckOutcome
	asked int
}

func (p *prober) Probe(context.Context, failover.Check) failover.CheckResult {
	p.asked++
	if p.asked > len(p.says) {
		return failover.CheckResult{Outcome: failover.CheckNoData, Detail: "silence"}
	}
	return failover.CheckResult{Outcome: p.says[p.asked-1], Detail: "said"}
}

// After the failover the VM is asked until it says that it works, for five minutes; a driver that dies meanwhile leaves the
// asking to the next. Whatever it says, the commit waits for its press.
func TestProbe(t *testing.T) {
	rows := map[string]struct {
		says  []failover.CheckOutcome
		dies  bool
		asked int
		last  failover.CheckOutcome
	}{
		"passes":             {[]failover.CheckOutcome{failover.CheckPassed}, false, 1, failover.CheckPassed},
		"passes late":        {[]failover.CheckOutcome{failover.CheckNoData, failover.CheckFailed, failover.CheckPassed}, false, 3, failover.CheckPassed},
		"no data":            {nil, false, 31, failover.CheckNoData},
		"the driver dies":    {[]failover.CheckOutcome{failover.CheckFailed, failover.CheckPassed, failover.CheckPassed}, true, 3, failover.CheckPassed},
		"nobody who can ask": {nil, false, 0, failover.CheckNoData},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(b *bench) {
				e, n := b.executor("one")
				vm := &prober{says: r.says}
				use := func(e *Executor) {
					e.Checks = func(failover.Item) *failover.Check { return &failover.Check{Name: "vm-x", TCP: "vm-x:22"} }
					if r.asked > 0 {
						e.Prober = vm
					}
				}
				use(e)
				id := b.approved(e)
				if r.dies {
					n.before = on("checked", n.die) // nobody has heard the answer
				}
				begun := time.Now()
				err := b.drive(e, id)
				if r.dies {
					e, _ = b.executor("two")
					use(e)
					err = b.drive(e, id)
				}
				if err != nil {
					t.Fatal(err)
				}
				op := b.phase(id, failover.AwaitingCommit)
				if said := op.Targets[0].Checked; len(said) != 1 || said[0].Outcome != r.last || said[0].Name != "vm-x" || vm.asked != r.asked {
					t.Errorf("asked %d times, want %d: %+v", vm.asked, r.asked, said)
				}
				if took := time.Since(begun) - jobLasts; r.last != failover.CheckPassed && took < 5*time.Minute {
					t.Errorf("given up after %s", took)
				}
				b.calls(1, 0)
			})
		})
	}
}
