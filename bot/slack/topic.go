package slack

import (
	"context"
	"log/slog"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	slackapi "github.com/slack-go/slack"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/failover"
)

const (
	maxTopic      = 250             // characters; documented
	topicSettles  = 2 * time.Second // what begins or ends together changes the topic once, since everybody is told of each change
	topicTries    = 6
	topicAgain    = 10 * time.Minute // after those: what stands there would be wrong until the next operation
	topicBegins   = "| Ferry: "      // our part of a topic, up to topicEnds
	topicEnds     = " under way"
	topicScopeFix = "allow channels:write.topic (in a private channel groups:write.topic) in the app and install it again, or take slack.topic out"
)

// topic says in the channel's topic, behind the words of its people, what is under way. It keeps nothing: each time it looks what
// is open and what the topic says now, and changes that only when it is not so. Whatever was left by a bot that died, or
// is done by two at once, comes out the same. Nothing waits for it.
type topic struct {
	bot  *Bot
	wake chan struct{} // holds one: it is worth a look
	ours *regexp.Regexp

	mu        sync.Mutex
	delivered bool                                 // this bot is given the facts to announce
	heard     map[failover.OpID]failover.Operation // as delivered, since what answers reads may lag behind; what is over goes
	barred    bool                                 // the bot may not set it; written by run alone

	cause string // of the newest trouble, so that each is logged once; of run alone
}

func newTopic(b *Bot) *topic {
	return &topic{
		bot: b, wake: make(chan struct{}, 1), heard: map[failover.OpID]failover.Operation{},
		ours: regexp.MustCompile(`\s*` + regexp.QuoteMeta(topicBegins) + `[^|\n]*?` + topicEnds),
	}
}

// underWay reports whether an operation has begun and not ended. One that waits for its approval has not begun.
func underWay(op failover.Operation) bool {
	return op.Exists() && !op.Phase.Final() && (op.Started() || op.Verb.Declares())
}

// hear takes a delivery in.
func (t *topic) hear(op failover.Operation) {
	if !t.bot.opts.Topic {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.barred {
		return
	}
	before := t.heard[op.ID]
	look := !t.delivered || op.Phase.Final() || underWay(op) && !underWay(before)
	t.delivered = true
	if op.Seq > before.Seq && (op.Phase.Final() || underWay(op)) {
		t.heard[op.ID] = op
	}
	if look {
		t.look()
	}
}

func (t *topic) look() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// run keeps the topic until ctx ends.
func (t *topic) run(ctx context.Context) {
	if !t.bot.opts.Topic {
		return
	}
	t.look() // what a bot that died has left
	for !t.barred {
		var again <-chan time.Time
		if t.cause != "" {
			again = time.After(topicAgain)
		}
		select {
		case <-t.wake:
		case <-again:
		case <-ctx.Done():
			return
		}
		if pause(ctx, topicSettles); over(ctx) {
			return
		}
		select {
		case <-t.wake: // it came meanwhile, and is seen now
		default:
		}
		t.keep(ctx)
	}
}

// keep sets the topic, and tries again a few times what may pass. Each time it finds out anew what is to be set.
func (t *topic) keep(ctx context.Context) {
	for tries := 1; !over(ctx); tries++ {
		err := guarded(func() error { return t.set(ctx) })
		switch {
		case err == nil:
			t.cause = ""
			return
		case over(ctx):
			return
		case lasting(err) || tries == topicTries:
			t.trouble(ctx, err)
			return
		}
		pause(ctx, max(backoff(tries), retryAfter(err)))
	}
}

// trouble logs what is new about it, with what to do.
func (t *topic) trouble(ctx context.Context, err error) {
	fix := setupFix(err)
	if slackCode(err) == "missing_scope" {
		fix = topicScopeFix
		t.bar()
	}
	why := cause(err).Error()
	if why == t.cause {
		return
	}
	t.cause = why
	t.bot.opts.Log.WarnContext(ctx, "the topic of the channel does not say what is under way", slog.String("cause", why), slog.String("fix", fix))
}

// bar gives up for good: nothing is heard, or kept, any more.
func (t *topic) bar() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.barred = true
	clear(t.heard)
}

// set makes the topic say what is under way, and nothing of that where another organisation takes part.
func (t *topic) set(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(idle(ctx), callTimeout)
	defer cancel()
	ops, err := t.open(ctx)
	if err != nil {
		return err
	}
	c, err := t.bot.api.GetConversationInfoContext(ctx, &slackapi.GetConversationInfoInput{ChannelID: t.bot.opts.Channel})
	if err != nil {
		return err
	}
	if c.IsExtShared || c.IsPendingExtShared {
		ops = nil
	}
	wanted := t.with(c.Topic.Value, ops)
	if wanted == c.Topic.Value {
		return nil
	}
	return t.bot.seam("slack.topic", func() error {
		_, err := t.bot.api.SetTopicOfConversationContext(ctx, t.bot.opts.Channel, wanted)
		return err
	})
}

// open finds what is under way: what is open by the answer to a read, or newer than that by what was delivered.
func (t *topic) open(ctx context.Context) ([]failover.Operation, error) {
	latest := map[failover.OpID]failover.Operation{}
	read := func(ref failover.OpID) error {
		found, err := t.bot.opts.Reads.Status(ctx, string(ref))
		for _, op := range found.Operations {
			latest[op.ID] = op
		}
		return err
	}
	if err := read(""); err != nil {
		return nil, err
	}
	t.mu.Lock()
	heard := maps.Clone(t.heard)
	t.mu.Unlock()
	for id, op := range heard {
		if !latest[id].Exists() && underWay(op) { // it has ended since, or is not known there yet
			if err := read(id); err != nil {
				return nil, err
			}
		}
		if final := latest[id].Phase.Final() || op.Phase.Final() && !latest[id].Exists(); final {
			t.forget(id)
		}
		if op.Seq > latest[id].Seq {
			latest[id] = op
		}
	}
	var ops []failover.Operation
	for _, op := range latest {
		if underWay(op) {
			ops = append(ops, op)
		}
	}
	return ops, nil
}

// forget lets an operation go that is over also for whoever answers reads.
func (t *topic) forget(id failover.OpID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.heard, id)
}

// with is a topic that says what is under way behind the words of people, as far as those leave room.
func (t *topic) with(now string, ops []failover.Operation) string {
	own := t.ours.ReplaceAllString(now, "")
	if len(ops) == 0 {
		return own
	}
	parts := []string{strconv.Itoa(len(ops)) + " operations"}
	if len(ops) == 1 {
		parts = []string{render.Escape(doing(ops[0])), "1 operation"}
	}
	for _, part := range parts {
		said := strings.TrimPrefix(own+" "+topicBegins+part+topicEnds, " ")
		// What another look would not know as ours must not get in: a name may be anything.
		if utf8.RuneCountInString(said) <= maxTopic && t.ours.ReplaceAllString(said, "") == own {
			return said
		}
	}
	return own
}

// doing is an operation in few words.
func doing(op failover.Operation) string {
	switch {
	case op.Verb == failover.VerbFreeze:
		return bot.What(op)
	case op.Verb.Declares():
		return bot.Noun(op.Verb)
	}
	return bot.Noun(op.Verb) + " of " + bot.Targets(op)
}
