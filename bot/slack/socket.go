package slack

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// reconnectPause is between two runs of the SDK's connection loop, which ends only rarely: it reconnects by itself.
const reconnectPause = time.Second

// bothSockets is how many connections there are.
const bothSockets = 2

// socket is one Socket Mode connection that renews itself. Its fields belong to the goroutine of run.
type socket struct {
	bot      *Bot
	client   *socketmode.Client
	appID    string // from the hello; payloads of another app are refused
	failures int    // since the last hello
	up       bool   // greeted, and not lost since
	cause    string
}

// listen runs the first connection; an error for good stops the bot.
func (b *Bot) listen(ctx context.Context, stop context.CancelCauseFunc) {
	if err := b.newSocket().run(ctx); err != nil {
		stop(err)
	}
}

// listenToo runs the second one: Slack renews each every few hours, and slack-go closes before it opens, so that one alone
// would be deaf for a moment. It starts after the first so that they are not renewed at the same time.
func (b *Bot) listenToo(ctx context.Context, stop context.CancelCauseFunc) {
	select {
	case <-b.connected:
		b.listen(ctx, stop)
	case <-ctx.Done():
	}
}

func (b *Bot) newSocket() *socket {
	options := []socketmode.Option{socketmode.OptionLog(log.New(io.Discard, "", 0))}
	if b.opts.Dialer != nil {
		options = append(options, socketmode.OptionDialer(b.opts.Dialer))
	}
	return &socket{bot: b, client: socketmode.New(b.api, options...)}
}

// run hands events over until ctx ends (nil) or Slack refuses for good.
func (s *socket) run(ctx context.Context) error {
	var connection sync.WaitGroup
	defer connection.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	connection.Go(func() { ended <- s.connect(ctx) })
	for {
		select {
		case event := <-s.client.Events:
			if err := s.take(ctx, event); err != nil {
				return err
			}
		case err := <-ended:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// connect keeps the SDK's connection loop going.
func (s *socket) connect(ctx context.Context) error {
	told := ""
	for {
		err := s.client.RunContext(ctx)
		if over(ctx) {
			return nil
		}
		if refused := fatal(err, appSetting); refused != nil {
			if !s.bot.greetedOnce() {
				return refused
			}
			s.bot.refused(ctx, &told, refused)
			pause(ctx, slowRetry)
			continue
		}
		s.bot.opts.Log.WarnContext(ctx, "the connection to Slack ended; connecting again", slog.Any("cause", cause(err)))
		pause(ctx, reconnectPause)
	}
}

// refused logs once that Slack does not let the bot in any more. What runs goes on without Slack, and people may mend it
// meanwhile: only a bot that was never let in ends.
func (b *Bot) refused(ctx context.Context, told *string, err error) {
	b.link.refused(err)
	if why := err.Error(); why != *told {
		*told = why
		b.opts.Log.ErrorContext(ctx, "Slack does not let the bot in any more; operations go on, and it is tried again every minute", slog.String("cause", why))
	}
}

// take never waits: a reader that stalls stops the pings too, and slack-go does not come back from that.
func (s *socket) take(ctx context.Context, e socketmode.Event) error {
	switch e.Type {
	case socketmode.EventTypeHello:
		s.greeted(ctx, e.Request)
	case socketmode.EventTypeConnecting:
		s.is(false)
	case socketmode.EventTypeConnectionError:
		return s.failed(ctx, e)
	case socketmode.EventTypeErrorWriteFailed:
		s.resend(ctx, e)
	case socketmode.EventTypeSlashCommand:
		if c, ok := e.Data.(slackapi.SlashCommand); ok {
			s.hand(ctx, e.Request, func(ctx context.Context, env *envelope) { s.bot.slash(ctx, env, c) })
		}
	case socketmode.EventTypeInteractive:
		if c, ok := e.Data.(slackapi.InteractionCallback); ok {
			s.hand(ctx, e.Request, func(ctx context.Context, env *envelope) { s.bot.interaction(ctx, env, c) })
		}
	case socketmode.EventTypeEventsAPI:
		s.hand(ctx, e.Request, func(ctx context.Context, env *envelope) { s.bot.event(ctx, env, e.Request.Payload) })
	case socketmode.EventTypeErrorBadMessage:
		s.rejected(ctx, e)
	default: // never with its data, which may hold the address of the connection
		s.bot.opts.Log.DebugContext(ctx, "Slack connection event", slog.String("type", string(e.Type)))
	}
	return nil
}

func (s *socket) greeted(ctx context.Context, r *socketmode.Request) {
	s.appID = r.ConnectionInfo.AppID
	s.bot.opts.Log.InfoContext(ctx, "listening to Slack", slog.Int("failed_attempts", s.failures))
	s.failures, s.cause = 0, ""
	s.is(true)
	s.bot.hello()
}

// is counts the connection among those that are up, or not.
func (s *socket) is(up bool) {
	switch {
	case up && !s.up:
		s.bot.link.open()
	case !up && s.up:
		s.bot.link.lost()
	}
	s.up = up
}

// failed logs a cause once, however often it is met, and ends the bot when it will not pass.
func (s *socket) failed(ctx context.Context, e socketmode.Event) error {
	problem, ok := e.Data.(*slackapi.ConnectionErrorEvent)
	if !ok {
		return nil
	}
	if refused := fatal(problem.ErrorObj, appSetting); refused != nil {
		if !s.bot.greetedOnce() {
			return refused
		}
		s.bot.refused(ctx, &s.cause, refused)
		return nil
	}
	s.failures++
	s.bot.link.failed(problem.ErrorObj)
	if why := cause(problem.ErrorObj).Error(); why != s.cause {
		s.cause = why
		s.bot.opts.Log.WarnContext(ctx, "no connection to Slack; trying again", slog.String("cause", why), slog.Int("attempt", s.failures))
	}
	return nil
}

// resend puts an acknowledgement that did not get out onto the next connection; the SDK drops it otherwise.
func (s *socket) resend(ctx context.Context, e socketmode.Event) {
	lost, ok := e.Data.(*socketmode.ErrorWriteFailed)
	if !ok || lost.Response == nil {
		return
	}
	request := &socketmode.Request{EnvelopeID: lost.Response.EnvelopeID}
	s.hand(ctx, request, func(ctx context.Context, env *envelope) { env.acknowledge(ctx, lost.Response.Payload) })
}

// rejected takes an event that the SDK could not decode: it does not matter here how all of it looks. Anything else of that kind
// is left, and whoever sent it sees an error.
func (s *socket) rejected(ctx context.Context, e socketmode.Event) {
	bad, ok := e.Data.(*socketmode.ErrorBadMessage)
	var r socketmode.Request
	if !ok || json.Unmarshal(bad.Message, &r) != nil || r.Type != socketmode.RequestTypeEventsAPI {
		s.bot.opts.Log.WarnContext(ctx, "a message of Slack's cannot be read and is left")
		return
	}
	s.hand(ctx, &r, func(ctx context.Context, env *envelope) { s.bot.event(ctx, env, r.Payload) })
}

// hand starts the handler of one event. When all places are taken the event is dropped unacknowledged: Slack then shows
// who sent it an error, which is true.
func (s *socket) hand(ctx context.Context, r *socketmode.Request, handle handler) {
	s.bot.hand(ctx, &envelope{bot: s.bot, id: r.EnvelopeID, appID: s.appID, received: time.Now(), send: s.client.AckCtx}, handle)
}

// hand starts a handler, unless all places are taken. What it returns is closed when the handler has ended.
func (b *Bot) hand(ctx context.Context, env *envelope, handle handler) (ended <-chan struct{}, ok bool) {
	if !b.handling.TryAcquire(1) {
		b.opts.Log.ErrorContext(ctx, "too many commands at once, or stopping; one is dropped without acknowledgement")
		return nil, false
	}
	end := make(chan struct{})
	b.handlers.Go(func() {
		defer close(end)
		defer env.end()
		if err := guarded(func() error { handle(ctx, env); return nil }); err != nil {
			b.opts.Log.ErrorContext(ctx, "a handler failed", slog.Any("cause", err))
		}
	})
	return end, true
}

// ignore acknowledges what this version has no use for, so that Slack does not send it again.
func (b *Bot) ignore(ctx context.Context, env *envelope) {
	b.opts.Log.DebugContext(ctx, "acknowledged and ignored an event of Slack")
	env.acknowledge(ctx, nil)
}
