package render

import (
	"fmt"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// glass tells everybody of a broken glass, again while nobody has reviewed it, and what came of the review.
func (n noticeOf) glass() []Notice {
	op := n.op
	broken := op.Plan.BrokenGlass
	if broken == nil {
		return nil
	}
	reason := ""
	if op.Reason != "" {
		reason = " Reason: " + sentence(clip(inert(op.Reason), 80))
	}
	next := ""
	if op.Glass.By.ID == "" {
		next = " Another approver has to sign it off on its card."
	}
	began := "started"
	if !op.Started() {
		began = "asked for"
	}
	all := []Notice{n.of(later(op.RequestedAt, op.StartedAt), "break_glass", n.reviewers(), fmt.Sprintf("Broken glass: %s %s the %s of %s, and %s (%s).%s%s",
		n.by(broken.By), began, bot.Noun(op.Verb), n.target(), bot.Skipped(op), op.ID, next, reason))}
	if g := op.Glass; op.Unreviewed() && g.Reminders > 0 {
		all = append(all, n.of(g.RemindedAt, fmt.Sprintf("review_%d", g.Reminders), n.mentions(), fmt.Sprintf("Reminder: nobody has reviewed the broken glass of the %s of %s since %s (%s). Press Sign off or Object on its card.",
			bot.Noun(op.Verb), n.target(), bot.Stamp(op.StartedAt), op.ID)))
	} else if g.By.ID != "" {
		said := "signed off"
		if !g.Approve {
			said = "objected to"
		}
		text := fmt.Sprintf("%s has %s the broken glass of the %s of %s (%s).", n.by(g.By), said, bot.Noun(op.Verb), n.target(), op.ID)
		if g.Reason != "" {
			text += " Reason: " + sentence(clip(inert(g.Reason), 100))
		}
		reviewed := n.of(g.At, "reviewed", n.asked(), text)
		reviewed.Thread = g.Approve // an objection is for everybody
		all = append(all, reviewed)
	}
	return all
}

// reviewers are mentioned while there is something to review.
func (n noticeOf) reviewers() line {
	if !n.op.Unreviewed() {
		return nil
	}
	return n.mentions()
}

// freeze tells everybody that new work is stopped.
func (n noticeOf) freeze() []Notice {
	if n.op.Verb != failover.VerbFreeze || n.op.Phase != failover.Running {
		return nil
	}
	return []Notice{n.of(n.op.RequestedAt, "freeze", nil, fmt.Sprintf("%s has frozen new work on %s (%s): %s To end it, type %s.", n.by(n.op.RequestedBy), n.target(), n.op.ID,
		sentence(clip(inert(n.op.Reason), 100)), clip(inert(failover.Freeze{Pattern: n.op.Plan.Frozen}.Ends()), 60)))}
}

// expiring asks once more before a request expires.
func (n noticeOf) expiring() []Notice {
	op := n.op
	if op.Warned.IsZero() || op.Phase != failover.AwaitingApproval || op.ExpiresAt.IsZero() {
		return nil
	}
	return []Notice{n.of(op.Warned, fmt.Sprintf("expiry_%d", op.Lapses), n.mentions(), fmt.Sprintf("Reminder: the %s of %s expires at %s, in %s (%s). Approve or deny it on its card.",
		bot.Noun(op.Verb), n.target(), bot.Stamp(op.ExpiresAt), duration(op.ExpiresAt.Sub(op.Warned)), op.ID))}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
