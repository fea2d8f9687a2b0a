package failover

import (
	"path"
	"slices"
	"strings"
	"time"
)

// Everything is the pattern of a freeze that stops new work on every VM.
const Everything = "*"

// Freeze stops new work on the VMs that its pattern matches. What is half-way may be brought to its end: steps that run go
// on, and a commit, a check, a clean-up, a cancel and a withdrawal stay possible. Break-glass does not pass it: who may
// freeze may also unfreeze, which everybody sees.
type Freeze struct {
	Op      OpID      `json:"op"`
	Pattern string    `json:"pattern"`
	By      Actor     `json:"by"`
	Since   time.Time `json:"since"`
	Reason  string    `json:"reason"`
}

// FreezeKey is the target key under which a freeze of a pattern is held, so that there is one at most.
func FreezeKey(pattern string) string { return ItemKey("ferry", "freeze/"+pattern) }

// FreezePattern is a typed pattern as it is compared; nothing typed is everything.
func FreezePattern(typed string) string {
	if typed == "" {
		return Everything
	}
	return strings.ToLower(typed)
}

// Freezes are those among some operations that hold, oldest first.
func Freezes(ops []Operation) []Freeze {
	var all []Freeze
	for _, op := range ops {
		if op.Verb == VerbFreeze && op.Exists() && !op.Phase.Final() {
			all = append(all, Freeze{Op: op.ID, Pattern: op.Plan.Frozen, By: op.RequestedBy, Since: op.RequestedAt, Reason: op.Reason})
		}
	}
	slices.SortStableFunc(all, func(a, b Freeze) int { return a.Since.Compare(b.Since) })
	return all
}

// Stops reports whether a freeze stands over an item: its pattern matches the VM's name, or vault/name.
func (f Freeze) Stops(i Item) bool {
	return f.Pattern == Everything || glob([]string{f.Pattern}, i.Name) || glob([]string{f.Pattern}, i.Vault+"/"+i.Name)
}

// Over names what a freeze stops.
func (f Freeze) Over() string {
	if f.Pattern == Everything {
		return "every VM"
	}
	return f.Pattern
}

// Words is who has frozen what since when, and why.
func (f Freeze) Words() string {
	return mention(f.By) + " has frozen new work on " + f.Over() + " since " + stamp(f.Since) + " (" + string(f.Op) + ")" + because(f.Reason)
}

// Ends is what to type to end it.
func (f Freeze) Ends() string {
	if f.Pattern == Everything {
		return "/failover unfreeze"
	}
	return "/failover unfreeze " + f.Pattern
}

// NewWork reports whether a step begins something that a freeze stops; the others bring to an end what is half-way.
func (k StepKind) NewWork() bool {
	switch k {
	case StepFailover, StepChange, StepTest, StepReprotect, StepReprotectAgain, StepResize:
		return true
	case StepCommit, StepCleanup, StepProbe, StepCheck, StepSurvey:
	}
	return false
}

// thawed refuses to begin a step on an item that somebody has frozen.
func (s Situation) thawed(step StepKind, items ...Item) *Refusal {
	if !step.NewWork() {
		return nil
	}
	for _, f := range s.Freezes {
		if slices.ContainsFunc(items, f.Stops) {
			return Refuse(Frozen, "Wait for its end, or have somebody who may freeze type "+f.Ends()+".", "%s. The %s was not started.", f.Words(), step.noun())
		}
	}
	return nil
}

// firstStep is the step that a verb on a VM would begin; what it is about tells of those that a way home leaves out.
func firstStep(verb Verb) StepKind {
	switch verb {
	case VerbFailover, VerbPlan, VerbGroup:
		return StepFailover
	case VerbTest:
		return StepTest
	case VerbChange:
		return StepChange
	case VerbReprotect, VerbFailback: // whichever it begins with is new work
		return StepReprotect
	case VerbCommit:
		return StepCommit
	case VerbCleanup:
		return StepCleanup
	case VerbApprove, VerbDeny, VerbWithdraw, VerbCancel, VerbExpire, VerbIncident, VerbFreeze, VerbUnfreeze, VerbHold, VerbResume, VerbSkip, VerbRetry:
	}
	return ""
}

// Declares reports whether what a verb opens is about no VM and lasts until somebody ends it.
func (v Verb) Declares() bool { return v == VerbIncident || v == VerbFreeze }

// decideFreeze stops new work, from now on until somebody ends it. It is an operation without a VM.
func decideFreeze(cmd Command, s Situation) ([]Fact, *Refusal) {
	rule, refusal := s.mayFreeze(cmd.By)
	pattern := FreezePattern(cmd.Target)
	typed := strings.TrimSuffix("/failover freeze "+cmd.Target, " ")
	switch _, bad := path.Match(pattern, ""); {
	case refusal != nil:
		return nil, refusal
	case bad != nil:
		return nil, Refuse(BadUsage, "Type a VM's name, or a pattern such as web-*.", "%q is no pattern.", cmd.Target)
	case cmd.Reason == "":
		return nil, Refuse(BadUsage, "Type "+typed+" --reason TEXT. It stands in every refusal.", "Why is new work to stop?")
	case s.Holder.Exists():
		f := Freezes([]Operation{s.Holder})[0]
		return nil, Refuse(Busy, "For another reason, first type "+f.Ends()+".", "It is frozen already: %s.", f.Words())
	case pattern != Everything && len(s.Inventory) > 0 && !slices.ContainsFunc(s.Inventory, Freeze{Pattern: pattern}.Stops):
		return nil, Refuse(UnknownName, "Nothing is frozen. /failover list shows the names; /failover freeze --reason TEXT stops new work on every VM.", "No replicated VM matches %q.", cmd.Target)
	}
	plan := Plan{Frozen: pattern, Rule: rule}
	plan.Digest = digest(plan, nil)
	return []Fact{Requested{Op: cmd.Op, Rule: rule.ref(), Verb: VerbFreeze, By: cmd.By, Reason: cmd.Reason, Plan: plan}}, nil
}

// decideUnfreeze ends one freeze, the one that is named.
func decideUnfreeze(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if _, refusal := s.mayFreeze(cmd.By); refusal != nil {
		return nil, refusal
	}
	if op.Verb == VerbFreeze && op.Exists() && !op.Phase.Final() {
		return []Fact{Finished{Phase: Succeeded, Note: "Ended by " + mention(cmd.By) + because(cmd.Reason) + "."}}, nil
	}
	if len(s.Freezes) == 0 {
		return nil, Refuse(WrongState, "To stop new work, type /failover freeze --reason TEXT.", "Nothing is frozen.")
	}
	var all, ends []string
	for _, f := range s.Freezes {
		all, ends = append(all, f.Words()+"."), append(ends, f.Ends())
	}
	return nil, Refuse(WrongState, "Say which: "+strings.Join(ends, ", or ")+".", "There is no freeze of %s. %s", Freeze{Pattern: FreezePattern(cmd.Target)}.Over(), (&unready{said: all}).words())
}

func (s Situation) mayFreeze(actor Actor) (Rule, *Refusal) {
	rule, ok := s.Policy.RuleForAll(ClassFreeze)
	if !ok || !s.Policy.May(rule, actor) {
		return rule, s.Policy.lacking(rule.May, askFor(rule.May), "You may not freeze or unfreeze.").by(rule)
	}
	return rule, nil
}

// InTheWay are the freezes that keep the gate from opening that an operation waits at.
func InTheWay(op Operation, freezes []Freeze) []Freeze {
	gate, waits := op.Pending()
	if !waits || !gate.Step.NewWork() {
		return nil
	}
	var all []Freeze
	for _, f := range freezes {
		if slices.ContainsFunc(op.Targets, func(t Target) bool { return f.Stops(t.Item) }) {
			all = append(all, f)
		}
	}
	return all
}

// Halt is what a freeze makes of what a driver is about to do. What was decided before the freeze and has not begun is not
// begun: its gate closes again. A call whose answer was lost is not made again: a person decides.
func Halt(op Operation, target string, e Effect, freezes []Freeze, now time.Time) Effect {
	act, acts := e.(Act)
	if !acts || !act.Intent.Kind.NewWork() {
		return e
	}
	for _, f := range freezes {
		if !op.frozenBy(f, target) {
			continue
		}
		i := slices.IndexFunc(op.Targets, func(t Target) bool { return t.Item.Key == target })
		if i < 0 {
			return e
		}
		if act.Again {
			stuck := noTrace(op, op.Targets[i])
			stuck.Why += " It is not made again: " + f.Words() + "."
			return Tell{[]Fact{stuck}}
		}
		return Tell{[]Fact{lapse(op, act.Intent.Kind, f.Words(), now)}}
	}
	return e
}

// frozenBy reports whether a freeze stands over one of an operation's targets; over a recovery plan it does with any of its VMs.
func (o Operation) frozenBy(f Freeze, target string) bool {
	return slices.ContainsFunc(o.Targets, func(t Target) bool {
		return (t.Item.Key == target || o.Plan.Recovery != nil) && f.Stops(t.Item)
	})
}

// Holding is why an operation holds a VM.
type Holding struct {
	Verb   Verb      `json:"verb"`
	By     Actor     `json:"by"`
	Since  time.Time `json:"since"`
	Reason string    `json:"reason,omitempty"`
}

// HoldBy says who holds what and why, and who has frozen what, on an inventory.
func (inv Inventory) HoldBy(open []Operation) Inventory {
	inv.Holders, inv.Open, inv.Freezes = map[string]OpID{}, map[OpID]Holding{}, Freezes(open)
	for _, op := range open {
		for _, t := range op.Targets {
			inv.Holders[t.Item.Key] = op.ID
			inv.Open[op.ID] = Holding{Verb: op.Verb, By: op.RequestedBy, Since: op.RequestedAt, Reason: op.Reason}
		}
	}
	return inv
}
