package failover_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ferry/failover"
)

func manyTargets(n int) failover.Requested {
	r := failover.Requested{Op: "op-aaaaaaaa", Verb: failover.VerbFailover, By: failover.Actor{ID: "U0ANA"}, Reason: "fire"}
	for i := range n {
		r.Targets = append(r.Targets, failover.Target{Item: failover.Item{Key: fmt.Sprint(i)}, Phase: failover.AwaitingApproval})
	}
	return r
}

func foldAll(op failover.Operation, facts ...failover.Fact) failover.Operation {
	for i, f := range facts {
		op = failover.Evolve(op, failover.Record{Fact: f, At: time.Unix(1000, 0), Seq: op.Seq + 1 + uint64(i), Command: "m1"})
	}
	return op
}

// What was written in parts is the same operation as what was written at once, and nothing of it counts before it is accepted.
func TestDraftBecomesTheOperation(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 64, 65, 1000} {
		whole := foldAll(failover.Operation{}, manyTargets(n))
		facts := append(failover.DraftOf(manyTargets(n)), failover.Taken{Held: n})
		draft := foldAll(failover.Operation{}, facts...)
		if draft.Exists() || len(draft.Answers) != 0 || draft.Draft == nil || draft.Draft.Held != n || len(draft.Draft.Keys()) != n {
			t.Errorf("%d: the draft counts already: %+v", n, draft)
		}
		accepted := foldAll(draft, failover.DraftAccepted{})
		accepted.Seq = whole.Seq
		if diff := cmp.Diff(whole, accepted); diff != "" {
			t.Errorf("%d: (-at once +in parts):\n%s", n, diff)
		}
		abandoned := foldAll(draft, failover.Abandoned{})
		if abandoned.Exists() || abandoned.Draft != nil || len(abandoned.Answers) != 0 || draft.Draft == nil {
			t.Errorf("%d: left over: %+v", n, abandoned)
		}
		if again := foldAll(abandoned, append(facts, failover.DraftAccepted{})...); len(again.Targets) != n || !again.Exists() {
			t.Errorf("%d: asked again it has %d targets", n, len(again.Targets))
		}
	}
}

// A VM that a draft holds is not free.
func TestDraftHolds(t *testing.T) {
	t.Parallel()
	holder := foldAll(failover.Operation{}, failover.DraftOf(manyTargets(2))...)
	all := failover.Rule{Match: failover.Match{VM: []string{"*"}}, Classes: []failover.Class{failover.ClassFailover, failover.ClassCommit}, May: []string{"operator"}}
	s := failover.Situation{
		Now: time.Unix(2000, 0), Holder: holder, Policy: failover.Policy{Roles: map[string][]string{"operator": {"U0BEN"}}, Rules: []failover.Rule{all}},
		Item: failover.Item{Key: "1", Name: "vm-x", State: failover.StateCommitPending, Allowed: []string{"Commit"}},
	}
	for _, verb := range []failover.Verb{failover.VerbFailover, failover.VerbCommit} {
		cmd := failover.Command{MessageID: "m2", Op: "op-bbbbbbbb", Verb: verb, By: failover.Actor{ID: "U0BEN"}, Target: "vm-x", At: s.Now, ValidUntil: s.Now.Add(failover.CommandValidity)}
		facts, refusal := failover.Decide(failover.Operation{ID: "op-bbbbbbbb"}, cmd, s)
		if refusal == nil || refusal.Kind != failover.Busy || len(facts) != 0 {
			t.Errorf("%s: %v, %+v", verb, facts, refusal)
		}
	}
}
