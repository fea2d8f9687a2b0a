package world

import (
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// reads types a verb that only looks, and waits until its person sees something.
func (w *world) reads(person, text, sees string) {
	w.t.Helper()
	if err := w.workspace.Type(person, incident, text); err != nil {
		w.t.Fatal(err)
	}
	id := map[string]string{"ana": "U0ANA", "ben": "U0BEN", "eve": "U0EVE"}[person]
	if !w.until(time.Minute, func() bool { return strings.Contains(w.told(id), sees) }) {
		w.t.Fatalf("%s never saw %q:\n%s", person, sees, w.told(id))
	}
}

// Who looks changes nothing in Azure and nothing in the channel for others.
func TestPoints(t *testing.T) {
	bubble(t, func(w *world) {
		w.start(nil)
		if err := w.process.app.Ready(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.reads("eve", "/failover points vm-x", "Recovery points of vm-x (vault vault-dr), newest first")
		w.reads("eve", "/failover points vm-z", "Near names: vm-x")
		w.reads("eve", "/failover points", "points needs the name of a VM")
		w.vault.Fault(vault.Fault{Operation: "points", Kind: vault.ServerError, Times: 3})
		w.reads("ben", "/failover points vm-y", "Azure did not answer")
		if n := len(w.vault.Ledger()); n != 0 {
			w.t.Errorf("%d mutating calls", n)
		}
		if told := w.told("U0ANA"); strings.Contains(told, "ecovery point") {
			w.t.Errorf("ana sees the answers to eve:\n%s", told)
		}
		w.approved()
		w.shows(10*time.Minute, "[ Commit ]")
		if _, err := w.workspace.Click("ben", incident, "Commit"); err != nil {
			w.t.Fatal(err)
		}
		w.shows(10*time.Minute, ": committed")
		w.reads("ana", "/failover points vm-x", "vm-x has no recovery point: its failover was committed")
	})
}
