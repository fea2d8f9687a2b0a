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

// triggerLife is how long after a press Slack lets a modal be opened.
const triggerLife = 3 * time.Second

// modal is a view that somebody has open, and what it is called.
type modal struct {
	id, title, user string
	choice          string // in a form, the one that it is shown for; see [views]
}

// open shows a modal at once to who may look, since Slack allows 3 s for it, and fills it with what is read meanwhile.
func (b *Bot) open(ctx context.Context, env *envelope, trigger string, by failover.Actor, title string, read func(context.Context) (slackapi.ModalViewRequest, error)) {
	if m, ok := b.opened(ctx, env, trigger, by, render.Said(title, bot.Reading)); ok {
		b.fill(ctx, env, m, func(text string) slackapi.ModalViewRequest { return render.Said(title, text) }, read)
	}
}

// opened shows a modal to who may look. False: it is not shown, and who asked has been told so.
func (b *Bot) opened(ctx context.Context, env *envelope, trigger string, by failover.Actor, v slackapi.ModalViewRequest) (m modal, ok bool) {
	if refusal := b.opts.MayRead(by); refusal != nil {
		env.reply(ctx, render.Ephemeral(bot.RefusalText(refusal)))
		return m, false
	}
	first := b.claim(env.messageID(trigger), env.received)
	env.acknowledge(ctx, nil)
	env.linger()
	if !first {
		return m, false
	}
	m = modal{title: v.Title.Text, user: by.ID}
	limited, cancel := context.WithDeadline(ctx, env.received.Add(triggerLife))
	defer cancel()
	err := b.seam("slack.open", func() error {
		opened, err := b.api.OpenViewContext(limited, trigger, v)
		if err == nil {
			m.id = opened.ID
		}
		return err
	})
	if err != nil {
		b.opts.Log.WarnContext(ctx, "a form could not be opened", slog.Any("cause", cause(err)))
		b.answer(ctx, env, render.Ephemeral(bot.NoForm))
	}
	return m, err == nil
}

// fill puts into a modal what was read. When that takes long its reader is told what is waited for, in a modal that says it.
func (b *Bot) fill(ctx context.Context, env *envelope, m modal, say func(text string) slackapi.ModalViewRequest, read func(context.Context) (slackapi.ModalViewRequest, error)) {
	bounded, cancel := context.WithTimeout(ctx, azureTime)
	defer cancel()
	found := make(chan slackapi.ModalViewRequest, 1)
	b.handlers.Go(func() {
		var v slackapi.ModalViewRequest
		if err := guarded(func() (err error) { v, err = read(bounded); return err }); err != nil {
			b.opts.Log.WarnContext(ctx, "a read was not answered", slog.Any("cause", cause(err)))
			v = say(bot.NoExecutor)
		}
		found <- v
	})
	select {
	case v := <-found:
		b.show(ctx, env, m, v)
	case <-time.After(time.Until(env.received.Add(readTime))):
		b.show(ctx, env, m, say(bot.AzureSlow))
		b.show(ctx, env, m, <-found)
	}
}

// show changes a modal, again and again while Slack is down. False: it is closed, or Slack does not take it.
func (b *Bot) show(ctx context.Context, env *envelope, m modal, v slackapi.ModalViewRequest) bool {
	ctx, cancel := context.WithDeadline(ctx, env.received.Add(answerLife))
	defer cancel()
	err := b.insist(ctx, "slack.view", func() error {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		hash, current := b.views.hash(m)
		if !current {
			return slackapi.SlackErrorResponse{Err: outdatedView}
		}
		updated, err := b.api.UpdateViewContext(call, v, "", hash, m.id)
		if err == nil {
			b.views.shown(m, updated.Hash)
		}
		return err
	})
	if err != nil {
		b.opts.Log.DebugContext(ctx, "a modal was not changed", slog.Any("cause", cause(err)))
	}
	return err == nil
}

// reprotect opens the form of a reprotect, of a VM as typed or of an operation's.
func (b *Bot) reprotect(ctx context.Context, env *envelope, trigger string, by failover.Actor, f render.Form) {
	const title = "Reprotect"
	b.open(ctx, env, trigger, by, title, func(ctx context.Context) (slackapi.ModalViewRequest, error) {
		review, refusal, err := b.opts.Reads.Review(ctx, f.VM, f.Op)
		if err != nil {
			return slackapi.ModalViewRequest{}, err
		}
		if refusal != nil {
			return render.Said(title, bot.RefusalText(refusal)), nil
		}
		return render.ReprotectForm(f, review, b.opts.Now()), nil
	})
}

// cleanup opens the form for the clean-up of a drill.
func (b *Bot) cleanup(ctx context.Context, env *envelope, trigger string, by failover.Actor, drill failover.OpID) {
	const title = "Clean up"
	b.open(ctx, env, trigger, by, title, func(ctx context.Context) (slackapi.ModalViewRequest, error) {
		found, err := b.opts.Reads.Status(ctx, string(drill))
		if err != nil {
			return slackapi.ModalViewRequest{}, err
		}
		if ops := found.Operations; len(ops) > 0 && ops[0].Exists() {
			said, err := b.sinceDrill(ctx, ops[0])
			if err != nil || said != "" {
				return render.Said(title, said), err
			}
			return render.CleanupForm(ops[0], b.opts.Now()), nil
		}
		return render.Said(title, render.Status(found, string(drill), b.opts.Now(), 0)), nil
	})
}

// sinceDrill says what has come after a drill on its VM; empty while nothing has.
func (b *Bot) sinceDrill(ctx context.Context, drill failover.Operation) (string, error) {
	if len(drill.Targets) == 0 {
		return "", nil
	}
	item := drill.Targets[0].Item
	found, err := b.opts.Reads.Status(ctx, item.Vault+"/"+item.Name)
	if err != nil || len(found.Operations) == 0 {
		return "", err
	}
	return bot.SinceDrill(drill, found.Operations[0]), nil
}

// submitted takes a form that was sent. Its own id makes the request one request: of a form only one comes to anything,
// however often it is delivered or sent.
func (b *Bot) submitted(ctx context.Context, env *envelope, c slackapi.InteractionCallback) {
	m := modal{id: c.View.ID, title: "Ferry", user: c.User.ID}
	if c.View.Title != nil {
		m.title = c.View.Title.Text
	}
	by, known := b.actor(ctx, env, originOf(c))
	b.views.sent(m.id, env.received)
	form, ours := render.FormOf(c.View)
	note, problems := render.NoteOf(c.View)
	asked, asks := render.AskedOf(c.View)
	wanted, lacks, wants := render.WantedOf(c.View)
	switch {
	case !known:
		env.acknowledge(ctx, m.saying(nobodyText))
	case wants && lacks != nil:
		env.acknowledge(ctx, slackapi.NewErrorsViewSubmissionResponse(lacks))
	case wants:
		b.reportWanted(ctx, env, m, wanted, by)
	case asks:
		b.requested(ctx, env, m, c, asked, by)
	case !ours:
		env.acknowledge(ctx, m.saying(unknownButtonText))
	case by.Standing == "" && (problems != nil || form.Problems(note) != nil):
		if problems == nil {
			problems = form.Problems(note)
		}
		env.acknowledge(ctx, slackapi.NewErrorsViewSubmissionResponse(problems))
	default:
		b.submit(ctx, env, m, form.Command(failover.MessageID(b.team, "view", c.View.ID), note, by, env.asked()), nil)
	}
}

// saying is the acknowledgement that puts a text in the place of a form.
func (m modal) saying(text string) *slackapi.ViewSubmissionResponse {
	v := render.Said(m.title, text)
	return slackapi.NewUpdateViewSubmissionResponse(&v)
}

// submit stores a command as [Bot.ask] does and answers in the modal. The acknowledgement carries the decision when it comes
// in time, else what is known by then. A refusal for which at knows a field stands there, if at is not nil; the form is kept then.
func (b *Bot) submit(ctx context.Context, env *envelope, m modal, cmd failover.Command, at func(*failover.Refusal) map[string]string) {
	first := b.claim(cmd.MessageID, env.received)
	decided := make(chan verdict, 1)
	stored := make(chan struct{})
	b.handlers.Go(func() {
		defer close(decided)
		if b.store(ctx, cmd) != nil {
			b.unstored(ctx, cmd, decided)
			return
		}
		close(stored)
		wait, cancel := context.WithDeadline(ctx, env.received.Add(answerLife))
		defer cancel()
		if v, err := b.verdict(wait, cmd); err == nil {
			decided <- v
		}
	})
	select {
	case v, ok := <-decided:
		if ok {
			env.acknowledge(ctx, m.answer(v, at))
		}
		return
	case <-time.After(time.Until(env.deadline())):
	}
	known := bot.NotConfirmed
	select {
	case <-stored:
		known = bot.Stored(cmd.Op)
	default:
	}
	env.acknowledge(ctx, m.saying(known))
	env.linger()
	if v, ok := <-decided; ok && first {
		b.tellIn(ctx, env, m, v.text)
	}
}

// answer is the acknowledgement that says what was decided.
func (m modal) answer(v verdict, at func(*failover.Refusal) map[string]string) *slackapi.ViewSubmissionResponse {
	if v.refused != nil && at != nil {
		if problems := at(v.refused); problems != nil {
			return slackapi.NewErrorsViewSubmissionResponse(problems)
		}
	}
	return m.saying(v.text)
}

// unstored tells what became of a command that could not be stored while it was valid: the last try may have worked.
func (b *Bot) unstored(ctx context.Context, cmd failover.Command, decided chan<- verdict) {
	if over(ctx) {
		return
	}
	look, cancel := context.WithTimeout(ctx, lastLook)
	defer cancel()
	v, err := b.verdict(look, cmd)
	if err != nil {
		v.text = bot.NotStored
	}
	decided <- v
}

// tellIn says a late decision in the modal, or in the channel to who has closed it.
func (b *Bot) tellIn(ctx context.Context, env *envelope, m modal, text string) {
	if b.show(ctx, env, m, render.Said(m.title, text)) || over(ctx) {
		return
	}
	env.channel, env.user = b.opts.Channel, m.user
	b.answer(ctx, env, render.Ephemeral(text))
}
