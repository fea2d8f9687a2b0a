package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// blocks draws a draft for Slack. Outside text stands in rich text and plain text only, which Slack does not parse.
func (d draft) blocks() []slack.Block {
	var out []slack.Block
	if d.title != "" {
		title := slack.NewTextBlockObject(slack.PlainTextType, clip(d.title, maxHeader), false, false)
		out = append(out, slack.NewHeaderBlock(title, slack.HeaderBlockOptionBlockID(d.blockID("title"))))
	}
	for _, p := range d.parts {
		if len(p.lines) > 0 {
			out = append(out, richText(d.blockID(p.role), p.lines))
		}
	}
	if len(d.buttons) > 0 {
		out = append(out, d.actions())
	}
	if len(d.background) > 0 {
		out = append(out, d.aside())
	}
	if len(d.foot) > 0 {
		foot := slack.NewTextBlockObject(slack.MarkdownType, mrkdwn(d.foot), false, true)
		out = append(out, slack.NewContextBlock(d.blockID("foot"), foot))
	}
	return out
}

// blockID is unique within the message and changes with the operation, as Slack asks for edited messages.
func (d draft) blockID(role string) string { return fmt.Sprintf("%s.%s.%d", d.id, role, d.seq) }

func (d draft) actions() slack.Block {
	var elements []slack.BlockElement
	for _, b := range d.buttons {
		label := slack.NewTextBlockObject(slack.PlainTextType, clip(b.label, maxButton), false, false)
		e := slack.NewButtonBlockElement(b.action, d.value(b), label).WithStyle(b.style)
		if b.ask != nil {
			e = e.WithConfirm(b.ask.object())
		}
		elements = append(elements, e)
	}
	return slack.NewActionBlock(d.blockID("actions"), elements...)
}

// aside is the background in small letters and one paragraph: the newest message is at the bottom of a phone, and the buttons are
// to be seen there too. Nothing in it is live.
func (d draft) aside() slack.Block {
	var all []string
	for _, l := range d.background {
		all = append(all, strings.TrimSuffix(l.terminal(), "."))
	}
	text := slack.NewTextBlockObject(slack.PlainTextType, clip(strings.Join(all, " · "), maxAside), false, false)
	return slack.NewContextBlock(d.blockID("background"), text)
}

// value is what Slack sends back with a press.
func (d draft) value(b button) string {
	if b.token == "" {
		return string(d.id)
	}
	return string(d.id) + "|" + b.token
}

func (q question) object() *slack.ConfirmationBlockObject {
	text := func(s string, n int) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, clip(s, n), false, false)
	}
	return slack.NewConfirmationBlockObject(text(q.title, 100), text(q.text, 300), text(q.yes, 30), text(q.no, 30)).WithStyle(slack.StyleDanger)
}

// richText joins lines in one section; neighbours of one kind become one element. A full time gets the reader's own beside it.
func richText(id string, lines []line) *slack.RichTextBlock {
	var all line
	for i, l := range lines {
		if i > 0 {
			l = append(line{plain("\n")}, l...)
		}
		for _, s := range l {
			if n := len(all); n > 0 && s.kind == spanPlain && all[n-1].kind == spanPlain {
				all[n-1].text += s.text
			} else {
				all = append(all, s)
			}
		}
	}
	var elements []slack.RichTextSectionElement
	for _, s := range zoned(all) {
		if s.kind != spanPlain || s.text != "" {
			elements = append(elements, s.element())
		}
	}
	return slack.NewRichTextBlock(id, slack.NewRichTextSection(elements...))
}

// zoned puts the reader's own time behind each time that a text tells in full, as bot.Stamp prints it.
func zoned(l line) line {
	fullStamp := regexp.MustCompile(`\b\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC\b`)
	var all line
	stamps := 0
	for i, s := range l {
		if s.kind != spanPlain {
			all = append(all, s)
			continue
		}
		last, told := 0, -1 // where one ends whose reader's time stands there already
		if i+1 < len(l) && l[i+1].kind == spanLocal {
			told = len(s.text) - len(" (")
		}
		for _, at := range fullStamp.FindAllStringSubmatchIndex(s.text, -1) {
			t, err := time.Parse("2006-01-02 15:04 UTC", s.text[at[0]:at[1]])
			if at[2] >= 0 {
				t, err = time.Parse("2006-01-02 15:04:05 UTC", s.text[at[0]:at[1]])
			}
			if err != nil || at[1] == told || stamps == maxStamps {
				continue
			}
			stamps++
			all = append(all, plain(s.text[last:at[1]]+" ("), local(t), plain(")"))
			last = at[1]
		}
		all = append(all, plain(s.text[last:]))
	}
	return all
}

func (s span) element() slack.RichTextSectionElement {
	switch s.kind {
	case spanBold:
		return slack.NewRichTextSectionTextElement(s.text, &slack.RichTextSectionTextStyle{Bold: true})
	case spanPerson:
		if isUserID(s.id) {
			return slack.NewRichTextSectionUserElement(s.id, nil)
		}
	case spanGroup:
		return slack.NewRichTextSectionUserGroupElement(s.id)
	case spanMoment, spanLocal, spanStamp:
		if fallback := s.utc(); s.datable() {
			return slack.NewRichTextSectionDateElement(s.at.Unix(), s.format(), nil, &fallback)
		}
		return slack.NewRichTextSectionTextElement(s.utc(), nil)
	case spanLeft:
		if fallback := s.text; s.datable() {
			return slack.NewRichTextSectionDateElement(s.at.Unix(), s.format(), nil, &fallback)
		}
	case spanPlain:
	}
	return slack.NewRichTextSectionTextElement(s.text, nil)
}

// datable: Slack shows a date element for positive Unix times only.
func (s span) datable() bool { return s.at.Unix() > 0 && s.at.Year() < 10000 }

// format is how Slack shows a date in the reader's zone.
func (s span) format() string {
	switch {
	case s.kind == spanStamp:
		return "{time_secs} your time, " + s.utc()
	case s.kind == spanLeft:
		return "{time} your time, {ago}"
	case s.kind == spanLocal && s.far:
		return "{date_short} {time} your time"
	case s.kind == spanLocal:
		return "{time} your time"
	case s.far:
		return "{date_num} {time_secs}"
	}
	return "{time_secs}"
}

// mrkdwn draws a line as escaped markup.
func mrkdwn(l line) string {
	var out bytes.Buffer
	for _, s := range l {
		switch {
		case s.kind == spanPerson && isUserID(s.id):
			fmt.Fprintf(&out, "<@%s>", s.id)
		case s.kind == spanGroup:
			fmt.Fprintf(&out, "<!subteam^%s>", s.id)
		case (s.kind == spanMoment || s.kind == spanStamp) && s.datable():
			fmt.Fprintf(&out, "<!date^%d^%s|%s>", s.at.Unix(), s.format(), s.utc())
		default:
			out.WriteString(Escape(s.terminal()))
		}
	}
	return out.String()
}

// size is how many characters Slack reads in the blocks.
func size(blocks []slack.Block) int {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(blocks); err != nil { // plain data always marshals
		panic(err)
	}
	return utf8.RuneCount(buf.Bytes())
}
