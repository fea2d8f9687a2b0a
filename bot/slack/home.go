package slack

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"
)

// Scopes are those that the bot's token needs for everything that this package does.
func Scopes() []string {
	return []string{
		"app_mentions:read", // to be asked by name
		"channels:read",     // whether a channel is shared with another organisation: public ones,
		"chat:write",        // cards, notices, answers
		"commands",          // /failover
		"groups:read",       // and private ones
		"usergroups:read",   // who is in the groups of the roles
		"users:read",        // whether somebody is a guest, a bot, of another organisation
	}
}

// Events are those that the app subscribes to; Home tabs and mentions need the first two. Without the others it takes some minutes until a change is noticed.
func Events() []string {
	return []string{"app_home_opened", "app_mention", "channel_shared", "channel_unshared", "subteam_members_changed", "subteam_updated", "user_change"}
}

// missing are the scopes that a token lacks, by the header that Slack answers with; none when that says nothing.
func missing(granted string) []string {
	if granted == "" {
		return nil
	}
	has := strings.FieldsFunc(granted, func(r rune) bool { return r == ',' || r == ' ' })
	return slices.DeleteFunc(Scopes(), func(scope string) bool { return slices.Contains(has, scope) })
}

// findHome asks whose token it is, until Slack answers.
func (b *Bot) findHome(ctx context.Context) error {
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, time.Minute) {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		who, err := b.api.AuthTestContext(call)
		cancel()
		if err == nil {
			return b.settleIn(ctx, who)
		}
		if refused := fatal(err, botSetting); refused != nil {
			return refused
		}
		b.opts.Log.WarnContext(ctx, "Slack does not tell which workspace the token is for; trying again", slog.Any("cause", cause(err)))
		pause(ctx, wait)
	}
	return nil
}

// settleIn takes the workspace of the configuration, else the token's own. A token for all workspaces of an enterprise names
// the enterprise instead of a workspace (inferred).
func (b *Bot) settleIn(ctx context.Context, who *slackapi.AuthTestResponse) error {
	b.orgToken = who.EnterpriseID != "" && (who.TeamID == "" || who.TeamID == who.EnterpriseID)
	b.team, b.enterprise = b.opts.TeamID, who.EnterpriseID
	if b.team == "" {
		b.team = who.TeamID
	}
	b.wholeOrg = b.orgToken && (b.opts.TeamID == "" || b.opts.TeamID == who.EnterpriseID)
	if !b.orgToken && b.team != who.TeamID {
		return &fatalError{"other workspace", "slack.team_id is " + b.team + " and the token is for " + who.TeamID + "; set slack.team_id, or slack.bot_token"}
	}
	if lacks := missing(who.Header.Get("X-OAuth-Scopes")); len(lacks) > 0 {
		b.opts.Log.ErrorContext(ctx, "the bot's token lacks scopes, and what they are for is refused or left out",
			slog.String("scopes", strings.Join(lacks, " ")), slog.String("fix", "compare the app with the output of `ferry manifest` and install it again"))
	}
	return nil
}
