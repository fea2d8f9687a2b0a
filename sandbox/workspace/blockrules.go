package workspace

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// The limits are those that Slack documents per block and element, lengths in characters. The messages have Slack's form.
const (
	maxBlocks     = 50
	maxID         = 255
	plain         = "plain_text"
	anyText       = "plain_text mrkdwn"
	richTexts     = "rich_text_section rich_text_list rich_text_preformatted rich_text_quote"
	notInMessages = "alert file"
	uncheckable   = "call card carousel container context_actions data_table layout video"
)

// checker collects what is wrong with the blocks of one message or view.
type checker struct {
	problems []string
	ids      map[string]bool
	unfit    string // the types of block that this surface does not take
}

func checkBlocks(blocks []node) error {
	c := &checker{ids: map[string]bool{}, unfit: notInMessages}
	c.count("/blocks", len(blocks), maxBlocks)
	for i, b := range blocks {
		c.block(fmt.Sprint("/blocks/", i), b)
	}
	err := c.together(blocks)
	if len(c.problems) > 0 {
		return apiError{code: "invalid_blocks", details: c.problems}
	}
	return err
}

func (c *checker) fail(path, format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf("[ERROR] "+format+" [json-pointer:"+path+"]", args...))
}

// count wants one to most.
func (c *checker) count(path string, n, most int) {
	if n > most {
		c.fail(path, "no more than %d items allowed", most)
	}
	if n == 0 {
		c.fail(path, "no fewer than 1 items allowed")
	}
}

// length checks an optional string.
func (c *checker) length(path string, n node, key string, most int) {
	if v, ok := n[key]; ok {
		c.chars(path+"/"+key, v, most)
	}
}

func (c *checker) chars(path string, v any, most int) {
	s, ok := v.(string)
	switch n := utf8.RuneCountInString(s); {
	case !ok:
		c.fail(path, "must be a string")
	case n == 0:
		c.fail(path, "must be more than 0 characters")
	case n > most:
		c.fail(path, "must be less than %d characters", most+1)
	}
}

// fields refuses properties that Slack does not know, which is how typing errors show.
func (c *checker) fields(path string, n node, known string) {
	for _, key := range slices.Sorted(maps.Keys(n)) {
		if key != "type" && !oneOf(key, known) {
			c.fail(path, "invalid additional property: %s", key)
		}
	}
}

func (c *checker) required(path string, n node, keys ...string) {
	for _, key := range keys {
		if !n.has(key) {
			c.fail(path, "missing required field: %s", key)
		}
	}
}

// object checks an optional text object of one of the kinds.
func (c *checker) object(path string, n node, key, kinds string, most int) {
	if !n.has(key) {
		return
	}
	c.textObject(path+"/"+key, n.child(key), kinds, most)
}

func (c *checker) textObject(path string, n node, kinds string, most int) {
	if !oneOf(n.text("type"), kinds) {
		c.fail(path, "must be a valid text object of type %s", strings.ReplaceAll(kinds, " ", " or "))
		return
	}
	if n.text("type") == plain {
		c.fields(path, n, "text emoji")
	} else {
		c.fields(path, n, "text verbatim")
	}
	c.required(path, n, "text")
	c.length(path, n, "text", most)
}

func (c *checker) block(path string, b node) {
	c.length(path, b, "block_id", maxID)
	if id := b.text("block_id"); id != "" {
		if c.ids[id] {
			c.fail(path+"/block_id", "`block_id` %q already exists", id)
		}
		c.ids[id] = true
	}
	kind := b.text("type")
	if oneOf(kind, c.unfit) {
		c.fail(path, "unsupported type: %s", kind)
		return
	}
	switch kind {
	case "divider":
		c.fields(path, b, "block_id")
	case "header":
		c.fields(path, b, "block_id text level")
		c.required(path, b, "text")
		c.object(path, b, "text", plain, 150)
	case "section":
		c.section(path, b)
	case "context":
		c.context(path, b)
	case "actions":
		c.actions(path, b)
	case "image":
		c.fields(path, b, "block_id image_url slack_file alt_text title")
		c.image(path, b)
		c.object(path, b, "title", plain, 2000)
	case "input":
		c.input(path, b)
	case "rich_text":
		c.richText(path, b)
	case "table":
		c.table(path, b)
	case "task_card":
		c.task(path, b)
	case "plan":
		c.plan(path, b)
	case "data_visualization":
		c.chart(path, b)
	case "markdown":
		c.fields(path, b, "block_id text")
		c.required(path, b, "text")
		c.length(path, b, "text", maxMarkdown)
	default:
		if !oneOf(kind, uncheckable+" alert file") {
			c.fail(path, "unsupported type: %s", kind)
		}
	}
}

func (c *checker) section(path string, b node) {
	c.fields(path, b, "block_id text fields accessory expand")
	if !b.has("text") && !b.has("fields") {
		c.fail(path, "missing required field: text or fields")
	}
	c.object(path, b, "text", anyText, 3000)
	if b.has("fields") {
		fields := b.list("fields")
		c.count(path+"/fields", len(fields), 10)
		for i, f := range fields {
			c.textObject(fmt.Sprint(path, "/fields/", i), f, anyText, 2000)
		}
	}
	if b.has("accessory") {
		c.outside(path+"/accessory", b.child("accessory"))
	}
}

func (c *checker) context(path string, b node) {
	c.fields(path, b, "block_id elements")
	elements := b.list("elements")
	c.count(path+"/elements", len(elements), 10)
	for i, e := range elements {
		at := fmt.Sprint(path, "/elements/", i)
		if e.text("type") == "image" {
			c.image(at, e)
			continue
		}
		c.textObject(at, e, anyText, 3000)
	}
}

func (c *checker) actions(path string, b node) {
	c.fields(path, b, "block_id elements")
	elements := b.list("elements")
	c.count(path+"/elements", len(elements), 25)
	ids := map[string]bool{}
	for i, e := range elements {
		at := fmt.Sprint(path, "/elements/", i)
		c.outside(at, e)
		if id := e.text("action_id"); id != "" && ids[id] {
			c.fail(at+"/action_id", "`action_id` %q already exists", id)
		} else {
			ids[id] = true
		}
	}
}

func (c *checker) image(path string, n node) {
	c.required(path, n, "alt_text")
	if !n.has("image_url") && !n.has("slack_file") {
		c.fail(path, "missing required field: image_url")
	}
	c.length(path, n, "image_url", 3000)
	c.length(path, n, "alt_text", 2000)
}

func (c *checker) input(path string, b node) {
	c.fields(path, b, "block_id label element dispatch_action hint optional")
	c.required(path, b, "label", "element")
	c.object(path, b, "label", plain, 2000)
	c.object(path, b, "hint", plain, 2000)
	if !b.has("element") {
		return
	}
	e := b.child("element")
	if oneOf(e.text("type"), "button overflow image") {
		c.fail(path+"/element", "unsupported type: %s", e.text("type"))
		return
	}
	c.element(path+"/element", e)
}

func (c *checker) richText(path string, b node) {
	c.fields(path, b, "block_id elements")
	elements := b.list("elements")
	c.count(path+"/elements", len(elements), maxBlocksText) // no documented maximum
	for i, e := range elements {
		if !oneOf(e.text("type"), richTexts) {
			c.fail(fmt.Sprint(path, "/elements/", i), "unsupported type: %s", e.text("type"))
		}
	}
}

func oneOf(s, words string) bool {
	return s != "" && slices.Contains(strings.Fields(words), s)
}
