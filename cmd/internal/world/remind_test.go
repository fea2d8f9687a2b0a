package world

import (
	"strings"
	"testing"
	"time"
)

// A drill that nobody cleans up, though its operation is over, and a commit that nobody makes: both are told again in the
// channel every four hours, once each.
func TestReminders(t *testing.T) {
	long(t)
	bubbleIn(t, alone(), func(w *world) {
		w.start(nil)
		if err := w.process.app.Ready(w.t.Context()); err != nil {
			t.Fatal(err)
		}
		w.types("ana", "/failover test vm-x", "test failover of vm-x: the test vm is up")
		pass(4*time.Hour + 5*time.Minute)
		w.counts("Reminder: the test VM of vm-x", 1)
		w.types("ana", "/failover cleanup vm-x", "clean-up of vm-x: cleaned up")
		w.types("ana", "/failover vm-x", "failover of vm-x: awaiting approval")
		w.presses("ben", "Approve", "failover of vm-x: awaiting commit")
		pass(8*time.Hour + 5*time.Minute)
		w.counts("Reminder: vm-x waits for the commit", 2)
		w.counts("Reminder: the test VM of vm-x", 1)
		w.presses("ben", "Commit", "failover of vm-x: committed")
		pass(5 * time.Hour)
		w.counts("Reminder: ", 3)
		w.ledger("failoverCommit", 1)
	})
}

// counts is how many messages in the channel say something.
func (w *world) counts(what string, want int) {
	w.t.Helper()
	n := 0
	for _, m := range w.workspace.Messages(incident, "U0ANA") {
		if strings.Contains(strings.Join(w.workspace.Render(m), "\n"), what) {
			n++
		}
	}
	if n != want {
		w.t.Errorf("%d messages say %q, want %d", n, what, want)
	}
}
