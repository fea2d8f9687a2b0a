package failover

import (
	"slices"
	"strings"
	"time"
)

// Where the other region is short of capacity, a VM is tried again: at once in a size that was approved in the place of its own, and
// when none is left after a while, for capacity comes back as others let go of it. Who asked has asked for it, and Azure has said
// that it made nothing. Of one VM that has no other size a person decides.
const (
	// capacityPause is how long the first pause is; each is twice the one before.
	capacityPause = 5 * time.Minute
	// capacityTries is how often a VM is tried in all in its own size.
	capacityTries = 4
)

// sizes are those in which a VM may be made, in the order in which they are tried: its own, and those that were approved in its place.
func (o Operation) sizes(t Target) []string {
	return append([]string{t.Item.Size}, o.Plan.Sizes[t.Item.Size]...)
}

// shortages counts what a VM was refused for, in all and since somebody let the operation go on: failovers for which there was no
// room, and sizes that the vault did not take.
func (o Operation) shortages(t Target) (all, since int) {
	for _, s := range t.Steps {
		short := s.Kind == StepFailover && s.State == StateDelayed && s.JobID != ""
		if untaken := s.Kind == StepResize && s.State == StateFailed; !short && !untaken {
			continue
		}
		all++
		if !s.StartedAt.Before(later(o.OpenedAt, o.ResumedAt)) {
			since++
		}
	}
	return all, since
}

// triedAgain is how a VM is tried again after so many shortages, the last of them just now: when, and in which size; false where it
// was tried often enough. Who lets the operation go on has it tried as often once more, and the turn of the sizes goes on. The last
// try is otherwise in its own size, so that the vault is left as it was.
func (o Operation) triedAgain(t Target, all, since int, now time.Time) (at time.Time, size string, ok bool) {
	sizes := o.sizes(t)
	round, place := since/len(sizes), all%len(sizes)
	switch {
	case since > (capacityTries-1)*len(sizes):
		return time.Time{}, "", false
	case place > 0:
		return now, sizes[place], true
	}
	return now.Add(capacityPause << max(0, round-1)), sizes[0], true
}

// waitsForCapacity tells of a VM whose job has failed for want of capacity that it is tried again, and when; false where it is not.
func (o Operation) waitsForCapacity(t Target, step *Step, why Fault, now time.Time) (StepDelayed, bool) {
	if why.Capacity == "" || !o.Several() && len(o.sizes(t)) == 1 || step.Kind != StepFailover {
		return StepDelayed{}, false
	}
	why.Message = "Azure has no capacity in " + t.Item.To + " for " + why.Capacity + ". " + why.Message
	all, since := o.shortages(t)
	return o.delayed(t, all+1, since+1, why, now)
}

// delayed tells when a VM is tried again after so many shortages, and in which size.
func (o Operation) delayed(t Target, all, since int, why Fault, now time.Time) (StepDelayed, bool) {
	at, size, ok := o.triedAgain(t, all, since, now)
	if !ok {
		return StepDelayed{}, false
	}
	next := "Tried again"
	if len(o.sizes(t)) > 1 {
		next += " as " + size
	}
	if at.After(now) {
		next += " at " + stamp(at)
	}
	why.Action = strings.TrimSpace(next + ". " + why.Action)
	return StepDelayed{Target: t.Item.Key, Kind: StepFailover, Until: at, Fault: why}, true
}

// noCapacity is why a VM is tried no more.
func noCapacity(op Operation, t Target) Fault {
	return Fault{Message: "Azure has had no capacity in " + t.Item.To + " within an hour of the " + op.decision() + ".", Action: "Ask again, or choose another size for it under Compute and Network in the portal."}
}

// short reports whether a VM waits for capacity, or for its size to be changed.
func (t *Target) short() bool {
	s := t.Step(StepFailover)
	return t.Phase == Running && t.Doing == StepFailover && t.Short != "" && s != nil && s.State == StateDelayed
}

// tried reports whether a failover of a VM found no capacity and none has been begun since, whatever it waits for by now.
func (t *Target) tried() bool {
	s := t.Step(StepFailover)
	return t.Phase == Running && t.Doing == StepFailover && s != nil && s.State == StateDelayed &&
		slices.ContainsFunc(t.Steps, func(s Step) bool { return s.Kind == StepFailover && s.State == StateDelayed && s.JobID != "" })
}

// shortOf is what most of the VMs that wait for capacity wait for.
func (o Operation) shortOf() string {
	waits, most := map[string]int{}, ""
	for i := range o.Targets {
		if t := &o.Targets[i]; t.short() {
			what := t.Item.To + " for " + t.Short
			if waits[what]++; waits[what] > waits[most] {
				most = what
			}
		}
	}
	return most
}

// tiersShort are the waves, by place from 1, behind which nothing begins in a region while a VM of them waits for capacity there:
// what there is goes to who comes first. One whose turn has been taken from it, by a retry in a wave before, keeps nobody waiting.
func (o Operation) tiersShort(over []bool) map[string]int {
	short := map[string]int{}
	for i := range o.Targets {
		t := &o.Targets[i]
		if !t.short() || !o.turn(t, over) {
			continue
		}
		if first, known := short[t.Item.To]; !known || t.Wave < first {
			short[t.Item.To] = t.Wave
		}
	}
	return short
}
