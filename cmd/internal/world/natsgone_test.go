package world

import (
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// up starts a bot and executors around one NATS server, and stops them with the test.
func (w *world) up(executors int, test func(*fleet)) {
	f := w.newFleet(1, executors)
	f.start()
	defer f.close()
	pass(time.Minute)
	test(f)
}

// hears waits until a person is told something.
func (w *world) hears(within time.Duration, person, what string) {
	w.t.Helper()
	for end := time.Now().Add(within); !strings.Contains(w.told(person), what); pass(100 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("%s never hears %q:\n%s", person, what, w.told(person))
		}
	}
}

const (
	notConfirmed = "Not confirmed yet: it is not known whether your request was stored. Do not repeat it"
	notStored    = "Your request could not be stored in time and is no longer valid. Ask again."
)

// What is typed, pressed or sent while NATS is away is not confirmed within 2.5 s, and decided once when NATS is back; nobody
// hears that nothing was started.
func TestAskedWhileNATSIsAway(t *testing.T) {
	bubble(t, func(w *world) {
		w.up(1, func(*fleet) {
			w.nats.setCut(true)
			w.typed("ana", "/failover vm-x latest")
			w.hears(2500*time.Millisecond, "U0ANA", notConfirmed)
			pass(2 * time.Minute)
			w.nats.setCut(false)
			w.sees("[ Approve ]")
			w.hears(time.Minute, "U0ANA", "waits for approval")
			w.nats.stop()
			w.press("ben", "Approve")
			w.hears(2500*time.Millisecond, "U0BEN", notConfirmed)
			pass(time.Minute)
			w.nats.start()
			w.hears(2*time.Minute, "U0BEN", "is approved")
			w.sees("[ Commit ]")
			w.once()
			for _, person := range []string{"U0ANA", "U0BEN"} {
				if told := w.told(person); strings.Contains(told, "othing was started") {
					t.Errorf("%s was told:\n%s", person, told)
				}
			}
			if w.cards() != 1 {
				t.Errorf("%d cards", w.cards())
			}
		})
	})
}

// NATS stays away for as long as a request is valid: then, and not before, its person is told to ask again, and it never
// acts.
func TestNeverStored(t *testing.T) {
	bubble(t, func(w *world) {
		w.up(1, func(*fleet) {
			w.types("ana", "/failover vm-x latest", "[ Approve ]")
			w.nats.setCut(true)
			w.press("ben", "Approve")
			w.typed("ana", "/failover test vm-y")
			pass(9 * time.Minute)
			for _, person := range []string{"U0ANA", "U0BEN"} {
				if strings.Contains(w.told(person), notStored) {
					t.Errorf("%s gave up too early", person)
				}
			}
			w.hears(2*time.Minute, "U0ANA", notStored)
			w.hears(time.Minute, "U0BEN", notStored)
			w.nats.setCut(false)
			pass(10 * time.Minute)
			w.ledger("unplannedFailover", 0)
			w.ledger("testFailover", 0)
		})
	})
}

// A form that is sent while NATS is away.
func TestFormWhileNATSIsAway(t *testing.T) {
	bubble(t, func(w *world) {
		w.portal("unplannedFailover", "failoverCommit")
		w.up(1, func(*fleet) {
			w.typed("ana", "/failover reprotect vm-x")
			w.form("ana", "replica disk")
			w.nats.setCut(true)
			if err := w.workspace.Submit("ana"); err != nil {
				t.Fatal(err)
			}
			w.form("ana", "Not confirmed yet")
			pass(time.Minute)
			w.nats.setCut(false)
			w.sees("[ Approve ]")
			w.form("ana", "waits for approval")
		})
	})
}

// Running work pauses its writes while NATS is away and goes on when it is back; nothing is called twice.
func TestNATSAwayWhileItRuns(t *testing.T) {
	for name, moment := range map[string]string{"before the call": "journal.append", "in the call": "azure.failover"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				w.up(2, func(f *fleet) {
					w.types("ana", "/failover vm-x latest", "[ Approve ]")
					var c calls
					w.stand(azureHost, c.watch("/unplannedFailover", 0))
					if moment == "azure.failover" {
						w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.Slow, Delay: 20 * time.Second})
					}
					w.press("ben", "Approve")
					for f.driver() == nil && moment == "azure.failover" {
						pass(10 * time.Millisecond)
					}
					w.nats.setCut(true)
					pass(4 * time.Minute)
					w.nats.setCut(false)
					w.sees("[ Commit ]")
					w.once()
					if len(c.at) != 1 {
						t.Errorf("called %d times: %s", len(c.at), c.at)
					}
				})
			})
		})
	}
}

// An executor that has lost NATS in the middle of a call stops, and the one that takes over finds its call instead of making
// another.
func TestDriverLosesNATS(t *testing.T) {
	bubble(t, func(w *world) {
		w.up(2, func(f *fleet) {
			w.types("ana", "/failover vm-x latest", "[ Approve ]")
			var c calls
			w.stand(azureHost, c.watch("/unplannedFailover", 0))
			w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.Slow, Delay: 50 * time.Second})
			w.press("ben", "Approve")
			for f.driver() == nil {
				pass(10 * time.Millisecond)
			}
			first, _ := f.driver().now()
			first.sever(true)
			w.sees("[ Commit ]")
			first.sever(false)
			pass(5 * time.Minute)
			w.once()
			if len(c.at) != 1 {
				t.Errorf("called %d times: %s", len(c.at), c.at)
			}
			w.presses("ben", "Commit", ": committed")
		})
	})
}
