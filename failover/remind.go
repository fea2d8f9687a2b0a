package failover

import (
	"slices"
	"time"
)

// RemindEvery is how long people are left alone with what waits for them, before they are told of it again.
const RemindEvery = 4 * time.Hour

// RemindAt is when people have to be told again that an operation waits for their press; zero is never. A request that
// nobody has approved yet expires instead.
func RemindAt(op Operation) time.Time {
	if op.WaitsSince.IsZero() || op.Phase == AwaitingApproval && !op.Started() {
		return time.Time{}
	}
	return later(op.WaitsSince, op.RemindedAt).Add(RemindEvery)
}

// Waiting says what an operation waits for, as a reminder.
func Waiting(op Operation) Reminded {
	gate, _ := op.Pending()
	return Reminded{Why: "the " + gate.Step.noun() + " waits since " + stamp(op.WaitsSince)}
}

// Forgotten lists the drills that are due for a reminder: over for long, and the test VM is still there. Nothing else of
// such an operation goes on.
func Forgotten(items []Item, ops []Operation, now time.Time) []Operation {
	var due []Operation
	for _, i := range items {
		if !i.drilled() {
			continue
		}
		op, step := leftBy(i, StepTest, i.LastTest, ops)
		if step == nil || !op.Phase.Final() || cleaning(i, ops) || now.Before(later(op.FinishedAt, op.RemindedAt).Add(RemindEvery)) {
			continue
		}
		due = append(due, op)
	}
	return due
}

// cleaning reports whether somebody has asked for the clean-up already.
func cleaning(i Item, ops []Operation) bool {
	return slices.ContainsFunc(ops, func(o Operation) bool {
		return o.Verb == VerbCleanup && !o.Phase.Final() && slices.Contains(o.Holds(), i.Key)
	})
}

// StillOpen says that a drill has not been cleaned up, as a reminder.
func StillOpen(op Operation) Reminded {
	return Reminded{Why: "the test failover is open since " + stamp(op.FinishedAt)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
