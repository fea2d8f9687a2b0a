package world

import (
	"strings"
	"testing"
	"time"

	"ferry/cmd/internal/app"
)

// Two bots and two executors around one NATS server. One of each dies in the middle, the server restarts, and its network is
// away for a while: one operation, one card, one call of each kind.
func TestSeveralProcesses(t *testing.T) {
	bubble(t, func(w *world) {
		f := w.newFleet(2, 2)
		f.start()
		defer f.close()
		shows := func(want string) {
			t.Helper()
			for end := time.Now().Add(20 * time.Minute); !strings.Contains(w.card("vm-x"), want); pass(time.Second) {
				if time.Now().After(end) {
					t.Fatalf("the card never said %q:\n%s\n%s", want, w.card("vm-x"), w.told("*"))
				}
			}
		}
		pass(time.Minute)
		w.typed("ana", "/failover vm-x latest")
		shows("[ Approve ]")
		w.press("ben", "Approve")
		shows("running")
		for _, s := range f.seats {
			switch life, _ := s.now(); s.name {
			case "bot-1":
				life.kill()
			case "executor-1":
				life.cut.arm(point{"journal.append", 1, true}, 0)
			}
		}
		pass(20 * time.Second)
		w.nats.stop()
		pass(20 * time.Second)
		w.nats.start()
		pass(20 * time.Second)
		w.nats.setCut(true)
		pass(20 * time.Second)
		w.nats.setCut(false)
		shows("[ Commit ]")
		w.press("ben", "Commit")
		shows(": committed")
		w.ledger("unplannedFailover", 1)
		w.ledger("failoverCommit", 1)
		if w.cards() > 2 {
			t.Errorf("%d cards", w.cards())
		}
		pass(5 * time.Second)
		if verdict, err := app.VerifyAudit(w.t.Context(), app.Options{Config: w.config(), Dial: w.dial, Log: w.log}); err != nil || verdict.Err() != nil {
			t.Error(err, verdict.Err())
		}
	})
}
