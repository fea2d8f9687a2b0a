package world

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// play has ana and ben fail vm-x over and commit it, doing what people do when nothing seems to happen: they look, and
// try again. It fails the test unless the VM ends committed, with exactly one call of each kind accepted.
func (w *world) play() {
	w.t.Helper()
	w.ask("a request", func() bool { return w.card("vm-x") != "" }, func() error { return w.workspace.Type("ana", incident, "/failover vm-x latest") })
	w.ask("the approval", func() bool { return !strings.Contains(w.card("vm-x"), "[ Approve ]") }, func() error {
		_, err := w.workspace.Click("ben", incident, "Approve")
		return err
	})
	if !w.until(10*time.Minute, func() bool { return strings.Contains(w.card("vm-x"), "[ Commit ]") }) {
		w.t.Fatalf("the commit was never asked for:\n%s", w.card("vm-x"))
	}
	pass(20 * time.Minute) // they check that the VM works
	w.ask("the commit", func() bool { return !strings.Contains(w.card("vm-x"), "[ Commit ]") }, func() error {
		_, err := w.workspace.Click("ben", incident, "Commit")
		return err
	})
	if !w.until(10*time.Minute, func() bool { return strings.Contains(w.card("vm-x"), ": committed") }) {
		w.t.Fatalf("it was never committed:\n%s", w.card("vm-x"))
	}
	for _, operation := range []string{"unplannedFailover", "failoverCommit"} {
		if n := w.accepted(operation); n != 1 {
			w.t.Errorf("%d accepted %s, want 1: %+v", n, operation, w.vault.Ledger())
		}
	}
}

// ask does something until its effect shows, as an impatient person would.
func (w *world) ask(what string, effect func() bool, do func() error) {
	w.t.Helper()
	for range 5 {
		w.revive()
		if err := w.process.app.Ready(w.t.Context()); err != nil && !w.process.cut.happened() {
			w.t.Fatalf("waiting for Slack: %v", err)
		}
		if err := do(); err != nil {
			w.log.Info("a person was refused", slog.String("what", what), slog.Any("error", err))
		}
		if w.until(time.Minute, effect) {
			return
		}
	}
	w.t.Fatalf("%s had no effect:\n%s", what, w.told("*"))
}

// The story with the durations of the real world: a failover of 140 s, and 20 minutes until somebody commits.
func TestStory(t *testing.T) {
	begun := time.Now()
	var simulated time.Duration
	bubble(t, func(w *world) {
		begin := time.Now()
		w.start(nil)
		w.play()
		simulated = time.Since(begin)
		if verdict, err := w.process.app.VerifyAudit(w.t.Context()); err != nil || verdict.Err() != nil {
			t.Error(err, verdict.Err())
		}
		if w.cards() != 1 {
			t.Errorf("%d cards, want one that is edited in place", w.cards())
		}
		card := w.card("vm-x")
		for _, want := range []string{"Prerequisites check for failover", "Shut down the virtual machine", "Synchronizing the latest changes", "Start failover", "Start the replica virtual machine", "@ana", "@ben"} {
			if !strings.Contains(card, want) {
				t.Errorf("the card lacks %q:\n%s", want, card)
			}
		}
	})
	t.Logf("simulated %s in %s", simulated.Round(time.Second), time.Since(begun).Round(10*time.Millisecond))
}
