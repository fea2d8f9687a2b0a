package slack

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/failover"
)

// suggestTime is how long after receipt the options of a field may take: who types waits for them.
const suggestTime = time.Second

// form opens the form of a verb. Nothing has to be read for it, so that it is there whatever Azure and NATS do.
func (b *Bot) form(ctx context.Context, env *envelope, trigger string, by failover.Actor, verb string) {
	if verb == "report" {
		b.opened(ctx, env, trigger, by, render.ReportForm())
		return
	}
	f := render.AskForm{Verb: failover.VerbFailover, Networks: b.opts.Networks}
	if verb == string(failover.VerbTest) {
		f.Verb = failover.VerbTest
	}
	b.opened(ctx, env, trigger, by, f.View(b.opts.Now()))
}

// suggest answers what somebody types into a search: with VMs as they were last read, or operations.
func (b *Bot) suggest(ctx context.Context, env *envelope, c slackapi.InteractionCallback) {
	by, known := b.actor(ctx, env, originOf(c))
	limited, cancel := context.WithDeadline(ctx, env.received.Add(suggestTime))
	defer cancel()
	var options []*slackapi.OptionBlockObject
	var err error
	asked, ours := render.AskedOf(c.View)
	switch {
	case !known || b.opts.MayRead(by) != nil:
	case ours && c.ActionID == render.ActionVM:
		var inv failover.Inventory
		if inv, err = b.opts.Reads.Inventory(limited); err == nil {
			options = render.VMOptions(inv, asked.Verb, c.Value)
		}
	case c.View.CallbackID == render.ActionReportForm && c.ActionID == render.ActionOperation:
		options, err = b.operations(limited, c.Value)
	}
	if err != nil {
		b.opts.Log.WarnContext(ctx, "a search was not answered", slog.Any("cause", err))
	}
	if options == nil {
		options = []*slackapi.OptionBlockObject{} // else it would be null
	}
	env.acknowledge(ctx, map[string]any{"options": options})
}

// chose shows the recovery points of the VM that somebody has chosen in a form. It is acknowledged before they are read.
func (b *Bot) chose(ctx context.Context, env *envelope, c slackapi.InteractionCallback) {
	by, known := b.actor(ctx, env, originOf(c))
	env.acknowledge(ctx, nil)
	env.linger()
	asked, ours := render.AskedOf(c.View)
	action := slackapi.BlockAction{}
	if actions := c.ActionCallback.BlockActions; len(actions) > 0 {
		action = *actions[0] // Slack sends one per choice
	}
	if !known || !ours || action.ActionID != render.ActionVM || b.opts.MayRead(by) != nil {
		return
	}
	if !b.views.chose(c.View.ID, c.TriggerID, action.ActionTs, c.View.Hash, env.received) {
		return
	}
	f := render.AskForm{Verb: asked.Verb, Networks: b.opts.Networks, VM: action.SelectedOption.Value}
	m := modal{id: c.View.ID, title: c.View.Title.Text, user: by.ID, choice: c.TriggerID}
	say := func(text string) slackapi.ModalViewRequest {
		f := f
		f.Note = text
		return f.View(b.opts.Now())
	}
	b.fill(ctx, env, m, say, func(ctx context.Context) (slackapi.ModalViewRequest, error) {
		list, refusal, err := b.opts.Reads.Points(ctx, f.VM, "")
		switch {
		case err != nil:
			return slackapi.ModalViewRequest{}, err
		case refusal != nil:
			return say(bot.RefusalText(refusal)), nil
		}
		filled := f // the form that waits is drawn meanwhile
		filled.List = &list
		return filled.View(b.opts.Now()), nil
	})
}

// requested takes a form that asks for an operation, as if it had been typed. What is refused can be mended and sent again: each press
// is a request of its own, of which one opens an operation at most.
func (b *Bot) requested(ctx context.Context, env *envelope, m modal, c slackapi.InteractionCallback, a render.Asked, by failover.Actor) {
	intent, problems := a.Intent(env.asked())
	if by.Standing == "" && problems != nil {
		env.acknowledge(ctx, slackapi.NewErrorsViewSubmissionResponse(problems))
		return
	}
	id := failover.Sending(failover.MessageID(b.team, "view", c.View.ID), cmp.Or(c.TriggerID, env.id))
	cmd := intent.Command(id, failover.OpIDOf(id, 0), by, env.asked())
	b.submit(ctx, env, m, cmd, func(r *failover.Refusal) map[string]string { return a.Errors(cmd, r) })
}
