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
	// seekTries is how often in a row Slack may fail to answer before the message is posted without.
	seekTries = 4
)

// markOf says in a message's metadata which one it is.
func markOf(op failover.OpID, key string) map[string]any {
	if key == cardKey {
		key = "card"
	}
	return map[string]any{"op": string(op), "message": key}
}

// seek looks where a message would stand of which nobody knows whether it was posted, and goes on with it when it is there.
// Without the scopes for that nothing is looked for, and the message is posted once more.
func (a *announcer) seek(ctx context.Context, p pending, todo chore) error {
	intent, thread := p.posted(todo.key), p.thread(todo)
	method := seekMethod(thread)
	if a.blind[method] || !a.bot.looksBack() || intent.At.IsZero() || p.looks >= seekTries {
		p.looked(todo.key)
		return nil
	}
	var there *slackapi.Message
	err := a.bot.seam("slack.history", func() (err error) {
		there, err = a.bot.find(ctx, thread, markOf(p.id, todo.key), intent.At.Add(-seekBefore))
		return err
	})
	switch {
	case isDenied(err): // it is no different the next time
		a.blind[method] = true
		a.bot.opts.Log.WarnContext(ctx, "Slack does not show what stands in the channel, so that a message may be posted twice after a crash",
			slog.String("method", method), slog.Any("cause", cause(err)), slog.String("fix", extraFix))
		return nil
	case retryAfter(err) > 0: // it will be
		return err
	case err != nil:
		p.looks++
		return err
	}
	p.looked(todo.key)
	if there != nil {
		p.failures = 0
		p.found(todo.key, Posted{State: StatePosted, Channel: a.bot.opts.Channel, TS: there.Timestamp, Seq: intent.Seq, Continued: intent.Continued})
	}
	return nil
}

// seekMethod shows what stands in the channel, or in a thread.
func seekMethod(thread string) string {
	if thread == "" {
		return "conversations.history"
	}
	return "conversations.replies"
}

// isDenied reports whether the token may not make a call.
func isDenied(err error) bool {
	switch slackCode(err) {
	case "missing_scope", "no_permission", "not_allowed_token_type":
		return true
	}
	return false
}

// looksBack reports whether the token may read the channel, and what marks its messages.
func (b *Bot) looksBack() bool {
	if b.granted == nil { // it will be seen
		return true
	}
	has := func(scope string) bool { return slices.Contains(b.granted, scope) }
	return has("metadata.message:read") && (has("channels:history") || has("groups:history"))
}

// find gives a message of ours since a time that is marked so, in a thread or (without one) in the channel; nil when there is none.
func (b *Bot) find(ctx context.Context, thread string, mark map[string]any, since time.Time) (*slackapi.Message, error) {
	messages, err := b.since(ctx, thread, fmt.Sprintf("%d.%06d", since.Unix(), since.Nanosecond()/1000))
	if err != nil {
		return nil, err
	}
	for i, m := range messages {
		payload := m.Metadata.EventPayload
		if m.User == b.self && m.Metadata.EventType == metadataType && payload["op"] == mark["op"] && payload["message"] == mark["message"] {
			return &messages[i], nil
		}
	}
	return nil, nil
}

// since reads what stands in a thread, or in the channel, from a ts on.
func (b *Bot) since(ctx context.Context, thread, oldest string) ([]slackapi.Message, error) {
	if thread != "" {
		messages, _, _, err := b.api.GetConversationRepliesContext(ctx, &slackapi.GetConversationRepliesParameters{
			ChannelID: b.opts.Channel, Timestamp: thread, Oldest: oldest, Limit: seekAmong, IncludeAllMetadata: true,
		})
		return messages, err
	}
	history, err := b.api.GetConversationHistoryContext(ctx, &slackapi.GetConversationHistoryParameters{
		ChannelID: b.opts.Channel, Oldest: oldest, Limit: seekAmong, IncludeAllMetadata: true,
	})
	if err != nil {
		return nil, err
	}
	return history.Messages, nil
}
