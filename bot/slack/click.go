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

// interaction takes the press of a button, a choice or a form that was sent; shortcuts are not offered by this version.
func (b *Bot) interaction(ctx context.Context, env *envelope, c slackapi.InteractionCallback) {
	env.url = c.ResponseURL
	if c.Type == slackapi.InteractionTypeViewSubmission {
		b.submitted(ctx, env, c)
		return
	}
	if c.Type != slackapi.InteractionTypeBlockActions || len(c.ActionCallback.BlockActions) == 0 {
		b.ignore(ctx, env)
		return
	}
	// In a shared channel the message is of our workspace while who presses is not.
	if env.foreign(c.APIAppID, c.Team.ID, c.User.TeamID) {
		b.opts.Log.WarnContext(ctx, "a click from elsewhere is refused", slog.String("team", c.User.TeamID), slog.String("user", c.User.ID))
		env.reply(ctx, render.Ephemeral(foreignText))
		return
	}
	action := c.ActionCallback.BlockActions[0] // Slack sends one per press
	if p, ok := render.PickOf(action.ActionID, cmp.Or(action.SelectedOption.Value, action.Value)); ok {
		b.pick(ctx, env, p, failover.Actor{ID: c.User.ID, Name: c.User.Name})
		return
	}
	verb, known := render.VerbOf(action.ActionID)
	op, seen, ours := render.ButtonOf(action.Value)
	if !known || !ours {
		b.opts.Log.WarnContext(ctx, "an unknown button was pressed", slog.String("action", action.ActionID))
		env.reply(ctx, render.Ephemeral(unknownButtonText))
		return
	}
	by := failover.Actor{ID: c.User.ID, Name: c.User.Name}
	switch action.ActionID {
	case render.ActionReprotect:
		b.reprotect(ctx, env, c.TriggerID, by, render.Form{Op: op})
		return
	case render.ActionCleanup:
		b.cleanup(ctx, env, c.TriggerID, by, op)
		return
	}
	at := env.asked()
	b.ask(ctx, env, failover.Command{
		MessageID: env.messageID(c.TriggerID), Op: op, Verb: verb, Seen: seen, By: by,
		At: at, ValidUntil: at.Add(failover.CommandValidity),
	})
}
