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

// readTime bounds a read; with it the answer still fits into an acknowledgement.
const readTime = 2200 * time.Millisecond

const foreignText = "This request comes from another workspace or another app, and Ferry takes none from there. Nothing was started."

// slash answers one slash command.
func (b *Bot) slash(ctx context.Context, env *envelope, c slackapi.SlashCommand) {
	env.url, env.inPayload = c.ResponseURL, true
	if env.foreign(c.APIAppID, c.TeamID) {
		b.opts.Log.WarnContext(ctx, "a slash command from elsewhere is refused", slog.String("team", c.TeamID), slog.String("app", c.APIAppID))
		env.reply(ctx, render.Ephemeral(foreignText))
		return
	}
	intent, refusal := bot.Parse(c.Text, env.received)
	switch {
	case refusal != nil:
		env.reply(ctx, render.Ephemeral(bot.RefusalText(refusal)))
	case intent.ReadOnly:
		env.reply(ctx, b.read(ctx, intent))
	default:
		id := env.messageID(c.TriggerID)
		by := failover.Actor{ID: c.UserID, Name: c.UserName}
		b.ask(ctx, env, intent.Command(id, failover.OpIDOf(id, 0), by, env.received))
	}
}

// read answers what changes nothing; nothing of it is stored.
func (b *Bot) read(ctx context.Context, intent bot.Intent) render.Message {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	var text string
	var err error
	switch intent.Verb {
	case "status":
		text, err = b.status(ctx, intent.Ref)
	case "list":
		text, err = b.list(ctx)
	default:
		help, refusal := bot.Help(intent.Topic)
		if refusal != nil {
			return render.Ephemeral(bot.RefusalText(refusal))
		}
		text = help
	}
	if err != nil {
		b.opts.Log.WarnContext(ctx, "a read was not answered", slog.String("verb", intent.Verb), slog.Any("cause", err))
		return render.Ephemeral(bot.NoExecutor)
	}
	return render.Preformatted(text)
}

func (b *Bot) status(ctx context.Context, ref string) (string, error) {
	ops, err := b.opts.Reads.Status(ctx, ref)
	if err != nil {
		return "", err
	}
	return render.Status(ops, ref, time.Now()), nil
}

func (b *Bot) list(ctx context.Context) (string, error) {
	inventory, err := b.opts.Reads.Inventory(ctx)
	if err != nil {
		return "", err
	}
	return render.ListTable(inventory, time.Now()), nil
}
