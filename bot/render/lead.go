package render

import (
	"fmt"
	"strings"

	"ferry/bot"
	"ferry/failover"
)

// lead says where the operation stands, who is waited for and what happens next.
func (c cardOf) lead() []line {
	switch c.op.Phase {
	case failover.AwaitingApproval:
		if c.op.Started() {
			return c.awaitingStep()
		}
		return c.awaitingApproval()
	case failover.Running:
		return c.running()
	case failover.AwaitingCommit:
		return c.awaitingCommit()
	case failover.NeedsAttention:
		return []line{words("Waits for a person to look at it. Ferry does nothing more by itself.")}
	case failover.Succeeded:
		return c.succeeded()
	case failover.Failed, failover.Denied, failover.Expired, failover.Cancelled:
	}
	return c.over()
}

func (c cardOf) awaitingApproval() []line {
	if c.expired() {
		return []line{words("The time to decide has passed. Nothing was started; ask again if it is still wanted.")}
	}
	l := words("Waits for approval by %s", c.say(bot.WaitsFor(c.op)))
	if !c.op.ExpiresAt.IsZero() {
		l = append(l, plain(" until "), moment(c.op.ExpiresAt, c.now))
	}
	next := "Nothing is started before that. To take it back, type " + bot.Command + " withdraw " + string(c.op.ID) + "."
	if rule := c.op.Plan.Rule; rule.Approvals > 0 && !rule.SelfApproval {
		next = "Who asked for it cannot approve it. " + next
	}
	return []line{append(l, plain(".")), words("%s", next)}
}

func (c cardOf) running() []line {
	if since := c.since(); !since.IsZero() {
		return []line{
			{plain("It is not known since "), moment(since, c.now), plain(" whether Azure took the call. Do not ask again.")},
			words("Waits for Azure; nobody has to act. Ferry looks what became of the call before it does anything else."),
		}
	}
	if c.op.Verb == failover.VerbIncident {
		return c.incident()
	}
	l := line{plain("Started "), moment(c.op.StartedAt, c.now), plain(", running for " + duration(c.now.Sub(c.op.StartedAt)))}
	if len(c.op.Targets) == 1 && c.op.Targets[0].Progress != "" {
		l = append(l, plain(": "+c.say(c.op.Targets[0].Progress)))
	}
	return []line{words("%s", c.whatNext()), append(l, plain("."))}
}

// whatNext says what a running operation waits for and what comes after.
func (c cardOf) whatNext() string {
	const azure = "Waits for Azure; nobody has to act. "
	var doing failover.StepKind
	for _, t := range c.op.Targets {
		if t.Phase == failover.Running || doing == "" {
			doing = t.Doing
		}
	}
	switch doing {
	case failover.StepCommit:
		if c.op.Verb == failover.VerbFailback {
			return azure + "When it is done, " + c.target() + " is to be protected again."
		}
		return azure + "When it is done, the failover is final."
	case failover.StepChange:
		return azure + "When " + c.target() + " is up with the other data, it waits for the commit again."
	case failover.StepTest:
		return azure + "The VM itself and its replication go on meanwhile."
	case failover.StepCleanup:
		return azure + "When it is done, nothing of the drill is left."
	case failover.StepReprotect:
		if c.op.Verb == failover.VerbFailback {
			return azure + "This takes hours; when " + c.target() + " is protected, the failover back waits for its button."
		}
		return azure + "This takes hours; it is done when " + c.target() + " is protected."
	case failover.StepReprotectAgain:
		return azure + "This takes hours; when " + c.target() + " is protected as before, it is home."
	case failover.StepProbe, failover.StepCheck:
		return "Asks " + c.target() + " whether it works; nobody has to act."
	case failover.StepSurvey:
		return "Looks at what is left behind; nobody has to act."
	case failover.StepFailover:
	}
	if c.op.Verb == failover.VerbFailback {
		return azure + "When " + c.target() + " is up at home, somebody has to check it."
	}
	return azure + "When " + c.target() + " is up, it waits for the commit."
}

// awaitingStep is a gate on the way home.
func (c cardOf) awaitingStep() []line {
	if c.unplanned() {
		why := "Ferry reads what the next step would do; nobody has to act yet."
		for _, t := range c.op.Targets {
			if t.Progress != "" {
				why = "The next step cannot be decided yet: " + c.say(t.Progress)
			}
		}
		return []line{words("%s", why)}
	}
	gate, _ := c.op.Pending()
	what := ""
	switch gate.Step {
	case failover.StepFailover:
		what = fmt.Sprintf("%s is protected in both directions of the way: it runs in %s and can be failed back to %s.", c.target(), c.from(), c.to())
	case failover.StepCheck:
		what = fmt.Sprintf("%s has been failed back to %s. Check that it works, then press It works.", c.target(), c.to())
	case failover.StepReprotectAgain:
		what = fmt.Sprintf("%s runs at home and is not protected. The reprotect makes it what it was before the failover.", c.target())
	case failover.StepReprotect, failover.StepCommit, failover.StepChange, failover.StepTest, failover.StepCleanup, failover.StepProbe, failover.StepSurvey:
	}
	return []line{
		words("%s", strings.TrimSpace(what)),
		words("Waits for %s to press %s. There is no hurry: it can go on days later. To leave it as it is, type %s cancel %s.", c.say(bot.WaitsFor(c.op)), bot.Press(c.op, gate.Step), bot.Command, c.op.ID),
	}
}

func (c cardOf) incident() []line {
	return []line{
		{plain("An incident began at "), moment(c.op.Plan.Point.Time, c.now), plain(".")},
		words("Recovery points from after that need --force. To end it, type %s incident over.", bot.Command),
	}
}

func (c cardOf) awaitingCommit() []line {
	how := "has been failed over to " + c.to()
	if c.op.Verb == failover.VerbFailback {
		how = "has been failed back to " + c.to()
	}
	if c.op.Verb == failover.VerbCommit {
		how = "was failed over outside Ferry"
	}
	lines := []line{
		words("%s %s and waits for %s to press Commit.", c.target(), how, c.say(bot.WaitsFor(c.op))),
		words("Check first that %s works. The commit deletes all its recovery points and cannot be undone. To leave it as it is, type %s cancel %s.",
			c.target(), bot.Command, c.op.ID),
	}
	if ch := c.op.Change; ch != nil {
		lines = append(lines, line{
			c.person(ch.By), plain(" asks for another recovery point: "), moment(ch.Point.Time, c.now),
			plain(fmt.Sprintf(" instead of the one in use. Waits for %s to press Change point.", c.say(bot.ChangeWaitsFor(c.op)))),
		})
	}
	return lines
}

func (c cardOf) succeeded() []line {
	switch c.op.Verb {
	case failover.VerbTest:
		return []line{
			words("The test VM of %s is up in %s, in the network %s. The VM itself and its replication were not touched.", c.target(), c.to(), c.name(lastSegment(c.op.Plan.Network))),
			words("Look at it, then clean it up: %s cleanup %s. Until then it costs money, and %s cannot be failed over.", bot.Command, c.target(), c.target()),
		}
	case failover.VerbCleanup:
		return []line{words("Nothing of the test failover of %s is left.", c.target())}
	case failover.VerbReprotect:
		return []line{words("%s runs in %s and is protected: it can be failed over to %s. Nobody has to act.", c.target(), c.to(), c.from())}
	case failover.VerbFailback:
		return append([]line{words("%s runs at home in %s, protected as before. Nobody has to act.", c.target(), c.to())}, c.leftovers()...)
	case failover.VerbIncident:
		return []line{words("%s", sentence(c.say(c.op.Note)))}
	case failover.VerbFailover, failover.VerbCommit, failover.VerbChange, failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire, failover.VerbPlan:
	}
	lines := []line{words("%s runs in %s, and the failover is final. Nobody has to act.", c.target(), c.to())}
	if l := c.measures(); l != "" {
		lines = append(lines, words("%s", l))
	}
	return append(lines, words("It is not protected until it is reprotected: %s reprotect %s.", bot.Command, c.ref()))
}

// ref is what to type for what the operation is about.
func (c cardOf) ref() string {
	if len(c.op.Targets) == 1 {
		return c.target()
	}
	return string(c.op.ID)
}

// leftovers names what a failback has left in the region that it came from.
func (c cardOf) leftovers() []line {
	var lines []line
	for _, t := range c.op.Targets {
		if len(t.Leftovers) == 0 {
			continue
		}
		lines = append(lines, words("Left in %s, where it costs money and nothing uses it; Ferry deletes nothing:", c.name(t.Item.From)))
		for _, left := range t.Leftovers[:min(len(t.Leftovers), c.items)] {
			lines = append(lines, words("   · %s %s", c.name(left.Kind), c.name(left.Name)))
		}
		if more := len(t.Leftovers) - c.items; more > 0 {
			lines = append(lines, words("   and %d more", more))
		}
	}
	return lines
}

// lastSegment of an ARM id is the name of the resource.
func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// measures are the two numbers that a failover is judged by, where they are known.
func (c cardOf) measures() string {
	text := ""
	if rto, ok := c.op.RTO(); ok {
		text = "Up after " + duration(rto) + " (RTO)."
	}
	if rpo, ok := c.op.RPO(); ok {
		text += " Data lost: at most " + duration(rpo) + " (RPO)."
	}
	return text
}

// over is the end in the words of the fact that ended it.
func (c cardOf) over() []line {
	note := sentence(c.say(c.op.Note))
	if note == "" {
		note = "It is over."
	}
	l := words("%s %s", note, sentence(c.say(c.op.Hint)))
	if c.op.FinishedAt.IsZero() {
		return []line{l}
	}
	return []line{l, {plain("Ended "), moment(c.op.FinishedAt, c.now), plain(". It waits for nobody.")}}
}
