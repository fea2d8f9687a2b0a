package world

import (
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// does has a person at the portal run an operation on vm-x, now.
func (w *world) does(operation string) {
	w.t.Helper()
	if err := w.vault.Portal("vm-x", operation); err != nil {
		w.t.Fatal(err)
	}
}

// lacks fails the test when the newest card says something.
func (w *world) lacks(text string) {
	w.t.Helper()
	if strings.Contains(w.card(""), text) {
		w.t.Errorf("the card still says %q:\n%s", text, w.card(""))
	}
}

// The commit is made in the portal while a failback waits for somebody to say that the VM works. The way home goes on from
// there, without a second commit.
func TestCommitInThePortalDuringTheCheck(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.portal("unplannedFailover", "failoverCommit", "switchprotection")
		w.begin()
		w.types("ana", "/failover failback vm-x", "[ Approve ]")
		w.presses("ben", "Approve", "[ It works ]")
		w.does("failoverCommit")
		pass(5 * time.Minute)
		w.sees("[ It works ]")
		w.presses("ben", "It works", "outside Ferry")
		w.presses("ben", "Reprotect", "home again")
		w.sees("done outside Ferry")
		if n := w.called("failoverCommit"); n != 0 {
			t.Errorf("%d commits of Ferry's after that of the portal", n)
		}
		w.ledger("switchprotection", 2)
	})
}

// The reprotect is started in the portal while Ferry's waits for its approval: the approval finds that nothing is left to do.
func TestReprotectInThePortal(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.portal("unplannedFailover", "failoverCommit")
		w.begin()
		w.typed("ana", "/failover reprotect vm-x")
		w.form("ana", "replica disk")
		w.submits("ana", "Reason", "the region is back", "[ Approve ]")
		w.does("switchprotection")
		pass(time.Minute)
		w.presses("ben", "Approve", ": failed")
		w.sees("a job is already running on vm-x")
		w.ledger("switchprotection", 1)
	})
}

// The drill is cleaned up in the portal: nobody is reminded of it for ever, and the VM can be failed over.
func TestCleanUpInThePortal(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.begin()
		w.types("ana", "/failover test vm-x", "the test VM is up")
		w.does("testFailoverCleanup")
		pass(5 * time.Minute)
		w.types("ana", "/failover cleanup vm-x --notes fine", "There is no test failover of vm-x to clean up")
		w.types("ana", "/failover vm-x", "# Failover of vm-x: awaiting approval")
		w.ledger("testFailoverCleanup", 1)
	})
}

// Another recovery point is taken in the portal while the failover waits for its commit: the card says which one is in use,
// and a commit between the two is not made of data that nobody was shown.
func TestChangeInThePortal(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.begin()
		w.types("ana", "/failover vm-x -30m", "[ Approve ]")
		w.presses("ben", "Approve", "[ Commit ]")
		before := used(w.card(""))
		w.portal("applyRecoveryPoint")
		w.sees("done outside Ferry")
		if after := used(w.card("")); after == before || after == "" {
			t.Errorf("the card says %q as before:\n%s", after, w.card(""))
		}
		w.presses("ben", "Commit", ": committed")
		w.ledger("failoverCommit", 1)
	})
}

// The same, and Commit is pressed before anybody could notice.
func TestCommitAfterAChangeInThePortal(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.begin()
		w.types("ana", "/failover vm-x -30m", "[ Approve ]")
		w.presses("ben", "Approve", "[ Commit ]")
		w.does("applyRecoveryPoint")
		for w.vault.Items()[0].Job != "" {
			pass(time.Second)
		}
		w.press("ben", "Commit")
		w.sees("done outside Ferry")
		w.sees("[ Commit ]")
		w.ledger("failoverCommit", 0)
		w.presses("ben", "Commit", ": committed")
		w.ledger("failoverCommit", 1)
	})
}

// used is what the card says of the recovery point.
func used(card string) string {
	for line := range strings.SplitSeq(card, "\n") {
		if _, point, found := strings.Cut(line, "*Recovery point:* "); found {
			return point
		}
	}
	return ""
}

// The VM is failed over in the portal while a drill or a failover of Ferry's waits: Ferry's does not come on top.
func TestFailoverInThePortal(t *testing.T) {
	explored(t)
	t.Run("under a request", func(t *testing.T) {
		bubble(t, func(w *world) {
			w.begin()
			w.types("ana", "/failover vm-x latest", "[ Approve ]")
			w.does("unplannedFailover")
			pass(5 * time.Minute)
			w.presses("ben", "Approve", ": failed")
			w.sees("vm-x has already been failed over and waits for its commit")
			w.sees("/failover commit vm-x")
			w.ledger("unplannedFailover", 1)
		})
	})
	t.Run("before a drill", func(t *testing.T) {
		bubble(t, func(w *world) {
			w.begin()
			w.does("unplannedFailover")
			w.types("ana", "/failover test vm-x", "a job is already running on vm-x")
			pass(5 * time.Minute)
			w.types("ana", "/failover test vm-x", "waits for its commit")
			w.ledger("testFailover", 0)
		})
	})
}

// The right to read the VM is lost, as when somebody has removed it from the vault, at a gate and under way: nothing is said
// to be done, and the card says why and what to do.
func TestVMOutOfSight(t *testing.T) {
	explored(t)
	gone := func(w *world) {
		for _, read := range []string{"item", "items"} {
			w.vault.Fault(vault.Fault{Operation: read, VM: "", Kind: vault.ServerError, Status: 404, Code: "ResourceNotFound", Message: "The protected item was not found.", Times: vault.Always})
		}
	}
	t.Run("at the gate", func(t *testing.T) {
		bubble(t, func(w *world) {
			w.begin()
			w.types("ana", "/failover vm-x latest", "[ Approve ]")
			gone(w)
			w.presses("ben", "Approve", ": failed")
			w.sees("The protected item was not found")
			w.sees("What to do: ")
			w.ledger("unplannedFailover", 0)
		})
	})
	t.Run("under way", func(t *testing.T) {
		bubble(t, func(w *world) {
			w.begin()
			w.types("ana", "/failover vm-x latest", "[ Approve ]")
			w.presses("ben", "Approve", ": running")
			pass(time.Minute)
			gone(w)
			w.sees("needs attention")
			w.sees("The protected item was not found")
			w.lacks("[ Commit ]")
			w.ledger("unplannedFailover", 1)
		})
	})
}

// A reprotect whose initial replication stands still is never called done, and says so.
func TestReplicationStuck(t *testing.T) {
	long(t)
	bubble(t, func(w *world) {
		w.portal("unplannedFailover", "failoverCommit")
		w.begin()
		w.vault.Fault(vault.Fault{Operation: "switchprotection", Kind: vault.Stuck, Delay: 100 * time.Minute})
		w.typed("ana", "/failover reprotect vm-x")
		w.form("ana", "replica disk")
		w.submits("ana", "Reason", "the region is back", "[ Approve ]")
		w.presses("ben", "Approve", "initial replication")
		w.sees("no progress since")
		w.lacks(": protected")
		w.sees(": protected")
		w.lacks("no progress since")
		w.ledger("switchprotection", 1)
	})
}
