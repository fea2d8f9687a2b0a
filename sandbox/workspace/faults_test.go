package workspace_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"ferry/sandbox/workspace"
)

func TestOutageEndsAndTheBotComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		l.Outage(time.Minute)
		if l.Connections() != 0 {
			t.Error("connections survived")
		}
		_, _, err := l.api.PostMessageContext(t.Context(), incident, slack.MsgOptionText("text", false))
		if status := statusOf(t, err); status != http.StatusServiceUnavailable {
			t.Errorf("status %d", status)
		}
		start := time.Now()
		b.next(t, socketmode.EventTypeConnecting)
		pass(3 * time.Minute)
		b.next(t, socketmode.EventTypeHello)
		check(t, l.Type("ana", incident, "/failover vm-x"))
		b.ack(t, b.next(t, socketmode.EventTypeSlashCommand))
		if a := l.Acks()[0]; a.SentAt.Sub(start) < time.Minute || a.AckedAt.IsZero() {
			t.Errorf("ledger: %+v", a)
		}
	})
}

func TestFailNextDoesNothingAndLoseAnswerDoesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		post := func() error {
			_, _, err := l.api.PostMessageContext(t.Context(), incident, slack.MsgOptionText("text", false))
			return err
		}
		l.FailNext("chat.postMessage", http.StatusBadGateway, 2)
		for range 2 {
			if status := statusOf(t, post()); status != http.StatusBadGateway {
				t.Errorf("status %d", status)
			}
		}
		if m := l.Messages(incident, ""); len(m) != 0 {
			t.Errorf("a failed call took effect: %+v", m)
		}
		l.LoseAnswer("chat.postMessage", 1)
		if post() == nil {
			t.Error("an answer came")
		}
		check(t, post())
		if m := l.Messages(incident, ""); len(m) != 2 {
			t.Errorf("%d messages, want the lost one and the next", len(m))
		}
	})
}

func TestRefuseNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		l.RefuseNext("chat.postMessage", "restricted_action", 1)
		_, _, err := l.api.PostMessageContext(t.Context(), incident, slack.MsgOptionText("text", false))
		if calls := l.Calls(); code(err) != "restricted_action" || len(l.Messages(incident, "")) != 0 || calls[0].Status != "restricted_action" {
			t.Errorf("%v, ledger %+v", err, calls)
		}
		l.post(t, slack.MsgOptionText("text", false))
	})
}

func TestOverRealPorts(t *testing.T) {
	w := workspace.New(workspace.Options{})
	defer w.Close()
	server := httptest.NewServer(w)
	defer server.Close()
	w.SetBaseURL(server.URL)
	api := slack.New("xoxb-sandbox", slack.OptionAppLevelToken("xapp-sandbox"), slack.OptionAPIURL(server.URL+"/api/"))
	client := socketmode.New(api)
	stopped := make(chan error, 1)
	go func() { stopped <- client.RunContext(t.Context()) }()
	for e := range client.Events {
		if e.Type == socketmode.EventTypeHello {
			break
		}
	}
	changes, cancel := w.Subscribe()
	defer cancel()
	check(t, w.Type("ana", incident, "/failover vm-x"))
	for e := range client.Events {
		if e.Type == socketmode.EventTypeSlashCommand {
			check(t, client.AckCtx(t.Context(), e.Request.EnvelopeID, map[string]any{"text": "hello ana"}))
			break
		}
	}
	if c := <-changes; c.Kind != workspace.Ephemeral || c.Message.Text != "hello ana" {
		t.Errorf("change: %+v", c)
	}
}
