package render

import (
	"fmt"

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
	gate, waits := c.op.Pending()
	switch {
	case c.op.Phase == failover.Succeeded:
		return c.next()
	case !waits || c.expired() || c.unplanned():
		return nil
	case c.op.Phase == failover.AwaitingCommit:
		return c.atCommit()
	case c.op.Started():
		return []button{{action: ActionApprove, label: bot.Press(c.op, gate.Step), style: slack.StylePrimary, token: c.op.Token(gate.Step), ask: c.stepQuestion(gate.Step)}}
	}
	return []button{
		{action: ActionApprove, label: "Approve", style: slack.StylePrimary, token: c.op.Token(gate.Step)},
		{action: ActionDeny, label: "Deny", style: slack.StyleDanger, token: c.op.Token(gate.Step)},
	}
}

// unplanned: what the gate is about has not been read yet.
func (c cardOf) unplanned() bool {
	for _, t := range c.op.Targets {
		if t.Unplanned {
			return true
		}
	}
	return false
}

func (c cardOf) atCommit() []button {
	target := clip(c.target(), 60)
	all := []button{{
		action: ActionCommit, label: "Commit", style: slack.StylePrimary, token: c.op.Token(failover.StepCommit),
		ask: &question{
			title: "Commit " + target + "?",
			text:  fmt.Sprintf("Azure deletes all recovery points of %s. No other point can be chosen after that. This cannot be undone.", target),
			yes:   "Commit", no: "Not now",
		},
	}}
	if c.op.Change != nil {
		all = append(all, button{
			action: ActionChange, label: "Change point", token: c.op.Token(failover.StepChange),
			ask: &question{
				title: "Change the point?",
				text:  fmt.Sprintf("%s is started again with the data of %s.", target, c.op.Change.Point.Time.UTC().Format("2006-01-02 15:04:05 UTC")),
				yes:   "Change", no: "Not now",
			},
		})
	}
	return all
}

// stepQuestion is asked before a step of the way home that touches the VM.
func (c cardOf) stepQuestion(step failover.StepKind) *question {
	target := clip(c.target(), 60)
	switch step {
	case failover.StepFailover:
		return &question{title: "Fail back " + target + "?", text: fmt.Sprintf("%s is stopped in %s and started in %s.", target, c.from(), c.to()), yes: "Fail back", no: "Not now"}
	case failover.StepReprotect, failover.StepReprotectAgain:
		return &question{title: "Reprotect " + target + "?", text: fmt.Sprintf("The disks of %s in %s are replaced by a replica.", target, c.from()), yes: "Reprotect", no: "Not now"}
	case failover.StepCheck, failover.StepCommit, failover.StepChange, failover.StepTest, failover.StepCleanup, failover.StepProbe, failover.StepSurvey:
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
	case failover.VerbCleanup, failover.VerbReprotect, failover.VerbFailback, failover.VerbIncident,
		failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire, failover.VerbPlan:
	}
	return nil
}
