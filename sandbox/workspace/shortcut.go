package workspace

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Shortcut is an entry of the app in Slack's menus, as the app's manifest declares it.
type Shortcut struct {
	Name       string // up to 24 characters
	CallbackID string
	Type       ShortcutType
}

// ShortcutType says in which menu a shortcut stands.
type ShortcutType string

// The types of shortcuts, as in a manifest.
const (
	MessageShortcut ShortcutType = "message" // in the menu of each message
	GlobalShortcut  ShortcutType = "global"  // in the menu beside the message field, and in the search
)

// Shortcut lets a person (id or name) use a shortcut, by its name or callback_id: of a message shortcut on the newest message that
// everybody sees and that meets all options. It returns once that is delivered to the bot, or refused as in [Workspace.Type].
func (w *Workspace) Shortcut(user, channel, name string, options ...ClickOption) error {
	i, err := w.shortcut(user, channel, name, options)
	if err != nil {
		return err
	}
	return w.deliver(i)
}

func (w *Workspace) shortcut(user, channel, name string, options []ClickOption) (*interaction, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, c, err := w.present(user, channel)
	if err != nil {
		return nil, err
	}
	if w.onTop(p) != nil {
		return nil, fmt.Errorf("%s has a modal open, which covers everything else", p.Name)
	}
	s, err := w.shortcutOf(p, name)
	if err != nil {
		return nil, err
	}
	if s.Type == GlobalShortcut {
		return w.shortcutted(s, p, c, nil), nil
	}
	for m := range w.seenBackward(c, p, options) {
		if m.EphemeralFor == "" {
			return w.shortcutted(s, p, c, m), nil
		}
	}
	return nil, fmt.Errorf("%s sees no message to use %q on", p.Name, s.Name)
}

// shortcutOf finds a shortcut among those that a person is offered: none in another organisation (inferred), none without the
// scope (documented).
func (w *Workspace) shortcutOf(p Person, name string) (Shortcut, error) {
	offered := w.opts.Shortcuts
	if w.kindOf(p) == Stranger || w.permits("commands") != nil {
		offered = nil
	}
	i := slices.IndexFunc(offered, func(s Shortcut) bool { return s.Name == name || s.CallbackID == name })
	if i >= 0 {
		return offered[i], nil
	}
	there := make([]string, len(offered))
	for i, s := range offered {
		there[i] = fmt.Sprintf("%q", s.Name)
	}
	return Shortcut{}, fmt.Errorf("no shortcut %q that %s is offered; there are: %s", name, p.Name, strings.Join(there, " "))
}

// shortcutted tells the bot; m is nil for a global shortcut. Other than all other payloads of that envelope these do not name the
// app (recorded for global ones).
func (w *Workspace) shortcutted(s Shortcut, p Person, c *channel, m *Message) *interaction {
	payload := w.interactive("shortcut", p)
	delete(payload, "api_app_id")
	payload["callback_id"], payload["trigger_id"] = s.CallbackID, w.newTrigger(p)
	payload["action_ts"] = timestamp(time.Now().UnixMicro())
	if m != nil {
		payload["type"] = "message_action"
		payload["channel"], payload["message"] = reply{"id": c.ID, "name": c.Name}, w.wireMessage(c, m)
		payload["message_ts"], payload["response_url"] = m.TS, w.newHook("app", p, c, "")
	}
	what := fmt.Sprintf("The shortcut %q", s.Name)
	return &interaction{envelopeType: "interactive", payload: payload, what: what, failed: w.complaint(c, p, what)}
}
