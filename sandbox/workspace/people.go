package workspace

import (
	"fmt"
	"slices"
	"strings"
)

// Person is somebody who can act in the workspace.
type Person struct {
	ID       string
	Name     string // the handle, without @
	RealName string
	// Title is what the person does, as the profile says it.
	Title string
	// Guest is a multi-channel guest: users.info says is_restricted.
	Guest bool
	// External belongs to another organisation that shares the channel through Slack Connect: users.info says is_stranger
	// and another team_id, and the app's slash command is not offered.
	External bool
}

// Channel is a public channel of which the bot is a member.
type Channel struct {
	ID   string
	Name string // without #
}

const (
	botID        = "B0FERRY"
	botUserID    = "U0FERRY"
	botName      = "ferry"
	slackbotID   = "USLACKBOT"
	externalTeam = "T0EXTERNAL"
	teamDomain   = "sandbox"

	verificationToken = "sandbox-verification-token"
)

func bots() []Person {
	return []Person{{ID: botUserID, Name: botName, RealName: "Ferry"}, {ID: slackbotID, Name: "slackbot", RealName: "Slackbot"}}
}

func (w *Workspace) teamOf(p Person) string {
	if p.External {
		return externalTeam
	}
	return w.opts.TeamID
}

// find takes ids or names, so that a script may say ana and #incident.
func (w *Workspace) find(user, name string) (Person, *channel, error) {
	person := slices.IndexFunc(w.opts.People, func(p Person) bool {
		return p.ID == user || p.Name == strings.TrimPrefix(user, "@")
	})
	if person < 0 {
		return Person{}, nil, fmt.Errorf("no person %q in the workspace", user)
	}
	ch := w.findChannel(name)
	if ch == nil {
		return Person{}, nil, fmt.Errorf("no channel %q in the workspace", name)
	}
	return w.opts.People[person], ch, nil
}

func (w *Workspace) findChannel(name string) *channel {
	for _, ch := range w.channels {
		if ch.ID == name || ch.Name == strings.TrimPrefix(name, "#") {
			return ch
		}
	}
	return nil
}

// wireUser is the user object of users.info.
func (w *Workspace) wireUser(p Person) reply {
	bot := p.ID == botUserID
	return reply{
		"id": p.ID, "team_id": w.teamOf(p), "name": p.Name, "real_name": p.RealName, "deleted": false,
		"tz": "Etc/UTC", "tz_label": "Coordinated Universal Time", "tz_offset": 0,
		"is_admin": false, "is_owner": false, "is_bot": bot, "is_app_user": false,
		"is_restricted": p.Guest, "is_ultra_restricted": false, "is_stranger": p.External,
		"profile": reply{"real_name": p.RealName, "display_name": p.Name, "title": p.Title, "team": w.teamOf(p)},
	}
}
