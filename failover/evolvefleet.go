package failover

import (
	"slices"
	"time"
)

// evolveFleet folds what concerns several VMs of an operation at once.
func evolveFleet(op Operation, r Record) Operation {
	switch f := r.Fact.(type) {
	case PutOnHold:
		op.OnHold = &OnHold{By: f.By, Why: f.Why, At: r.At}
	case Resumed:
		op.OnHold = nil
		op = goesOn(op, r.At)
	case Skipped:
		for i := range op.Targets {
			if t := &op.Targets[i]; slices.Contains(f.Targets, t.Item.Key) {
				t.Phase, t.Progress, t.Skipped, t.Unplanned = Cancelled, "", &f.By, false
			}
		}
		op.MovedAt = later(op.MovedAt, r.At)
		op = resettled(op)
	case Retried:
		if op.OnHold != nil && op.OnHold.By.ID == "" { // it stopped for what is tried again
			op.OnHold = nil
		}
		op = goesOn(op, r.At)
		for i := range op.Targets {
			if t := &op.Targets[i]; slices.Contains(f.Targets, t.Item.Key) {
				t.Phase, t.Progress, t.Error, t.Changed, t.Tolerated = Running, "", nil, nil, false
			}
		}
		op = resettled(op)
	case Watched:
		for _, change := range f.Changes {
			op = evolveTarget(op, Record{Fact: change, At: r.At})
		}
	case Requested, Drafted, Planned, Taken, DraftAccepted, Abandoned, Decided, CommitAsked, ChangeAsked, GateOpened, Claimed, Parked, StepStarted, StepAccepted, StepUnknown, StepDelayed, Observed, StepDone, StepFailed, Stuck, Prepared, Checked, Surveyed, Reminded, Reviewed, Halted, Lapsed, Finished, Refused:
	}
	return op
}

// goesOn is an operation that a person lets go on, who knows of what has failed.
func goesOn(op Operation, at time.Time) Operation {
	op.ResumedAt = at
	for i := range op.Targets {
		op.Targets[i].Tolerated = op.Targets[i].Tolerated || op.Targets[i].failed()
	}
	return op
}

// resettled is the operation's phase after a person has taken VMs out, or in again.
func resettled(op Operation) Operation {
	if op.Phase == NeedsAttention {
		op.Phase = Running
	}
	op.Phase = rollUp(op)
	return op
}

// failed reports whether a VM's failure is one that the others may have to wait for.
func (t *Target) failed() bool {
	return t.Phase == Failed || t.Phase == NeedsAttention || t.Phase != Cancelled && t.unwell()
}

// unwell reports whether a VM said, when it was asked last, that it does not work.
func (t *Target) unwell() bool {
	return len(t.Checked) > 0 && t.Checked[len(t.Checked)-1].Outcome == CheckFailed
}
