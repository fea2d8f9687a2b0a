package bot

import (
	"fmt"
	"strings"

	"ferry/failover"
)

// heldAnswer says what a hold holds back, and what it does not.
func heldAnswer(op failover.Operation) string {
	text := string(op.ID) + " is on hold: what Azure has begun goes on, and nothing more begins."
	if underWay, waiting := op.Pace(); op.Several() {
		text = fmt.Sprintf("%s is on hold: %s under way and %s on, %d %s to begin.", op.ID, vms(underWay, "is", "are"), verb(underWay, "goes", "go"), waiting, verb(waiting, "has yet", "have yet"))
	}
	return text + " To let it go on, type " + Command + " resume " + string(op.ID) + "."
}

func resumedAnswer(op failover.Operation) string {
	text := string(op.ID) + " goes on."
	if _, waiting := op.Pace(); waiting > 0 && op.Several() {
		text = fmt.Sprintf("%s goes on with %s to begin.", op.ID, vms(waiting, "that has yet", "that have yet"))
	}
	if failed := fallen(op); len(failed) > 0 {
		text += fmt.Sprintf(" %s failed and %s the others back no more; to try again, type %s retry %s.", someOf(failed), verb(len(failed), "holds", "hold"), Command, op.ID)
	}
	return text
}

func skippedAnswer(cmd failover.Command, op failover.Operation) string {
	left := 0
	for _, t := range op.Targets {
		if t.Phase != failover.Cancelled && t.Phase != failover.Failed {
			left++
		}
	}
	if cmd.Target == "" {
		return fmt.Sprintf("What failed of %s is left out and stays as it is in Azure. %s left in it.", op.ID, vms(left, "is", "are")) + gateNext(op)
	}
	stays := "stays as it is in Azure."
	for _, t := range op.Targets {
		if s := t.Step(failover.StepFailover); op.Verb == failover.VerbFailover && t.Item.Means(cmd.Target) && s != nil && s.State == failover.StateDone {
			stays = fmt.Sprintf("stays failed over, not committed; once %s is over, %s commit %s makes that final.", op.ID, Command, cmd.Target)
		}
	}
	return fmt.Sprintf("%s is left out of %s and %s %s left in it.", named(cmd, op), op.ID, stays, vms(left, "is", "are")) + gateNext(op)
}

func retriedAnswer(cmd failover.Command, op failover.Operation) string {
	text := "What failed of " + string(op.ID) + " is tried once more."
	if cmd.Target != "" {
		text = named(cmd, op) + " is tried once more in " + string(op.ID) + "."
	}
	if op.OnHold != nil {
		return text + " The operation is on hold, so it begins when somebody types " + Command + " resume " + string(op.ID) + "."
	}
	return text + " Follow it on the card in the channel."
}

// gateNext says whom an operation waits for that has come to a gate.
func gateNext(op failover.Operation) string {
	if op.Phase != failover.AwaitingCommit {
		return ""
	}
	return " It now waits for its commit by " + WaitsFor(op) + "."
}

// many says of a request for several VMs how they go, and which of those that were meant are not among them.
func many(op failover.Operation) string {
	if !op.Several() && op.Plan.LeftOut == "" {
		return ""
	}
	text := ""
	if n := len(op.Targets); op.Plan.Fleet != nil && op.Plan.Fleet.Name == "" && n > 1 {
		var names []string
		for _, t := range op.Targets {
			names = append(names, t.Item.Name)
		}
		text = " VMs: " + someOf(names) + "."
	}
	if f := op.Plan.Fleet; f != nil && len(f.Waves) > 1 && op.Several() {
		text += fmt.Sprintf(" They go in %d waves.", len(f.Waves))
	}
	if op.Plan.LeftOut != "" {
		text += " Left out: " + strings.TrimSuffix(op.Plan.LeftOut, ".") + "."
	}
	return text
}

// named is the VM that a command names, by its own name.
func named(cmd failover.Command, op failover.Operation) string {
	_, typed, qualified := strings.Cut(cmd.Target, "/")
	if !qualified {
		typed = cmd.Target
	}
	for _, t := range op.Targets {
		if equalFold(t.Item.Name, typed) {
			return t.Item.Name
		}
	}
	return cmd.Target
}

// fallen are the names of the VMs that failed, or that a person has to look at.
func fallen(op failover.Operation) []string {
	var names []string
	for _, t := range op.Targets {
		if !t.Lead && (t.Phase == failover.Failed || t.Phase == failover.NeedsAttention) {
			names = append(names, t.Item.Name)
		}
	}
	return names
}

// someOf names the first of several VMs.
func someOf(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

func vms(n int, one, more string) string {
	if n == 1 {
		return "1 VM " + one
	}
	return fmt.Sprintf("%d VMs %s", n, more)
}

func verb(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
