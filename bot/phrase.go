package bot

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ferry/failover"
)

// Stamp is a time as answers print it, in full and in UTC. Surfaces that know the reader's zone add it to this form.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// Targets names what an operation is about: the VM, or how many.
func Targets(op failover.Operation) string {
	if op.Plan.Frozen != "" {
		return failover.Freeze{Pattern: op.Plan.Frozen}.Over()
	}
	if p := op.Plan.Recovery; p != nil {
		return fmt.Sprintf("recovery plan %s (%d VMs)", p.Name, len(p.Keys()))
	}
	if f := op.Plan.Fleet; f != nil && f.Name != "" {
		return fmt.Sprintf("group %s (%s)", f.Name, VMs(len(op.Targets)))
	}
	switch len(op.Targets) {
	case 0:
		return "no VM"
	case 1:
		return op.Targets[0].Item.Name
	}
	return VMs(len(op.Targets))
}

// VMs is so many VMs.
func VMs(n int) string {
	if n == 1 {
		return "1 VM"
	}
	return Number(n) + " VMs"
}

// Number has its thousands apart.
func Number(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// Noun is a verb as titles and sentences name what it does: "test failover".
func Noun(verb failover.Verb) string {
	switch verb {
	case failover.VerbChange:
		return "change of the recovery point"
	case failover.VerbTest:
		return "test failover"
	case failover.VerbCleanup:
		return "clean-up"
	case failover.VerbFailover, failover.VerbCommit, failover.VerbReprotect, failover.VerbFailback, failover.VerbIncident, failover.VerbFreeze, failover.VerbUnfreeze,
		failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire, failover.VerbPlan, failover.VerbGroup, failover.VerbHold, failover.VerbResume, failover.VerbSkip, failover.VerbRetry:
	}
	return string(verb)
}

// StepNoun is a step as cards and answers name it; the way home has its own words for the same calls.
func StepNoun(op failover.Operation, step failover.StepKind) string {
	switch step {
	case failover.StepFailover:
		if op.Verb == failover.VerbFailback {
			return "failover back"
		}
	case failover.StepChange:
		return "change of the recovery point"
	case failover.StepTest:
		return "test failover"
	case failover.StepCleanup:
		return "clean-up"
	case failover.StepReprotectAgain:
		return "reprotect at home"
	case failover.StepProbe:
		return "check"
	case failover.StepCheck:
		return "check by a person"
	case failover.StepSurvey:
		return "look at what is left"
	case failover.StepResize:
		return "change of the size"
	case failover.StepCommit, failover.StepReprotect:
	}
	return string(step)
}

// Press is the label of the button that opens a gate of an operation under way.
func Press(op failover.Operation, step failover.StepKind) string {
	switch step {
	case failover.StepFailover:
		if op.Verb == failover.VerbFailback {
			return "Fail back"
		}
		return "Fail over"
	case failover.StepChange:
		return "Change point"
	case failover.StepCheck:
		return "It works"
	case failover.StepReprotect, failover.StepReprotectAgain:
		return "Reprotect"
	case failover.StepTest:
		return "Test"
	case failover.StepCleanup:
		return "Clean up"
	case failover.StepCommit, failover.StepProbe, failover.StepSurvey, failover.StepResize:
	}
	return "Commit"
}

// What is an operation in words, such as "failover of vm-x to its latest recovery point".
func What(op failover.Operation) string {
	what := Noun(op.Verb) + " of " + Targets(op)
	switch op.Verb {
	case failover.VerbFailover, failover.VerbTest:
		return what + " to " + pointWords(op)
	case failover.VerbChange:
		return what + " to " + pointWords(op)
	case failover.VerbCleanup:
		return "clean-up of the test failover of " + Targets(op)
	case failover.VerbFreeze:
		return "freeze of new work on " + Targets(op)
	case failover.VerbIncident:
		return "incident since " + Stamp(op.Plan.Point.Time)
	case failover.VerbCommit, failover.VerbReprotect, failover.VerbFailback, failover.VerbUnfreeze,
		failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire, failover.VerbPlan, failover.VerbGroup, failover.VerbHold, failover.VerbResume, failover.VerbSkip, failover.VerbRetry:
	}
	return what
}

func pointWords(op failover.Operation) string {
	switch {
	case op.Plan.Recovery != nil:
		return op.Plan.Point.String()
	case op.Several() && op.Plan.Point.Kind == failover.LatestProcessed:
		return "their newest processed recovery points"
	case op.Several() && op.Plan.Point.Kind == failover.LatestApp:
		return "their newest application-consistent recovery points"
	case op.Several() && op.Plan.Point.Kind == failover.AtTime:
		return "their newest recovery points not later than " + Stamp(op.Plan.Point.Time)
	case op.Several():
		return "their latest recovery points"
	}
	switch op.Plan.Point.Kind {
	case failover.LatestProcessed:
		return "its newest processed recovery point"
	case failover.LatestApp, failover.AtTime, failover.ByID: // pinned when it was planned
		if len(op.Targets) == 1 && op.Targets[0].Shown != nil {
			return "its recovery point of " + Stamp(op.Targets[0].Shown.Time)
		}
		return "the chosen recovery point"
	case failover.Latest:
	}
	return "its latest recovery point"
}

// WaitsFor says whom an operation waits for, such as "the role approver" or "Azure"; "nobody" when it is over.
func WaitsFor(op failover.Operation) string {
	switch op.Phase {
	case failover.AwaitingApproval, failover.AwaitingCommit:
		return deciders(op, op.Gate())
	case failover.NeedsAttention:
		return "a person to look at it"
	case failover.Running:
		if op.Verb.Declares() {
			return "its end"
		}
		if op.OnHold != nil {
			return "somebody to resume it"
		}
		return "Azure"
	case failover.Succeeded, failover.Failed, failover.Denied, failover.Expired, failover.Cancelled:
	}
	return "nobody"
}

// ChangeWaitsFor says who may decide another recovery point for an open operation.
func ChangeWaitsFor(op failover.Operation) string { return deciders(op, failover.ClassChange) }

// deciders names who may press the button of a gate, how many presses it still takes, and how many of them from a terminal.
func deciders(op failover.Operation, gate failover.Class) string {
	rule, lack := op.GateRule(gate), op.Lacks(gate)
	roles, need := rule.Approvers, lack.Approvals
	if rule.Approvals == 0 {
		roles, need = rule.May, 1
	}
	role := "the right to decide"
	if len(roles) > 0 {
		role = "the role " + strings.Join(roles, " or ")
	}
	from := ""
	switch {
	case lack.Terminals > 0 && lack.Terminals >= need:
		from = ", from a terminal"
	case lack.Terminals > 0:
		from = fmt.Sprintf(", %d of them from a terminal", lack.Terminals)
	}
	switch {
	case need > 1:
		return fmt.Sprintf("%d people with %s", need, role) + from
	case len(op.Approvers(gate)) > 0:
		return "one more person with " + role + from
	case len(roles) == 0:
		return "somebody with " + role + from
	}
	return role + from
}

// Held is an operation that holds a VM: who asked, how long ago, and why.
func Held(id failover.OpID, h failover.Holding, since string) string {
	by := cmp.Or(h.By.Name, h.By.ID)
	text := fmt.Sprintf("%s: %s, %s, for %s", id, Noun(h.Verb), by, since)
	if h.Reason != "" {
		text += ": " + h.Reason
	}
	return text
}
