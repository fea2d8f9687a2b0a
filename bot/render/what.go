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
	case len(c.op.Targets) > 1:
		lines = c.rollUp()
	}
	if c.op.Verb == failover.VerbFailover || c.op.Verb == failover.VerbFailback {
		shutdown := "yes"
		if !c.op.Plan.Shutdown {
			shutdown = "no (--no-shutdown)"
		}
		lines = append(lines, labelled("Source shut down first", plain(shutdown)))
	}
	if c.op.Plan.Forced {
		lines = append(lines, words("! A recovery point from after the incident's begin was asked for (--force)."))
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
	if c.op.Plan.Network != "" {
		lines = append(lines, labelled("Isolated network", plain(c.name(lastSegment(c.op.Plan.Network)))))
	}
	if c.op.Plan.Notes != "" {
		lines = append(lines, labelled("Notes", plain(c.say(c.op.Plan.Notes))))
	}
	if gate, waits := c.op.Pending(); waits && gate.Step.IsReprotect() || t.Phase == failover.Running && t.Doing.IsReprotect() {
		lines = append(lines, c.reversal(t.Reversal)...)
	}
	if r := t.Checked; len(r) > 0 {
		lines = append(lines, c.checked(r[len(r)-1]))
	}
	if c.op.Phase == failover.AwaitingApproval {
		lines = append(lines, c.health(t.Item)...)
		lines = append(lines, c.prerequisites(t.Item)...)
	}
	return lines
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

// reversal is what a reprotect would use and what it would create.
func (c cardOf) reversal(r *failover.Reversal) []line {
	if r == nil {
		return nil
	}
	lines := []line{
		labelled("Replicates", plain(orNot(c.name(r.From))+" to "+orNot(c.name(r.To)))),
		labelled("Into", plain("resource group "+orNot(c.name(lastSegment(r.ResourceGroup)))+", network "+orElse(c.name(lastSegment(r.Network)), "(no mapping: Azure decides)"))),
	}
	if r.AvailabilitySet != "" {
		lines = append(lines, labelled("Availability set", plain(c.name(lastSegment(r.AvailabilitySet)))))
	}
	if r.Zone != "" {
		lines = append(lines, labelled("Zone", plain(c.name(r.Zone))))
	}
	for i, d := range r.Disks[:min(len(r.Disks), c.items)] {
		size := ""
		if d.Bytes > 0 {
			size = fmt.Sprintf(", %d GiB", d.Bytes>>30)
		}
		if i == 0 {
			lines = append(lines, labelled("Cache storage", plain(orNot(c.name(lastSegment(d.Cache))))))
		}
		lines = append(lines, labelled("Disk", plain(c.name(d.Name)+size+", "+orNot(c.name(d.Type)))))
	}
	for _, what := range r.Creates[:min(len(r.Creates), c.items)] {
		lines = append(lines, labelled("New", plain(c.name(what))))
	}
	if r.FullCopy {
		lines = append(lines, words("! The VM of before is gone from %s: all data are copied, not only what has changed.", orNot(c.name(r.To))))
	}
	return append(lines, labelled("Takes about", plain(duration(r.Estimate())+", estimated; Azure promises no figure")))
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// prerequisites are what the Site Recovery guide tells to look at before a failover.
func (c cardOf) prerequisites(item failover.Item) []line {
	if c.op.Verb != failover.VerbFailover && c.op.Verb != failover.VerbTest || c.op.Started() {
		return nil
	}
	drill := line{plain("none yet")}
	if !item.LastTest.IsZero() {
		drill = line{moment(item.LastTest, c.now), plain(", " + duration(c.now.Sub(item.LastTest)) + " ago")}
	}
	lines := []line{labelled("Last successful drill", drill...)}
	if len(item.Allowed) > 0 {
		lines = append(lines, labelled("Azure offers", plain(c.say(strings.Join(item.Allowed, ", ")))))
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
	switch c.op.Verb {
	case failover.VerbFailover, failover.VerbTest, failover.VerbChange, failover.VerbFailback:
	case failover.VerbCommit, failover.VerbCleanup, failover.VerbReprotect, failover.VerbIncident,
		failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire, failover.VerbPlan:
		return nil
	}
	sel := c.op.Plan.Point
	if t.Shown == nil && c.op.Verb == failover.VerbFailback {
		return nil // chosen when the VM is replicated back
	}
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
		counts = append(counts, fmt.Sprintf("%d %s", n-i, phaseWords(targets[i].Phase)))
		i = n
	}
	lines := []line{labelled("VMs", plain(bot.Targets(c.op)+": "+orNot(c.say(strings.Join(counts, ", ")))))}
	for _, t := range targets[:min(len(targets), c.items)] {
		wave := ""
		if t.Wave > 0 {
			wave = fmt.Sprintf("Wave %d · ", t.Wave)
		}
		lines = append(lines, words("%s", strings.TrimSpace(fmt.Sprintf("%s%s: %s %s", wave, c.name(t.Item.Name), phaseWords(t.Phase), c.name(t.Progress)))))
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
	return lines
}

// urgency orders phases, the one that needs a person most first.
func urgency(p failover.Phase) int {
	return slices.Index([]failover.Phase{
		"", failover.NeedsAttention, failover.Failed, failover.AwaitingApproval, failover.AwaitingCommit, failover.Running,
		failover.Succeeded, failover.Denied, failover.Expired, failover.Cancelled,
	}, p)
}
