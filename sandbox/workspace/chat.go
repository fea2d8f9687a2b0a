package workspace

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of one message in characters. The sum over blocks is undocumented; reports name 13,172 to 13,297.
const (
	maxText       = 40000
	maxBlocksText = 13200

	maxMessageMetadata = 8000 // inferred: that there is a limit is documented
)

// newContent checks the visible part of a message; a missing text beside blocks is allowed.
func newContent(p params) (Message, error) {
	m := Message{Text: p["text"]}
	if utf8.RuneCountInString(m.Text) > maxText {
		return m, apiError{code: "msg_too_long"}
	}
	var err error
	if m.Blocks, err = acceptBlocks(p["blocks"]); err != nil {
		return m, err
	}
	if m.Metadata, err = acceptMetadata(p["metadata"]); err != nil {
		return m, err
	}
	if m.Text == "" && m.Blocks == nil {
		return m, apiError{code: "no_text"}
	}
	return m, nil
}

func acceptMetadata(raw string) (json.RawMessage, error) {
	if raw == "" || raw == "{}" {
		return nil, nil
	}
	if utf8.RuneCountInString(raw) > maxMessageMetadata {
		return nil, apiError{code: "metadata_too_large"}
	}
	var shape struct {
		EventType    string `json:"event_type"`
		EventPayload node   `json:"event_payload"`
	}
	if err := json.Unmarshal([]byte(raw), &shape); err != nil {
		return nil, apiError{code: "invalid_metadata_format"}
	}
	if shape.EventType == "" || shape.EventPayload == nil || !flatPayload(shape.EventPayload) {
		return nil, apiError{code: "invalid_metadata_schema"}
	}
	return json.RawMessage(raw), nil
}

// flatPayload wants each value to be a string, a number, a boolean, an object of those, or an array of all these (documented).
func flatPayload(payload node) bool {
	flat := func(v any) bool {
		switch v := v.(type) {
		case string, float64, bool:
			return true
		case map[string]any:
			return !slices.ContainsFunc(slices.Collect(maps.Values(v)), func(v any) bool {
				_, list := v.([]any)
				_, object := v.(map[string]any)
				return list || object || v == nil
			})
		}
		return false
	}
	for _, v := range payload {
		items, list := v.([]any)
		if !list {
			items = []any{v}
		}
		for _, item := range items {
			if !flat(item) {
				return false
			}
		}
	}
	return true
}

// composed is a new message of the bot, in a thread if it says so.
func (w *Workspace) composed(p params) (*channel, Message, error) {
	c, err := w.addressed(p)
	if err != nil {
		return nil, Message{}, err
	}
	m, err := newContent(p)
	if err != nil {
		return nil, Message{}, err
	}
	m.User = botUserID
	if ts := p["thread_ts"]; ts != "" {
		if m.ThreadTS = c.threadOf(ts); m.ThreadTS == "" {
			return nil, Message{}, apiError{code: "thread_not_found"} // inferred
		}
		m.Broadcast = p["reply_broadcast"] == "true"
	}
	return c, m, nil
}

func (w *Workspace) chatPostMessage(p params) (reply, error) {
	c, m, err := w.composed(p)
	if err != nil {
		return nil, err
	}
	posted := w.post(c, m)
	return reply{"channel": c.ID, "ts": posted.TS, "message": w.wireMessage(c, posted)}, nil
}

func (w *Workspace) chatPostEphemeral(p params) (reply, error) {
	c, m, err := w.composed(p)
	if err != nil {
		return nil, err
	}
	if _, known := w.people[p["user"]]; !known {
		return nil, apiError{code: "user_not_in_channel"}
	}
	m.EphemeralFor, m.Broadcast = p["user"], false
	return reply{"message_ts": w.post(c, m).TS}, nil
}

// stored finds the message that a call names; to the API an ephemeral message does not exist.
func (w *Workspace) stored(p params, field string) (*channel, *Message, error) {
	c, err := w.addressed(p)
	if err != nil {
		return nil, nil, err
	}
	m := c.message(p[field])
	if m == nil || m.EphemeralFor != "" {
		return nil, nil, apiError{code: "message_not_found"}
	}
	return c, m, nil
}

// chatUpdate keeps the blocks or the metadata of the message when the call names none; "[]" clears blocks, "{}" metadata
// (documented).
func (w *Workspace) chatUpdate(p params) (reply, error) {
	c, m, err := w.stored(p, "ts")
	if err != nil {
		return nil, err
	}
	if m.User != botUserID || m.Subtype != "" {
		return nil, apiError{code: "cant_update_message"}
	}
	content, err := newContent(p)
	if err != nil {
		return nil, err
	}
	if p["blocks"] == "" {
		content.Blocks = m.Blocks
	}
	if p["metadata"] == "" {
		content.Metadata = m.Metadata
	}
	w.edit(c, m, content)
	return reply{"channel": c.ID, "ts": m.TS, "text": m.Text, "message": w.wireMessage(c, m)}, nil
}

func (w *Workspace) chatDelete(p params) (reply, error) {
	c, m, err := w.stored(p, "ts")
	if err != nil {
		return nil, err
	}
	if m.User != botUserID || m.Subtype != "" {
		return nil, apiError{code: "cant_delete_message"}
	}
	w.remove(c, m)
	return reply{"channel": c.ID, "ts": m.TS}, nil
}

func (w *Workspace) chatGetPermalink(p params) (reply, error) {
	c, m, err := w.stored(p, "message_ts")
	if err != nil {
		return nil, err
	}
	return reply{"channel": c.ID, "permalink": w.permalink(c, m)}, nil
}

func (w *Workspace) permalink(c *channel, m *Message) string {
	link := w.baseURL + "/archives/" + c.ID + "/p" + strings.ReplaceAll(m.TS, ".", "")
	if m.ThreadTS != "" {
		link += "?thread_ts=" + m.ThreadTS + "&cid=" + c.ID
	}
	return link
}
