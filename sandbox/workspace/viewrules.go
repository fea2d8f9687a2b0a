package workspace

import "fmt"

// Documented limits of views and of what stands in them, in characters where nothing else is said.
const (
	maxViewBlocks = 100
	maxMetadata   = 3000
	maxInput      = 3000
	maxOptions    = 100
	notInModals   = "card carousel container context_actions data_table data_visualization markdown plan table task_card"
	inputsOnly    = "email_text_input file_input number_input plain_text_input rich_text_input url_text_input"
)

// checkView checks a modal; home tabs are not served.
func checkView(v node) []string {
	const at = "/view"
	c := &checker{ids: map[string]bool{}, modal: true}
	c.fields(at, v, "title submit close blocks private_metadata callback_id external_id clear_on_close notify_on_close submit_disabled")
	if v.text("type") != "modal" {
		c.fail(at+"/type", "must be one of: modal")
	}
	c.required(at, v, "title", "blocks")
	for _, key := range []string{"title", "submit", "close"} {
		c.object(at, v, key, plain, 24)
	}
	c.most(at, v, "private_metadata", maxMetadata)
	c.most(at, v, "callback_id", maxID)
	c.most(at, v, "external_id", maxID)
	blocks, asks := v.list("blocks"), false
	if len(blocks) > maxViewBlocks {
		c.fail(at+"/blocks", "no more than %d items allowed", maxViewBlocks)
	}
	for i, b := range blocks {
		c.block(fmt.Sprint(at, "/blocks/", i), b)
		asks = asks || b.text("type") == "input"
	}
	if asks && !v.has("submit") {
		c.fail(at, "must define `submit` to use an `input` block in modals")
	}
	return c.problems
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
