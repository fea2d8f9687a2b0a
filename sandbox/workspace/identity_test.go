package workspace_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"ferry/sandbox/workspace"
)

func TestKindsOfPeople(t *testing.T) {
	kinds := map[workspace.Kind]func(*slack.User) bool{
		"":                           func(u *slack.User) bool { return !u.IsRestricted && !u.IsBot && !u.Deleted && !u.IsStranger },
		workspace.Guest:              func(u *slack.User) bool { return u.IsRestricted && !u.IsUltraRestricted },
		workspace.SingleChannelGuest: func(u *slack.User) bool { return u.IsRestricted && u.IsUltraRestricted },
		workspace.Stranger: func(u *slack.User) bool {
			return u.IsStranger && u.TeamID != "T0SANDBOX" && u.Enterprise.EnterpriseID != "E0OURS"
		},
		workspace.OtherBot:     func(u *slack.User) bool { return u.IsBot },
		workspace.WorkflowBot:  func(u *slack.User) bool { return u.IsBot && u.IsWorkflowBot },
		workspace.ConnectorBot: func(u *slack.User) bool { return u.IsBot && u.IsConnectorBot },
		workspace.Deactivated:  func(u *slack.User) bool { return u.Deleted },
	}
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{EnterpriseID: "E0OURS"})
		b := l.connect(t)
		for kind, holds := range kinds {
			check(t, l.SetKind("eve", kind))
			eve, err := l.api.GetUserInfoContext(t.Context(), "U0EVE")
			check(t, err)
			if !holds(eve) {
				t.Errorf("%q: %+v", kind, eve)
			}
			if told, ok := b.event(t).InnerEvent.Data.(*slackevents.UserChangeEvent); !ok || told.User.ID != "U0EVE" || told.User.Deleted != eve.Deleted {
				t.Errorf("%q: user_change %+v", kind, told)
			}
		}
	})
}

// event is the next one that the bot gets; it is acknowledged.
func (b *bot) event(t *testing.T) slackevents.EventsAPIEvent {
	t.Helper()
	e := b.next(t, socketmode.EventTypeEventsAPI)
	b.ack(t, e)
	event, ok := e.Data.(slackevents.EventsAPIEvent)
	if !ok {
		t.Fatalf("%+v", e)
	}
	return event
}

func TestStrangersAreInSharedChannelsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := []workspace.Person{{ID: "U0XIA", Name: "xia", Kind: workspace.Stranger}}
		l := newLab(t, workspace.Options{People: people})
		b := l.connect(t)
		if err := l.Type("xia", incident, "hello"); err == nil {
			t.Error("a stranger wrote into a channel that is not shared")
		}
		info := func() *slack.Channel {
			c, err := l.api.GetConversationInfoContext(t.Context(), &slack.GetConversationInfoInput{ChannelID: incident})
			check(t, err)
			return c
		}
		if c := info(); c.IsExtShared || c.IsPendingExtShared {
			t.Errorf("%+v", c)
		}
		check(t, l.Share("incident", workspace.PendingShared))
		if c := info(); c.IsExtShared || !c.IsPendingExtShared {
			t.Errorf("%+v", c)
		}
		check(t, l.Share("incident", workspace.Shared))
		event := b.event(t)
		if told, ok := event.InnerEvent.Data.(*slackevents.ChannelSharedEvent); !ok || told.Channel != incident || !event.IsExtSharedChannel || !info().IsExtShared {
			t.Errorf("%+v", event)
		}
		check(t, l.Type("xia", incident, "hello"))
		if err := l.Type("xia", incident, "/failover vm-x"); err == nil || errors.Is(err, workspace.ErrDispatchFailed) {
			t.Errorf("a stranger used the command: %v", err)
		}
		check(t, l.Share("incident", ""))
		if told, ok := b.event(t).InnerEvent.Data.(*slackevents.ChannelUnsharedEvent); !ok || told.Channel != incident {
			t.Errorf("%+v", told)
		}
	})
}

func TestUserGroups(t *testing.T) {
	ops := workspace.UserGroup{ID: "S0OPS", Handle: "ops", Name: "Operators", Users: []string{"U0ANA"}, MembershipLocked: true}
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{UserGroups: []workspace.UserGroup{ops, {ID: "S0OLD", Disabled: true}}})
		b := l.connect(t)
		members := func(want ...string) {
			t.Helper()
			got, err := l.api.GetUserGroupMembersContext(t.Context(), "S0OPS")
			check(t, err)
			if !slices.Equal(got, want) {
				t.Errorf("members: %v", got)
			}
		}
		members("U0ANA")
		all, err := l.api.GetUserGroupsContext(t.Context(), slack.GetUserGroupsOptionIncludeUsers(true))
		check(t, err)
		if len(all) != 1 || all[0].Handle != "ops" || !all[0].IsMembershipLocked || all[0].IsIDPGroup || !slices.Equal(all[0].Users, ops.Users) {
			t.Errorf("usergroups.list: %+v", all)
		}
		ops.Users = []string{"U0BEN"}
		check(t, l.SetGroup(ops))
		members("U0BEN")
		told, ok := b.event(t).InnerEvent.Data.(*slackevents.SubteamMembersChangedEvent)
		if !ok || told.SubteamID != "S0OPS" || !slices.Equal(told.AddedUsers, []string{"U0BEN"}) || !slices.Equal(told.RemovedUsers, []string{"U0ANA"}) {
			t.Errorf("%+v", told)
		}
		ops.Disabled = true
		check(t, l.SetGroup(ops))
		if _, ok := b.event(t).InnerEvent.Data.(*slackevents.SubteamUpdatedEvent); !ok {
			t.Error("no subteam_updated")
		}
		_, err = l.api.GetUserGroupMembersContext(t.Context(), "S0OPS")
		if slackCode(err) != "no_such_subteam" {
			t.Errorf("of a disabled group: %v", err)
		}
		check(t, l.SetKind("eve", workspace.Guest))
		if l.SetGroup(workspace.UserGroup{ID: "S0OPS", Users: []string{"U0EVE"}}) == nil {
			t.Error("a guest is in a user group")
		}
	})
}

func slackCode(err error) string {
	var refused slack.SlackErrorResponse
	errors.As(err, &refused)
	return refused.Err
}

// An event that nobody acknowledged comes again under the same event_id; one that is not subscribed to never comes.
func TestIdentityEventsAreDeliveredLikeAnyOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{Events: []string{"subteam_members_changed"}})
		b := l.connect(t)
		check(t, l.SetKind("eve", workspace.Guest))
		check(t, l.SetGroup(workspace.UserGroup{ID: "S0OPS", Users: []string{"U0ANA"}}))
		var ids []string
		for range 2 {
			e, _ := b.next(t, socketmode.EventTypeEventsAPI).Data.(slackevents.EventsAPIEvent)
			callback, ok := e.Data.(*slackevents.EventsAPICallbackEvent)
			if !ok || e.InnerEvent.Type != "subteam_members_changed" {
				t.Fatalf("%+v", e)
			}
			ids = append(ids, callback.EventID)
		}
		if ids[0] == "" || len(slices.Compact(ids)) != 1 {
			t.Errorf("event ids %v", ids)
		}
	})
}

func TestScopesAndPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var granted string
		l := newLab(t, workspace.Options{Scopes: []string{"chat:write", "channels:read"}, FreePlan: true, Others: []workspace.Channel{
			{ID: "G0OPS", Name: "ops", Private: true}, {ID: "C0GONE", Name: "gone", Archived: true}, {ID: "C0ELSE", Name: "else", NoBot: true}, {ID: "G0ELSE", Private: true, NoBot: true},
		}})
		api := slack.New("xoxb-sandbox", slack.OptionHTTPClient(l.http), slack.OptionAPIURL("http://slack.test/api/"))
		auth, err := api.AuthTestContext(t.Context())
		check(t, err)
		if granted = auth.Header.Get("X-OAuth-Scopes"); granted != "chat:write,channels:read" {
			t.Errorf("scopes %q", granted)
		}
		_, err = api.GetUserInfoContext(t.Context(), "U0ANA")
		var refused slack.SlackErrorResponse
		if !errors.As(err, &refused) || refused.Err != "missing_scope" || refused.Needed != "users:read" || refused.Provided != granted {
			t.Errorf("%+v", refused)
		}
		info := func(id string) (*slack.Channel, string) {
			c, err := api.GetConversationInfoContext(t.Context(), &slack.GetConversationInfoInput{ChannelID: id})
			return c, slackCode(err)
		}
		post := func(id string) string {
			_, _, err := api.PostMessageContext(t.Context(), id, slack.MsgOptionText("text", false))
			return slackCode(err)
		}
		_, private := info("G0OPS")
		gone, _ := info("C0GONE")
		other, _ := info("C0ELSE")
		_, hidden := info("G0ELSE")
		got := []string{private, hidden, post("C0GONE"), post("C0ELSE"), post("G0ELSE")}
		if diff := cmp.Diff([]string{"missing_scope", "channel_not_found", "is_archived", "not_in_channel", "channel_not_found"}, got); diff != "" {
			t.Error(diff)
		}
		if !gone.IsArchived || other.IsMember {
			t.Errorf("%+v %+v", gone, other)
		}
		free := newLab(t, workspace.Options{FreePlan: true})
		if _, err := free.api.GetUserGroupsContext(t.Context()); slackCode(err) != "plan_upgrade_required" {
			t.Errorf("without a paid plan: %v", err)
		}
		if _, err := free.api.GetUserGroupMembersContext(t.Context(), "S0OPS"); slackCode(err) != "plan_upgrade_required" {
			t.Errorf("without a paid plan: %v", err)
		}
	})
}

// In Enterprise Grid a person may be of another workspace than the one that is written in, and an installation for all of
// them says so: as a string in a slash command, as a boolean elsewhere.
func TestEnterprise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := []workspace.Person{{ID: "W0ANA", Name: "ana", TeamID: "T0OTHER"}}
		l := newLab(t, workspace.Options{People: people, EnterpriseID: "E0OURS", OrgInstall: true})
		b := l.connect(t)
		me, err := l.api.AuthTestContext(t.Context())
		check(t, err)
		if me.EnterpriseID != "E0OURS" || me.TeamID != "E0OURS" {
			t.Errorf("auth.test: %+v", me)
		}
		check(t, l.Type("ana", incident, "/failover vm-x"))
		e := b.next(t, socketmode.EventTypeSlashCommand)
		b.ack(t, e)
		if c, ok := e.Data.(slack.SlashCommand); !ok || c.TeamID != "T0SANDBOX" || c.EnterpriseID != "E0OURS" || !c.IsEnterpriseInstall {
			t.Errorf("%+v", e.Data)
		}
		l.post(t, approveCard("vm-x"))
		_, err = l.Click("ana", incident, "Approve")
		check(t, err)
		c, ok := b.next(t, socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
		if !ok || c.User.TeamID != "T0OTHER" || c.Team.ID != "T0SANDBOX" || c.Team.EnterpriseID != "E0OURS" || c.Enterprise.ID != "E0OURS" || !c.IsEnterpriseInstall {
			t.Errorf("%+v", c)
		}
		ana, err := l.api.GetUserInfoContext(t.Context(), "W0ANA")
		check(t, err)
		if ana.TeamID != "T0OTHER" || ana.Enterprise.EnterpriseID != "E0OURS" {
			t.Errorf("%+v", ana)
		}
		pass(time.Second)
	})
}
