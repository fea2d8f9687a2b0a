package world

import (
	"regexp"
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

// offered is the value of the first recovery point that a person can choose.
func (w *world) offered(id string) string {
	for _, m := range w.workspace.Messages(incident, id) {
		if found := regexp.MustCompile(`"value":"([0-9a-f]+\.[-0-9a-f]{36})"`).FindSubmatch(m.Blocks); found != nil {
			return string(found[1])
		}
	}
	w.t.Fatalf("no recovery point is offered:\n%s", w.told(id))
	return ""
}

// Who looks changes nothing in Azure and nothing in the channel for others.
func TestPoints(t *testing.T) {
	bubble(t, func(w *world) {
		w.start(nil)
		if err := w.process.app.Ready(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.reads("eve", "/failover points vm-x", "Recovery points of vm-x (vault vault-dr), newest first")
		before := strings.Count(w.told("U0EVE"), "To take it, type:")
		if err := w.workspace.Choose("eve", incident, "Choose a recovery point", w.offered("U0EVE")); err != nil {
			w.t.Fatal(err)
		}
		if !w.until(time.Minute, func() bool { return strings.Count(w.told("U0EVE"), "To take it, type:") > before }) {
			w.t.Fatalf("the choice was not answered:\n%s", w.told("U0EVE"))
		}
		w.reads("eve", "/failover points vm-z", "Near names: vm-x")
		w.reads("eve", "/failover points", "points needs the name of a VM")
		w.vault.Fault(vault.Fault{Operation: "points", Kind: vault.ServerError, Times: 20})
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

// Somebody works in the portal: jobs, list, status and a refusal say so, and what it leaves open is owed by nobody of Ferry.
func TestForeignJobAndDebt(t *testing.T) {
	bubble(t, func(w *world) {
		w.start(nil)
		if err := w.process.app.Ready(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.reads("eve", "/failover jobs", "No job runs in the configured vaults.")
		w.reads("eve", "/failover debt", "Nothing is owed")
		w.approved()
		if err := w.vault.Portal("vm-y", "unplannedFailover"); err != nil {
			w.t.Fatal(err)
		}
		if err := w.vault.Portal("sql-01", "testFailover"); err != nil {
			w.t.Fatal(err)
		}
		pass(time.Minute) // the inventory is read twice
		w.reads("ben", "/failover jobs", "outside Ferry")
		if told := w.told("U0BEN"); strings.Count(told, " min  outside Ferry") != 2 || strings.Count(told, " min  op-") != 1 {
			w.t.Errorf("of three jobs one is Ferry's:\n%s", told)
		}
		w.reads("eve", "/failover list", "outside Ferry: failover")
		w.reads("eve", "/failover status vm-y", "Outside Ferry: a job (failover) runs on vm-y")
		w.reads("ana", "/failover vm-y latest", "A job is already running on vm-y")
		w.shows(10*time.Minute, "[ Commit ]")
		pass(5 * time.Minute)
		w.reads("eve", "/failover debt", "waits for its commit since")
		told := w.told("U0EVE")
		for _, want := range []string{"vm-x (vault vault-dr)", "asked by @ana", "vm-y (vault vault-dr)", "done outside Ferry", "type /failover commit vm-y", "sql-01 (vault vault-dr) has an open drill", "type /failover cleanup sql-01"} {
			if !strings.Contains(strings.ReplaceAll(told, "*", ""), want) {
				w.t.Errorf("the debt lacks %q:\n%s", want, told)
			}
		}
		w.reads("eve", "/failover readiness", "Not ready to fail over: 3 of 3.")
		for _, want := range []string{"vm-x (vault vault-dr) not ready: vm-x is held by op-", "type /failover commit vm-y", "Clean it up first: /failover cleanup sql-01", "Not looked at: capacity"} {
			if told := strings.ReplaceAll(w.told("U0EVE"), "*", ""); !strings.Contains(told, want) {
				w.t.Errorf("the readiness lacks %q:\n%s", want, told)
			}
		}
		w.vault.Fault(vault.Fault{Operation: "jobs", Kind: vault.ServerError, Times: 20})
		w.reads("ana", "/failover jobs", "Azure did not answer")
		if n := w.accepted("unplannedFailover"); n != 2 || len(w.vault.Ledger()) != 3 {
			w.t.Errorf("%d failovers of %d calls, want ana's and the portal's", n, len(w.vault.Ledger()))
		}
	})
}
