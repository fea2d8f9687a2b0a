package slack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	slackapi "github.com/slack-go/slack"

	"ferry/failover"
)

// Level is how a check ended.
type Level string

// The levels, from good to bad.
const (
	Fine    Level = "ok"
	Caution Level = "warning" // it works, and is worth mending
	Broken  Level = "failed"
)

// Finding is the result of one check.
type Finding struct {
	Level Level
	Check string // what was looked at
	Said  string
	Fix   string // the next step; empty when fine
}

// Access is who may do what in Slack, as far as it is checked here: role -> ids.
type Access struct{ Users, Groups map[string][]string }

// Examine looks at the tokens, the scopes, the channel, and at the people and groups of the roles. It changes nothing. The
// tokens, the channel, TeamID and what belongs to the network are taken from the options, whose ports may be nil.
func Examine(ctx context.Context, o Options, access Access) []Finding {
	x := &examination{bot: newBot(o.withDefaults())}
	if !x.home(ctx) {
		return x.found
	}
	if o.Listener == nil && len(o.SigningSecrets) == 0 {
		x.socket(ctx)
	}
	x.channel(ctx)
	x.groups(ctx, access.Groups)
	x.people(ctx, access.Users)
	return x.found
}

type examination struct {
	bot   *Bot
	found []Finding
}

func (x *examination) add(level Level, check, said, fix string) {
	x.found = append(x.found, Finding{level, check, said, fix})
}

func (x *examination) fine(check, format string, args ...any) {
	x.add(Fine, check, fmt.Sprintf(format, args...), "")
}

// failed tells an error with its fix.
func (x *examination) failed(check string, err error, setting string) {
	fix := setupFix(err)
	if refused := fatal(err, setting); refused != nil {
		fix = refused.Error()
	}
	if fix == "" {
		fix = "try again; is slack.api_url right, and the way to Slack open?"
	}
	x.add(Broken, check, cause(err).Error(), fix)
}

// home checks whose token it is and what it may do; false: nothing else can be checked.
func (x *examination) home(ctx context.Context) bool {
	const check = "Slack bot token"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	who, err := x.bot.api.AuthTestContext(ctx)
	if err != nil {
		x.failed(check, err, botSetting)
		return false
	}
	if err := x.bot.settleIn(ctx, who); err != nil {
		x.add(Broken, check, "it is for "+who.Team+" ("+who.TeamID+")", err.Error())
		return false
	}
	x.fine(check, "@%s in %s (%s)", who.User, who.Team, who.TeamID)
	granted := who.Header.Get("X-OAuth-Scopes")
	switch lacks := missing(granted); {
	case granted == "":
		x.add(Caution, "Slack scopes", "Slack does not tell which the token has", "compare the app with the output of `ferry manifest`")
	case len(lacks) > 0:
		x.add(Broken, "Slack scopes", "the bot token lacks "+strings.Join(lacks, ", "), "compare the app with the output of `ferry manifest` and install it again")
	default:
		x.fine("Slack scopes", "all %d that Ferry needs", len(Scopes()))
	}
	if lacks := x.bot.lacking(); len(lacks) > 0 {
		var uses []string
		for _, extra := range lacks {
			if !slices.Contains(uses, extra.For) {
				uses = append(uses, extra.For)
			}
		}
		x.add(Caution, "Slack optional scopes", "the bot does without "+listed(lacks)+", and so without "+strings.Join(uses, "; "), extraFix)
	}
	return true
}

// socket asks for an address to connect to, and does not use it.
func (x *examination) socket(ctx context.Context) {
	const check = "Slack app token"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, _, err := x.bot.api.StartSocketModeContext(ctx); err != nil {
		x.failed(check, err, appSetting)
		return
	}
	x.fine(check, "Socket Mode is on")
}

func (x *examination) channel(ctx context.Context) {
	const check = "Slack channel"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c, err := x.bot.api.GetConversationInfoContext(ctx, &slackapi.GetConversationInfoInput{ChannelID: x.bot.opts.Channel})
	if err != nil {
		x.failed(check, err, botSetting)
		return
	}
	name := "#" + c.Name
	switch {
	case c.IsArchived:
		x.add(Broken, check, name+" is archived", "set slack.channel to another one, or unarchive it")
	case !c.IsMember:
		x.add(Broken, check, "the bot is not in "+name, "type /invite @ferry there")
	case c.IsExtShared || c.IsPendingExtShared:
		x.add(Broken, check, name+" is shared with another organisation, or such a one is invited", setupFix(errShared))
	default:
		x.fine(check, "the bot is in %s, which is not shared", name)
	}
}

// groups checks that the groups of the roles are there, have members, and are not open to anybody.
func (x *examination) groups(ctx context.Context, byRole map[string][]string) {
	if len(byRole) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	all, err := x.bot.userGroups(ctx, slackapi.GetUserGroupsOptionIncludeDisabled(true), slackapi.GetUserGroupsOptionIncludeCount(true))
	if err != nil {
		x.failed("Slack groups", err, botSetting)
		return
	}
	for _, role := range slices.Sorted(maps.Keys(byRole)) {
		for _, id := range byRole[role] {
			x.group("Slack group of "+role, id, all)
		}
	}
}

func (x *examination) group(check, id string, all []slackapi.UserGroup) {
	i := slices.IndexFunc(all, func(g slackapi.UserGroup) bool { return g.ID == id })
	if i < 0 {
		x.add(Broken, check, "there is no user group "+id, "mend access.roles; the id (S…) stands in the group's menu, under Copy group ID")
		return
	}
	g := all[i]
	name := "@" + g.Handle + " (" + id + ")"
	switch {
	case g.DateDelete != 0:
		x.add(Broken, check, name+" is disabled, so that it has no members", "enable it in Slack, or take it out of access.roles")
	case isOpen(g):
		x.add(Caution, check, name+" may be open to anybody", openFix)
	case g.UserCount == 0:
		x.add(Caution, check, name+" has no members", "add them in Slack")
	default:
		x.fine(check, "%s has %d members, and only administrators or an identity provider change it", name, g.UserCount)
	}
}

// people checks that those who are named have an account that Ferry acts for.
func (x *examination) people(ctx context.Context, byRole map[string][]string) {
	n, bad := 0, len(x.found)
	for _, role := range slices.Sorted(maps.Keys(byRole)) {
		for _, id := range byRole[role] {
			n++
			if err := x.person(ctx, "Slack user of "+role, id); err != nil { // it would be the same of all others
				x.failed("Slack users of the roles", err, botSetting)
				return
			}
		}
	}
	if n > 0 && len(x.found) == bad {
		x.fine("Slack users of the roles", "all %d are full members", n)
	}
}

func (x *examination) person(ctx context.Context, check, id string) error {
	found, err := x.bot.readPerson(ctx, id)
	for wait := retryAfter(err); wait > 0 && !over(ctx); wait = retryAfter(err) {
		pause(ctx, wait)
		found, err = x.bot.readPerson(ctx, id)
	}
	switch {
	case slackCode(err) == "user_not_found":
		x.add(Broken, check, "there is no user "+id, "mend access.roles; the member id (U…) stands in the profile's menu")
	case err != nil:
		return err
	case found == failover.StandingDeactivated:
		x.add(Caution, check, id+" is deactivated", "take the id out of access.roles")
	case found != "":
		x.add(Broken, check, id+" is refused: "+found.Barred().Message, "take the id out of access.roles, or have the account made a full member's")
	}
	return nil
}
