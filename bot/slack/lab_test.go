package slack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"ferry/bot/slack"
	"ferry/failover"
	"ferry/sandbox/pipe"
	"ferry/sandbox/workspace"
)

const incident = "C0INCIDENT"

// lab is a workspace, and everything else that a bot needs.
type lab struct {
	*workspace.Workspace
	t         *testing.T
	transport *http.Transport
	opts      slack.Options
	commands  *commands
	reads     *reads
	feed      *feed
	refs      *refs
	seams     *seams
	log       *strings.Builder
	spoil     func(method string, form url.Values) string // Slack's error for a call, "" to let it through
	ports     *ports                                      // over HTTP; else nil
	trouble   sync.Mutex                                  // of the three; for changes while the bot runs
	held      map[string]time.Duration                    // how long a method of the Web API takes
	severed   string                                      // requests whose path begins so find no connection
}

// RoundTrip stands between the bot and Slack.
func (l *lab) RoundTrip(r *http.Request) (*http.Response, error) {
	l.trouble.Lock()
	severed, spoil, held := l.severed, l.spoil, l.held
	l.trouble.Unlock()
	if severed != "" && strings.HasPrefix(r.URL.Path, severed) {
		return nil, errCut
	}
	method, isCall := strings.CutPrefix(r.URL.Path, "/api/")
	select {
	case <-time.After(held[method]):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if spoil == nil || !isCall {
		return l.transport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, _ := url.ParseQuery(string(body))
	if code := spoil(method, form); code != "" {
		answer := httptest.NewRecorder()
		if code == "ratelimited" {
			answer.Header().Set("Retry-After", "30")
			answer.WriteHeader(http.StatusTooManyRequests)
		}
		answer.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(answer, `{"ok":false,"error":%q}`, code)
		return answer.Result(), nil
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return l.transport.RoundTrip(r)
}

// meanwhile changes what stands between the bot and Slack while the bot runs.
func (l *lab) meanwhile(change func()) {
	l.trouble.Lock()
	defer l.trouble.Unlock()
	change()
}

// bubble runs a test in fake time; everything is closed before the bubble looks for goroutines that are left.
func bubble(t *testing.T, test func(l *lab)) {
	t.Helper()
	bubbleIn(t, workspace.Options{}, test)
}

func bubbleIn(t *testing.T, o workspace.Options, test func(l *lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newLab(t, o)) })
}

// overHTTP is the same for a bot that Slack posts to.
func overHTTP(t *testing.T, test func(l *lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ports := &ports{}
		l := newLab(t, workspace.Options{RequestURLs: workspace.RequestURLs{
			Commands: "http://ferry.test/slack/commands", Interactions: "http://ferry.test/slack/interactions", Events: "http://ferry.test/slack/events",
			SigningSecret: secret, Dial: ports.dial,
		}})
		l.ports = ports
		l.opts.AppToken, l.opts.SigningSecrets = "", []string{secret}
		test(l)
	})
}

// inBothModes runs a test over Socket Mode and over HTTP.
func inBothModes(t *testing.T, test func(l *lab)) {
	t.Helper()
	bubble(t, test)
	overHTTP(t, test)
}

// secret is what the requests of overHTTP are signed with.
const secret = "8f742231b10e8888abcd99yyyzzz85a5"

// ports are the listeners of the bots, of which each connection reaches another one.
type ports struct {
	mu   sync.Mutex
	open []*pipe.Listener
	turn int
}

func (p *ports) listen() net.Listener {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, pipe.Listen())
	return p.open[len(p.open)-1]
}

func (p *ports) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	p.mu.Lock()
	open, turn := slices.Clone(p.open), p.turn
	p.turn++
	p.mu.Unlock()
	for i := range open {
		if c, err := open[(turn+i)%len(open)].Dial(ctx, network, addr); err == nil {
			return c, nil
		}
	}
	return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
}

func newLab(t *testing.T, o workspace.Options) *lab {
	t.Helper()
	l := &lab{
		Workspace: workspace.New(o), t: t, log: &strings.Builder{},
		commands: newCommands(), reads: &reads{}, feed: newFeed(), refs: newRefs(), seams: &seams{cuts: map[string]cut{}},
	}
	listener := pipe.Listen()
	server := &http.Server{Handler: l, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	l.transport = &http.Transport{DialContext: listener.Dial}
	t.Cleanup(func() {
		l.Close()
		l.transport.CloseIdleConnections()
		_ = listener.Close()
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("server: %v", err)
		}
		_ = server.Close()
	})
	l.opts = slack.Options{
		BotToken: "xoxb-sandbox", AppToken: "xapp-sandbox", APIURL: "http://slack.test/api/", Channel: incident,
		Approvers: func(failover.Operation) []string { return []string{"U0BEN"} },
		Commands:  l.commands, Reads: l.reads, Feed: l.feed, Refs: l.refs, Seam: l.seams.run,
		HTTPClient: &http.Client{Transport: l},
		Dialer:     &websocket.Dialer{NetDialContext: listener.Dial},
		Log:        slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	return l
}

// start runs a bot until the test ends or stop is called.
func (l *lab) start() (stop func()) {
	l.t.Helper()
	_, stop = l.startBot()
	return stop
}

// startBot gives the bot, too.
func (l *lab) startBot() (b *slack.Bot, stop func()) {
	l.t.Helper()
	if l.ports != nil {
		l.opts.Listener = l.ports.listen()
	}
	b, err := slack.New(l.opts)
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(l.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			l.t.Errorf("Run: %v", err)
		}
	})
	l.t.Cleanup(stop)
	<-b.Connected()
	synctest.Wait()
	return b, stop
}

func (l *lab) typed(user, text string) {
	l.t.Helper()
	if err := l.Type(user, incident, text); err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
}

// shared invites another organisation into the channel.
func (l *lab) shared() {
	l.t.Helper()
	if err := l.Share(incident, workspace.Shared); err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
}

func (l *lab) clicked(user, label string, options ...workspace.ClickOption) {
	l.t.Helper()
	if _, err := l.Click(user, incident, label, options...); err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
}

// told are the ephemeral messages to a person, oldest first.
func (l *lab) told(user string) []string {
	var texts []string
	for _, m := range l.Messages(incident, user) {
		if m.EphemeralFor == user {
			texts = append(texts, strings.Join(l.Render(m), "\n"))
		}
	}
	return texts
}

// wantTold checks what a person has been told so far: one fragment for each answer.
func (l *lab) wantTold(user string, fragments ...string) {
	l.t.Helper()
	got := l.told(user)
	if len(got) != len(fragments) {
		l.t.Fatalf("%s was told %d times, want %d:\n%s", user, len(got), len(fragments), strings.Join(got, "\n---\n"))
	}
	for i, f := range fragments {
		if !strings.Contains(got[i], f) {
			l.t.Errorf("answer %d to %s is %q, want %q in it", i, user, got[i], f)
		}
	}
}

// shown are the channel's messages to all, rendered, oldest first.
func (l *lab) shown() []string {
	var texts []string
	for _, m := range l.Messages(incident, "U0EVE") {
		if m.EphemeralFor == "" {
			texts = append(texts, strings.Join(l.Render(m), "\n"))
		}
	}
	return texts
}

// cards are the messages of shown that are an operation's card.
func (l *lab) cards() []string {
	var cards []string
	for _, text := range l.shown() {
		if strings.Contains(text, "as of") {
			cards = append(cards, text)
		}
	}
	return cards
}

// count is how many calls of a Web API method had this status, any if it is empty.
func (l *lab) count(method, status string) int {
	n := 0
	for _, c := range l.Calls() {
		if c.Method == method && (status == "" || c.Status == status) {
			n++
		}
	}
	return n
}

// pass lets fake time go by, and then everything settle that it set off.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// cut makes one seam fail: err is asked with the number of the call, from 1. after lets the call take effect first.
type cut struct {
	after bool
	err   func(n int) error
}

// seams is the ledger of everything that the bot does to the world.
type seams struct {
	mu    sync.Mutex
	done  []string
	calls map[string]int
	cuts  map[string]cut
}

func (s *seams) run(name string, do func() error) error {
	s.mu.Lock()
	if s.calls == nil {
		s.calls = map[string]int{}
	}
	s.calls[name]++
	c, err := s.cuts[name], error(nil)
	if c.err != nil {
		err = c.err(s.calls[name])
	}
	s.mu.Unlock()
	if err != nil && !c.after {
		return err
	}
	if failed := do(); failed != nil {
		return failed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, name)
	return err
}

func (s *seams) cut(name string, c cut) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cuts[name] = c
}

func (s *seams) ledger() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.done...)
}

var errCut = errors.New("cut")
