package render

import (
	"time"

	"ferry/failover"
)

// State is where an operation stands, in the words of its verb.
func State(op failover.Operation) string { return stateOf(op) }

// ItemState is the protection state of a VM in short words.
func ItemState(i failover.Item) string { return stateWords(i) }

// Progress is how far the step that runs is, from 0 to 1: by Azure's own tasks, or by the time that it is expected to take, which
// never says that it is done. False where nothing runs, or nothing tells.
func Progress(op failover.Operation, now time.Time) (part float64, known bool) {
	if op.Phase != failover.Running {
		return 0, false
	}
	if op.Several() { // a VM is through or not: the tasks of those that run say little of the others
		tally := op.Tallies()[0]
		c := cardOf{op: op}
		return float64(c.through(tally)) / float64(max(1, tally.All())), true
	}
	done, all, takes := 0, 0, op.Expected.Took()
	for i := range op.Targets {
		t := &op.Targets[i]
		step := t.Step(t.Doing)
		if step == nil {
			continue
		}
		if t.Doing.IsReprotect() && t.Reversal != nil {
			takes = max(takes, t.Reversal.Estimate())
		}
		for _, task := range step.Tasks {
			all++
			if failover.JobState(task.State) == failover.JobSucceeded || task.State == "Skipped" {
				done++
			}
		}
	}
	begun := cardOf{op: op}.begun()
	switch {
	case all > 0:
		return float64(done) / float64(all), true
	case takes <= 0 || begun.IsZero():
		return 0, false
	}
	return min(0.95, max(0, now.Sub(begun).Seconds()/takes.Seconds())), true
}

// Lasting is how long the step that runs has been running; "" when none does.
func Lasting(op failover.Operation, now time.Time) string {
	begun := cardOf{op: op}.begun()
	if op.Phase != failover.Running || begun.IsZero() {
		return ""
	}
	return duration(now.Sub(begun))
}
