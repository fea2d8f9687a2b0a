package world

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// The process dies at any of the moments of the whole journey at which something is stored, called, posted or acknowledged,
// before it and after it; a new process goes on. What people and the vault have in the end is the same: one accepted call
// per intent, and one card. Daily a few of the points are played, since TestBoundaries plays all of two shorter
// stories, and with the tag nightly all.
func TestCrashes(t *testing.T) {
	explored(t)
	all := journeyPoints(t)
	chosen := all
	if !nightly {
		chosen = every(3, sample(all, 8))
	}
	t.Logf("%d of %d points", len(chosen), len(all))
	missed := 0
	for _, p := range chosen {
		t.Run(fmt.Sprintf("%s-%d-%v", p.seam, p.nth, p.after), func(t *testing.T) {
			bubbleIn(t, alone(), func(w *world) {
				w.start(&p)
				life := w.process
				w.circle()
				if !life.cut.happened() {
					missed++ // how often a card is edited is not the same each time
					t.Logf("not reached: %v", life.cut.seen)
				}
				w.one()
			})
		})
	}
	if missed > len(chosen)/10 {
		t.Errorf("%d of %d points were not reached", missed, len(chosen))
	}
}

// every takes each nth: what -short is for, when the race detector makes each of them ten times as long.
func every[P any](n int, all []P) []P {
	var some []P
	for i := 0; i < len(all); i += n {
		some = append(some, all[i])
	}
	return some
}

// journeyPoints plays the journey without a crash and lists every moment that a process could die at.
func journeyPoints(t *testing.T) []point {
	t.Helper()
	var seen map[string]int
	bubbleIn(t, alone(), func(w *world) {
		w.start(nil)
		w.circle()
		w.one()
		w.process.cut.mu.Lock()
		seen = maps.Clone(w.process.cut.seen)
		w.process.cut.mu.Unlock()
	})
	for _, dull := range []string{"inventory.put", "audit.put", "drive.heartbeat"} { // the same every few seconds
		seen[dull] = min(seen[dull], 3)
	}
	var all []point
	for _, seam := range slices.Sorted(maps.Keys(seen)) {
		for nth := range seen[seam] {
			all = append(all, point{seam, nth + 1, false}, point{seam, nth + 1, true})
		}
	}
	return all
}

// alone is the vault with one VM, for what is about one and is played often.
func alone() vault.Options {
	o := quick()
	o.VMs, o.Plans = 1, []vault.Plan{}
	return o
}

// sample takes the first point of each seam, before and after in turn, and others at even distances.
func sample(all []point, others int) []point {
	var chosen []point
	seams := 0
	for i, p := range all {
		if p.nth == 1 && !p.after {
			seams++
		}
		if p.nth == 1 && p.after == (seams%2 == 0) || i%(len(all)/others) == 0 {
			chosen = append(chosen, p)
		}
	}
	return chosen
}

// circle is the whole journey, played by people who repeat what had no effect.
func (w *world) circle() {
	w.insists("ana", "/failover test vm-x", "# Test failover of vm-x")
	w.gets("the test VM is up")
	w.insists("ana", "/failover cleanup vm-x --notes fine", "# Clean-up of vm-x")
	w.gets("cleaned up")
	w.insists("ana", "/failover vm-x -30m", "# Failover of vm-x")
	w.decides("Approve", "[ Commit ]")
	for range 2 { // a change that left no trace is asked for again
		if w.accepted("applyRecoveryPoint") == 0 {
			w.insists("ana", "/failover change vm-x -90m", "[ Change point ]")
			w.decides("Change point", "[ Commit ]")
		}
	}
	w.decides("Commit", "[ Reprotect ]")
	w.asksReprotect()
	w.decides("Approve", ": protected")
	w.insists("ana", "/failover failback vm-x", "# Failback of vm-x")
	w.decides("Approve", "[ It works ]")
	w.decides("It works", "[ Commit ]")
	w.decides("Commit", "[ Reprotect ]")
	w.decides("Reprotect", "home again")
}

// one checks that each intent of the circle came to one accepted call, and to one card: a bot that may read the channel finds
// what it posted before a crash.
func (w *world) one() {
	w.t.Helper()
	for operation, want := range map[string]int{
		"testFailover": 1, "testFailoverCleanup": 1, "unplannedFailover": 2, "applyRecoveryPoint": 1, "failoverCommit": 2, "switchprotection": 2,
	} {
		w.ledger(operation, want)
	}
	const operations = 5
	if w.cards() != operations {
		w.t.Errorf("%d cards of %d operations", w.cards(), operations)
	}
}

// insists types a line until the newest card says something.
func (w *world) insists(who, line, want string) {
	w.t.Helper()
	w.ask(line, func() bool { return strings.Contains(w.card(""), want) }, func() error { return w.workspace.Type(who, incident, line) })
}

// decides has ben press a button until it is gone, and waits for what the card says then.
func (w *world) decides(label, want string) {
	w.t.Helper()
	button := "[ " + label + " ]"
	w.gets(button)
	w.ask(label, func() bool { return !strings.Contains(w.card(""), button) || strings.Contains(w.card(""), ": running") }, func() error {
		_, err := w.workspace.Click("ben", incident, label)
		return err
	})
	w.gets(want)
}

// asksReprotect opens the form of a reprotect and sends it, until there is a card.
func (w *world) asksReprotect() {
	w.t.Helper()
	asked := func() bool { return strings.Contains(w.card(""), "# Reprotect of vm-x") }
	w.ask("a reprotect", asked, func() error {
		if err := w.workspace.Type("ana", incident, "/failover reprotect vm-x"); err != nil {
			return err
		}
		ready := func() bool {
			m, _ := w.workspace.Modal("ana")
			return strings.Contains(string(m.Blocks), "replica disk")
		}
		sent := error(nil)
		if w.until(time.Minute, ready) {
			sent = w.workspace.Submit("ana")
			w.until(10*time.Second, asked)
		}
		return cmp.Or(w.workspace.Dismiss("ana"), sent)
	})
}

// gets waits for the newest card to say something, over the death of the process.
func (w *world) gets(want string) {
	w.t.Helper()
	step := time.Second
	for end := time.Now().Add(2 * time.Hour); !w.until(0, func() bool { return strings.Contains(w.card(""), want) }); step = min(2*step, 30*time.Second) {
		if time.Now().After(end) {
			w.t.Fatalf("the card never said %q:\n%s", want, w.card(""))
		}
		pass(step)
	}
}
