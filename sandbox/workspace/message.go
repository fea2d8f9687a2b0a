package workspace

import (
	"encoding/json"
	"fmt"
	"time"
)

// Everyone as the viewer of [Workspace.Messages] sees the ephemeral messages of all people, as a transcript needs.
const Everyone = "*"

// Message is one message as the workspace holds it.
type Message struct {
	TS       string // Slack's timestamp: the message's id within its channel, increasing, never a number
	ThreadTS string // the parent's TS, empty outside a thread
	// Broadcast is a reply that is shown in the channel too (reply_broadcast).
	Broadcast bool
	User      string // the author's id
	Text      string // mrkdwn; only the fallback when there are blocks
	// Blocks is the Block Kit array as sent, plus the block_id and action_id that Slack generates where they are missing.
	Blocks   json.RawMessage
	Metadata json.RawMessage // {"event_type", "event_payload"} as sent
	// Subtype is that of what Slack writes itself about a channel, such as channel_topic; else empty.
	Subtype string
	Files   []File
	// EphemeralFor is the id of the only person who sees it, empty for a message to all.
	EphemeralFor string
	EditedAt     time.Time // zero when never edited
	Edits        int
	Buttons      []Button
}

type channel struct {
	Channel
	messages []*Message
	last     int64 // microseconds of the newest ts
	topic    string
	topicBy  string // the id of who set it
	topicAt  time.Time
	pins     []pin // oldest first
}

// nextTS is the current time, moved on as far as uniqueness needs.
func (c *channel) nextTS() string {
	c.last = max(time.Now().UnixMicro(), c.last+100)
	return timestamp(c.last)
}

func timestamp(micros int64) string { return fmt.Sprintf("%d.%06d", micros/1e6, micros%1e6) }

func (c *channel) message(ts string) *Message {
	for _, m := range c.messages {
		if m.TS == ts {
			return m
		}
	}
	return nil
}

// threadOf is the thread that a reply to the message with this ts goes to; a reply to a reply goes to the parent's. It is empty
// when nobody could reply.
func (c *channel) threadOf(ts string) string {
	switch m := c.message(ts); {
	case m == nil || m.EphemeralFor != "":
		return ""
	case m.ThreadTS != "":
		return m.ThreadTS
	default:
		return m.TS
	}
}

func (w *Workspace) post(c *channel, m Message) *Message {
	m.TS = c.nextTS()
	c.messages = append(c.messages, &m)
	kind := Posted
	if m.EphemeralFor != "" {
		kind = Ephemeral
	}
	w.publish(kind, c, &m)
	return &m
}

func (w *Workspace) edit(c *channel, m *Message, content Message) {
	m.Text, m.Blocks, m.Metadata = content.Text, content.Blocks, content.Metadata
	m.EditedAt = time.Now()
	m.Edits++
	w.publish(Edited, c, m)
}

func (w *Workspace) remove(c *channel, m *Message) {
	for i, other := range c.messages {
		if other == m {
			w.unpin(c, m.TS)
			c.messages = append(c.messages[:i:i], c.messages[i+1:]...)
			w.publish(Deleted, c, m)
			return
		}
	}
}

// tell shows a person what Slack itself has to say, as Slackbot does: "Only visible to you".
func (w *Workspace) tell(c *channel, p Person, text string) {
	w.post(c, Message{User: slackbotID, Text: text, EphemeralFor: p.ID})
}

// Messages returns what viewer (a person's id) sees in a channel (id or name), oldest first, replies in threads included:
// all messages to everybody and the ephemeral ones to viewer. The viewer "" sees no ephemeral one, [Everyone] sees all.
func (w *Workspace) Messages(channel, viewer string) []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.findChannel(channel)
	if c == nil {
		return nil
	}
	var seen []Message
	for _, m := range c.messages {
		if m.visibleTo(viewer) {
			seen = append(seen, m.snapshot())
		}
	}
	return seen
}

func (m *Message) visibleTo(viewer string) bool {
	return m.EphemeralFor == "" || m.EphemeralFor == viewer || viewer == Everyone
}

// snapshot may leave the mutex: the raw JSON in it is replaced on edits, never written to.
func (m *Message) snapshot() Message {
	s := *m
	s.Buttons = buttonsIn(parseBlocks(m.Blocks))
	return s
}

// wireMessage is the message object of API answers and of block_actions, as recorded for messages of a bot.
func (w *Workspace) wireMessage(c *channel, m *Message) reply {
	wire := reply{"type": "message", "user": m.User, "ts": m.TS, "team": w.opts.TeamID, "text": m.Text}
	if m.Subtype != "" {
		wire["subtype"] = m.Subtype
	}
	if c.pinned(m.TS) >= 0 {
		wire["pinned_to"] = []string{c.ID}
	}
	if m.User == botUserID && m.Subtype == "" {
		wire["bot_id"], wire["app_id"] = botID, w.opts.AppID
		wire["bot_profile"] = reply{
			"id": botID, "app_id": w.opts.AppID, "user_id": botUserID, "name": botName,
			"team_id": w.opts.TeamID, "deleted": false,
		}
	}
	if len(m.Files) > 0 {
		wire["files"], wire["upload"] = w.wireFiles(m), true
	}
	if m.Blocks != nil {
		wire["blocks"] = m.Blocks
	}
	if m.Metadata != nil {
		wire["metadata"] = m.Metadata
	}
	if m.Edits > 0 {
		wire["edited"] = reply{"user": m.User, "ts": fmt.Sprintf("%d.000000", m.EditedAt.Unix())}
	}
	w.wireThread(c, m, wire)
	return wire
}

func (w *Workspace) wireThread(c *channel, m *Message, wire reply) {
	if m.ThreadTS != "" {
		wire["thread_ts"], wire["parent_user_id"] = m.ThreadTS, c.message(m.ThreadTS).author()
		return
	}
	replies, latest := 0, ""
	for _, other := range c.messages {
		if other.ThreadTS == m.TS && other.EphemeralFor == "" {
			replies, latest = replies+1, other.TS
		}
	}
	if replies > 0 {
		wire["thread_ts"], wire["reply_count"], wire["latest_reply"] = m.TS, replies, latest
	}
}

// author is empty for a parent that was deleted.
func (m *Message) author() string {
	if m == nil {
		return ""
	}
	return m.User
}
