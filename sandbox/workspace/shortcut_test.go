package workspace_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"ferry/sandbox/workspace"
)

func declared() []workspace.Shortcut {
	return []workspace.Shortcut{
		{Name: "Show operation", CallbackID: "show", Type: workspace.MessageShortcut},
		{Name: "Fail over a server", CallbackID: "run", Type: workspace.GlobalShortcut},
	}
}

func TestShortcuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{Shortcuts: declared()})
		b := l.connect(t)
		l.post(t, slack.MsgOptionText("vm-x waits", false))
		card := l.post(t, approveCard("vm-y"))
		check(t, l.Type("ben", incident, "noise"))
		check(t, l.Shortcut("ana", incident, "Show operation", workspace.Containing("vm-y")))
		e, i := b.interaction(t, slack.InteractionTypeMessageAction)
		b.ack(t, e)
		if i.CallbackID != "show" || i.User.ID != "U0ANA" || i.Message.Timestamp != card || i.MessageTs != card || i.Channel.ID != incident || i.TriggerID == "" ||
			i.ActionTs == "" || e.Request.AcceptsResponsePayload || len(i.Message.Blocks.BlockSet) != 2 {
			t.Errorf("payload: %s", e.Request.Payload)
		}
		if has(t, e, "api_app_id") || !has(t, e, "team") {
			t.Errorf("a shortcut does not name the app: %s", e.Request.Payload)
		}
		check(t, slack.PostWebhookCustomHTTPContext(t.Context(), i.ResponseURL, l.http, &slack.WebhookMessage{Text: "it runs", ResponseType: "ephemeral"}))
		if m, text := l.newest(t, "U0ANA"); m.EphemeralFor != "U0ANA" || text != "it runs" {
			t.Errorf("ana sees %+v", m)
		}
		check(t, l.Shortcut("ana", incident, "run"))
		e, i = b.interaction(t, slack.InteractionTypeShortcut)
		b.ack(t, e)
		if i.CallbackID != "run" || i.Channel.ID != "" || has(t, e, "response_url") || has(t, e, "message") || has(t, e, "channel") {
			t.Errorf("payload: %s", e.Request.Payload)
		}
		_, err := l.api.OpenViewContext(t.Context(), i.TriggerID, runForm())
		check(t, err)
		if err := l.Shortcut("ana", incident, "run"); err == nil || !strings.Contains(err.Error(), "modal open") {
			t.Errorf("with a modal open: %v", err)
		}
		check(t, l.Shortcut("ben", incident, "show"))
		pass(3*time.Second + time.Millisecond)
		if _, text := l.newest(t, "U0BEN"); !strings.Contains(text, `The shortcut "Show operation" failed with the error "operation_timeout"`) {
			t.Errorf("no acknowledgement: %s", text)
		}
	})
}

func has(t *testing.T, e socketmode.Event, field string) bool {
	t.Helper()
	var fields map[string]any
	check(t, json.Unmarshal(e.Request.Payload, &fields))
	return fields[field] != nil
}

func TestShortcutsAreNotForEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{Shortcuts: declared()})
		_, err := l.api.PostEphemeralContext(t.Context(), incident, "U0ANA", slack.MsgOptionText("for you", false))
		check(t, err)
		check(t, l.Share(incident, workspace.Shared))
		check(t, l.SetKind("eve", workspace.Stranger))
		rows := map[string][3]string{
			"an ephemeral message": {"ana", "show", "sees no message"},
			"no such name":         {"ana", "hide", `there are: "Show operation" "Fail over a server"`},
			"a stranger":           {"eve", "run", `no shortcut "run" that eve is offered`},
			"no bot":               {"ana", "run", "dispatch_failed"},
		}
		for name, row := range rows {
			if err := l.Shortcut(row[0], incident, row[1]); err == nil || !strings.Contains(err.Error(), row[2]) {
				t.Errorf("%s: %v", name, err)
			}
		}
		bare := newLab(t, workspace.Options{Shortcuts: declared(), Scopes: []string{"chat:write"}})
		if err := bare.Shortcut("ana", incident, "run"); err == nil || !strings.Contains(err.Error(), "no shortcut") {
			t.Errorf("without the scope commands: %v", err)
		}
	})
}
