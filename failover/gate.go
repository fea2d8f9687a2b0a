package failover

import "slices"

// mayDecide is the one place that says whether an actor may press the button of an open gate; every entrance comes here.
func (p Policy) mayDecide(op Operation, gate Class, actor Actor) *Refusal {
	rule := op.GateRule(gate)
	if len(p.Deciders(rule)) == 0 && p.unread(rule.deciders()) == "" {
		return undecidable(op, gate).by(rule)
	}
	if !p.Decides(rule, actor) {
		return p.lacking(rule.deciders(), askFor(rule.deciders()), "You may not decide the %s of %s.", gate, op.ID).by(rule)
	}
	// With no approvals needed, who asked is also who presses: there is nobody else to exclude.
	if rule.Approvals > 0 && !rule.SelfApproval && p.asked(op, gate, actor) {
		return Refuse(NotAllowed, "Ask another person with the role "+rolesInWords(rule.Approvers)+".", "You asked for it yourself, and %s needs a second person.", op.ID).by(rule)
	}
	return nil
}

// Awaits reports whether an operation waits for a press that an actor may give now. It is a hint for who follows one; the
// press itself is decided as any other.
func (p Policy) Awaits(op Operation, actor Actor) bool {
	gate, _ := op.Pending()
	return op.ready() != "" && p.counts(op, gate, actor) && p.mayDecide(op, gate.Gate, actor) == nil
}

// undecidable is a gate that nobody can open: no rule named the class when the operation was asked for, or its roles are
// empty. The rule is part of what was approved, so a new one counts for the next operation only.
func undecidable(op Operation, gate Class) *Refusal {
	if !op.StartedAt.IsZero() && gate != ClassCommit {
		return Refuse(NotAllowed, "Have a rule with the verb class "+string(gate)+" added under access.rules, type /failover cancel "+string(op.ID)+", then ask again.", "No rule lets anybody decide the %s of %s.", gate, op.ID)
	}
	if gate == ClassCommit {
		return Refuse(NotAllowed, "Commit it in the portal: Ferry notices. Or have a rule with the verb class commit added under access.rules, type /failover cancel "+string(op.ID)+", then /failover commit VM.",
			"No rule lets anybody commit %s.", op.ID)
	}
	return Refuse(NotAllowed, "Have the approvers' role filled under access.roles, or type /failover withdraw "+string(op.ID)+".", "No rule lets anybody decide %s.", op.ID)
}

// asked reports whether an actor is the person who asked for the operation or opened the gate.
func (p Policy) asked(op Operation, gate Class, actor Actor) bool {
	same := func(a Actor) bool { return p.same(a, actor) }
	return same(op.RequestedBy) || gate == ClassCommit && slices.ContainsFunc(op.CommitAskedBy, same) ||
		gate == ClassChange && op.Change != nil && same(op.Change.By)
}
