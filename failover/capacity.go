package failover

import (
	"strings"
	"time"
)

// Where the other region is short of capacity, a VM of several is tried again after a while: capacity comes back as others let
// go of it. Who asked has asked for it, and Azure has said that it made nothing.
const (
	// capacityPause is how long the first pause is; each is twice the one before.
	capacityPause = 5 * time.Minute
	// capacityTries is how often a VM is tried in all.
	capacityTries = 4
)

// waitsForCapacity tells of a VM of several whose job has failed for want of capacity that it is tried again, and when; false
// where it is not.
func (o Operation) waitsForCapacity(t Target, step *Step, why Fault, now time.Time) (StepDelayed, bool) {
	if why.Capacity == "" || !o.Several() || step.Kind != StepFailover {
		return StepDelayed{}, false
	}
	tries := 0
	for _, s := range t.Steps {
		if s.Kind == step.Kind && s.JobID != "" && !s.StartedAt.Before(later(o.OpenedAt, o.ResumedAt)) {
			tries++
		}
	}
	if tries >= capacityTries {
		return StepDelayed{}, false
	}
	until := now.Add(capacityPause << max(0, tries-1))
	why.Message = "Azure has no capacity in " + t.Item.To + " for " + why.Capacity + ". " + why.Message
	why.Action = "Tried again at " + stamp(until) + ". " + strings.TrimSpace(why.Action)
	return StepDelayed{Target: t.Item.Key, Kind: step.Kind, Until: until, Fault: why}, true
}

// short reports whether a VM waits for capacity.
func (t *Target) short(now time.Time) bool {
	s := t.Step(t.Doing)
	return t.Phase == Running && s != nil && s.State == StateDelayed && s.JobID != "" && now.Before(s.Until)
}

// tiersShort are the waves, by place from 1, behind which nothing begins in a region while a VM of them waits for capacity there:
// what there is goes to who comes first.
func (o Operation) tiersShort(now time.Time) map[string]int {
	short := map[string]int{}
	for i := range o.Targets {
		t := &o.Targets[i]
		if !t.short(now) {
			continue
		}
		if first, known := short[t.Item.To]; !known || t.Wave < first {
			short[t.Item.To] = t.Wave
		}
	}
	return short
}
