package slack

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"ferry/failover"
)

const (
	slowRetry = time.Minute // when a person has to change something first
	longWait  = time.Hour   // of a drawing goroutine with nothing to do; a delivery wakes it
	// refFresh is how long what was read of a card's messages holds. While this bot waited for Slack, or was cut off from the
	// store, another may have posted the card, and drawn what is newer.
	refFresh = 2 * time.Second
)

// announcer keeps the channel in step with the operations. When Slack is away it lags, and makes one edit per operation to
// catch up; nothing else in Ferry waits for it.
type announcer struct {
	bot     *Bot
	me      string // among bots
	board   *board
	topic   *topic
	pinless bool            // the bot may not pin
	blind   map[string]bool // by method: Slack does not show what stands there
	cause   string          // of the newest failure, so that each is logged once
}

func newAnnouncer(b *Bot) *announcer {
	return &announcer{bot: b, me: rand.Text(), board: newBoard(), topic: newTopic(b), blind: map[string]bool{}}
}

// run reads and draws until ctx ends.
func (a *announcer) run(ctx context.Context) {
	var reading sync.WaitGroup
	reading.Go(func() { a.read(ctx) })
	reading.Go(func() { a.topic.run(ctx) })
	a.draw(ctx)
	reading.Wait()
}

func (a *announcer) read(ctx context.Context) {
	for !over(ctx) {
		err := guarded(func() error { return a.readOne(ctx) })
		if err != nil && !over(ctx) {
			a.bot.opts.Log.WarnContext(ctx, "the feed of facts failed; reading on", slog.Any("cause", err))
			pause(ctx, firstRetry)
		}
	}
}

func (a *announcer) readOne(ctx context.Context) error {
	u, err := a.bot.opts.Feed.Next(ctx)
	if err != nil {
		return err
	}
	if op := u.Operation(); op.Exists() {
		a.board.offer(u, time.Now())
		a.topic.hear(op)
	} else { // a refusal and nothing else: who asked is answered, and the channel need not know
		a.acknowledge(ctx, u)
	}
	return nil
}

func (a *announcer) draw(ctx context.Context) {
	for !over(ctx) {
		next, at := a.choose(ctx, time.Now())
		if next.card == nil { // nothing yet, even when the time has come while choosing
			select {
			case <-time.After(time.Until(at)):
			case <-a.board.wake:
			case <-ctx.Done():
			}
			continue
		}
		if (next.speaks() || next.kind == choreSeek) && time.Since(next.readAt) > refFresh {
			next.chore = chore{kind: choreLoad}
		}
		err := guarded(func() error { return a.do(ctx, next.pending, next.chore) })
		if !over(ctx) {
			a.learn(ctx, next.pending, next.chore, err)
		}
	}
}

// choice is a chore that may be done at a time.
type choice struct {
	pending
	chore
	at time.Time
}

// choose finds the chore to do now, or (without a card) when there will be one: final states first, then new cards, then what
// must notify, then who waits longest.
func (a *announcer) choose(ctx context.Context, now time.Time) (choice, time.Time) {
	best, at := choice{}, now.Add(longWait)
	for _, p := range a.board.lagging() {
		c := a.earliest(ctx, p, now)
		switch {
		case c.at.After(now):
			if c.at.Before(at) {
				at = c.at
			}
		case best.card == nil || c.before(best):
			best = c
		}
	}
	if best.card != nil {
		return best, now
	}
	return best, at
}

func (a *announcer) earliest(ctx context.Context, p pending, now time.Time) choice {
	var first choice
	if err := p.draft(p.op, a.bot.opts.Approvers); err != nil {
		a.bot.opts.Log.ErrorContext(ctx, "the notices of an operation cannot be drawn", opAttr(p.id), slog.Any("cause", err))
	}
	for _, todo := range p.chores(p.op) {
		c := choice{p, todo, a.ready(p, todo, now)}
		if first.card == nil || first.at.After(now) && c.at.Before(first.at) {
			first = c
		}
	}
	return first
}

// ready is when a chore may be done.
func (a *announcer) ready(p pending, todo chore, now time.Time) time.Time {
	at, c, every := now, p.card, cardEvery
	if p.op.Several() && p.op.Phase == failover.Running {
		every = fleetEvery
	}
	switch todo.kind {
	case chorePost:
		at = a.bot.calls.of("chat.postMessage").at(now)
	case choreEdit:
		if at = a.bot.calls.of("chat.update").at(now); c.edited.Add(every).After(at) {
			at = c.edited.Add(every)
		}
	case choreSeek:
		at = a.bot.calls.of(seekMethod(c.thread(todo))).at(now)
	case chorePin:
		at = a.bot.calls.of(pinMethod(c)).at(now)
	case choreLoad, choreSave, choreIntend, choreAck:
	}
	if c.notBefore.After(at) {
		return c.notBefore
	}
	return at
}

// speaks reports whether people see what the chore does.
func (c choice) speaks() bool { return c.kind == chorePost || c.kind == choreEdit }

func (c choice) before(other choice) bool {
	if mine, theirs := c.kind == chorePin, other.kind == chorePin; mine != theirs { // nobody waits for it
		return theirs
	}
	if mine, theirs := c.op.Phase.Final(), other.op.Phase.Final(); mine != theirs {
		return mine
	}
	if mine, theirs := c.rank(), other.rank(); mine != theirs {
		return mine < theirs
	}
	return c.since.Before(other.since)
}

// rank orders what people are shown: cards that are not there yet, what must notify, and what changes on a card.
func (c choice) rank() int {
	switch {
	case c.kind == choreEdit:
		return 2
	case c.kind == chorePost && c.key != cardKey:
		return 1
	}
	return 0
}

// acknowledge tells the feed; what gets lost on the way is delivered again.
func (a *announcer) acknowledge(ctx context.Context, u Update) {
	if err := a.bot.seam("feed.ack", u.Ack); err != nil {
		a.bot.opts.Log.DebugContext(ctx, "a fact was not acknowledged", slog.Any("cause", err))
	}
}

// opAttr is the operation in a log line.
func opAttr(id failover.OpID) slog.Attr { return slog.String("op", string(id)) }
