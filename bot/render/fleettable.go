package render

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// StatusText is an operation as a terminal shows it, so many characters wide and lines high; 0 is any. Several VMs are a table, worst
// first, below the counts; what does not fit on the screen is counted. Into a pipe goes all of it.
func StatusText(op failover.Operation, now time.Time, width, height int) string {
	c := cardOf{op, now, details()[0]}
	if !op.Several() || c.unlike() {
		return CardText(op, now)
	}
	d := newCard(op, now, false, c.detail)
	d.parts = slices.DeleteFunc(d.parts, func(p part) bool { return p.role == roleSteps })
	head, tail := d.text(), d.tail(op)
	room := 0
	if height > 0 {
		room = max(leastRows, height-len(head)-len(tail)-5)
	}
	return strings.Join(head, "\n") + "\n\n" + c.table(width, room) + strings.Join(tail, "\n") + "\n"
}

// leastRows of the table are shown on the lowest screen.
const leastRows = 10

// unlike reports whether something is said of single VMs that a line of a table has no room for, before it is decided on.
func (c cardOf) unlike() bool {
	return slices.ContainsFunc(c.op.Targets, func(t failover.Target) bool { return len(c.alike(t))+len(c.reversed(t)) > 0 })
}

// table is a line for each VM, as many as there is room for; 0 is all.
func (c cardOf) table(width, room int) string {
	targets := worstFirst(c.op)
	shown := targets
	if room > 0 && len(targets) > room {
		shown = targets[:room]
	}
	rows := [][]string{{"VM", "WAVE", "STATE", "TIME", "DETAIL"}}
	for _, t := range shown {
		rows = append(rows, []string{c.name(t.Item.Name), c.waveOf(t), c.spotWords(t.Spot()), c.timeOf(t), c.name(detailOf(t))})
	}
	if f := c.op.Plan.Fleet; f == nil || len(f.Waves) < 2 {
		for i := range rows {
			rows[i] = slices.Delete(rows[i], 1, 2)
		}
	}
	text := fitted(rows, width)
	if rest := targets[len(shown):]; len(rest) > 0 {
		left := failover.Tally{}
		for i := range rest {
			left[rest[i].Spot()]++
		}
		text += fmt.Sprintf("And %s more%s. All of them: %s status %s | less\n", bot.Number(len(rest)), c.every(left), bot.Command, c.op.ID)
	}
	return text + "\n"
}

// every counts VMs by where they stand, whatever that is.
func (c cardOf) every(t failover.Tally) string {
	var said strings.Builder
	for _, s := range failover.Spots() {
		if n := t[s]; n > 0 {
			said.WriteString(" · " + bot.Number(n) + " " + c.spotWords(s))
		}
	}
	return said.String()
}

func (c cardOf) waveOf(t failover.Target) string {
	f := c.op.Plan.Fleet
	if f == nil || t.Wave < 1 || t.Wave > len(f.Waves) {
		return ""
	}
	return strings.TrimSpace(strconv.Itoa(t.Wave) + " " + c.name(f.Waves[t.Wave-1].Name))
}

// timeOf is how long a VM's step runs or took, or is going to take. Of one that is up it is the failover, also after its commit:
// that is what people wait for.
func (c cardOf) timeOf(t failover.Target) string {
	if _, took := tookOf(t); took > 0 {
		return duration(took)
	}
	switch s := t.Step(t.Doing); {
	case s != nil && !s.EndedAt.IsZero() && !s.StartedAt.IsZero():
		return duration(s.EndedAt.Sub(s.StartedAt))
	case s != nil && !s.StartedAt.IsZero() && t.Phase == failover.Running:
		return "for " + duration(c.now.Sub(s.StartedAt))
	case t.Expected > 0 && len(t.Steps) == 0 && (t.Spot() == failover.SpotAsked || t.Spot() == failover.SpotWaiting):
		return "about " + round(time.Duration(t.Expected)*time.Second)
	}
	return ""
}

// tookOf is the step that brought a VM where it is, and how long that took; zero while it is not up, and done with nothing.
func tookOf(t failover.Target) (failover.StepKind, time.Duration) {
	if spot := t.Spot(); spot != failover.SpotUp && spot != failover.SpotDone {
		return "", 0
	}
	for _, kind := range []failover.StepKind{failover.StepFailover, t.Doing} {
		if s := t.Step(kind); s != nil && s.State == failover.StateDone && !s.StartedAt.IsZero() && s.EndedAt.After(s.StartedAt) {
			return kind, s.EndedAt.Sub(s.StartedAt)
		}
	}
	return "", 0
}

// detailOf is why a VM failed, or what it is at. What to do stands once above, by cause.
func detailOf(t failover.Target) string {
	if t.Error == nil {
		return t.Progress
	}
	return cmp.Or(t.Error.Message, t.Error.Code)
}

// Counts says in a line how many of several VMs are where; empty for an operation on one.
func Counts(op failover.Operation, now time.Time) string {
	if !op.Several() || !op.Started() {
		return ""
	}
	return cardOf{op, now, details()[0]}.counts().terminal()
}

// Worst are the VMs of an operation in a line each, worst first, at most so many.
func Worst(op failover.Operation, now time.Time, most int) []string {
	c := cardOf{op, now, details()[0]}
	targets := worstFirst(op)
	var lines []string
	for _, t := range targets[:min(len(targets), max(0, most))] {
		lines = append(lines, c.vm(t).terminal())
	}
	return lines
}
