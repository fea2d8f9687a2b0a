package workspace

import (
	"strings"
)

// interactive is true for elements that carry an action_id.
func interactive(kind string) bool {
	return oneOf(kind, "button checkboxes datepicker datetimepicker email_text_input number_input overflow plain_text_input "+
		"file_input radio_buttons rich_text_input timepicker url_text_input workflow_button feedback_buttons icon_button") ||
		strings.HasSuffix(kind, "_select")
}

// outside checks an element that does not stand in an input block.
func (c *checker) outside(path string, e node) {
	if oneOf(e.text("type"), inputsOnly) {
		c.fail(path, "unsupported type: %s", e.text("type"))
		return
	}
	c.element(path, e)
}

// element checks in full what people use here, of other elements only what all have in common.
func (c *checker) element(path string, e node) {
	kind := e.text("type")
	if kind == "image" {
		c.image(path, e)
		return
	}
	if !interactive(kind) {
		c.fail(path, "unsupported type: %s", kind)
		return
	}
	c.length(path, e, "action_id", maxID)
	if e.has("confirm") {
		c.confirm(path+"/confirm", e.child("confirm"))
	}
	switch key := stateKey(kind); {
	case kind == "button":
		c.button(path, e)
	case key == "value":
		c.textInput(path, e)
	case key == "selected_option" || key == "selected_options":
		c.chooser(path, e)
	}
}

func (c *checker) button(path string, e node) {
	c.fields(path, e, "text action_id url value style confirm accessibility_label visible_to_user_ids")
	c.required(path, e, "text")
	c.object(path, e, "text", plain, 75)
	c.length(path, e, "value", 2000)
	c.length(path, e, "url", 3000)
	c.length(path, e, "accessibility_label", 75)
	c.style(path, e)
}

func (c *checker) confirm(path string, n node) {
	c.fields(path, n, "title text confirm deny style")
	c.required(path, n, "title", "text", "confirm", "deny")
	c.object(path, n, "title", plain, 100)
	c.object(path, n, "text", anyText, 300)
	c.object(path, n, "confirm", plain, 30)
	c.object(path, n, "deny", plain, 30)
	c.style(path, n)
}

func (c *checker) style(path string, n node) {
	if n.has("style") && !oneOf(n.text("style"), "primary danger") {
		c.fail(path+"/style", "must be one of: primary, danger")
	}
}
