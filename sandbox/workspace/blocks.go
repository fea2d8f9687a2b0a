package workspace

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// node is one JSON object of Block Kit. Blocks stay generic, so that what is unknown is kept and shown, never dropped.
type node map[string]any

func (n node) text(key string) string {
	s, _ := n[key].(string)
	return s
}

func (n node) child(key string) node {
	c, _ := n[key].(map[string]any)
	return c
}

func (n node) list(key string) []node {
	values, _ := n[key].([]any)
	nodes := make([]node, len(values))
	for i, v := range values {
		nodes[i], _ = v.(map[string]any)
	}
	return nodes
}

func (n node) has(key string) bool {
	_, ok := n[key]
	return ok
}

// Button is a button in a message, wherever it stands in the blocks.
type Button struct {
	Label    string
	ActionID string
	BlockID  string
	Value    string
	Style    string // primary, danger or empty
	URL      string
	Confirm  string // the confirmation dialog as lines of text, empty without one
	element  node
}

// encode leaves < > & as they are, which people may have to read.
func encode(v any) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSpace(out.Bytes()), err
}

// parseBlocks is nil for what is not an array of objects.
func parseBlocks(raw json.RawMessage) []node {
	if !json.Valid(raw) {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // a number goes out as it came in
	var blocks []node
	if decoder.Decode(&blocks) != nil {
		return nil
	}
	return blocks
}

// parseNode is nil for what is not an object.
func parseNode(raw json.RawMessage) node {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var n node
	if decoder.Decode(&n) != nil {
		return nil
	}
	return n
}

func buttonsIn(blocks []node) []Button {
	var buttons []Button
	for _, b := range blocks {
		walk(b, b.text("block_id"), func(n node, blockID string) {
			if n.text("type") == "button" {
				buttons = append(buttons, newButton(n, blockID))
			}
		})
	}
	return buttons
}

func newButton(n node, blockID string) Button {
	b := Button{
		Label: n.child("text").text("text"), ActionID: n.text("action_id"), BlockID: blockID, Value: n.text("value"),
		Style: n.text("style"), URL: n.text("url"), element: n,
	}
	if c := n.child("confirm"); c != nil {
		b.Confirm = strings.Join([]string{
			c.child("title").text("text"), c.child("text").text("text"),
			"[ " + c.child("confirm").text("text") + " ] [ " + c.child("deny").text("text") + " ]",
		}, "\n")
	}
	return b
}

// walk visits the objects that can hold elements, in order, with the id of the nearest block.
func walk(n node, blockID string, visit func(node, string)) {
	visit(n, blockID)
	children := append(n.list("elements"), n.child("accessory"), n.child("element"))
	children = append(children, n.list("actions")...)
	children = append(children, n.list("child_blocks")...)
	for _, c := range children {
		if c == nil {
			continue
		}
		id := blockID
		if c.has("block_id") {
			id = c.text("block_id")
		}
		walk(c, id, visit)
	}
}

// acceptBlocks checks the blocks of a message and fills in the ids that Slack generates. None and "[]" are nil.
func acceptBlocks(raw string) (json.RawMessage, error) {
	if raw == "" || raw == "null" {
		return nil, nil
	}
	blocks := parseBlocks(json.RawMessage(raw))
	if blocks == nil {
		return nil, apiError{code: "invalid_blocks_format"}
	}
	if len(blocks) == 0 {
		return nil, nil
	}
	if err := checkBlocks(blocks); err != nil {
		return nil, err
	}
	if textLength(blocks) > maxBlocksText {
		return nil, apiError{code: "msg_blocks_too_long"}
	}
	for _, b := range blocks {
		fillIDs(b)
	}
	return encode(blocks)
}

func fillIDs(b node) {
	if !b.has("block_id") {
		b["block_id"] = rand.Text()[:5]
	}
	walk(b, "", func(n node, _ string) {
		if interactive(n.text("type")) && !n.has("action_id") {
			n["action_id"] = rand.Text()[:5]
		}
	})
}

// textLength sums every text in characters.
func textLength(v any) int {
	sum := 0
	switch v := v.(type) {
	case []node:
		for _, n := range v {
			sum += textLength(map[string]any(n))
		}
	case []any:
		for _, item := range v {
			sum += textLength(item)
		}
	case map[string]any:
		for key, item := range v {
			if s, isText := item.(string); isText && key == "text" {
				sum += utf8.RuneCountInString(s)
			} else {
				sum += textLength(item)
			}
		}
	}
	return sum
}
