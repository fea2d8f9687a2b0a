package slack

import (
	"context"
	"log/slog"
	"time"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/failover"
)

const (
	// readTime is how long after receipt a read may take; then the answer still fits into an acknowledgement.
	readTime = 2200 * time.Millisecond
	// azureTime is how long an answer of Azure is worth waiting for.
	azureTime = 25 * time.Second
)

// look answers what changes nothing; nothing of it is stored.
func (b *Bot) look(ctx context.Context, env *envelope, intent bot.Intent, by failover.Actor) {
	refusal := b.opts.MayRead(by)
	switch {
	case intent.Verb == "help":
		env.reply(ctx, b.help(ctx, env, intent.Topic, by))
		return
	case refusal != nil:
		env.reply(ctx, render.Ephemeral(bot.RefusalText(refusal)))
		return
	}
	switch intent.Verb {
	case "points":
		b.fromAzure(ctx, env, func(ctx context.Context) (render.Message, error) {
			return b.points(ctx, intent.Ref, "", func(l failover.PointList) render.Message { return render.Points(l, time.Time{}, b.opts.Now()) })
		})
	case "jobs":
		b.fromAzure(ctx, env, b.jobs)
	case "forecast":
		b.fromAzure(ctx, env, func(ctx context.Context) (render.Message, error) {
			f, refusal, err := b.opts.Reads.Forecast(ctx, intent.Forecast())
			if refusal != nil {
				return render.Ephemeral(bot.RefusalText(refusal)), err
			}
			return render.Ephemeral(render.ForecastText(f)), err
		})
	default:
		env.reply(ctx, b.read(ctx, env, intent))
	}
}

// read answers what every process of Ferry knows.
func (b *Bot) read(ctx context.Context, env *envelope, intent bot.Intent) render.Message {
	ctx, cancel := context.WithDeadline(ctx, env.received.Add(readTime))
	defer cancel()
	var m render.Message
	var err error
	switch intent.Verb {
	case "status":
		m, err = b.status(ctx, intent.Ref)
	case "list":
		m, err = b.list(ctx)
	case "report":
		m, err = b.report(ctx, failover.OpID(intent.Ref), render.AllParts())
	case "readiness":
		m, err = b.readiness(ctx)
	default:
		m, err = b.debt(ctx)
	}
	if err != nil {
		return b.unanswered(ctx, err)
	}
	return m
}

// help is for everybody, and shows what they may do; what is frozen stands above it for who may look.
func (b *Bot) help(ctx context.Context, env *envelope, topic string, by failover.Actor) render.Message {
	text, refusal := bot.Help(topic, b.rights(by))
	switch {
	case refusal != nil:
		return render.Ephemeral(bot.RefusalText(refusal))
	case b.opts.MayRead(by) == nil:
		text = b.frozen(ctx, env) + text
	}
	return render.Preformatted(text)
}

// rights are what somebody may do by the rules of now.
func (b *Bot) rights(by failover.Actor) bot.Rights {
	if b.opts.Policy == nil {
		return nil
	}
	policy := b.opts.Policy()
	return func(r bot.Record) *failover.Refusal {
		switch {
		case r.Name == "help":
			return nil
		case r.ReadOnly:
			return b.opts.MayRead(by)
		}
		return policy.NoRight(r.Verb(), by)
	}
}

// frozen says what is frozen, where that is known in time.
func (b *Bot) frozen(ctx context.Context, env *envelope) string {
	ctx, cancel := context.WithDeadline(ctx, env.received.Add(readTime))
	defer cancel()
	found, err := b.opts.Reads.Status(ctx, "")
	if err != nil {
		return ""
	}
	return render.Frozen(found.Operations)
}

func (b *Bot) unanswered(ctx context.Context, err error) render.Message {
	b.opts.Log.WarnContext(ctx, "a read was not answered", slog.Any("cause", err))
	return render.Ephemeral(bot.NoExecutor)
}

func (b *Bot) status(ctx context.Context, ref string) (render.Message, error) {
	found, err := b.opts.Reads.Status(ctx, ref)
	if err == nil && ref != "" && len(found.Operations) == 1 {
		if m, paged := render.StatusPage(found.Operations[0], 1, b.opts.Now()); paged {
			return m, nil
		}
	}
	return render.Preformatted(render.Status(found, ref, b.opts.Now(), 0)), err
}

func (b *Bot) list(ctx context.Context) (render.Message, error) {
	inventory, err := b.opts.Reads.Inventory(ctx)
	return render.Preformatted(render.ListTable(inventory, b.opts.Now(), 0)), err
}

func (b *Bot) debt(ctx context.Context) (render.Message, error) {
	list, err := b.opts.Reads.Debt(ctx)
	return render.Debts(list, b.opts.Now()), err
}

func (b *Bot) readiness(ctx context.Context) (render.Message, error) {
	list, err := b.opts.Reads.Readiness(ctx)
	return render.Readiness(list, b.opts.Now()), err
}

func (b *Bot) report(ctx context.Context, op failover.OpID, parts render.ReportParts) (render.Message, error) {
	report, known, err := b.opts.Reads.Report(ctx, op)
	if err == nil && !known {
		return render.Ephemeral(bot.RefusalText(failover.NoOperation(op))), nil
	}
	return render.Report(report, parts, b.opts.Now()), err
}

func (b *Bot) jobs(ctx context.Context) (render.Message, error) {
	list, refusal, err := b.opts.Reads.Jobs(ctx)
	if refusal != nil {
		return render.Ephemeral(bot.RefusalText(refusal)), err
	}
	return render.Preformatted(render.JobsTable(list, b.opts.Now(), 0)), err
}

// fromAzure answers what an executor has to ask Azure for. When that takes longer than Slack waits, the person is told, and
// gets the answer when it is there.
func (b *Bot) fromAzure(ctx context.Context, env *envelope, read func(context.Context) (render.Message, error)) {
	bounded, cancel := context.WithTimeout(ctx, azureTime)
	defer cancel()
	answers := make(chan render.Message, 1)
	b.handlers.Go(func() {
		var m render.Message
		if err := guarded(func() (err error) { m, err = read(bounded); return err }); err != nil {
			m = b.unanswered(ctx, err)
		}
		answers <- m
	})
	select {
	case m := <-answers:
		env.reply(ctx, m)
	case <-time.After(time.Until(env.received.Add(readTime))):
		env.reply(ctx, render.Ephemeral(bot.AzureSlow))
		env.linger()
		b.answer(ctx, env, <-answers)
	}
}

// points reads the recovery points of a VM as typed, or of the item with a key, and shows them.
func (b *Bot) points(ctx context.Context, vm, key string, show func(failover.PointList) render.Message) (render.Message, error) {
	list, refusal, err := b.opts.Reads.Points(ctx, vm, key)
	switch {
	case err != nil:
		return render.Message{}, err
	case refusal != nil:
		return render.Ephemeral(bot.RefusalText(refusal)), nil
	}
	return show(list), nil
}

// pick answers who chose a recovery point, or asked for older ones. Neither does anything.
func (b *Bot) pick(ctx context.Context, env *envelope, p render.Pick, by failover.Actor) {
	if refusal := b.opts.MayRead(by); refusal != nil {
		env.reply(ctx, render.Ephemeral(bot.RefusalText(refusal)))
		return
	}
	b.fromAzure(ctx, env, func(ctx context.Context) (render.Message, error) {
		return b.points(ctx, "", p.Key, func(l failover.PointList) render.Message { return p.Show(l, b.opts.Now()) })
	})
}
