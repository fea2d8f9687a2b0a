package world

import (
	"fmt"
	"os"
	"slices"
	"testing"
)

// boundary is a moment at which a process of a tale dies: one that is bot and executor, or one of two.
type boundary struct {
	Tale  int
	Seat  string
	Seam  string
	Nth   int
	After bool
}

func (b boundary) String() string {
	when := "before"
	if b.After {
		when = "after"
	}
	return fmt.Sprintf("%s/%s/%s-%s-%d", tales()[b.Tale].name, b.Seat, when, b.Seam, b.Nth)
}

// form is the processes of a tale, by how many bots and executors there are around one NATS server.
type form struct{ bots, executors int }

// The process dies at every store, call and acknowledgement of two stories, a VM's and that of a recovery plan of three
// VMs: before it and after it. A new process goes on, and the outcome is right. CI plays all of them, and a plain go test
// some.
func TestBoundaries(t *testing.T) { dieAtEach(t, form{}, 1) }

// The same with a bot and an executor of their own, of which one dies alone. CI plays some, and all are played at night.
func TestBoundariesOfTwoProcesses(t *testing.T) { dieAtEach(t, form{1, 1}, 9) }

// boundariesEnv asks for what CI plays.
const boundariesEnv = "FERRY_BOUNDARIES"

// dieAtEach plays one of so many boundaries in CI. The numbers are odd because each is there before and after.
func dieAtEach(t *testing.T, f form, one int) {
	t.Helper()
	explored(t)
	switch {
	case nightly:
		one = 1
	case os.Getenv(boundariesEnv) == "":
		one = 15
	}
	if mine, ok := share[boundary](t); ok {
		for _, b := range mine {
			t.Run(b.String(), func(t *testing.T) { b.play(t, f) })
		}
		return
	}
	all := boundaries(t, f)
	chosen := every(one, all)
	missed := inShards(t, chosen)
	t.Logf("%d of %d points, %d of them not reached: %v", len(chosen), len(all), len(missed), missed)
	if len(missed) > 1+len(chosen)/25 { // how often a card is edited is not the same each time
		t.Errorf("%d of %d points were not reached", len(missed), len(chosen))
	}
}

// boundaries plays the tales without a death and lists every moment that a process could die at.
func boundaries(t *testing.T, form form) []boundary {
	t.Helper()
	var all []boundary
	for i, tale := range tales() {
		bubbleIn(t, tale.vault(), func(w *world) {
			f := w.newFleet(form.bots, form.executors)
			f.start()
			defer f.close()
			w.tell(tale).check(0)
			for _, s := range f.seats {
				life, _ := s.now()
				for _, p := range points(life.cut.passed()) {
					all = append(all, boundary{i, s.name, p.seam, p.nth, false}, boundary{i, s.name, p.seam, p.nth, true})
				}
			}
		})
	}
	return all
}

// points are the moments on a path. What the clock alone brings counts once between two others, but at night.
func points(path []string) []point {
	var all []point
	nth := map[string]int{}
	for n, seam := range path {
		nth[seam]++
		if nightly || !repeats(path[:n], seam) {
			all = append(all, point{seam: seam, nth: nth[seam]})
		}
	}
	return all
}

// periodic are the boundaries that the clock alone brings, and that change nothing which lasts.
func periodic(seam string) bool {
	return seam == "drive.heartbeat" || seam == "inventory.put" || seam == "audit.put"
}

// repeats reports that a periodic boundary comes again while nothing else has happened: it is the same moment once more.
func repeats(before []string, seam string) bool {
	if !periodic(seam) {
		return false
	}
	for _, s := range slices.Backward(before) {
		switch {
		case s == seam:
			return true
		case !periodic(s):
			return false
		}
	}
	return false
}

// play plays the tale to its end over the death of a process, and says so when that did not come.
func (b boundary) play(t *testing.T, form form) {
	t.Helper()
	tale := tales()[b.Tale]
	bubbleIn(t, tale.vault(), func(w *world) {
		f := w.newFleet(form.bots, form.executors)
		for _, s := range f.seats {
			if s.name == b.Seat {
				s.dies = &point{b.Seam, b.Nth, b.After}
			}
		}
		f.start()
		defer f.close()
		told, deaths := w.tell(tale), 0
		for _, s := range f.seats {
			_, lives := s.now()
			deaths += lives - 1
		}
		if deaths == 0 {
			say(b.String())
		}
		told.check(deaths)
	})
}
