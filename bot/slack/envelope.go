package slack

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/bot/render"
	"ferry/failover"
)

// answerBy is how long after receipt a person is answered in any case. Slack gives up at 3 s.
const answerBy = 2500 * time.Millisecond

// ackTime bounds the queueing of an acknowledgement: with no connection the SDK's queue fills and then blocks for ever.
const ackTime = 2 * time.Second

// envelope is one delivery by Slack: what came, when, and the two ways to answer it.
type envelope struct {
	bot      *Bot
	id       string
	appID    string
	received time.Time
	sent     time.Time // by Slack's clock; zero: not told
	send     func(ctx context.Context, envelopeID string, payload any) error
	direct   bool // over HTTP: the acknowledgement is the answer to the request
	acked    bool
	lingers  bool // its place is among the followers, no longer among the handlers

	url       string // response_url: a secret, good for 5 answers within 30 minutes; empty: the answer goes to user in channel
	channel   string
	thread    string // may be empty
	user      string
	home      bool // pressed in the Home tab of user: answers stand there too
	inPayload bool // the acknowledgement may carry an answer
}

// asked is when the event came, by the time that all processes share, or was sent, when that is longer ago: what Slack or
// somebody else held back is no newer for that.
func (e *envelope) asked() time.Time {
	at := e.bot.opts.Now().Add(-time.Since(e.received))
	if !e.sent.IsZero() && e.sent.Before(at) {
		return e.sent
	}
	return at
}

func (e *envelope) deadline() time.Time { return e.received.Add(answerBy) }

// linger gives the handler's place free for new events when only waiting is left. When too many wait already it keeps it:
// that bounds them all.
func (e *envelope) linger() {
	if !e.lingers && e.bot.following.TryAcquire(1) {
		e.lingers = true
		e.bot.handling.Release(1)
	}
}

func (e *envelope) end() {
	if e.lingers {
		e.bot.following.Release(1)
		return
	}
	e.bot.handling.Release(1)
}

// messageID is the same for every delivery of one request: trigger ids repeat, envelope ids do not.
func (e *envelope) messageID(trigger string) string {
	return failover.MessageID(e.bot.team, cmp.Or(trigger, e.id))
}

// ackPayload is an answer inside an acknowledgement.
type ackPayload struct {
	ResponseType string           `json:"response_type"`
	Text         string           `json:"text"`
	Blocks       *slackapi.Blocks `json:"blocks,omitempty"`
}

func payloadOf(m render.Message) ackPayload {
	return ackPayload{ResponseType: ephemeral, Text: m.Text, Blocks: blocksOf(m)}
}

// acknowledge tells Slack that the event has been taken, with an answer or (nil) without. Success means queued: on the
// next connection if there is none now.
func (e *envelope) acknowledge(ctx context.Context, payload any) bool {
	ctx, cancel := context.WithTimeout(ctx, ackTime)
	defer cancel()
	err := e.bot.seam("slack.ack", func() error { return e.send(ctx, e.id, payload) })
	if err != nil {
		e.bot.opts.Log.WarnContext(ctx, "Slack was not acknowledged", slog.Any("cause", cause(err)))
	}
	e.acked = e.acked || err == nil
	return err == nil
}

// reply answers at once and for good: in the acknowledgement where Slack takes one there, else through response_url.
func (e *envelope) reply(ctx context.Context, m render.Message) {
	if e.inPayload && e.acknowledge(ctx, payloadOf(m)) {
		return
	}
	e.acknowledge(ctx, nil) // also when the payload was too large for an acknowledgement
	e.linger()
	e.bot.answer(ctx, e, m)
}

func blocksOf(m render.Message) *slackapi.Blocks {
	if len(m.Blocks) == 0 {
		return nil
	}
	return &slackapi.Blocks{BlockSet: m.Blocks}
}
