package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
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
// acknowledgement. Any other command is refused, and any other text is a message. A message that mentions the bot is an
// app_mention event to it.
func (w *Workspace) Type(user, channel, text string) error {
	return w.write(user, channel, "", text)
}

// Reply lets a person write into the thread of the message with this ts. Slack takes no slash command there.
func (w *Workspace) Reply(user, channel, ts, text string) error {
	return w.write(user, channel, ts, text)
}

func (w *Workspace) write(user, channel, ts, text string) error {
	i, err := w.typed(user, channel, ts, text)
	if i == nil {
		return err
	}
	return w.deliver(i)
}

// typed is nil when there is nothing to wait for.
func (w *Workspace) typed(user, channel, ts, text string) (*interaction, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, c, err := w.present(user, channel)
	if err != nil {
		return nil, err
	}
	w.leaveHome(p)
	thread := ""
	if ts != "" {
		if thread = c.threadOf(ts); thread == "" {
			return nil, fmt.Errorf("no message %s that %s could reply to", ts, p.Name)
		}
	}
	if !strings.HasPrefix(text, "/") {
		w.announce(c, w.post(c, Message{User: p.ID, Text: w.composedText(text), ThreadTS: thread}))
		return nil, nil
	}
	command, arguments, _ := strings.Cut(text, " ")
	refusal := ""
	switch {
	case command != w.opts.SlashCommand || w.kindOf(p) == Stranger || w.permits("commands") != nil:
		refusal = command + " is not a valid command."
	case thread != "":
		refusal = command + " is not supported in threads. Sorry!"
	}
	if refusal != "" {
		w.post(c, Message{User: slackbotID, Text: refusal, EphemeralFor: p.ID, ThreadTS: thread})
		return nil, fmt.Errorf("%s may not: %s", p.Name, refusal)
	}
	return w.commanded(p, c, strings.TrimSpace(arguments)), nil
}

func (w *Workspace) commanded(p Person, c *channel, arguments string) *interaction {
	i := &interaction{envelopeType: "slash_commands", what: w.opts.SlashCommand, payload: w.slashPayload(p, c, arguments)}
	i.failed = w.complaint(c, p, i.what)
	i.answered = func(payload json.RawMessage) { w.answerCommand(i, c, p, payload) }
	return i
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
	payload := reply{
		"token": verificationToken, "team_id": w.opts.TeamID, "team_domain": teamDomain,
		"channel_id": c.ID, "channel_name": c.Name, "user_id": p.ID, "user_name": p.Name,
		"command": w.opts.SlashCommand, "text": arguments, "api_app_id": w.opts.AppID,
		"is_enterprise_install": strconv.FormatBool(w.opts.OrgInstall), // a string, here alone
		"response_url":          w.newHook("commands", p, c, ""), "trigger_id": w.newTrigger(p),
	}
	if w.opts.EnterpriseID != "" {
		payload["enterprise_id"], payload["enterprise_name"] = w.opts.EnterpriseID, enterpriseTitle
	}
	return payload
}

// Click lets a person (id or name) press the button with this label: in the modal that the person has open, which covers the
// channel, or in the Home tab when that is open, or else on the newest message that is visible to the person, has the button and meets all options. A confirmation
// dialog is accepted. It returns once the click is delivered to the bot, or refused as in [Workspace.Type]. The error for a
// label that is nowhere lists the buttons that are there.
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
	p, c, err := w.present(user, channel)
	if err != nil {
		return nil, ClickResult{}, err
	}
	var there []string
	if v := w.front(p); v != nil {
		for _, b := range buttonsIn(v.blocks()) {
			if b.Label == label {
				return w.actedIn(v, control{place{b.BlockID, b.ActionID}, nil, b.element}), ClickResult{Button: b, Confirm: b.Confirm}, nil
			}
			there = append(there, fmt.Sprintf("%q", b.Label))
		}
		return nil, ClickResult{}, fmt.Errorf("no button %q in %s that %s has open; there are: %s", label, v.where(), p.Name, strings.Join(there, " "))
	}
	for m := range w.seenBackward(c, p, options) {
		for _, b := range m.snapshot().Buttons {
			if b.Label == label {
				return w.actedOn(p, c, m, control{place{b.BlockID, b.ActionID}, nil, b.element}), ClickResult{TS: m.TS, Button: b, Confirm: b.Confirm}, nil
			}
			there = append(there, fmt.Sprintf("%q", b.Label))
		}
	}
	return nil, ClickResult{}, fmt.Errorf("no button %q that %s can see; there are: %s", label, p.Name, strings.Join(there, " "))
}

// seenBackward are the messages that a person sees and that meet all options, newest first.
func (w *Workspace) seenBackward(c *channel, p Person, options []ClickOption) iter.Seq[*Message] {
	return func(yield func(*Message) bool) {
		for _, m := range slices.Backward(c.messages) {
			if m.visibleTo(p.ID) && w.meets(m, options) && !yield(m) {
				return
			}
		}
	}
}

func (w *Workspace) meets(m *Message, options []ClickOption) bool {
	for _, wanted := range options {
		if !wanted(w, *m) {
			return false
		}
	}
	return true
}

// ErrGone is returned by [Workspace.Press] when the message or its button is not there (any more).
var ErrGone = errors.New("this button is gone: the message has changed")

// Press lets a person (id or name) use one element, as a client does that shows the message with this ts: press a button, or
// choose the options with these values. When an edit gave the element's block another id meanwhile, the action alone says
// which one is meant (inferred).
func (w *Workspace) Press(user, channel, ts, blockID, actionID string, values ...string) error {
	i, err := w.pointedAt(user, channel, ts, place{blockID, actionID}, values)
	if err != nil {
		return err
	}
	return w.deliver(i)
}

// ClickShown lets a person (id or name) press the button with this label of a message as it was shown to them: their client
// has not got the newest edit yet. Slack delivers such a press with the message as it is now (inferred).
func (w *Workspace) ClickShown(user, channel string, shown Message, label string) error {
	i, err := w.pressedShown(user, channel, shown, label)
	if err != nil {
		return err
	}
	return w.deliver(i)
}

func (w *Workspace) pressedShown(user, channel string, shown Message, label string) (*interaction, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, c, err := w.present(user, channel)
	if err != nil {
		return nil, err
	}
	m := c.message(shown.TS)
	if m == nil || !m.visibleTo(p.ID) {
		return nil, ErrGone
	}
	for _, b := range buttonsIn(parseBlocks(shown.Blocks)) {
		if b.Label == label {
			return w.actedOn(p, c, m, control{place{b.BlockID, b.ActionID}, nil, b.element}), nil
		}
	}
	return nil, fmt.Errorf("the message had no button %q", label)
}

func (w *Workspace) pointedAt(user, channel, ts string, at place, values []string) (*interaction, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, c, err := w.present(user, channel)
	if err != nil {
		return nil, err
	}
	m := c.message(ts)
	if m == nil || !m.visibleTo(p.ID) {
		return nil, ErrGone
	}
	e, ok := pointed(controlsIn(parseBlocks(m.Blocks)), at)
	if !ok {
		return nil, ErrGone
	}
	return w.chose(p, c, m, e, values)
}

// pointed is the only control of an action; of several that in the named block.
func pointed(controls []control, at place) (control, bool) {
	var same []control
	for _, c := range controls {
		if c.place == at {
			return c, true
		}
		if c.action == at.action {
			same = append(same, c)
		}
	}
	if len(same) != 1 {
		return control{}, false
	}
	return same[0], true
}
