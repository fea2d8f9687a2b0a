package failover_test

import (
	"testing"
	"time"

	"ferry/failover"
)

const first, second, third = "/p/11111111-1111-1111-1111-111111111111", "/p/22222222-2222-2222-2222-222222222222", "/p/33333333-3333-3333-3333-333333333333"

// change is a typed wish for the point with an id.
func (b *table) change(by failover.Actor, id string) failover.Command {
	cmd := b.command(failover.VerbChange, by)
	cmd.Point = failover.Point{Kind: failover.ByID, ID: id}
	return cmd
}

func (b *table) asks(by failover.Actor, id string) {
	b.t.Helper()
	if refusal := b.try(b.change(by, id)); refusal != nil {
		b.t.Fatalf("%s asks for %s: %v", by.Name, id, refusal)
	}
}

// changeButton is the press on the wish as the card shows it now.
func (b *table) changeButton(by failover.Actor) failover.Command {
	cmd := b.command(failover.VerbChange, by)
	cmd.Target, cmd.Seen = "", b.op.Token(failover.StepChange)
	return cmd
}

func TestChangeBeforeTheCommitOnly(t *testing.T) {
	for name, reach := range map[string]func(*table){
		"before the approval": requested, "while it fails over": approved, "while it commits": committing,
		"while it changes": changing, "denied": denied,
	} {
		t.Run(name, func(t *testing.T) {
			b := newTable(t, 1)
			reach(b)
			b.refused(b.change(ben, first))
		})
	}
	b := newTable(t, 1)
	says(t, b.refused(b.change(ana, first)), "vm-x has not been failed over", "/failover vm-x POINT")
	b.item.State = failover.StateCommitted
	says(t, b.refused(b.change(ana, first)), "Azure has deleted its recovery points", "/failover list")
}

// By who may ask it is recorded, and the phase stays; the press of who decides does it, and the figures follow.
func TestChange(t *testing.T) {
	b := newTable(t, 1)
	b.failedOver()
	b.asks(ana, second)
	b.phase(failover.AwaitingCommit)
	b.gate(failover.StepCommit)
	if a := b.op.Answers[lastCommand(b, failover.VerbChange, ana)]; a.Did != failover.DidAskChange || failover.HasWork(b.op) {
		t.Errorf("answer %+v", a)
	}
	says(t, b.refused(b.changeButton(ana)), "You asked for it yourself")
	says(t, b.refused(b.changeButton(eve)), "You may not decide the change")
	if refusal := b.try(b.changeButton(ben)); refusal != nil {
		t.Fatal(refusal)
	}
	b.phase(failover.Running)
	if call := b.does(failover.StepChange, asItIs); call.PointID != second {
		t.Errorf("call %+v", call)
	}
	b.phase(failover.AwaitingCommit)
	b.gate(failover.StepCommit)
	target, at := b.op.Targets[0], start.Add(-65*time.Minute)
	if rpo, _ := b.op.RPO(); !target.PointUsed.Equal(at) || target.Shown.ID != second || rpo != 65*time.Minute || b.op.Change != nil {
		t.Errorf("point used %s, shown %+v, RPO %s, wish %+v", target.PointUsed, target.Shown, rpo, b.op.Change)
	}
	says(t, b.refused(b.change(ben, second)), "already uses the recovery point of")
	b.asks(ben, first) // and once more, which has its own request id
	again := b.act(b.looked())
	if again.PointID != first || again.ClientRequestID == target.Steps[len(target.Steps)-1].ClientRequestID {
		t.Errorf("call %+v", again)
	}
}

// lastCommand is the message id of the newest command of a verb by somebody.
func lastCommand(b *table, verb failover.Verb, by failover.Actor) string {
	return failover.MessageID("test", string(verb), by.ID, string(rune('a'+b.asked)))
}

// Typed by who decides it is the press; not by who asked for the operation.
func TestTypedChangeIsThePress(t *testing.T) {
	b := newTable(t, 1)
	b.failedOver()
	b.asks(ben, first)
	b.phase(failover.Running)

	b = newTable(t, 1)
	b.failedOver()
	b.asks(ana, first) // an approver, too
	b.phase(failover.AwaitingCommit)
	says(t, b.refused(b.change(ana, first)), "ana has already asked for the recovery point")
	b.asks(ben, first)
	b.phase(failover.Running)
}

// A second wish replaces the first, and who pressed for the first has not pressed for the second.
func TestSecondWish(t *testing.T) {
	b := newTable(t, 2)
	b.policy.Roles["approver"] = append(b.policy.Roles["approver"], "U0DEE", "U0EDA")
	dee, eda := failover.Actor{ID: "U0DEE", Name: "dee"}, failover.Actor{ID: "U0EDA", Name: "eda"}
	b.twoApprove()
	b.asks(ana, first)
	old := b.changeButton(dee)
	if refusal := b.try(b.changeButton(ben)); refusal != nil {
		t.Fatal(refusal)
	}
	says(t, b.refused(b.changeButton(ben)), "already approved")
	b.asks(ana, second)
	says(t, b.refused(old), "has moved on since that button was drawn")
	if refusal := b.try(b.changeButton(cleo)); refusal != nil {
		t.Fatal(refusal)
	}
	b.phase(failover.AwaitingCommit) // ben's was for another point
	b.asks(eda, second)              // typed for the same, it is the second press
	if call := b.act(b.looked()); call.PointID != second {
		t.Errorf("call %+v", call)
	}
}

// twoApprove brings a failover that two people approve to its commit.
func (b *table) twoApprove() {
	b.t.Helper()
	b.must(failover.VerbFailover, ana)
	b.presses(ben)
	b.presses(cleo)
	b.does(failover.StepFailover, failsOver)
	b.gate(failover.StepCommit)
}

// Who typed a wish again does not take back what others have pressed for it.
func TestSameWishKeepsPresses(t *testing.T) {
	b := newTable(t, 3)
	b.policy.Roles["approver"] = append(b.policy.Roles["approver"], "U0DEE")
	b.must(failover.VerbFailover, ana)
	b.presses(ben)
	b.presses(cleo)
	b.presses(failover.Actor{ID: "U0DEE"})
	b.does(failover.StepFailover, failsOver)
	b.asks(ben, first)
	b.asks(cleo, first)
	says(t, b.refused(b.change(ben, first)), "already approved")
	if n := len(b.op.Approvers(failover.ClassChange)); n != 2 {
		t.Errorf("%d presses stand, want 2", n)
	}
}

// The commit that somebody pressed for the old data, or whose button was drawn before, is not one of the new.
func TestCommitOfOtherData(t *testing.T) {
	b := newTable(t, 2)
	b.policy.Rules[0].Classes = []failover.Class{failover.ClassFailover, failover.ClassCommit}
	b.policy.Rules = append(b.policy.Rules, failover.Rule{Classes: []failover.Class{failover.ClassChange}, May: []string{"operator"}, Approvals: 1, Approvers: []string{"approver"}})
	b.twoApprove()
	b.presses(ben) // Commit, one of two
	old := b.button(cleo)
	b.now = b.now.Add(time.Minute)
	b.asks(cleo, first)
	b.does(failover.StepChange, asItIs)
	says(t, b.refused(old), "has moved on since that button was drawn")
	b.presses(cleo)
	b.phase(failover.AwaitingCommit)
	b.presses(ben)
	b.phase(failover.Running)
}

// The point is gone, or Azure's job fails: it is told, and the question is the commit again.
func TestFailedChange(t *testing.T) {
	for _, uncalled := range []bool{true, false} {
		b := newTable(t, 1)
		changing(b)
		if uncalled {
			b.points = b.points[:1]
			b.tell(b.looked())
		} else {
			b.act(b.looked())
			b.accepted(failover.StepChange)
			b.tell(failover.Observation{Job: failover.Job{ID: "/jobs/1", State: failover.JobFailed}, JobAt: b.now})
		}
		b.phase(failover.AwaitingCommit)
		b.gate(failover.StepCommit)
		if b.op.Targets[0].Error == nil || b.op.Change != nil {
			t.Errorf("error %+v, wish %+v", b.op.Targets[0].Error, b.op.Change)
		}
		if _, parked := b.next(failover.Observation{}).(failover.Park); !parked {
			t.Errorf("it goes on without a press: %#v", b.next(failover.Observation{}))
		}
		b.noticed(commits) // a commit in the portal ends it all the same
	}
}

// Failed over in the portal: the change opens an operation, and can be pressed, changed again and committed.
func TestChangeOfForeignFailover(t *testing.T) {
	b := newTable(t, 1)
	failsOver(&b.item)
	b.asks(ana, second)
	b.phase(failover.AwaitingApproval)
	if a := b.op.Answers[b.op.Asked]; a.Did != failover.DidRequest || b.op.Verb != failover.VerbChange {
		t.Errorf("answer %+v", a)
	}
	b.presses(ben)
	if call := b.does(failover.StepChange, asItIs); call.PointID != second {
		t.Errorf("call %+v", call)
	}
	b.gate(failover.StepCommit)
	b.asks(ben, first)
	b.points = b.points[1:]
	b.tell(b.looked()) // gone: the second change fails, the first stays
	b.gate(failover.StepCommit)
	b.phase(failover.AwaitingCommit)
	b.presses(ben)
	b.does(failover.StepCommit, commits)
	b.tell(failover.Observation{})
	b.phase(failover.Succeeded)
}

// Nobody has to approve: the change starts with the word, and the commit still waits for its press.
func TestChangeOfForeignFailoverAtOnce(t *testing.T) {
	b := newTable(t, 0)
	failsOver(&b.item)
	b.asks(ana, second)
	b.phase(failover.Running)
	if a := b.op.Answers[b.op.Asked]; a.Did != failover.DidStart {
		t.Errorf("answer %+v", a)
	}
	b.does(failover.StepChange, asItIs)
	b.phase(failover.AwaitingCommit)
}

// A commit of a foreign failover waits for a second press, and somebody wants other data first.
func TestChangeOfForeignCommit(t *testing.T) {
	b := newTable(t, 2)
	failsOver(&b.item)
	b.must(failover.VerbCommit, ben)
	b.phase(failover.AwaitingCommit)
	b.asks(cleo, first)
	if refusal := b.try(b.changeButton(ana)); refusal != nil {
		t.Fatal(refusal)
	}
	b.does(failover.StepChange, asItIs)
	b.gate(failover.StepCommit)
	if n := len(b.op.Approvers(failover.ClassCommit)); n != 0 {
		t.Errorf("%d presses of Commit stand for the data of before", n)
	}
}
