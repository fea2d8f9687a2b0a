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

// Extra is a scope that the bot does without.
type Extra struct {
	Scope string
	For   string // what is left out without it
}

// Extras are the scopes that make things better, and that nothing depends on.
func Extras() []Extra {
	return []Extra{
		{"channels:history", lookBack},
		{"groups:history", lookBack},
		{"metadata.message:read", lookBack},
		{"files:write", "the list of all VMs of a large operation as a file in its thread"},
		{pinScope, "pinning the card of what is under way"},
		{"channels:write.topic", topicUse},
		{"groups:write.topic", topicUse},
	}
}

const pinScope = "pins:write"

// topicUse is wanted with slack.topic only.
const topicUse = "saying in the channel's topic what is under way, if slack.topic is set"

const lookBack = "finding a message again whose posting was cut off by a crash, instead of posting it once more"

// lacking are the extras that the token does not have and the options have a use for; none when that is not known.
func (b *Bot) lacking() []Extra {
	if b.granted == nil {
		return nil
	}
	has := func(scope string) bool { return slices.Contains(b.granted, scope) }
	kind, other := "channels:", "groups:" // one of the two is enough: the channel is public or private
	return slices.DeleteFunc(Extras(), func(x Extra) bool {
		twin := strings.NewReplacer(kind, other, other, kind).Replace(x.Scope)
		return has(x.Scope) || has(twin) || x.For == topicUse && !b.opts.Topic
	})
}

// Events are those that the app subscribes to; Home tabs and mentions need the first two. Without the others it takes some minutes until a change is noticed.
func Events() []string {
	return []string{"app_home_opened", "app_mention", "channel_shared", "channel_unshared", "subteam_members_changed", "subteam_updated", "user_change"}
}

// missing are the scopes that a token lacks, by the header that Slack answers with; none when that says nothing.
func missing(granted string) []string {
	has := split(granted)
	if has == nil {
		return nil
	}
	return slices.DeleteFunc(Scopes(), func(scope string) bool { return slices.Contains(has, scope) })
}

// split takes the header apart; nil is that Slack does not tell.
func split(granted string) []string {
	if granted == "" {
		return nil
	}
	return strings.FieldsFunc(granted, func(r rune) bool { return r == ',' || r == ' ' })
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
		b.link.failed(err)
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
	b.self, b.granted = who.UserID, split(who.Header.Get("X-OAuth-Scopes"))
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
	if lacks := b.lacking(); len(lacks) > 0 {
		b.opts.Log.InfoContext(ctx, "the bot does without scopes that are optional", slog.String("scopes", listed(lacks)), slog.String("fix", extraFix))
	}
	return nil
}

const extraFix = "if it is wanted, allow the optional scopes of `ferry manifest` in the app, and install it again"

// listed are scopes in a line.
func listed(all []Extra) string {
	var scopes []string
	for _, x := range all {
		scopes = append(scopes, x.Scope)
	}
	return strings.Join(scopes, " ")
}
