package slack

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/failover"
)

// lastLook is how long a decision is looked for after storing failed to the end: the last try may have worked after all.
const lastLook = 5 * time.Second

// leaveTime is how long a process that ends takes to answer people whose command it has stored.
const leaveTime = 2 * time.Second

// ask stores a command, acknowledges it and tells the person what was decided. The order is the promise: what has been
// acknowledged without a word is on disk.
func (b *Bot) ask(ctx context.Context, env *envelope, cmd failover.Command) {
	first := b.claim(cmd.MessageID, env.received)
	stored := make(chan error, 1)
	b.handlers.Go(func() { stored <- b.store(ctx, cmd) })
	select {
	case err := <-stored:
		b.settle(ctx, env, cmd, err, first)
	case <-time.After(time.Until(env.deadline())):
		b.notConfirmed(ctx, env)
		b.settle(ctx, env, cmd, <-stored, first)
	}
}

// settle goes on when it is known whether a command is stored. Only the first of several deliveries tells the person: all
// share one decision.
func (b *Bot) settle(ctx context.Context, env *envelope, cmd failover.Command, stored error, first bool) {
	if stored == nil && !first && env.direct && env.url != "" && !over(ctx) {
		b.again(ctx, env, cmd)
		return
	}
	if stored == nil && !env.acked {
		env.acknowledge(ctx, nil)
	}
	env.linger()
	switch {
	case !first:
	case over(ctx):
		if stored == nil {
			b.leave(ctx, env, cmd)
		}
	case stored == nil:
		b.follow(ctx, env, cmd)
	default:
		b.notStored(ctx, env, cmd)
	}
}

// again answers a request that has come before, with the same decision. Over HTTP somebody may have lost the first answer on
// the way. Through response_url it is said once more only: its five uses are not for whoever sends a captured request.
func (b *Bot) again(ctx context.Context, env *envelope, cmd failover.Command) {
	if !env.inPayload && !env.acked {
		env.acknowledge(ctx, nil)
	}
	if env.acked && !b.claim("again "+cmd.MessageID, env.received) {
		return
	}
	env.linger()
	wait, cancel := context.WithDeadline(ctx, env.deadline())
	defer cancel()
	text, err := b.decision(wait, cmd)
	if err != nil {
		text = bot.Stored(cmd.Op)
	}
	if env.acked || !env.acknowledge(ctx, payloadOf(render.Ephemeral(text))) {
		b.answer(ctx, env, render.Ephemeral(text))
	}
}

// notConfirmed is the one acknowledgement before the store, and it says so itself. An acknowledged click cannot carry
// words, so a click stays unacknowledged (Slack shows a warning at the button, which is true) and the words go alone.
func (b *Bot) notConfirmed(ctx context.Context, env *envelope) {
	if env.inPayload {
		env.acknowledge(ctx, payloadOf(render.Ephemeral(bot.NotConfirmed)))
		env.linger()
		return
	}
	env.linger()
	b.interim(ctx, env, bot.NotConfirmed)
}

// store tries until the command is surely stored or no longer valid.
func (b *Bot) store(ctx context.Context, cmd failover.Command) error {
	ctx, cancel := context.WithTimeout(ctx, cmd.ValidUntil.Sub(b.opts.Now()))
	defer cancel()
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := b.seam("slack.store", func() error { return b.opts.Commands.Store(ctx, cmd) })
		if err == nil || over(ctx) {
			return err
		}
		b.opts.Log.WarnContext(ctx, "a command is not stored yet", slog.String("op", string(cmd.Op)), slog.Any("cause", err))
		pause(ctx, wait)
	}
}

func (b *Bot) notStored(ctx context.Context, env *envelope, cmd failover.Command) {
	look, cancel := context.WithTimeout(ctx, lastLook)
	defer cancel()
	text, err := b.decision(look, cmd)
	if err != nil {
		text = bot.NotStored
	}
	b.answer(ctx, env, render.Ephemeral(text))
}

// follow waits for the decision. By the deadline the person hears that there is none yet, and the decision when it comes.
// After a late store the executor gets the same time again.
func (b *Bot) follow(ctx context.Context, env *envelope, cmd failover.Command) {
	wait, cancel := context.WithDeadline(ctx, env.received.Add(answerLife))
	defer cancel()
	patience := time.Until(env.deadline())
	if patience <= 0 {
		patience = answerBy
	}
	decided := make(chan string, 1)
	b.handlers.Go(func() {
		defer close(decided)
		if text, err := b.decision(wait, cmd); err == nil {
			decided <- text
		}
	})
	select {
	case text, ok := <-decided:
		if !ok && over(ctx) {
			b.leave(ctx, env, cmd)
			return
		}
		b.tell(ctx, env, text, ok)
	case <-time.After(patience):
		b.interim(ctx, env, bot.Stored(cmd.Op))
		text, ok := <-decided
		b.tell(ctx, env, text, ok)
	}
}

// leave tells a person, when this process ends before the decision, what is known: nobody else can, the response_url is only
// here.
func (b *Bot) leave(ctx context.Context, env *envelope, cmd failover.Command) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	b.answer(ctx, env, render.Ephemeral(bot.Stored(cmd.Op)))
}

// tell says the decision; without one the person has been told what is known and where to look.
func (b *Bot) tell(ctx context.Context, env *envelope, text string, decided bool) {
	if decided {
		b.answer(ctx, env, render.Ephemeral(text))
	}
}

// decision asks until there is one or ctx ends, and puts it in words.
func (b *Bot) decision(ctx context.Context, cmd failover.Command) (string, error) {
	v, err := b.verdict(ctx, cmd)
	return v.text, err
}

// verdict is a decision, in words and, when it is a no, as it is.
type verdict struct {
	text    string
	refused *failover.Refusal
}

func (b *Bot) verdict(ctx context.Context, cmd failover.Command) (v verdict, err error) {
	for {
		err := guarded(func() error {
			op, answer, err := b.opts.Commands.Decision(ctx, cmd.MessageID)
			if err == nil {
				v = verdict{bot.AnswerTo(cmd, op, answer), answer.Refused}
			}
			return err
		})
		if err == nil {
			return v, nil
		}
		if over(ctx) {
			return verdict{}, errors.Join(err, ctx.Err())
		}
		pause(ctx, firstRetry)
	}
}
