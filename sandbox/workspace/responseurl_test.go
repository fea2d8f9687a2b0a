package workspace_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"ferry/sandbox/workspace"
)

// commandURL is the response_url of a slash command that was acknowledged.
func (l *lab) commandURL(t *testing.T) string {
	t.Helper()
	b := l.connect(t)
	check(t, l.Type("ana", incident, "/failover vm-x"))
	e := b.next(t, socketmode.EventTypeSlashCommand)
	b.ack(t, e)
	return e.Data.(slack.SlashCommand).ResponseURL
}

func (l *lab) respond(t *testing.T, url string, options ...slack.MsgOption) error {
	t.Helper()
	mode := slack.MsgOptionResponseURL(url, slack.ResponseTypeEphemeral)
	_, _, err := l.api.PostMessageContext(t.Context(), incident, append([]slack.MsgOption{mode}, options...)...)
	return err
}

func statusOf(t *testing.T, err error) int {
	t.Helper()
	var status slack.StatusCodeError
	if !errors.As(err, &status) {
		t.Fatalf("no HTTP error: %v", err)
	}
	return status.Code
}

func TestResponseURLIsGoodForFiveAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		url := l.commandURL(t)
		for range 5 {
			check(t, l.respond(t, url, slack.MsgOptionText("answer", false)))
		}
		err := l.respond(t, url, slack.MsgOptionText("sixth", false))
		if status := statusOf(t, err); status != http.StatusNotFound {
			t.Errorf("the sixth: %d", status)
		}
		if m := l.Messages(incident, "U0ANA"); len(m) != 5 || m[0].EphemeralFor != "U0ANA" {
			t.Errorf("ana sees %+v", m)
		}
	})
}

func TestResponseURLExpiresAfterThirtyMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		url := l.commandURL(t)
		pass(30 * time.Minute)
		check(t, l.respond(t, url, slack.MsgOptionText("in time", false)))
		pass(time.Second)
		err := l.respond(t, url, slack.MsgOptionText("late", false))
		if status := statusOf(t, err); status != http.StatusNotFound {
			t.Errorf("late: %d", status)
		}
	})
}

func TestResponseURLInChannelAndThread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		ts := l.post(t, approveCard("vm-x"))
		b := l.connect(t)
		_, err := l.Click("ben", incident, "Deny")
		check(t, err)
		url := b.next(t, socketmode.EventTypeInteractive).Data.(slack.InteractionCallback).ResponseURL
		check(t, slack.PostWebhookCustomHTTPContext(t.Context(), url, l.http, &slack.WebhookMessage{
			Text: "denied", ResponseType: slack.ResponseTypeInChannel, ThreadTimestamp: ts,
		}))
		if m, _ := l.newest(t, ""); m.Text != "denied" || m.ThreadTS != ts {
			t.Errorf("answer: %+v", m)
		}
	})
}

func TestResponseURLReplacesAndDeletesTheEphemeralOriginal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		_, err := l.api.PostEphemeralContext(t.Context(), incident, "U0ANA", approveCard("vm-x"))
		check(t, err)
		b := l.connect(t)
		_, err = l.Click("ana", incident, "Approve")
		check(t, err)
		click := b.next(t, socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
		if !click.Container.IsEphemeral || click.Container.MessageTs == "" || click.Message.Timestamp != "" {
			t.Errorf("container %+v, message %+v", click.Container, click.Message)
		}
		url := click.ResponseURL
		check(t, slack.PostWebhookCustomHTTPContext(t.Context(), url, l.http, &slack.WebhookMessage{Text: "approved", ReplaceOriginal: true}))
		if m := l.Messages(incident, "U0ANA"); len(m) != 1 || m[0].Text != "approved" || m[0].Blocks != nil || m[0].EphemeralFor != "U0ANA" {
			t.Errorf("after replace: %+v", m)
		}
		check(t, slack.PostWebhookCustomHTTPContext(t.Context(), url, l.http, &slack.WebhookMessage{DeleteOriginal: true}))
		if m := l.Messages(incident, "U0ANA"); len(m) != 0 {
			t.Errorf("after delete: %+v", m)
		}
	})
}

func TestResponseURLRefusesWhatIsNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		url := l.commandURL(t)
		for _, body := range []string{"no json", "{}", `{"blocks":[{"type":"marquee"}]}`} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
			check(t, err)
			response, err := l.http.Do(request)
			check(t, err)
			check(t, response.Body.Close())
			if response.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %d", body, response.StatusCode)
			}
		}
		if m := l.Messages(incident, workspace.Everyone); len(m) != 0 {
			t.Errorf("shown: %+v", m)
		}
	})
}
