package workspace

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// mrkdwn resolves what stands in angle brackets and unescapes the rest; * _ ~ ` stay, they read well as they are.
func (r renderer) mrkdwn(text string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "<")
		out.WriteString(unescape(before))
		if !found {
			return out.String()
		}
		inside, after, closed := strings.Cut(rest, ">")
		if !closed {
			return out.String() + "<" + unescape(rest)
		}
		out.WriteString(r.special(inside))
		text = after
	}
}

func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// special renders one <...>: a mention, a command such as !here or !date, or a link.
func (r renderer) special(inside string) string {
	target, label, labelled := strings.Cut(inside, "|")
	label = unescape(label)
	if id, ok := strings.CutPrefix(target, "@"); ok {
		return "@" + r.name(id)
	}
	if id, ok := strings.CutPrefix(target, "#"); ok {
		return "#" + r.name(id)
	}
	if command, ok := strings.CutPrefix(target, "!"); ok {
		return r.command(command, label)
	}
	target = unescape(target)
	if !labelled || label == target {
		return target
	}
	return label + " (" + target + ")"
}

func (r renderer) command(command, label string) string {
	name, rest, _ := strings.Cut(command, "^")
	switch {
	case name == "date":
		seconds, format, _ := strings.Cut(rest, "^")
		format, link, linked := strings.Cut(format, "^")
		text := r.date(seconds, format, label)
		if linked {
			text += " (" + unescape(link) + ")"
		}
		return text
	case name == "subteam" && label == "":
		return "@" + rest
	case label != "":
		return label
	default:
		return "@" + name
	}
}

var dateTokens = regexp.MustCompile(`\{[a-z_]+\}`)

// date falls back as Slack does: when the time or a token cannot be read.
func (r renderer) date(seconds, format, fallback string) string {
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return fallback
	}
	known := true
	text := dateTokens.ReplaceAllStringFunc(unescape(format), func(token string) string {
		value, ok := r.dateToken(strings.Trim(token, "{}"), time.Unix(unix, 0).UTC())
		known = known && ok
		return value
	})
	if !known {
		return fallback
	}
	return text
}

// dateToken renders in UTC with a 24-hour clock. The _pretty tokens say the day near now, as documented.
func (r renderer) dateToken(token string, t time.Time) (string, bool) {
	if full, ok := strings.CutSuffix(token, "_pretty"); ok {
		if day := r.nearDay(t); day != "" {
			return day, true
		}
		token = full
	}
	layouts := map[string]string{
		"date_num": "2006-01-02", "date": "January 2, 2006", "date_short": "Jan 2, 2006",
		"date_long": "Monday, January 2, 2006", "time": "15:04", "time_secs": "15:04:05",
	}
	if token == "ago" {
		return r.ago(t), true
	}
	layout, ok := layouts[token]
	return t.Format(layout), ok
}

func (r renderer) nearDay(t time.Time) string {
	day := func(t time.Time) int64 { return t.Unix() / 86400 }
	switch day(t) - day(r.now) {
	case -1:
		return "yesterday"
	case 0:
		return "today"
	case 1:
		return "tomorrow"
	default:
		return ""
	}
}

// ago is a length of time in its largest unit, as documented ("3 minutes ago"). That it is rounded, that less than a minute is
// told in seconds, and the words for what is to come are inferred.
func (r renderer) ago(t time.Time) string {
	d := t.Sub(r.now)
	if d > 0 {
		return "in " + inLargestUnit(d)
	}
	return inLargestUnit(-d) + " ago"
}

func inLargestUnit(d time.Duration) string {
	n, name := d.Round(24*time.Hour)/(24*time.Hour), "day"
	switch {
	case d.Round(time.Second) < time.Minute:
		n, name = d.Round(time.Second)/time.Second, "second"
	case d.Round(time.Minute) < time.Hour:
		n, name = d.Round(time.Minute)/time.Minute, "minute"
	case d.Round(time.Hour) < 24*time.Hour:
		n, name = d.Round(time.Hour)/time.Hour, "hour"
	}
	if n != 1 {
		name += "s"
	}
	return fmt.Sprintf("%d %s", n, name)
}
