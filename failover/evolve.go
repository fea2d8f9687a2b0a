package failover

import (
	"slices"
	"time"
)

// Evolve folds one fact into an operation. It is total: a fact that does not fit changes nothing but the sequence, because
// what is in the journal has happened, whatever this version thinks of it.
func Evolve(op Operation, r Record) Operation { return EvolveInPlace(op.clone(), r) }

// EvolveInPlace is Evolve in the operation's own memory: no copy of it may be in use any more. Of thousands of facts about a
// thousand VMs it saves the copying.
func EvolveInPlace(op Operation, r Record) Operation {
	before := op.ready()
	op = evolve(op, r)
	if now := op.ready(); now == "" {
		op.WaitsSince = time.Time{}
	} else if now != before {
		op.WaitsSince = r.At
	}
	return answer(op, r)
}

func evolve(op Operation, r Record) Operation {
	if r.Seq != 0 {
		op.Seq = r.Seq
	}
	op.At = r.At
	switch f := r.Fact.(type) {
	case Requested:
		op = requested(op, f, r)
	case Drafted:
		op.ID, op.Draft = f.Request.Op, &Draft{Request: f.Request, At: r.At, Command: r.Command}
	case Planned, Taken, DraftAccepted, Abandoned:
		op = evolveDraft(op, f)
	case Decided:
		op.Decisions = append(op.Decisions, Decision{Gate: f.Gate, Step: f.Step, By: f.By, At: r.At, Approve: f.Approve, Reason: f.Reason})
	case CommitAsked:
		if !slices.ContainsFunc(op.CommitAskedBy, func(a Actor) bool { return a.ID == f.By.ID }) {
			op.CommitAskedBy = append(op.CommitAskedBy, f.By)
		}
	case ChangeAsked:
		op.Change = &Change{By: f.By, At: r.At, Point: f.Point}
		op.Decisions = spend(op.Decisions, ClassChange)
	case GateOpened:
		op = started(op, f, r.At)
	case Lapsed:
		op = lapsed(op, f, r)
	case Reminded:
		op = reminded(op, f, r.At)
	case Reviewed:
		op.Glass.By, op.Glass.At, op.Glass.Approve, op.Glass.Reason = f.By, r.At, f.Approve, f.Reason
	case Halted:
		op.Frozen = f.By
	case Claimed:
		op.Executor, op.Epoch, op.Drive, op.Parked = f.Executor, r.Seq, f.Drive, false
	case Parked:
		op.Parked = true
	case Finished:
		op.Phase, op.Note, op.Hint, op.FinishedAt, op.Lapsed = f.Phase, f.Note, f.Hint, r.At, nil
		op.Frozen = nil
		for i := range op.Targets {
			op.Targets[i] = ended(op.Targets[i], f.Phase)
		}
	case PutOnHold, Resumed, Skipped, Retried, Watched:
		op = evolveFleet(op, r)
	case Refused:
	case StepStarted, StepAccepted, StepUnknown, StepDelayed, Observed, StepDone, StepFailed, Stuck, Prepared, Checked, Surveyed:
		op = evolveTarget(op, r)
	}
	return op
}

func requested(op Operation, f Requested, r Record) Operation {
	op.ID, op.Verb, op.RequestedBy, op.RequestedAt = f.Op, f.Verb, f.By, r.At
	op.Reason, op.Plan, op.Targets, op.ExpiresAt, op.Asked = f.Reason, f.Plan, slices.Clone(f.Targets), f.ExpiresAt, r.Command
	op.Expected = f.Expected
	first := op.stages()[0]
	op.Phase = first.Waits
	for i := range op.Targets {
		op.Targets[i].Doing = first.Step
	}
	if f.Verb.Declares() { // it lasts until somebody ends it
		op.Phase, op.StartedAt = Running, r.At
	}
	return op
}

// started is a gate that opened: every target that stood before it runs, and whoever drives has to look again. Of several, one
// that stayed behind stands before another.
func started(op Operation, f GateOpened, at time.Time) Operation {
	step := f.Step
	if step == "" { // written when each class had one gate
		step = StepKind(f.Gate)
	}
	gate, _ := op.Pending()
	for i := range op.Targets {
		t := &op.Targets[i]
		if t.Phase == op.Phase && (t.Doing == gate.Step || !op.Several()) {
			t.Phase, t.Doing, t.Progress, t.Error, t.Changed, t.KeptWaiting = Running, step, "", nil, nil, false
		}
	}
	op.Phase, op.Parked, op.ExpiresAt, op.OpenedAt, op.Lapsed, op.OnHold = Running, false, time.Time{}, at, nil, nil
	op.Frozen, op.Warned = nil, time.Time{}
	if op.StartedAt.IsZero() {
		op.StartedAt = at
	}
	return op
}

// ended gives a target that was not done its part of the operation's end.
func ended(t Target, phase Phase) Target {
	if !t.Phase.Final() {
		t.Phase = phase
	}
	t.Progress = ""
	return t
}

// moveOn takes a target to the part that follows a step.
func moveOn(op Operation, t *Target, kind StepKind) {
	t.Progress, t.Error, t.Changed = "", nil, nil
	next, more := op.after(*t, kind)
	switch {
	case !more:
		t.Phase = Succeeded
	case next.Gate == "":
		t.Phase, t.Doing = Running, next.Step
	default:
		t.Phase, t.Doing, t.Unplanned = next.Waits, next.Step, needsPlan(op, next.Step)
	}
}

// needsPlan reports whether a gate is about something that has to be read first. The first gate was read with the request.
func needsPlan(op Operation, step StepKind) bool {
	return op.Verb == VerbFailback && (step == StepFailover || step == StepReprotectAgain)
}

// setBack takes a target to where a failed step leaves it. What was to be done is read anew before it can be pressed again.
func setBack(op Operation, t *Target, kind StepKind, why StepFailed) {
	t.Phase, t.Progress, t.Error, t.Changed = afterFailure(op, *t, kind), "", &why.Fault, why.Changed
	t.Unplanned = !t.Phase.Final() && needsPlan(op, kind)
	if t.Phase == AwaitingCommit { // also after a change, which is no gate of its own
		t.Doing = StepCommit
	}
}

// afterFailure: what failed at first is over; what failed later can be pressed again, as the VM is half-way.
func afterFailure(op Operation, t Target, kind StepKind) Phase {
	stage := op.stage(kind)
	gone := slices.ContainsFunc(t.Steps, func(s Step) bool { return s.State == StateDone && s.Kind != StepResize })
	switch {
	case gone && kind == StepChange:
		return AwaitingCommit
	case stage.Waits == AwaitingCommit, gone && stage.Gate != "":
		return stage.Waits
	}
	return Failed
}

// rollUp is the operation's phase as its targets have it: it waits once every target that did not fail does.
func rollUp(op Operation) Phase {
	if op.Phase.Final() || op.Phase == NeedsAttention {
		return op.Phase
	}
	waits := Running // unless one waits, Finished follows and says how it ended
	for i := range op.Targets {
		switch phase := op.Targets[i].Phase; phase {
		case AwaitingCommit, AwaitingApproval:
			waits = phase
		case NeedsAttention: // what waits for a person's word of the others goes first
			if waits == Running {
				waits = phase
			}
		case Failed, Succeeded, Cancelled: // left out
		case Running, Denied, Expired:
			return Running
		}
	}
	return waits
}

// spend uses up what was decided on a gate: another try, or the next gate of the same class, needs new decisions.
func spend(decisions []Decision, gate Class) []Decision {
	for i := range decisions {
		if decisions[i].Gate == gate {
			decisions[i].Spent = true
		}
	}
	return decisions
}

// answer notes what the command behind a fact got, so that the same command never acts twice and its giver can be told.
func answer(op Operation, r Record) Operation {
	if r.Command == "" {
		return op
	}
	if op.Answers == nil {
		op.Answers = map[string]Answer{}
	}
	switch f := r.Fact.(type) {
	case Refused:
		op.Answers[r.Command] = Answer{Refused: &f.Refusal}
	case Requested, DraftAccepted:
		op.Answers[r.Command] = Answer{Did: DidRequest}
	case GateOpened:
		did := DidOpenGate
		if op.Asked == r.Command {
			did = DidStart
		}
		op.Answers[r.Command] = Answer{Did: did}
	case Decided:
		op.Answers[r.Command] = Answer{Did: map[bool]Did{true: DidApprove, false: DidDeny}[f.Approve]}
	case CommitAsked:
		op.Answers[r.Command] = Answer{Did: DidAskCommit}
	case PutOnHold:
		op.Answers[r.Command] = Answer{Did: DidHold}
	case Resumed:
		op.Answers[r.Command] = Answer{Did: DidResume}
	case Skipped:
		op.Answers[r.Command] = Answer{Did: DidSkip}
	case Retried:
		op.Answers[r.Command] = Answer{Did: DidRetry}
	case Reviewed:
		op.Answers[r.Command] = Answer{Did: map[bool]Did{true: DidSignOff, false: DidObject}[f.Approve]}
	case ChangeAsked:
		if op.Asked != r.Command { // else the request is the answer
			op.Answers[r.Command] = Answer{Did: DidAskChange}
		}
	case Finished:
		if op.Answers[r.Command].Did == "" {
			op.Answers[r.Command] = Answer{Did: map[Phase]Did{Cancelled: DidCancel, Succeeded: DidCancel, Expired: DidExpire}[f.Phase]}
		}
	case Drafted, Planned, Taken, Abandoned, Claimed, Parked, StepStarted, StepAccepted, StepUnknown, StepDelayed, Observed, StepDone, StepFailed, Stuck, Prepared, Checked, Surveyed, Reminded, Lapsed, Halted, Watched:
	}
	return op
}
