package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// ReportParts are what a report has beside its frame: what was asked, what was measured, what is still owed.
type ReportParts struct{ Timeline, Decisions, Jobs bool }

// AllParts is everything.
func AllParts() ReportParts { return ReportParts{Timeline: true, Decisions: true, Jobs: true} }

// Report tells the story of an operation. Like a card it has fewer than 8,000 characters; of long lists the first are shown.
func Report(r failover.Report, parts ReportParts, now time.Time) Message {
	var d draft
	var blocks []slack.Block
	for _, less := range []ReportParts{parts, {Timeline: parts.Timeline, Decisions: parts.Decisions}, {}} {
		for _, level := range details() {
			d = newReport(r, less, now, level)
			if blocks = d.blocks(); size(blocks) <= maxBlocks {
				return Message{Text: d.fallback(), Blocks: blocks}
			}
		}
	}
	return Message{Text: d.fallback(), Blocks: blocks}
}

// ReportText is the whole report as lines of plain text; times are UTC.
func ReportText(r failover.Report, now time.Time) string {
	level := details()[0]
	level.items = max(level.items, len(r.Operation.Targets))
	return newReport(r, AllParts(), now, level).plainText()
}

func newReport(r failover.Report, parts ReportParts, now time.Time, level detail) draft {
	c := cardOf{r.Operation, now, level}
	d := draft{
		id: c.op.ID, seq: c.op.Seq, title: "Report: " + upper(bot.Noun(c.op.Verb)) + " of " + c.target() + ": " + c.state(),
		foot: line{plain(string(c.op.ID) + c.digest() + " · as of "), stamp(now)},
	}
	d.parts = []part{{roleLead, c.wasAsked()}, {"measured", c.measured(r)}}
	if parts.Decisions {
		d.parts = append(d.parts, part{"decisions", c.decided()})
	}
	if parts.Timeline {
		d.parts = append(d.parts, part{"timeline", c.timeline()})
	}
	if parts.Jobs {
		d.parts = append(d.parts, part{"jobs", c.jobsOf()})
	}
	d.parts = append(d.parts, part{roleTrouble, c.attention()}, part{"owed", c.owed(r.Owed)})
	return d
}

// wasAsked is what, by whom, when and why.
func (c cardOf) wasAsked() []line {
	lines := []line{
		{bold("Asked for:"), plain(" " + c.say(bot.What(c.op)) + ", by "), c.person(c.op.RequestedBy), plain(" at "), moment(c.op.RequestedAt, c.now), plain(".")},
	}
	if c.op.Reason != "" {
		lines = append(lines, labelled("Reason", plain(c.say(c.op.Reason))))
	}
	if g := c.op.Plan.BrokenGlass; g != nil {
		lines = append(lines, labelled("Broken glass", c.person(g.By), plain(fmt.Sprintf(" asked to begin without %d of its approvals", c.op.Skipped())), plain(c.glassReview())))
	}
	return lines
}

func (c cardOf) glassReview() string {
	g := c.op.Glass
	name := orElse(g.By.Name, g.By.ID)
	switch {
	case g.By.ID == "":
		return "."
	case g.Approve:
		return "; " + c.name(name) + " has signed it off."
	}
	return "; " + c.name(name) + " objected: " + sentence(c.say(g.Reason))
}

// measured holds what was reached to what was promised.
func (c cardOf) measured(r failover.Report) []line {
	var lines []line
	if c.op.Several() && c.op.Started() {
		lines = append(append(lines, c.counts()), c.waves()...)
	}
	for _, t := range c.op.Targets[:min(len(c.op.Targets), c.items)] {
		if !t.PointUsed.IsZero() && len(c.op.Targets) <= c.items {
			lines = append(lines, line{bold("Recovery point used:"), plain(" " + c.name(t.Item.Name) + ", "), moment(t.PointUsed, c.now)})
		}
	}
	if rto, ok := c.op.RTO(); ok {
		lines = append(lines, labelled("Up after (RTO)", plain(duration(rto)+against(rto, r.TargetRTO))))
		lines = append(lines, c.forecastMet(rto)...)
	}
	if rpo, ok := c.op.RPO(); ok {
		lines = append(lines, labelled("Data lost (RPO)", plain("at most "+duration(rpo)+against(rpo, r.TargetRPO))))
	}
	return append(lines, c.resized()...)
}

// forecastMet is what was forecast before the approval, beside what came of it.
func (c cardOf) forecastMet(took time.Duration) []line {
	said := forecastKept(c.op, took)
	if said == "" {
		return nil
	}
	if held := c.op.Expected.Words(); held != "" && c.op.Several() {
		said += "; it was to be held back by " + c.say(held)
	}
	return []line{labelled("Forecast", plain(strings.TrimPrefix(said, "the forecast was ")))}
}

func against(measured time.Duration, target int) string {
	promised := time.Duration(target) * time.Second
	switch {
	case target == 0:
		return ""
	case measured <= promised:
		return "; the target of " + duration(promised) + " is kept"
	}
	return "; the target of " + duration(promised) + " is missed by " + duration(measured-promised)
}

// decided is who said what at which gate.
func (c cardOf) decided() []line {
	if len(c.op.Decisions) == 0 {
		return []line{labelled("Decisions", plain("none"))}
	}
	lines := []line{labelled("Decisions")}
	for _, d := range c.op.Decisions[:min(len(c.op.Decisions), c.items)] {
		word := " denied the "
		if d.Approve {
			word = " approved the "
		}
		what := orElse(bot.StepNoun(c.op, d.Step), string(d.Gate))
		l := line{plain("• "), moment(d.At, c.now), plain(" "), c.person(d.By), plain(word + what)}
		if d.Reason != "" {
			l = append(l, plain(": "+c.say(d.Reason)))
		}
		lines = append(lines, l)
	}
	return append(lines, c.more(len(c.op.Decisions))...)
}

// timeline is each step with its beginning, how long it took and how it ended.
func (c cardOf) timeline() []line {
	type entry struct {
		at   time.Time
		line line
	}
	var all []entry
	add := func(at time.Time, text string) {
		if !at.IsZero() {
			all = append(all, entry{at, line{plain("• "), moment(at, c.now), plain(" " + text)}})
		}
	}
	add(c.op.RequestedAt, "asked for")
	add(c.op.StartedAt, "begun")
	for i := range c.op.Targets {
		t := c.op.Targets[i]
		one := cardOf{failover.Operation{ID: c.op.ID, Verb: c.op.Verb, Phase: c.op.Phase, Targets: []failover.Target{t}}, c.now, c.detail}
		for _, s := range t.Steps {
			icon, state := one.stepState(s)
			name := c.name(t.Item.Name) + ": " + orElse(bot.StepNoun(c.op, s.Kind), "step")
			if s.Attempt > 1 {
				name += fmt.Sprintf(" (attempt %d)", s.Attempt)
			}
			add(s.StartedAt, icon+" "+name+": "+state.terminal())
		}
		for _, checked := range t.Checked {
			add(checked.At, c.name(t.Item.Name)+": asked whether it works: "+c.say(string(checked.Outcome)+" "+checked.Detail))
		}
	}
	add(c.op.FinishedAt, "over: "+c.state())
	slices.SortStableFunc(all, func(a, b entry) int { return a.at.Compare(b.at) })
	lines := []line{labelled("Timeline")}
	shown := min(len(all), 2*c.items)
	for _, e := range all[:shown] {
		lines = append(lines, e.line)
	}
	if more := len(all) - shown; more > 0 {
		lines = append(lines, words("and %d more", more))
	}
	return lines
}

// jobsOf are Azure's jobs with their tasks.
func (c cardOf) jobsOf() []line {
	lines := []line{labelled("Azure's jobs")}
	n := 0
	for i := range c.op.Targets {
		for _, s := range c.op.Targets[i].Steps {
			if s.JobID == "" {
				continue
			}
			if n++; n > c.items {
				continue
			}
			lines = append(lines, words("• %s of %s: job %s", bot.StepNoun(c.op, s.Kind), c.name(c.op.Targets[i].Item.Name), orNot(c.name(lastSegment(s.JobID)))))
			for _, t := range s.Tasks[:min(len(s.Tasks), c.items)] {
				lines = append(lines, c.task(t, c.followed(s)))
			}
			lines = append(lines, c.more(len(s.Tasks))...)
		}
	}
	if n == 0 {
		return []line{labelled("Azure's jobs", plain("none"))}
	}
	return append(lines, c.more(n)...)
}

// attention is what went wrong, and how it ended.
func (c cardOf) attention() []line {
	lines := c.trouble()
	for _, text := range []string{c.op.Note, c.op.Hint} {
		if text != "" {
			lines = append(lines, words("%s", sentence(c.say(text))))
		}
	}
	return lines
}

// owed is what it has left open, and who is waited for.
func (c cardOf) owed(debts []failover.Debt) []line {
	var lines []line
	if !c.op.Phase.Final() {
		lines = append(lines, words("It is %s and waits for %s.", c.op.Phase.Words(), c.say(bot.WaitsFor(c.op))))
	}
	all := owing(debts)
	for _, o := range all[:min(len(all), c.items)] {
		o.Typed = clip(o.Typed, maxTyped)
		lines = append(lines, o.line(c.now))
	}
	lines = append(lines, c.more(len(all))...)
	if len(lines) == 0 {
		return []line{labelled("Still owed", plain("nothing"))}
	}
	return append([]line{labelled("Still owed")}, lines...)
}
