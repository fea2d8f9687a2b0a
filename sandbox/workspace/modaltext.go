package workspace

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// RenderModal returns a modal as readable lines: its title, its blocks, fields with what stands in them and what is wrong with
// them, its buttons. Otherwise it is [Workspace.Render].
func (w *Workspace) RenderModal(m Modal) []string {
	r := renderer{name: w.Name, now: time.Now()}
	lines := []string{"== " + m.Title + " =="}
	if m.Notice != "" {
		lines = append(lines, "! "+m.Notice)
	}
	lines = append(lines, r.view(m.Blocks, m.Fields)...)
	buttons := "[ " + m.Close + " ]"
	if m.Submit != "" {
		buttons += " [ " + m.Submit + " ]"
	}
	if m.Busy {
		buttons += " (being sent)"
	}
	lines = append(lines, buttons)
	return strings.Split(strings.Map(printable, strings.Join(lines, "\n")), "\n")
}

// RenderHome returns a Home tab as readable lines, as [Workspace.RenderModal] does a modal.
func (w *Workspace) RenderHome(h Home) []string {
	r := renderer{name: w.Name, now: time.Now()}
	lines := []string{"== Home =="}
	if h.Notice != "" {
		lines = append(lines, "! "+h.Notice)
	}
	lines = append(lines, r.view(h.Blocks, h.Fields)...)
	return strings.Split(strings.Map(printable, strings.Join(lines, "\n")), "\n")
}

func (r renderer) view(blocks json.RawMessage, fields []Field) []string {
	var lines []string
	for _, b := range parseBlocks(blocks) {
		if b.text("type") == "input" {
			lines = append(lines, r.field(fields, b)...)
		} else {
			lines = append(lines, r.block(b)...)
		}
	}
	return lines
}

func (r renderer) field(fields []Field, b node) []string {
	for _, f := range fields {
		if f.BlockID != b.text("block_id") {
			continue
		}
		value := f.Value
		if value == "" {
			value = r.element(b.child("element"))
		}
		line := f.Label + ": " + value
		if f.Optional {
			line = f.Label + " (optional): " + value
		}
		lines := []string{line}
		if b.has("hint") {
			lines = append(lines, "  "+b.child("hint").text("text"))
		}
		if f.Error != "" {
			lines = append(lines, "  ! "+f.Error)
		}
		return lines
	}
	return r.block(b)
}

// chooser shows what can be chosen, and in brackets what is.
func (r renderer) chooser(e node) string {
	chosen := map[string]bool{}
	for _, value := range newForm().of(control{element: e}) {
		chosen[value] = true
	}
	var options []string
	for _, o := range flat(e) {
		text := r.textObject(o.child("text"))
		if chosen[o.text("value")] {
			text = "(" + text + ")"
		}
		options = append(options, text)
	}
	name := e.child("placeholder").text("text")
	if name == "" {
		name = e.text("type")
	}
	if len(options) == 0 {
		return "[ " + name + " v ]"
	}
	return fmt.Sprintf("[ %s v ] %s", name, strings.Join(options, " | "))
}

// blank is a field that is to be filled in, with what it starts with.
func (r renderer) blank(e node) string {
	if values := newForm().of(control{element: e}); len(values) > 0 {
		return "[ " + values[0] + " ]"
	}
	return "[ " + e.child("placeholder").text("text") + "_ ]"
}
