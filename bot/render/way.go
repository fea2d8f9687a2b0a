package render

import (
	"fmt"
	"slices"
	"strings"

	"ferry/failover"
)

// The parts of the way home as people know them, in order. The wait is Azure's; the others begin with a press.
const (
	wayReprotect = iota
	wayWait
	wayBack
	wayCheck
	wayCommit
	wayAgain
	wayHome
)

func wayNames() []string {
	return []string{"reprotect", "wait for Protected", "fail back", "check", "commit", "reprotect again", "home"}
}

// way shows how far home a failback is: what is done, what is now, what comes next.
func (c cardOf) way() []line {
	if c.op.Verb != failover.VerbFailback || len(c.op.Targets) != 1 || c.op.Phase.Final() && !c.op.Started() {
		return nil
	}
	names, at := wayNames(), wayPart(c.op.Targets[0])
	if c.op.Phase == failover.Succeeded {
		return []line{labelled("Way home", plain("all of it")), wayLine("✓ Done", names)}
	}
	now := "▶ Now"
	switch {
	case c.op.Phase.Final():
		now = "✗ Stopped at"
	case failedStep(c.op) != "":
		now = "✗ Failed, can be pressed again"
	}
	return []line{
		labelled("Way home", plain(fmt.Sprintf("part %d of %d", at+1, len(names)))),
		wayLine("✓ Done", names[:at]), wayLine(now, names[at:at+1]), wayLine("· Next", names[at+1:]),
	}
}

func wayLine(what string, parts []string) line {
	if len(parts) == 0 {
		parts = []string{"nothing yet"}
	}
	return words("   %s: %s", what, strings.Join(parts, ", "))
}

// wayPart is where a target is on the way.
func wayPart(t failover.Target) int {
	switch t.Doing {
	case failover.StepReprotect:
		if s := t.Step(t.Doing); s != nil && s.JobEnded && t.Phase == failover.Running {
			return wayWait
		}
		return wayReprotect
	case failover.StepFailover:
		return wayBack
	case failover.StepProbe, failover.StepCheck:
		return wayCheck
	case failover.StepCommit, failover.StepChange:
		return wayCommit
	case failover.StepReprotectAgain:
		return wayAgain
	case failover.StepSurvey:
		return wayHome
	case failover.StepTest, failover.StepCleanup, failover.StepResize:
	}
	return wayReprotect
}

// failedStep is what was pressed last, when it has failed and the operation waits for a press again; "" otherwise.
func failedStep(op failover.Operation) failover.StepKind {
	gate, waits := op.Pending()
	if !waits || !slices.ContainsFunc(op.Targets, func(t failover.Target) bool { return t.Phase == op.Phase && t.Error != nil }) {
		return ""
	}
	for _, d := range slices.Backward(op.Decisions) {
		if d.Approve && d.Step != "" {
			return d.Step
		}
	}
	return gate.Step // older facts do not name it
}
