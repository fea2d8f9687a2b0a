package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"regexp"

	slackapi "github.com/slack-go/slack"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/failover"
)

// The message shortcut of the app.
const (
	ShortcutName = "Show operation"
	ShortcutShow = "show_operation" // its callback id
)

// shortcut shows who uses it the operation that a message is about, in a modal.
func (b *Bot) shortcut(ctx context.Context, env *envelope, c slackapi.InteractionCallback) {
	from := originOf(c)
	from.app = cmp.Or(from.app, env.appID) // Slack does not name the app here (reported); it came over our connection, or signed
	by, known := b.actor(ctx, env, from)
	env.channel, env.user, env.thread = cmp.Or(c.Channel.ID, b.opts.Channel), c.User.ID, c.Message.ThreadTimestamp
	op := operationIn(c.Message)
	switch {
	case !known:
		env.reply(ctx, render.Ephemeral(nobodyText))
		return
	case by.Standing == "" && op == "":
		b.once(ctx, env, env.messageID(c.TriggerID), func() { env.reply(ctx, render.Ephemeral(bot.NoOperationHere)) })
		return
	}
	b.open(ctx, env, c.TriggerID, by, ShortcutName, func(ctx context.Context) (slackapi.ModalViewRequest, error) {
		found, err := b.opts.Reads.Status(ctx, string(op))
		return render.Said(ShortcutName, render.Status(found, string(op), b.opts.Now(), 0)), err
	})
}

// operationIn is the operation that a message is about: that of a card or notice of ours, else the first one that is named.
func operationIn(m slackapi.Message) failover.OpID {
	blocks, err := json.Marshal(m.Blocks)
	if err != nil { // the text is left
		blocks = nil
	}
	if ours := regexp.MustCompile(`"block_id":"(op-[a-z2-7]{8})\.`).FindSubmatch(blocks); ours != nil {
		return failover.OpID(ours[1])
	}
	return failover.OpID(regexp.MustCompile(`\bop-[a-z2-7]{8}\b`).FindString(m.Text + " " + string(blocks)))
}
