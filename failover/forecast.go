package failover

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Limit is what an operation on many VMs would be over sooner without. More may come.
type Limit string

const (
	// LimitSlowest is the VM that takes longest: more at a time would not help.
	LimitSlowest Limit = "slowest_vm"
	// LimitConcurrency is how many VMs the group lets be under way at a time.
	LimitConcurrency Limit = "concurrency"
	// LimitVault is how many a vault takes at a time, as executors have learned it.
	LimitVault Limit = "vault"
	// LimitWrites is how many calls Azure Resource Manager takes.
	LimitWrites Limit = "writes"
	// LimitWaves is that waves wait for each other.
	LimitWaves Limit = "waves"
	// LimitAsked is that Azure asked to come back later.
	LimitAsked Limit = "asked_to_wait"
	// LimitCapacity is that a region has no room for a size.
	LimitCapacity Limit = "capacity"
	// LimitAzure is Azure itself, where one job leads all: a recovery plan.
	LimitAzure Limit = "azure"
)

// Forecast is how long an operation would take that nobody has asked for yet.
type Forecast struct {
	What  string `json:"what"` // it would be about, in words
	VMs   int    `json:"vms"`
	Waves int    `json:"waves,omitempty"`
	Expected
	// Own is how many of the VMs have been failed over before; the others are taken to be like those, or as the default.
	Own int `json:"own,omitempty"`
	// LeftOut says which of the VMs that were meant are not counted, and why.
	LeftOut string `json:"left_out,omitempty"`
}

// ForecastOf is what a forecast is about: a group, a recovery plan, or VMs as typed with blanks between.
type ForecastOf struct {
	Group string `json:"group,omitempty"`
	Plan  string `json:"plan,omitempty"`
	VMs   string `json:"vms,omitempty"`
}

// ForecastGathered is about the VMs of a group, or those in a row. Who cannot be failed over as they are now are left out.
func (s Situation) ForecastGathered(g Gathered) Forecast {
	var targets []Target
	not := unready{said: g.Lost}
	for n, item := range g.Items {
		if refusal := Legal(StepFailover, item); refusal != nil && len(g.Items) > 1 {
			not.add(item.Name, refusal)
			continue
		}
		targets = append(targets, Target{Item: item, Wave: g.Waves[n]})
	}
	f := s.Forecast(VerbFailover, Plan{Fleet: &g.Fleet}, targets)
	switch {
	case g.Fleet.Name != "":
		f.What = "group " + g.Fleet.Name
	case len(g.Items) == 1:
		f.What = g.Items[0].Name
	default:
		f.What = count(len(g.Items))
	}
	f.LeftOut = not.words()
	return f
}

// ForecastPlan is about a recovery plan, which Azure leads as one.
func (s Situation) ForecastPlan(p RecoveryPlan) Forecast {
	f := s.Forecast(VerbFailover, Plan{Recovery: &p}, []Target{p.lead()})
	f.What, f.VMs, f.Waves = "recovery plan "+p.Name, len(p.Keys()), len(p.Groups)
	return f
}

// Forecast says how long the first step of an operation on the targets would take. It needs Past, RTO, Paces and Budgets.
func (s Situation) Forecast(verb Verb, plan Plan, targets []Target) Forecast {
	targets = slices.Clone(targets)
	f := Forecast{Expected: s.forecast(verb, plan, targets)}
	h := learned(s.Past, StepFailover)
	for _, t := range targets {
		if t.Lead {
			continue
		}
		f.VMs++
		if len(h.of[t.Item.Key]) > 0 {
			f.Own++
		}
	}
	if plan.Fleet != nil {
		f.Waves = len(plan.Fleet.Waves)
	}
	return f
}

// forecast tells from earlier operations how long the first step takes, of all VMs, and fills in each one's own. It is zero where
// nobody can say; a reprotect has its own estimate, see [Reversal.Estimate].
func (s Situation) forecast(verb Verb, plan Plan, targets []Target) Expected {
	first := Operation{Verb: verb, Plan: plan}.stages()[0].Step
	if first != StepFailover && first != StepTest && first != StepChange || len(targets) == 0 {
		return Expected{}
	}
	h := learned(s.Past, first)
	e := Expected{RTO: int(s.RTO.Seconds())}
	for i := range targets {
		t := &targets[i]
		took, of, shared := h.median(*t)
		if len(targets) > 1 {
			took = h.settled(*t, took)
		}
		if t.Lead || plan.Recovery == nil {
			e.Of, e.Shared = e.Of+of, e.Shared || shared
		}
		if !t.Led {
			t.Expected = int(math.Ceil(took.Seconds()))
		}
		e.Spread += h.spreadOf(*t) / float64(len(targets))
	}
	e.Spread = math.Round(1000*e.Spread) / 1000
	if e.Shared {
		e.Of = len(h.all)
	}
	e.Vaults, e.Unlearned = s.rooms(first, plan, targets)
	op := Operation{Verb: verb, Plan: plan, Targets: targets, Expected: Expected{Vaults: e.Vaults}}
	p := op.timetable(first, time.Time{})
	p.unknown = e.Of == 0
	p.afford(s.Budgets)
	ends := p.play(e.Spread, plays)
	e.Seconds, e.P95 = int(math.Ceil(ends[plays/2])), int(math.Ceil(ends[plays*95/100]))
	if len(p.loads) == 1 && p.loads[0].median < ends[plays/2] { // of one VM its own median is what people can check
		e.Seconds = int(p.loads[0].median)
	}
	e.Limit, e.About, e.Room = p.limit(e.Spread)
	if plan.Recovery != nil {
		e.Limit, e.About, e.Room = LimitAzure, "", 0
	}
	return e
}

// taken is how many VMs at a time are taken to be no trouble for a vault of which nothing is known. It is an assumption.
const taken = 20

// rooms are how many jobs the vaults of the targets work on at a time, by name: as executors have learned it just now, else as it
// was when jobs last had to wait there. Of those that are unlearned it is not known whether they take so many at a time.
func (s Situation) rooms(step StepKind, plan Plan, targets []Target) (rooms map[string]int, unlearned []string) {
	if len(targets) < 2 || plan.Recovery != nil {
		return nil, nil
	}
	type part struct { // of a wave
		vault string
		wave  int
	}
	vms := map[part]int{}
	limits, seen := crowds(s.Past, step)
	for i := range targets {
		id, name := strings.ToLower(targets[i].Item.VaultID), targets[i].Item.Vault
		if room := cmp.Or(s.Paces[id].AtOnce, limits[id]); room > 0 {
			if rooms == nil {
				rooms = map[string]int{}
			}
			rooms[name] = room
			continue
		}
		in := part{name, targets[i].Wave}
		atOnce := vms[in] + 1
		if vms[in] = atOnce; plan.Fleet != nil && plan.Fleet.Concurrency > 0 {
			atOnce = min(atOnce, plan.Fleet.Concurrency)
		}
		if atOnce > max(taken, seen[id]) && !slices.Contains(unlearned, name) {
			unlearned = append(unlearned, name)
		}
	}
	slices.Sort(unlearned)
	return rooms, unlearned
}

// timetable is what is left of an operation's first step at a moment; the zero moment is before it has begun.
func (o Operation) timetable(step StepKind, now time.Time) timetable {
	p := timetable{waves: []Wave{{}}}
	if f := o.Plan.Fleet; f != nil {
		p.concurrency = f.Concurrency
		if len(f.Waves) > 0 {
			p.waves = f.Waves
		}
	}
	for i := range o.Targets {
		t := &o.Targets[i]
		if t.Led || !now.IsZero() && (t.Phase != Running || t.Doing != step) {
			continue
		}
		l := load{name: t.Item.Name, median: max(1, float64(t.Expected)), elapsed: -1, wave: max(0, min(t.Wave, len(p.waves))-1)}
		if t.Expected == 0 {
			l.median = expectedVM.Seconds()
		}
		if s := t.Step(step); !now.IsZero() && s != nil && underWay(*t, step) {
			l.elapsed = max(0, now.Sub(s.StartedAt).Seconds())
		}
		l.vault = place(&p.vaults, t.Item.Vault)
		l.sub = place(&p.subs, subscription(t.Item.ID))
		p.loads = append(p.loads, l)
	}
	for _, vault := range p.vaults {
		p.rooms = append(p.rooms, o.Expected.Vaults[vault])
	}
	p.afford(nil)
	slices.SortStableFunc(p.loads, func(a, b load) int { // longest first
		return cmp.Compare(b.median, a.median)
	})
	return p
}

// place is where a name stands among those seen before.
func place(all *[]string, name string) int {
	if i := slices.Index(*all, name); i >= 0 {
		return i
	}
	*all = append(*all, name)
	return len(*all) - 1
}

// subscription is that of an ARM id; empty when it has none.
func subscription(id string) string {
	_, rest, _ := strings.Cut(strings.ToLower(id), "/subscriptions/")
	id, _, _ = strings.Cut(rest, "/")
	return id
}

// limitPlays is how often each limit is lifted to see what it costs, and worthwhile what that has to be.
const (
	limitPlays = 7
	worthwhile = 0.97
)

// limit is what the end comes later for more than for anything else: it is lifted, and all is played again.
func (p timetable) limit(spread float64) (what Limit, about string, room int) {
	middle := func(p timetable) float64 { return p.play(spread, limitPlays)[limitPlays/2] }
	what, best := LimitSlowest, middle(p)*worthwhile
	all := p
	for _, one := range []struct {
		limit Limit
		lift  func(*timetable)
		holds bool
	}{
		{LimitConcurrency, func(p *timetable) { p.concurrency = 0 }, p.concurrency > 0},
		{LimitVault, func(p *timetable) { p.rooms = make([]int, len(p.rooms)) }, slices.Max(append(p.rooms, 0)) > 0},
		{LimitWrites, func(p *timetable) { p.free = true }, true},
		{LimitWaves, func(p *timetable) { p.waves = make([]Wave, len(p.waves)) }, len(p.waves) > 1},
	} {
		if !one.holds {
			continue
		}
		lifted := p
		one.lift(&lifted)
		one.lift(&all)
		if end := middle(lifted); end < best {
			what, best = one.limit, end
		}
	}
	if what == LimitSlowest && p.concurrency > 0 && middle(all) < best { // each alone gives nothing: two hold alike
		what = LimitConcurrency
	}
	switch what {
	case LimitConcurrency:
		return what, "", p.concurrency
	case LimitVault:
		v := p.fullest()
		return what, p.vaults[v], p.rooms[v]
	case LimitSlowest:
		if n := len(p.loads); n == 1 || n > 1 && p.loads[0].median > p.loads[1].median {
			return what, p.loads[0].name, 0
		}
	case LimitWrites:
		return what, "", int(math.Ceil(p.budgets[0].PerSecond))
	case LimitWaves, LimitAzure, LimitAsked, LimitCapacity:
	}
	return what, "", 0
}

// fullest is the vault that has most to do by what it takes.
func (p timetable) fullest() int {
	work := make([]float64, len(p.rooms))
	for _, l := range p.loads {
		if room := p.rooms[l.vault]; room > 0 {
			work[l.vault] += l.median / float64(room)
		}
	}
	return slices.Index(work, slices.Max(work))
}

// Outlook is how long it takes from a moment on until no VM of a running operation is in its first step any more, by what has
// happened so far: as likely longer as shorter, and what is enough 19 times in 20. False where nobody can say.
func (o Operation) Outlook(now time.Time) (likely, atMost time.Duration, ok bool) {
	step := o.stages()[0].Step
	if o.Phase != Running || o.Expected.Seconds == 0 || !o.Several() || step != StepFailover && step != StepTest {
		return 0, 0, false
	}
	p := o.timetable(step, now)
	if len(p.loads) == 0 {
		return 0, 0, false
	}
	p.unknown = o.Expected.Of == 0
	ends := p.play(cmp.Or(o.Expected.Spread, usualSpread), plays)
	return time.Duration(ends[plays/2]) * time.Second, time.Duration(ends[plays*95/100]) * time.Second, true
}

func waitFor(vms int) string {
	if vms == 1 {
		return "1 VM waits"
	}
	return fmt.Sprintf("%d VMs wait", vms)
}

// Words says what holds an operation back, as the rest of a sentence.
func (e Expected) Words() string {
	switch e.Limit {
	case LimitConcurrency:
		return fmt.Sprintf("the group's concurrency, %d VMs at a time", e.Room)
	case LimitVault:
		return fmt.Sprintf("the vault %s, which takes about %d VMs at a time as Ferry has learned", e.About, e.Room)
	case LimitWrites:
		return fmt.Sprintf("Azure Resource Manager, which takes %d calls a second of one principal", e.Room)
	case LimitWaves:
		return "the waves, which wait for each other"
	case LimitAsked:
		return fmt.Sprintf("Azure, which asked Ferry to wait with %d VMs", e.Room)
	case LimitCapacity:
		return fmt.Sprintf("the capacity of %s, which %s for", e.About, waitFor(e.Room))
	case LimitAzure:
		return "Azure, which goes through the recovery plan group by group"
	case LimitSlowest:
		if e.About != "" {
			return e.About + ", which takes longest"
		}
		return "the VM that takes longest"
	}
	return ""
}
