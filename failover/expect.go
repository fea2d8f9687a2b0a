package failover

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// Expected is how long the first step of an operation is going to take, of all its VMs.
type Expected struct {
	Seconds int `json:"seconds"` // as likely too many as too few
	// Of is of how many earlier ones that is the median; zero: it is the default. Shared says that they were of other VMs, too.
	Of     int  `json:"of,omitempty"`
	Shared bool `json:"shared,omitempty"`
	// P95 are the seconds that are enough 19 times in 20.
	P95 int `json:"p95_seconds,omitempty"`
	// Limit is what holds it back most, About what that is of: a vault, or a VM; Room how many VMs it takes at a time.
	Limit Limit  `json:"limit,omitempty"`
	About string `json:"about,omitempty"`
	Room  int    `json:"room,omitempty"`
	// Spread is the standard deviation of the logarithm of how long a VM takes, on average over them.
	Spread float64 `json:"spread,omitempty"`
	// RTO is the promise of the configuration in seconds; 0: none.
	RTO int `json:"target_rto_seconds,omitempty"`
	// Vaults are the VMs that each vault takes at a time, by name, as far as it was known.
	Vaults map[string]int `json:"vaults,omitempty"`
	// Unlearned are the vaults, by name, of which it was not known whether they take as many VMs at a time as would be under way.
	// The rest takes them for boundless.
	Unlearned []string `json:"unlearned_vaults,omitempty"`
}

// Took is how long that is.
func (e Expected) Took() time.Duration { return time.Duration(e.Seconds) * time.Second }

// AtMost is how long it takes at most, 19 times in 20; zero when that was not told.
func (e Expected) AtMost() time.Duration { return time.Duration(e.P95) * time.Second }

// Target is the promise of the configuration; zero when there is none.
func (e Expected) Target() time.Duration { return time.Duration(e.RTO) * time.Second }

// Promise is whether a target is going to be kept. The set is closed.
type Promise string

// A promise is kept when that is enough 19 times in 20 and all that holds it back is known, likely when it is every second time.
const (
	PromiseKept   Promise = "kept"
	PromiseLikely Promise = "likely"
	PromiseMissed Promise = "missed"
)

// Promise holds the forecast to the target; empty when there is none.
func (e Expected) Promise() Promise { return e.PromiseFor(e.Took(), e.AtMost()) }

// PromiseFor is the same with other times than those of the forecast.
func (e Expected) PromiseFor(likely, atMost time.Duration) Promise {
	switch target := e.Target(); {
	case target <= 0:
		return ""
	case atMost > 0 && atMost <= target && len(e.Unlearned) == 0:
		return PromiseKept
	case likely <= target:
		return PromiseLikely
	}
	return PromiseMissed
}

// The defaults until there is history: rounded up from the runs that Microsoft's documentation shows for a single VM
// (3 min 23 s) and for a recovery plan (8 min 59 s). Azure promises an hour for 99.9 % and says that most take minutes.
const (
	expectedVM   = 4 * time.Minute
	expectedPlan = 9 * time.Minute
)

// historyOf is how many earlier runs count.
const historyOf = 5

// history is how long a step took before.
type history struct {
	of     map[string][]time.Duration // by item, at most historyOf, newest first
	all    []time.Duration            // sorted
	spread float64                    // standard deviation of the logarithm, of all
	own    float64                    // the same of one VM from time to time; as far apart as all where that is not known
}

// enough is how many runs tell how far apart they are.
const enough = 20

// learned is the history of a step.
func learned(past []Operation, step StepKind) history {
	h := history{of: map[string][]time.Duration{}, spread: usualSpread}
	for _, op := range slices.Backward(past) {
		for i := range op.Targets {
			t := &op.Targets[i]
			took, ok := t.took(step)
			if !ok {
				continue
			}
			if !t.Lead { // a recovery plan is not as one VM
				h.all = append(h.all, took)
			}
			if of := h.of[t.Item.Key]; len(of) < historyOf {
				h.of[t.Item.Key] = append(of, took)
			}
		}
	}
	slices.Sort(h.all)
	if n := len(h.all); n >= enough { // by quantiles: one that hung for hours does not count for all
		h.spread = max(leastSpread, min(1.5, math.Log(h.all[n*9/10].Seconds()/h.all[n/2].Seconds())/1.2816))
	}
	h.own = h.within()
	return h
}

// leastSpread is never gone below: what was alike a few times need not stay so.
const leastSpread = 0.05

// within is how far apart the runs of one VM lie, on average.
func (h history) within() float64 {
	squares, free := 0.0, 0
	for _, took := range h.of {
		if len(took) < 2 {
			continue
		}
		mean := 0.0
		for _, d := range took {
			mean += math.Log(d.Seconds()) / float64(len(took))
		}
		for _, d := range took {
			squares += (math.Log(d.Seconds()) - mean) * (math.Log(d.Seconds()) - mean)
		}
		free += len(took) - 1
	}
	if free < enough {
		return h.spread
	}
	return max(leastSpread, min(h.spread, math.Sqrt(squares/float64(free))))
}

// settled draws the median of a VM's few runs to that of all, as far as chance may have made it: of many VMs those that seem slowest
// have also had bad luck.
func (h history) settled(t Target, took time.Duration) time.Duration {
	runs, apart := float64(len(h.of[t.Item.Key])), h.spread*h.spread-h.own*h.own // of VMs from each other
	if runs == 0 || apart <= 0 || len(h.all) == 0 {
		return took
	}
	middle := h.all[len(h.all)/2].Seconds()
	own := apart / (apart + h.own*h.own/runs)
	return time.Duration(middle * math.Pow(took.Seconds()/middle, own) * float64(time.Second))
}

// spreadOf is how far from its median a VM may come out; the median of few runs is itself off.
func (h history) spreadOf(t Target) float64 {
	if runs := float64(len(h.of[t.Item.Key])); runs > 0 {
		return min(h.spread, h.own*math.Sqrt(1+1/runs))
	}
	return h.spread
}

// took is how long Azure took for a step, without the time in which the job waited for its turn.
func (t *Target) took(step StepKind) (time.Duration, bool) {
	s := t.Step(step)
	if s == nil || s.State != StateDone || s.StartedAt.IsZero() || !s.EndedAt.After(s.StartedAt) {
		return 0, false
	}
	from := s.StartedAt
	if len(s.Tasks) > 0 && s.Tasks[0].StartedAt.After(from) && s.Tasks[0].StartedAt.Before(s.EndedAt) {
		from = s.Tasks[0].StartedAt
	}
	return s.EndedAt.Sub(from), true
}

// median is how long the step takes on a VM: by its own history, else by that of all, else by default. of is of how many that
// is, shared that they were of other VMs.
func (h history) median(t Target) (took time.Duration, of int, shared bool) {
	switch own := slices.Sorted(slices.Values(h.of[t.Item.Key])); {
	case len(own) > 0:
		return own[len(own)/2], len(own), false
	case t.Lead:
		return expectedPlan, 0, false
	case len(h.all) > 0:
		return h.all[len(h.all)/2], len(h.all), true
	}
	return expectedVM, 0, false
}

// count is so many VMs.
func count(n int) string {
	if n == 1 {
		return "1 VM"
	}
	return strconv.Itoa(n) + " VMs"
}
