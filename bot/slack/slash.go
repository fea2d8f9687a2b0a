package slack

import (
	"context"
	"log/slog"

	slackapi "github.com/slack-go/slack"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/failover"
)

const foreignText = "This request comes from another workspace or another app, and Ferry takes none from there. Nothing was started."

// slash answers one slash command.
func (b *Bot) slash(ctx context.Context, env *envelope, c slackapi.SlashCommand) {
	env.url, env.inPayload = c.ResponseURL, true
	if env.foreign(c.APIAppID, c.TeamID) {
		b.opts.Log.WarnContext(ctx, "a slash command from elsewhere is refused", slog.String("team", c.TeamID), slog.String("app", c.APIAppID))
		env.reply(ctx, render.Ephemeral(foreignText))
		return
	}
	intent, refusal := bot.Parse(c.Text, env.asked())
	b.typed(ctx, env, c.TriggerID, intent, refusal, failover.Actor{ID: c.UserID, Name: c.UserName})
}

// typed does what somebody wrote, as a command or to the bot by name. The trigger makes the request one request.
func (b *Bot) typed(ctx context.Context, env *envelope, trigger string, intent bot.Intent, refusal *failover.Refusal, by failover.Actor) {
	switch {
	case refusal != nil:
		env.reply(ctx, render.Ephemeral(bot.RefusalText(b.meant(ctx, intent, refusal, by))))
	case intent.ReadOnly:
		b.look(ctx, env, intent, by)
	case failover.Verb(intent.Verb) == failover.VerbReprotect: // shown first, as the portal does
		if env.url == "" { // a mention, and Slack opens no form for one
			env.reply(ctx, render.Ephemeral(bot.NoFormHere))
			return
		}
		b.reprotect(ctx, env, trigger, by, render.Form{Op: intent.Op, VM: intent.VM})
	default:
		id := env.messageID(trigger)
		b.ask(ctx, env, intent.Command(id, failover.OpIDOf(id, 0), by, env.asked()))
	}
}

// meant names the operation that holds a VM which was typed in its place.
func (b *Bot) meant(ctx context.Context, intent bot.Intent, refusal *failover.Refusal, by failover.Actor) *failover.Refusal {
	if intent.Ref == "" || b.opts.MayRead(by) != nil {
		return refusal
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	found, err := b.opts.Reads.Status(ctx, intent.Ref)
	if err != nil {
		return refusal
	}
	return bot.Meant(intent, refusal, found.Operations)
}
