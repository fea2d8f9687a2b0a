package executor

import (
	"context"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

func TestRequestExpires(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		other, _ := b.executor("two")
		stop1, stop2 := b.start(e), b.start(other)
		cmd := b.command(failover.VerbFailover, ana, "vm-x")
		b.stream.submit(cmd)
		pass(15*time.Minute - time.Second)
		b.phase(cmd.Op, failover.AwaitingApproval)
		pass(2 * time.Second)
		b.phase(cmd.Op, failover.Expired)
		b.holder("")
		if n := b.stream.count(cmd.Op, "finished"); n != 1 || b.vault.sent() != 0 {
			t.Errorf("it ended %d times, %d calls", n, b.vault.sent())
		}
		stop1()
		stop2()
	})
}

// Whoever may publish a command chooses its message id. None of them keeps a request from expiring, which would keep its VM for
// ever: nobody can decide it any more, and nobody take it back.
func TestNobodyForestallsTheExpiry(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		cmd := b.command(failover.VerbFailover, ana, "vm-x")
		b.must(e, cmd)
		forged := b.press(failover.VerbApprove, failover.Actor{ID: "cli:eve", Name: "cli:eve"}, cmd.Op)
		forged.MessageID = failover.MessageID(string(cmd.Op), "expire")
		if r := b.decide(e, forged); r == nil || r.Kind != failover.NotAllowed {
			t.Errorf("got %v", r)
		}
		pass(15 * time.Minute)
		e.expire(b.Context())
		b.phase(cmd.Op, failover.Expired)
		b.holder("")
	})
}

// The approval and the clock meet: whichever is stored first wins, and the other finds out.
func TestExpiryMeetsApproval(t *testing.T) {
	for _, first := range []string{"approve", "expire"} {
		t.Run(first, func(t *testing.T) {
			bubble(t, func(b *bench) {
				e, n := b.executor("one")
				other, _ := b.executor("two")
				cmd := b.command(failover.VerbFailover, ana, "vm-x")
				b.must(e, cmd)
				pass(15*time.Minute - time.Millisecond)
				approve := b.press(failover.VerbApprove, ben, cmd.Op)
				if first == "approve" {
					n.before = on("finished", func() { b.approveAt(other, approve) })
					pass(time.Millisecond)
					e.expire(b.Context())
					b.phase(cmd.Op, failover.Running)
					b.holder(cmd.Op)
					if b.stream.work(cmd.Op).seq == 0 {
						t.Error("nobody is told to drive it")
					}
					return
				}
				n.before = on("decided", func() { pass(time.Millisecond); other.expire(b.Context()) })
				if r := b.decide(e, approve); r == nil || r.Kind != failover.TooLate {
					t.Errorf("got %v", r)
				}
				b.phase(cmd.Op, failover.Expired)
				b.holder("")
			})
		})
	}
}

// approveAt is an approval by an executor whose clock is a little behind.
func (b *bench) approveAt(e *Executor, cmd failover.Command) {
	b.Helper()
	op := b.stream.load(cmd.Op)
	facts, refusal := failover.Decide(op, cmd, failover.Situation{Now: cmd.At, Policy: e.Policy})
	if refusal != nil {
		b.Fatal(refusal)
	}
	if _, err := e.append(b.Context(), op, failover.Batch{At: cmd.At, Command: cmd.MessageID, Facts: facts}); err != nil {
		b.Fatal(err)
	}
}

func TestHeldVM(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		first := b.command(failover.VerbFailover, ana, "vm-x")
		b.must(e, first)
		r := b.decide(e, b.command(failover.VerbFailover, ana, "vm-x"))
		if r == nil || r.Kind != failover.Busy {
			t.Fatalf("got %v", r)
		}
		want := "vm-x is already under way: " + string(first.Op) + ", asked for by ana at 2000-01-01 00:00 UTC, is awaiting approval. Type /failover status " + string(first.Op)
		if !strings.HasPrefix(r.Error(), want) {
			t.Errorf("got  %s\nwant %s", r.Error(), want)
		}
	})
}

// Two people ask for the same VM at the same moment: one operation, one refusal.
func TestTwoAskAtOnce(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		other, _ := b.executor("two")
		first, second := b.command(failover.VerbFailover, ana, "vm-x"), b.command(failover.VerbFailover, ana, "vm-x")
		n.before = on("requested", func() { b.must(other, second) })
		if r := b.decide(e, first); r == nil || r.Kind != failover.Busy {
			t.Errorf("got %v", r)
		}
		b.holder(second.Op)
	})
}

// The short id belongs to another command: the operation gets another one, and delivered again it is the same.
func TestSaltedID(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		n.behind = map[failover.OpID]failover.Operation{} // the board knows no answer
		cmd, other := b.command(failover.VerbFailover, ana, "vm-x"), b.command(failover.VerbFailover, ana, "vm-y")
		other.Op = cmd.Op
		b.must(e, other)
		for range 2 {
			if err := e.decide(b.Context(), cmd); err != nil {
				t.Fatal(err)
			}
		}
		salted := failover.OpIDOf(cmd.MessageID, 1)
		b.phase(salted, failover.AwaitingApproval)
		b.holder(salted)
		if op := b.phase(cmd.Op, failover.AwaitingApproval); op.Targets[0].Item.Name != "vm-y" || b.stream.count(salted, "requested") != 1 {
			t.Errorf("%+v", op)
		}
	})
}

// A command was refused, and then another one with the same short id was accepted: delivered again, the first stays refused.
func TestRefusedStaysRefusedUnderASharedID(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		n.behind = map[failover.OpID]failover.Operation{}
		cmd, other := b.command(failover.VerbFailover, ana, "vm-x"), b.command(failover.VerbFailover, ana, "vm-y")
		other.Op = cmd.Op
		b.vault.set("vm-x", func(i *failover.Item) { i.State = "InitialReplicationInProgress" })
		if r := b.decide(e, cmd); r == nil {
			t.Fatal("accepted")
		}
		b.must(e, other)
		b.vault.set("vm-x", func(i *failover.Item) { i.State = failover.StateProtected })
		if err := e.decide(b.Context(), cmd); err != nil {
			t.Fatal(err)
		}
		b.holder("")
	})
}

// Every command is delivered twice, to an executor whose board has seen nothing: each acts once.
func TestRedeliveredCommandsActOnce(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		n.behind = map[failover.OpID]failover.Operation{}
		twice := func(cmd failover.Command) {
			t.Helper()
			for range 2 {
				if err := e.decide(b.Context(), cmd); err != nil {
					t.Fatal(err)
				}
			}
		}
		ask := b.command(failover.VerbFailover, ana, "vm-x")
		twice(ask)
		twice(b.press(failover.VerbApprove, ben, ask.Op))
		if err := b.drive(e, ask.Op); err != nil {
			t.Fatal(err)
		}
		commit := b.command(failover.VerbCommit, ben, "vm-x")
		twice(commit)
		if err := b.drive(e, ask.Op); err != nil {
			t.Fatal(err)
		}
		twice(ask)
		b.phase(ask.Op, failover.Succeeded)
		b.calls(1, 1)
		for typ, want := range map[string]int{"requested": 1, "decided": 2, "gate_opened": 2, "refused": 0} {
			if n := b.stream.count(ask.Op, typ); n != want {
				t.Errorf("%d %s, want %d", n, typ, want)
			}
		}
	})
}

// A commit by the VM's name, delivered again after the end, finds the VM free: the board knows that it was answered.
func TestCommitByNameAfterTheEnd(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.failedOver(e)
		commit := b.command(failover.VerbCommit, ben, "vm-x")
		if err := e.decide(b.Context(), commit); err != nil {
			t.Fatal(err)
		}
		if err := b.drive(e, id); err != nil {
			t.Fatal(err)
		}
		b.phase(id, failover.Succeeded)
		if err := e.decide(b.Context(), commit); err != nil {
			t.Fatal(err)
		}
		if op := b.stream.load(commit.Op); op.Seq != 0 {
			t.Errorf("it was answered twice: %+v", op)
		}
	})
}

func TestStaleCommandIsRefusedWithoutAzure(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		cmd := b.command(failover.VerbFailover, ana, "vm-x")
		pass(failover.CommandValidity + time.Second)
		if r := b.decide(e, cmd); r == nil || r.Kind != failover.TooLate {
			t.Errorf("got %v", r)
		}
		if b.vault.lists+b.vault.reads != 0 {
			t.Error("Azure was asked for nothing")
		}
	})
}

// Azure is away: everybody gets an answer, and who has no right is told that.
func TestAzureDown(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.vault.trouble = silent()
		for by, kind := range map[failover.Actor]failover.RefusalKind{ana: failover.Unavailable, eve: failover.NotAllowed, ben: failover.NotAllowed} {
			if r := b.decide(e, b.command(failover.VerbFailover, by, "vm-x")); r == nil || r.Kind != kind {
				t.Errorf("%s: %v", by.Name, r)
			}
		}
		for by, kind := range map[failover.Actor]failover.RefusalKind{ana: failover.Unavailable, ben: failover.Unavailable, eve: failover.NotAllowed} {
			if r := b.decide(e, b.command(failover.VerbCommit, by, "vm-x")); r == nil || r.Kind != kind {
				t.Errorf("%s commits: %v", by.Name, r)
			}
		}
		b.holder("")
	})
}

// Whoever may not is refused before the item is read.
func TestOutsiderCausesNoReads(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		for _, verb := range []failover.Verb{failover.VerbFailover, failover.VerbCommit} {
			if r := b.decide(e, b.command(verb, eve, "vm-x")); r == nil || r.Kind != failover.NotAllowed {
				t.Errorf("%s: %v", verb, r)
			}
		}
		if b.vault.reads != 0 || b.vault.lists != 1 {
			t.Errorf("%d lists, %d reads", b.vault.lists, b.vault.reads)
		}
	})
}

// Azure answers, and refuses to show the item: nobody says that it did not answer.
func TestItemGoneWhenAsked(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.vault.gone = true
		r := b.decide(e, b.command(failover.VerbFailover, ana, "vm-x"))
		if r == nil || r.Message != "Azure refuses to show it: 404: vm-x is gone." || r.Hint != "Look at it in the vault." {
			t.Errorf("got %v", r)
		}
	})
}

// With no approvals needed it starts at once, and with the same batch somebody is told to drive it.
func TestNoApprovalsNeeded(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		e.Policy = policy(0)
		cmd := b.command(failover.VerbFailover, ana, "vm-x")
		b.must(e, cmd)
		b.phase(cmd.Op, failover.Running)
		if err := b.drive(e, cmd.Op); err != nil {
			t.Error(err)
		}
		b.phase(cmd.Op, failover.AwaitingCommit)
		b.calls(1, 0)
	})
}

// A VM that was failed over in the portal is taken, committed on the press and let go.
func TestForeignCommit(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.vault.set("vm-x", func(i *failover.Item) { i.State, i.Allowed = failover.StateCommitPending, []string{"Commit"} })
		cmd := b.command(failover.VerbCommit, ben, "vm-x")
		b.must(e, cmd)
		b.holder(cmd.Op)
		if err := b.drive(e, cmd.Op); err != nil {
			t.Error(err)
		}
		b.phase(cmd.Op, failover.Succeeded)
		b.calls(0, 1)
		b.holder("")
	})
}

// A command whose handling is cut off is not answered: it comes again.
func TestStoppedWhileDeciding(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.vault.late = time.Minute
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		cmd := b.command(failover.VerbFailover, ana, "vm-x")
		if err := e.decide(ctx, cmd); err == nil || b.stream.load(cmd.Op).Seq != 0 {
			t.Errorf("got %v", err)
		}
	})
}

// A press by the VM's name is delivered again when its operation is over and has let the VM go, to an executor whose board
// does not show it yet: it opens no second operation.
func TestPressByNameIsNoSecondOperation(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("a")
		id := b.failedOver(e)
		press := b.command(failover.VerbCommit, ana, "vm-x") // who may ask for it and not decide it
		if err := e.decide(b.Context(), press); err != nil {
			b.Fatal(err)
		}
		if a := b.stream.load(id).Answers[press.MessageID]; a.Did != failover.DidAskCommit {
			b.Fatalf("%+v", a)
		}
		b.must(e, b.press(failover.VerbCancel, ana, id))
		n.behind = map[failover.OpID]failover.Operation{}
		if err := e.decide(b.Context(), press); err != nil {
			b.Fatal(err)
		}
		if op := b.stream.load(press.Op); op.Seq != 0 {
			b.Errorf("a second operation: %+v", op)
		}
	})
}
