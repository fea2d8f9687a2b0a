package slack

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/failover"
)

// origin is what a payload says about where it comes from.
type origin struct {
	app, team, enterprise string
	orgWide               bool // of an app that is installed for all workspaces of the enterprise
	user, name            string
	userTeam              string // the user's workspace; empty: not told
	channel               string // where it was typed or pressed; empty: nowhere
	shared                bool   // Slack says already that the channel is shared with another organisation
}

// actor is who asks, with what is found out about them: the executor refuses who has no good standing, and records that. It
// takes a second of the time to answer at most. False: the payload names nobody, so there is nobody to record; who cares is
// told so at the door.
func (b *Bot) actor(ctx context.Context, env *envelope, o origin) (failover.Actor, bool) {
	by := failover.Actor{ID: o.user, Name: o.name}
	if o.user == "" {
		b.opts.Log.WarnContext(ctx, "a request that names nobody is refused", slog.String("team", o.team), slog.String("app", o.app))
		return by, false
	}
	by.Standing = b.standing(ctx, env, o)
	if name, ok := b.names.Load(o.user); ok && by.Name == "" { // an event gives the id alone
		by.Name, _ = name.(string)
	}
	if by.Standing != "" {
		b.opts.Log.WarnContext(ctx, "a request is refused for who gave it", slog.String("standing", string(by.Standing)), slog.String("user", o.user), slog.String("team", o.team), slog.String("app", o.app))
	}
	return by, true
}

func (b *Bot) standing(ctx context.Context, env *envelope, o origin) failover.Standing {
	switch {
	case env.appID != "" && o.app != env.appID:
		return failover.StandingOtherApp
	case !b.ours(o):
		return failover.StandingOtherWorkspace
	case o.userTeam != "" && o.userTeam != b.team && b.enterprise == "":
		return failover.StandingStranger
	}
	until := env.received.Add(checkTime)
	person := b.people.ask(ctx, o.user) // both at once
	room := b.channels.ask(ctx, o.channel)
	if found, _ := person.answer(ctx, until); found != "" {
		return found
	}
	if o.shared {
		return failover.StandingSharedChannel
	}
	found, err := room.answer(ctx, until)
	if code := slackCode(err); found == failover.StandingUnchecked && (code == "channel_not_found" || code == "missing_scope") {
		return failover.StandingHiddenChannel
	}
	return found
}

// ours reports whether a payload is of the workspace that Ferry is for, or of its enterprise when the app is installed for
// all of that and slack.team_id names no single workspace.
func (b *Bot) ours(o origin) bool {
	return o.team == b.team || o.orgWide && b.wholeOrg && o.enterprise == b.enterprise
}

// readPerson asks what somebody is.
func (b *Bot) readPerson(ctx context.Context, id string) (failover.Standing, error) {
	u, err := b.api.GetUserInfoContext(ctx, id)
	if err != nil {
		return failover.StandingUnchecked, err
	}
	b.names.Store(id, u.Name)
	return b.standingOf(u), nil
}

// standingOf is what users.info says. In an enterprise somebody of another of its workspaces is one of ours.
func (b *Bot) standingOf(u *slackapi.User) failover.Standing {
	elsewhere := u.TeamID != "" && u.TeamID != b.team && (b.enterprise == "" || u.Enterprise.EnterpriseID != b.enterprise)
	switch {
	case u.Deleted:
		return failover.StandingDeactivated
	case u.IsStranger || elsewhere:
		return failover.StandingStranger
	case u.IsBot || u.IsWorkflowBot || u.IsConnectorBot:
		return failover.StandingBot
	case u.IsRestricted || u.IsUltraRestricted:
		return failover.StandingGuest
	}
	return ""
}

// readChannel asks whether people of other organisations are in a channel, or invited. Of a private channel without the bot,
// and of a direct message of several people, Slack tells nothing, which is no reason to trust it; in a direct message only members can give commands, and only they see
// the answer.
func (b *Bot) readChannel(ctx context.Context, id string) (failover.Standing, error) {
	if id == "" || strings.HasPrefix(id, "D") {
		return "", nil
	}
	c, err := b.api.GetConversationInfoContext(ctx, &slackapi.GetConversationInfoInput{ChannelID: id})
	switch {
	case err != nil:
		return failover.StandingUnchecked, err
	case c.IsExtShared || c.IsPendingExtShared:
		return failover.StandingSharedChannel, nil
	}
	return "", nil
}

// mayShow is nil when production may be spoken of in the channel of the configuration: no other organisation is there, or
// invited.
func (b *Bot) mayShow(ctx context.Context) error {
	found, err := b.channels.ask(ctx, b.opts.Channel).answer(ctx, time.Now().Add(callTimeout))
	switch {
	case found == failover.StandingSharedChannel:
		return errShared
	case found != "":
		return errors.Join(errUnchecked, err)
	}
	return nil
}
