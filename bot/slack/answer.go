package slack

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/bot/render"
)

// ephemeral is the response type of an answer that only its reader sees.
const ephemeral = "ephemeral"

// answerLife is how long after receipt a response_url is used. Slack keeps it for 30 minutes.
const answerLife = 25 * time.Minute

const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// interim says what holds for the moment only. It is not worth saying late.
func (b *Bot) interim(ctx context.Context, env *envelope, text string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	b.answer(ctx, env, render.Ephemeral(text))
}

// answer says something to one person, again and again while Slack is down and a response_url would live.
func (b *Bot) answer(ctx context.Context, env *envelope, m render.Message) {
	if env.home {
		b.homes.say(env.user, m)
	}
	ctx, cancel := context.WithDeadline(ctx, env.received.Add(answerLife))
	defer cancel()
	if err := b.insist(ctx, "slack.answer", func() error { return b.respond(ctx, env, m) }); err != nil {
		b.opts.Log.WarnContext(ctx, "a person got no answer", slog.Any("cause", cause(err)))
	}
}

// insist asks something of Slack again and again, until it works, Slack will not have it, or ctx ends.
func (b *Bot) insist(ctx context.Context, seam string, do func() error) error {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := b.seam(seam, do)
		if err == nil || over(ctx) || isRefused(err) {
			return err
		}
		pause(ctx, max(wait, retryAfter(err)))
	}
}

// respond posts once, to the response_url if there is one. Of that only the HTTP status is looked at: bodies differ between what
// the URL came with.
func (b *Bot) respond(ctx context.Context, env *envelope, m render.Message) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if env.home && errors.Is(b.mayShow(ctx), errShared) {
		return nil // it stands in their tab
	}
	if env.url == "" {
		return b.whisper(ctx, env.channel, env.thread, env.user, m)
	}
	off := false
	return cause(slackapi.PostWebhookCustomHTTPContext(ctx, env.url, b.opts.HTTPClient, &slackapi.WebhookMessage{
		ResponseType: ephemeral, Text: m.Text, Blocks: blocksOf(m), UnfurlLinks: &off, UnfurlMedia: &off,
	}))
}

// whisper shows one person a message in a channel, in a thread if one is given.
func (b *Bot) whisper(ctx context.Context, channel, thread, user string, m render.Message) error {
	options := []slackapi.MsgOption{slackapi.MsgOptionText(m.Text, false)}
	if len(m.Blocks) > 0 {
		options = append(options, slackapi.MsgOptionBlocks(m.Blocks...))
	}
	if thread != "" {
		options = append(options, slackapi.MsgOptionTS(thread))
	}
	_, err := b.api.PostEphemeralContext(ctx, channel, user, options...)
	return cause(err)
}

// isRefused reports that Slack will not take this: a response URL is used up, expired or was never one, or Slack says why a message
// or a view cannot be shown.
func isRefused(err error) bool {
	if slackCode(err) != "" {
		return lasting(err)
	}
	status, ok := errors.AsType[slackapi.StatusCodeError](err)
	return ok && status.Code >= http.StatusBadRequest && status.Code < http.StatusInternalServerError
}

// retryAfter is how long Slack asked to wait, 0 when it did not.
func retryAfter(err error) time.Duration {
	if limited, ok := errors.AsType[*slackapi.RateLimitedError](err); ok {
		return limited.RetryAfter
	}
	return 0
}
