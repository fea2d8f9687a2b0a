package failover

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// The times on which acting again rests.
const (
	// ActAgainAfter is how long a call whose answer was lost may still arrive: only then is it made a second time, once.
	ActAgainAfter = 3 * time.Minute
	// LookEvery is the pace of looking when Azure named none.
	LookEvery = 10 * time.Second
	// SettleWithin is how long a replicated item may lag behind its finished job before a person has to look.
	SettleWithin = 10 * time.Minute
	// pollWithin is the slowest pace at which a running job is followed, whatever Azure named.
	pollWithin = time.Minute
	// freshFor is how old an observation may be that an act rests on.
	freshFor = 30 * time.Second
)

// Observation is what the driver of an operation has seen of one target since it took over. The zero value is nothing.
type Observation struct {
	Item     Item
	LookedAt time.Time // of Item; zero when not looked at
	Points   []RecoveryPoint
	PointsAt time.Time // of Points; zero when not looked at
	Job      Job
	JobAt    time.Time // of Job
	// Found are the jobs on this target since the intent, each read whole; SearchedAt is when, zero when not searched.
	Found      []Job
	SearchedAt time.Time
	// Silent is since when Azure does not answer, RetryAt when to ask it again; both zero while it answers.
	Silent  time.Time
	RetryAt time.Time
	// Refused is Azure's answer when it answers but refuses to show what was asked for: gone, or not allowed.
	Refused *Fault
}

// answers reports whether Azure has answered and still does.
func (o Observation) answers() bool {
	return o.Silent.IsZero() && !(o.LookedAt.IsZero() && o.JobAt.IsZero())
}

// Effect is the one thing to do next for a target. The set is closed.
//
//sumtype:decl
type Effect interface{ effect() }

type (
	// Look reads the replicated item, and its recovery points when asked.
	Look struct{ Points bool }
	// Search reads the item and the jobs on it since a time, each whole: what became of a call whose answer was lost.
	Search struct{ Since time.Time }
	// ReadJob reads one job.
	ReadJob struct{ ID string }
	// Act stores the intent and then makes the call. Who loses the guard of the intent makes no call.
	Act struct {
		Intent StepStarted
		Call   Call
		// Again says that an earlier call for the same may have arrived: a refusal of this one may be its echo.
		Again bool
	}
	// Tell appends facts.
	Tell struct{ Facts []Fact }
	// Wait does nothing until a time, or until a new fact of the operation comes.
	Wait struct{ Until time.Time }
	// Park leaves the operation until somebody decides something.
	Park struct{}
)

func (Look) effect()    {}
func (Search) effect()  {}
func (ReadJob) effect() {}
func (Act) effect()     {}
func (Tell) effect()    {}
func (Wait) effect()    {}
func (Park) effect()    {}

// Next says what the driver of an operation has to do now, given what it has seen of each target (by item key).
// It is the only place that decides whether Azure is called.
func Next(op Operation, seen map[string]Observation, now time.Time) (target string, e Effect) {
	if op.Phase != Running {
		return "", Park{}
	}
	var wait Effect
	for _, t := range op.Targets {
		if t.Phase != Running {
			continue
		}
		e := nextForTarget(op, t, seen[t.Item.Key], now)
		w, idle := e.(Wait)
		if !idle {
			return t.Item.Key, e
		}
		if first, ok := wait.(Wait); !ok || w.Until.Before(first.Until) {
			wait = e
		}
	}
	if wait != nil {
		return "", wait
	}
	return "", Tell{[]Fact{finish(op)}}
}

// HasWork reports whether an operation needs a driver.
func HasWork(op Operation) bool { return op.Phase == Running }

// WakeAt is when an operation that nobody drives has to be decided by the clock; zero is never.
func WakeAt(op Operation) time.Time {
	if op.Phase == AwaitingApproval {
		return op.ExpiresAt
	}
	return time.Time{}
}

func finish(op Operation) Fact {
	for _, t := range op.Targets {
		if t.Phase == Failed {
			note := t.Item.Name + " failed."
			if len(t.Steps) == 0 {
				note = "Nothing was started."
			}
			return Finished{Phase: Failed, Note: note, Hint: "Mend the cause, then ask again."}
		}
	}
	if slices.ContainsFunc(op.Targets, func(t Target) bool { s := t.Step(StepCommit); return s != nil && s.ClientRequestID == "" }) {
		return Finished{Phase: Succeeded, Note: outside}
	}
	return Finished{Phase: Succeeded}
}

// outside is how an operation ended whose commit was not Ferry's.
const outside = "Committed outside Ferry."

// wanted is the step that a running target is at.
func wanted(op Operation, t Target) StepKind {
	if done := t.Step(StepFailover); op.Verb == VerbCommit || done != nil && done.State == StateDone {
		return StepCommit
	}
	return StepFailover
}

func nextForTarget(op Operation, t Target, seen Observation, now time.Time) Effect {
	kind := wanted(op, t)
	step := t.Step(kind)
	if now.Before(seen.RetryAt) {
		return silent(op, t, kind, seen, now)
	}
	if seen.answers() && strings.HasSuffix(t.Progress, keepsAsking) {
		return Tell{[]Fact{note(t, kind, "Azure answers again")}}
	}
	if step == nil {
		return begin(op, t, kind, 1, seen, now)
	}
	switch step.State {
	case StateStarted:
		return reconcile(op, t, step, seen, now)
	case StateDelayed:
		if now.Before(step.Until) {
			return Wait{step.Until}
		}
		if len(unresolved(t, kind)) > 0 {
			return reconcile(op, t, step, seen, now)
		}
		return begin(op, t, kind, step.Attempt+1, seen, now)
	case StateAccepted:
		return follow(t, step, seen, now)
	case StateFailed: // a commit that was pressed again
		return begin(op, t, kind, step.Attempt+1, seen, now)
	case StateDone:
	}
	return Wait{now.Add(LookEvery)} // not reached: a done step moves the target on
}

// keepsAsking ends what is said while Azure tells nothing.
const keepsAsking = "; Ferry keeps asking"

// silent waits for Azure to answer again, and says so on the card when that takes long. A refusal to be read is an
// answer: before a call it is the end of the step, after one a person has to look when it stays.
func silent(op Operation, t Target, kind StepKind, seen Observation, now time.Time) Effect {
	since, detail := "Azure does not answer since "+stamp(seen.Silent), ""
	if seen.Refused != nil {
		if !underWay(t, kind) {
			return Tell{[]Fact{StepFailed{Target: t.Item.Key, Kind: kind, Fault: *seen.Refused}}}
		}
		if now.Sub(seen.Silent) >= SettleWithin {
			return Tell{[]Fact{Stuck{
				Target: t.Item.Key, Why: "Azure refuses to show what became of " + t.Item.Name + ": " + seen.Refused.Message,
				Hint: cmp.Or(seen.Refused.Action, "Look at "+t.Item.Name+" in the portal.") + " To leave it as it is, type /failover cancel " + string(op.ID) + ".",
			}}}
		}
		since, detail = "Azure refuses to show it since "+stamp(seen.Silent), ": "+seen.Refused.Message
	}
	if now.Sub(seen.Silent) >= freshFor && !strings.HasPrefix(t.Progress, since) {
		return Tell{[]Fact{note(t, kind, since+detail+keepsAsking)}}
	}
	return Wait{seen.RetryAt}
}

// note tells people something about a step, and leaves its tasks as they are.
func note(t Target, kind StepKind, text string) Observed {
	o := Observed{Target: t.Item.Key, Kind: kind, Note: text}
	if s := t.Step(kind); s != nil {
		o.Tasks = s.Tasks
	}
	return o
}

// begin looks, checks that what was approved still holds, and acts.
func begin(op Operation, t Target, kind StepKind, attempt int, seen Observation, now time.Time) Effect {
	if now.Sub(seen.LookedAt) > freshFor || kind == StepFailover && now.Sub(seen.PointsAt) > freshFor {
		return Look{Points: kind == StepFailover}
	}
	if kind == StepCommit && seen.Item.State == StateCommitted && seen.Item.JobID == "" {
		return Tell{[]Fact{StepDone{Target: t.Item.Key, Kind: kind, Outside: true}}}
	}
	refusal := Legal(kind, seen.Item)
	again := len(unresolved(t, kind)) > 0
	call := Call{Kind: kind, Item: seen.Item, Shutdown: op.Plan.Shutdown, ClientRequestID: ClientRequestID(op.ID, t.Item.Key, kind, attempt)}
	if refusal == nil && kind == StepFailover {
		refusal = turned(t.Item, seen.Item)
	}
	if refusal == nil && kind == StepFailover {
		call.PointID, refusal = pointFor(op.Plan.Point, t, seen.Points)
	}
	switch {
	case refusal != nil && again:
		return Tell{[]Fact{noTrace(op, t)}}
	case refusal != nil:
		return Tell{[]Fact{StepFailed{Target: t.Item.Key, Kind: kind, Fault: Fault{Message: refusal.Message, Action: refusal.Hint}}}}
	}
	return Act{Intent: StepStarted{Target: t.Item.Key, Kind: kind, Attempt: attempt, ClientRequestID: call.ClientRequestID}, Call: call, Again: again}
}

// turned refuses when the replication goes another way than the one that was approved: somebody has moved the VM and
// protected it again.
func turned(approved, now Item) *Refusal {
	if strings.EqualFold(approved.From, now.From) && strings.EqualFold(approved.To, now.To) {
		return nil
	}
	return Refuse(WrongState, "Ask again if that is what is wanted.", "%s would now fail over from %s to %s; from %s to %s was approved.", now.Name, now.From, now.To, approved.From, approved.To)
}

// pointFor is the recovery point to send: none for Latest. A point older than the one shown to the approver is not taken.
func pointFor(sel Point, t Target, points []RecoveryPoint) (string, *Refusal) {
	point, refusal := Choose(points, sel)
	if refusal != nil {
		return "", refusal
	}
	if t.Shown != nil && point.Time.Before(t.Shown.Time) {
		return "", Refuse(WrongState, "Ask again: the approval was for newer data.", "The newest recovery point is now of %s, older than the one of %s that was approved.", stamp(point.Time), stamp(t.Shown.Time))
	}
	if sel.Kind == Latest || sel.Kind == "" {
		return "", nil
	}
	return point.ID, nil
}

// Noticed gives the facts that follow for a parked operation from what its items are now: somebody committed in the portal.
func Noticed(op Operation, items []Item) []Fact {
	if op.Phase != AwaitingCommit {
		return nil
	}
	var facts []Fact
	for _, t := range op.Targets {
		i := slices.IndexFunc(items, func(i Item) bool { return i.Key == t.Item.Key })
		if t.Phase != AwaitingCommit || i < 0 || items[i].State != StateCommitted || items[i].JobID != "" {
			return nil
		}
		facts = append(facts, StepDone{Target: t.Item.Key, Kind: StepCommit, Outside: true})
	}
	return append(facts, Finished{Phase: Succeeded, Note: outside})
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
