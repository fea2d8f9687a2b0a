package failover_test

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// homing are two VMs on their way home, the first step of both begun.
func homing(t *testing.T) *groupRun {
	t.Helper()
	f := &groupRun{t: t, seen: map[string]failover.Observation{}, now: start}
	ask := failover.Requested{Op: "op-aaaaaaaa", Verb: failover.VerbFailback, By: ana, Plan: failover.Plan{Rule: policy(1).Rules[0]}}
	for _, name := range []string{"sql-1", "sql-2"} {
		ask.Targets = append(ask.Targets, failover.Target{Item: item(name, failover.StateCommitted, "SwitchProtection"), Phase: failover.AwaitingApproval})
	}
	f.tell(ask)
	f.opens(failover.StepReprotect)
	return f
}

// opens lets somebody open a gate of the class failback.
func (f *groupRun) opens(step failover.StepKind) {
	f.t.Helper()
	for i := range f.op.Targets { // what it is about has been read
		if one := f.op.Targets[i]; one.Unplanned {
			f.tell(failover.Prepared{Target: one.Item.Key, Item: one.Item, Digest: "d"})
		}
	}
	if stage, _ := f.op.Pending(); stage.Step != step {
		f.t.Fatalf("it waits for the %s, not for the %s", stage.Step, step)
	}
	f.tell(failover.Decided{Gate: failover.ClassFailback, Step: step, By: ben, Approve: true}, failover.GateOpened{Gate: failover.ClassFailback, Step: step})
	for _, one := range f.op.Targets {
		if one.Phase == failover.Running && one.Doing == step && step != failover.StepCheck {
			f.tell(failover.StepStarted{Target: one.Item.Key, Kind: step, Attempt: 1}, failover.StepAccepted{Target: one.Item.Key, Kind: step, JobID: "j"})
		}
	}
}

// Each gate of the way home is decided on its own, also when the step before it failed for the last of several.
func TestGatesOfSeveralOnTheWayHome(t *testing.T) {
	t.Parallel()
	for _, failsLast := range []bool{false, true} {
		f := homing(t)
		done, failed := failover.StepDone{Target: f.key("sql-1"), Kind: failover.StepReprotect}, failover.StepFailed{Target: f.key("sql-2"), Kind: failover.StepReprotect}
		if failsLast {
			f.tell(done, failed)
		} else {
			f.tell(failed, done)
		}
		f.wants(string(f.op.Phase), "awaiting_approval")
		if by := f.op.Approvers(failover.ClassFailback); len(by) != 0 {
			t.Errorf("%v approved the failover home before it could be asked for", by)
		}
		again := failover.Command{MessageID: "r", Op: f.op.ID, Verb: failover.VerbRetry, By: ana, At: f.now, ValidUntil: f.now.Add(time.Minute)}
		_, refusal := failover.Decide(f.op, again, failover.Situation{Now: f.now, Policy: policy(1)})
		if refusal == nil || !strings.Contains(refusal.Message, "used up") {
			t.Errorf("another try without a decision: %v", refusal)
		}
	}
}

// VMs that stand before different gates go through each on a word of its own: none skips the step that failed for it.
func TestOneStaysBehindOnTheWayHome(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"sql-1", "sql-2"} {
		second := map[string]string{"sql-1": "sql-2", "sql-2": "sql-1"}[first]
		f := homing(t)
		f.tell(failover.StepDone{Target: f.key(first), Kind: failover.StepReprotect}, failover.StepDone{Target: f.key(second), Kind: failover.StepReprotect})
		f.opens(failover.StepFailover)
		f.ends(first)
		f.fails(second)
		stage, _ := f.op.Pending()
		f.opens(stage.Step)
		for _, one := range f.op.Targets {
			want := map[bool]failover.StepKind{true: failover.StepCheck, false: failover.StepFailover}[one.Item.Name == first]
			if one.Doing != want || (one.Phase == failover.Running) != (stage.Step == want) {
				t.Errorf("%s came as far as the %s, and stands before the %s: %s", one.Item.Name, want, one.Doing, one.Phase)
			}
		}
	}
}
