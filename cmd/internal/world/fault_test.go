package world

import (
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// approved brings vm-x to the moment at which ben has pressed Approve.
func (w *world) approved() {
	w.t.Helper()
	w.ask("a request", func() bool { return w.card("vm-x") != "" }, func() error { return w.workspace.Type("ana", incident, "/failover vm-x latest") })
	if _, err := w.workspace.Click("ben", incident, "Approve"); err != nil {
		w.t.Fatal(err)
	}
}

// shows waits until the card says something.
func (w *world) shows(limit time.Duration, text string) {
	w.t.Helper()
	if !w.until(limit, func() bool { return strings.Contains(w.card("vm-x"), text) }) {
		w.t.Fatalf("the card never said %q:\n%s", text, w.card("vm-x"))
	}
}

// once fails the test unless exactly one failover was accepted.
func (w *world) once() {
	w.t.Helper()
	if n := w.accepted("unplannedFailover"); n != 1 {
		w.t.Errorf("%d accepted failovers, want 1: %+v", n, w.vault.Ledger())
	}
}

// The answer to the call is lost although Azure took it: the job is found by the request id and followed.
func TestLostAnswer(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.start(nil)
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.LostAnswer})
		w.approved()
		w.shows(10*time.Minute, "[ Commit ]")
		w.once()
	})
}

// The call arrives two minutes late, when its sender has long given up on the answer.
func TestLateCall(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.start(nil)
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.Late, Delay: 2 * time.Minute})
		w.approved()
		w.shows(time.Minute, "not known")
		w.shows(15*time.Minute, "[ Commit ]")
		w.once()
	})
}

// Azure asks to wait longer than the SDK would: it is obeyed, and told.
func TestThrottled(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.start(nil)
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.Throttle, RetryAfter: 90 * time.Second})
		w.approved()
		begun := time.Now()
		if !w.until(10*time.Minute, func() bool { return w.accepted("unplannedFailover") == 1 }) || time.Since(begun) < 90*time.Second {
			t.Fatalf("called again after %s", time.Since(begun))
		}
		w.shows(10*time.Minute, "[ Commit ]")
		w.once()
	})
}

// A job that fails is no success: the card has the cause and what Azure recommends, and the VM can be asked for again.
func TestFailedJob(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.start(nil)
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.JobFails, Code: "28031", Message: "The virtual machine could not be created.", Causes: "The quota of the region is used up.", Action: "Raise the quota."})
		w.approved()
		w.shows(10*time.Minute, ": failed")
		for _, want := range []string{"28031", "The quota of the region is used up.", "Raise the quota."} {
			if !strings.Contains(w.card("vm-x"), want) {
				t.Errorf("the card lacks %q:\n%s", want, w.card("vm-x"))
			}
		}
		if err := w.workspace.Type("ana", incident, "/failover vm-x latest"); err != nil {
			t.Fatal(err)
		}
		w.shows(time.Minute, "awaiting approval")
	})
}

// Azure does not answer for twenty minutes in the middle: the state is kept, the card says so, and it goes on.
func TestAzureBrownOut(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.start(nil)
		w.approved()
		if !w.until(time.Minute, func() bool { return w.accepted("unplannedFailover") == 1 }) {
			t.Fatal("never called")
		}
		w.vault.Fault(vault.Fault{Operation: "job", Kind: vault.ServerError, Status: 503, Times: 200})
		w.shows(5*time.Minute, "does not answer since")
		w.shows(60*time.Minute, "[ Commit ]")
		w.once()
	})
}

// Nobody decides: the request expires at its time, says so, and lets the VM go.
func TestExpiry(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.start(nil)
		w.ask("a request", func() bool { return w.card("vm-x") != "" }, func() error { return w.workspace.Type("ana", incident, "/failover vm-x latest") })
		pass(14 * time.Minute)
		if !strings.Contains(w.card("vm-x"), "awaiting approval") {
			t.Fatalf("too early:\n%s", w.card("vm-x"))
		}
		w.shows(2*time.Minute, "expired")
		if err := w.workspace.Type("ana", incident, "/failover vm-x latest"); err != nil {
			t.Fatal(err)
		}
		w.shows(time.Minute, "awaiting approval")
		if n := w.accepted("unplannedFailover"); n != 0 {
			t.Errorf("%d failovers without an approval", n)
		}
	})
}

// The commit is made in the portal while the operation waits for it: the gate closes, and says by whom not.
func TestCommitInThePortal(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.start(nil)
		w.approved()
		w.shows(10*time.Minute, "[ Commit ]")
		if err := w.vault.Portal("vm-x", "failoverCommit"); err != nil {
			t.Fatal(err)
		}
		w.shows(5*time.Minute, "outside Ferry")
		if strings.Contains(w.card("vm-x"), "[ Commit ]") {
			t.Errorf("the button is still there:\n%s", w.card("vm-x"))
		}
	})
}

// Slack is away for half an hour: the work goes on. When it is back each card gets one edit and no replay of what was missed,
// and what has to notify is posted with the time that it is of.
func TestSlackOutage(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.start(nil)
		w.approved()
		if !w.until(time.Minute, func() bool { return w.accepted("unplannedFailover") == 1 }) {
			t.Fatal("never called")
		}
		w.types("ana", "/failover test vm-y", "[ ")
		pass(10 * time.Second)
		w.workspace.Outage(30 * time.Minute)
		over := time.Now().Add(30 * time.Minute)
		pass(29 * time.Minute)
		w.shows(10*time.Minute, "[ Commit ]")
		pass(5 * time.Minute)
		w.once()
		edits, posts := map[string]int{}, 0
		for _, c := range w.workspace.Calls() {
			switch {
			case c.At.Before(over) || c.Status != "ok":
			case c.Method == "chat.update":
				edits[c.TS]++
			case c.Method == "chat.postMessage":
				posts++
			}
		}
		if len(edits) != 2 || posts != 2 {
			t.Errorf("%d cards edited and %d notices posted after the outage, want 2 and 2", len(edits), posts)
		}
		for ts, n := range edits {
			if n != 1 {
				t.Errorf("card %s was edited %d times", ts, n)
			}
		}
		w.counts("This is of ", 2)
	})
}

// Slack delivers the request and the click three times each: they count once.
func TestDuplicateDelivery(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.start(nil)
		w.workspace.Duplicate(2)
		w.ask("a request", func() bool { return w.card("vm-x") != "" }, func() error { return w.workspace.Type("ana", incident, "/failover vm-x latest") })
		w.workspace.Duplicate(2)
		if _, err := w.workspace.Click("ben", incident, "Approve"); err != nil {
			t.Fatal(err)
		}
		w.shows(10*time.Minute, "[ Commit ]")
		w.once()
		if w.cards() != 1 {
			t.Errorf("%d cards", w.cards())
		}
		for _, person := range []string{"U0ANA", "U0BEN"} {
			if told := w.told(person); strings.Contains(told, "already") {
				t.Errorf("%s is told of a repetition that they did not make:\n%s", person, told)
			}
		}
	})
}

// Both press Approve at the same moment: one starts it, the other is told that it was already approved. Nobody is left
// without an answer.
func TestTwoPressAtOnce(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.start(nil)
		w.ask("a request", func() bool { return w.card("vm-x") != "" }, func() error { return w.workspace.Type("ana", incident, "/failover vm-x latest") })
		for range 2 {
			if _, err := w.workspace.Click("ben", incident, "Approve"); err != nil {
				t.Fatal(err)
			}
		}
		w.shows(10*time.Minute, "[ Commit ]")
		w.once()
		answers := 0
		for _, m := range w.workspace.Messages(incident, workspace.Everyone) {
			if m.EphemeralFor == "U0BEN" {
				answers++
			}
		}
		if answers != 2 {
			t.Errorf("%d answers to two clicks:\n%s", answers, w.told("U0BEN"))
		}
	})
}

// A change of the recovery point leaves no trace: it is not made a second time, because Azure would take both. The commit
// waits again, people are told, and when the call arrives after all the card shows it before anybody can commit it unseen.
func TestChangeWithoutATrace(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.begin()
		w.types("ana", "/failover vm-x -30m", "[ Approve ]")
		w.presses("ben", "Approve", "[ Commit ]")
		before := used(w.card(""))
		w.types("ana", "/failover change vm-x -90m", "[ Change point ]")
		w.vault.Fault(vault.Fault{Operation: "applyRecoveryPoint", Kind: vault.Late, Delay: 10 * time.Minute})
		w.presses("ben", "Change point", "outcome not known")
		w.sees("Azure gave no answer to the change and shows no job for it. What to do: To try again, type /failover change op-")
		w.sees("[ Commit ]")
		if now := used(w.card("")); now != before {
			t.Errorf("the card says %q instead of %q", now, before)
		}
		w.sees("done outside Ferry")
		if now := used(w.card("")); now == before {
			t.Errorf("the card still says %q", now)
		}
		w.presses("ben", "Commit", ": committed")
		w.ledger("applyRecoveryPoint", 1)
		w.ledger("failoverCommit", 1)
	})
}
