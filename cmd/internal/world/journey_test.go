package world

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/sandbox/vault"
)

// The whole journey with real durations, once around: a drill and its clean-up, the failover to a chosen point, another
// point, the commit, the reprotect with its hours of initial replication, and the way home.
func TestJourney(t *testing.T) {
	long(t)
	begun := time.Now()
	var simulated time.Duration
	options := realistic()
	options.VMs, options.Plans = 1, []vault.Plan{}
	bubbleIn(t, options, func(w *world) {
		begin := time.Now()
		w.begin()
		w.drill(1)
		w.away(1)
		w.home(1)
		simulated = time.Since(begin)
	})
	t.Logf("simulated %s in %s", simulated.Round(time.Minute), time.Since(begun).Round(10*time.Millisecond))
}

// begin starts Ferry and waits until Slack hears it.
func (w *world) begin() {
	w.t.Helper()
	w.start(nil)
	if err := w.process.app.Ready(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// drill is a test failover and its clean-up, which need no approval here.
func (w *world) drill(round int) {
	w.types("ana", "/failover test vm-x", "test failover of vm-x: the test vm is up")
	w.types("ana", "/failover vm-x", "a test failover of vm-x has not been cleaned up")
	w.opens("ana", "Clean up", "Azure deletes the test VM of vm-x")
	w.submits("ana", "Notes", "web front answered", "clean-up of vm-x: cleaned up")
	w.ledger("testFailover", round)
	w.ledger("testFailoverCleanup", round)
}

// away fails vm-x over to a chosen point, takes another, commits, and protects it in the other region.
func (w *world) away(round int) {
	pass(2 * time.Hour) // points to choose from
	w.types("ana", "/failover vm-x -30m", "failover of vm-x: awaiting approval")
	w.presses("ben", "Approve", "failover of vm-x: awaiting commit")
	w.types("ana", "/failover reprotect vm-x", "[ Commit ]")
	w.form("ana", "vm-x is already under way")
	w.closes("ana")
	w.types("ana", "/failover change vm-x -90m", "ana asks for another recovery point")
	w.presses("ben", "Change point", "change point pressed by")
	w.sees("[ Commit ]")
	w.presses("ben", "Commit", "failover of vm-x: committed")
	w.ledger("unplannedFailover", 2*round-1)
	w.ledger("applyRecoveryPoint", round)
	w.ledger("failoverCommit", 2*round-1)
	w.opens("ana", "Reprotect", "+ New", "replica disk")
	w.submits("ana", "Reason", "the region is back", "reprotect of vm-x: awaiting approval")
	w.presses("ben", "Approve", "initial replication")
	w.sees("reprotect of vm-x: protected")
	w.ledger("switchprotection", 2*round-1)
}

// home is the guided way back.
func (w *world) home(round int) {
	w.types("ana", "/failover failback vm-x", "failback of vm-x: awaiting approval")
	w.presses("ben", "Approve", "[ It works ]")
	pass(6 * time.Hour) // nobody is in a hurry
	w.presses("ben", "It works", "[ Commit ]")
	w.presses("ben", "Commit", "[ Reprotect ]")
	w.presses("ben", "Reprotect", "failback of vm-x: home again")
	w.sees("left in northeurope")
	w.ledger("unplannedFailover", 2*round)
	w.ledger("failoverCommit", 2*round)
	w.ledger("switchprotection", 2*round)
}

// types sends a line and waits for something to be seen: on the newest card, or by who typed.
func (w *world) types(who, line, want string) {
	w.t.Helper()
	if err := w.workspace.Type(who, incident, line); err != nil {
		w.t.Fatalf("%s: %v", line, err)
	}
	w.sees(want)
}

// presses a button of the newest card that has it.
func (w *world) presses(who, label, want string) {
	w.t.Helper()
	w.sees("[ " + label + " ]")
	if _, err := w.workspace.Click(who, incident, label); err != nil {
		w.t.Fatalf("%s: %v\n%s", label, err, w.card("vm-x"))
	}
	w.sees(want)
}

// sees waits for the newest card, or the newest answer, to say something.
func (w *world) sees(want string) {
	w.t.Helper()
	shown := func() string { return strings.ToLower(w.card("") + "\n" + w.newest("U0ANA")) }
	step := time.Second
	for end := time.Now().Add(12 * time.Hour); ; step = min(2*step, 2*time.Minute) {
		synctest.Wait()
		if strings.Contains(shown(), strings.ToLower(want)) {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("nobody sees %q:\n%s", want, shown())
		}
		pass(step)
	}
}

// newest is the last message that a person sees.
func (w *world) newest(viewer string) string {
	all := w.workspace.Messages(incident, viewer)
	if len(all) == 0 {
		return ""
	}
	return strings.Join(w.workspace.Render(all[len(all)-1]), "\n")
}

func (w *world) ledger(operation string, want int) {
	w.t.Helper()
	if n := w.accepted(operation); n != want {
		w.t.Fatalf("%d accepted %s, want %d", n, operation, want)
	}
}
