package failover

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Due is what to do next for one target; an empty key is about the operation as a whole.
type Due struct {
	Target string
	Effect Effect
}

// Room says how many more VMs of a vault may begin a step now, given how many are under way there.
type Room func(vaultID string, underWay int) int

// Agenda says what the driver of an operation has to do now, given what it has seen of each target (by item key): one effect for
// each target that something is due for, in the order in which they are to be begun. It is the only place that decides whether
// Azure is called. Nothing is due for a target that the driver is at. An empty agenda means to wait for these.
func Agenda(op Operation, seen map[string]Observation, room Room, now time.Time) []Due {
	if !HasWork(op) {
		return []Due{{"", Park{}}}
	}
	if stop, ok := op.stops(); ok {
		return []Due{{"", Tell{[]Fact{stop}}}}
	}
	var all []Due
	busy, open := false, false
	may := op.order(seen, room, now) // the places in which they begin, the first highest; 0: not now
	for i := range op.Targets {
		t := &op.Targets[i]
		key := t.Item.Key
		look := seen[key]
		var e Effect
		switch {
		case t.Led && (t.Doing == StepFailover || t.Doing == StepCommit):
			continue // it goes with its plan
		case look.Busy:
			busy = true
			continue
		case t.Unplanned && t.Phase != Running && t.Phase != Cancelled:
			e = prepare(op, *t, look, now)
		case t.Phase != Running:
			continue
		case t.waits() && may[key] == 0:
			open = true
			continue
		default:
			e = nextForTarget(op, *t, look, now)
		}
		all = append(all, Due{key, e})
	}
	if len(all) > 0 || busy {
		slices.SortStableFunc(all, func(a, b Due) int { return cmp.Compare(may[b.Target], may[a.Target]) })
		return all
	}
	if open { // nothing is under way that could make room: what a person or the clock changes wakes the driver
		return []Due{{"", Wait{now.Add(LookEvery)}}}
	}
	for _, t := range op.Targets { // a success is never said of what was not read as done
		if !t.Phase.Final() {
			return []Due{{t.Item.Key, Tell{[]Fact{Stuck{Target: t.Item.Key, Why: "Nothing leads on from where " + t.Item.Name + " stands.", Hint: "Look at it in the portal; then type /failover cancel " + string(op.ID) + "."}}}}}
		}
	}
	return []Due{{"", Tell{[]Fact{finish(op)}}}}
}

// HasWork reports whether an operation needs a driver: something runs that nothing holds, or what the next gate is about has to be
// read.
func HasWork(op Operation) bool {
	if op.Verb.Declares() {
		return false
	}
	if op.Phase == Running {
		return op.OnHold == nil || slices.ContainsFunc(op.Targets, func(t Target) bool { return t.Phase == Running && !t.waits() }) || !op.anyWaits()
	}
	return !op.Phase.Final() && op.Phase != NeedsAttention && slices.ContainsFunc(op.Targets, func(t Target) bool { return t.Unplanned })
}

func (o Operation) anyWaits() bool {
	return slices.ContainsFunc(o.Targets, func(t Target) bool { return t.waits() })
}

// order says which of the VMs that have yet to begin may begin now: those whose wave's turn it is, the longest first, as many as
// the fleet and the vaults have room for. The first has the highest number.
func (o Operation) order(seen map[string]Observation, room Room, now time.Time) map[string]int {
	may := map[string]int{}
	if !o.Several() {
		for i := range o.Targets {
			may[o.Targets[i].Item.Key] = 1
		}
		return may
	}
	if o.OnHold != nil {
		return may
	}
	var queue []*Target
	begun, underWay := 0, map[string]int{}
	over := o.wavesOver()
	short := o.tiersShort(over)
	for i := range o.Targets {
		t := &o.Targets[i]
		switch {
		case t.Phase != Running:
		case !t.waits() || seen[t.Item.Key].Busy:
			begun++
			underWay[t.Item.VaultID]++
		case o.onlyWaits(t, seen[t.Item.Key], now):
			may[t.Item.Key] = 1 // only to wait
		case short[t.Item.To] > 0 && t.Wave > short[t.Item.To]:
		case o.turn(t, over):
			queue = append(queue, t)
		}
	}
	slices.SortStableFunc(queue, func(a, b *Target) int { return cmp.Compare(b.Expected, a.Expected) })
	left := map[string]int{}
	for n, t := range queue {
		vault := t.Item.VaultID
		if _, known := left[vault]; !known {
			left[vault] = len(queue)
			if room != nil {
				left[vault] = room(vault, underWay[vault])
			}
		}
		if f := o.Plan.Fleet; f != nil && f.Concurrency > 0 && begun >= f.Concurrency || left[vault] <= 0 {
			continue
		}
		begun++
		left[vault]--
		may[t.Item.Key] = len(queue) - n
	}
	return may
}

// onlyWaits reports whether a VM waits for a time, and nothing is to be done for it before.
func (o Operation) onlyWaits(t *Target, seen Observation, now time.Time) bool {
	if s := t.resizing(); s != nil {
		return now.Before(s.Until)
	}
	s := t.Step(t.Doing)
	return s != nil && s.State == StateDelayed && now.Before(s.Until) && !o.outsized(*t, seen)
}

// inWaves reports whether the order of the waves is about a step: only the failover is.
func (o Operation) inWaves(kind StepKind) bool { return o.Plan.Fleet != nil && kind == StepFailover }

// turn reports whether the waves before a VM's are over.
func (o Operation) turn(t *Target, over []bool) bool {
	if !o.inWaves(t.Doing) || t.Wave < 1 || t.Wave > len(o.Plan.Fleet.Waves) {
		return true
	}
	return !slices.ContainsFunc(o.Plan.Fleet.Waves[t.Wave-1].After, func(w int) bool { return w < 1 || w > len(over) || !over[w-1] })
}

// wavesOver says of each wave of the fleet whether all its VMs have come through the failover and its check, or do not come through.
func (o Operation) wavesOver() []bool {
	if o.Plan.Fleet == nil {
		return nil
	}
	over := make([]bool, len(o.Plan.Fleet.Waves))
	for i := range over {
		over[i] = true
	}
	for i := range o.Targets {
		t := &o.Targets[i]
		if t.Wave >= 1 && t.Wave <= len(over) && t.Phase == Running && (t.Doing == StepFailover || t.Doing == StepProbe) && !o.triesAlone(t) {
			over[t.Wave-1] = false
		}
	}
	return over
}

// triesAlone reports whether a VM is tried again while the waves after its own go on: where a failure holds up nobody, another try
// does not either.
func (o Operation) triesAlone(t *Target) bool {
	f := o.Plan.Fleet
	return f.OnFailure == GoOn && !f.Waves[t.Wave-1].Canary &&
		slices.ContainsFunc(t.Steps, func(s Step) bool { return s.Kind == StepFailover && s.State == StateFailed })
}

// stops tells that more of a wave has failed than is tolerated while others have yet to begin: then nothing new begins.
func (o Operation) stops() (PutOnHold, bool) {
	f := o.Plan.Fleet
	if f == nil || o.OnHold != nil || !o.Several() || !slices.ContainsFunc(o.Targets, func(t Target) bool { return t.waits() && o.inWaves(t.Doing) }) {
		return PutOnHold{}, false
	}
	size, failed := make([]int, len(f.Waves)), make([][]string, len(f.Waves))
	for i := range o.Targets {
		t := &o.Targets[i]
		if t.Wave < 1 || t.Wave > len(f.Waves) {
			continue
		}
		size[t.Wave-1]++
		if t.failed() && !t.Tolerated {
			failed[t.Wave-1] = append(failed[t.Wave-1], t.Item.Name)
		}
	}
	for w, wave := range f.Waves {
		tolerated := f.Tolerate
		if wave.Canary {
			tolerated = 0
		}
		if f.OnFailure == GoOn && !wave.Canary || len(failed[w])*100 <= tolerated*size[w] {
			continue
		}
		return PutOnHold{Why: count(len(failed[w])) + " of " + f.called(w) + " failed: " + names(failed[w])}, true
	}
	return PutOnHold{}, false
}

// called is a wave in a sentence.
func (f Fleet) called(w int) string {
	if f.Waves[w].Canary {
		return "the canary"
	}
	return "wave " + cmp.Or(f.Waves[w].Name, strconv.Itoa(w+1))
}

// names are the first of several names, and how many there are beside.
func names(of []string) string {
	const most = 10
	text := strings.Join(of[:min(len(of), most)], ", ")
	if more := len(of) - most; more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text
}
