package failover

import "slices"

func decideCommit(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if !op.Exists() {
		return decideForeignCommit(cmd, s)
	}
	if op.Phase != AwaitingCommit {
		return nil, notCommittable(op)
	}
	if refusal := outdated(op, StepCommit, cmd); refusal != nil {
		return nil, refusal
	}
	if refusal := op.together(cmd, "committed"); refusal != nil {
		return nil, refusal
	}
	refusal := s.Policy.mayDecide(op, ClassCommit, cmd.By)
	decides := refusal == nil
	if !decides && !s.Policy.May(op.Plan.CommitBy, cmd.By) {
		return nil, refusal
	}
	if refusal := commitConfirmed(op.called(), decides && op.Plan.CommitBy.ConfirmName, cmd); refusal != nil {
		return nil, refusal
	}
	if decides {
		return s.press(op, op.stage(StepCommit), cmd)
	}
	return []Fact{CommitAsked{By: cmd.By}}, nil
}

// together refuses the name of one VM for a press that would be for all VMs of an operation: who names one means one.
func (o Operation) together(cmd Command, done string) *Refusal {
	if cmd.Target == "" || len(o.Targets) < 2 {
		return nil
	}
	hint := "Type /failover " + string(cmd.Verb) + " " + string(o.ID) + " for all of them."
	if o.Several() {
		hint += " To leave one out first, type /failover skip " + string(o.ID) + " VM."
	}
	return Refuse(WrongState, hint, "%s is one of %s of %s, which are %s together.", cmd.Target, count(len(o.Holds())), o.ID, done)
}

// decideForeignCommit opens an operation for a VM that was failed over outside Ferry; when who typed it may decide, that
// is the press.
func decideForeignCommit(cmd Command, s Situation) ([]Fact, *Refusal) {
	rule, decides, refusal := s.mayPress(ClassCommit, cmd.By)
	if refusal == nil {
		refusal = s.free()
	}
	if refusal == nil {
		refusal = Legal(StepCommit, s.Item)
	}
	if refusal == nil {
		refusal = commitConfirmed(s.Item.Name, decides && rule.ConfirmName, cmd)
	}
	if refusal != nil {
		return nil, refusal
	}
	targets := []Target{{Item: s.Item, Phase: AwaitingCommit}}
	s.pointOut(targets)
	plan := Plan{Rule: rule, CommitBy: rule}
	plan.ChangeBy, _ = s.Policy.RuleFor(ClassChange, s.Item)
	plan.Digest = digest(plan, targets)
	facts := []Fact{Requested{Op: cmd.Op, Rule: rule.ref(), Verb: VerbCommit, By: cmd.By, Reason: cmd.Reason, Plan: plan, Targets: targets}}
	if !decides {
		return facts, nil
	}
	op, gate := Fold(Operation{}, Batch{At: s.Now, Facts: facts}), Operation{Verb: VerbCommit}.stages()[0]
	if !s.Policy.counts(op, gate, cmd.By) { // it takes a terminal
		return facts, nil
	}
	pressed, refusal := s.press(op, gate, cmd)
	return append(facts, pressed...), refusal
}

func notCommittable(op Operation) *Refusal {
	id := string(op.ID)
	switch op.Phase {
	case AwaitingApproval:
		if gate, _ := op.Pending(); op.Started() {
			return Refuse(WrongState, "That comes first: /failover approve "+id+".", "%s waits for the %s.", op.ID, gate.Step.noun())
		}
		return Refuse(WrongState, "An approver types /failover approve "+id+" first.", "%s has not been approved yet.", op.ID)
	case Running:
		if slices.ContainsFunc(op.Targets, func(t Target) bool { return t.Phase == Running && t.Doing == StepCommit }) {
			return Refuse(TooLate, "Type /failover status "+id+" to see where it stands.", "The commit of %s was already pressed%s.", op.ID, lastApproval(op))
		}
		if op.OnHold != nil {
			return Refuse(WrongState, "To let it go on, type /failover resume "+id+"; the card asks for the commit when nothing is left to begin.", "%s is on hold.", op.ID)
		}
		return Refuse(WrongState, "Wait until the card asks for the commit.", "%s is still %s.", op.ID, op.doing())
	case NeedsAttention:
		return Refuse(WrongState, "Type /failover status "+id+" to see what is wrong.", "%s needs attention before anything can be committed.", op.ID)
	case AwaitingCommit, Succeeded, Failed, Denied, Expired, Cancelled:
	}
	return over(op)
}
