package failover

import (
	"slices"
	"time"
)

// RemindEvery is how long people are left alone with what waits for them, before they are told of it again.
const RemindEvery = 4 * time.Hour

// Reminder is what a reminder is about, beside gates and drills.
type Reminder string

const (
	// RemindReview is of a broken glass that nobody has reviewed.
	RemindReview Reminder = "review"
	// RemindExpiry is of a request that is about to expire.
	RemindExpiry Reminder = "expiry"
)

// reminded notes that people were told again, and of what.
func reminded(op Operation, f Reminded, at time.Time) Operation {
	switch f.About {
	case RemindReview:
		op.Glass.RemindedAt, op.Glass.Reminders = at, op.Glass.Reminders+1
	case RemindExpiry:
		op.Warned = at
	default:
		op.RemindedAt, op.Reminders = at, op.Reminders+1
	}
	return op
}

// warnAtLeast is how long before its expiry people are reminded of a request at the latest.
const warnAtLeast = time.Minute

// WarnAt is when the approvers of a request have to be reminded that it is about to expire: when a third of its time is
// left, and at least a minute. Zero is never: it is decided, they were reminded already, or its whole time is that short.
func WarnAt(op Operation) time.Time {
	if op.Phase != AwaitingApproval || op.ExpiresAt.IsZero() || !op.Warned.IsZero() || op.WaitsSince.IsZero() {
		return time.Time{}
	}
	at := op.ExpiresAt.Add(-max(warnAtLeast, op.ExpiresAt.Sub(op.WaitsSince)/3))
	if !at.After(op.WaitsSince) {
		return time.Time{}
	}
	return at
}

// Expiring says that a request is about to expire, as a reminder.
func Expiring(op Operation) Reminded {
	return Reminded{About: RemindExpiry, Why: "the request expires at " + stamp(op.ExpiresAt)}
}

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
