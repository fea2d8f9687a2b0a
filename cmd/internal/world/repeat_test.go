package world

import (
	"strings"
	"testing"
	"time"

	"ferry/config"
	"ferry/sandbox/workspace"
)

// Two bots and two executors get the same request and the same press several times over, and two people press at the same
// moment: one operation, one card, one call, and everybody is told the truth, who came second by whom and when.
func TestRepeatsAcrossProcesses(t *testing.T) {
	bubble(t, deliveredAgain)
}

func deliveredAgain(w *world) {
	w.configure = func(c *config.Config) {
		c.Access.Roles["approver"] = config.Role{Users: []string{"U0BEN", "U0EVE"}}
	}
	f := w.newFleet(2, 2)
	f.start()
	defer f.close()
	pass(time.Minute)
	w.workspace.Duplicate(5)
	w.types("ana", "/failover vm-x latest", "[ Approve ]")
	w.workspace.Duplicate(5)
	w.both("ben", "eve", "Approve")
	w.sees("[ Commit ]")
	w.workspace.Duplicate(5)
	w.both("eve", "ben", "Commit")
	w.sees(": committed")
	w.once()
	w.ledger("failoverCommit", 1)
	if w.cards() != 1 {
		w.t.Errorf("%d cards", w.cards())
	}
	w.answered("U0BEN", "U0EVE", "is approved, and", "was already approved by ")
	w.answered("U0BEN", "U0EVE", "The commit of vm-x (op-", " was already pressed by ")
	if told := w.told("U0ANA"); strings.Contains(told, "already under way") {
		w.t.Errorf("ana is told of a repetition that she did not make:\n%s", told)
	}
}

// both press a button that both see, whatever the first press makes of it.
func (w *world) both(one, other, label string) {
	w.t.Helper()
	var card workspace.Message
	for _, m := range w.workspace.Messages(incident, "U0BEN") {
		if strings.Contains(strings.Join(w.workspace.Render(m), "\n"), "[ "+label+" ]") {
			card = m
		}
	}
	for _, person := range []string{one, other} {
		if err := w.workspace.ClickShown(person, incident, card, label); err != nil {
			w.t.Fatalf("%s: %v", label, err)
		}
	}
}

// answered fails the test unless one of two people was told the one thing, and the other one the other.
func (w *world) answered(one, other, first, second string) {
	w.t.Helper()
	only := func(person string) string {
		var all []string
		for _, m := range w.workspace.Messages(incident, workspace.Everyone) {
			if m.EphemeralFor == person {
				all = append(all, w.workspace.Render(m)...)
			}
		}
		return strings.Join(all, "\n")
	}
	a, b := only(one), only(other)
	if strings.Contains(a, first) == strings.Contains(b, first) || strings.Contains(a, second) == strings.Contains(b, second) || strings.Contains(a, first) == strings.Contains(a, second) {
		w.t.Errorf("%s was told:\n%s\n%s was told:\n%s", one, a, other, b)
	}
}

// Cards that are over keep the button of what may follow. Who presses it when that is under way, or done, is told so, and
// nothing is asked for a second time.
func TestButtonsOfFinishedCards(t *testing.T) {
	long(t)
	bubble(t, func(w *world) {
		w.begin()
		w.types("ana", "/failover test vm-x", "the test VM is up")
		w.opens("ana", "Clean up", "Azure deletes the test VM of vm-x")
		w.submits("ana", "Notes", "fine", "clean-up of vm-x: cleaned up")
		w.pressesAgain("Clean up", "has been cleaned up already")
		w.ledger("testFailoverCleanup", 1)
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		w.presses("ben", "Approve", "[ Commit ]")
		w.presses("ben", "Commit", ": committed")
		w.opens("ana", "Reprotect", "replica disk")
		w.submits("ana", "Reason", "the region is back", "reprotect of vm-x: awaiting approval")
		w.pressesAgain("Reprotect", "waits for this. Pressing Reprotect approves it")
		w.presses("ben", "Approve", "reprotect of vm-x: protected")
		w.pressesAgain("Reprotect", "is protected")
		w.ledger("switchprotection", 1)
	})
}

// pressesAgain has ana press a button of a card that is over, and read what the form says.
func (w *world) pressesAgain(label, want string) {
	w.t.Helper()
	w.press("ana", label)
	w.form("ana", want)
	w.closes("ana")
}

// Whoever names the VM where an operation belongs is told which one holds it, and nothing is done.
func TestVMInsteadOfItsOperation(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		op := "op-" + strings.Split(w.card("vm-x"), "op-")[1][:8]
		w.reads("ben", "/failover approve vm-x", "approve needs the id of an operation. The one on vm-x is "+op)
		w.reads("ben", "/failover approve vm-x", "Type /failover approve "+op+".")
		w.reads("ana", "/failover withdraw vm-y", "withdraw needs the id of an operation, and \"vm-y\" is none.")
		w.shows(time.Minute, "[ Approve ]")
	})
}
