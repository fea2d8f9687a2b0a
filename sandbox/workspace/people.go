package workspace

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is what users.info says of somebody beyond the name. What a kind may not do in Slack is not held back here, since a
// payload may be on its way while somebody becomes one: the app has to look.
type Kind string

// The kinds of people. The empty kind is a full member of the workspace.
const (
	Guest              Kind = "guest"                // multi-channel: is_restricted
	SingleChannelGuest Kind = "single_channel_guest" // is_restricted and is_ultra_restricted
	// Stranger belongs to another organisation: is_stranger and another team_id. The app's slash command is not offered, and
	// only channels that are shared with that organisation are reached.
	Stranger     Kind = "stranger"
	OtherBot     Kind = "bot"           // of another app: is_bot
	WorkflowBot  Kind = "workflow_bot"  // is_bot and is_workflow_bot
	ConnectorBot Kind = "connector_bot" // is_bot and is_connector_bot
	Deactivated  Kind = "deactivated"   // deleted
)

// Person is somebody who can act in the workspace.
type Person struct {
	ID       string
	Name     string // the handle, without @
	RealName string
	// Title is what the person does, as the profile says it.
	Title string
	Kind  Kind // at first; see [Workspace.SetKind]
	// TeamID is another workspace of the same organisation (Enterprise Grid) that the person belongs to; empty: this one.
	TeamID string
}

const (
	botID           = "B0FERRY"
	botUserID       = "U0FERRY"
	botName         = "ferry"
	slackbotID      = "USLACKBOT"
	externalTeam    = "T0EXTERNAL"
	externalOrg     = "E0EXTERNAL"
	teamDomain      = "sandbox"
	enterpriseTitle = "Sandbox Group"

	verificationToken = "sandbox-verification-token"
)

func bots() []Person {
	return []Person{{ID: botUserID, Name: botName, RealName: "Ferry"}, {ID: slackbotID, Name: "slackbot", RealName: "Slackbot"}}
}

func (w *Workspace) kindOf(p Person) Kind {
	if changed, ok := w.kinds[p.ID]; ok {
		return changed
	}
	return p.Kind
}

func (w *Workspace) teamOf(p Person) string {
	switch {
	case w.kindOf(p) == Stranger:
		return externalTeam
	case p.TeamID != "":
		return p.TeamID
	}
	return w.opts.TeamID
}

// SetKind makes a person (id or name) somebody else, as an administrator does; the app gets the event user_change.
func (w *Workspace) SetKind(user string, kind Kind) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.findPerson(user)
	if err != nil {
		return err
	}
	w.kinds[p.ID] = kind
	w.tellApp("user_change", reply{"user": w.wireUser(p)}, nil)
	return nil
}

func (w *Workspace) findPerson(user string) (Person, error) {
	i := slices.IndexFunc(w.opts.People, func(p Person) bool {
		return p.ID == user || p.Name == strings.TrimPrefix(user, "@")
	})
	if i < 0 {
		return Person{}, fmt.Errorf("no person %q in the workspace", user)
	}
	return w.opts.People[i], nil
}

// find takes ids or names, so that a script may say ana and #incident.
func (w *Workspace) find(user, name string) (Person, *channel, error) {
	p, err := w.findPerson(user)
	if err != nil {
		return p, nil, err
	}
	ch := w.findChannel(name)
	if ch == nil {
		return p, nil, fmt.Errorf("no channel %q in the workspace", name)
	}
	return p, ch, nil
}

// present is find for what a person does in a channel.
func (w *Workspace) present(user, name string) (Person, *channel, error) {
	p, ch, err := w.find(user, name)
	if err == nil && w.kindOf(p) == Stranger && ch.Sharing != Shared {
		err = fmt.Errorf("%s is of another organisation, with which #%s is not shared", p.Name, ch.Name)
	}
	return p, ch, err
}

// wireUser is the user object of users.info.
func (w *Workspace) wireUser(p Person) reply {
	kind := w.kindOf(p)
	is := func(kinds ...Kind) bool { return slices.Contains(kinds, kind) }
	user := reply{
		"id": p.ID, "team_id": w.teamOf(p), "name": p.Name, "real_name": p.RealName, "deleted": is(Deactivated),
		"tz": "Etc/UTC", "tz_label": "Coordinated Universal Time", "tz_offset": 0,
		"is_admin": false, "is_owner": false, "is_app_user": false,
		"is_bot":        p.ID == botUserID || is(OtherBot, WorkflowBot, ConnectorBot),
		"is_restricted": is(Guest, SingleChannelGuest), "is_ultra_restricted": is(SingleChannelGuest), "is_stranger": is(Stranger),
		"profile": reply{"real_name": p.RealName, "display_name": p.Name, "title": p.Title, "team": w.teamOf(p)},
	}
	if is(WorkflowBot) {
		user["is_workflow_bot"] = true
	}
	if is(ConnectorBot) {
		user["is_connector_bot"] = true
	}
	if w.opts.EnterpriseID != "" {
		enterprise := w.opts.EnterpriseID
		if is(Stranger) {
			enterprise = externalOrg
		}
		user["enterprise_user"] = reply{"id": p.ID, "enterprise_id": enterprise, "enterprise_name": enterpriseTitle, "teams": []string{w.teamOf(p)}}
	}
	return user
}
