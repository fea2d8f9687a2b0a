package render_test

import (
	"fmt"
	"testing"
	"unicode/utf8"
)

// most are Slack's limits in characters, or in elements of a list, by the type of what has the field and its name. An option
// has no type, and neither has a confirm dialog.
func most() map[string]int {
	return map[string]int{
		"header.text": 150, "section.text": 3000, "section.fields": 10, "context.elements": 10, "actions.elements": 25, "markdown.text": 12000,
		"button.text": 75, "button.value": 2000, "button.url": 3000, "button.accessibility_label": 75,
		"confirm.title": 100, "confirm.text": 300, "confirm.confirm": 30, "confirm.deny": 30,
		"option.text": 75, "option.value": 150, "option.description": 75, "group.label": 75,
		"input.label": 2000, "input.hint": 2000, "image.image_url": 3000, "image.alt_text": 2000, "plain_text.text": 3000, "mrkdwn.text": 3000,
		"modal.title": 24, "modal.submit": 24, "modal.close": 24,
	}
}

// misfits are the fields below a message or a view that Slack would refuse for their length.
func misfits(n node) (problems []string) {
	ids := map[string]bool{}
	walk(n, func(n node) {
		kind, _ := n["type"].(string)
		_, confirms := n["deny"]
		_, groups := n["options"]
		_, valued := n["value"]
		switch {
		case kind != "":
		case confirms:
			kind = "confirm"
		case groups:
			kind = "group"
		case valued:
			kind = "option"
		}
		if id, ok := n["block_id"].(string); ok && (id == "" || length(id) > 255 || ids[id]) {
			problems = append(problems, fmt.Sprintf("block_id %q", id))
		} else if ok {
			ids[id] = true
		}
		for field, v := range n {
			limit, limited := most()[kind+"."+field]
			switch field {
			case "action_id", "callback_id":
				limit, limited = 255, true
			case "placeholder":
				limit, limited = 150, true
			case "options", "option_groups":
				limit, limited = 100, true
			}
			if size := sizeOf(v); limited && (size > limit || size == 0) {
				problems = append(problems, fmt.Sprintf("%s.%s has %d, at most %d", kind, field, size, limit))
			}
		}
	})
	return problems
}

// sizeOf counts characters of a text, bare or in a text object, or the elements of a list.
func sizeOf(v any) int {
	switch v := v.(type) {
	case string:
		return length(v)
	case []any:
		return len(v)
	case node:
		text, _ := v["text"].(string)
		return length(text)
	}
	return 0
}

func length(text string) int { return utf8.RuneCountInString(text) }

// What does not fit is found.
func TestMisfits(t *testing.T) {
	long := func(n int) string { return fmt.Sprintf("%0*d", n, 0) }
	for what, n := range map[string]node{
		"a header":     {"type": "header", "text": node{"type": "plain_text", "text": long(151)}},
		"a button":     {"type": "button", "text": node{"type": "plain_text", "text": long(76)}},
		"a value":      {"type": "button", "value": long(2001)},
		"a dialog":     {"title": node{"type": "plain_text", "text": long(101)}, "deny": node{"type": "plain_text", "text": "No"}},
		"an option":    {"text": node{"type": "plain_text", "text": "x"}, "value": long(151)},
		"a title":      {"type": "modal", "title": node{"type": "plain_text", "text": long(25)}},
		"no text":      {"type": "mrkdwn", "text": ""},
		"a menu":       {"type": "static_select", "options": make([]any, 101)},
		"ids alike":    {"blocks": []any{node{"block_id": "a"}, node{"block_id": "a"}}},
		"many buttons": {"type": "actions", "elements": make([]any, 26)},
		"in a view":    {"type": "modal", "blocks": []any{node{"type": "section", "text": node{"type": "mrkdwn", "text": long(3001)}}}},
	} {
		if len(misfits(n)) == 0 {
			t.Errorf("%s fits", what)
		}
	}
}
