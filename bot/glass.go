package bot

import (
	"fmt"
	"strings"

	"ferry/failover"
)

// brokenGlass says what was skipped.
func brokenGlass(op failover.Operation) string {
	if op.Plan.BrokenGlass == nil {
		return ""
	}
	return " behind broken glass: " + Skipped(op) + ". It is told in the channel, and an approver other than you has to review it"
}

// Skipped is how many approvals a broken glass has saved.
func Skipped(op failover.Operation) string {
	switch n := op.Skipped(); n {
	case 0:
		return "no approval was skipped"
	case 1:
		return "1 approval was skipped"
	default:
		return fmt.Sprintf("%d approvals were skipped", n)
	}
}

// stillWaits tells who has signed off what they may have taken for something else.
func stillWaits(op failover.Operation) string {
	if op.Phase != failover.AwaitingCommit {
		return ""
	}
	return " It still waits for its commit: " + Command + " commit " + string(op.ID) + "."
}

// LookAlike points out the VMs that are easily taken for an operation's, with a space before; empty when there are none.
func LookAlike(op failover.Operation) string {
	var said []string
	for _, t := range op.Targets {
		if text := Alike(t); text != "" {
			said = append(said, text)
		}
	}
	if len(said) == 0 {
		return ""
	}
	if more := len(said) - 3; more > 0 {
		said = append(said[:3], fmt.Sprintf("And so are %d more of its VMs.", more))
	}
	return " " + strings.Join(said, " ")
}

// Alike says which VMs are easily taken for a target; empty when there are none.
func Alike(t failover.Target) string {
	var names []string
	twins := 0
	for _, a := range t.Alike {
		where := "vault " + a.Vault
		if a.Region != "" {
			where += ", " + a.Region
		}
		if a.Twin {
			twins++
		}
		names = append(names, a.Name+" ("+where+")")
	}
	if len(names) == 0 {
		return ""
	}
	if t.MoreAlike > 0 {
		names = append(names, fmt.Sprintf("%d more", t.MoreAlike))
	}
	meant := t.Item.Name + " (vault " + t.Item.Vault + ")"
	switch twins {
	case len(names):
		return meant + " has the same name as " + strings.Join(names, ", ") + "."
	case 0:
		return meant + " is one character away from " + strings.Join(names, ", ") + "."
	}
	return meant + " has the same name as, or is one character away from, " + strings.Join(names, ", ") + "."
}
