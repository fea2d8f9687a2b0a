package failover

import (
	"slices"
	"time"
)

// Evolve folds one fact into an operation. It is total: a fact that does not fit changes nothing but the sequence, because
// what is in the journal has happened, whatever this version thinks of it.
func Evolve(op Operation, r Record) Operation {
	op = op.clone()
	if r.Seq != 0 {
		op.Seq = r.Seq
	}
	op.At = r.At
	switch f := r.Fact.(type) {
	case Requested:
		op = requested(op, f, r)
	case Decided:
		op.Decisions = append(op.Decisions, Decision{Gate: f.Gate, By: f.By, At: r.At, Approve: f.Approve, Reason: f.Reason})
	case CommitAsked:
		op.CommitAskedBy = append(op.CommitAskedBy, f.By)
	case GateOpened:
		op = started(op, r.At)
	case Claimed:
		op.Executor, op.Epoch, op.Drive, op.Parked = f.Executor, r.Seq, f.Drive, false
	case Parked:
		op.Parked = true
	case Finished:
		op.Phase, op.Note, op.Hint, op.FinishedAt = f.Phase, f.Note, f.Hint, r.At
		for i := range op.Targets {
			op.Targets[i] = ended(op.Targets[i], f.Phase)
		}
	case Refused:
	case StepStarted, StepAccepted, StepUnknown, StepDelayed, Observed, StepDone, StepFailed, Stuck:
		op = evolveTarget(op, r)
	}
	return answer(op, r)
}

func requested(op Operation, f Requested, r Record) Operation {
	op.ID, op.Verb, op.RequestedBy, op.RequestedAt = f.Op, f.Verb, f.By, r.At
	op.Reason, op.Plan, op.Targets, op.ExpiresAt, op.Asked = f.Reason, f.Plan, f.Targets, f.ExpiresAt, r.Command
	op.Phase = AwaitingApproval
	if f.Verb == VerbCommit {
		op.Phase = AwaitingCommit
	}
	return op
}

// started is a gate that opened: every target that stood before it runs, and whoever drives has to look again.
func started(op Operation, at time.Time) Operation {
	for i := range op.Targets {
		t := &op.Targets[i]
		if t.Phase == op.Phase {
			t.Phase, t.Progress, t.Error = Running, "", nil
		}
	}
	op.Phase, op.Parked = Running, false
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

func evolveTarget(op Operation, r Record) Operation {
	key, kind := addressee(r.Fact)
	i := slices.IndexFunc(op.Targets, func(t Target) bool { return t.Item.Key == key })
	if i < 0 {
		return op
	}
	t := &op.Targets[i]
	if f, ok := r.Fact.(StepStarted); ok {
		t.Steps = append(t.Steps, Step{Kind: f.Kind, Attempt: f.Attempt, State: StateStarted, ClientRequestID: f.ClientRequestID, StartedAt: r.At})
		t.Progress = "calling Azure"
		return op
	}
	if f, ok := r.Fact.(Stuck); ok {
		t.Phase, t.Progress, t.Error = NeedsAttention, "", &Fault{Message: f.Why, Action: f.Hint}
		op.Phase = NeedsAttention
		return op
	}
	if f, ok := r.Fact.(StepDone); ok && f.Outside {
		t.Steps = append(t.Steps, Step{Kind: kind}) // nobody's call of ours did it
	}
	if step := t.Step(kind); step != nil {
		evolveStep(t, step, r)
	} else {
		evolveUncalled(t, kind, r.Fact)
	}
	op.Phase = rollUp(op)
	if _, ok := r.Fact.(StepFailed); ok {
		op.Decisions = spend(op.Decisions, kind)
	}
	return op
}

// evolveUncalled folds what is known of a step for which no call was made yet.
func evolveUncalled(t *Target, kind StepKind, fact Fact) {
	switch f := fact.(type) {
	case Observed:
		t.Progress = f.Note
	case StepFailed: // what was approved does not hold any more
		t.Phase, t.Progress, t.Error = afterFailure(kind), "", &f.Fault
	case Requested, Decided, CommitAsked, GateOpened, Claimed, Parked, StepStarted, StepAccepted, StepUnknown, StepDelayed, StepDone, Stuck, Finished, Refused:
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
	case Requested, Decided, CommitAsked, GateOpened, Claimed, Parked, Finished, Refused:
	}
	return "", ""
}

func evolveStep(t *Target, step *Step, r Record) {
	switch f := r.Fact.(type) {
	case StepAccepted:
		step.State, step.JobID, step.Poll, step.Adopted, step.Unknown = StateAccepted, f.JobID, f.Poll, f.Adopted, time.Time{}
		step.Warning = f.Note
		t.Progress = "Azure has started the job"
	case StepUnknown:
		step.Unknown = r.At
		t.Progress = notKnown + f.Why
	case StepDelayed:
		step.State, step.Until, step.Unknown = StateDelayed, f.Until, time.Time{}
		t.Progress = "Azure asked to wait: " + f.Fault.Message
		if !f.Until.After(r.At) { // nobody has to wait
			t.Progress = f.Fault.Message
		}
	case Observed:
		step.Tasks = f.Tasks
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
		if !f.PointUsed.IsZero() {
			t.PointUsed = f.PointUsed
		}
		t.Phase, t.Progress, t.Error = afterStep(step.Kind), "", nil
	case StepFailed:
		step.State, step.EndedAt, step.Unknown = StateFailed, r.At, time.Time{}
		if len(f.Tasks) > 0 {
			step.Tasks = f.Tasks
		}
		t.Phase, t.Progress, t.Error = afterFailure(step.Kind), "", &f.Fault
	case Requested, Decided, CommitAsked, GateOpened, Claimed, Parked, StepStarted, Stuck, Finished, Refused:
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

func afterStep(kind StepKind) Phase {
	if kind == StepCommit {
		return Succeeded
	}
	return AwaitingCommit
}

// afterFailure: a failover that failed is over; a commit that failed can be pressed again.
func afterFailure(kind StepKind) Phase {
	if kind == StepCommit {
		return AwaitingCommit
	}
	return Failed
}

// rollUp is the operation's phase while it runs: it waits for the commit once every target that did not fail does.
func rollUp(op Operation) Phase {
	if op.Phase != Running {
		return op.Phase
	}
	waiting := 0
	for _, t := range op.Targets {
		switch t.Phase {
		case AwaitingCommit:
			waiting++
		case Failed, Succeeded:
		case AwaitingApproval, Running, NeedsAttention, Denied, Expired, Cancelled:
			return op.Phase
		}
	}
	if waiting == 0 {
		return op.Phase // Finished follows and says how it ended
	}
	return AwaitingCommit
}

func spend(decisions []Decision, kind StepKind) []Decision {
	for i := range decisions {
		if kind == StepCommit && decisions[i].Gate == ClassCommit {
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
	case Requested:
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
	case Finished:
		if op.Answers[r.Command].Did == "" {
			op.Answers[r.Command] = Answer{Did: map[Phase]Did{Cancelled: DidCancel, Expired: DidExpire}[f.Phase]}
		}
	case Claimed, Parked, StepStarted, StepAccepted, StepUnknown, StepDelayed, Observed, StepDone, StepFailed, Stuck:
	}
	return op
}
