package failover

import (
	"strings"
	"time"
)

// How old a decision may be that an act rests on. An executor that was down for hours does not run old clicks: what was
// wanted then may harm now, so people are asked again.
const (
	// BeginWithin is how long after its gate opened a step may be begun; it is as old as a command may be.
	BeginWithin = CommandValidity
	// TryWithin is the same for a call that Azure keeps waiting, by its silence or its throttling: the card says so all the time.
	TryWithin = time.Hour
)

// BeginBy is until when a step may be begun on the decision that it has. One of several VMs waits for its turn while
// calls for the others are taken.
func (o Operation) BeginBy(t Target, kind StepKind) time.Time {
	from, within := later(o.OpenedAt, o.ResumedAt), BeginWithin
	if o.Several() { // one of them waits for its turn while others move
		from = later(from, o.MovedAt)
	} else if s := t.Step(kind); s != nil && (s.State == StateAccepted || s.State == StateDone) {
		from = later(from, s.StartedAt)
	}
	if t.KeptWaiting {
		within = TryWithin
	}
	return from.Add(within)
}

// keepsWaiting reports whether a fact says that it is Azure that keeps a step waiting.
func keepsWaiting(f Fact) bool {
	silent, _ := f.(Observed)
	throttled, _ := f.(StepDelayed)
	lost, unanswered := f.(StepUnknown)
	return strings.HasSuffix(silent.Note, keepsAsking) || !throttled.Until.IsZero() || unanswered && lost.Why != stoppedBefore
}

// lapse is what becomes of a step that was decided and not begun, for a reason. Azure has no call for it.
func lapse(op Operation, kind StepKind, why string, now time.Time) Fact {
	gate := op.stage(kind)
	kind = gate.Step
	first := kind == op.stages()[0].Step
	switch {
	case op.Several() && begunFor(op, kind): // what is left waits for a person
		return PutOnHold{Why: why}
	case !op.Several() && op.Targets[0].tried(): // it was begun, and not once
		return StepFailed{Target: op.Targets[0].Item.Key, Kind: kind, Fault: Fault{
			Message: "Azure has had no capacity in " + op.Targets[0].Item.To + ", and another try was not begun: " + why + ".",
			Action:  "Ask again if it is still wanted.",
		}}
	case first && gate.Waits == AwaitingApproval && op.Plan.Rule.Approvals == 0:
		return unbegun(why)
	}
	f := Lapsed{Step: kind, Why: why}
	if first && gate.Waits == AwaitingApproval {
		f.ExpiresAt = now.Add(op.Plan.Rule.Expires)
	}
	return f
}

// unbegun is the end of a request that nobody can decide anew.
func unbegun(why string) Finished {
	return Finished{Phase: Expired, Note: why + ". Nothing was started.", Hint: "Ask again if it is still wanted."}
}

// begunFor reports whether a step has been begun for any VM since its gate opened.
func begunFor(op Operation, kind StepKind) bool {
	for i := range op.Targets {
		if s := op.Targets[i].Step(kind); s != nil && !s.StartedAt.Before(op.OpenedAt) && (s.State != StateDelayed || op.Targets[i].tried()) {
			return true
		}
	}
	return false
}

func (o Operation) whyLapsed(t Target) string {
	if t.KeptWaiting {
		return "Azure has not taken the call within an hour of the " + o.decision()
	}
	return "No executor began it within 10 minutes of the " + o.decision()
}

// decision is what opened the gate, and when.
func (o Operation) decision() string {
	word := "approval"
	if len(o.Decisions) == 0 {
		word = "request"
	}
	return word + " at " + stamp(o.OpenedAt)
}

// lapsed closes a gate again that had opened: what was decided is spent.
func lapsed(op Operation, f Lapsed, r Record) Operation {
	gate := op.stage(f.Step)
	for i := range op.Targets {
		t := &op.Targets[i]
		if t.Phase != Running || t.Doing != f.Step {
			continue
		}
		t.Phase, t.Progress, t.Unplanned = gate.Waits, "", needsPlan(op, f.Step)
		if t.Phase == AwaitingCommit { // also after a change, which is no gate of its own
			t.Doing = StepCommit
		}
	}
	if f.Step == op.stages()[0].Step {
		op.StartedAt = time.Time{}
	}
	op.Decisions = spend(op.Decisions, gate.Gate)
	if f.Rule != nil {
		op = op.under(gate.Gate, *f.Rule)
		op.Plan.Digest = f.Digest
	}
	op.Phase, op.ExpiresAt = rollUp(op), f.ExpiresAt
	op.Lapsed, op.Lapses, op.Warned = &Lapse{Step: f.Step, Why: f.Why, At: r.At, Changed: f.Changed}, op.Lapses+1, time.Time{}
	return op
}
