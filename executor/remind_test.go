package executor

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// reminders are the words on an operation, and when the newest was said.
func (b *bench) reminders(id failover.OpID, want int) {
	b.Helper()
	if n := b.stream.count(id, "reminded"); n != want || b.stream.load(id).Reminders != want {
		b.Errorf("%s after %s: %d reminders, want %d", id, time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)), n, want)
	}
}

// A commit that nobody makes is told again every four hours, once whatever the number of executors, and wakes no driver.
func TestReminderOfACommit(t *testing.T) {
	bubble(t, func(b *bench) {
		one, _ := b.executor("one")
		two, _ := b.executor("two")
		id := b.failedOver(one)
		reached := time.Now()
		stop1, stop2 := b.start(one), b.start(two)
		works := b.stream.works(id)
		pass(time.Until(reached.Add(failover.RemindEvery - time.Second)))
		b.reminders(id, 0)
		pass(2 * time.Second)
		b.reminders(id, 1)
		pass(failover.RemindEvery - 10*time.Second)
		b.reminders(id, 1)
		pass(20 * time.Second)
		b.reminders(id, 2)
		stop1() // and who starts later goes on from there
		three, _ := b.executor("three")
		stop3 := b.start(three)
		pass(3 * failover.RemindEvery)
		b.reminders(id, 5)
		if op := b.phase(id, failover.AwaitingCommit); !op.Parked || b.stream.works(id) != works {
			t.Errorf("a word wakes a driver: parked %v, %d work messages", op.Parked, b.stream.works(id))
		}
		b.stream.submit(b.button(id))
		b.ended(id, failover.Succeeded)
		pass(3 * failover.RemindEvery)
		b.reminders(id, 5)
		stop2()
		stop3()
	})
}

// A gate of the way home is told again since it was reached, the first one ends by the clock.
func TestReminderOnTheWayHome(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.committed()
		stop := b.start(e)
		id := b.asks(failover.VerbFailback, ana)
		b.ready(id, failover.StepReprotect)
		b.pressed(id)
		b.ready(id, failover.StepFailover)
		pass(failover.RemindEvery + time.Minute)
		b.reminders(id, 1)
		b.pressed(id)
		b.ready(id, failover.StepCheck)
		pass(failover.RemindEvery - time.Minute)
		b.reminders(id, 1)
		pass(2 * time.Minute)
		b.reminders(id, 2)
		expiring := b.command(failover.VerbFailback, ana, "vm-y")
		b.vault.set("vm-y", func(i *failover.Item) { become(i, failover.StepFailover); become(i, failover.StepCommit) })
		expiring.At, expiring.ValidUntil = time.Now(), time.Now().Add(time.Minute)
		b.stream.submit(expiring)
		pass(5 * time.Hour)
		b.phase(expiring.Op, failover.Expired)
		if op, told := b.stream.load(expiring.Op), b.stream.count(expiring.Op, "reminded"); told != 1 || op.Warned.IsZero() || op.Reminders != 0 {
			t.Errorf("told %d times, %+v: want once, before it expires", told, op)
		}
		stop()
	})
}

// A drill that nobody cleans up is told again although its operation is over; that lets nothing go and drives nothing.
func TestReminderOfADrill(t *testing.T) {
	bubble(t, func(b *bench) {
		one, _ := b.executor("one")
		two, _ := b.executor("two")
		stop1, stop2 := b.start(one), b.start(two)
		id := b.asks(failover.VerbTest, ana)
		b.ended(id, failover.Succeeded)
		letGo, works := b.stream.letGo, b.stream.works(id)
		pass(failover.RemindEvery - time.Minute)
		b.reminders(id, 0)
		pass(2 * time.Minute)
		b.reminders(id, 1)
		pass(failover.RemindEvery)
		b.reminders(id, 2)
		if op := b.phase(id, failover.Succeeded); b.stream.letGo != letGo || b.stream.works(id) != works || !strings.Contains(failover.StillOpen(op).Why, "open since") {
			t.Errorf("%d let go, %d work messages", b.stream.letGo, b.stream.works(id))
		}
		b.ended(b.follows(failover.VerbCleanup, ana, id), failover.Succeeded)
		pass(2 * failover.RemindEvery)
		b.reminders(id, 2)
		stop1()
		stop2()
	})
}
