package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// fleet are the parts of a card about several VMs: all that somebody has to know in five seconds stands in the first lines.
func (c cardOf) fleet() []part {
	return []part{
		{roleLead, slices.Concat(c.lead(), c.frozen(), c.glass())},
		{roleTrouble, c.trouble()},
		{roleWay, c.waves()},
		{roleWhat, c.what()},
		{roleSteps, c.fleetList()},
	}
}

// fleetState is where it stands, in the words of the title.
func (c cardOf) fleetState() string {
	all := c.op.Tallies()
	done, total := all[0][failover.SpotDone], all[0].All()
	switch waves := len(all) - 1; {
	case c.op.OnHold != nil && c.op.Phase == failover.Running:
		return "on hold"
	case c.op.Phase == failover.Running && waves > 1 && !c.committing(): // commits have no order
		for n := waves; n > 0; n-- {
			if w := all[n]; w[failover.SpotRunning]+w[failover.SpotUnknown]+w[failover.SpotShort]+w[failover.SpotDelayed] > 0 {
				return fmt.Sprintf("running, wave %d of %d", n, waves)
			}
		}
		for n := range waves { // between two
			if all[n+1][failover.SpotWaiting] > 0 {
				return fmt.Sprintf("running, wave %d of %d", n+1, waves)
			}
		}
	case (c.op.Phase == failover.Succeeded || c.op.Phase == failover.Failed) && done > 0 && done < total:
		return fmt.Sprintf("over, %s of %s %s", bot.Number(done), bot.Number(total), succeededWords(c.op.Verb))
	}
	return stateOf(c.op)
}

func (c cardOf) fleetLead() []line {
	lines := c.lapsed()
	switch c.op.Phase {
	case failover.AwaitingApproval:
		if c.op.Started() {
			return append([]line{c.counts()}, c.awaitingStep()...)
		}
		return append(c.awaitingApproval(), takes(c.op.Expected)...)
	case failover.Running:
		lines = append(lines, c.counts())
		if c.op.OnHold != nil {
			return append(lines, c.held()...)
		}
		return append(append(lines, c.wanted()), c.ends()...)
	case failover.AwaitingCommit:
		lines = append(lines, c.counts(), words("Waits for %s to press Commit all: one press for all that are up.", c.say(bot.WaitsFor(c.op))))
		lines = append(lines, words("%s The commit deletes their recovery points and cannot be undone. To leave them as they are, type %s cancel %s.", c.toCheck(), bot.Command, c.op.ID))
		return append(lines, c.failedNext()...)
	case failover.NeedsAttention:
		return append(append(lines, c.counts(), words("Waits for a person to look at it. Ferry does nothing more by itself.")), c.failedNext()...)
	case failover.Succeeded, failover.Failed, failover.Denied, failover.Expired, failover.Cancelled:
	}
	if c.op.Started() {
		lines = append(lines, c.counts())
		lines = append(lines, c.kept()...)
	}
	return append(lines, c.fleetOver()...)
}

// fleetOver is the end in words.
func (c cardOf) fleetOver() []line {
	done := c.op.Tallies()[0][failover.SpotDone]
	switch {
	case c.op.Phase != failover.Succeeded && c.op.Phase != failover.Failed || done == 0:
		return c.over()
	case c.op.Verb != failover.VerbFailover && done == len(c.op.Targets):
		return c.succeeded()
	}
	var lines []line
	if c.op.Hint != "" { // the note counts and names what the card does further up and down
		lines = append(lines, words("%s", sentence(c.say(c.op.Hint))))
	}
	if c.op.Verb == failover.VerbFailover && done > 0 {
		lines = append(lines, words("What is committed is not protected until it is reprotected: press Reprotect, or type %s reprotect %s.", bot.Command, c.op.ID))
	}
	return lines
}

// spotWords are the spots as they are counted.
func (c cardOf) spotWords(s failover.Spot) string {
	switch s {
	case failover.SpotAttention:
		return "in need of attention"
	case failover.SpotFailed:
		return "failed"
	case failover.SpotUnknown:
		return "with an unknown outcome"
	case failover.SpotShort:
		return "waiting for capacity"
	case failover.SpotDelayed:
		return "asked by Azure to wait"
	case failover.SpotRunning:
		return "running"
	case failover.SpotWaiting:
		return "to begin"
	case failover.SpotAsked:
		return "waiting for a decision"
	case failover.SpotUp:
		return "up, not committed"
	case failover.SpotDone:
		return succeededWords(c.op.Verb)
	case failover.SpotSkipped:
		if c.op.Phase == failover.Cancelled || c.op.Phase == failover.Denied || c.op.Phase == failover.Expired {
			return "not begun"
		}
		return "skipped"
	}
	return string(s)
}

// counts says how many are where: a bar, and the same in numbers, worst first.
func (c cardOf) counts() line {
	tally := c.op.Tallies()[0]
	through, total := c.through(tally), tally.All()
	return line{plain(bar(through, total, 12) + " "), bold(fmt.Sprintf("%s of %s %s", bot.Number(through), bot.Number(total), c.throughWords())), plain(c.rest(tally) + ".")}
}

// through is how many VMs have what runs now behind them, and went well.
func (c cardOf) through(t failover.Tally) int {
	if c.committing() {
		return t[failover.SpotDone]
	}
	return t[failover.SpotUp] + t[failover.SpotDone]
}

func (c cardOf) throughWords() string {
	if c.committing() || c.op.Verb != failover.VerbFailover {
		return succeededWords(c.op.Verb)
	}
	return "up in " + c.to()
}

// committing: the failovers are past, what runs is commits, or it is over.
func (c cardOf) committing() bool {
	if c.op.Phase.Final() {
		return true
	}
	return slices.ContainsFunc(c.op.Targets, func(t failover.Target) bool {
		return t.Phase == failover.Running && t.Doing == failover.StepCommit || t.Phase == failover.Succeeded && c.op.Verb == failover.VerbFailover
	})
}

// rest counts those that are not through.
func (c cardOf) rest(t failover.Tally) string {
	var said strings.Builder
	for _, s := range failover.Spots() {
		through := s == failover.SpotDone || s == failover.SpotUp && !c.committing()
		if n := t[s]; n > 0 && !through {
			said.WriteString(" · " + bot.Number(n) + " " + c.spotWords(s))
		}
	}
	return said.String()
}

// bar is a share as people see it at a glance; the numbers stand beside it.
func bar(part, all, cells int) string {
	full := 0
	if all > 0 {
		full = min(cells, part*cells/all)
	}
	return strings.Repeat("▓", full) + strings.Repeat("░", cells-full)
}

// ends says when a running operation is going to be over, and what holds it back now.
func (c cardOf) ends() []line {
	var lines []line
	lasting := ""
	if !c.op.StartedAt.IsZero() {
		lasting = "Runs for " + round(c.now.Sub(c.op.StartedAt)) + "."
	}
	if likely, atMost, ok := c.op.Outlook(c.now); ok {
		run := c.now.Sub(c.op.StartedAt)
		lines = append(lines, line{
			plain("All up at about "), moment(c.at(likely), c.now), plain(" (in " + round(likely) + "), 19 times in 20 before "),
			moment(c.at(atMost), c.now), plain(promise(c.op.Expected, run+likely, run+atMost) + ". " + lasting),
		})
	} else if lasting != "" {
		lines = append(lines, words("%s", lasting))
	}
	if held := c.heldBack(); held != "" {
		lines = append(lines, labelled("Held back by", plain(held+".")))
	}
	return lines
}

// at is a time that is so far away, as precisely as a forecast is, and never one that has passed.
func (c cardOf) at(away time.Duration) time.Time {
	precise := time.Minute
	if away < 10*time.Minute {
		precise = 10 * time.Second
	}
	if at := c.now.Add(away).Round(precise); at.After(c.now) {
		return at
	}
	return c.now.Add(away)
}

// heldBack is what holds it back now.
func (c cardOf) heldBack() string {
	e := c.op.HeldBack()
	switch {
	case e.Limit == failover.LimitVault:
		return fmt.Sprintf("the vault %s, which has %d under way; Ferry begins more as it takes them", c.name(e.About), e.Room)
	case e.Limit == failover.LimitWaves && c.op.Plan.Fleet != nil:
		all := c.op.Tallies()
		for n, w := range c.op.Plan.Fleet.Waves {
			if before := c.after(w, all); n+1 < len(all) && all[n+1][failover.SpotWaiting] > 0 && before != "" {
				return fmt.Sprintf("the waves: wave %d waits for %s", n+1, before)
			}
		}
	}
	return c.say(e.Words())
}

// after names the waves that a wave waits for: once it runs, those that are not over.
func (c cardOf) after(w failover.Wave, all []failover.Tally) string {
	var waits []string
	for _, n := range w.After {
		over := false
		if c.op.Started() && n > 0 && n < len(all) {
			over = all[n][failover.SpotRunning]+all[n][failover.SpotUnknown]+all[n][failover.SpotShort]+all[n][failover.SpotDelayed]+all[n][failover.SpotWaiting] == 0
		}
		if !over {
			waits = append(waits, strconv.Itoa(n))
		}
	}
	more := ""
	if len(waits) > 4 {
		more = fmt.Sprintf(" and %d more", len(waits)-4)
		waits = waits[:4]
	}
	switch len(waits) {
	case 0:
		return ""
	case 1:
		return "wave " + waits[0]
	}
	return "waves " + strings.Join(waits, ", ") + more
}

// held says why nothing new begins, and who is waited for.
func (c cardOf) held() []line {
	h := c.op.OnHold
	l := line{plain("On hold since "), moment(h.At, c.now), plain(" by ")}
	if h.By.ID == "" {
		l = append(l, plain("Ferry"))
	} else {
		l = append(l, c.person(h.By))
	}
	if h.Why != "" {
		l = append(l, plain(": "+strings.TrimSuffix(c.say(h.Why), ".")))
	}
	l = append(l, plain(". What runs goes on, nothing new begins."))
	if !c.op.May(failover.VerbResume, c.now) {
		return []line{l, words("What was decided is older than 4 hours: end it with %s cancel %s, then ask again for what is left.", bot.Command, c.op.ID)}
	}
	what := "press Resume to let it go on"
	if !c.op.Several() {
		what = fmt.Sprintf("type %[1]s resume %[2]s to let it go on, or %[1]s cancel %[2]s", bot.Command, c.op.ID)
	}
	if c.op.Several() && c.op.May(failover.VerbRetry, c.now) {
		what = "press Resume to let the others go on, Retry failed to try again what failed, or type " + bot.Command + " skip " + string(c.op.ID) + " VM"
	}
	return []line{l, words("Waits for somebody who may cancel: %s.", what)}
}

// wanted is whether somebody is waited for while it runs.
func (c cardOf) wanted() line {
	if next := c.failedNext(); len(next) > 0 {
		return append(words("The others go on. "), next[0]...)
	}
	return words("Waits for Azure; nobody has to act.")
}

// failedNext is what can be done about those that failed.
func (c cardOf) failedNext() []line {
	if !c.op.May(failover.VerbRetry, c.now) {
		return nil
	}
	return []line{words("What failed: mend the cause, then press Retry failed; to leave a VM out, type %s skip %s VM.", bot.Command, c.op.ID)}
}

// kept compares what came of it with the forecast and the target.
func (c cardOf) kept() []line {
	rto, ok := c.op.RTO()
	if !ok {
		return nil
	}
	up := "All up after "
	if c.rest(c.op.Tallies()[0]) != "" {
		up = "What came up was up after "
	}
	text := up + round(rto) + " (RTO)" + against(rto, c.op.Expected.RTO)
	if said := forecastKept(c.op, rto); said != "" {
		text += "; " + said
	}
	return []line{words("%s.", text)}
}

// forecastKept is what was forecast, beside how long it took.
func forecastKept(op failover.Operation, took time.Duration) string {
	e := op.Expected
	if e.Seconds <= 0 {
		return ""
	}
	text := "the forecast was " + round(e.Took())
	if e.P95 <= 0 {
		return text
	}
	text += ", at most " + round(e.AtMost())
	if took > e.AtMost() {
		return text + ", and it took longer"
	}
	return text
}

// round is a length of time as precisely as a forecast is.
func round(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return strings.TrimSuffix(duration(d.Round(time.Minute)), " 0 min")
	case d >= 10*time.Minute:
		return duration(d.Round(time.Minute))
	case d >= time.Minute:
		return duration(d.Round(10 * time.Second))
	}
	return duration(d)
}
