package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// cause is why VMs failed, and which did.
type cause struct {
	fault failover.Fault
	names []string
}

// causes are the faults of an operation on several VMs, the one of most VMs first.
func causes(op failover.Operation) []cause {
	var all []cause
	at := map[string]int{}
	for i := range op.Targets {
		t := &op.Targets[i]
		if spot := t.Spot(); spot != failover.SpotFailed && spot != failover.SpotAttention {
			continue
		}
		fault := failover.Fault{Message: cmp.Or(t.Progress, "It is not known why.")}
		if t.Error != nil {
			fault = *t.Error
		}
		key := cmp.Or(fault.Code, fault.Message)
		n, known := at[key]
		if !known {
			n = len(all)
			at[key] = n
			all = append(all, cause{fault: fault})
		}
		all[n].names = append(all[n].names, t.Item.Name)
	}
	slices.SortStableFunc(all, func(a, b cause) int { return len(b.names) - len(a.names) })
	return all
}

// fleetTrouble says which VMs failed, of what, and what to do: the causes of most of them.
func (c cardOf) fleetTrouble() []line {
	var lines []line
	if c.op.Lapsed != nil && len(c.op.Lapsed.Changed) > 0 {
		lines = append(lines, labelled("What the rule demands"))
		lines = append(lines, c.differences(c.op.Lapsed.Changed)...)
	}
	all := causes(c.op)
	shown := all[:min(len(all), max(1, c.items/4), 6)]
	for _, of := range shown {
		names := c.few(of.names, max(2, c.items/4))
		lines = append(lines, append(line{bold(fmt.Sprintf("✗ %s failed: ", bot.Number(len(of.names))) + names + ".")}, append(line{plain(" ")}, c.fault(of.fault)...)...))
	}
	more := 0
	for _, of := range all[len(shown):] {
		more += len(of.names)
	}
	if more > 0 {
		lines = append(lines, words("And %s more, of %s: %s status %s.", bot.Number(more), counted(len(all)-len(shown), "other cause"), bot.Command, c.op.ID))
	}
	if len(all) > 0 && c.op.Phase.Final() {
		again := bot.Command + " "
		if c.op.Verb != failover.VerbFailover {
			again += string(c.op.Verb) + " "
		}
		lines = append(lines, words("Next for each: mend the cause, then ask again, such as %s%s.", again, c.few(all[0].names[:1], 1)))
	}
	return lines
}

// counted is a number of things in words.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// few names some of many.
func (c cardOf) few(names []string, most int) string {
	var said []string
	for _, name := range names[:min(len(names), most)] {
		said = append(said, orNot(c.name(name)))
	}
	if more := len(names) - len(said); more > 0 {
		return strings.Join(said, ", ") + fmt.Sprintf(" and %s more", bot.Number(more))
	}
	return strings.Join(said, ", ")
}

// waves is a line for each wave.
func (c cardOf) waves() []line {
	f := c.op.Plan.Fleet
	if f == nil || len(f.Waves) < 2 {
		return nil
	}
	all := c.op.Tallies()
	var lines []line
	shown := min(len(f.Waves), max(c.items, 4))
	for n, w := range f.Waves[:shown] {
		tally := all[n+1]
		l := line{bold(strings.TrimSpace(fmt.Sprintf("Wave %d %s", n+1, c.name(w.Name))) + ":"), plain(" ")}
		switch total := tally.All(); {
		case total == 0:
			l = append(l, plain("no VM"))
		case !c.op.Started():
			l = append(l, plain(bot.VMs(total)))
		default:
			through := c.through(tally)
			l = append(l, plain(fmt.Sprintf("%s %s of %s%s", bar(through, total, 10), bot.Number(through), bot.Number(total), c.rest(tally))))
		}
		if before := c.after(w, all); before != "" && (!c.op.Started() || tally[failover.SpotWaiting] == tally.All()) {
			l = append(l, plain(", after "+before))
		}
		lines = append(lines, l)
	}
	if more := len(f.Waves) - shown; more > 0 {
		lines = append(lines, words("and %s", counted(more, "more wave")))
	}
	return lines
}

// fleetWhat is what was approved of several VMs beside their names.
func (c cardOf) fleetWhat() []line {
	vaults := map[string]bool{}
	for _, t := range c.op.Targets {
		vaults[t.Item.Vault] = true
	}
	in := ", vault " + orNot(c.name(c.op.Targets[0].Item.Vault))
	if len(vaults) > 1 {
		in = fmt.Sprintf(", in %d vaults", len(vaults))
	}
	lines := []line{labelled("VMs", plain(bot.VMs(len(c.op.Targets))+in+", "+orNot(c.from())+" to "+orNot(c.to())))}
	if c.op.Verb == failover.VerbFailover {
		lines = append(lines, labelled("Recovery point", plain(c.name(cmp.Or(c.op.Plan.Point.String(), string(failover.Latest)))+", of each VM")))
	}
	if f := c.op.Plan.Fleet; f != nil && !c.op.Started() && c.op.Verb != failover.VerbReprotect {
		at := "as many at a time as the vaults take"
		if f.Concurrency > 0 {
			at = fmt.Sprintf("%s at a time", bot.VMs(f.Concurrency))
		}
		lines = append(lines, labelled("Goes", plain(at+"; "+onFailure(*f))))
	}
	lines = append(lines, c.sizes()...)
	if c.op.Plan.LeftOut != "" {
		lines = append(lines, labelled("Left out", plain(c.say(c.op.Plan.LeftOut))))
	}
	return append(lines, c.bound()...)
}

// onFailure is what a failure means for the others.
func onFailure(f failover.Fleet) string {
	switch {
	case f.OnFailure == failover.GoOn:
		return "the others go on when some fail"
	case f.Tolerate > 0:
		return fmt.Sprintf("nothing new begins when more than %d %% of a wave fail", f.Tolerate)
	}
	return "nothing new begins when one fails"
}

// fleetList names the VMs, worst first, as many as fit; of many only those that have run longest, and the first of those that
// somebody is to decide on.
func (c cardOf) fleetList() []line {
	targets := worstFirst(c.op)
	if len(targets) <= c.items {
		var lines []line
		for _, t := range targets {
			lines = append(append(append(lines, c.vm(t)), c.alike(t)...), c.reversed(t)...)
		}
		return lines
	}
	var lines []line
	for _, t := range targets { // what looks like another is seen before a decision, however many there are
		if alike := c.alike(t); len(alike) > 0 && len(lines) < c.items {
			lines = append(lines, alike...)
		}
	}
	if _, waits := c.op.Pending(); waits && c.op.Phase == failover.AwaitingApproval {
		for _, t := range targets[:min(len(targets), c.items/2)] {
			lines = append(append(lines, c.vm(t)), c.reversed(t)...)
		}
		return append(lines, words("and %s more; Show all lists each of them.", bot.Number(len(targets)-min(len(targets), c.items/2))))
	}
	return append(lines, c.longest(targets)...)
}

// worstFirst are the VMs of an operation in the order in which they need somebody, and within that in the order of the waves.
func worstFirst(op failover.Operation) []failover.Target {
	targets := slices.DeleteFunc(slices.Clone(op.Targets), func(t failover.Target) bool { return t.Lead })
	order := map[failover.Spot]int{}
	for n, s := range failover.Spots() {
		order[s] = n
	}
	slices.SortStableFunc(targets, func(a, b failover.Target) int {
		return cmp.Or(order[a.Spot()]-order[b.Spot()], a.Wave-b.Wave)
	})
	return targets
}

// vm is one of several, in a line.
func (c cardOf) vm(t failover.Target) line {
	spot := t.Spot()
	icons := map[failover.Spot]string{
		failover.SpotAttention: "!", failover.SpotFailed: "✗", failover.SpotUnknown: "?", failover.SpotShort: "…", failover.SpotDelayed: "…", failover.SpotRunning: "▶",
		failover.SpotWaiting: "·", failover.SpotAsked: "·", failover.SpotUp: "✓", failover.SpotDone: "✓", failover.SpotSkipped: "–",
	}
	text := icons[spot] + " "
	if f := c.op.Plan.Fleet; f != nil && len(f.Waves) > 1 && t.Wave > 0 {
		text += fmt.Sprintf("Wave %d · ", t.Wave)
	}
	text += orNot(c.name(t.Item.Name)) + ": " + c.spotWords(spot)
	switch s := t.Step(t.Doing); {
	case spot == failover.SpotRunning && s != nil && !s.StartedAt.IsZero():
		text += " for " + duration(c.now.Sub(s.StartedAt))
	case (spot == failover.SpotAsked || spot == failover.SpotWaiting) && t.Expected > 0 && len(t.Steps) == 0: // of the first step
		text += ", takes about " + round(time.Duration(t.Expected)*time.Second)
	}
	if kind, took := tookOf(t); took > 0 {
		text += ", " + bot.StepNoun(c.op, kind) + " took " + duration(took)
	}
	if t.Progress != "" && spot != failover.SpotFailed {
		text += ", " + c.name(t.Progress)
	}
	return words("%s", text)
}

// longest are the VMs that have been running longest: what everybody waits for in the end.
func (c cardOf) longest(targets []failover.Target) []line {
	running := slices.DeleteFunc(slices.Clone(targets), func(t failover.Target) bool {
		s := t.Step(t.Doing)
		return t.Spot() != failover.SpotRunning || s == nil || s.StartedAt.IsZero()
	})
	if len(running) == 0 {
		return nil
	}
	slices.SortStableFunc(running, func(a, b failover.Target) int { return a.Step(a.Doing).StartedAt.Compare(b.Step(b.Doing).StartedAt) })
	var said []string
	for _, t := range running[:min(len(running), 3)] {
		said = append(said, orNot(c.name(t.Item.Name))+" "+duration(c.now.Sub(t.Step(t.Doing).StartedAt)))
	}
	return []line{labelled("Running longest", plain(strings.Join(said, ", ")))}
}

// FleetText is every VM of an operation in lines of plain text, worst first, below what the card says; times are UTC.
func FleetText(op failover.Operation, now time.Time) string { return StatusText(op, now, 0, 0) }

// ListComment stands above the list of all VMs, which has the name of who asked for it. It is Slack's markup.
func ListComment(op failover.Operation, by failover.Actor, now time.Time) string {
	name := clip(inert(cmp.Or(by.Name, by.ID)), 40)
	return Escape(fmt.Sprintf("All %s of %s as of %s, for %s.", bot.VMs(len(op.Targets)), op.ID, bot.Stamp(now), name))
}
