package failover_test

import (
	"testing"
	"time"

	"ferry/failover"
)

// several is a reprotect of three VMs that one approval has let begin, each for itself.
func several(t *testing.T) (failover.Operation, map[string]failover.Observation) {
	t.Helper()
	s := failover.Situation{Now: start, Policy: policy(1)}
	seen := map[string]failover.Observation{}
	for _, name := range []string{"sql", "app", "web"} {
		i := item(name, failover.StateCommitted, "SwitchProtection")
		s.Members = append(s.Members, failover.Member{Item: i, Reversal: back()})
		seen[i.Key] = failover.Observation{Item: i, LookedAt: start, Reversal: back(), TurnedAt: start, Policy: s.Policy, PolicyAt: start}
	}
	cmd := failover.Command{MessageID: "m", Op: "op-aaaaaaaa", Verb: failover.VerbReprotect, By: ana, At: start, ValidUntil: start.Add(time.Minute)}
	facts, refusal := failover.Decide(failover.Operation{}, cmd, s)
	if refusal != nil {
		t.Fatal(refusal)
	}
	gate := failover.GateOpened{Gate: failover.ClassReprotect, Step: failover.StepReprotect}
	facts = append(facts, failover.Decided{Gate: gate.Gate, Step: gate.Step, By: ben, Approve: true}, gate)
	return failover.Fold(failover.Operation{}, failover.Batch{At: start, Facts: facts}), seen
}

// A reprotect of a group keeps its name, by which people look for it; that of VMs in a row has none.
func TestReprotectOfAGroup(t *testing.T) {
	for _, name := range []string{"shop", ""} {
		s := failover.Situation{Now: start, Policy: policy(1), Fleet: &failover.Fleet{Name: name, Waves: []failover.Wave{{}, {After: []int{1}}}}}
		for n, vm := range []string{"sql", "app"} {
			s.Members = append(s.Members, failover.Member{Item: item(vm, failover.StateCommitted, "SwitchProtection"), Reversal: back(), Wave: n + 1})
		}
		cmd := failover.Command{MessageID: "m", Op: "op-aaaaaaaa", Verb: failover.VerbReprotect, Group: true, Target: "shop", By: ana, At: start, ValidUntil: start.Add(time.Minute)}
		facts, refusal := failover.Decide(failover.Operation{}, cmd, s)
		if refusal != nil {
			t.Fatal(refusal)
		}
		f := failover.Fold(failover.Operation{}, failover.Batch{At: start, Facts: facts}).Plan.Fleet
		if (f != nil) != (name != "") || f != nil && (f.Name != name || len(f.Waves) != 1) {
			t.Errorf("%q: %+v", name, f)
		}
	}
}

// One approval is for each VM of several: that the step of one fails takes it from none of the others.
func TestApprovalOfSeveralOutlivesAFailure(t *testing.T) {
	op, seen := several(t)
	var called []string
	for range op.Targets {
		target, e := next(op, seen, start)
		act, ok := e.(failover.Act)
		if !ok {
			t.Fatalf("after the calls for %v next is %#v", called, e)
		}
		if by := act.Intent.ApprovedBy; len(by) != 1 || by[0] != ben {
			t.Errorf("approved by %v", by)
		}
		called = append(called, act.Call.Item.Name)
		op = failover.Fold(op, failover.Batch{At: start, Facts: []failover.Fact{act.Intent, failover.StepFailed{Target: target, Kind: failover.StepReprotect, Fault: failover.Fault{Message: "no quota"}}}})
	}
	if len(called) != 3 {
		t.Errorf("called for %v", called)
	}
}
