package slack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"ferry/bot/slack"
	"ferry/sandbox/workspace"
)

// examined are the findings of a bot's options, as lines; those that are fine only when all are wanted.
func (l *lab) examined(access slack.Access, all bool) []string {
	var lines []string
	for _, f := range slack.Examine(l.t.Context(), l.opts, access) {
		if all || f.Level != slack.Fine {
			lines = append(lines, string(f.Level)+" "+f.Check+": "+f.Said+"; "+f.Fix)
		}
		if (f.Level == slack.Fine) != (f.Fix == "") {
			l.t.Errorf("a fix is given when there is one to do, and only then: %+v", f)
		}
	}
	return lines
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	private := func(c workspace.Channel) workspace.Options {
		c.ID, c.Name = "C0CARDS", "cards"
		return workspace.Options{Others: []workspace.Channel{c}}
	}
	group := func(g workspace.UserGroup) workspace.Options {
		g.ID, g.Handle = "S0OPS", "ops"
		return workspace.Options{UserGroups: []workspace.UserGroup{g}}
	}
	person := func(kind workspace.Kind) workspace.Options {
		return workspace.Options{People: []workspace.Person{{ID: "U0PAT", Name: "pat", Kind: kind}}}
	}
	cards := func(o *slack.Options) { o.Channel = "C0CARDS" }
	ops := slack.Access{Groups: map[string][]string{"operator": {"S0OPS"}}}
	pat := slack.Access{Users: map[string][]string{"operator": {"U0PAT"}}}
	for want, c := range map[string]struct {
		o      workspace.Options
		set    func(*slack.Options)
		access slack.Access
	}{
		"failed Slack bot token: invalid_auth; ":                          {set: func(o *slack.Options) { o.BotToken = "xoxb-old" }},
		"failed Slack bot token: it is for Sandbox (T0SANDBOX); ":         {set: func(o *slack.Options) { o.TeamID = "T0OTHER" }},
		"failed Slack app token: invalid_auth; ":                          {set: func(o *slack.Options) { o.AppToken = "xapp-old" }},
		"failed Slack scopes: the bot token lacks usergroups:read; ":      {o: allScopesBut("usergroups:read")},
		"warning Slack optional scopes: the bot does without channels:hi": {o: workspace.Options{Scopes: slack.Scopes()}},
		"failed Slack channel: channel_not_found; ":                       {set: cards},
		"failed Slack channel: #cards is archived; ":                      {o: private(workspace.Channel{Archived: true}), set: cards},
		"failed Slack channel: the bot is not in #cards; ":                {o: private(workspace.Channel{NoBot: true}), set: cards},
		"failed Slack channel: #cards is shared with another organ":       {o: private(workspace.Channel{Sharing: workspace.PendingShared}), set: cards},
		"failed Slack group of operator: there is no user group S0OPS":    {access: ops},
		"failed Slack group of operator: @ops (S0OPS) is disabled":        {o: group(workspace.UserGroup{Disabled: true}), access: ops},
		"failed Slack groups: plan_upgrade_required; ":                    {o: workspace.Options{FreePlan: true}, access: ops},
		"warning Slack group of operator: @ops (S0OPS) may be open":       {o: group(workspace.UserGroup{Users: []string{"U0ANA"}}), access: ops},
		"warning Slack group of operator: @ops (S0OPS) has no members":    {o: group(workspace.UserGroup{IDP: true}), access: ops},
		"failed Slack user of operator: there is no user U0PAT":           {access: pat},
		"warning Slack user of operator: U0PAT is deactivated":            {o: person(workspace.Deactivated), access: pat},
		"failed Slack user of operator: U0PAT is refused: You are a g":    {o: person(workspace.Guest), access: pat},
	} {
		t.Run(want, func(t *testing.T) {
			bubbleIn(t, c.o, func(l *lab) {
				if c.set != nil {
					c.set(&l.opts)
				}
				if got := l.examined(c.access, false); len(got) != 1 || !strings.HasPrefix(got[0], want) {
					t.Errorf("found %q", got)
				}
			})
		})
	}
}

// allScopesBut is a workspace whose app has all scopes of the manifest but some.
func allScopesBut(lacks ...string) workspace.Options {
	scopes := slack.Scopes()
	for _, x := range slack.Extras() {
		scopes = append(scopes, x.Scope)
	}
	return workspace.Options{Scopes: slices.DeleteFunc(scopes, func(s string) bool { return slices.Contains(lacks, s) })}
}

// What fails for all is said once.
func TestDoctorWithoutAScope(t *testing.T) {
	bubbleIn(t, allScopesBut("users:read"), func(l *lab) {
		got := l.examined(slack.Access{Users: map[string][]string{"operator": {"U0ANA", "U0BEN", "U0EVE"}}}, false)
		if len(got) != 2 || !strings.Contains(got[1], "Slack users of the roles: missing_scope") || !strings.Contains(got[1], "ferry manifest") {
			t.Errorf("found %q", got)
		}
	})
}

func TestDoctorWhenAllIsWell(t *testing.T) {
	var people []workspace.Person
	access := slack.Access{Users: map[string][]string{}, Groups: map[string][]string{"operator": {"S0OPS"}}}
	for name := range strings.SplitSeq("abcdefghijklmnopqrstuvwxyz", "") { // more than Slack tells of at once
		people = append(people, workspace.Person{ID: "U0" + strings.ToUpper(name), Name: name})
		access.Users["approver"] = append(access.Users["approver"], "U0"+strings.ToUpper(name))
	}
	o := workspace.Options{People: people, UserGroups: []workspace.UserGroup{{ID: "S0OPS", Handle: "ops", Users: []string{"U0A"}, EditingRestricted: true}}}
	bubbleIn(t, o, func(l *lab) {
		got := l.examined(access, true)
		if len(got) != 6 || slices.ContainsFunc(got, func(s string) bool { return !strings.HasPrefix(s, "ok ") }) {
			t.Errorf("found %q", got)
		}
		for _, c := range l.Calls() {
			if strings.HasPrefix(c.Method, "chat.") || strings.HasPrefix(c.Method, "views.") {
				t.Errorf("it called %s", c.Method)
			}
		}
		if n := len(l.Messages(incident, workspace.Everyone)) + l.Connections(); n != 0 {
			t.Errorf("it left %d messages and connections", n)
		}
	})
}

// What a manifest says is within the limits that Slack's schema sets, and has addresses in HTTP mode only.
func TestManifest(t *testing.T) {
	for url, prefix := range map[string]string{"": "", "https://ferry.example.com/": "https://ferry.example.com/slack/"} {
		m := slack.NewManifest("/failover", url)
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		addresses := []string{m.Features.Commands[0].URL, m.Settings.Interactivity.URL, m.Settings.Events.URL}
		if url == "" && (strings.Contains(string(text), "url") || !m.Settings.SocketMode) {
			t.Errorf("Socket Mode with addresses: %s", text)
		}
		if url != "" && (!slices.Equal(addresses, []string{prefix + "commands", prefix + "interactions", prefix + "events"}) || m.Settings.SocketMode) {
			t.Errorf("addresses %q", addresses)
		}
		if len(m.Display.Name) > 35 || len(m.Display.Description) > 140 || len(m.Features.Commands[0].Description) > 2000 || len(m.Features.Commands[0].Command) > 32 {
			t.Errorf("beyond the limits: %s", text)
		}
		for i, x := range slack.Extras() {
			if m.OAuth.Scopes.Optional[i] != x.Scope || x.For == "" || slices.Contains(slack.Scopes(), x.Scope) {
				t.Errorf("optional scopes: %s", text)
			}
		}
		if s := m.Features.Shortcuts[0]; len(s.Name) > 24 || len(s.Description) > 150 || s.CallbackID != slack.ShortcutShow || s.Type != "message" {
			t.Errorf("shortcuts: %s", text)
		}
		if !slices.Equal(m.OAuth.Scopes.Bot, slack.Scopes()) || !slices.Equal(m.Settings.Events.Bot, slack.Events()) {
			t.Errorf("scopes and events: %s", text)
		}
	}
}
