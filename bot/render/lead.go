package render

import (
	"ferry/bot"
	"ferry/failover"
)

// lead says where the operation stands, who is waited for and what happens next.
func (c cardOf) lead() []line {
	switch c.op.Phase {
	case failover.AwaitingApproval:
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
	next := "Waits for Azure; nobody has to act. When " + c.target() + " is up, it waits for the commit."
	if c.op.Verb == failover.VerbCommit || len(c.op.Approvers(failover.ClassCommit)) > 0 {
		next = "Waits for Azure; nobody has to act. When it is done, the failover is final."
	}
	l := line{plain("Started "), moment(c.op.StartedAt, c.now), plain(", running for " + duration(c.now.Sub(c.op.StartedAt)))}
	if len(c.op.Targets) == 1 && c.op.Targets[0].Progress != "" {
		l = append(l, plain(": "+c.say(c.op.Targets[0].Progress)))
	}
	return []line{words("%s", next), append(l, plain("."))}
}

func (c cardOf) awaitingCommit() []line {
	how := "has been failed over to " + c.to()
	if c.op.Verb == failover.VerbCommit {
		how = "was failed over outside Ferry"
	}
	l := words("%s %s and waits for %s to press Commit.", c.target(), how, c.say(bot.WaitsFor(c.op)))
	return []line{l, words("Check first that %s works. The commit deletes all its recovery points and cannot be undone. To leave it as it is, type %s cancel %s.",
		c.target(), bot.Command, c.op.ID)}
}

func (c cardOf) succeeded() []line {
	lines := []line{words("%s runs in %s, and the failover is final. Nobody has to act.", c.target(), c.to())}
	if l := c.measures(); l != "" {
		lines = append(lines, words("%s", l))
	}
	return append(lines, words("It is not protected until it is reprotected (in the portal: Re-protect)."))
}

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
