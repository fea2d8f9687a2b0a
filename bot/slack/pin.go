package slack

import (
	"context"
	"log/slog"
	"slices"

	slackapi "github.com/slack-go/slack"

	"ferry/failover"
)

// toBePinned is the ts of the message that is to be pinned: the card, from the start of the operation to its end.
func (c *card) toBePinned(op failover.Operation) string {
	if !underWay(op) {
		return ""
	}
	return c.ref.Card.TS
}

// pinMethod is what is called next: a card that was posted anew takes the place of the one before.
func pinMethod(c *card) string {
	if c.ref.Pinned != "" && !c.pinning {
		return "pins.remove"
	}
	return "pins.add"
}

// pin brings the pins nearer to what they should be. That a card is pinned is written down first, so that whoever comes after a
// crash takes the pin off. Nothing else waits for it: what fails is told and left, since the card is there all the same.
func (a *announcer) pin(ctx context.Context, p pending) error {
	method, item := pinMethod(p.card), slackapi.NewRefToMessage(p.ref.Card.Channel, p.ref.Card.TS)
	var err error
	switch {
	case a.pinless || a.bot.granted != nil && !slices.Contains(a.bot.granted, pinScope):
		p.unpinned = true
		return nil
	case method == "pins.remove":
		item.Timestamp = p.ref.Pinned
		err = a.bot.seam("slack.pin", func() error { return a.bot.api.RemovePinContext(ctx, item.Channel, item) })
		if slackCode(err) == "" && err != nil && p.failures < seekTries { // nothing of an ended card waits behind it
			return err
		}
		p.pinned("")
	case !p.pinning:
		p.pinned(p.ref.Card.TS)
		p.pinning = true
	default:
		p.pinning = false
		err = a.bot.seam("slack.pin", func() error { return a.bot.api.AddPinContext(ctx, item.Channel, item) })
	}
	switch slackCode(err) {
	case "already_pinned", "no_pin", "message_not_found":
		return nil
	case "missing_scope":
		a.pinless, p.unpinned = true, true
	}
	if err != nil {
		a.bot.opts.Log.InfoContext(ctx, "a card is not pinned as it should be", opAttr(p.id), slog.String("method", method), slog.Any("cause", cause(err)), slog.String("fix", setupFix(err)))
	}
	return nil
}

// pinned notes which message is pinned; the store learns it with the next save.
func (c *card) pinned(ts string) {
	c.ref.Pinned = ts
	c.note(cardKey, c.ref.Card)
}
