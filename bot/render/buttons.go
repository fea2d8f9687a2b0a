package render

import (
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// button is one press that is legal now.
type button struct {
	action, label string
	style         slack.Style
	token         string // of what the press would let begin
	ask           *question
}

// question is asked before a press counts.
type question struct{ title, text, yes, no string }

// buttons are the presses that are legal now.
func (c cardOf) buttons() []button {
	return slices.Concat(c.presses(), c.steering(), c.reviews(), c.showAll())
}

// steering are the presses with which people steer an operation on several VMs while it runs. To leave out one that has not failed is typed.
func (c cardOf) steering() []button {
	if !c.op.Several() {
		return nil
	}
	var all []button
	for _, b := range []struct {
		verb failover.Verb
		button
	}{
		{failover.VerbResume, button{action: ActionResume, label: "Resume", style: slack.StylePrimary, ask: c.resumeQuestion()}},
		{failover.VerbRetry, button{action: ActionRetry, label: "Retry failed"}},
		{failover.VerbSkip, button{action: ActionSkip, label: "Skip failed", ask: c.skipQuestion()}},
		{failover.VerbHold, button{action: ActionHold, label: "Hold"}},
	} {
		if c.op.May(b.verb, c.now) {
			b.token = c.op.SteerToken(b.verb)
			all = append(all, b.button)
		}
	}
	return all
}

// resumeQuestion is asked where letting the others go on means to go on without some.
func (c cardOf) resumeQuestion() *question {
	tally := c.op.Tallies()[0]
	failed := tally[failover.SpotFailed] + tally[failover.SpotAttention]
	if failed == 0 {
		return nil
	}
	return &question{title: "Go on?", text: fmt.Sprintf("%s of %s failed. The others go on without what failed; it can be tried again later.", bot.Number(failed), bot.Number(tally.All())), yes: "Resume", no: "Not now"}
}

// skipQuestion is asked before what failed is left out.
func (c cardOf) skipQuestion() *question {
	tally := c.op.Tallies()[0]
	failed := tally[failover.SpotFailed] + tally[failover.SpotAttention]
	stay, are := "stay as they are", "are"
	if failed == 1 {
		stay, are = "stays as it is", "is"
	}
	return &question{title: "Leave out what failed?", text: fmt.Sprintf("%s of %s %s in Azure, and %s not tried again here.", bot.Number(failed), bot.VMs(tally.All()), stay, are), yes: "Skip failed", no: "Not now"}
}

// showAll lists every VM, where the card cannot.
func (c cardOf) showAll() []button {
	if !c.op.Several() || len(c.op.Targets) <= details()[0].items {
		return nil
	}
	return []button{{action: ActionShowAll, label: "Show all"}}
}

// reviews are the words on a broken glass. While a request waits for its approval, Approve means that.
func (c cardOf) reviews() []button {
	if !c.op.Unreviewed() || c.op.Phase == failover.AwaitingApproval {
		return nil
	}
	return []button{{action: ActionSignOff, label: "Sign off"}, {action: ActionObject, label: "Object"}}
}

func (c cardOf) presses() []button {
	gate, waits := c.op.Pending()
	switch {
	case c.op.Phase == failover.Succeeded, c.op.Phase == failover.Failed && c.op.Several() && c.op.Verb == failover.VerbFailover && c.op.Tallies()[0][failover.SpotDone] > 0:
		return c.next()
	case !waits || c.expired() || isUnplanned(c.op):
		return nil
	case c.op.Phase == failover.AwaitingCommit:
		return c.atCommit()
	case c.op.Started() && len(c.op.Frozen) > 0: // nobody can press it before the end of the freeze
		return nil
	case c.op.Started():
		return []button{{action: ActionApprove, label: bot.Press(c.op, gate.Step), style: slack.StylePrimary, token: c.op.Token(gate.Step), ask: c.stepQuestion(gate.Step)}}
	}
	deny := button{action: ActionDeny, label: "Deny", style: slack.StyleDanger, token: c.op.Token(gate.Step)}
	if len(c.op.Frozen) > 0 {
		return []button{deny}
	}
	return []button{{action: ActionApprove, label: "Approve", style: slack.StylePrimary, token: c.op.Token(gate.Step)}, deny}
}

// isUnplanned: what the gate is about has not been read yet.
func isUnplanned(op failover.Operation) bool {
	return slices.ContainsFunc(op.Targets, func(t failover.Target) bool { return t.Unplanned })
}

func (c cardOf) atCommit() []button {
	target := clip(c.target(), 60)
	if c.op.Several() {
		target = fmt.Sprintf("the %s that are up", bot.VMs(c.op.Tallies()[0][failover.SpotUp]))
	}
	all := []button{{
		action: ActionCommit, label: c.commitLabel(), style: slack.StylePrimary, token: c.op.Token(failover.StepCommit),
		ask: &question{title: "Commit " + target + "?", text: c.commitText(target), yes: "Commit", no: "Not now"},
	}}
	if c.op.ConfirmName() != "" { // its form says the same, and asks for the name
		all[0].action, all[0].ask = ActionCommitNamed, nil
	}
	if c.op.Change != nil {
		all = append(all, button{
			action: ActionChange, label: "Change point", token: c.op.Token(failover.StepChange),
			ask: &question{title: "Change the point?", text: c.changeText(target), yes: "Change", no: "Not now"},
		})
	}
	return all
}

// commitLabel says that one press is for all that are up.
func (c cardOf) commitLabel() string {
	if c.op.Several() {
		return "Commit all"
	}
	return "Commit"
}

// commitText says what a commit deletes, and what is left.
func (c cardOf) commitText(target string) string {
	stays := ""
	if t := c.op.Targets; len(t) == 1 && !t[0].PointUsed.IsZero() {
		stays = fmt.Sprintf("What stays is the VM with its data of %s. ", fullStamp(t[0].PointUsed))
	}
	text := fmt.Sprintf("Azure deletes all recovery points of %s. %sNo other point can be chosen after that. This cannot be undone.", target, stays)
	if warning := c.checkWarning(); warning != "" {
		text = warning + " " + text
	}
	return text
}

func (c cardOf) changeText(target string) string {
	instead := ""
	if t := c.op.Targets; len(t) == 1 && !t[0].PointUsed.IsZero() {
		instead = fmt.Sprintf(" instead of %s: %s", fullStamp(t[0].PointUsed), difference(t[0].PointUsed, c.op.Change.Point.Time))
	}
	return fmt.Sprintf("%s is started again with its data of %s%s. What was written to it since the failover is lost.", target, fullStamp(c.op.Change.Point.Time), instead)
}

// checkWarning is said where somebody is about to commit a VM that does not answer.
func (c cardOf) checkWarning() string {
	for _, t := range c.op.Targets {
		if n := len(t.Checked); n > 0 && t.Checked[n-1].Outcome != failover.CheckPassed {
			if c.op.Several() {
				return "Not every check passed."
			}
			return map[bool]string{true: "Its check failed.", false: "Its check got no answer."}[t.Checked[n-1].Outcome == failover.CheckFailed]
		}
	}
	return ""
}

func fullStamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// stepQuestion is asked before a step of the way home that touches the VM.
func (c cardOf) stepQuestion(step failover.StepKind) *question {
	target := clip(c.target(), 60)
	switch step {
	case failover.StepFailover:
		text := fmt.Sprintf("%s is shut down in %s and started in %s.", target, c.from(), c.to())
		if !c.op.Plan.Shutdown {
			text = fmt.Sprintf("%s is started in %s without being shut down in %s first.", target, c.to(), c.from())
		}
		return &question{title: "Fail back " + target + "?", text: text + " It is down meanwhile.", yes: "Fail back", no: "Not now"}
	case failover.StepReprotect, failover.StepReprotectAgain:
		return &question{title: "Reprotect " + target + "?", text: fmt.Sprintf("%s goes on running in %s. What is left of it in %s is overwritten by its replica.", target, c.to(), c.from()), yes: "Reprotect", no: "Not now"}
	case failover.StepCheck, failover.StepCommit, failover.StepChange, failover.StepTest, failover.StepCleanup, failover.StepProbe, failover.StepSurvey, failover.StepResize:
	}
	return nil
}

// next is what follows an operation that went well, as another operation.
func (c cardOf) next() []button {
	switch c.op.Verb {
	case failover.VerbFailover, failover.VerbCommit, failover.VerbChange:
		return []button{{action: ActionReprotect, label: "Reprotect"}}
	case failover.VerbTest:
		return []button{{action: ActionCleanup, label: "Clean up"}}
	case failover.VerbCleanup, failover.VerbReprotect, failover.VerbFailback, failover.VerbIncident, failover.VerbFreeze,
		failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire, failover.VerbPlan, failover.VerbGroup, failover.VerbHold, failover.VerbResume, failover.VerbSkip, failover.VerbRetry, failover.VerbUnfreeze:
	}
	return nil
}
