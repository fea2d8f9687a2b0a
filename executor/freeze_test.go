package executor

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

func (b *bench) freezes(e *Executor, pattern string) {
	b.Helper()
	cmd := b.command(failover.VerbFreeze, ana, pattern)
	cmd.Reason = "storm"
	b.must(e, cmd)
}

// stopped is a failover of vm-x that asks anew, because somebody has frozen it.
func (b *bench) stopped(id failover.OpID) {
	b.Helper()
	op := b.phase(id, failover.AwaitingApproval)
	if op.Lapsed == nil || !strings.Contains(op.Lapsed.Why, "ana has frozen new work on") || !strings.Contains(op.Lapsed.Why, "storm") {
		b.Errorf("it does not say why: %+v", op.Lapsed)
	}
	if n := b.vault.sent(); n != 0 {
		b.Errorf("%d calls in spite of the freeze", n)
	}
}

// A freeze between the approval and the call: nothing is called.
func TestFrozenBeforeItBegins(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.freezes(e, "vm-*")
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		b.stopped(id)
		if r := b.decide(e, b.press(failover.VerbApprove, ben, id)); r == nil || r.Kind != failover.Frozen {
			t.Errorf("approved again behind the freeze: %v", r)
		}
		b.must(e, b.command(failover.VerbUnfreeze, ana, "vm-*"))
		b.must(e, b.press(failover.VerbApprove, ben, id))
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		b.phase(id, failover.AwaitingCommit)
		b.calls(1, 0)
	})
}

// A freeze that comes at the last moment, when the driver has looked and its intent is stored.
func TestFrozenAfterTheIntent(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		other, _ := b.executor("two")
		id := b.approved(e)
		n.after = on("step_started", func() { b.freezes(other, "") })
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		b.stopped(id)
	})
}

// What runs goes on, and what is half-way is finished.
func TestFrozenWhileItRuns(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.vault.onCall = func(failover.Call) { b.freezes(e, "") }
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		b.phase(id, failover.AwaitingCommit)
		b.vault.onCall = nil
		b.must(e, b.press(failover.VerbCommit, ben, id))
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		b.phase(id, failover.Succeeded)
		b.calls(1, 1)
	})
}

// Whatever waits behind a freeze says so, and says so no more when it is over; a freeze waits for no Azure.
func TestWaitsBehindAFreeze(t *testing.T) {
	bubble(t, func(b *bench) {
		one, _ := b.executor("one")
		two, _ := b.executor("two")
		cmd := b.command(failover.VerbFailover, ana, "vm-x")
		b.must(one, cmd)
		b.freezes(one, "vm-x")
		b.freezes(one, "vm-*")
		stop1, stop2 := b.start(one), b.start(two)
		pass(time.Minute)
		if op := b.stream.load(cmd.Op); len(op.Frozen) != 2 {
			t.Errorf("it waits behind %+v", op.Frozen)
		}
		b.stream.submit(b.command(failover.VerbUnfreeze, ana, "vm-*"))
		b.stream.submit(b.command(failover.VerbUnfreeze, ana, "vm-x"))
		pass(time.Minute)
		if op := b.stream.load(cmd.Op); len(op.Frozen) != 0 {
			t.Errorf("it waits behind %+v", op.Frozen)
		}
		if n := b.stream.count(cmd.Op, "halted"); n > 3 {
			t.Errorf("told %d times", n)
		}
		stop1()
		stop2()
	})
}

// A second freeze of a pattern is refused with who holds the first.
func TestFrozenTwice(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.freezes(e, "VM-x")
		again := b.command(failover.VerbFreeze, ana, "vm-X")
		again.Reason = "another storm"
		if r := b.decide(e, again); r == nil || r.Kind != failover.Busy || !strings.Contains(r.Message, "storm") {
			t.Errorf("%+v", r)
		}
	})
}

// Two executors remind once of a broken glass that nobody reviews, every four hours, also when it is over.
func TestReminderOfAReview(t *testing.T) {
	bubble(t, func(b *bench) {
		one, _ := b.executor("one")
		two, _ := b.executor("two")
		one.Policy.BreakGlass = &failover.BreakGlass{Role: "operator"}
		two.Policy.BreakGlass = one.Policy.BreakGlass
		stop1, stop2 := b.start(one), b.start(two)
		cmd := b.command(failover.VerbFailover, ana, "vm-x")
		cmd.BreakGlass, cmd.Reason = true, "the region is down"
		b.stream.submit(cmd)
		pass(failover.RemindEvery - time.Minute)
		if n := b.stream.load(cmd.Op).Glass.Reminders; n != 0 {
			t.Errorf("%d reminders too early", n)
		}
		pass(2*time.Minute + failover.RemindEvery)
		op := b.stream.load(cmd.Op)
		if op.Glass.Reminders != 2 || op.Phase != failover.AwaitingCommit {
			t.Errorf("%s, %d reminders", op.Phase, op.Glass.Reminders)
		}
		review := b.press(failover.VerbApprove, ben, cmd.Op)
		review.At, review.ValidUntil = time.Now(), time.Now().Add(time.Minute)
		b.stream.submit(review)
		pass(3 * failover.RemindEvery)
		if op := b.stream.load(cmd.Op); op.Unreviewed() || op.Glass.Reminders != 2 {
			t.Errorf("%+v", op.Glass)
		}
		stop1()
		stop2()
	})
}
