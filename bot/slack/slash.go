package slack

import (
	"context"

	slackapi "github.com/slack-go/slack"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/failover"
)

// nobodyText refuses what cannot be recorded, since it names nobody.
const nobodyText = "This request does not say who gave it, and Ferry takes none like that. Nothing was started."

// slash answers one slash command.
func (b *Bot) slash(ctx context.Context, env *envelope, c slackapi.SlashCommand) {
	env.url, env.inPayload = c.ResponseURL, true
	by, known := b.actor(ctx, env, origin{
		app: c.APIAppID, team: c.TeamID, enterprise: c.EnterpriseID, orgWide: c.IsEnterpriseInstall,
		user: c.UserID, name: c.UserName, channel: c.ChannelID,
	})
	if !known {
		env.reply(ctx, render.Ephemeral(nobodyText))
		return
	}
	if verb, ok := bot.FormFor(c.Text); ok && by.Standing == "" {
		b.form(ctx, env, c.TriggerID, by, verb)
		return
	}
	intent, refusal := bot.Parse(c.Text, env.asked())
	do := func() { b.typed(ctx, env, c.TriggerID, intent, refusal, by) }
	if refusal != nil || intent.ReadOnly {
		b.once(ctx, env, env.messageID(c.TriggerID), do)
		return
	}
	do()
}

// typed does what somebody wrote, as a command or to the bot by name. The trigger makes the request one request.
func (b *Bot) typed(ctx context.Context, env *envelope, trigger string, intent bot.Intent, refusal *failover.Refusal, by failover.Actor) {
	switch {
	case refusal != nil && by.Standing != "":
		env.reply(ctx, render.Ephemeral(bot.RefusalText(by.Standing.Barred())))
	case refusal != nil:
		env.reply(ctx, render.Ephemeral(bot.RefusalText(b.meant(ctx, intent, refusal, by))))
	case intent.ReadOnly:
		b.look(ctx, env, intent, by)
	case intent.Shown() && by.Standing == "": // shown first, as the portal does
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
	ctx, cancel := context.WithTimeout(ctx, readTime-checkTime)
	defer cancel()
	found, err := b.opts.Reads.Status(ctx, intent.Ref)
	if err != nil {
		return refusal
	}
	return bot.Meant(intent, refusal, found.Operations)
}
