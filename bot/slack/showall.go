package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/failover"
)

// listEvery is the least time between two lists of one operation: presses of many people must not fill its thread.
const listEvery = time.Minute

// showAll posts the list of all VMs of an operation into the thread of its card, as a file. It changes nothing.
func (b *Bot) showAll(ctx context.Context, env *envelope, trigger string, id failover.OpID, by failover.Actor) {
	if refusal := b.opts.MayRead(by); refusal != nil {
		env.reply(ctx, render.Ephemeral(bot.RefusalText(refusal)))
		return
	}
	b.once(ctx, env, env.messageID(trigger), func() {
		limited, cancel := context.WithDeadline(ctx, env.received.Add(readTime))
		defer cancel()
		found, err := b.opts.Reads.Status(limited, string(id))
		switch {
		case err != nil:
			env.reply(ctx, b.unanswered(ctx, err))
			return
		case len(found.Operations) == 0 || !found.Operations[0].Exists():
			env.reply(ctx, render.Ephemeral(bot.RefusalText(failover.NoOperation(id))))
			return
		case !b.listAgain(id):
			env.reply(ctx, render.Ephemeral(bot.ListedAlready))
			return
		}
		env.acknowledge(ctx, nil)
		env.linger()
		b.answer(ctx, env, b.postList(ctx, found.Operations[0], by))
	})
}

// page shows another page of what a terminal shows of an operation to who asked.
func (b *Bot) page(ctx context.Context, env *envelope, trigger string, id failover.OpID, page int, by failover.Actor) {
	if refusal := b.opts.MayRead(by); refusal != nil {
		env.reply(ctx, render.Ephemeral(bot.RefusalText(refusal)))
		return
	}
	b.once(ctx, env, env.messageID(trigger), func() {
		limited, cancel := context.WithDeadline(ctx, env.received.Add(readTime))
		defer cancel()
		found, err := b.opts.Reads.Status(limited, string(id))
		if err != nil {
			env.reply(ctx, b.unanswered(ctx, err))
			return
		}
		if len(found.Operations) == 1 {
			if m, paged := render.StatusPage(found.Operations[0], page, b.opts.Now()); paged {
				env.reply(ctx, m)
				return
			}
		}
		env.reply(ctx, render.Ephemeral(bot.RefusalText(failover.NoOperation(id))))
	})
}

// listAgain claims the next list of an operation.
func (b *Bot) listAgain(id failover.OpID) bool {
	last, loaded := b.lists.LoadOrStore(id, time.Now())
	at, _ := last.(time.Time)
	if loaded && time.Since(at) < listEvery {
		return false
	}
	return !loaded || b.lists.CompareAndSwap(id, last, time.Now())
}

// postList uploads the list, once, and says what came of it. Where Slack takes no file, what fits is shown to who asked.
func (b *Bot) postList(ctx context.Context, op failover.Operation, by failover.Actor) render.Message {
	text := render.FleetText(op, b.opts.Now())
	err := guarded(func() error { return b.upload(ctx, op, by, text) })
	if err == nil {
		return render.Ephemeral(fmt.Sprintf(bot.ListPosted, bot.VMs(len(op.Targets))))
	}
	b.opts.Log.InfoContext(ctx, "a list was not uploaded", opAttr(op.ID), slog.Any("cause", cause(err)))
	return render.Preformatted(fmt.Sprintf(bot.ListNotPosted, bot.Command, op.ID) + "\n\n" + text)
}

var errNoCard = errors.New("the operation has no card in the channel")

// upload puts a file into the thread of an operation's card.
func (b *Bot) upload(ctx context.Context, op failover.Operation, by failover.Actor, text string) error {
	if err := b.mayShow(ctx); err != nil {
		return err
	}
	ref, err := b.opts.Refs.Get(ctx, op.ID)
	if err != nil {
		return err
	}
	if ref.Card.State != StatePosted {
		return errNoCard
	}
	return b.seam("slack.post", func() error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		_, err := b.api.UploadFileContext(ctx, slackapi.UploadFileParameters{
			Channel: ref.Card.Channel, ThreadTimestamp: ref.Card.TS, Content: text, FileSize: len(text), Filename: string(op.ID) + ".txt",
			Title: "All VMs of " + string(op.ID), InitialComment: render.ListComment(op, by, b.opts.Now()),
		})
		return err
	})
}
