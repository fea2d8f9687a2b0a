package world

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever mistypes is answered once, however many bots there are, with the nearest name, and nothing is started. No part of it
// waits for a clock, and what it takes of a real one is printed.
func TestTyposAreAnsweredAtOnce(t *testing.T) {
	bubble(t, func(w *world) {
		f := w.newFleet(2, 2)
		f.start()
		defer f.close()
		pass(time.Minute)
		w.typed("ana", "/failover help") // from now on it is known who ana is
		pass(time.Second)
		var took []time.Duration
		for range 5 {
			for line, want := range map[string]string{
				"comit vm-x":       "Did you mean /failover commit vm-x?",
				"comit":            "/failover commit",
				"vm-z latest":      "Near names: vm-x (vault vault-dr, resource group",
				"fallback vm-x":    "Did you mean /failover failback vm-x?",
				"commit vm-z":      "Near names: vm-x (vault",
				"status vm-z":      "Near names: vm-x (vault",
				"points sql-1":     "Near names: sql-01 (vault",
				"test vmx":         "Near names: vm-x (vault",
				"help comit":       "Did you mean /failover help commit?",
				"approve opp-aaaa": "type /failover approve op-",
			} {
				took = append(took, w.answeredOnce("ana", "/failover "+line, want))
			}
		}
		w.answeredOnce("ana", "@ferry comit vm-x", "Did you mean /failover commit vm-x?")
		if n := len(w.vault.Ledger()); n != 0 || w.cards() != 0 {
			t.Errorf("%d calls of Azure, %d cards", n, w.cards())
		}
		slices.Sort(took)
		t.Logf("%d answers: median %s, most %s", len(took), took[len(took)/2], took[len(took)-1])
		if !testing.Short() && took[len(took)/2] > 100*time.Millisecond {
			t.Error("more than 100 ms")
		}
	})
}

// answeredOnce types a line that is answered within 100 ms, by one message, and says what that took by a real clock.
func (w *world) answeredOnce(who, line, want string) time.Duration {
	w.t.Helper()
	before, begun, began := len(w.toldAlone("U0ANA")), time.Now(), realTime()
	w.typed(who, line)
	synctest.Wait()
	for len(w.toldAlone("U0ANA")) == before && time.Since(begun) < time.Minute {
		pass(10 * time.Millisecond)
		synctest.Wait()
	}
	spent, took := realTime()-began, time.Since(begun)
	pass(10 * time.Second)
	told := w.toldAlone("U0ANA")[before:]
	if took > 100*time.Millisecond || len(told) != 1 || !strings.Contains(strings.ToLower(told[0]), strings.ToLower(want)) {
		w.t.Errorf("%s is answered after %s: %q, want %q", line, took, told, want)
	}
	return spent
}

// realTime is not the time of the bubble.
func realTime() time.Duration {
	var now syscall.Timeval
	if syscall.Gettimeofday(&now) != nil {
		return 0
	}
	return time.Duration(now.Nano())
}

// Help shows what somebody may do, and says of the rest whom to ask.
func TestHelpIsForWhoAsks(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		for who, sees := range map[string][2]string{
			"ana": {"/failover commit VM|OP", "approve, deny (ask somebody with the role approver)"},
			"ben": {"/failover approve OP", "(ask somebody with the role operator)"},
			"eve": {"/failover status [VM|OP]", "approve, deny (ask somebody with the role approver)"},
		} {
			w.reads(who, "/failover help", sees[0])
			w.reads(who, "/failover help", sees[1])
		}
		if told := w.told("U0EVE"); strings.Contains(told, "/failover commit VM|OP") || strings.Contains(told, "/failover approve OP") {
			t.Errorf("eve is shown what she may not do:\n%s", told)
		}
		if told := w.told("U0BEN"); strings.Contains(told, "/failover test VM") {
			t.Errorf("ben is shown what he may not do:\n%s", told)
		}
	})
}
