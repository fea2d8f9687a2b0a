package render

import (
	"fmt"
	"slices"
	"strings"

	"ferry/bot"
	"ferry/failover"
)

// what says what was asked, by whom, and who decided.
func (c cardOf) what() []line {
	var lines []line
	if len(c.op.Targets) == 1 {
		lines = c.target1(c.op.Targets[0])
	} else {
		lines = c.rollUp()
	}
	if c.op.Verb == failover.VerbFailover && !c.op.Plan.Shutdown {
		lines = append(lines, labelled("Source shut down first", plain("no (--no-shutdown)")))
	} else if c.op.Verb == failover.VerbFailover {
		lines = append(lines, labelled("Source shut down first", plain("yes")))
	}
	if c.op.Reason != "" {
		lines = append(lines, labelled("Reason", plain(c.say(c.op.Reason))))
	}
	lines = append(lines, labelled("Asked by", c.person(c.op.RequestedBy), plain(" at "), moment(c.op.RequestedAt, c.now)))
	return append(lines, c.decisions()...)
}

func (c cardOf) target1(t failover.Target) []line {
	lines := []line{
		labelled("VM", plain(fmt.Sprintf("%s, resource group %s, vault %s", c.name(t.Item.Name), orNot(c.name(t.Item.ResourceGroup)), orNot(c.name(t.Item.Vault))))),
		labelled("Move", plain(c.places(t.Item))),
	}
	if l := c.point(t); l != nil {
		lines = append(lines, labelled("Recovery point", l...))
	}
	if c.op.Phase == failover.AwaitingApproval {
		lines = append(lines, c.health(t.Item)...)
	}
	return lines
}

// point says which data is at stake, and once it is known which was used.
func (c cardOf) point(t failover.Target) line {
	if !t.PointUsed.IsZero() {
		used := line{plain("used "), moment(t.PointUsed, c.now)}
		if s := t.Step(failover.StepFailover); s != nil && !s.StartedAt.IsZero() {
			used = append(used, plain(", "+duration(s.StartedAt.Sub(t.PointUsed))+" before the failover"))
		}
		return used
	}
	if c.op.Verb != failover.VerbFailover {
		return nil
	}
	sel := c.op.Plan.Point
	if t.Shown == nil {
		return line{plain(c.name(sel.String()))}
	}
	age := plain(", " + duration(c.op.RequestedAt.Sub(t.Shown.Time)) + " old when asked")
	kind := "the one of "
	switch {
	case sel.Moving() && sel.Kind != failover.LatestProcessed:
		kind = "latest: Azure first processes all data that has arrived; newest point "
	case sel.Moving():
		kind = "latest-processed: newest point "
	case t.Shown.AppConsistent:
		age.text += ", application-consistent"
	}
	return line{plain(kind), moment(t.Shown.Time, c.now), age}
}

// health is shown to who decides; it stops nothing.
func (c cardOf) health(item failover.Item) []line {
	if len(item.Errors) == 0 {
		if item.Health == "" || item.Health == "Normal" {
			return nil
		}
		return []line{labelled("Replication health", plain(c.name(item.Health)))}
	}
	lines := []line{labelled("Replication health", plain(orNot(c.name(item.Health))+" (shown for the decision; it does not stop the failover)"))}
	for _, f := range item.Errors[:min(len(item.Errors), 3)] {
		lines = append(lines, append(line{plain("! ")}, c.fault(f)...))
	}
	return lines
}

// fault is why something does not work, and what Azure recommends.
func (c cardOf) fault(f failover.Fault) line {
	say := []string{c.say(f.Message)}
	if f.Code != "" {
		say[0] = strings.TrimRight(say[0], ".") + " (error " + c.name(f.Code) + ")"
	}
	say[0] = sentence(strings.TrimSpace(say[0]))
	if f.Cause != "" {
		say = append(say, "Cause: "+sentence(c.say(f.Cause)))
	}
	if f.Action != "" {
		say = append(say, "What to do: "+sentence(c.say(f.Action)))
	}
	return words("%s", strings.Join(say, " "))
}

func (c cardOf) decisions() []line {
	var lines []line
	for _, d := range c.newest(len(c.op.Decisions)) {
		d := c.op.Decisions[d]
		label := "Denied by"
		if d.Approve {
			label = "Approved by"
		}
		if d.Approve && d.Gate == failover.ClassCommit {
			label = "Commit pressed by"
		}
		l := labelled(label, c.person(d.By), plain(" at "), moment(d.At, c.now))
		if d.Reason != "" {
			l = append(l, plain(": "+c.say(d.Reason)))
		}
		lines = append(lines, l)
	}
	for _, i := range c.newest(len(c.op.CommitAskedBy)) {
		lines = append(lines, labelled("Commit asked for by", c.person(c.op.CommitAskedBy[i])))
	}
	return lines
}

// newest are the indexes of the last of n things, as many as fit.
func (c cardOf) newest(n int) []int {
	var at []int
	for i := max(0, n-c.items); i < n; i++ {
		at = append(at, i)
	}
	return at
}

// rollUp counts many targets by phase, and then names them, worst first.
func (c cardOf) rollUp() []line {
	targets := slices.Clone(c.op.Targets)
	slices.SortStableFunc(targets, func(a, b failover.Target) int { return urgency(a.Phase) - urgency(b.Phase) })
	var counts []string
	for i := 0; i < len(targets); {
		n := i
		for n < len(targets) && targets[n].Phase == targets[i].Phase {
			n++
		}
		counts = append(counts, fmt.Sprintf("%d %s", n-i, phaseWords(targets[i].Phase)))
		i = n
	}
	lines := []line{labelled("VMs", plain(bot.Targets(c.op)+": "+orNot(c.say(strings.Join(counts, ", ")))))}
	for _, t := range targets[:min(len(targets), c.items)] {
		lines = append(lines, words("%s: %s %s", c.name(t.Item.Name), phaseWords(t.Phase), c.name(t.Progress)))
	}
	if more := len(targets) - c.items; more > 0 {
		lines = append(lines, words("and %d more", more))
	}
	return lines
}

// urgency orders phases, the one that needs a person most first.
func urgency(p failover.Phase) int {
	return slices.Index([]failover.Phase{
		"", failover.NeedsAttention, failover.Failed, failover.AwaitingApproval, failover.AwaitingCommit, failover.Running,
		failover.Succeeded, failover.Denied, failover.Expired, failover.Cancelled,
	}, p)
}
