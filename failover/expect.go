package failover

import (
	"slices"
	"strconv"
	"time"
)

// Expected is how long the first step of an operation is going to take.
type Expected struct {
	Seconds int `json:"seconds"`
	// Of is of how many earlier ones that is the median; zero: it is the default.
	Of int `json:"of,omitempty"`
}

// Took is how long that is.
func (e Expected) Took() time.Duration { return time.Duration(e.Seconds) * time.Second }

// The defaults until there is history: rounded up from the runs that Microsoft's documentation shows for a single VM
// (3 min 23 s) and for a recovery plan (8 min 59 s). Azure promises an hour for 99.9 % and says that most take minutes.
const (
	expectedVM   = 4 * time.Minute
	expectedPlan = 9 * time.Minute
)

// historyOf is how many earlier runs count.
const historyOf = 5

// expected tells from earlier operations how long a request takes. A reprotect has its own estimate, see [Reversal.Estimate].
func (s Situation) expected(req Requested) Expected {
	first := Operation{Verb: req.Verb, Plan: req.Plan}.stages()[0].Step
	if first != StepFailover && first != StepTest && first != StepChange {
		return Expected{}
	}
	e := Expected{Seconds: int(expectedVM.Seconds())}
	if req.Plan.Recovery != nil {
		e.Seconds = int(expectedPlan.Seconds())
	}
	var took []time.Duration
	for _, op := range slices.Backward(s.Past) {
		for i := range op.Targets {
			t := &op.Targets[i]
			step := t.Step(first)
			if len(took) < historyOf && step != nil && step.State == StateDone && t.Item.Key == req.Targets[0].Item.Key && step.EndedAt.After(step.StartedAt) {
				took = append(took, step.EndedAt.Sub(step.StartedAt))
			}
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		e = Expected{Seconds: int(took[len(took)/2].Seconds()), Of: len(took)}
	}
	return e
}

// count is so many VMs.
func count(n int) string {
	if n == 1 {
		return "1 VM"
	}
	return strconv.Itoa(n) + " VMs"
}
