package failover

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

func decideCancel(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if rule, ok := s.Policy.mayCancel(op, cmd.By); !ok {
		return nil, s.Policy.mayNotCancel(rule, cmd)
	}
	switch op.Phase {
	case AwaitingApproval:
		if !op.Started() {
			return nil, Refuse(WrongState, "Type /failover withdraw "+string(op.ID)+".", "%s has not started.", op.ID)
		}
		return []Fact{stopped(op, cmd)}, nil
	case Running:
		if refusal := unstoppable(op); refusal != nil {
			if op.Several() && op.OnHold == nil && op.anyWaits() {
				refusal.Hint = "To let nothing new begin, type /failover hold " + string(op.ID) + "; when what runs has ended, cancel it."
			}
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
		kind := t.Doing
		unknown := len(t.Unanswered(kind)) > 0
		switch {
		case t.Phase != Running || !underWay(t, kind):
		case kind == StepFailover && unknown:
			return Refuse(WrongState, "Wait until it is known; nothing is committed without a press.", "It is not known yet whether Azure took the call, and a running failover is not cancelled.")
		case kind == StepFailover:
			return Refuse(WrongState, "Wait for it to end; nothing is committed without a press.", "A running failover is not cancelled: Azure has already stopped the replication, and the VM would be left unprotected and half moved.")
		case kind == StepTest:
			return Refuse(WrongState, "Wait for it to end, then clean it up: /failover cleanup "+t.Item.Name+".", "A drill that is under way is not cancelled: Azure would leave parts of the test VM behind.")
		case kind.IsReprotect() && !unknown && t.Step(kind).JobEnded:
			// Only Ferry's watching ends; the replication goes on by itself.
		default:
			return Refuse(WrongState, "Wait for it to end.", "A %s that is under way cannot be stopped.", kind.noun())
		}
	}
	return nil
}

// noun is a step in a sentence.
func (k StepKind) noun() string {
	switch k {
	case StepChange:
		return "change of the recovery point"
	case StepTest:
		return "test failover"
	case StepCleanup:
		return "clean-up"
	case StepReprotectAgain:
		return string(StepReprotect)
	case StepResize:
		return "change of the size"
	case StepFailover, StepCommit, StepReprotect, StepProbe, StepCheck, StepSurvey:
	}
	return string(k)
}

// stopped is the end of an operation by a person who leaves the VM as it is.
func stopped(op Operation, cmd Command) Finished {
	f := Finished{Phase: Cancelled, Note: "Ended by " + mention(cmd.By) + because(cmd.Reason) + ". The VM stays as it is in Azure.", Hint: whatIsLeft(op)}
	if op.Several() {
		f.Note = "Ended by " + mention(cmd.By) + because(cmd.Reason) + ". What is done stays done: " + op.sofar() + "."
	}
	touched := func(t Target) bool { return len(t.Steps) > 0 || t.Phase != Running }
	if op.Phase == Running && !slices.ContainsFunc(op.Targets, touched) {
		f.Note, f.Hint = "Ended by "+mention(cmd.By)+because(cmd.Reason)+" before Azure took the call. Nothing was started.", ""
	}
	return f
}

// sofar counts how far the VMs of an operation are that is ended half-way.
func (o Operation) sofar() string {
	var over, failed, committed, untouched int
	for i := range o.Targets {
		t := &o.Targets[i]
		switch done := func(kind StepKind) bool { s := t.Step(kind); return s != nil && s.State == StateDone }; {
		case t.Phase == Failed || t.Phase == NeedsAttention || t.tried():
			failed++
		case done(StepCommit):
			committed++
		case done(StepFailover) || done(StepReprotect):
			over++
		default:
			untouched++
		}
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{over, "half-way"}, {committed, "committed"}, {failed, "failed or to be looked at"}, {untouched, "not begun"}} {
		if p.n > 0 {
			parts = append(parts, strconv.Itoa(p.n)+" "+p.what)
		}
	}
	return strings.Join(parts, ", ")
}

// whatIsLeft says what somebody may want to do after an operation was ended half-way.
func whatIsLeft(op Operation) string {
	if len(op.Targets) == 0 {
		return ""
	}
	doing, vm := op.Targets[0].Doing, "VM"
	if len(op.Targets) == 1 {
		vm = op.Targets[0].Item.Name
	}
	switch {
	case op.Verb == VerbTest || op.Verb == VerbCleanup:
		return "If a test VM is left, type /failover cleanup " + vm + "."
	case doing.IsReprotect() && op.ready() != "":
		return "To protect it later, type /failover reprotect " + vm + "."
	case doing.IsReprotect():
		return "A replication that has begun goes on in Azure; /failover list shows its state."
	case len(op.Targets) == 1 && op.Targets[0].tried():
		again := "Azure has made no VM. To try it once more, ask again."
		if op.Plan.Shutdown {
			again += " Azure may have shut down " + vm + ": look first whether it runs."
		}
		return again
	case op.Verb == VerbFailback && doing == StepFailover:
		return "To go on later, type /failover failback " + vm + "."
	}
	return "To make a failover final later, type /failover commit " + vm + "."
}

// mayCancel reports whether the class cancel is open to the actor on every target; else by which rule it is not.
func (p Policy) mayCancel(op Operation, actor Actor) (Rule, bool) {
	for _, t := range op.Targets {
		if t.Lead {
			continue
		}
		if rule, ok := p.RuleFor(ClassCancel, t.Item); !ok || !p.May(rule, actor) {
			return rule, false
		}
	}
	return Rule{}, len(op.Targets) > 0
}

// mayNotCancel says who may, by the rule that says no.
func (p Policy) mayNotCancel(rule Rule, cmd Command) *Refusal {
	hint := "Ask somebody whom a rule with the verb class cancel names."
	if len(rule.May) > 0 {
		hint = askFor(rule.May)
	}
	return p.lacking(slices.Collect(maps.Keys(p.Groups)), hint, "You may not %s %s.", cmd.Verb, cmd.Op).by(rule)
}

// Steers reports whether an operation waits for somebody who lets it go on or ends it, without a gate: on hold, or of several with
// some that failed and nothing else left to do; and whether the actor may. Like [Policy.Awaits] it is a hint.
func (p Policy) Steers(op Operation, actor Actor) bool {
	if op.Phase != Running || op.OnHold == nil {
		if op.Phase != NeedsAttention || !op.Several() {
			return false
		}
	}
	_, may := p.mayCancel(op, actor)
	return may
}

// Steerers lists whom to call when an operation is on hold: groups, then who is named, that may cancel it whole. Nobody is known
// where a rule goes by tags that are not.
func (p Policy) Steerers(op Operation) []string {
	var ids []string
	seen := map[string]bool{}
	for _, t := range op.Targets {
		rule, _ := p.RuleFor(ClassCancel, t.Item)
		if t.Lead || seen[rule.Name] {
			continue
		}
		called := p.Callable(Rule{Approvals: 1, Approvers: rule.May})
		if len(seen) > 0 {
			called = slices.DeleteFunc(called, func(id string) bool { return !slices.Contains(ids, id) })
		}
		ids, seen[rule.Name] = called, true
	}
	return ids
}
