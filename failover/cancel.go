package failover

import (
	"slices"
)

func decideCancel(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if !s.mayCancel(op, cmd.By) {
		return nil, Refuse(NotAllowed, "Ask somebody whom a rule with the verb class cancel names.", "You may not cancel %s.", op.ID)
	}
	switch op.Phase {
	case AwaitingApproval:
		return nil, Refuse(WrongState, "Type /failover withdraw "+string(op.ID)+".", "%s has not started.", op.ID)
	case Running:
		if refusal := unstoppable(op); refusal != nil {
			return nil, refusal
		}
		return []Fact{stopped(op, cmd)}, nil
	case AwaitingCommit, NeedsAttention:
		return []Fact{stopped(op, cmd)}, nil
	case Succeeded, Failed, Denied, Expired, Cancelled:
	}
	return nil, over(op)
}

// unstoppable refuses when Azure has, or may have, taken the call of the step that runs. Until then the driver's intent
// and the end are guarded by the same sequence: one of them wins.
func unstoppable(op Operation) *Refusal {
	if !slices.ContainsFunc(op.Targets, func(t Target) bool { return t.Phase == Running }) {
		return Refuse(TooLate, "Type /failover status "+string(op.ID)+" to see how it ended.", "%s is just ending.", op.ID)
	}
	for _, t := range op.Targets {
		kind := wanted(op, t)
		switch {
		case t.Phase != Running || !underWay(t, kind):
		case kind == StepCommit:
			return Refuse(WrongState, "Wait for it to end.", "A commit that is under way cannot be stopped.")
		case len(unresolved(t, kind)) > 0:
			return Refuse(WrongState, "Wait until it is known; nothing is committed without a press.", "It is not known yet whether Azure took the call, and a running failover is not cancelled.")
		default:
			return Refuse(WrongState, "Wait for it to end; nothing is committed without a press.", "A running failover is not cancelled: Azure has already stopped the replication, and the VM would be left unprotected and half moved.")
		}
	}
	return nil
}

// stopped is the end of an operation by a person who leaves the VM as it is.
func stopped(op Operation, cmd Command) Finished {
	f := Finished{Phase: Cancelled, Note: "Ended by " + mention(cmd.By) + because(cmd.Reason) + ". The VM stays as it is in Azure.", Hint: "To make a failover final later, type /failover commit VM."}
	touched := func(t Target) bool { return t.Phase != Running || wanted(op, t) != StepFailover }
	if op.Phase == Running && !slices.ContainsFunc(op.Targets, touched) {
		f.Note, f.Hint = "Ended by "+mention(cmd.By)+because(cmd.Reason)+" before Azure took the call. Nothing was started.", ""
	}
	return f
}

// mayCancel reports whether the class cancel is open to the actor on every target.
func (s Situation) mayCancel(op Operation, actor Actor) bool {
	return len(op.Targets) > 0 && !slices.ContainsFunc(op.Targets, func(t Target) bool {
		rule, ok := s.Policy.RuleFor(ClassCancel, t.Item)
		return !ok || !s.Policy.May(rule, actor)
	})
}
