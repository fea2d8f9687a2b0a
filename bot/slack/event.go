package slack

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"ferry/bot"
	"ferry/bot/render"
)

// callback is one event of the Events API, as far as it is looked at. It is decoded here and not by the SDK, which rejects a
// whole event for one block that it does not know.
type callback struct {
	TeamID         string `json:"team_id"`
	EnterpriseID   string `json:"enterprise_id"`
	APIAppID       string `json:"api_app_id"`
	EventID        string `json:"event_id"`
	EventTime      int64  `json:"event_time"` // Unix seconds
	Shared         bool   `json:"is_ext_shared_channel"`
	Authorizations []struct {
		UserID  string `json:"user_id"`
		OrgWide bool   `json:"is_enterprise_install"`
	} `json:"authorizations"` // for which bot user it is delivered
	Event struct {
		Type     string          `json:"type"`
		SubType  string          `json:"subtype"`
		User     ref             `json:"user"`
		UserTeam string          `json:"user_team"` // in channels that are shared
		BotID    string          `json:"bot_id"`
		Text     string          `json:"text"`
		Tab      string          `json:"tab"` // of the app that was opened
		Channel  ref             `json:"channel"`
		ThreadTS string          `json:"thread_ts"`
		Edited   json.RawMessage `json:"edited"`
	} `json:"event"`
}

// ref is an id that some events give alone and others inside the object that has it.
type ref string

// UnmarshalJSON takes both.
func (r *ref) UnmarshalJSON(data []byte) error {
	var object struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(data, &object) == nil {
		*r = ref(object.ID)
		return nil
	}
	return json.Unmarshal(data, (*string)(r))
}

// event takes what happened in the workspace. What this version has no use for is acknowledged, so that it does not come again.
func (b *Bot) event(ctx context.Context, env *envelope, payload json.RawMessage) {
	var c callback
	if err := json.Unmarshal(payload, &c); err != nil {
		b.opts.Log.WarnContext(ctx, "an event that cannot be read is ignored")
		b.ignore(ctx, env)
		return
	}
	switch c.Event.Type {
	case "app_mention":
		b.mention(ctx, env, c)
	case "app_home_opened":
		b.homeOpened(ctx, env, c)
	case "user_change":
		if b.people.forget(string(c.Event.User)) {
			b.regroup()
		}
		b.ignore(ctx, env)
	case "channel_shared", "channel_unshared":
		b.channels.forget(string(c.Event.Channel))
		b.ignore(ctx, env)
	case "subteam_members_changed", "subteam_updated": // events come in no order: what they say is not used
		b.regroup()
		b.ignore(ctx, env)
	default:
		b.ignore(ctx, env)
	}
}

// mention answers who wrote to the bot by name: Slack takes no slash command in a thread. Only a message that a person has
// just written counts: what a bot says, or an edit makes of an old message, asks for nothing.
func (b *Bot) mention(ctx context.Context, env *envelope, c callback) {
	e, user := c.Event, string(c.Event.User)
	edited := len(e.Edited) > 0 && string(e.Edited) != "null"
	if edited || e.BotID != "" || e.SubType != "" || user == "" || slices.Contains(c.bots(), user) {
		b.ignore(ctx, env)
		return
	}
	env.channel, env.thread, env.user = string(e.Channel), e.ThreadTS, user
	if c.EventTime > 0 {
		env.sent = time.Unix(c.EventTime, 0)
	}
	id := env.messageID(c.EventID)
	text, addressed := c.addressed()
	if !addressed {
		b.once(ctx, env, id, func() { env.reply(ctx, render.Ephemeral(bot.NotAddressed)) })
		return
	}
	intent, refusal := bot.Parse(text, env.asked())
	by, _ := b.actor(ctx, env, c.origin())
	do := func() { b.typed(ctx, env, c.EventID, intent, refusal, by) }
	if form := intent.Shown() && by.Standing == ""; form || refusal != nil || intent.ReadOnly {
		b.once(ctx, env, id, do)
		return
	}
	do()
}

// once answers what is not stored on its first delivery only: Slack sends an event again when the acknowledgement is late, and
// may deliver anything twice. An answer that stands in the one to an HTTP request is for that request alone: each has its own.
func (b *Bot) once(ctx context.Context, env *envelope, id string, answer func()) {
	if alone := env.direct && env.inPayload; !alone && !b.claim("reply "+id, env.received) {
		b.ignore(ctx, env)
		return
	}
	answer()
}

// bots are the users as which the app is installed.
func (c callback) bots() []string {
	var ids []string
	for _, a := range c.Authorizations {
		ids = append(ids, a.UserID)
	}
	return ids
}

// origin is where it was written. user_team is told in channels that are shared.
func (c callback) origin() origin {
	e := c.Event
	return origin{
		app: c.APIAppID, team: c.TeamID, enterprise: c.EnterpriseID, orgWide: len(c.Authorizations) > 0 && c.Authorizations[0].OrgWide,
		user: string(e.User), userTeam: e.UserTeam, channel: string(e.Channel), shared: c.Shared,
	}
}

// addressed is what was said to the bot: a text counts that begins with its name.
func (c callback) addressed() (string, bool) {
	m := regexp.MustCompile(`^\s*<@([A-Z0-9]+)(?:\|[^>]*)?>[\s,:]*`).FindStringSubmatch(c.Event.Text)
	if m == nil || !slices.Contains(c.bots(), m[1]) {
		return "", false
	}
	return strings.TrimPrefix(c.Event.Text, m[0]), true
}
