package workspace

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Render returns a message as readable lines without colour: its blocks, or its text when it has none. Nothing is left
// out: a block or element of an unknown type is shown as its name and JSON, a control character as U+FFFD. Dates are those
// of a reader in UTC.
func (w *Workspace) Render(m Message) []string {
	r := renderer{name: w.Name, now: time.Now()}
	var lines []string
	for _, b := range parseBlocks(m.Blocks) {
		lines = append(lines, r.block(b)...)
	}
	if len(lines) == 0 && (m.Text != "" || len(m.Files) == 0) {
		lines = []string{r.mrkdwn(m.Text)}
	}
	for _, f := range m.Files {
		lines = append(lines, fmt.Sprintf("[file: %s, %d bytes]", f.Title, len(f.Content)))
	}
	return strings.Split(strings.Map(printable, strings.Join(lines, "\n")), "\n")
}

// printable keeps a message from steering the terminal that shows it.
func printable(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\t' {
		return unicode.ReplacementChar
	}
	return r
}

// Name is the name behind the id of a person or channel, without @ or #; the id itself when it is nobody's.
func (w *Workspace) Name(id string) string {
	if p, ok := w.people[id]; ok {
		return p.Name
	}
	if c, ok := w.channels[id]; ok {
		return c.Name
	}
	return id
}

type renderer struct {
	name func(id string) string
	now  time.Time
}

func (r renderer) block(b node) []string {
	switch b.text("type") {
	case "header":
		return prefixed(r.textLines(b.child("text")), "# ")
	case "section":
		return r.section(b)
	case "context":
		return []string{r.inline(b.list("elements"), " | ")}
	case "actions":
		return []string{r.inline(b.list("elements"), " ")}
	case "divider":
		return []string{"--------"}
	case "image":
		return []string{r.element(b)}
	case "input":
		return append(r.textLines(b.child("label")), r.element(b.child("element")))
	case "rich_text":
		var lines []string
		for _, e := range b.list("elements") {
			lines = append(lines, r.richElement(e)...)
		}
		return lines
	default:
		if lines, known := r.data(b); known {
			return lines
		}
		return []string{unknown(b)}
	}
}

func (r renderer) section(b node) []string {
	var lines []string
	if b.has("text") {
		lines = r.textLines(b.child("text"))
	}
	for _, f := range b.list("fields") {
		field := r.textLines(f)
		lines = append(lines, field[0])
		lines = append(lines, prefixed(field[1:], "  ")...)
	}
	if b.has("accessory") {
		lines = append(lines, r.element(b.child("accessory")))
	}
	return lines
}

// textLines renders a text object, at least one line.
func (r renderer) textLines(n node) []string {
	return strings.Split(r.textObject(n), "\n")
}

func (r renderer) textObject(n node) string {
	switch n.text("type") {
	case plain:
		return n.text("text")
	case "mrkdwn":
		return r.mrkdwn(n.text("text"))
	default:
		return unknown(n)
	}
}

func (r renderer) inline(elements []node, separator string) string {
	parts := make([]string, len(elements))
	for i, e := range elements {
		parts[i] = r.element(e)
	}
	return strings.Join(parts, separator)
}

func (r renderer) element(e node) string {
	switch e.text("type") {
	case plain, "mrkdwn":
		return r.textObject(e)
	case "button":
		if url := e.text("url"); url != "" {
			return fmt.Sprintf("[ %s ](%s)", e.child("text").text("text"), url)
		}
		return "[ " + e.child("text").text("text") + " ]"
	case "image":
		return fmt.Sprintf("[image: %s](%s)", e.text("alt_text"), e.text("image_url"))
	}
	switch stateKey(e.text("type")) {
	case "":
		return unknown(e)
	case "selected_option", "selected_options":
		return r.chooser(e)
	default:
		return r.blank(e)
	}
}

// unknown shows what this renderer does not know, in one line.
func unknown(n node) string {
	raw, err := encode(n)
	if err != nil {
		return fmt.Sprintf("%s %v", n.text("type"), err)
	}
	return n.text("type") + " " + string(raw)
}

func prefixed(lines []string, prefix string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = prefix + line
	}
	return out
}
