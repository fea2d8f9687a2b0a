package world

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// Whatever Ferry tells the outside comes through a seam, so that the points at which the other tests cut are all there are:
// every call that changes something in Azure, everything that Slack is sent, everything that NATS stores and every
// acknowledgement is counted where it arrives and compared with what passed the seams.
func TestNothingPassesBesideTheSeams(t *testing.T) {
	t.Run("journey", func(t *testing.T) {
		long(t)
		isWatched(t, alone(), func(w *world) {
			w.drill(1)
			w.away(1)
			w.home(1)
		})
	})
	t.Run("plan", func(t *testing.T) {
		isWatched(t, brisk(planned)(), func(w *world) {
			w.types("ana", "/failover plan plan-shop", "[ Approve ]")
			w.presses("ben", "Approve", "[ Commit ]")
			w.reads("eve", "/failover debt", "waits for its commit")
			w.presses("ben", "Commit", ": committed")
		})
	})
}

// isWatched plays a story with a bot and an executor of their own while everything that they send is looked at.
func isWatched(t *testing.T, options vault.Options, play func(*world)) {
	t.Helper()
	bubbleIn(t, options, func(w *world) {
		w.wire = newWire()
		f := w.newFleet(1, 1)
		for _, s := range w.servers {
			s.Handler = w.wire.watch(f, s.Handler)
		}
		f.start()
		defer f.close()
		w.until(time.Minute, func() bool { return w.workspace.Connections() > 0 })
		play(w)
		pass(time.Minute)
		w.wire.is(t, f, w.workspace.Acks())
	})
}

func passed(f *fleet) map[string]int {
	all := map[string]int{}
	for _, s := range f.seats {
		life, _ := s.now()
		for _, seam := range life.cut.passed() {
			all[strings.TrimSuffix(seam, again)]++
		}
	}
	return all
}

// is compares what came with what passed the seams.
func (w *wire) is(t *testing.T, f *fleet, acks []workspace.Ack) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, stray := range slices.Sorted(maps.Keys(w.strays)) {
		t.Errorf("%d times %s", w.strays[stray], stray)
	}
	for _, a := range acks {
		if !a.AckedAt.IsZero() {
			w.through["slack.ack"]++
		}
	}
	all := passed(f)
	t.Log(all)
	delete(all, ensure)        // may take several requests
	delete(all, "slack.store") // is command.store, seen from the bot
	came := maps.Clone(w.through)
	delete(came, ensure)
	maps.Copy(came, all)
	for _, seam := range slices.Sorted(maps.Keys(came)) {
		if w.through[seam] != all[seam] {
			t.Errorf("%s was passed %d times, and %d times something came", seam, all[seam], w.through[seam])
		}
	}
}
