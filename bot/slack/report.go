package slack

import (
	"context"
	"log/slog"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/failover"
)

// operations answers a search for an operation.
func (b *Bot) operations(ctx context.Context, query string) ([]*slackapi.OptionBlockObject, error) {
	newest, err := b.opts.Reads.Newest(ctx)
	if err != nil {
		return nil, err
	}
	return render.OperationOptions(newest, query, b.opts.Now()), nil
}

// reportWanted posts the report that a form asks for, and says in the form where it is. What is wrong stands at the field.
func (b *Bot) reportWanted(ctx context.Context, env *envelope, m modal, w render.Wanted, by failover.Actor) {
	if refusal := b.opts.MayRead(by); refusal != nil {
		env.acknowledge(ctx, m.saying(bot.RefusalText(refusal)))
		return
	}
	limited, cancel := context.WithDeadline(ctx, env.received.Add(readTime))
	defer cancel()
	report, known, err := b.opts.Reads.Report(limited, w.Op)
	switch {
	case err != nil:
		b.opts.Log.WarnContext(ctx, "a read was not answered", slog.Any("cause", err))
		env.acknowledge(ctx, m.saying(bot.NoExecutor))
		return
	case !known:
		env.acknowledge(ctx, slackapi.NewErrorsViewSubmissionResponse(w.Unknown()))
		return
	}
	p, again := b.reports.LoadOrStore(m.id, &posting{done: make(chan struct{})})
	post, _ := p.(*posting)
	if !again { // however often the form is delivered or sent, it is posted once
		time.AfterFunc(answerLife, func() { b.reports.Delete(m.id) })
		b.handlers.Go(func() {
			post.said = b.postReport(ctx, report, w, by)
			close(post.done)
		})
	}
	select {
	case <-post.done:
		env.acknowledge(ctx, m.saying(post.said))
		return
	case <-time.After(time.Until(env.deadline())):
	}
	env.acknowledge(ctx, m.saying(bot.Posting))
	env.linger()
	<-post.done
	if !again {
		b.show(ctx, env, m, render.Said(m.title, post.said))
	}
}

// posting is a report on its way; said is there once done is closed.
type posting struct {
	done chan struct{}
	said string
}

// postReport posts once, since nobody knows whether what failed came through after all, and says what came of it.
func (b *Bot) postReport(ctx context.Context, r failover.Report, w render.Wanted, by failover.Actor) string {
	said := bot.PostedToYou
	err := guarded(func() (err error) {
		message := render.Report(r, w.Parts, b.opts.Now())
		if w.InThread {
			said, err = b.intoThread(ctx, r.Operation.ID, render.Posted(message, by))
			return err
		}
		return b.seam("slack.answer", func() error {
			ctx, cancel := context.WithTimeout(ctx, callTimeout)
			defer cancel()
			return b.whisper(ctx, b.opts.Channel, "", by.ID, message)
		})
	})
	if err != nil {
		b.opts.Log.WarnContext(ctx, "a report was not posted", slog.Any("cause", cause(err)))
		return bot.NotPosted
	}
	return said
}

// intoThread posts to the thread of an operation's card, once: nobody repeats what may have come through.
func (b *Bot) intoThread(ctx context.Context, op failover.OpID, m render.Message) (string, error) {
	if err := b.mayShow(ctx); err != nil {
		return "", err
	}
	ref, err := b.opts.Refs.Get(ctx, op)
	if err != nil {
		return "", err
	}
	if ref.Card.State != StatePosted {
		return bot.NoCard, nil
	}
	return bot.PostedInThread, b.seam("slack.post", func() error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		_, _, err := b.api.PostMessageContext(ctx, ref.Card.Channel, slackapi.MsgOptionText(m.Text, false), slackapi.MsgOptionBlocks(m.Blocks...),
			slackapi.MsgOptionTS(ref.Card.TS), slackapi.MsgOptionDisableLinkUnfurl(), slackapi.MsgOptionDisableMediaUnfurl())
		return err
	})
}
