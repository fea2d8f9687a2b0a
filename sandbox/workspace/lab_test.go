package workspace_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"ferry/sandbox/pipe"
	"ferry/sandbox/workspace"
)

const incident = "C0INCIDENT"

// lab is a workspace behind a server, and slack-go as its client.
type lab struct {
	*workspace.Workspace
	listener *pipe.Listener
	http     *http.Client
	api      *slack.Client
}

// newLab must be called in a bubble: it closes everything before the bubble looks for goroutines that are left.
func newLab(t *testing.T, o workspace.Options) *lab {
	t.Helper()
	l := &lab{
		Workspace: workspace.New(o),
		listener:  pipe.Listen(),
	}
	server := &http.Server{Handler: l, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l.listener) }()
	transport := &http.Transport{DialContext: l.listener.Dial}
	t.Cleanup(func() {
		l.Close()
		transport.CloseIdleConnections()
		check(t, l.listener.Close())
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("server: %v", err)
		}
		check(t, server.Close())
	})
	l.http = &http.Client{Transport: transport}
	l.api = l.client("xoxb-sandbox")
	return l
}

func (l *lab) client(token string) *slack.Client {
	return slack.New(token, slack.OptionAppLevelToken("xapp-sandbox"),
		slack.OptionHTTPClient(l.http), slack.OptionAPIURL("http://slack.test/api/"))
}

// bot is one Socket Mode client that keeps reading; tests take its events one by one.
type bot struct {
	*socketmode.Client
	got chan socketmode.Event
}

// connect returns once the connection is up. It ends with the test.
func (l *lab) connect(t *testing.T) *bot {
	t.Helper()
	b := &bot{
		Client: socketmode.New(l.api, socketmode.OptionDialer(&websocket.Dialer{NetDialContext: l.listener.Dial})),
		got:    make(chan socketmode.Event, 1000),
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped, quit := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		_ = b.RunContext(ctx) // ends by cancel, always with an error
	}()
	go func() {
		for {
			select {
			case e := <-b.Events:
				b.got <- e
			case <-quit:
				return
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-stopped
		close(quit)
	})
	b.next(t, socketmode.EventTypeHello)
	return b
}

// next skips to the next event of a type; it must come within a minute.
func (b *bot) next(t *testing.T, kind socketmode.EventType) socketmode.Event {
	t.Helper()
	timeout := time.After(time.Minute)
	for {
		select {
		case e := <-b.got:
			if e.Type == kind {
				return e
			}
		case <-timeout:
			t.Fatalf("no %s event", kind)
		}
	}
}

// count is how many events of a type came, after letting everything that can happen now happen.
func (b *bot) count(kind socketmode.EventType) int {
	synctest.Wait()
	n := 0
	for len(b.got) > 0 {
		if e := <-b.got; e.Type == kind {
			n++
		}
	}
	return n
}

func (b *bot) ack(t *testing.T, e socketmode.Event, payload ...any) {
	t.Helper()
	if err := b.AckCtx(t.Context(), e.Request.EnvelopeID, firstOf(payload)); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func firstOf(values []any) any {
	if len(values) == 0 {
		return nil
	}
	return values[0]
}

func (l *lab) post(t *testing.T, options ...slack.MsgOption) string {
	t.Helper()
	_, ts, err := l.api.PostMessageContext(t.Context(), incident, options...)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

// text is what a person sees of the newest message.
func (l *lab) newest(t *testing.T, viewer string) (workspace.Message, string) {
	t.Helper()
	messages := l.Messages(incident, viewer)
	if len(messages) == 0 {
		t.Fatalf("%q sees no message", viewer)
	}
	m := messages[len(messages)-1]
	return m, strings.Join(l.Render(m), "\n")
}

func approveCard(vm string) slack.MsgOption {
	approve := slack.NewButtonBlockElement("approve", "op-1", slack.NewTextBlockObject(slack.PlainTextType, "Approve", false, false))
	approve.Style = slack.StylePrimary
	approve.Confirm = slack.NewConfirmationBlockObject(
		slack.NewTextBlockObject(slack.PlainTextType, "Fail over?", false, false),
		slack.NewTextBlockObject(slack.PlainTextType, vm+" to west", false, false),
		slack.NewTextBlockObject(slack.PlainTextType, "Do it", false, false),
		slack.NewTextBlockObject(slack.PlainTextType, "Not now", false, false))
	deny := slack.NewButtonBlockElement("deny", "op-1", slack.NewTextBlockObject(slack.PlainTextType, "Deny", false, false))
	return slack.MsgOptionBlocks(
		slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, "Fail over *"+vm+"*?", false, false), nil, nil),
		slack.NewActionBlock("", approve, deny))
}

// pass lets fake time go by, and then everything settle that it set off.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
