package world

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/config"
	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// The driver of a fleet dies half way through the failovers, between a call and its fact, and again half way through the
// commits: no call is made twice, none is forgotten, and the operation ends.
func TestFleetOutlivesItsDriver(t *testing.T) {
	explored(t)
	b := trial{vms: 24, limit: 8}
	if nightly {
		b = trial{vms: 1000, limit: 300}
	}
	begun, o := time.Now(), b.options()
	if !nightly {
		o.Failovers = vault.Spread{} // minutes are enough
	}
	bubbleIn(t, o, func(w *world) {
		w.groups = map[string]config.Group{benchFleet: b.group()}
		w.begin()
		w.typed("ana", "/failover group "+benchFleet+" latest --confirm "+benchFleet)
		w.offers("Approve", 10*time.Minute)
		op := w.id()
		for _, part := range []struct {
			press, seam, operation string
			done                   func() bool
		}{
			{"Approve", "azure.failover", "unplannedFailover", func() bool { return strings.Contains(w.card(""), "[ Commit all ]") }},
			{"Commit all", "azure.commit", "failoverCommit", func() bool { return w.allIn("UnplannedFailoverCommitted") }},
		} {
			w.process.cut.arm(point{seam: part.seam, nth: b.vms / 2, after: true}, 0)
			if _, err := w.workspace.Click("ben", incident, part.press, workspace.Containing(op)); err != nil {
				t.Fatal(err)
			}
			died := w.process.cut
			for end := time.Now().Add(24 * time.Hour); !died.happened() || !part.done(); pass(10 * time.Second) {
				w.revive()
				if time.Now().After(end) {
					t.Fatalf("the driver died: %v, and the %s never ended:\n%s", died.happened(), part.operation, w.card(""))
				}
			}
			w.onceEach(part.operation)
		}
		pass(time.Minute)
		w.stop()
		w.holdsNothing()
	})
	t.Logf("%d VMs, played in %s", b.vms, time.Since(begun).Round(10*time.Millisecond))
}

// allIn reports whether all VMs are in a state.
func (w *world) allIn(state string) bool {
	return !slices.ContainsFunc(w.vault.Items(), func(i vault.Item) bool { return i.ProtectionState != state })
}

// onceEach checks that a call was accepted once for each VM.
func (w *world) onceEach(operation string) {
	w.t.Helper()
	of, wrong := map[string]int{}, []string{}
	for _, c := range w.vault.Ledger() {
		if c.Accepted && c.Operation == operation {
			of[c.VM]++
		}
	}
	for _, item := range w.vault.Items() {
		if n := of[item.Name]; n != 1 {
			wrong = append(wrong, fmt.Sprintf("%s %d times", item.Name, n))
		}
	}
	if len(wrong) > 0 {
		w.t.Errorf("%s was accepted of %s", operation, strings.Join(wrong, ", "))
	}
}
