package failover

import (
	"cmp"
	"fmt"
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
	// stillFor is how long an initial replication may show no progress before people are told.
	stillFor = time.Hour
	// freshFor is how old an observation may be that an act rests on.
	freshFor = 30 * time.Second
)

// Observation is what the driver of an operation has seen of one target since it took over. The zero value is nothing.
type Observation struct {
	Item     Item
	LookedAt time.Time // of Item; zero when not looked at
	Points   []RecoveryPoint
	PointsAt time.Time // of Points; zero when not looked at
	Reversal *Reversal
	TurnedAt time.Time // of Reversal; zero when not looked at
	// Policy is who may do what, read at PolicyAt. UnreadSince is since when nobody could tell who is in Slack's groups; zero
	// while somebody can.
	Policy      Policy
	PolicyAt    time.Time
	UnreadSince time.Time
	// Recovery is the recovery plan, and Members are its items by key; both were read at LookedAt.
	Recovery RecoveryPlan
	Members  map[string]Item
	Job      Job
	JobAt    time.Time // of Job
	// Hidden is Azure's answer when it does not show the job, HiddenSince since when; nil while it does.
	Hidden      *Fault
	HiddenSince time.Time
	// Found are the jobs on this target since the intent, each read whole; SearchedAt is when, zero when not searched.
	Found      []Job
	SearchedAt time.Time
	// WatchedFrom is since when this driver knows of a call whose answer is lost: by its own intent, or by its first search.
	WatchedFrom time.Time
	// Probe is what the VM said last when it was asked whether it works, ProbedFrom when it was asked first.
	Probe      CheckResult
	ProbedFrom time.Time
	// Leftovers are what a failback left behind; SurveyedAt is when they were read.
	Leftovers  []Leftover
	SurveyedAt time.Time
	// Silent is since when Azure does not answer, RetryAt when to ask it again; both zero while it answers.
	Silent  time.Time
	RetryAt time.Time
	// StillSince is since when the initial replication has been seen at the same percentage.
	StillSince time.Time
	// Refused is Azure's answer when it answers but refuses to show what was asked for: gone, or not allowed.
	Refused *Fault
	// Barred is why Azure does not let Ferry in for now, which somebody can mend: no token, or one that it does not take.
	Barred *Fault
	// Busy says that the driver is at the target right now: a reading or a call has not come back yet.
	Busy bool
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
	// Look reads the replicated item, and what else is asked: its recovery points, what a reprotect would use, or who may do
	// what as of now.
	Look struct{ Points, Reversal, Authority bool }
	// Probe asks the VM whether it works.
	Probe struct{ Check Check }
	// Survey reads what a failback has left behind.
	Survey struct{}
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
		// By is until when the decision holds on which the call rests.
		By time.Time
	}
	// Tell appends facts.
	Tell struct{ Facts []Fact }
	// Wait does nothing until a time, or until a new fact of the operation comes.
	Wait struct{ Until time.Time }
	// Park leaves the operation until somebody decides something.
	Park struct{}
)

func (Look) effect()    {}
func (Probe) effect()   {}
func (Survey) effect()  {}
func (Search) effect()  {}
func (ReadJob) effect() {}
func (Act) effect()     {}
func (Tell) effect()    {}
func (Wait) effect()    {}
func (Park) effect()    {}

// WakeAt is when an operation that nobody drives has to be decided by the clock; zero is never.
func WakeAt(op Operation) time.Time {
	if op.Phase == AwaitingApproval {
		return op.ExpiresAt
	}
	return time.Time{}
}

func finish(op Operation) Fact {
	if f, failed := finishFailed(op); failed {
		return f
	}
	var left []string
	for _, t := range op.Targets {
		if t.Skipped != nil {
			left = append(left, t.Item.Name)
		}
	}
	f := Finished{Phase: Succeeded, Note: strings.TrimSpace(leaves(left))}
	if slices.ContainsFunc(op.Targets, func(t Target) bool { s := t.Step(StepCommit); return s != nil && s.StartedAt.IsZero() }) {
		f.Note = outside + leaves(left)
	}
	return f
}

// finishFailed is the end of an operation of which something failed: it names what did, and what did not.
func finishFailed(op Operation) (Finished, bool) {
	var failed, good, left []string
	var doing StepKind
	started := false
	for _, t := range op.Targets {
		started = started || len(t.Steps) > 0
		switch {
		case t.Lead && len(op.Targets) > 1:
		case t.Skipped != nil:
			left = append(left, t.Item.Name)
		case t.Phase == Failed:
			failed, doing = append(failed, t.Item.Name), t.Doing
		default:
			good = append(good, t.Item.Name)
		}
	}
	f := Finished{Phase: Failed, Note: "Nothing was started.", Hint: "Mend the cause, then ask again."}
	switch {
	case len(failed) == 0:
		return f, false
	case started && len(good) > 0:
		f.Note = fmt.Sprintf("%d of %d failed: %s. Done: %s.%s", len(failed), len(failed)+len(good)+len(left), names(failed), names(good), leaves(left))
	case op.voided():
		f.Hint = "To have it approved as it is now, type " + op.typed() + "."
	case started:
		f.Note = "The " + doing.noun() + " of " + names(failed) + " failed."
	}
	if op.Plan.Shutdown && slices.ContainsFunc(op.Targets, func(t Target) bool { s := t.Step(StepFailover); return s != nil && s.JobID != "" }) {
		f.Hint = "Azure may have shut down what failed: look first whether it runs. " + f.Hint
	}
	return f, true
}

// leaves says who was left out.
func leaves(out []string) string {
	if len(out) == 0 {
		return ""
	}
	return " Left out: " + names(out) + "."
}

// outside is how an operation ended whose commit was not Ferry's.
const outside = "Committed outside Ferry."

func nextForTarget(op Operation, t Target, seen Observation, now time.Time) Effect {
	kind := t.Doing
	switch kind {
	case StepProbe:
		return probe(t, seen, now)
	case StepCheck: // the press was the word
		return Tell{[]Fact{StepDone{Target: t.Item.Key, Kind: kind}}}
	case StepSurvey:
		return survey(t, seen)
	case StepFailover, StepChange, StepCommit, StepTest, StepCleanup, StepReprotect, StepReprotectAgain, StepResize:
	}
	step := t.Step(kind)
	if !underWay(t, kind) && !underWay(t, StepResize) && now.After(op.BeginBy(t, kind)) {
		if t.tried() && !op.Several() { // it was begun, and not once
			return Tell{[]Fact{StepFailed{Target: t.Item.Key, Kind: kind, Fault: noCapacity(op, t)}}}
		}
		return Tell{[]Fact{lapse(op, kind, op.whyLapsed(t), now)}}
	}
	if now.Before(seen.RetryAt) {
		if underWay(t, StepResize) {
			return unattended(silent(op, t, StepResize, seen, now))
		}
		return silent(op, t, kind, seen, now)
	}
	if seen.answers() && strings.HasSuffix(t.Progress, keepsAsking) {
		return Tell{[]Fact{note(t, kind, "Azure answers again")}}
	}
	if step == nil {
		return begin(op, t, kind, 1, seen, now)
	}
	if resize := t.resizing(); resize != nil {
		return followResize(op, t, resize, seen, now)
	}
	if fact, ok := unresized(op, t, now); ok {
		return Tell{[]Fact{fact}}
	}
	switch step.State {
	case StateStarted:
		return reconcile(op, t, step, seen, now)
	case StateDelayed:
		if now.Before(step.Until) && !op.outsized(t, seen) {
			return Wait{step.Until}
		}
		if len(t.Unanswered(kind)) > 0 {
			return reconcile(op, t, step, seen, now)
		}
		return begin(op, t, kind, step.Attempt+1, seen, now)
	case StateAccepted:
		return follow(op, t, step, seen, now)
	case StateFailed, StateDone: // pressed again: after a failure, or for another recovery point
		return begin(op, t, kind, step.Attempt+1, seen, now)
	}
	return Wait{now.Add(LookEvery)} // not reached: the states are a closed set
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
	if seen.Barred != nil {
		since, detail = barred(seen)
	}
	if !underWay(t, kind) {
		detail += "; what was decided holds until " + stamp(op.OpenedAt.Add(TryWithin))
	}
	if now.Sub(seen.Silent) >= freshFor && !strings.HasPrefix(t.Progress, since) {
		return Tell{[]Fact{note(t, kind, since+detail+keepsAsking)}}
	}
	return Wait{seen.RetryAt}
}

// barred says what keeps Ferry out of Azure and what to do about it.
func barred(seen Observation) (since, detail string) {
	return "Azure does not let Ferry in since " + stamp(seen.Silent), ": " + strings.TrimSuffix(seen.Barred.Message+" "+seen.Barred.Action, ".")
}

// note tells people something about a step, and leaves its tasks as they are.
func note(t Target, kind StepKind, text string) Observed {
	o := Observed{Target: t.Item.Key, Kind: kind, Note: text}
	if s := t.Step(kind); s != nil {
		o.Tasks = s.Tasks
	}
	return o
}

// samePoint refuses to commit other data than those that the card shows.
func samePoint(op Operation, t Target, kind StepKind, now Item) *Refusal {
	if kind != StepCommit || !elsewhere(op, t, now) {
		return nil
	}
	return Refuse(WrongState, "Look at the card, which shows the point in use as soon as it is read; then decide again.", "The recovery point of %s was changed outside Ferry.", now.Name)
}

// elsewhere reports whether an item uses another recovery point than the operation knows of.
func elsewhere(op Operation, t Target, now Item) bool {
	known := t.Point
	if op.Verb == VerbCommit {
		known = cmp.Or(known, t.Item.Point)
	}
	return known != "" && now.Point != "" && known != now.Point
}

// OtherPoints gives the facts that follow for an operation that waits for its commit when somebody has changed the recovery
// point in the portal. The reading of the items began at a time; what was decided since counts for more. The caller
// fills in the times of the points.
func OtherPoints(op Operation, items []Item, read time.Time) []StepDone {
	stage, waits := op.Pending()
	if !waits || stage.Step != StepCommit || !read.After(op.WaitsSince) {
		return nil
	}
	var facts []StepDone
	for _, t := range op.Targets {
		i := slices.IndexFunc(items, func(i Item) bool { return i.Key == t.Item.Key })
		if t.Phase == AwaitingCommit && i >= 0 && items[i].State == StateCommitPending && items[i].JobID == "" && elsewhere(op, t, items[i]) {
			facts = append(facts, StepDone{Target: t.Item.Key, Kind: StepChange, Point: items[i].Point, Outside: true})
		}
	}
	return facts
}

// Noticed gives the facts that follow for a parked operation from what its items are now: somebody did in the portal what
// its gate waits for.
func Noticed(op Operation, items []Item) []Fact {
	stage, waits := op.Pending()
	if !waits || !op.Started() && op.Verb != VerbCommit {
		return nil
	}
	var facts []Fact
	for _, t := range op.Targets {
		if t.Lead {
			facts = append(facts, StepDone{Target: t.Item.Key, Kind: stage.Step, Outside: true})
			continue
		}
		if t.Phase == Failed || t.Skipped != nil || op.Several() && t.Phase == NeedsAttention {
			continue
		}
		i := slices.IndexFunc(items, func(i Item) bool { return i.Key == t.Item.Key })
		if t.Phase != op.Phase || i < 0 || !achieved(op, stage.Step, items[i]) {
			return nil
		}
		facts = append(facts, StepDone{Target: t.Item.Key, Kind: stage.Step, Outside: true})
	}
	if len(facts) == 0 {
		return nil
	}
	if _, more := op.after(op.Targets[0], stage.Step); more {
		return facts
	}
	if op.Several() { // some may have failed, or need a person still
		next := Fold(op, Batch{Facts: facts})
		if next.Phase != Running {
			return facts
		}
		return append(facts, finish(next))
	}
	return append(facts, Finished{Phase: Succeeded, Note: outside})
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
