package workspace

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// Documented limits of one page of conversations.history, taken for those of conversations.replies too.
const (
	historyPage    = 100
	maxHistoryPage = 999
)

// span is the part of a channel that a call asks for, by the ts of its ends.
type span struct {
	oldest, latest string // empty for no end
	inclusive      bool
	from           string // the ts that this page begins with, by the cursor
	limit          int
}

func (s span) has(ts string) bool {
	return (s.oldest == "" || ts > s.oldest || s.inclusive && ts == s.oldest) &&
		(s.latest == "" || ts < s.latest || s.inclusive && ts == s.latest)
}

// cursorOf has the documented form.
func cursorOf(ts string) string {
	return base64.StdEncoding.EncodeToString([]byte("next_ts:" + strings.ReplaceAll(ts, ".", "")))
}

// readSpan takes the ends of a span; whole seconds will do.
func readSpan(p params) (span, error) {
	s := span{inclusive: isTrue(p["inclusive"]), limit: historyPage}
	for field, end := range map[string]*string{"oldest": &s.oldest, "latest": &s.latest} {
		seconds, err := strconv.ParseFloat(p[field], 64)
		switch {
		case p[field] == "" || err == nil && seconds == 0: // "0" is how clients write no end
		case err != nil:
			return s, apiError{code: "invalid_ts_" + field}
		case timestamps.MatchString(p[field]):
			*end = p[field]
		default:
			*end = timestamp(int64(seconds * 1e6))
		}
	}
	if limit := p["limit"]; limit != "" && limit != "0" {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 1 || n > maxHistoryPage {
			return s, apiError{code: "invalid_limit"}
		}
		s.limit = n
	}
	if cursor := p["cursor"]; cursor != "" {
		raw, err := base64.StdEncoding.DecodeString(cursor)
		micros, numberErr := strconv.ParseInt(strings.TrimPrefix(string(raw), "next_ts:"), 10, 64)
		if err != nil || numberErr != nil {
			return s, apiError{code: "invalid_cursor"}
		}
		s.from = timestamp(micros)
	}
	return s, nil
}

func isTrue(s string) bool { return s == "true" || s == "1" }

// readable is the channel that a call reads, and whether it wants all metadata.
func (w *Workspace) readable(p params) (c *channel, whole bool, err error) {
	c, err = w.visible(p)
	if err != nil {
		return nil, false, err
	}
	if err := w.permits(ofKind(c, "channels:history", "groups:history")); err != nil {
		return nil, false, err
	}
	if c.NoBot {
		return nil, false, apiError{code: "not_in_channel"}
	}
	whole = isTrue(p["include_all_metadata"])
	if err := w.permits("metadata.message:read"); whole && err != nil { // inferred: it might be left out instead
		return nil, false, err
	}
	return c, whole, nil
}

// conversationsHistory is conversations.history: newest first, of replies only those that are shown in the channel too
// (documented), and nothing ephemeral.
func (w *Workspace) conversationsHistory(p params) (reply, error) {
	c, whole, err := w.readable(p)
	if err != nil {
		return nil, err
	}
	s, err := readSpan(p)
	if err != nil {
		return nil, err
	}
	messages, next := []reply{}, ""
	for _, m := range slices.Backward(c.messages) {
		if m.EphemeralFor != "" || m.ThreadTS != "" && !m.Broadcast || !s.has(m.TS) || s.from != "" && m.TS > s.from {
			continue
		}
		if len(messages) == s.limit {
			next = cursorOf(m.TS)
			break
		}
		messages = append(messages, w.historic(c, m, whole))
	}
	return pageOf(messages, next, reply{"pin_count": len(c.pins)}), nil
}

// conversationsReplies is conversations.replies: the parent, then its replies, oldest first. Reported, and not documented: the
// parent stands on the first page whatever the span says, and a bot's token may read the threads of a channel that it may read.
func (w *Workspace) conversationsReplies(p params) (reply, error) {
	c, whole, err := w.readable(p)
	if err != nil {
		return nil, err
	}
	s, err := readSpan(p)
	if err != nil {
		return nil, err
	}
	parent := c.message(p["ts"])
	if parent == nil || parent.EphemeralFor != "" {
		return nil, apiError{code: "thread_not_found"}
	}
	thread := cmp.Or(parent.ThreadTS, parent.TS)
	messages, next := []reply{}, ""
	for _, m := range c.messages {
		first := m.TS == thread && s.from == ""
		if m.EphemeralFor != "" || !first && (m.ThreadTS != thread || !s.has(m.TS) || m.TS < s.from) {
			continue
		}
		if len(messages) == s.limit {
			next = cursorOf(m.TS)
			break
		}
		messages = append(messages, w.historic(c, m, whole))
	}
	return pageOf(messages, next, reply{}), nil
}

// pageOf adds one page to an answer; next is the cursor of the one after it.
func pageOf(messages []reply, next string, answer reply) reply {
	answer["messages"], answer["has_more"] = messages, next != ""
	if next != "" {
		answer["response_metadata"] = reply{"next_cursor": next}
	}
	return answer
}

// historic is a message as a history has it: of metadata the event_type alone, unless all is asked for (reported).
func (w *Workspace) historic(c *channel, m *Message, whole bool) reply {
	wire := w.wireMessage(c, m)
	if m.Broadcast {
		wire["subtype"] = "thread_broadcast"
	}
	if m.Metadata != nil && !whole {
		wire["metadata"] = reply{"event_type": parseNode(m.Metadata).text("event_type")}
	}
	return wire
}

func ofKind(c *channel, public, private string) string {
	if c.Private {
		return private
	}
	return public
}
