package slack

import (
	"cmp"
	"context"
	"log/slog"

	slackapi "github.com/slack-go/slack"

	"ferry/bot/render"
	"ferry/failover"
)

const unknownButtonText = "This button is from another version of Ferry and does nothing here. Type /failover status to see where things stand."

// interaction takes the press of a button, a choice, a form that was sent, or a shortcut.
func (b *Bot) interaction(ctx context.Context, env *envelope, c slackapi.InteractionCallback) {
	env.url = c.ResponseURL
	switch {
	case c.Type == slackapi.InteractionTypeViewSubmission:
		b.submitted(ctx, env, c)
		return
	case c.Type == slackapi.InteractionTypeMessageAction && c.CallbackID == ShortcutShow:
		b.shortcut(ctx, env, c)
		return
	case c.Type == slackapi.InteractionTypeBlockSuggestion:
		b.suggest(ctx, env, c)
		return
	case c.Type == slackapi.InteractionTypeBlockActions && c.View.ID != "" && c.View.Type == slackapi.VTModal:
		b.chose(ctx, env, c)
		return
	}
	if c.Type != slackapi.InteractionTypeBlockActions || len(c.ActionCallback.BlockActions) == 0 {
		b.ignore(ctx, env)
		return
	}
	by, known := b.actor(ctx, env, originOf(c))
	if !known {
		env.reply(ctx, render.Ephemeral(nobodyText))
		return
	}
	if c.View.Type == slackapi.VTHomeTab { // it has no channel and no response_url
		env.home, env.channel, env.user = true, b.opts.Channel, c.User.ID
	}
	action := c.ActionCallback.BlockActions[0] // Slack sends one per press
	if p, ok := render.PickOf(action.ActionID, cmp.Or(action.SelectedOption.Value, action.Value)); ok {
		b.pick(ctx, env, p, by)
		return
	}
	verb, ours := render.VerbOf(action.ActionID)
	op, seen, valid := render.ButtonOf(action.Value)
	if page, ok := render.PageOf(action.ActionID, seen); ok && valid {
		b.page(ctx, env, c.TriggerID, op, page, by)
		return
	}
	if action.ActionID == render.ActionShowAll && valid {
		b.showAll(ctx, env, c.TriggerID, op, by)
		return
	}
	if !ours || !valid {
		b.opts.Log.WarnContext(ctx, "an unknown button was pressed", slog.String("action", action.ActionID))
		env.reply(ctx, render.Ephemeral(unknownButtonText))
		return
	}
	switch {
	case by.Standing != "": // no form for who would be refused after it
	case action.ActionID == render.ActionReprotect:
		b.reprotect(ctx, env, c.TriggerID, by, render.Form{Op: op})
		return
	case action.ActionID == render.ActionCleanup:
		b.cleanup(ctx, env, c.TriggerID, by, op)
		return
	case action.ActionID == render.ActionCommitNamed, action.ActionID == render.ActionObject:
		b.named(ctx, env, c.TriggerID, by, action.ActionID, render.Form{Op: op, Seen: seen})
		return
	}
	at := env.asked()
	b.ask(ctx, env, failover.Command{
		MessageID: env.messageID(c.TriggerID), Op: op, Verb: verb, Seen: seen, By: by,
		At: at, ValidUntil: at.Add(failover.CommandValidity),
	})
}

// originOf is where a press or a form comes from. In a channel that is shared, the message is of our workspace while who
// presses is not.
func originOf(c slackapi.InteractionCallback) origin {
	return origin{
		app: c.APIAppID, team: c.Team.ID, enterprise: cmp.Or(c.Enterprise.ID, c.Team.EnterpriseID), orgWide: c.IsEnterpriseInstall,
		user: c.User.ID, name: c.User.Name, userTeam: c.User.TeamID, channel: cmp.Or(c.Channel.ID, c.Container.ChannelID),
	}
}
