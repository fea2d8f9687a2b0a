package failover

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Stage is one part of an operation: a step, and the gate before it.
type Stage struct {
	Step  StepKind
	Gate  Class // whose decision lets the step begin; empty: it follows by itself
	Waits Phase // in which the gate waits
}

// Stages are the parts of an operation in order: what its verb means. The way home is the longest: each of its gates is
// decided on its own, days apart if need be.
func Stages(verb Verb) []Stage {
	failover := Stage{StepFailover, ClassFailover, AwaitingApproval}
	probe := Stage{Step: StepProbe}
	commit := Stage{StepCommit, ClassCommit, AwaitingCommit}
	switch verb {
	case VerbCommit:
		return []Stage{commit}
	case VerbChange:
		return []Stage{{StepChange, ClassChange, AwaitingApproval}, probe, commit}
	case VerbTest:
		return []Stage{{StepTest, ClassTest, AwaitingApproval}}
	case VerbCleanup:
		return []Stage{{StepCleanup, ClassCleanup, AwaitingApproval}}
	case VerbReprotect:
		return []Stage{{StepReprotect, ClassReprotect, AwaitingApproval}}
	case VerbFailback:
		return []Stage{
			{StepReprotect, ClassFailback, AwaitingApproval},
			{StepFailover, ClassFailback, AwaitingApproval},
			probe,
			{StepCheck, ClassFailback, AwaitingApproval},
			commit,
			{StepReprotectAgain, ClassFailback, AwaitingApproval},
			{Step: StepSurvey},
		}
	case VerbFailover, VerbApprove, VerbDeny, VerbWithdraw, VerbCancel, VerbExpire, VerbIncident, VerbFreeze, VerbUnfreeze, VerbPlan, VerbGroup, VerbHold, VerbResume, VerbSkip, VerbRetry:
	}
	return []Stage{failover, probe, commit}
}

// stages of an operation: those that are left out are gone.
func (o Operation) stages() []Stage {
	all := Stages(o.Verb)
	if i := slices.IndexFunc(all, func(s Stage) bool { return s.Step == o.Plan.First }); i > 0 {
		return all[i:]
	}
	return all
}

// stage finds the part that a step belongs to. A change is none of its own: it goes back to before the commit. Nor is a change of
// size: it is part of the failover.
func (o Operation) stage(step StepKind) Stage {
	if step == StepResize {
		step = StepFailover
	}
	for _, s := range o.stages() {
		if s.Step == step {
			return s
		}
	}
	return Stage{step, ClassChange, AwaitingCommit}
}

// after is the part that follows a step for a target; false at the end.
func (o Operation) after(t Target, step StepKind) (Stage, bool) {
	all := o.stages()
	next := slices.IndexFunc(all, func(s Stage) bool { return s.Step == step }) + 1
	if next == 0 { // a change: the VM starts anew, so what followed the failover follows again
		next = slices.IndexFunc(all, func(s Stage) bool { return s.Step == StepProbe || s.Step == StepCommit })
	}
	if next < 0 {
		return Stage{}, false
	}
	for _, s := range all[next:] {
		if s.Step != StepProbe || t.Check != nil {
			return s, true
		}
	}
	return Stage{}, false
}

// Pending is the stage whose gate waits for a decision; false when the operation waits for nobody.
func (o Operation) Pending() (Stage, bool) {
	if o.Phase != AwaitingApproval && o.Phase != AwaitingCommit {
		return Stage{}, false
	}
	for _, t := range o.Targets {
		if t.Phase == o.Phase && t.Doing != "" {
			return o.stage(t.Doing), true
		}
	}
	for _, s := range o.stages() {
		if s.Waits == o.Phase {
			return s, true
		}
	}
	return Stage{}, false
}

// ready is the step whose gate can be decided now; empty when none waits, or what it is about has not been read yet.
func (o Operation) ready() StepKind {
	gate, waits := o.Pending()
	if !waits || slices.ContainsFunc(o.Targets, func(t Target) bool { return t.Unplanned }) {
		return ""
	}
	return gate.Step
}

// Token names what a press is about: the step, and what would be done. A button carries it, so that an old one does not
// act on what came after. The token of a change stands beside that of the commit.
func (o Operation) Token(step StepKind) string {
	bound := []any{step, o.Plan.Digest}
	for _, t := range o.Targets {
		bound = append(bound, t.Item.Key, t.PointUsed)
	}
	if step == StepChange && o.Change != nil {
		bound = append(bound, o.Change.Point.ID)
	}
	if o.Lapses > 0 { // a button from before must not act on the gate that waits anew
		bound = append(bound, o.Lapses)
	}
	data, err := json.Marshal(bound)
	if err != nil { // plain data always marshals
		panic(err)
	}
	sum := sha256.Sum256(data)
	return string(step) + "-" + hex.EncodeToString(sum[:4])
}

// Started reports whether the first gate has opened.
func (o Operation) Started() bool { return !o.StartedAt.IsZero() }
