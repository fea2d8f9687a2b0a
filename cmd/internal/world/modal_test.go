package world

import (
	"strings"
	"testing"
	"time"

	"ferry/config"
	"ferry/sandbox/vault"
)

// opens presses a button that opens a form, and waits for what the form says.
func (w *world) opens(who, label string, wants ...string) {
	w.t.Helper()
	w.sees("[ " + label + " ]")
	if _, err := w.workspace.Click(who, incident, label); err != nil {
		w.t.Fatalf("%s: %v\n%s", label, err, w.card("vm-x"))
	}
	w.form(who, wants...)
}

// form waits until the form in front of a person says everything that is wanted.
func (w *world) form(who string, wants ...string) {
	w.t.Helper()
	shown := ""
	says := func() bool {
		m, _ := w.workspace.Modal(who)
		shown = m.Title + "\n" + string(m.Blocks)
		for _, want := range wants {
			if !strings.Contains(shown, want) {
				return false
			}
		}
		return true
	}
	if !w.until(time.Minute, says) {
		w.t.Fatalf("%s never reads %q:\n%s", who, wants, shown)
	}
}

// submits fills a field of the form in front of a person, sends the form and waits for what is seen on the card.
func (w *world) submits(who, field, text, want string) {
	w.t.Helper()
	if err := w.workspace.Fill(who, field, text); err != nil {
		w.t.Fatal(err)
	}
	if err := w.workspace.Submit(who); err != nil {
		w.t.Fatal(err)
	}
	w.sees(want)
	w.closes(who)
}

func (w *world) closes(who string) {
	w.t.Helper()
	if err := w.workspace.Dismiss(who); err != nil {
		w.t.Fatal(err)
	}
}

// committedVM has vm-x failed over and committed.
func (w *world) committedVM() {
	w.t.Helper()
	w.start(nil)
	if err := w.process.app.Ready(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.approved()
	w.presses("ben", "Commit", ": committed")
}

// A reprotect is shown before it is asked for; Slack's redelivery and a second press on the same form come to one request,
// and another form to a refusal that its reader is told.
func TestReprotectForm(t *testing.T) {
	bubble(t, func(w *world) {
		w.committedVM()
		w.opens("ana", "Reprotect", "northeurope to westeurope", "replica disk", "Takes about")
		if n := w.accepted("switchprotection"); n != 0 {
			t.Fatalf("%d reprotects before anybody asked", n)
		}
		w.workspace.Duplicate(2)
		w.submits("ana", "Reason", "the region is back", "reprotect of vm-x: awaiting approval")
		if card := w.card("vm-x"); !strings.Contains(card, "the region is back") || !strings.Contains(card, "+ New") {
			t.Errorf("the approver sees too little:\n%s", card)
		}
		cards := w.cards()
		// Somebody else looks at the same: what is open is shown, and a press on it decides.
		if err := w.workspace.Type("ben", incident, "/failover reprotect vm-x"); err != nil {
			t.Fatal(err)
		}
		w.form("ben", "waits for this", "replica disk")
		w.submits("ben", "Reason", "go", "initial replication")
		w.sees("reprotect of vm-x: protected")
		if n := w.accepted("switchprotection"); n != 1 {
			t.Errorf("%d reprotects, want 1", n)
		}
		if w.cards() != cards {
			t.Errorf("%d cards, want %d", w.cards(), cards)
		}
		w.types("ana", "/failover reprotect vm-x", "reprotect of vm-x: protected")
		w.form("ana", "there is nothing to reprotect")
	})
}

// A form outlives the process that opened it, and what has changed since it was shown is not started.
func TestReprotectFormOutdated(t *testing.T) {
	bubble(t, func(w *world) {
		w.committedVM()
		w.opens("ana", "Reprotect", "replica disk")
		w.stop()
		w.configure = func(c *config.Config) {
			for region := range c.Azure.CacheStorage {
				c.Azure.CacheStorage[region] += "2"
			}
		}
		w.start(nil)
		if err := w.process.app.Ready(w.t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.workspace.Submit("ana"); err != nil {
			t.Fatal(err)
		}
		w.form("ana", "has changed since it was shown. Nothing was started.")
		w.closes("ana")
		w.opens("ana", "Reprotect", "replica disk")
		w.submits("ana", "Reason", "now", "reprotect of vm-x: awaiting approval")
	})
}

// While Azure does not answer, the form says so and asks for nothing.
func TestReprotectFormWhileAzureIsAway(t *testing.T) {
	bubble(t, func(w *world) {
		w.committedVM()
		w.vault.Fault(vault.Fault{Operation: "item", Kind: vault.ServerError, Times: 20})
		w.opens("ana", "Reprotect", "Azure did not answer")
		if err := w.workspace.Submit("ana"); err == nil {
			t.Error("a form without a review can be sent")
		}
	})
}
