package render

import (
	"strings"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// CardText is the card of [Card] in lines of plain text; times are UTC, and buttons are what to type instead.
func CardText(op failover.Operation, now time.Time) string {
	level := details()[0]
	if op.Several() { // here there is room for all
		level.items = max(level.items, len(op.Targets))
	}
	d := newCard(op, now, false, level)
	return strings.Join(append(append(d.text(), ""), d.tail(op)...), "\n") + "\n"
}

// tail is what stands below the parts: what is so by the way, what to type, and of when it is.
func (d draft) tail(op failover.Operation) []string {
	var out []string
	for _, l := range d.background {
		out = append(out, l.terminal())
	}
	if out != nil {
		out = append(out, "")
	}
	for _, b := range d.buttons {
		if verb, ok := VerbOf(b.action); ok {
			out = append(out, b.label+": "+bot.Command+" "+string(verb)+" "+string(op.ID)+typedToo(op, b.action))
		}
	}
	return append(out, d.foot.terminal())
}

// text is the title and the parts, apart from each other.
func (d draft) text() []string {
	out := []string{d.title}
	for _, p := range d.parts {
		if len(p.lines) == 0 {
			continue
		}
		if p.role != roleLead {
			out = append(out, "")
		}
		for _, l := range p.lines {
			out = append(out, l.terminal())
		}
	}
	return out
}

// plainText is a draft without buttons.
func (d draft) plainText() string {
	return strings.Join(append(d.text(), "", d.foot.terminal()), "\n") + "\n"
}

// typedToo is what a button's form asks for, where everything is typed.
func typedToo(op failover.Operation, action string) string {
	switch action {
	case ActionCommitNamed:
		return " --confirm " + inert(op.ConfirmName())
	case ActionObject:
		return " --reason TEXT"
	case ActionSkip: // the button is for all that failed
		return " VM"
	}
	return ""
}

func (l line) terminal() string {
	var out strings.Builder
	for _, s := range l {
		out.WriteString(s.terminal())
	}
	return out.String()
}

// terminal is the span where nothing but letters can be shown.
func (s span) terminal() string {
	switch s.kind {
	case spanMoment, spanLocal, spanStamp:
		return s.utc()
	case spanPlain, spanBold, spanPerson, spanGroup, spanLeft:
	}
	return s.text
}
