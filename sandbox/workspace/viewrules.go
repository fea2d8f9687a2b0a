package workspace

import (
	"fmt"
	"slices"
)

// Documented limits of views and of what stands in them, in characters where nothing else is said.
const (
	maxViewBlocks = 100
	maxMetadata   = 3000
	maxInput      = 3000
	maxOptions    = 100
	notInModals   = "card carousel container context_actions data_table data_visualization markdown plan table task_card"
	notInHome     = "alert context_actions data_table markdown plan table task_card"
	inputsOnly    = "email_text_input file_input number_input plain_text_input rich_text_input url_text_input"
)

// checkModal checks a view of views.open, push or update.
func checkModal(v node) []string {
	c := viewChecker(v, "modal", notInModals)
	c.fields(viewAt, v, "title submit close blocks private_metadata callback_id external_id clear_on_close notify_on_close submit_disabled")
	c.required(viewAt, v, "title")
	for _, key := range []string{"title", "submit", "close"} {
		c.object(viewAt, v, key, plain, 24)
	}
	asks := func(b node) bool { return b.text("type") == "input" }
	if slices.ContainsFunc(v.list("blocks"), asks) && !v.has("submit") {
		c.fail(viewAt, "must define `submit` to use an `input` block in modals")
	}
	return c.problems
}

// checkHome checks a view of views.publish.
func checkHome(v node) []string {
	c := viewChecker(v, "home", notInHome)
	c.fields(viewAt, v, "blocks private_metadata callback_id external_id")
	return c.problems
}

const viewAt = "/view"

// viewChecker has checked what modals and Home tabs have in common.
func viewChecker(v node, kind, unfit string) *checker {
	c := &checker{ids: map[string]bool{}, unfit: unfit}
	if v.text("type") != kind {
		c.fail(viewAt+"/type", "must be one of: %s", kind)
	}
	c.required(viewAt, v, "blocks")
	c.most(viewAt, v, "private_metadata", maxMetadata)
	c.most(viewAt, v, "callback_id", maxID)
	c.most(viewAt, v, "external_id", maxID)
	blocks := v.list("blocks")
	if len(blocks) > maxViewBlocks {
		c.fail(viewAt+"/blocks", "no more than %d items allowed", maxViewBlocks)
	}
	for i, b := range blocks {
		c.block(fmt.Sprint(viewAt, "/blocks/", i), b)
	}
	return c
}

// most checks an optional string that may be empty.
func (c *checker) most(path string, n node, key string, most int) {
	if n.text(key) != "" || n.has(key) && n[key] != "" {
		c.length(path, n, key, most)
	}
}

// chooser checks an element that offers options.
func (c *checker) chooser(path string, e node) {
	c.object(path, e, "placeholder", plain, 150)
	most, texts := maxOptions, plain
	switch e.text("type") {
	case "radio_buttons", "checkboxes":
		most, texts = 10, anyText
	case "overflow":
		most = 5
	case "external_select", "multi_external_select":
		return // its options come later
	}
	if !e.has("option_groups") {
		c.required(path, e, "options")
	}
	if e.has("options") {
		options := e.list("options")
		c.count(path+"/options", len(options), most)
		c.options(path+"/options", options, texts)
	}
	if e.has("option_groups") {
		groups := e.list("option_groups")
		c.count(path+"/option_groups", len(groups), maxOptions)
		for i, g := range groups {
			c.group(fmt.Sprint(path, "/option_groups/", i), g)
		}
	}
	c.initial(path, e)
}

// group checks one group of options.
func (c *checker) group(path string, g node) {
	c.fields(path, g, "label options")
	c.required(path, g, "label", "options")
	c.object(path, g, "label", plain, 75)
	options := g.list("options")
	c.count(path+"/options", len(options), maxOptions)
	c.options(path+"/options", options, plain)
}

func (c *checker) options(path string, options []node, texts string) {
	for i, o := range options {
		at := fmt.Sprint(path, "/", i)
		c.fields(at, o, "text value description url")
		c.required(at, o, "text", "value")
		c.object(at, o, "text", texts, 75)
		c.length(at, o, "value", 150)
		c.object(at, o, "description", texts, 75)
	}
}

// initial wants what is chosen at first to be among the options.
func (c *checker) initial(path string, e node) {
	chosen := e.list("initial_options")
	if first := e.child("initial_option"); first != nil {
		chosen = append(chosen, first)
	}
	values := map[string]bool{}
	for _, o := range flat(e) {
		values[o.text("value")] = true
	}
	for _, o := range chosen {
		if !values[o.text("value")] {
			c.fail(path, "initial option %q is not among the options", o.text("value"))
		}
	}
}

// textInput checks plain_text_input and its likes.
func (c *checker) textInput(path string, e node) {
	c.object(path, e, "placeholder", plain, 150)
	for _, key := range []string{"min_length", "max_length"} {
		if n, ok := e.number(key); ok && (n < 0 || n > maxInput) {
			c.fail(path+"/"+key, "must be between 0 and %d", maxInput)
		}
	}
	if e.text("type") == "number_input" {
		c.required(path, e, "is_decimal_allowed")
	}
	c.most(path, e, "initial_value", maxInput)
}
