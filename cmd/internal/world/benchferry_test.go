package world

import (
	"fmt"
	"strings"
	"testing/synctest"
	"time"

	"ferry/config"
	"ferry/failover"
	"ferry/sandbox/workspace"
)

// benchFleet is the group's name.
const benchFleet = "fleet"

// group is the trial's fleet as the configuration has it: whatever fails, the others go on.
func (b trial) group() config.Group {
	g := config.Group{OnFailure: "continue"}
	for i, names := range b.waves() {
		g.Waves = append(g.Waves, config.Wave{Name: fmt.Sprintf("wave-%d", i+1), VMs: names})
	}
	return g
}

// byFerry is one command, one approval, and a person who has what failed tried again.
func byFerry(w *world, b trial) run {
	drawn := w.fleetBegins(b)
	r, op := w.fleetGoes(b)
	w.stop()
	r.told(w, op, drawn)
	return r
}

// byFerryAgain is the same once more, after the fleet was committed and reprotected: now Ferry knows its VMs.
func byFerryAgain(w *world, b trial) run {
	drawn := w.fleetBegins(b)
	w.fleetGoes(b)
	if _, err := w.workspace.Click("ben", incident, "Commit all"); err != nil {
		w.t.Fatal(err)
	}
	w.comesTo("UnplannedFailoverCommitted")
	for _, item := range w.vault.Items() {
		if err := w.vault.Portal(item.Name, "switchprotection"); err != nil {
			w.t.Fatal(err)
		}
	}
	w.comesTo("Protected")
	pass(10 * time.Minute)
	b.nth++
	r, op := w.fleetGoes(b)
	r.by = ferryAgain
	w.stop()
	r.told(w, op, drawn)
	return r
}

// comesTo waits until all VMs are in a state.
func (w *world) comesTo(state string) {
	w.t.Helper()
	for end := time.Now().Add(48 * time.Hour); !w.allIn(state); pass(time.Minute) {
		if time.Now().After(end) {
			w.t.Fatalf("never all %s:\n%s", state, w.card(""))
		}
	}
}

// fleetBegins starts Ferry with the fleet as a group.
func (w *world) fleetBegins(b trial) *drawings {
	w.t.Helper()
	w.groups = map[string]config.Group{benchFleet: b.group()}
	drawn := &drawings{}
	w.stand(slackHost, drawn.watch)
	w.begin()
	return drawn
}

// fleetGoes fails the fleet over, until all of it waits for the commit.
func (w *world) fleetGoes(b trial) (run, failover.OpID) {
	w.t.Helper()
	r := run{trial: b, by: ferryRun}
	w.typed("ana", "/failover group "+benchFleet+" latest --confirm "+benchFleet)
	w.offers("Approve", 10*time.Minute)
	op := w.id()
	begun, before := time.Now(), w.vault.Traffic()
	b.spoil(w.vault)
	if _, err := w.workspace.Click("ben", incident, "Approve", workspace.Containing(op)); err != nil {
		w.t.Fatalf("%v\n%s", err, w.card(""))
	}
	r.rounds = w.watches(op)
	for _, j := range w.vault.Jobs() {
		if j.State == "Succeeded" {
			r.makespan = max(r.makespan, j.End.Sub(begun))
		}
	}
	r.traffic = minus(w.vault.Traffic(), before)
	r.posts, r.edits = w.fullestMinute(begun)
	return r, failover.OpID(op)
}

// watches is a person who looks twice a minute and has what has failed tried again, a VM at most three times, until all wait for
// their commit. It returns how often it began.
func (w *world) watches(op string) int {
	w.t.Helper()
	rounds, asked := 1, map[string]asking{}
	for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); pass(30 * time.Second) {
		synctest.Wait()
		waits := strings.Contains(w.card(""), "[ Commit all ]")
		switch {
		case w.triesAgain(asked, waits):
			w.typed("ana", "/failover retry "+op)
			rounds++
		case waits:
			return rounds
		}
	}
	w.t.Fatalf("it never ended:\n%s", w.card(""))
	return rounds
}

// asking is how often a person had a VM tried again, and when last.
type asking struct {
	times int
	last  time.Time
}

// triesAgain reports whether a VM has failed and is not being tried again, three times at most; once the others wait, that is each
// that has no job. The vault is asked: the card of a large fleet does not name all that failed.
func (w *world) triesAgain(asked map[string]asking, waits bool) (again bool) {
	failed := map[string]int{}
	for _, j := range w.vault.Jobs() {
		if j.State == "Failed" && time.Since(j.End) > 30*time.Second {
			failed[j.VM]++
		}
	}
	for _, i := range w.vault.Items() {
		a, n := asked[i.Name], failed[i.Name]
		if i.Active == "Recovery" || i.Job != "" || n == 0 && !waits {
			continue
		}
		if max(n, a.times+1) < benchRounds && time.Since(a.last) > 5*time.Minute {
			asked[i.Name], again = asking{a.times + 1, time.Now()}, true
		}
	}
	return again
}

// offers waits until the newest card has a button. It looks every ten seconds: a card of 1,000 VMs takes a while to read.
func (w *world) offers(label string, limit time.Duration) {
	w.t.Helper()
	for end := time.Now().Add(limit); ; pass(10 * time.Second) {
		synctest.Wait()
		if strings.Contains(w.card(""), "[ "+label+" ]") {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("the card never had %s:\n%s\n%s", label, w.card(""), w.newest("U0ANA"))
		}
	}
}

// fullestMinute counts posts and edits.
func (w *world) fullestMinute(from time.Time) (posts, edits int) {
	most := func(method string) (most int) {
		var at []time.Time
		for _, c := range w.workspace.Calls() {
			if c.Method != method || c.At.Before(from) {
				continue
			}
			at = append(at, c.At)
			for c.At.Sub(at[0]) >= time.Minute {
				at = at[1:]
			}
			most = max(most, len(at))
		}
		return most
	}
	return most("chat.postMessage"), most("chat.update")
}

// told reads from the stream what was known when, and what that took.
func (r *run) told(w *world, op failover.OpID, drawn *drawings) {
	w.t.Helper()
	stored, err := w.readStream()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range stored.messages {
		if strings.HasSuffix(m.Subject, "."+string(op)) {
			r.facts++
			r.bytes += len(m.Data)
		}
	}
	for _, t := range stored.ops[op].Targets {
		if t.Phase == failover.NeedsAttention {
			r.unsure++
		}
	}
	for _, record := range stored.records[op] {
		done, ok := record.Fact.(failover.StepDone)
		if !ok || done.Kind != failover.StepFailover {
			continue
		}
		lag := record.At.Sub(done.EndedAt)
		r.known = append(r.known, lag)
		if after, shown := drawn.after(op, record); shown {
			r.shown = append(r.shown, lag+after)
		}
	}
}
