package world

import (
	"testing"
	"time"

	"ferry/config"
	"ferry/sandbox/vault"
)

// dies cuts the process off at the next time that it comes to a seam, after what is done there.
func (w *world) dies(seam string) { w.process.cut.arm(point{seam, 1, true}, 0) }

// nobody lets time pass without any process, and starts another one.
func (w *world) nobody(d time.Duration) {
	w.t.Helper()
	if !w.process.cut.happened() {
		w.t.Fatal("the process lives on")
	}
	w.stop()
	pass(d)
	w.start(nil)
}

// What was decided and not begun before all executors went away is not done six hours later: the card and a notice ask
// again, and only a new press acts.
func TestOldDecisionDoesNotAct(t *testing.T) {
	asked := func(w *world) { w.begin(); w.types("ana", "/failover vm-x latest", "[ Approve ]") }
	over := func(w *world) { asked(w); w.presses("ben", "Approve", "[ Commit ]") }
	rows := map[string]struct {
		before      func(*world)
		press, call string
		again       string // the button that asks for another press
		done        string
	}{
		"approval": {asked, "Approve", "unplannedFailover", "Approve", "awaiting commit"},
		"commit":   {over, "Commit", "failoverCommit", "Commit", ": committed"},
		"change": {func(w *world) {
			over(w)
			w.types("ana", "/failover change vm-x -90m", "[ Change point ]")
		}, "Change point", "applyRecoveryPoint", "Change point", "awaiting commit"},
		"plan": {func(w *world) { w.begin(); w.types("ana", "/failover plan plan-shop", "[ Approve ]") }, "Approve", "planUnplannedFailover", "Approve", "awaiting commit"},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			if name != "approval" {
				long(t)
			}
			bubble(t, func(w *world) {
				r.before(w)
				w.dies("journal.append")
				w.press("ben", r.press)
				pass(10 * time.Second)
				w.nobody(6 * time.Hour)
				w.sees("No executor began it within 10 minutes of the approval at")
				w.sees("[ " + r.again + " ]")
				w.counts("was not started (op-", 1)
				pass(5 * time.Minute)
				w.ledger(r.call, 0)
				w.presses("ben", r.again, r.done)
				w.ledger(r.call, 1)
			})
		})
	}
}

// A start that needs no approval ends instead, and who asked is told to ask again.
func TestOldStartEnds(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		w.dies("journal.append")
		w.typed("ana", "/failover test vm-x")
		pass(10 * time.Second)
		w.nobody(6 * time.Hour)
		w.sees(": expired")
		w.sees("No executor began it within 10 minutes of the request at")
		w.sees("Ask again if it is still wanted.")
		w.ledger("testFailover", 0)
		w.types("ana", "/failover test vm-x", "the test VM is up")
	})
}

// What was stored and not decided before all executors went away is refused hours later, whatever it was: a request, a press,
// or a form.
func TestOldCommandIsRefused(t *testing.T) {
	over := func(w *world) {
		w.begin()
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		w.presses("ben", "Approve", "[ Commit ]")
	}
	rows := map[string]struct {
		before, give func(*world)
		call         string
	}{
		"request": {(*world).begin, func(w *world) { w.typed("ana", "/failover test vm-x") }, "testFailover"},
		"press":   {over, func(w *world) { w.press("ben", "Commit") }, "failoverCommit"},
		"form": {func(w *world) {
			w.configure = func(c *config.Config) {
				for i := range c.Access.Rules {
					c.Access.Rules[i].Approvals = 0
				}
			}
			w.portal("unplannedFailover", "failoverCommit")
			w.begin()
			w.typed("ana", "/failover reprotect vm-x")
			w.form("ana", "replica disk")
		}, func(w *world) {
			if err := w.workspace.Submit("ana"); err != nil {
				w.t.Fatal(err)
			}
		}, "switchprotection"},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				r.before(w)
				w.dies("command.store")
				r.give(w)
				pass(10 * time.Second)
				w.nobody(6 * time.Hour)
				pass(5 * time.Minute)
				w.ledger(r.call, 0)
			})
		})
	}
}

// Azure keeps a call waiting: for a while it is tried again, as the card says, and not for longer than an hour.
func TestCallKeptWaitingForLong(t *testing.T) {
	long(t)
	bubbleIn(t, alone(), func(w *world) {
		w.begin()
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.Throttle, RetryAfter: 50 * time.Minute})
		w.presses("ben", "Approve", "asked to wait")
		w.sees("[ Commit ]")
		w.ledger("unplannedFailover", 1)
		w.vault.Fault(vault.Fault{Operation: "failoverCommit", Kind: vault.Throttle, RetryAfter: 2 * time.Hour})
		w.presses("ben", "Commit", "Azure has not taken the call within an hour of the approval at")
		pass(3 * time.Hour)
		w.ledger("failoverCommit", 0)
		w.presses("ben", "Commit", ": committed")
	})
}
