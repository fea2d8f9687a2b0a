package bot

import (
	"fmt"
	"strings"
	"time"

	"ferry/failover"
)

// Stamp is a time as answers print it, in full and in UTC. Surfaces that know the reader's zone add it to this form.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// Targets names what an operation is about: the VM, or how many.
func Targets(op failover.Operation) string {
	switch len(op.Targets) {
	case 0:
		return "no VM"
	case 1:
		return op.Targets[0].Item.Name
	}
	return fmt.Sprintf("%d VMs", len(op.Targets))
}

// What is an operation in words, such as "failover of vm-x to its latest recovery point".
func What(op failover.Operation) string {
	if op.Verb == failover.VerbCommit {
		return "commit of " + Targets(op)
	}
	return "failover of " + Targets(op) + " to " + pointWords(op)
}

func pointWords(op failover.Operation) string {
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
		return "Azure"
	case failover.Succeeded, failover.Failed, failover.Denied, failover.Expired, failover.Cancelled:
	}
	return "nobody"
}

// deciders names who may press the button of a gate, and how many presses it still takes.
func deciders(op failover.Operation, gate failover.Class) string {
	rule := op.GateRule(gate)
	roles, need := rule.Approvers, rule.Approvals-len(op.Approvers(gate))
	if rule.Approvals == 0 {
		roles, need = rule.May, 1
	}
	role := "the right to decide"
	if len(roles) > 0 {
		role = "the role " + strings.Join(roles, " or ")
	}
	switch {
	case need > 1:
		return fmt.Sprintf("%d people with %s", need, role)
	case len(op.Approvers(gate)) > 0:
		return "one more person with " + role
	case len(roles) == 0:
		return "somebody with " + role
	}
	return role
}
