package workspace

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// Documented limits of one page of conversations.history.
const (
	historyPage    = 100
	maxHistoryPage = 999
)

// span is the part of a channel that a call asks for, by the ts of its ends.
type span struct {
	oldest, latest string // empty for no end
	inclusive      bool
	from           string // the newest ts of this page, by the cursor
	limit          int
}

func (s span) has(ts string) bool {
	return (s.oldest == "" || ts > s.oldest || s.inclusive && ts == s.oldest) &&
		(s.latest == "" || ts < s.latest || s.inclusive && ts == s.latest) && (s.from == "" || ts <= s.from)
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

// conversationsHistory is conversations.history: newest first, of replies only those that are shown in the channel too
// (documented), and nothing ephemeral.
func (w *Workspace) conversationsHistory(p params) (reply, error) {
	c, err := w.visible(p)
	if err != nil {
		return nil, err
	}
	if err := w.permits(ofKind(c, "channels:history", "groups:history")); err != nil {
		return nil, err
	}
	if c.NoBot {
		return nil, apiError{code: "not_in_channel"}
	}
	whole := isTrue(p["include_all_metadata"])
	if err := w.permits("metadata.message:read"); whole && err != nil { // inferred: it might be left out instead
		return nil, err
	}
	s, err := readSpan(p)
	if err != nil {
		return nil, err
	}
	messages, next := []reply{}, ""
	for _, m := range slices.Backward(c.messages) {
		if m.EphemeralFor != "" || m.ThreadTS != "" && !m.Broadcast || !s.has(m.TS) {
			continue
		}
		if len(messages) == s.limit {
			next = cursorOf(m.TS)
			break
		}
		messages = append(messages, w.historic(c, m, whole))
	}
	answer := reply{"messages": messages, "has_more": next != "", "pin_count": len(c.pins)}
	if next != "" {
		answer["response_metadata"] = reply{"next_cursor": next}
	}
	return answer, nil
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
