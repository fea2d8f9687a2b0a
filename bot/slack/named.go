package slack

import (
	"context"

	slackapi "github.com/slack-go/slack"

	"ferry/bot/render"
	"ferry/failover"
)

// named opens the form of a press that needs something typed: the name before a commit, or why somebody objects.
func (b *Bot) named(ctx context.Context, env *envelope, trigger string, by failover.Actor, action string, f render.Form) {
	title := "Commit"
	if action == render.ActionObject {
		title = "Object"
	}
	b.open(ctx, env, trigger, by, title, func(ctx context.Context) (slackapi.ModalViewRequest, error) {
		found, err := b.opts.Reads.Status(ctx, string(f.Op))
		if err != nil {
			return slackapi.ModalViewRequest{}, err
		}
		ops := found.Operations
		switch {
		case len(ops) == 0 || !ops[0].Exists():
		case action == render.ActionObject && ops[0].Unreviewed():
			return render.ObjectionForm(ops[0], b.opts.Now()), nil
		case action == render.ActionCommitNamed && ops[0].Phase == failover.AwaitingCommit:
			return render.CommitForm(f, ops[0], b.opts.Now()), nil
		}
		return render.Said(title, render.Status(found, string(f.Op), b.opts.Now(), 0)), nil
	})
}
