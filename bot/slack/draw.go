package slack

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/bot/render"
	"ferry/failover"
)

// metadataType marks our messages, for whoever goes on after a crash and for other programs; the payload names the operation
// and which of its messages it is, and nothing else.
const metadataType = "ferry_operation"

// lateAfter is how long after its time a notice says which that was: Slack shows only when it was posted.
const lateAfter = 2 * time.Minute

// do carries one chore out.
func (a *announcer) do(ctx context.Context, p pending, todo chore) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	switch todo.kind {
	case choreLoad:
		stored, err := a.bot.opts.Refs.Get(ctx, p.id)
		if err == nil {
			p.adopt(stored, a.me, time.Now())
		}
		return err
	case choreSave:
		return a.save(ctx, p.card)
	case choreSeek:
		return a.seek(ctx, p, todo)
	case choreIntend:
		p.intend(todo.key, a.me, p.op.Seq, a.bot.opts.Now())
	case chorePost, choreEdit:
		if err := a.bot.mayShow(ctx); err != nil {
			return err
		}
		if todo.kind == chorePost {
			return a.post(ctx, p, todo)
		}
		return a.edit(ctx, p)
	case chorePin:
		return a.pin(ctx, p)
	case choreAck:
		for _, u := range a.board.take(p.card, p.op.Seq) {
			a.acknowledge(ctx, u)
		}
	}
	return nil
}

// save writes the Ref; afterwards it has a revision that only the store knows, so it is read again before the next save.
func (a *announcer) save(ctx context.Context, c *card) error {
	err := a.bot.seam("refs.put", func() error { return a.bot.opts.Refs.Put(ctx, c.id, c.ref) })
	if err != nil {
		return err
	}
	clear(c.unsaved)
	c.loaded = false
	return nil
}

func (a *announcer) post(ctx context.Context, p pending, todo chore) error {
	intent := p.posted(todo.key)
	message, options := todo.notice.Message, []slackapi.MsgOption{}
	if a.bot.opts.Now().Sub(todo.notice.At) > lateAfter {
		message = todo.notice.Late
	}
	if todo.key == cardKey {
		message = render.Card(p.op, a.bot.opts.Now(), intent.Continued)
	} else if thread := p.thread(todo); thread != "" {
		options = append(options, slackapi.MsgOptionTS(thread))
	}
	options = append(options, p.content(message, p.op, todo.key)...)
	done := Posted{State: StatePosted, Seq: p.op.Seq, Continued: intent.Continued}
	err := a.bot.seam("slack.post", func() (err error) {
		done.Channel, done.TS, err = a.bot.api.PostMessageContext(ctx, a.bot.opts.Channel, options...)
		a.bot.link.posted(err)
		return err
	})
	if err != nil {
		return err
	}
	delete(p.ours, todo.key)
	delete(p.limited, todo.key)
	p.note(todo.key, done)
	if todo.key == cardKey {
		p.edited, p.likeness = time.Now(), likeness(p.op)
	}
	return nil
}

func (a *announcer) edit(ctx context.Context, p pending) error {
	shown := p.ref.Card
	shown.Seq = p.op.Seq
	looks := likeness(p.op)
	if looks == p.likeness && looks != "" { // nothing that people see has changed, and edits are scarce
		p.note(cardKey, shown)
		return nil
	}
	options := p.content(render.Card(p.op, a.bot.opts.Now(), shown.Continued), p.op, cardKey)
	err := a.bot.seam("slack.update", func() error {
		_, _, _, err := a.bot.api.UpdateMessageContext(ctx, shown.Channel, shown.TS, options...)
		a.bot.link.posted(err)
		return err
	})
	if err != nil {
		return err
	}
	p.note(cardKey, shown)
	p.edited, p.likeness = time.Now(), looks
	return nil
}

// likeness is what people see of an operation, without the time at which it is drawn and without block ids.
func likeness(op failover.Operation) string {
	op.Seq = 0
	blocks, err := json.Marshal(render.Card(op, op.RequestedAt, false).Blocks)
	if err != nil {
		return ""
	}
	return string(blocks)
}

// content is a message as Slack takes it. The text stands for the blocks where those cannot be shown, and where Slack did
// not take them.
func (c *card) content(m render.Message, op failover.Operation, key string) []slackapi.MsgOption {
	if c.plain == op.Seq {
		m.Blocks = nil // sent as an empty list, which clears those of an earlier state
	}
	return []slackapi.MsgOption{
		slackapi.MsgOptionText(m.Text, false), // render has escaped it
		slackapi.MsgOptionBlocks(m.Blocks...),
		slackapi.MsgOptionDisableLinkUnfurl(),
		slackapi.MsgOptionDisableMediaUnfurl(),
		slackapi.MsgOptionMetadata(slackapi.SlackMetadata{EventType: metadataType, EventPayload: markOf(op.ID, key)}),
	}
}

// learn takes the consequence of a chore: when to go on with the card, and what to do differently.
func (a *announcer) learn(ctx context.Context, p pending, todo chore, err error) {
	if err == nil {
		a.recovered(ctx, p.card, todo)
		return
	}
	now := time.Now()
	p.failures++
	p.notBefore = now.Add(backoff(p.failures))
	switch fix := setupFix(err); {
	case todo.kind == choreSave:
		p.forget()
	case retryAfter(err) > 0: // which holds for all calls of that kind, see budget
		p.notBefore = now
		if todo.kind == chorePost {
			p.limit(todo.key)
		}
	case isGone(err):
		p.gone(todo.key, a.me, p.op.Seq, a.bot.opts.Now())
	case isContent(err):
		p.plain = p.op.Seq
	case fix != "":
		p.notBefore = now.Add(slowRetry)
		a.warn(ctx, p.id, err, fix)
		return
	case todo.kind == chorePost && !surelyNotDone(err):
		p.doubt(todo.key)
		p.notBefore = now.Add(backoff(p.failures) + slowRetry*time.Duration(min(p.failures-1, 10))) // each try may be one message more
	}
	a.warn(ctx, p.id, err, "")
}

// warn logs a cause once, however many operations meet it.
func (a *announcer) warn(ctx context.Context, id failover.OpID, err error, fix string) {
	why := cause(err).Error()
	if why == a.cause {
		return
	}
	a.cause = why
	attrs := []any{opAttr(id), slog.String("cause", why)}
	if fix != "" {
		attrs = append(attrs, slog.String("fix", fix))
	}
	a.bot.opts.Log.WarnContext(ctx, "a message lags behind its operation; trying again", attrs...)
}

func (a *announcer) recovered(ctx context.Context, c *card, todo chore) {
	if todo.kind == chorePin {
		return
	}
	called := todo.kind == chorePost || todo.kind == choreEdit
	if called || todo.kind == choreAck { // the steps on the way there prove nothing about the one that failed
		c.failures = 0
	}
	if called && a.cause != "" {
		a.cause = ""
		a.bot.opts.Log.InfoContext(ctx, "messages are shown again", opAttr(c.id))
	}
}

// backoff is the pause after so many failures in a row.
func backoff(failures int) time.Duration {
	return min(firstRetry<<min(failures-1, 5), lastRetry)
}
