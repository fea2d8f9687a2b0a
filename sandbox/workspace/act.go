package workspace

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// ClickResult is what a person saw when clicking.
type ClickResult struct {
	TS      string // of the message
	Button  Button
	Confirm string // the dialog that was accepted, as lines of text; empty without one
}

// ClickOption narrows which message [Workspace.Click] means.
type ClickOption func(w *Workspace, m Message) bool

// OnMessage means the message with this ts.
func OnMessage(ts string) ClickOption {
	return func(_ *Workspace, m Message) bool { return m.TS == ts }
}

// Containing means messages whose rendered text contains this, such as the name of a VM.
func Containing(text string) ClickOption {
	return func(w *Workspace, m Message) bool { return strings.Contains(strings.Join(w.Render(m), "\n"), text) }
}

// Type lets a person (id or name) write into a channel (id or name). The slash command returns once it is delivered to the
// bot, or is refused as Slack would with an ephemeral message and [ErrDispatchFailed]; it does not wait for the bot's
// acknowledgement. Any other command is refused, and any other text is a message.
func (w *Workspace) Type(user, channel, text string) error {
	i, err := w.typed(user, channel, text)
	if i == nil {
		return err
	}
	return w.deliver(i)
}

// typed is nil when there is nothing to deliver.
func (w *Workspace) typed(user, channel, text string) (*interaction, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, c, err := w.find(user, channel)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(text, "/") {
		w.post(c, Message{User: p.ID, Text: w.composedText(text)})
		return nil, nil
	}
	command, arguments, _ := strings.Cut(text, " ")
	if command != w.opts.SlashCommand || p.External {
		w.tell(c, p, command+" is not a valid command.")
		return nil, fmt.Errorf("%s is not a valid command for %s", command, p.Name)
	}
	return &interaction{
		envelopeType: "slash_commands", person: p, channel: c, what: command, acceptsReply: true,
		payload: w.slashPayload(p, c, strings.TrimSpace(arguments)),
	}, nil
}

var mentions = regexp.MustCompile(`@[a-z0-9_-]+`)

// composedText is what Slack's input field makes of typed text: entities escaped, mentions by id.
func (w *Workspace) composedText(text string) string {
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	return mentions.ReplaceAllStringFunc(text, func(mention string) string {
		for _, p := range w.people {
			if mention == "@"+p.Name {
				return "<@" + p.ID + ">"
			}
		}
		return mention
	})
}

func (w *Workspace) slashPayload(p Person, c *channel, arguments string) reply {
	return reply{
		"token": "sandbox-verification-token", "team_id": w.opts.TeamID, "team_domain": teamDomain,
		"channel_id": c.ID, "channel_name": c.Name, "user_id": p.ID, "user_name": p.Name,
		"command": w.opts.SlashCommand, "text": arguments, "api_app_id": w.opts.AppID, "is_enterprise_install": "false",
		"response_url": w.newHook("commands", p, c, ""), "trigger_id": newTrigger(),
	}
}

// newTrigger has the form of the recorded ones.
func newTrigger() string {
	id := uuid.New()
	return fmt.Sprintf("%d.%d.%x", id[0], id[1], id[:])
}

// Click lets a person (id or name) press the button with this label on the newest message that is visible to the person,
// has the button and meets all options. A confirmation dialog is accepted. It returns once the click is delivered to the
// bot, or refused as in [Workspace.Type]. The error for a label that is nowhere lists the buttons that are there.
func (w *Workspace) Click(user, channel, label string, options ...ClickOption) (ClickResult, error) {
	i, result, err := w.pressed(user, channel, label, options)
	if err != nil {
		return ClickResult{}, err
	}
	return result, w.deliver(i)
}

func (w *Workspace) pressed(user, channel, label string, options []ClickOption) (*interaction, ClickResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, c, err := w.find(user, channel)
	if err != nil {
		return nil, ClickResult{}, err
	}
	var there []string
	for _, m := range slices.Backward(c.messages) {
		if !m.visibleTo(p.ID) || !w.meets(m, options) {
			continue
		}
		for _, b := range m.snapshot().Buttons {
			if b.Label == label {
				return w.press(p, c, m, b), ClickResult{TS: m.TS, Button: b, Confirm: b.Confirm}, nil
			}
			there = append(there, fmt.Sprintf("%q", b.Label))
		}
	}
	return nil, ClickResult{}, fmt.Errorf("no button %q that %s can see; there are: %s", label, p.Name, strings.Join(there, " "))
}

// ErrGone is returned by [Workspace.Press] when the message or its button is not there (any more).
var ErrGone = errors.New("this button is gone: the message has changed")

// Press lets a person (id or name) press one button, as a client does that shows the message with this ts. Otherwise it is
// [Workspace.Click]. When an edit gave the button's block another id meanwhile, the action alone says which one is meant
// (inferred).
func (w *Workspace) Press(user, channel, ts, blockID, actionID string) error {
	i, err := w.pointedAt(user, channel, ts, blockID, actionID)
	if err != nil {
		return err
	}
	return w.deliver(i)
}

func (w *Workspace) pointedAt(user, channel, ts, blockID, actionID string) (*interaction, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, c, err := w.find(user, channel)
	if err != nil {
		return nil, err
	}
	m := c.message(ts)
	if m == nil || !m.visibleTo(p.ID) {
		return nil, ErrGone
	}
	buttons := slices.DeleteFunc(m.snapshot().Buttons, func(b Button) bool { return b.ActionID != actionID })
	if exact := slices.IndexFunc(buttons, func(b Button) bool { return b.BlockID == blockID }); exact >= 0 {
		buttons = buttons[exact : exact+1]
	}
	if len(buttons) != 1 {
		return nil, ErrGone
	}
	return w.press(p, c, m, buttons[0]), nil
}

func (w *Workspace) meets(m *Message, options []ClickOption) bool {
	for _, wanted := range options {
		if !wanted(w, *m) {
			return false
		}
	}
	return true
}

func (w *Workspace) press(p Person, c *channel, m *Message, b Button) *interaction {
	return &interaction{
		envelopeType: "interactive", person: p, channel: c, what: fmt.Sprintf("The button %q", b.Label),
		payload: w.blockActions(p, c, m, b),
	}
}

// blockActions leaves the message out when it is ephemeral: Slack keeps none (inferred).
func (w *Workspace) blockActions(p Person, c *channel, m *Message, b Button) reply {
	action := reply{"block_id": b.BlockID, "action_ts": timestamp(time.Now().UnixMicro())}
	maps.Copy(action, b.element)
	payload := reply{
		"type":       "block_actions",
		"user":       reply{"id": p.ID, "username": p.Name, "name": p.Name, "team_id": w.teamOf(p)},
		"api_app_id": w.opts.AppID, "token": "sandbox-verification-token",
		"container": reply{
			"type": "message", "message_ts": m.TS, "channel_id": c.ID, "is_ephemeral": m.EphemeralFor != "",
		},
		"trigger_id": newTrigger(), "team": reply{"id": w.opts.TeamID, "domain": teamDomain},
		"enterprise": nil, "is_enterprise_install": false,
		"channel": reply{"id": c.ID, "name": c.Name}, "state": reply{"values": reply{}},
		"response_url": w.newHook("actions", p, c, m.TS), "actions": []reply{action},
	}
	if m.EphemeralFor == "" {
		payload["message"] = w.wireMessage(c, m)
	}
	return payload
}
