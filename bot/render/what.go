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
	switch {
	case len(c.op.Targets) == 1:
		lines = c.target1(c.op.Targets[0])
	case c.op.Several():
		lines = c.fleetWhat()
	case len(c.op.Targets) > 1:
		lines = c.rollUp()
	}
	if c.op.Phase != failover.AwaitingApproval || !c.op.Plan.Shutdown {
		lines = append(lines, c.shutdown()...)
	}
	if c.op.Plan.Forced {
		lines = append(lines, words("! A recovery point from after the incident's begin was asked for (--force)."))
	}
	if c.op.Reason != "" {
		lines = append(lines, labelled("Reason", plain(c.say(c.op.Reason))))
	}
	asked := orElse(map[failover.Verb]string{failover.VerbIncident: "Declared by", failover.VerbFreeze: "Frozen by"}[c.op.Verb], "Asked by")
	lines = append(lines, labelled(asked, c.person(c.op.RequestedBy), plain(" at "), moment(c.op.RequestedAt, c.now)))
	return append(lines, c.decisions()...)
}

// shutdown is whether the VM is shut down where it runs, which is what people expect.
func (c cardOf) shutdown() []line {
	switch {
	case !c.movesNow():
		return nil
	case c.op.Plan.Shutdown:
		return []line{labelled("Source shut down first", plain("yes"))}
	}
	return []line{labelled("Source shut down first", plain("no (--no-shutdown)"))}
}

// movesNow reports whether the operation has failed the VM over or is going to: on the way home not before it is replicated.
func (c cardOf) movesNow() bool {
	if c.op.Verb == failover.VerbFailover {
		return true
	}
	return c.op.Verb == failover.VerbFailback && len(c.op.Targets) == 1 && wayPart(c.op.Targets[0]) >= wayBack
}

func (c cardOf) target1(t failover.Target) []line {
	lines := []line{
		labelled("VM", plain(fmt.Sprintf("%s, resource group %s, vault %s", c.name(t.Item.Name), orNot(c.name(t.Item.ResourceGroup)), orNot(c.name(t.Item.Vault))))),
	}
	lines = slices.Concat(lines, c.alike(t), c.move(t.Item), c.points(t), c.sizes())
	if c.op.Plan.Network != "" {
		lines = append(lines, labelled("Isolated network", plain(c.name(lastSegment(c.op.Plan.Network)))))
	}
	if c.op.Plan.Notes != "" {
		lines = append(lines, labelled("Notes", plain(c.say(c.op.Plan.Notes))))
	}
	if gate, waits := c.op.Pending(); c.op.Verb == failover.VerbReprotect || waits && gate.Step.IsReprotect() || t.Phase == failover.Running && t.Doing.IsReprotect() {
		lines = append(lines, c.reversal(t.Reversal)...)
	}
	if r := t.Checked; len(r) > 0 {
		lines = append(lines, c.checked(r[len(r)-1]))
	}
	return append(append(lines, c.bound()...), c.unhealthy(t.Item)...)
}

// move is where the VM runs and where it goes.
func (c cardOf) move(item failover.Item) []line {
	from, to := orNot(c.name(item.From)), orNot(c.name(item.To))
	switch c.op.Verb {
	case failover.VerbTest:
		return []line{labelled("Runs in", plain(from)), labelled("Test VM in", plain(to))}
	case failover.VerbCleanup:
		return []line{labelled("Test VM in", plain(to))}
	case failover.VerbReprotect:
		return []line{labelled("Runs in", plain(to))}
	case failover.VerbFailback:
		if item.Home != "" && strings.EqualFold(item.From, item.Home) { // not turned round yet
			from, to = to, from
		}
	case failover.VerbFailover, failover.VerbCommit, failover.VerbChange, failover.VerbIncident, failover.VerbFreeze,
		failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire, failover.VerbPlan, failover.VerbGroup, failover.VerbHold, failover.VerbResume, failover.VerbSkip, failover.VerbRetry, failover.VerbUnfreeze:
	}
	return []line{labelled("Move", plain(from+" to "+to))}
}

// checked is what the VM said when it was asked whether it works. Only a pass is one.
func (c cardOf) checked(r failover.CheckResult) line {
	said := map[failover.CheckOutcome]string{
		failover.CheckPassed: "✓ passed", failover.CheckFailed: "✗ failed", failover.CheckNoData: "? no answer, which is no pass",
	}[r.Outcome]
	text := orNot(said)
	if r.Detail != "" {
		text += ": " + c.say(r.Detail)
	}
	return append(labelled("Check "+c.name(r.Name), plain(text+", ")), moment(r.At, c.now))
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
		switch {
		case d.Approve && d.Gate == failover.ClassCommit:
			label = "Commit pressed by"
		case d.Approve && (d.Gate == failover.ClassChange || d.Step != "" && c.op.Verb == failover.VerbFailback && d.Step != c.first()):
			label = bot.Press(c.op, d.Step) + " pressed by"
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

// first is the step that the operation's own approval let begin.
func (c cardOf) first() failover.StepKind {
	if c.op.Plan.First != "" {
		return c.op.Plan.First
	}
	return failover.Stages(c.op.Verb)[0].Step
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
	targets := slices.DeleteFunc(slices.Clone(c.op.Targets), func(t failover.Target) bool { return t.Lead })
	slices.SortStableFunc(targets, func(a, b failover.Target) int { return urgency(a.Phase) - urgency(b.Phase) })
	var counts []string
	for i := 0; i < len(targets); {
		n := i
		for n < len(targets) && targets[n].Phase == targets[i].Phase {
			n++
		}
		counts = append(counts, fmt.Sprintf("%d %s", n-i, c.phase(targets[i])))
		i = n
	}
	all := orNot(c.say(strings.Join(counts, ", ")))
	if c.op.Plan.Recovery != nil {
		all = c.target() + ": " + all
	}
	lines := []line{labelled("VMs", plain(all))}
	for _, t := range targets[:min(len(targets), c.items)] {
		wave := ""
		if t.Wave > 0 {
			wave = fmt.Sprintf("Wave %d · ", t.Wave)
		}
		text := wave + c.name(t.Item.Name) + ": " + c.phase(t)
		if t.Progress != "" {
			text += ", " + c.name(t.Progress)
		}
		lines = append(append(append(lines, words("%s", text)), c.alike(t)...), c.reversed(t)...)
	}
	if c.op.Plan.LeftOut != "" {
		lines = append(lines, labelled("Left out", plain(c.say(c.op.Plan.LeftOut))))
	}
	if p := c.op.Plan.Recovery; p != nil {
		lines = append(lines, labelled("Recovery point", plain(c.name(c.op.Plan.Point.String())+", of each VM")))
	}
	if more := len(targets) - c.items; more > 0 {
		lines = append(lines, words("and %d more", more))
	}
	return append(lines, c.bound()...)
}

// phase is where one VM of several stands, in the words of the verb.
func (c cardOf) phase(t failover.Target) string {
	if t.Phase == failover.Succeeded {
		return succeededWords(c.op.Verb)
	}
	return phaseWords(t.Phase)
}

// reversed is what the reprotect of one VM of several would use and create, as long as somebody decides on it.
func (c cardOf) reversed(t failover.Target) []line {
	r := t.Reversal
	if r == nil || t.Phase != failover.AwaitingApproval {
		return nil
	}
	text := fmt.Sprintf("resource group %s, network %s, cache storage %s", orNot(c.name(lastSegment(r.ResourceGroup))), orElse(c.name(lastSegment(r.Network)), "not mapped"), c.caches(r))
	if len(r.Creates) > 0 {
		var all []string
		for _, what := range r.Creates[:min(len(r.Creates), 3)] {
			all = append(all, c.name(what))
		}
		text += "; new: " + strings.Join(all, ", ")
		if more := len(r.Creates) - len(all); more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
	}
	if r.FullCopy {
		text += "; the old VM is gone, so all data are copied"
	}
	return []line{words("   %s; takes about %s", text, duration(r.Estimate()))}
}

// urgency orders phases, the one that needs a person most first.
func urgency(p failover.Phase) int {
	return slices.Index([]failover.Phase{
		"", failover.NeedsAttention, failover.Failed, failover.AwaitingApproval, failover.AwaitingCommit, failover.Running,
		failover.Succeeded, failover.Denied, failover.Expired, failover.Cancelled,
	}, p)
}
