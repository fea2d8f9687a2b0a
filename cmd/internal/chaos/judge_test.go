package chaos_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"ferry/failover"
)

// fault is one process that was killed or frozen.
type fault struct {
	at     time.Time
	what   string // such as "kill executor"
	pid    int
	driver bool // or the only process
	leader bool // of the stream
}

// figures is what a run of the chaos came to.
type figures struct {
	name             string
	faults           map[string]int
	operations       int
	commands         int // acknowledged as accepted
	calls            int // that started work in Azure
	duplicates, lost int
	cards            int
	attention        int // operations that ended with a person who has to look
	adopted, again   int // jobs found again after a lost answer, calls made a second time
	messages         int // of the stream, all decoded
	takeover         []time.Duration
	gap              []time.Duration
	leaderGap        []time.Duration
}

// settled waits until no operation runs any more: each is over, or waits for a person.
func (o *outside) settled(name string) {
	o.Helper()
	o.until("no operation runs any more", limit, func() bool {
		out, err := exec.CommandContext(o.Context(), o.ferry, "--config", o.file(name), "status", "-o", "json").Output()
		var all struct {
			Operations []struct{ Phase failover.Phase }
		}
		return err == nil && json.Unmarshal(out, &all) == nil &&
			!slices.ContainsFunc(all.Operations, func(op struct{ Phase failover.Phase }) bool { return op.Phase == failover.Running })
	})
}

// judge compares the stream with what the stand-ins saw, and measures.
func (p *people) judge(name string, r record, faults []fault) figures {
	p.Helper()
	f := figures{name: name, faults: map[string]int{}, operations: 0, messages: r.messages}
	for _, x := range faults {
		f.faults[x.what]++
	}
	for _, op := range r.ops {
		if !op.Exists() {
			continue
		}
		f.operations++
		if op.Phase == failover.Running {
			f.lost++
			p.Errorf("%s runs for ever: %+v", op.ID, op)
		}
		if op.Phase == failover.NeedsAttention {
			f.attention++
		}
	}
	p.posted(&f, r, len(faults))
	p.calls(&f, r)
	p.answers(&f, r)
	f.takeover = takeovers(r, faults)
	f.gap = p.gaps(r, faults)
	return f
}

// posted counts the cards: each operation has one, and what a crash added says that it continues another.
func (p *people) posted(f *figures, r record, crashes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.cards = len(p.cards)
	if f.cards > f.operations+crashes {
		p.Errorf("%d cards of %d operations after %d faults", f.cards, f.operations, crashes)
	}
	of := map[failover.OpID]int{}
	for _, c := range p.cards {
		if of[c.op]++; of[c.op] > 1 && !strings.Contains(c.text, "Continued here") {
			p.Errorf("a further card of %s does not say so:\n%s", c.op, c.text)
		}
	}
	for id, op := range r.ops {
		if op.Exists() && of[id] == 0 {
			p.Errorf("%s has no card", id)
		}
	}
}

// calls counts what Azure accepted: each call has its intent in the stream, and no intent more than one.
func (p *people) calls(f *figures, r record) {
	type intent struct {
		op     failover.OpID
		target string
		kind   failover.StepKind
	}
	intents, accepted := map[string]intent{}, map[intent]int{}
	for _, t := range r.facts {
		if started, ok := t.Fact.(failover.StepStarted); ok {
			intents[started.ClientRequestID] = intent{t.op, started.Target, started.Kind}
			if started.Attempt > 1 {
				f.again++
			}
		}
		if accepted, ok := t.Fact.(failover.StepAccepted); ok && accepted.Adopted {
			f.adopted++
		}
	}
	for _, c := range p.vault.Ledger() {
		if !c.Accepted {
			continue
		}
		f.calls++
		of, ok := intents[strings.ToLower(c.ClientRequestID)]
		if !ok {
			p.Errorf("%s of %s was called without an intent", c.Operation, c.VM)
		}
		if accepted[of]++; accepted[of] > 1 {
			f.duplicates++
			p.Errorf("%s of %s was accepted twice for one intent of %s", c.Operation, c.VM, of.op)
		}
	}
}

// answers looks for every command that was acknowledged as accepted: it is stored, and it is decided.
func (p *people) answers(f *figures, r record) {
	decided := map[string]bool{}
	for _, t := range r.facts {
		decided[t.Command] = true
	}
	for _, a := range p.workspace.Acks() {
		if a.AckedAt.IsZero() || strings.Contains(string(a.Payload), "Not confirmed") {
			continue
		}
		f.commands++
		id := failover.MessageID("T0SANDBOX", a.TriggerID)
		if _, stored := r.commands[id]; !stored || !decided[id] {
			f.lost++
			p.Errorf("what was acknowledged at %s is lost: stored %v, decided %v; %s", a.AckedAt, stored, decided[id], a.Payload)
		}
	}
}

// takeovers is, for each operation whose driver was hit, how long it took until the next claim.
func takeovers(r record, faults []fault) []time.Duration {
	var all []time.Duration
	for _, x := range faults {
		driving := map[failover.OpID]bool{}
		for _, t := range r.facts {
			claim, claimed := t.Fact.(failover.Claimed)
			switch {
			case t.stored.After(x.at) && claimed && driving[t.op]:
				if !strings.HasSuffix(claim.Executor, fmt.Sprintf("-%d", x.pid)) {
					all = append(all, t.stored.Sub(x.at))
				}
				delete(driving, t.op)
			case t.stored.After(x.at):
			case claimed:
				driving[t.op] = strings.HasSuffix(claim.Executor, fmt.Sprintf("-%d", x.pid))
			case idles(t.Fact):
				delete(driving, t.op)
			}
		}
	}
	return all
}

// idles reports whether after this fact nobody drives.
func idles(f failover.Fact) bool {
	_, parked := f.(failover.Parked)
	return parked
}

// gaps is, for each fault, how long people then waited for a card to move or a command to be decided.
func (p *people) gaps(r record, faults []fault) []time.Duration {
	p.mu.Lock()
	moments := slices.Clone(p.shown)
	p.mu.Unlock()
	for _, t := range r.facts {
		if t.Command != "" {
			moments = append(moments, t.stored)
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	var all []time.Duration
	for _, x := range faults {
		if i, _ := slices.BinarySearchFunc(moments, x.at, time.Time.Compare); i < len(moments) {
			all = append(all, moments[i].Sub(x.at))
		}
	}
	return all
}

// percentiles are the median, the 95th and the largest of some durations.
func percentiles(all []time.Duration) string {
	if len(all) == 0 {
		return "none"
	}
	sorted := slices.Sorted(slices.Values(all))
	at := func(percent int) float64 { return sorted[(len(sorted)-1)*percent/100].Seconds() }
	return fmt.Sprintf("%.1f / %.1f / %.1f s of %d", at(50), at(95), at(100), len(sorted))
}
