package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// many is a vault with a recovery plan of that many VMs, in waves of 250, in which jobs take a quarter of the time.
func many(n int) vault.Options {
	o := realistic()
	o.VMs, o.Speed = n, 4
	var names []string
	for _, item := range vault.New(vault.Options{VMs: n}).Items() {
		names = append(names, item.Name)
	}
	o.Plans = []vault.Plan{{Name: "big", Boot: slices.Collect(slices.Chunk(names, 250))}}
	return o
}

// A recovery plan of 1,000 VMs is asked for, approved, failed over and committed like one of three, and lets them all go. No
// batch, message or answer holds all of it; Azure shows no more than 250 jobs at once.
func TestThousandVMs(t *testing.T) {
	long(t)
	begun := time.Now()
	bubbleIn(t, many(1000), func(w *world) {
		w.begin()
		w.types("ana", "/failover plan big --confirm big", "failover of recovery plan big")
		w.reads("ana", "/failover list", "vm-x")
		w.presses("ben", "Approve", "awaiting commit")
		w.ledger("planUnplannedFailover", 1)
		w.presses("ben", "Commit", ": committed")
		w.ledger("planFailoverCommit", 1)
		w.types("ana", "/failover status big", "committed")
		pass(time.Minute)
		w.stop()
		w.holdsNothing()
	})
	t.Logf("played in %s", time.Since(begun).Round(10*time.Millisecond))
}

// The process dies at each step of taking 300 VMs and of letting them go: the request is accepted whole or not at all, and in
// the end nothing is held.
func TestDeathWhileTakingMany(t *testing.T) {
	long(t)
	for nth := 1; nth <= 5; nth++ { // the draft, 250 VMs, the others with the word that it counts; its end with 250, the others
		for _, after := range []bool{false, true} {
			if !nightly && nth != 3 {
				continue
			}
			t.Run(fmt.Sprint(nth, after), func(t *testing.T) {
				bubbleIn(t, many(300), func(w *world) {
					w.start(&point{seam: "journal.append", nth: nth, after: after})
					w.ask("a request", func() bool { return strings.Contains(w.card("big"), "[ Approve ]") }, func() error {
						return w.workspace.Type("ana", incident, "/failover plan big --confirm big")
					})
					w.ask("the denial", func() bool { return strings.Contains(w.card("big"), "enied") }, func() error {
						return w.workspace.Type("ben", incident, "/failover deny "+w.id())
					})
					if !w.process.cut.happened() && w.process.cut.at != nil {
						t.Error("it did not die")
					}
					pass(time.Minute)
					w.revive()
					pass(time.Minute)
					w.stop()
					w.holdsNothing()
				})
			})
		}
	}
}

// holdsNothing reads the store of the stopped process: no VM is held.
func (w *world) holdsNothing() {
	w.t.Helper()
	held := map[string]string{}
	taken := 0
	for line := range bytes.Lines(w.stream()) {
		var m struct {
			Subject string `json:"subject"`
			Data    struct {
				Op string `json:"op"`
			} `json:"data"`
		}
		if err := json.Unmarshal(line, &m); err != nil {
			w.t.Fatal(err)
		}
		if !strings.HasPrefix(m.Subject, "ferry.target.") {
			continue
		}
		held[m.Subject] = m.Data.Op
		if m.Data.Op != "" {
			taken++
		}
	}
	for subject, op := range held {
		if op != "" {
			w.t.Errorf("%s holds %s", op, subject)
		}
	}
	if taken == 0 {
		w.t.Error("nothing was ever held")
	}
}
