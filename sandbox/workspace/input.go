package workspace

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// place is where an element stands, which is how the state of a view names it.
type place struct{ block, action string }

// control is an element that a person can use.
type control struct {
	place
	block   node // the outermost around it; may be nil for a button
	element node
}

func controlsIn(blocks []node) []control {
	var controls []control
	for _, b := range blocks {
		walk(b, b.text("block_id"), func(n node, blockID string) {
			if interactive(n.text("type")) {
				controls = append(controls, control{place{blockID, n.text("action_id")}, b, n})
			}
		})
	}
	return controls
}

// label is how a person would name the control.
func (c control) label() string {
	for _, text := range []string{
		c.block.child("label").text("text"), c.element.child("text").text("text"), c.element.child("placeholder").text("text"),
	} {
		if text != "" {
			return text
		}
	}
	return c.action
}

func (c control) called(name string) bool {
	return slices.Contains([]string{c.label(), c.action, c.place.block, c.element.child("placeholder").text("text")}, name)
}

// asks is true for a control that is part of a form; any other tells the bot at once what is done with it.
func (c control) asks() bool { return c.block.text("type") == "input" }

// dispatches is true when the bot hears of the control before the form is sent.
func (c control) dispatches() bool {
	early, _ := c.block["dispatch_action"].(bool)
	return early || !c.asks()
}

// stateKey is how the state of an element names its value, empty for an element without one.
func stateKey(kind string) string {
	switch kind {
	case "plain_text_input", "number_input", "email_text_input", "url_text_input":
		return "value"
	case "static_select", "external_select", "radio_buttons", "overflow":
		return "selected_option"
	case "checkboxes", "multi_static_select", "multi_external_select":
		return "selected_options"
	case "datepicker":
		return "selected_date"
	case "timepicker":
		return "selected_time"
	default:
		return ""
	}
}

// form is what one person put into the controls of a view or message: a text, a date, or values of options.
type form struct {
	values  map[place][]string
	offered map[place][]node // by the bot, for external selects
}

func newForm() *form {
	return &form{values: map[place][]string{}, offered: map[place][]node{}}
}

// of is what stands in a control, at first what the bot put there.
func (f *form) of(c control) []string {
	if values, touched := f.values[c.place]; touched {
		return values
	}
	e := c.element
	switch stateKey(e.text("type")) {
	case "value":
		return nonEmpty(e.text("initial_value"))
	case "selected_date":
		return nonEmpty(e.text("initial_date"))
	case "selected_time":
		return nonEmpty(e.text("initial_time"))
	case "selected_option":
		return nonEmpty(e.child("initial_option").text("value"))
	default:
		var values []string
		for _, o := range e.list("initial_options") {
			values = append(values, o.text("value"))
		}
		return values
	}
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// options are what can be chosen now.
func (f *form) options(c control) []node {
	options := slices.Concat(flat(c.element), f.offered[c.place], c.element.list("initial_options"))
	if initial := c.element.child("initial_option"); initial != nil {
		options = append(options, initial)
	}
	return options
}

// flat are the options of a select or of an answer to a suggestion, those in groups too.
func flat(n node) []node {
	options := n.list("options")
	for _, group := range n.list("option_groups") {
		options = append(options, group.list("options")...)
	}
	return options
}

// option finds one by its value, or by what it says.
func (f *form) option(c control, named string) (node, bool) {
	options := f.options(c)
	for _, matches := range []func(node) bool{
		func(o node) bool { return o.text("value") == named },
		func(o node) bool { return o.child("text").text("text") == named },
	} {
		if i := slices.IndexFunc(options, matches); i >= 0 {
			return options[i], true
		}
	}
	return nil, false
}

// put changes what stands in a control. Options are named by value or text.
func (f *form) put(c control, values []string) error {
	switch key := stateKey(c.element.text("type")); key {
	case "":
		return fmt.Errorf("%s is a %s, which takes no value here", c.label(), c.element.text("type"))
	case "selected_option", "selected_options":
		if key == "selected_option" && len(values) > 1 {
			return fmt.Errorf("%s takes one option", c.label())
		}
		if most, limited := c.element.number("max_selected_items"); limited && float64(len(values)) > most {
			return fmt.Errorf("%s takes %v options at most", c.label(), most)
		}
		chosen := make([]string, len(values))
		for i, named := range values {
			o, ok := f.option(c, named)
			if !ok {
				return fmt.Errorf("%s has no option %q; there are: %s", c.label(), named, strings.Join(labels(f.options(c)), ", "))
			}
			chosen[i] = o.text("value")
		}
		f.values[c.place] = chosen
	default:
		f.values[c.place] = nonEmpty(strings.Join(values, "\n"))
	}
	return nil
}

func labels(options []node) []string {
	texts := make([]string, len(options))
	for i, o := range options {
		texts[i] = o.child("text").text("text")
	}
	return texts
}

// keep drops what no longer fits after the controls changed: of another kind of element, or an option that is gone.
func (f *form) keep(before, after []control) {
	kinds := map[place]string{}
	for _, c := range before {
		kinds[c.place] = c.element.text("type")
	}
	for _, c := range after {
		gone := func(value string) bool {
			_, there := f.option(c, value)
			return !there
		}
		kind := c.element.text("type")
		chosen := strings.HasPrefix(stateKey(kind), "selected_option")
		if kinds[c.place] != kind || chosen && slices.ContainsFunc(f.values[c.place], gone) {
			delete(f.values, c.place)
		}
	}
}

// state is the object that stands for a control in the state of its view; nothing filled in is null.
func (f *form) state(c control) reply {
	kind := c.element.text("type")
	key, values := stateKey(kind), f.of(c)
	s := reply{"type": kind, key: nil}
	switch key {
	case "selected_options":
		chosen := []node{}
		for _, v := range values {
			if o, ok := f.option(c, v); ok {
				chosen = append(chosen, o)
			}
		}
		s[key] = chosen
	case "selected_option":
		if len(values) > 0 {
			s[key], _ = f.option(c, values[0])
		}
	default:
		if len(values) > 0 {
			s[key] = values[0]
		}
	}
	return s
}

// states is the values object of a state.
func (f *form) states(controls []control) reply {
	all := map[string]reply{}
	for _, c := range controls {
		if kind := c.element.text("type"); stateKey(kind) == "" || kind == "overflow" {
			continue
		}
		if all[c.place.block] == nil {
			all[c.place.block] = reply{}
		}
		all[c.place.block][c.action] = f.state(c)
	}
	values := reply{}
	for id, block := range all {
		values[id] = block
	}
	return values
}

func (n node) number(key string) (float64, bool) {
	v, ok := n[key].(json.Number)
	if !ok {
		return 0, false
	}
	f, err := v.Float64()
	return f, err == nil
}
