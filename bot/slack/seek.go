package slack

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/failover"
)

const (
	// seekBefore is how much earlier than its intent a message may stand, by Slack's clock.
	seekBefore = time.Minute
	// seekAmong is how many messages since then are looked through, in one call.
	seekAmong = 200
	// seekTries is how often Slack may fail to answer before the message is posted without.
	seekTries = 4
)

// markOf says in a message's metadata which one it is.
func markOf(op failover.OpID, key string) map[string]any {
	if key == cardKey {
		key = "card"
	}
	return map[string]any{"op": string(op), "message": key}
}

// seek looks in the channel for a message of which nobody knows whether it was posted, and goes on with it when it is there.
// Without the scopes for that, and for what stands in a thread, nothing is looked for, and the message is posted once more.
func (a *announcer) seek(ctx context.Context, p pending, todo chore) error {
	intent := p.posted(todo.key)
	inThread := todo.notice.Thread && !p.flat
	if a.blind || !a.bot.looksBack() || inThread || intent.At.IsZero() || p.failures >= seekTries {
		p.sought[todo.key] = true
		return nil
	}
	var there *slackapi.Message
	err := a.bot.seam("slack.history", func() (err error) {
		there, err = a.bot.find(ctx, markOf(p.id, todo.key), intent.At.Add(-seekBefore))
		return err
	})
	if slackCode(err) != "" && surelyNotDone(err) { // it will not answer the next time either
		a.blind = true
		a.bot.opts.Log.WarnContext(ctx, "Slack does not show what stands in the channel, so that a message may be posted twice after a crash", slog.Any("cause", cause(err)), slog.String("fix", extraFix))
		return nil
	}
	if err != nil {
		return err
	}
	p.sought[todo.key] = true
	if there != nil {
		p.failures = 0
		p.found(todo.key, Posted{State: StatePosted, Channel: a.bot.opts.Channel, TS: there.Timestamp, Seq: intent.Seq, Continued: intent.Continued})
	}
	return nil
}

// looksBack reports whether the token may read the channel, and what marks its messages.
func (b *Bot) looksBack() bool {
	if b.granted == nil { // it will be seen
		return true
	}
	has := func(scope string) bool { return slices.Contains(b.granted, scope) }
	return has("metadata.message:read") && (has("channels:history") || has("groups:history"))
}

// find gives the newest message of ours since a time that is marked so, nil when there is none.
func (b *Bot) find(ctx context.Context, mark map[string]any, since time.Time) (*slackapi.Message, error) {
	history, err := b.api.GetConversationHistoryContext(ctx, &slackapi.GetConversationHistoryParameters{
		ChannelID: b.opts.Channel, Oldest: fmt.Sprintf("%d.%06d", since.Unix(), since.Nanosecond()/1000), Limit: seekAmong, IncludeAllMetadata: true,
	})
	if err != nil {
		return nil, err
	}
	for i, m := range history.Messages {
		payload := m.Metadata.EventPayload
		if m.User == b.self && m.Metadata.EventType == metadataType && payload["op"] == mark["op"] && payload["message"] == mark["message"] {
			return &history.Messages[i], nil
		}
	}
	return nil, nil
}
