package failover

import (
	"slices"
	"strings"
	"time"
)

func evolveTarget(op Operation, r Record) Operation {
	key, kind := addressee(r.Fact)
	i := slices.IndexFunc(op.Targets, func(t Target) bool { return t.Item.Key == key })
	if i < 0 {
		return op
	}
	t := &op.Targets[i]
	t.KeptWaiting = t.KeptWaiting || keepsWaiting(r.Fact)
	if moves(r.Fact) {
		op.MovedAt = later(op.MovedAt, r.At)
	}
	if short, ok := r.Fact.(StepDelayed); ok && short.Fault.Capacity != "" { // the others wait for their turn as long
		op.MovedAt, t.Short = later(op.MovedAt, short.Until), short.Fault.Capacity
	}
	switch f := r.Fact.(type) {
	case StepStarted:
		t.Steps = append(t.Steps, Step{Kind: f.Kind, Attempt: f.Attempt, State: StateStarted, ClientRequestID: f.ClientRequestID, StartedAt: r.At, Size: f.Size})
		if t.Progress = "asking Azure for the size " + f.Size; f.Kind != StepResize {
			t.Doing, t.Progress, t.Short = f.Kind, "calling Azure", ""
		}
		return op
	case Stuck:
		t.Phase, t.Progress, t.Error = NeedsAttention, "", &Fault{Message: f.Why, Action: f.Hint}
		if op.Phase = NeedsAttention; op.Several() { // the others go on
			op.Phase = Running
			op.Phase = rollUp(op)
		}
		return op
	case Prepared:
		t.Item, t.Shown, t.Reversal, t.Unplanned, t.Progress = f.Item, f.Shown, f.Reversal, false, ""
		if op.Plan.Digest = f.Digest; op.Several() { // each fact knows of its own VM only
			op.Plan.Digest = digest(op.Plan, op.Targets)
		}
		return op
	case Checked:
		t.Checked = append(t.Checked, f.Result)
		return op
	case Surveyed:
		t.Leftovers, t.LeftoversNote = f.Leftovers, f.Note
		return op
	case StepDone:
		if f.Outside || !running(t.Step(kind)) { // nobody's call of ours did it
			outside := Step{Kind: kind, StartedAt: op.leadStarted(*t, kind)}
			if last := t.Step(kind); last != nil { // the next attempt of ours is still counted on from the last one
				outside.Attempt = last.Attempt
			}
			t.Steps = append(t.Steps, outside)
		}
	case Requested, Decided, Drafted, Planned, Taken, DraftAccepted, Abandoned, CommitAsked, ChangeAsked, GateOpened, Claimed, Parked, StepAccepted, StepUnknown, StepDelayed, Observed, StepFailed, Reminded, Reviewed, Halted, Lapsed, Finished, Refused, PutOnHold, Resumed, Skipped, Retried, Watched:
	}
	if step := t.Step(kind); running(step) {
		evolveStep(op, t, step, r)
	} else {
		evolveUncalled(op, t, kind, r.Fact)
	}
	if kind == StepResize {
		return op
	}
	op.Phase = rollUp(op)
	return afterStep(op, t, kind, r.Fact)
}

// afterStep folds what the end of a VM's step is for the operation: above all, which decisions are used up.
func afterStep(op Operation, t *Target, kind StepKind, f Fact) Operation {
	switch f.(type) {
	case StepFailed:
		op = dropChange(op, kind)
		if t.Lead {
			op = strand(op, kind, t.Error)
		}
		// What was decided is for the others of several, too, and for those that are tried again; the gates of a way home are of one class.
		if first := kind == op.stages()[0].Step; !op.runs(kind) && (op.Verb == VerbFailback || !first || !op.Several()) {
			op.Decisions = spend(op.Decisions, op.stage(kind).Gate)
		}
	case StepDone:
		if kind == StepChange || op.Verb == VerbFailback && !op.runs(kind) { // the class decides again
			op.Decisions = spend(op.Decisions, op.stage(kind).Gate)
		}
		// Who pressed Commit meant the other data; of several, the VMs that waited then.
		if kind == StepChange || op.Several() && !op.runs(StepCommit) && (kind == StepCommit || t.Phase == AwaitingCommit) {
			op.Decisions = spend(op.Decisions, ClassCommit)
		}
		op = dropChange(op, kind)
	case Requested, Decided, Drafted, Planned, Taken, DraftAccepted, Abandoned, CommitAsked, ChangeAsked, GateOpened, Claimed, Parked, StepStarted, StepAccepted, StepUnknown, StepDelayed, Observed, Stuck, Prepared, Checked, Surveyed, Reminded, Reviewed, Halted, Lapsed, Finished, Refused, PutOnHold, Resumed, Skipped, Retried, Watched:
	}
	return op
}

// moves reports whether a fact says that a VM began a step, or came to the end of it: then others may have their turn.
func moves(f Fact) bool {
	_, accepted := f.(StepAccepted)
	_, done := f.(StepDone)
	_, failed := f.(StepFailed)
	_, stuck := f.(Stuck)
	return accepted || done || failed || stuck
}

// running reports whether what is told of a step can be about its newest attempt: one that has ended stays as it was.
func running(s *Step) bool { return s != nil && s.State != StateDone && s.State != StateFailed }

// runs reports whether a step goes on for any target, or has yet to begin.
func (o Operation) runs(kind StepKind) bool {
	return slices.ContainsFunc(o.Targets, func(t Target) bool { return t.Phase == Running && t.Doing == kind })
}

// leadStarted is when the call of a recovery plan was made that a VM moved with; zero for all others.
func (o Operation) leadStarted(t Target, kind StepKind) time.Time {
	if t.Led {
		for i := range o.Targets {
			if s := o.Targets[i].Step(kind); o.Targets[i].Lead && s != nil {
				return s.StartedAt
			}
		}
	}
	return time.Time{}
}

// strand takes the VMs of a recovery plan back with the plan's own step: what was not done to it was not done to them.
func strand(op Operation, kind StepKind, why *Fault) Operation {
	for i := range op.Targets {
		if t := &op.Targets[i]; t.Led && t.Phase == Running && t.Doing == kind {
			t.Phase, t.Progress, t.Error = afterFailure(op, *t, kind), "", why
		}
	}
	op.Phase = rollUp(op)
	return op
}

// dropChange ends a wish for another point with the step that was to fulfil it.
func dropChange(op Operation, kind StepKind) Operation {
	if kind == StepChange {
		op.Change = nil
	}
	return op
}

// evolveUncalled folds what is known of a step for which no call was made yet.
func evolveUncalled(op Operation, t *Target, kind StepKind, fact Fact) {
	switch f := fact.(type) {
	case Observed:
		t.Progress = f.Note
	case StepFailed: // what was approved does not hold any more
		setBack(op, t, kind, f)
	case Requested, Decided, Drafted, Planned, Taken, DraftAccepted, Abandoned, CommitAsked, ChangeAsked, GateOpened, Claimed, Parked, StepStarted, StepAccepted, StepUnknown, StepDelayed, StepDone, Stuck, Prepared, Checked, Surveyed, Reminded, Reviewed, Halted, Lapsed, Finished, Refused, PutOnHold, Resumed, Skipped, Retried, Watched:
	}
}

func addressee(f Fact) (key string, kind StepKind) {
	switch f := f.(type) {
	case StepStarted:
		return f.Target, f.Kind
	case StepAccepted:
		return f.Target, f.Kind
	case StepUnknown:
		return f.Target, f.Kind
	case StepDelayed:
		return f.Target, f.Kind
	case Observed:
		return f.Target, f.Kind
	case StepDone:
		return f.Target, f.Kind
	case StepFailed:
		return f.Target, f.Kind
	case Stuck:
		return f.Target, ""
	case Prepared:
		return f.Target, ""
	case Checked:
		return f.Target, StepProbe
	case Surveyed:
		return f.Target, StepSurvey
	case Requested, Decided, Drafted, Planned, Taken, DraftAccepted, Abandoned, CommitAsked, ChangeAsked, GateOpened, Claimed, Parked, Finished, Refused, Reminded, Reviewed, Halted, Lapsed, PutOnHold, Resumed, Skipped, Retried, Watched:
	}
	return "", ""
}

func evolveStep(op Operation, t *Target, step *Step, r Record) {
	if step.Kind == StepResize && evolveResize(t, step, r) {
		return
	}
	switch f := r.Fact.(type) {
	case StepAccepted:
		step.Lost = max(0, len(t.Unanswered(step.Kind))-1)
		step.State, step.JobID, step.Poll, step.Adopted, step.Unknown = StateAccepted, f.JobID, f.Poll, f.Adopted, time.Time{}
		step.Warning = f.Note
		t.Progress = "Azure has started the job"
	case StepUnknown:
		step.Unknown = r.At
		t.Progress = notKnown + f.Why
	case StepDelayed:
		step.State, step.Until, step.Unknown = StateDelayed, f.Until, time.Time{}
		t.Progress = "Azure asks to wait until " + f.Until.UTC().Format("2006-01-02 15:04:05 UTC")        // why names the subscription; the fact keeps it
		if !f.Until.After(r.At) || f.Fault.Action != "" || strings.HasPrefix(f.Fault.Message, "Azure ") { // nobody asked to wait
			t.Progress = strings.TrimSpace(f.Fault.Message + " " + f.Fault.Action)
		}
	case Observed:
		step.Tasks, step.JobEnded = f.Tasks, step.JobEnded || f.JobEnded
		t.Progress = f.Note
		if f.Note == "" {
			t.Progress = doing(f.Tasks)
		}
	case StepDone:
		step.State, step.EndedAt, step.Unknown = StateDone, f.EndedAt, time.Time{}
		if step.EndedAt.IsZero() {
			step.EndedAt = r.At
		}
		if len(f.Tasks) > 0 {
			step.Tasks = f.Tasks
		}
		if f.Warning != "" {
			step.Warning = f.Warning
		}
		if step.Kind == StepChange {
			t.Replaced = t.PointUsed
		}
		if !f.PointUsed.IsZero() {
			t.PointUsed = f.PointUsed
		}
		if f.Point != "" {
			t.Point = f.Point
		}
		switch {
		case step.Kind == StepChange && f.Outside:
			t.Shown, t.PointUsed = nil, f.PointUsed
		case step.Kind == StepChange && op.Change != nil:
			t.Shown, t.PointUsed = &op.Change.Point, op.Change.Point.Time
		}
		moveOn(op, t, step.Kind)
	case StepFailed:
		step.State, step.EndedAt, step.Unknown = StateFailed, r.At, time.Time{}
		if len(f.Tasks) > 0 {
			step.Tasks = f.Tasks
		}
		setBack(op, t, step.Kind, f)
	case Requested, Decided, Drafted, Planned, Taken, DraftAccepted, Abandoned, CommitAsked, ChangeAsked, GateOpened, Claimed, Parked, StepStarted, Stuck, Prepared, Checked, Surveyed, Reminded, Reviewed, Halted, Lapsed, Finished, Refused, PutOnHold, Resumed, Skipped, Retried, Watched:
	}
}

// notKnown begins the progress of a call whose answer was lost.
const notKnown = "not known whether Azure took the call: "

// doing names the task that runs now.
func doing(tasks []Task) string {
	for _, t := range slices.Backward(tasks) {
		if t.State == string(JobInProgress) {
			return t.Name
		}
	}
	return ""
}
