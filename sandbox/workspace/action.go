package workspace

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// formKey is where the form of a message is kept: each person has an own one.
type formKey struct{ person, channel, ts string }

func (w *Workspace) formOf(p Person, c *channel, m *Message) *form {
	key := formKey{p.ID, c.ID, m.TS}
	if w.forms[key] == nil {
		w.forms[key] = newForm()
	}
	return w.forms[key]
}

// Choose lets a person (id or name) choose an option in a menu of a message: a select, an overflow menu, radio buttons. The
// menu is named by its placeholder or action_id, the option by its text or value; an external select is searched for it
// first. With the Home tab open it is [Workspace.Fill] there. Otherwise it is [Workspace.Click].
func (w *Workspace) Choose(user, channel, menu, option string, options ...ClickOption) error {
	if w.looksHome(user) {
		return w.Fill(user, menu, option)
	}
	i, err := w.chosen(user, channel, menu, option, options)
	if err != nil {
		return err
	}
	return w.deliver(i)
}

func (w *Workspace) chosen(user, channel, menu, option string, options []ClickOption) (*interaction, error) {
	p, c, m, e, err := w.menu(user, channel, menu, options)
	if err != nil {
		return nil, err
	}
	if e.element.text("type") == "external_select" {
		if _, err := w.suggest(w.suggestionOn(p, c, m, e, option)); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.chose(p, c, m, e, []string{option})
}

func (w *Workspace) menu(user, channel, name string, options []ClickOption) (Person, *channel, *Message, control, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, c, err := w.present(user, channel)
	if err != nil {
		return p, c, nil, control{}, err
	}
	if w.onTop(p) != nil {
		return p, c, nil, control{}, fmt.Errorf("%s has a modal open, which covers the channel", p.Name)
	}
	var there []string
	for m := range w.seenBackward(c, p, options) {
		for _, e := range controlsIn(parseBlocks(m.Blocks)) {
			if stateKey(e.element.text("type")) == "" {
				continue
			}
			if e.called(name) {
				return p, c, m, e, nil
			}
			there = append(there, fmt.Sprintf("%q", e.label()))
		}
	}
	return p, c, nil, control{}, fmt.Errorf("no menu %q that %s can see; there are: %s", name, p.Name, strings.Join(there, " "))
}

// chose is what comes of using a control of a message, values being what is chosen there.
func (w *Workspace) chose(p Person, c *channel, m *Message, e control, values []string) (*interaction, error) {
	if stateKey(e.element.text("type")) != "" {
		if err := w.formOf(p, c, m).put(e, values); err != nil {
			return nil, err
		}
	}
	return w.actedOn(p, c, m, e), nil
}

// actedOn tells the bot of a control in a message. The payload leaves the message out when it is ephemeral: Slack keeps none
// (inferred).
func (w *Workspace) actedOn(p Person, c *channel, m *Message, e control) *interaction {
	f := w.formOf(p, c, m)
	payload := w.interactive("block_actions", p)
	maps.Copy(payload, w.within(c, m))
	payload["trigger_id"] = w.newTrigger(p)
	payload["state"] = reply{"values": f.states(controlsIn(parseBlocks(m.Blocks)))}
	payload["response_url"] = w.newHook("actions", p, c, m.TS)
	payload["actions"] = []reply{f.action(e)}
	what := fmt.Sprintf("The button %q", e.label())
	if e.element.text("type") != "button" {
		what = fmt.Sprintf("The menu %q", e.label())
	}
	return &interaction{envelopeType: "interactive", payload: payload, what: what, failed: w.complaint(c, p, what)}
}

// within says in which message something happened.
func (w *Workspace) within(c *channel, m *Message) reply {
	container := reply{
		"type": "message", "message_ts": m.TS, "channel_id": c.ID, "is_ephemeral": m.EphemeralFor != "",
	}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	payload := reply{"container": container, "channel": reply{"id": c.ID, "name": c.Name}}
	if m.EphemeralFor == "" {
		payload["message"] = w.wireMessage(c, m)
	}
	return payload
}

// actedIn tells the bot of a control in a modal or Home tab.
func (w *Workspace) actedIn(v *view, e control) *interaction {
	if v.home && v.notice != "" { // of the last one
		v.notice = ""
		w.publishHome(v.person)
	}
	payload := w.interactive("block_actions", v.person)
	payload["container"], payload["view"] = reply{"type": "view", "view_id": v.id}, w.wireView(v)
	payload["trigger_id"], payload["actions"] = w.newTrigger(v.person), []reply{v.form.action(e)}
	return &interaction{
		envelopeType: "interactive", payload: payload, what: fmt.Sprintf("%q in %s", e.label(), v.where()), failed: w.troubled(v),
	}
}

// interactive is what all payloads of that envelope have in common.
func (w *Workspace) interactive(kind string, p Person) reply {
	team, enterprise := reply{"id": w.opts.TeamID, "domain": teamDomain}, reply(nil)
	if w.opts.EnterpriseID != "" {
		team["enterprise_id"], team["enterprise_name"] = w.opts.EnterpriseID, enterpriseTitle
		enterprise = reply{"id": w.opts.EnterpriseID, "name": enterpriseTitle}
	}
	return reply{
		"type": kind, "api_app_id": w.opts.AppID, "token": verificationToken,
		"user": reply{"id": p.ID, "username": p.Name, "name": p.Name, "team_id": w.teamOf(p)},
		"team": team, "enterprise": enterprise, "is_enterprise_install": w.opts.OrgInstall,
	}
}

// action is the entry of one control in "actions".
func (f *form) action(e control) reply {
	a := reply{"block_id": e.place.block, "action_ts": timestamp(time.Now().UnixMicro())}
	if e.element.text("type") == "button" {
		maps.Copy(a, e.element)
		return a
	}
	maps.Copy(a, f.state(e))
	a["action_id"] = e.action
	if e.element.has("placeholder") {
		a["placeholder"] = e.element.child("placeholder")
	}
	return a
}
