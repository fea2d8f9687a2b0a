package render

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"ferry/bot"
	"ferry/failover"
)

// draft is a message before it is drawn for a surface. Every string in it is one line and inert.
type draft struct {
	id      failover.OpID
	seq     uint64
	title   string
	parts   []part
	buttons []button
	// background stands below the buttons: what does not have to be read before a press.
	background []line
	foot       line
}

// part is one block of lines; its role is unique within a draft.
type part struct {
	role  string
	lines []line
}

type line []span

// span is a piece of a line.
type span struct {
	kind spanKind
	text string    // for person the name, else what stands there
	id   string    // for person
	at   time.Time // for moment
	far  bool      // a moment on another day is told with its date
}

type spanKind int

const (
	spanPlain spanKind = iota
	spanBold
	spanPerson
	spanMoment
	spanLocal // the reader's own clock, where the surface knows it
	spanGroup // a Slack user group; only those who may decide are ever named so
	spanLeft  // the same, and how long it is until then
	spanStamp // when something was drawn, by the reader's clock and in UTC: so that the other times can be read as either
)

func plain(text string) span             { return span{kind: spanPlain, text: text} }
func bold(text string) span              { return span{kind: spanBold, text: text} }
func local(at time.Time) span            { return span{kind: spanLocal, at: at} }
func words(format string, a ...any) line { return line{plain(fmt.Sprintf(format, a...))} }

// labelled begins a line, or what stands below it.
func labelled(label string, l ...span) line {
	if len(l) == 0 {
		return line{bold(label + ":")}
	}
	return append(line{bold(label + ":"), plain(" ")}, l...)
}

// person is somebody whom a fact names. Only what has the form of a Slack user id becomes a mention.
func (d detail) person(a failover.Actor) span {
	name := a.Name
	if name == "" {
		name = a.ID
	}
	return span{kind: spanPerson, text: orNot(d.name(name)), id: a.ID}
}

// moment is a time as people compare it with their own clock.
func moment(at, now time.Time) span {
	return span{kind: spanMoment, at: at, far: now.Sub(at).Abs() > 20*time.Hour}
}

// stamp is the time at which something is drawn.
func stamp(now time.Time) span { return span{kind: spanStamp, at: now} }

// utc is the moment for who has no other clock.
func (s span) utc() string {
	if s.far {
		return s.at.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return s.at.UTC().Format("15:04:05 UTC")
}

// isUserID reports whether Slack calls a user so; only such an id is ever put where a mention stands.
func isUserID(id string) bool { return isID(id, "UW") }

// isGroupID is the same for user groups.
func isGroupID(id string) bool { return isID(id, "S") }

func isID(id, first string) bool {
	return len(id) > 1 && len(id) <= 21 && strings.ContainsRune(first, rune(id[0])) &&
		strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// detail says how much of the outside text fits.
type detail struct {
	text  int // characters of a sentence
	label int // characters of a name
	items int // of any list
}

// details are tried in turn until the message is small enough; the last one always is.
func details() []detail {
	return []detail{{400, 80, 24}, {200, 60, 12}, {60, 40, 4}, {40, 24, 2}, {24, 16, 1}}
}

func (d detail) say(text string) string  { return clip(inert(text), d.text) }
func (d detail) name(text string) string { return clip(inert(text), d.label) }

func inert(text string) string { return bot.OneLine(text) }

// clip cuts a text to n characters and shows that it did.
func clip(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return strings.TrimRight(string(runes[:n-1]), " ") + "…"
}

// clipLines cuts a text of lines to about n characters after a whole line, and never gives nothing.
func clipLines(text string, n int) string {
	var kept []string
	size := 0
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, l := range lines {
		l = visible(l)
		size += len([]rune(l)) + 1
		if size > n {
			if i == 0 {
				return clip(l, n)
			}
			return strings.Join(append(kept, fmt.Sprintf("… and more: %d of %d lines are not shown.", len(lines)-i, len(lines))), "\n")
		}
		kept = append(kept, l)
	}
	if text = strings.Join(kept, "\n"); strings.TrimSpace(text) == "" {
		return "Nothing to show."
	}
	return text
}

// visible is inert that keeps the blanks, for columns.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}
