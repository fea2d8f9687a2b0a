package workspace_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"ferry/sandbox/workspace"
)

// code is the error string of a call, "ok" without one, with the scopes that it lacks.
func code(err error) string {
	if err == nil {
		return "ok"
	}
	if refused, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return strings.TrimSpace(refused.Err + " " + refused.Needed)
	}
	return err.Error()
}

func TestPins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{NoRateLimits: true})
		first, second := l.post(t, slack.MsgOptionText("first", false)), l.post(t, slack.MsgOptionText("second", false))
		hidden, err := l.api.PostEphemeralContext(t.Context(), incident, "U0ANA", slack.MsgOptionText("x", false))
		check(t, err)
		add := func(ts string) string {
			return code(l.api.AddPinContext(t.Context(), incident, slack.NewRefToMessage(incident, ts)))
		}
		remove := func(ts string) string {
			return code(l.api.RemovePinContext(t.Context(), incident, slack.NewRefToMessage(incident, ts)))
		}
		got := []string{add(first), add(second), add(first), add(hidden), add("1.000000"), add("yesterday"), remove("1.000000")}
		want := []string{"ok", "ok", "already_pinned", "message_not_found", "message_not_found", "bad_timestamp", "message_not_found"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		items, _, err := l.api.ListPinsContext(t.Context(), incident)
		check(t, err)
		if len(items) != 2 || items[0].Message.Text != "second" || items[1].Message.Permalink == "" || cmp.Diff([]string{incident}, items[1].Message.PinnedTo) != "" {
			t.Errorf("pins: %+v", items)
		}
		if m, text := l.newest(t, ""); text != "@ferry pinned a message to this channel." || m.Subtype != "pinned_item" {
			t.Errorf("the channel says %s", text)
		}
		got = []string{remove(first), remove(first)}
		_, _, err = l.api.DeleteMessageContext(t.Context(), incident, second)
		if diff := cmp.Diff([]string{"ok", "no_pin", "ok"}, append(got, code(err))); diff != "" || len(l.Pins(incident)) != 0 {
			t.Errorf("%s, still pinned: %v", diff, l.Pins(incident))
		}
		bare := newLab(t, workspace.Options{Scopes: []string{"chat:write"}})
		if got := code(bare.api.AddPinContext(t.Context(), incident, slack.NewRefToMessage(incident, first))); got != "missing_scope pins:write" {
			t.Error(got)
		}
	})
}

func TestTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := workspace.Options{NoRateLimits: true, Others: []workspace.Channel{{ID: "C0OLD", Name: "old", Archived: true}, {ID: "C0PRIVATE", Name: "private", Private: true}}}
		l := newLab(t, o)
		set := func(l *lab, channel, topic string) string {
			c, err := l.api.SetTopicOfConversationContext(t.Context(), channel, topic)
			if err == nil && c.Topic.Value != topic {
				t.Errorf("the answer has %q", c.Topic.Value)
			}
			return code(err)
		}
		long := strings.Repeat("ü", 250)
		got := []string{set(l, incident, "vm-x runs"), set(l, incident, "vm-x runs"), set(l, incident, long+"x"), set(l, "C0OLD", "x"), set(l, "C0NONE", "x"), set(l, incident, long), set(l, incident, "")}
		o.Scopes = []string{"channels:write.topic"}
		narrow := newLab(t, o)
		got = append(got, set(narrow, incident, "x"), set(narrow, "C0PRIVATE", "x"))
		o.Scopes = []string{"channels:manage", "groups:write.topic"}
		wide := newLab(t, o)
		got = append(got, set(wide, incident, "x"), set(wide, "C0PRIVATE", "x"))
		want := []string{"ok", "ok", "too_long", "is_archived", "channel_not_found", "ok", "ok", "ok", "missing_scope groups:write.topic,groups:write", "ok", "ok"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		var said []string
		for _, m := range l.Messages(incident, "") {
			said = append(said, m.Subtype+" "+strings.Join(l.Render(m), ""))
		}
		if diff := cmp.Diff([]string{"channel_topic @ferry set the channel topic: vm-x runs", "channel_topic @ferry set the channel topic: " + long, "channel_topic @ferry cleared the channel topic."}, said); diff != "" {
			t.Error(diff)
		}
		if l.Topic(incident) != "" || wide.Topic("private") != "x" {
			t.Errorf("topics: %q %q", l.Topic(incident), wide.Topic("private"))
		}
		_, _, _, err := l.api.UpdateMessageContext(t.Context(), incident, l.Messages(incident, "")[0].TS, slack.MsgOptionText("x", false))
		if code(err) != "cant_update_message" {
			t.Errorf("a message of Slack itself can be edited: %v", err)
		}
	})
}

func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{NoRateLimits: true})
		mark := slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "card", EventPayload: map[string]any{"op": "op-1"}})
		ts := map[string]string{}
		for _, text := range []string{"a", "b", "c", "d"} {
			ts[text] = l.post(t, slack.MsgOptionText(text, false), mark)
		}
		l.post(t, slack.MsgOptionText("reply", false), slack.MsgOptionTS(ts["a"]))
		l.post(t, slack.MsgOptionText("shown", false), slack.MsgOptionTS(ts["a"]), slack.MsgOptionBroadcast())
		_, err := l.api.PostEphemeralContext(t.Context(), incident, "U0ANA", slack.MsgOptionText("for ana", false))
		check(t, err)
		read := func(p slack.GetConversationHistoryParameters) (*slack.GetConversationHistoryResponse, string) {
			p.ChannelID = incident
			h, err := l.api.GetConversationHistoryContext(t.Context(), &p)
			if err != nil {
				return nil, code(err)
			}
			texts := ""
			for _, m := range h.Messages {
				texts += m.Text + " "
			}
			return h, strings.TrimSpace(texts)
		}
		rows := map[string]struct {
			p    slack.GetConversationHistoryParameters
			want string
		}{
			"all":                  {slack.GetConversationHistoryParameters{}, "shown d c b a"},
			"later than b":         {slack.GetConversationHistoryParameters{Oldest: ts["b"]}, "shown d c"},
			"from b on":            {slack.GetConversationHistoryParameters{Oldest: ts["b"], Inclusive: true}, "shown d c b"},
			"before c":             {slack.GetConversationHistoryParameters{Latest: ts["c"]}, "b a"},
			"between":              {slack.GetConversationHistoryParameters{Oldest: ts["a"], Latest: ts["d"]}, "c b"},
			"a time that is none":  {slack.GetConversationHistoryParameters{Oldest: "noon"}, "invalid_ts_oldest"},
			"no such cursor":       {slack.GetConversationHistoryParameters{Cursor: "x"}, "invalid_cursor"},
			"a limit over the top": {slack.GetConversationHistoryParameters{Limit: 1000}, "invalid_limit"},
		}
		for name, row := range rows {
			if _, got := read(row.p); got != row.want {
				t.Errorf("%s: %q, want %q", name, got, row.want)
			}
		}
		page, got := read(slack.GetConversationHistoryParameters{Limit: 2})
		if got != "shown d" || !page.HasMore {
			t.Errorf("the first page: %q %+v", got, page)
		}
		if page, got = read(slack.GetConversationHistoryParameters{Limit: 3, Cursor: page.ResponseMetaData.NextCursor}); got != "c b a" || page.HasMore || page.ResponseMetaData.NextCursor != "" {
			t.Errorf("the last page: %q %+v", got, page)
		}
		if page.Messages[0].Metadata.EventType != "card" || page.Messages[0].Metadata.EventPayload != nil {
			t.Errorf("metadata that nobody asked for: %+v", page.Messages[0].Metadata)
		}
		if page, _ = read(slack.GetConversationHistoryParameters{IncludeAllMetadata: true}); page.Messages[1].Metadata.EventPayload["op"] != "op-1" {
			t.Errorf("metadata: %+v", page.Messages[1].Metadata)
		}
		bare := newLab(t, workspace.Options{Scopes: []string{"channels:history"}})
		_, err = bare.api.GetConversationHistoryContext(t.Context(), &slack.GetConversationHistoryParameters{ChannelID: incident, IncludeAllMetadata: true})
		if code(err) != "missing_scope metadata.message:read" {
			t.Error(err)
		}
	})
}

func TestReplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{NoRateLimits: true})
		mark := slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "notice", EventPayload: map[string]any{"op": "op-1"}})
		card, other := l.post(t, slack.MsgOptionText("card", false)), l.post(t, slack.MsgOptionText("other", false))
		ts := map[string]string{}
		for _, text := range []string{"a", "b", "c"} {
			ts[text] = l.post(t, slack.MsgOptionText(text, false), slack.MsgOptionTS(card), mark)
		}
		l.post(t, slack.MsgOptionText("elsewhere", false), slack.MsgOptionTS(other))
		_, err := l.api.PostEphemeralContext(t.Context(), incident, "U0ANA", slack.MsgOptionText("for ana", false), slack.MsgOptionTS(card))
		check(t, err)
		cursor := ""
		read := func(p slack.GetConversationRepliesParameters) string {
			p.ChannelID = incident
			messages, _, next, err := l.api.GetConversationRepliesContext(t.Context(), &p)
			if err != nil {
				return code(err)
			}
			texts := ""
			for _, m := range messages {
				if op, ok := m.Metadata.EventPayload["op"]; ok {
					texts += op.(string) + " "
				}
				texts += m.Text + " "
			}
			cursor = next
			return strings.TrimSpace(texts)
		}
		got := []string{
			read(slack.GetConversationRepliesParameters{Timestamp: card}),
			read(slack.GetConversationRepliesParameters{Timestamp: ts["b"]}),
			read(slack.GetConversationRepliesParameters{Timestamp: card, Oldest: ts["b"], IncludeAllMetadata: true}),
			read(slack.GetConversationRepliesParameters{Timestamp: "1.000000"}),
			read(slack.GetConversationRepliesParameters{Timestamp: card, Limit: 2}),
			read(slack.GetConversationRepliesParameters{Timestamp: card, Limit: 2, Cursor: cursor}),
		}
		if diff := cmp.Diff([]string{"card a b c", "card a b c", "card op-1 c", "thread_not_found", "card a", "b c"}, got); diff != "" || cursor != "" {
			t.Errorf("%s, and then %q", diff, cursor)
		}
		bare := newLab(t, workspace.Options{Scopes: []string{"chat:write"}})
		_, _, _, err = bare.api.GetConversationRepliesContext(t.Context(), &slack.GetConversationRepliesParameters{ChannelID: incident, Timestamp: card})
		if code(err) != "missing_scope channels:history" {
			t.Error(err)
		}
	})
}

func TestMetadataRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{NoRateLimits: true})
		rows := map[string]string{
			`{"event_type":"card","event_payload":{"op":"op-1","n":1,"done":false,"of":{"vm":"vm-x"},"all":["a",{"vm":"vm-y"}]}}`: "ok",
			`[]`:                    "invalid_metadata_format",
			`{"event_type":"card"}`: "invalid_metadata_schema",
			`{"event_payload":{}}`:  "invalid_metadata_schema",
			`{"event_type":"card","event_payload":{"of":{"vm":{"name":"deep"}}}}`:                "invalid_metadata_schema",
			`{"event_type":"card","event_payload":{"of":null}}`:                                  "invalid_metadata_schema",
			`{"event_type":"card","event_payload":{"text":"` + strings.Repeat("x", 8000) + `"}}`: "metadata_too_large",
		}
		for metadata, want := range rows {
			a := l.callJSON(t, "chat.postMessage", `{"channel":"`+incident+`","text":"x","metadata":`+metadata+`}`)
			if got := strings.TrimSpace(a.Error); got != want && (want != "ok" || !a.OK) {
				t.Errorf("%.80s: %q, want %q", metadata, got, want)
			}
		}
		ts := l.post(t, slack.MsgOptionText("x", false), slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "card", EventPayload: map[string]any{"op": "op-1"}}))
		edit := func(metadata string) string {
			a := l.callJSON(t, "chat.update", `{"channel":"`+incident+`","ts":"`+ts+`","text":"y"`+metadata+`}`)
			m, _ := l.newest(t, "")
			return a.Error + string(m.Metadata)
		}
		kept := `{"event_type":"card","event_payload":{"op":"op-1"}}`
		if diff := cmp.Diff([]string{kept, "invalid_metadata_schema" + kept, ""}, []string{edit(""), edit(`,"metadata":{"event_type":"card"}`), edit(`,"metadata":{}`)}); diff != "" {
			t.Error(diff)
		}
	})
}
