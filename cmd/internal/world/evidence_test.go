package world

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ferry/events"
	"ferry/failover"
	"ferry/sandbox/vault"
)

// evidence is what is left of a schedule: what the stand-ins and the stream say.
type evidence struct {
	schedule schedule
	deeds    []deed
	cards    []shown
	told     []told
	excused  []span
	latest   map[failover.OpID]shown
	deaths   int
	slack    int
	ledger   []vault.Call
	jobs     []vault.Job
	history  []vault.StateChange
	items    []vault.Item
	stream   *stream
	over     time.Time
	audit    events.Verdict
	unread   error // why there is no verdict
	groups   []groupWas
}

func (p *player) evidence(s schedule) (*evidence, error) {
	stored, err := p.readStream()
	if err != nil {
		return nil, err
	}
	r := p.record
	return &evidence{
		schedule: s, deeds: r.deeds, cards: r.cards, told: r.told, excused: r.excused, latest: r.latest(), deaths: p.deaths, slack: p.slack,
		ledger: p.vault.Ledger(), jobs: p.vault.Jobs(), history: p.vault.History(), items: p.vault.Items(), stream: stored, over: time.Now(), audit: p.audit, unread: p.unread, groups: p.groups,
	}, nil
}

// intent is one mutating call that Ferry meant to make: an attempt at a step of an operation, after so many opened gates.
type intent struct {
	op     failover.OpID
	target string // item key
	kind   failover.StepKind
	round  int
	again  int // how often it was tried once more after Azure had said how it ended: by somebody, or for want of capacity
	at     time.Time
	seq    uint64    // in the stream
	begun  time.Time // when the first attempt of the round was: later ones wait for Azure, for as long as it asks to
}

// intents lists what Ferry wrote down before it called, by the id that the call carries.
func (e *evidence) intents() map[string]intent {
	all := map[string]intent{}
	for op, records := range e.stream.records {
		round, begun, again := 0, time.Time{}, map[string]int{}
		taken := map[string]bool{} // Azure has a job for the newest call
		for _, r := range records {
			if _, opened := r.Fact.(failover.GateOpened); opened {
				round, begun = round+1, time.Time{}
			}
			if f, accepted := r.Fact.(failover.StepAccepted); accepted && f.Kind != failover.StepResize {
				taken[f.Target] = true
			}
			if f, delayed := r.Fact.(failover.StepDelayed); delayed && taken[f.Target] {
				taken[f.Target] = false
				again[f.Target]++
			}
			if f, retried := r.Fact.(failover.Retried); retried {
				for _, key := range f.Targets {
					again[key]++
				}
			}
			if f, started := r.Fact.(failover.StepStarted); started {
				nth := again[f.Target]
				if f.Kind == failover.StepResize { // one more for each size: a second one does no harm
					nth = f.Attempt
				} else {
					taken[f.Target] = false
				}
				if begun.IsZero() {
					begun = r.At
				}
				all[f.ClientRequestID] = intent{op, f.Target, f.Kind, round, nth, r.At, r.Seq, begun}
			}
		}
	}
	return all
}

// accepted are Ferry's own calls that started work in Azure.
func (e *evidence) accepted() []vault.Call {
	var calls []vault.Call
	for _, c := range e.ledger {
		if c.Accepted && c.Source == vault.SourceAPI {
			calls = append(calls, c)
		}
	}
	return calls
}

// reached reports whether a VM was in a state at some moment of a span.
func (e *evidence) reached(vm, state string, from, to time.Time) bool {
	before := ""
	for _, c := range e.history {
		switch {
		case c.VM != vm || c.At.After(to):
		case !c.At.After(from):
			before = c.State
		case c.State == state:
			return true
		}
	}
	return before == state
}

// oldGroup is how old a reading of the group may be that still counts, and a little for the reading itself.
const oldGroup = 5*time.Minute + 10*time.Second

// couldApprove reports whether Ferry may have taken somebody for an approver at a moment.
func (e *evidence) couldApprove(id string, at time.Time) bool {
	if !e.schedule.Group {
		return isApprover(id)
	}
	for n, g := range e.groups {
		over := n+1 < len(e.groups) && !e.groups[n+1].since.After(at.Add(-oldGroup))
		if !g.since.After(at) && !over && slices.Contains(g.users, id) {
			return true
		}
	}
	return false
}

// did reports whether a job of a scenario on a VM ended well within a span.
func (e *evidence) did(vm, scenario string, from, to time.Time) bool {
	for _, j := range e.jobs {
		if j.VM == vm && j.Scenario == scenario && !j.End.IsZero() && !j.End.After(to) && !j.End.Before(from) && j.State == "Succeeded" {
			return true
		}
	}
	return false
}

// targets are the names of the VMs of an operation that have not failed.
func targets(op failover.Operation) []string {
	var names []string
	for _, t := range op.Targets {
		if !t.Lead && t.Phase != failover.Failed {
			names = append(names, t.Item.Name)
		}
	}
	return names
}

// excuses reports whether a promise of d from a moment on could not be kept.
func (e *evidence) excuses(at time.Time, d time.Duration) bool {
	for _, s := range e.excused {
		if s.from.Before(at.Add(d)) && s.to.After(at) {
			return true
		}
	}
	return false
}

// story is everything that happened, in order, for whoever looks into a failure.
func (e *evidence) story() string {
	type moment struct {
		at   time.Time
		text string
	}
	var all []moment
	add := func(at time.Time, format string, args ...any) {
		all = append(all, moment{at, fmt.Sprintf(format, args...)})
	}
	for _, d := range e.deeds {
		add(d.at, "%s %s %q %s", d.who, d.act, d.text, d.op)
	}
	for _, t := range e.told {
		add(t.at, "   %s is told: %s", t.who, t.text)
	}
	for _, c := range e.cards {
		add(c.at, "   card of %s (posted: %v): %s", c.op, c.posted, c.title())
	}
	for _, c := range e.ledger {
		add(c.At, "   %s of %s%s by %s: %d, accepted: %v", c.Operation, c.VM, c.Plan, c.Source, c.Status, c.Accepted)
	}
	for id, records := range e.stream.records {
		for _, r := range records {
			add(r.At, "      %s %s %+v", id, r.Fact.Type(), r.Fact)
		}
	}
	slices.SortStableFunc(all, func(x, y moment) int { return x.at.Compare(y.at) })
	var lines []string
	for _, m := range all {
		lines = append(lines, m.at.UTC().Format("15:04:05.000 ")+m.text)
	}
	return strings.Join(lines, "\n")
}
