package render

import (
	"fmt"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// steps lists what Azure was asked to do and how far each task is, of a single target; many are rolled up instead.
func (c cardOf) steps() []line {
	if len(c.op.Targets) != 1 && c.op.Plan.Recovery == nil {
		return nil
	}
	steps := c.op.Targets[0].Steps // of a recovery plan: the plan's own
	var lines []line
	for _, i := range c.newest(len(steps)) {
		if k := steps[i].Kind; k != failover.StepProbe && k != failover.StepSurvey { // they tell by what they found
			lines = append(lines, c.step(steps[i])...)
		}
	}
	return lines[:min(len(lines), 2*c.items)]
}

// step is a heading with its tasks; every state is an icon and a word.
func (c cardOf) step(s failover.Step) []line {
	name := upper(orElse(bot.StepNoun(c.op, s.Kind), "step"))
	if s.Size != "" {
		name += " to " + c.name(s.Size)
	}
	if s.Attempt > 1 {
		name += fmt.Sprintf(" (attempt %d)", s.Attempt)
	}
	icon, state := c.stepState(s)
	lines := []line{append(line{plain(icon + " "), bold(name), plain(": ")}, state...)}
	for _, i := range c.newest(len(s.Tasks)) {
		lines = append(lines, c.task(s.Tasks[i], c.followed(s)))
	}
	if s.Warning != "" {
		lines = append(lines, words("! Warning: %s", sentence(c.say(s.Warning))))
	}
	return lines
}

// followed: only while the operation runs does anybody look how a step goes on.
func (c cardOf) followed(s failover.Step) bool {
	return s.State == failover.StateAccepted && c.op.Phase == failover.Running
}

func (c cardOf) stepState(s failover.Step) (icon string, state line) {
	switch s.State {
	case failover.StateStarted:
		if newest := c.op.Targets[0].Step(s.Kind); newest != nil && newest.Attempt > s.Attempt {
			return "?", words("no answer, and no job was found; called again")
		}
		if !s.Unknown.IsZero() {
			return "?", line{plain("not known since "), moment(s.Unknown, c.now), plain(" whether Azure took the call")}
		}
		if c.op.Phase != failover.Running {
			return "?", words("not known whether Azure took the call")
		}
		return "▶", words("calling Azure")
	case failover.StateDelayed:
		if s.Until.IsZero() {
			return "…", words("not called")
		}
		if s.JobID != "" {
			return "✗", words("no capacity")
		}
		return "…", line{plain("Azure asked to wait until "), moment(s.Until, c.now)}
	case failover.StateAccepted:
		if !c.followed(s) {
			return "?", words("not known how it ended")
		}
		text := "running for " + duration(c.now.Sub(s.StartedAt))
		if s.Adopted {
			text += " (found again after a lost answer)"
		}
		return "▶", words("%s", text)
	case failover.StateDone:
		switch {
		case s.Kind == failover.StepCheck:
			return "✓", line{plain("it works, "), moment(s.EndedAt, c.now)}
		case s.StartedAt.IsZero():
			return "✓", words("done outside Ferry")
		}
		return "✓", words("done in %s", duration(s.EndedAt.Sub(s.StartedAt)))
	case failover.StateFailed:
		return "✗", words("failed after %s", duration(s.EndedAt.Sub(s.StartedAt)))
	}
	return "?", words("%s", c.name(string(s.State)))
}

// task is one of Azure's own steps, with the states as Azure spells them.
func (c cardOf) task(t failover.Task, followed bool) line {
	icon, state := "?", c.name(t.State)
	switch failover.JobState(t.State) {
	case failover.JobNotStarted:
		icon, state = "·", "waiting"
		if !followed {
			state = "not started"
		}
	case failover.JobInProgress:
		icon, state = "▶", "running"+took(" for ", t.StartedAt, c.now)
		if !followed {
			icon, state = "?", "not known to have finished"
		}
	case failover.JobSucceeded:
		icon, state = "✓", "done"+took(" in ", t.StartedAt, t.EndedAt)
	case failover.JobFailed:
		icon, state = "✗", "failed"+took(" after ", t.StartedAt, t.EndedAt)
	case failover.JobCancelled:
		icon, state = "–", "cancelled"
	case failover.JobSuspended:
		icon, state = "!", "suspended"
	case failover.JobOther:
	}
	if t.State == "Skipped" {
		icon, state = "–", "skipped"
	}
	indent := "   "
	if t.Part {
		indent += indent
	}
	return words("%s%s %s: %s", indent, icon, orNot(c.name(t.Name)), state)
}

func took(word string, from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	return word + duration(to.Sub(from))
}

// trouble is the error of the operation with its cause and what Azure recommends.
func (c cardOf) trouble() []line {
	if c.op.Several() {
		return c.fleetTrouble()
	}
	var lines []line
	told := 0
	if c.op.Lapsed != nil && len(c.op.Lapsed.Changed) > 0 {
		lines = append(lines, labelled("What the rule demands"))
		lines = append(lines, c.differences(c.op.Lapsed.Changed)...)
	}
	for _, t := range c.op.Targets {
		if t.Error == nil || told == 3 {
			continue
		}
		label := "What is wrong"
		if len(c.op.Targets) > 1 {
			label = c.name(t.Item.Name)
		}
		told++
		lines = append(lines, labelled(label, c.fault(*t.Error)...))
		lines = append(lines, c.differences(t.Changed)...)
	}
	return lines
}

// differences are what was approved and what is there now, side by side.
func (c cardOf) differences(changed []failover.Difference) []line {
	var lines []line
	for _, d := range changed[:min(len(changed), c.items)] {
		lines = append(lines, words("   %s: approved: %s / now: %s", orNot(c.name(d.Field)), orNot(c.say(d.Approved)), orNot(c.say(d.Now))))
	}
	if more := len(changed) - c.items; more > 0 {
		lines = append(lines, words("   and %d more", more))
	}
	return lines
}

// duration is a length of time in at most two units; a negative one, from two clocks that differ, is none.
func duration(d time.Duration) string {
	d = max(0, d).Round(time.Second)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h >= 24:
		return fmt.Sprintf("%d d %d h", h/24, h%24)
	case h > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case m > 0 && s > 0:
		return fmt.Sprintf("%d min %d s", m, s)
	case m > 0:
		return fmt.Sprintf("%d min", m)
	}
	return fmt.Sprintf("%d s", s)
}
