package failover_test

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// Each row brings an operation somewhere, gives a command, and says how it is answered: the kind of refusal, or none.
func TestWhoMayDecideWhat(t *testing.T) {
	rows := []struct {
		name  string
		reach func(*table)
		verb  failover.Verb
		by    failover.Actor
		kind  failover.RefusalKind // "" is accepted
		phase failover.Phase
		says  string
	}{
		{name: "outsider asks", verb: failover.VerbFailover, by: eve, kind: failover.NotAllowed, says: "You may not fail over vm-x"},
		{name: "approver who may not ask", verb: failover.VerbFailover, by: ben, kind: failover.NotAllowed},
		{name: "requester approves", reach: requested, verb: failover.VerbApprove, by: ana, kind: failover.NotAllowed, phase: failover.AwaitingApproval, says: "You asked for it yourself"},
		{name: "outsider approves", reach: requested, verb: failover.VerbApprove, by: eve, kind: failover.NotAllowed, phase: failover.AwaitingApproval},
		{name: "approver approves", reach: requested, verb: failover.VerbApprove, by: ben, phase: failover.Running},
		{name: "second approver is late", reach: approved, verb: failover.VerbApprove, by: cleo, kind: failover.TooLate, phase: failover.Running, says: "already approved by ben at 2026-11-23 03:00 UTC"},
		{name: "approver denies", reach: requested, verb: failover.VerbDeny, by: ben, phase: failover.Denied},
		{name: "outsider denies", reach: requested, verb: failover.VerbDeny, by: eve, kind: failover.NotAllowed, phase: failover.AwaitingApproval},
		{name: "deny after the start", reach: approved, verb: failover.VerbDeny, by: ben, kind: failover.TooLate, phase: failover.Running},
		{name: "requester withdraws", reach: requested, verb: failover.VerbWithdraw, by: ana, phase: failover.Cancelled},
		{name: "approver withdraws", reach: requested, verb: failover.VerbWithdraw, by: ben, phase: failover.Cancelled},
		{name: "outsider withdraws", reach: requested, verb: failover.VerbWithdraw, by: eve, kind: failover.NotAllowed, phase: failover.AwaitingApproval},
		{name: "commit before the approval", reach: requested, verb: failover.VerbCommit, by: ben, kind: failover.WrongState, phase: failover.AwaitingApproval, says: "has not been approved"},
		{name: "commit while it fails over", reach: approved, verb: failover.VerbCommit, by: ben, kind: failover.WrongState, phase: failover.Running},
		{name: "approver commits", reach: (*table).failedOver, verb: failover.VerbCommit, by: ben, phase: failover.Running},
		{name: "requester types commit: the approvers are told", reach: (*table).failedOver, verb: failover.VerbCommit, by: ana, phase: failover.AwaitingCommit},
		{name: "outsider commits", reach: (*table).failedOver, verb: failover.VerbCommit, by: eve, kind: failover.NotAllowed, phase: failover.AwaitingCommit},
		{name: "approve at the commit", reach: (*table).failedOver, verb: failover.VerbApprove, by: ben, kind: failover.WrongState, phase: failover.AwaitingCommit, says: "/failover commit op-aaaaaaaa"},
		{name: "cancel a running failover", reach: func(b *table) { b.running() }, verb: failover.VerbCancel, by: ana, kind: failover.WrongState, phase: failover.Running, says: "not cancelled: Azure has already"},
		{name: "cancel a call whose answer was lost", reach: called, verb: failover.VerbCancel, by: ana, kind: failover.WrongState, phase: failover.Running, says: "not known yet whether Azure took the call"},
		{name: "cancel before the call", reach: approved, verb: failover.VerbCancel, by: ana, phase: failover.Cancelled},
		{name: "cancel a commit under way", reach: committing, verb: failover.VerbCancel, by: ana, kind: failover.WrongState, phase: failover.Running, says: "cannot be stopped"},
		{name: "cancel what has just failed", reach: justFailed, verb: failover.VerbCancel, by: ana, kind: failover.TooLate, phase: failover.Running, says: "just ending"},
		{name: "commit without a rule for it", reach: uncommittable, verb: failover.VerbCommit, by: ben, kind: failover.NotAllowed, phase: failover.AwaitingCommit, says: "No rule lets anybody commit op-aaaaaaaa.Commit it in the portal"},
		{name: "cancel at the commit", reach: (*table).failedOver, verb: failover.VerbCancel, by: ana, phase: failover.Cancelled},
		{name: "cancel by an approver without the class", reach: (*table).failedOver, verb: failover.VerbCancel, by: ben, kind: failover.NotAllowed, phase: failover.AwaitingCommit},
		{name: "cancel what has not started", reach: requested, verb: failover.VerbCancel, by: ana, kind: failover.WrongState, phase: failover.AwaitingApproval, says: "/failover withdraw"},
		{name: "approve what is over", reach: denied, verb: failover.VerbApprove, by: ben, kind: failover.TooLate, phase: failover.Denied, says: "is over: denied"},
		{name: "approve nothing", verb: failover.VerbApprove, by: ben, kind: failover.UnknownName},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			b := newTable(t, 1)
			if r.reach != nil {
				r.reach(b)
			}
			refusal := b.try(b.command(r.verb, r.by))
			switch {
			case refusal == nil && r.kind != "":
				t.Fatalf("accepted, want a refusal of kind %s", r.kind)
			case refusal != nil && refusal.Kind != r.kind:
				t.Fatalf("refused as %s: %v", refusal.Kind, refusal)
			case refusal != nil && !strings.Contains(refusal.Message+refusal.Hint, r.says):
				t.Fatalf("says %q, want %q in it", refusal.Error(), r.says)
			}
			b.phase(r.phase)
		})
	}
}

func requested(b *table) { b.must(failover.VerbFailover, ana) }

func approved(b *table) {
	requested(b)
	b.must(failover.VerbApprove, ben)
}

func called(b *table) {
	approved(b)
	b.act(b.looked())
}

func committing(b *table) {
	b.failedOver()
	b.must(failover.VerbCommit, ben)
	b.act(b.looked())
}

func justFailed(b *table) {
	called(b)
	b.fold(failover.StepFailed{Target: b.item.Key, Kind: failover.StepFailover, Fault: failover.Fault{Message: "no"}}, "")
}

func uncommittable(b *table) {
	b.policy.Rules[0].Classes = []failover.Class{failover.ClassFailover}
	b.failedOver()
}

func denied(b *table) {
	requested(b)
	b.must(failover.VerbDeny, ben)
}

func TestTwoApprovalsOfTwoPeople(t *testing.T) {
	b := newTable(t, 2)
	requested(b)
	b.must(failover.VerbApprove, ben)
	b.phase(failover.AwaitingApproval)
	if refusal := b.try(b.command(failover.VerbApprove, ben)); refusal == nil {
		t.Fatal("one person counts once")
	}
	b.must(failover.VerbApprove, cleo)
	b.phase(failover.Running)
}

func TestSameCommandTwiceActsOnce(t *testing.T) {
	b := newTable(t, 1)
	requested(b)
	cmd := b.command(failover.VerbApprove, ben)
	if refusal := b.try(cmd); refusal != nil {
		t.Fatal(refusal)
	}
	before := b.seq
	if refusal := b.try(cmd); refusal != nil || b.seq != before {
		t.Fatalf("delivered again it does nothing: %v", refusal)
	}
}

func TestOldClickDoesNotAct(t *testing.T) {
	b := newTable(t, 1)
	requested(b)
	cmd := b.command(failover.VerbApprove, ben)
	b.now = b.now.Add(failover.CommandValidity + time.Second)
	if refusal := b.try(cmd); refusal == nil || refusal.Kind != failover.TooLate {
		t.Fatalf("want too late, got %v", refusal)
	}
}

func TestRequestExpires(t *testing.T) {
	b := newTable(t, 1)
	requested(b)
	if facts, refusal := failover.Decide(b.op, b.command(failover.VerbExpire, failover.Actor{ID: "ferry"}), failover.Situation{Now: b.now}); len(facts) != 0 || refusal != nil {
		t.Fatal("not before its time")
	}
	b.now = failover.WakeAt(b.op)
	if refusal := b.try(b.command(failover.VerbApprove, ben)); refusal == nil || refusal.Kind != failover.TooLate {
		t.Fatalf("an approval at the very moment is too late: %v", refusal)
	}
	b.must(failover.VerbExpire, failover.Actor{ID: "ferry"})
	b.phase(failover.Expired)
}

func TestHeldVM(t *testing.T) {
	b := newTable(t, 1)
	b.holder = failover.Operation{ID: "op-bbbbbbbb", Phase: failover.Running, RequestedBy: cleo, RequestedAt: start}
	refusal := b.try(b.command(failover.VerbFailover, ana))
	if refusal == nil || refusal.Kind != failover.Busy || !strings.Contains(refusal.Message, "op-bbbbbbbb, asked for by cleo at 2026-11-23 03:00 UTC") {
		t.Fatalf("says who holds it and since when: %v", refusal)
	}
}

// Failed over in the portal: `commit vm-x` opens an operation, and is the press when who types it decides.
func TestForeignCommit(t *testing.T) {
	for who, phase := range map[failover.Actor]failover.Phase{ana: failover.Running, ben: failover.Running, eve: ""} {
		b := newTable(t, 1)
		b.item = item("vm-x", failover.StateCommitPending, "Commit")
		refusal := b.try(b.command(failover.VerbCommit, who))
		b.phase(phase)
		if (refusal != nil) != (phase == "") {
			t.Fatalf("%s: %v", who.Name, refusal)
		}
	}
	b := newTable(t, 2)
	b.item = item("vm-x", failover.StateCommitPending, "Commit")
	b.must(failover.VerbCommit, ben)
	b.phase(failover.AwaitingCommit)
}

func TestNoRuleNoRight(t *testing.T) {
	b := newTable(t, 1)
	b.policy = failover.Policy{}
	if refusal := b.try(b.command(failover.VerbFailover, ana)); refusal == nil || refusal.Kind != failover.NotAllowed {
		t.Fatalf("want not allowed, got %v", refusal)
	}
}

func TestFirstMatchingRuleDecides(t *testing.T) {
	p := failover.Policy{Rules: []failover.Rule{
		{Match: failover.Match{VM: []string{"prod-*", "PROD2-*"}}, Classes: []failover.Class{failover.ClassFailover}, Approvals: 2},
		{Match: failover.Match{VM: []string{"*"}}, Classes: []failover.Class{failover.ClassFailover}, Approvals: 0},
	}}
	for name, approvals := range map[string]int{"prod-sql": 2, "Prod2-web": 2, "test-1": 0} {
		if r, ok := p.RuleFor(failover.ClassFailover, failover.Item{Name: name}); !ok || r.Approvals != approvals {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if _, ok := p.RuleFor(failover.ClassCommit, failover.Item{Name: "prod-sql"}); ok {
		t.Error("no rule names commit, so nobody may")
	}
}

// All sendings of a form would open the same operation, and one does.
func TestOneFormOpensOneOperation(t *testing.T) {
	form := failover.MessageID("T1", "view", "V1")
	first, second := failover.Sending(form, "press 1"), failover.Sending(form, "press 2")
	id := failover.OpIDOf(first, 0)
	if first == second || failover.Sending(form, "press 1") != first || failover.OpIDOf(second, 0) != id {
		t.Fatalf("sendings %s %s of %s", first, second, id)
	}
	cmd := failover.Command{MessageID: first, Op: id, Verb: failover.VerbFailover, Target: "vm-x", By: failover.Actor{ID: "U0ANA"}}
	refused := failover.Fold(failover.Operation{ID: id}, failover.Batch{Command: first, Facts: []failover.Fact{failover.Refused{Verb: cmd.Verb, Refusal: failover.Refusal{Kind: failover.Busy}}}})
	if refused.SentBefore(second) {
		t.Error("what was refused cannot be sent again")
	}
	opened := failover.Fold(refused, failover.Batch{Command: second, Facts: []failover.Fact{failover.Requested{Op: id, Verb: cmd.Verb}}})
	cmd.MessageID = failover.Sending(form, "press 3")
	facts, refusal := failover.Decide(opened, cmd, failover.Situation{Item: failover.Item{Key: "k"}})
	if facts != nil || refusal == nil || refusal.Kind != failover.TooLate || !strings.Contains(refusal.Message, "sent before") {
		t.Errorf("a sending more came to %v, %v", facts, refusal)
	}
	if opened.SentBefore(second) || opened.SentBefore(failover.MessageID("T1", "view", "V2")) {
		t.Error("another request is taken for one of the form")
	}
}
