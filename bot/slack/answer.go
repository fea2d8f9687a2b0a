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

// answer says something to one person through response_url, again and again while Slack is down and the URL lives.
func (b *Bot) answer(ctx context.Context, env *envelope, m render.Message) {
	ctx, cancel := context.WithDeadline(ctx, env.received.Add(answerLife))
	defer cancel()
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := b.seam("slack.answer", func() error { return b.respond(ctx, env.url, m) })
		if err == nil {
			return
		}
		if over(ctx) || isRefused(err) {
			b.opts.Log.WarnContext(ctx, "a person got no answer", slog.Any("cause", cause(err)))
			return
		}
		pause(ctx, max(wait, retryAfter(err)))
	}
}

// respond posts once. Only the HTTP status is looked at: bodies differ between what the URL came with.
func (b *Bot) respond(ctx context.Context, url string, m render.Message) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	off := false
	return cause(slackapi.PostWebhookCustomHTTPContext(ctx, url, b.opts.HTTPClient, &slackapi.WebhookMessage{
		ResponseType: ephemeral, Text: m.Text, Blocks: blocksOf(m), UnfurlLinks: &off, UnfurlMedia: &off,
	}))
}

// isRefused reports that a response URL will not take this answer: it is used up, expired or was never one.
func isRefused(err error) bool {
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
