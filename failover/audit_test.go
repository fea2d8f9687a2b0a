package failover_test

import (
	"testing"

	"ferry/failover"
)

// Every decision names the rule that made it, also the no; and of a call one fact says by whom, by which approvals and of what.
func TestDecisionsNameTheirRule(t *testing.T) {
	b := newTable(t, 2)
	b.policy.Roles["approver"] = []string{ben.ID, cleo.ID}
	ref := func(facts []failover.Fact) failover.RuleRef {
		if asked, ok := facts[0].(failover.Requested); ok {
			return asked.Rule
		}
		decided, ok := facts[0].(failover.Decided)
		if !ok {
			t.Fatalf("got %#v", facts)
		}
		return decided.Rule
	}
	decide := func(op failover.Operation, cmd failover.Command) ([]failover.Fact, *failover.Refusal) {
		return failover.Decide(op, cmd, failover.Situation{Now: b.now, Policy: b.policy, Item: b.item, Points: b.points})
	}
	facts, _ := decide(b.op, b.command(failover.VerbFailover, ana))
	rule := ref(facts)
	if rule.Name != "access.rules[0]" || len(rule.Hash) != 32 {
		t.Errorf("asked for by %+v", rule)
	}
	_, refusal := decide(b.op, b.command(failover.VerbFailover, eve))
	if refusal.Rule != rule {
		t.Errorf("refused by %+v, want %+v", refusal.Rule, rule)
	}
	if _, refusal = decide(b.op, b.command(failover.VerbTest, eve)); refusal.Rule.Name != "access.rules[1]" || refusal.Rule.Hash == rule.Hash {
		t.Errorf("a drill is refused by %+v", refusal.Rule)
	}
	rules := b.policy.Rules
	b.policy.Rules = nil
	if _, refusal = decide(b.op, b.command(failover.VerbFailover, ana)); refusal.Rule != (failover.RuleRef{Name: "none"}) {
		t.Errorf("without a rule it is refused by %+v", refusal.Rule)
	}
	b.policy.Rules = rules

	b.must(failover.VerbFailover, ana)
	if _, refusal = decide(b.op, b.command(failover.VerbApprove, eve)); refusal.Rule != rule {
		t.Errorf("a press is refused by %+v", refusal.Rule)
	}
	if facts, _ = decide(b.op, b.command(failover.VerbDeny, ben)); ref(facts) != rule {
		t.Errorf("denied by %+v", ref(facts))
	}
	if facts, _ = decide(b.op, b.command(failover.VerbApprove, ben)); ref(facts) != rule {
		t.Errorf("approved by %+v", ref(facts))
	}
	b.policy.Rules[0].Expires++ // a rule of other words has another hash; what is open keeps its own
	if facts, _ = decide(b.op, b.command(failover.VerbApprove, ben)); ref(facts) != rule {
		t.Errorf("approved by %+v", ref(facts))
	}
	if facts, _ = decide(failover.Operation{}, b.command(failover.VerbFailover, ana)); ref(facts).Hash == rule.Hash {
		t.Error("the hash does not tell rules apart")
	}

	b.must(failover.VerbApprove, ben)
	b.must(failover.VerbApprove, cleo)
	act, ok := b.next(b.looked()).(failover.Act)
	if !ok {
		t.Fatalf("next is %#v", b.next(b.looked()))
	}
	if in := act.Intent; in.RequestedBy != ana || len(in.ApprovedBy) != 2 || in.ApprovedBy[0] != ben || in.ApprovedBy[1] != cleo || in.Plan != b.op.Plan.Digest || in.Plan == "" {
		t.Errorf("the intent says %+v", in)
	}
}
