package failover_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

const isolated = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-drill"

// back is what a reprotect of the VM of these tests would use.
func back() *failover.Reversal {
	return &failover.Reversal{From: "north", To: "west", Container: "/c/west", ResourceGroup: "rg", Disks: []failover.ReversalDisk{{ID: "/d/os", Name: "os", Bytes: 64 << 30}}}
}

// does expects the call of a step, lets Azure take and do it, and folds what the driver says of it.
func (b *table) does(kind failover.StepKind, change func(*failover.Item)) failover.Call {
	b.t.Helper()
	call := b.act(b.looked())
	if call.Kind != kind {
		b.t.Fatalf("want a %s, got a %s", kind, call.Kind)
	}
	b.accepted(kind)
	change(&b.item)
	b.tell(b.ended())
	return call
}

func (b *table) accepted(kind failover.StepKind) {
	b.jobs++
	b.fold(failover.StepAccepted{Target: b.item.Key, Kind: kind, JobID: fmt.Sprintf("/jobs/%d", b.jobs)}, "")
}

// ended is a job that has succeeded, and the item as it is now.
func (b *table) ended() failover.Observation {
	seen := b.looked()
	seen.Job, seen.JobAt = failover.Job{ID: fmt.Sprintf("/jobs/%d", b.jobs), State: failover.JobSucceeded, EndedAt: b.now}, b.now
	return seen
}

// The calls of Azure and what they make of an item.
func failsOver(i *failover.Item) {
	i.State, i.Active, i.Allowed = failover.StateCommitPending, i.To, []string{"Commit", "ChangePit"}
}

func commits(i *failover.Item) {
	i.State, i.Allowed = failover.StateCommitted, []string{"SwitchProtection"}
}

func drills(i *failover.Item) {
	i.TestState, i.Allowed = "WaitingForCleanup", []string{"UnplannedFailover", "TestFailoverCleanup"}
}

func cleansUp(i *failover.Item) {
	i.TestState, i.Allowed = "None", []string{"UnplannedFailover", "TestFailover"}
}

// turns is a reprotect with all of its initial replication.
func turns(i *failover.Item) {
	i.From, i.To, i.Active = i.To, i.From, i.To
	i.ID = "/vaults/v/containers/" + i.From + "/items/" + i.Name
	i.State, i.Allowed = failover.StateProtected, []string{"UnplannedFailover", "TestFailover"}
}

func asItIs(*failover.Item) {}

// inNorth is the VM of these tests after its failover, at home in west.
func (b *table) inNorth(state string, allowed ...string) {
	b.item.Home, b.item.State, b.item.Active, b.item.Allowed = "west", state, "north", allowed
}

// homing brings a failback to its first gate: from a committed VM, or from one that is replicated back already.
func (b *table) homing(first failover.StepKind) {
	b.t.Helper()
	b.inNorth(failover.StateCommitted, "SwitchProtection")
	if first == failover.StepFailover {
		turns(&b.item)
		b.item.Active = "north"
	}
	b.must(failover.VerbFailback, ana)
	b.gate(first)
}

// gate checks what the operation waits for.
func (b *table) gate(want failover.StepKind) {
	b.t.Helper()
	if stage, _ := b.op.Pending(); stage.Step != want {
		b.t.Fatalf("waits for %q, want %q: %s %+v", stage.Step, want, b.op.Phase, b.op.Targets)
	}
}

// presses is who decides pressing the button of the gate that waits.
func (b *table) presses(by failover.Actor) {
	b.t.Helper()
	if refusal := b.try(b.button(by)); refusal != nil {
		b.t.Fatalf("%s presses: %v", by.Name, refusal)
	}
}

func (b *table) button(by failover.Actor) failover.Command {
	stage, _ := b.op.Pending()
	verb := failover.VerbApprove
	if stage.Gate == failover.ClassCommit {
		verb = failover.VerbCommit
	}
	cmd := b.command(verb, by)
	cmd.Seen = b.op.Token(stage.Step)
	return cmd
}

// prepares reads what the gate is about.
func (b *table) prepares() {
	b.t.Helper()
	if _, ok := b.tell(b.looked())[0].(failover.Prepared); !ok {
		b.t.Fatal("it does not say what the gate is about")
	}
}

// refused gives a command that has to be refused, and returns all that is said.
func (b *table) refused(cmd failover.Command) string {
	b.t.Helper()
	before := b.seq
	refusal := b.try(cmd)
	if refusal == nil || b.seq != before {
		b.t.Fatalf("%s by %s was accepted", cmd.Verb, cmd.By.Name)
	}
	return refusal.Error()
}

func says(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("says %q, want %q in it", got, w)
		}
	}
}

// away, the whole of it: each gate has its own press, and the VM is held all the time.
func TestFailbackWholeWay(t *testing.T) {
	b := newTable(t, 1)
	b.homing(failover.StepReprotect)
	steps := []struct {
		kind   failover.StepKind
		change func(*failover.Item)
	}{{failover.StepReprotect, turns}, {failover.StepFailover, failsOver}, {failover.StepCheck, nil}, {failover.StepCommit, commits}, {failover.StepReprotectAgain, turns}}
	for i, s := range steps {
		b.now = b.now.Add(5 * 24 * time.Hour)
		if i == 0 {
			b.now = start
		}
		if s.kind == failover.StepFailover || s.kind == failover.StepReprotectAgain {
			b.reversal = &failover.Reversal{From: b.item.To, To: b.item.From}
			says(t, b.refused(b.button(ben)), "has not been read yet", "Wait until the card shows it")
			b.prepares()
		}
		if _, parked := b.next(failover.Observation{}).(failover.Park); !parked || failover.HasWork(b.op) {
			t.Fatalf("at the gate of the %s it waits for a person: %#v", s.kind, b.next(failover.Observation{}))
		}
		b.gate(s.kind)
		if len(b.op.Approvers(b.op.Gate())) != 0 {
			t.Fatalf("the gate of the %s begins with presses of another", s.kind)
		}
		b.presses(ben)
		b.phase(failover.Running)
		if s.change == nil {
			b.tell(failover.Observation{})
		} else {
			b.does(s.kind, s.change)
		}
		if b.op.Phase.Final() || b.op.Holds()[0] != b.item.Key {
			t.Fatal("it lets the VM go half-way")
		}
	}
	if _, ok := b.next(failover.Observation{}).(failover.Survey); !ok {
		t.Fatalf("at the end it looks what is left, got %#v", b.next(failover.Observation{}))
	}
	b.tell(failover.Observation{SurveyedAt: b.now, Leftovers: []failover.Leftover{{Kind: "disk", Name: "os"}}})
	b.tell(failover.Observation{})
	b.phase(failover.Succeeded)
	if len(b.op.Targets[0].Leftovers) != 1 {
		t.Errorf("leftovers %+v", b.op.Targets[0].Leftovers)
	}
}

// The places on the way that other tests begin at.

// drilled is a drill that has just worked.
func drilled(b *table) {
	b.must(failover.VerbTest, ana)
	b.does(failover.StepTest, drills)
}

// changing is a change of the recovery point before its call.
func changing(b *table) {
	b.failedOver()
	cmd := b.command(failover.VerbChange, ben)
	cmd.Point = failover.Point{Kind: failover.LatestApp}
	if refusal := b.try(cmd); refusal != nil {
		b.t.Fatal(refusal)
	}
}

// turningBack is a failback that was replicated back by Ferry, and whose failover Azure has taken.
func turningBack(b *table) {
	b.homing(failover.StepReprotect)
	b.presses(ben)
	b.does(failover.StepReprotect, turns)
	b.prepares()
	b.presses(ben)
	b.act(b.looked())
	b.accepted(failover.StepFailover)
}

// atCheck is a failback that waits for somebody's word that the VM works.
func atCheck(b *table) {
	b.homing(failover.StepFailover)
	b.presses(ben)
	b.does(failover.StepFailover, failsOver)
	b.gate(failover.StepCheck)
}

// atHome is a failback before its last press.
func atHome(b *table) {
	atCheck(b)
	b.presses(ben)
	b.tell(failover.Observation{})
	b.presses(ben)
	b.does(failover.StepCommit, commits)
	b.reversal = &failover.Reversal{From: b.item.To, To: b.item.From}
	b.prepares()
	b.gate(failover.StepReprotectAgain)
}

// noticed is somebody doing in the portal what a gate waits for.
func (b *table) noticed(change func(*failover.Item)) {
	b.t.Helper()
	change(&b.item)
	facts := failover.Noticed(b.op, []failover.Item{b.item})
	if len(facts) == 0 {
		b.t.Fatalf("nobody notices: %s %+v", b.op.Phase, b.item)
	}
	for _, f := range facts {
		b.fold(f, "")
	}
}

// incident declares one.
func incident(b *table, since time.Time) {
	cmd := b.command(failover.VerbIncident, ana)
	cmd.Target, cmd.Point = "", failover.Point{Kind: failover.AtTime, Time: since}
	if refusal := b.try(cmd); refusal != nil {
		b.t.Fatal(refusal)
	}
}

func (b *table) incidentOver() {
	b.t.Helper()
	cmd := b.command(failover.VerbIncident, ana)
	cmd.Target, cmd.Over = "", true
	if refusal := b.try(cmd); refusal != nil {
		b.t.Fatal(refusal)
	}
}
