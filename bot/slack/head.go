package slack

import (
	"context"
	"log/slog"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/bot/render"
	"ferry/failover"
)

// headKey is where the bots keep which day's head of the audit was posted last.
const headKey failover.OpID = "audit-head"

// headRetry is how long a head waits that could not be posted.
const headRetry = time.Minute

// herald posts the head of the audit once a day: whoever rewrites the record later cannot rewrite that. Several bots agree by an
// intent that only one can store. It is never posted twice: where nobody knows whether it was, the next day's covers it.
type herald struct {
	bot  *Bot
	me   string
	told string // the newest trouble, so that each is logged once
}

// run posts until ctx ends.
func (h *herald) run(ctx context.Context) {
	if h.bot.opts.Heads == nil || h.bot.opts.Daily == nil {
		return
	}
	began := h.bot.opts.Now()
	for !over(ctx) {
		now := h.bot.opts.Now()
		due := h.bot.opts.Daily(now)
		next := h.bot.opts.Daily(due.Add(36 * time.Hour)) // the day after, however long a day is
		wait := next.Sub(now)
		err := guarded(func() error { return h.post(ctx, due, due.Before(began)) })
		if err == nil {
			h.told = ""
		} else if !over(ctx) {
			wait = headRetry
			h.trouble(ctx, err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// trouble logs what is new about it, with what to do.
func (h *herald) trouble(ctx context.Context, err error) {
	why := cause(err).Error()
	if why == h.told {
		return
	}
	h.told = why
	attrs := []any{slog.String("cause", why)}
	if fix := setupFix(err); fix != "" {
		attrs = append(attrs, slog.String("fix", fix))
	}
	h.bot.opts.Log.WarnContext(ctx, "the head of the audit is not posted yet; trying again every minute", attrs...)
}

// post posts the head that was due at a time, unless that is done, or missed by bots that had posted none before.
func (h *herald) post(ctx context.Context, due time.Time, missed bool) error {
	day := due.UTC().Format(time.DateOnly)
	ref, err := h.bot.opts.Refs.Get(ctx, headKey)
	if err != nil {
		return err
	}
	last, known := ref.Notices[day]
	switch {
	case known && (last.State == StatePosted || last.By != h.me):
		return nil
	case len(ref.Notices) == 0 && missed:
		return nil
	}
	head, err := h.bot.opts.Heads.Head(ctx)
	if err != nil || head.Messages == 0 {
		return err
	}
	if !known {
		ref.Notices = map[string]Posted{day: {State: StateIntent, By: h.me, Seq: head.Messages}}
		if err := h.store(ctx, ref); err != nil {
			return err // somebody else posts it, or it is tried again
		}
	}
	return h.say(ctx, day, head)
}

func (h *herald) say(ctx context.Context, day string, head render.Head) error {
	if err := h.bot.mayShow(ctx); err != nil {
		return err
	}
	done := Posted{State: StatePosted, Seq: head.Messages}
	err := h.bot.seam("slack.post", func() (err error) {
		done.Channel, done.TS, err = h.bot.api.PostMessageContext(ctx, h.bot.opts.Channel, slackapi.MsgOptionText(head.Line(), false),
			slackapi.MsgOptionDisableLinkUnfurl(), slackapi.MsgOptionDisableMediaUnfurl())
		return err
	})
	if err != nil && surelyNotDone(err) {
		return err
	}
	if err != nil { // it may have been: it is not posted again
		h.bot.opts.Log.WarnContext(ctx, "nobody knows whether the head of the audit was posted; tomorrow's covers it", slog.Any("cause", cause(err)))
	}
	if ref, err := h.bot.opts.Refs.Get(ctx, headKey); err == nil { // without it the intent says enough
		ref.Notices = map[string]Posted{day: done}
		_ = h.store(ctx, ref)
	}
	return nil
}

func (h *herald) store(ctx context.Context, ref Ref) error {
	return h.bot.seam("refs.put", func() error { return h.bot.opts.Refs.Put(ctx, headKey, ref) })
}
