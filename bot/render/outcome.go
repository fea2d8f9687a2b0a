package render

import (
	"strings"

	"ferry/bot"
	"ferry/failover"
)

func (c cardOf) succeeded() []line {
	switch c.op.Verb {
	case failover.VerbTest:
		return []line{
			words("The test VM of %s is up in %s, in the network %s. The VM itself and its replication were not touched.", c.target(), c.to(), c.name(lastSegment(c.op.Plan.Network))),
			words("Look at it, then press Clean up, or type %s cleanup %s. Until then it costs money, and %s cannot be failed over.", bot.Command, c.target(), c.target()),
		}
	case failover.VerbCleanup:
		return []line{words("Nothing of the test failover of %s is left. Nobody has to act.", c.target())}
	case failover.VerbReprotect:
		return []line{words("%s runs in %s and is protected: it can be failed over to %s. Nobody has to act.", c.begins(), c.to(), c.from())}
	case failover.VerbFailback:
		return append([]line{words("%s runs at home in %s, protected as before.", c.target(), c.to())}, c.leftovers()...)
	case failover.VerbFreeze:
		return []line{words("%s New work may start again.", sentence(c.say(c.op.Note)))}
	case failover.VerbIncident:
		return []line{words("%s Ferry takes recovery points of any time again. Nobody has to act.", sentence(c.say(c.op.Note)))}
	case failover.VerbFailover, failover.VerbCommit, failover.VerbChange, failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire, failover.VerbPlan, failover.VerbGroup, failover.VerbHold, failover.VerbResume, failover.VerbSkip, failover.VerbRetry, failover.VerbUnfreeze:
	}
	lines := []line{words("%s runs in %s, and the failover is final. It is not protected until it is reprotected: press Reprotect, or type %s reprotect %s.", c.begins(), c.to(), bot.Command, c.ref())}
	if c.op.Note != "" {
		lines = append(lines, words("%s", sentence(c.say(c.op.Note))))
	}
	if l := c.measures(); l != "" {
		lines = append(lines, words("%s", l))
	}
	return lines
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
		if t.LeftoversNote != "" {
			lines = append(lines, words("%s", sentence(c.say(t.LeftoversNote))))
		}
		if len(t.Leftovers) == 0 {
			continue
		}
		lines = append(lines, words("Left in %s, where it costs money. Ferry deletes nothing; make sure that nothing else uses it:", c.name(t.Item.From)))
		for _, left := range t.Leftovers[:min(len(t.Leftovers), c.items)] {
			lines = append(lines, words("   · %s %s", c.name(left.Kind), c.name(left.Name)))
		}
		if more := len(t.Leftovers) - c.items; more > 0 {
			lines = append(lines, words("   and %d more", more))
		}
	}
	return lines
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
	hint := c.say(c.op.Hint)
	if c.op.Verb == failover.VerbTest && c.op.Phase == failover.Failed && c.op.Started() {
		hint = sentence(hint) + " If parts of the test VM are left, type " + bot.Command + " cleanup " + c.target() + "."
	}
	l := words("%s", strings.TrimSpace(note+" "+sentence(hint)))
	if c.op.FinishedAt.IsZero() {
		return []line{l}
	}
	return []line{l, {plain("Ended "), moment(c.op.FinishedAt, c.now), plain(". It waits for nobody.")}}
}
