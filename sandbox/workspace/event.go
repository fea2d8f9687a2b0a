package workspace

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// eventRetries are the pauses before an event that nobody acknowledged comes again: at once, a minute and five minutes later,
// as documented for HTTP; for Socket Mode inferred.
func eventRetries() []time.Duration { return []time.Duration{0, time.Minute, 5 * time.Minute} }

// announce sends the app_mention event of a message that mentions the bot.
func (w *Workspace) announce(c *channel, m *Message) {
	if !strings.Contains(m.Text, "<@"+botUserID+">") || c.NoBot {
		return
	}
	event := w.wireMessage(c, m)
	event["channel"], event["event_ts"] = c.ID, m.TS
	w.tellApp("app_mention", event, c)
}

// tellApp sends an event that the app subscribes to and has the scope for. Nobody waits for it, and it is lost when no
// connection is up. c is the channel that it is about, nil for none.
func (w *Workspace) tellApp(kind string, event reply, c *channel) {
	scope, known := eventScope(kind)
	if !known || w.opts.Events != nil && !slices.Contains(w.opts.Events, kind) || w.permits(scope) != nil {
		return
	}
	event["type"] = kind
	if !event.has("event_ts") {
		event["event_ts"] = timestamp(time.Now().UnixMicro())
	}
	enterprise := any(nil)
	if w.opts.EnterpriseID != "" {
		enterprise = w.opts.EnterpriseID
	}
	payload := reply{
		"type": "event_callback", "event": event, "event_id": "Ev" + strings.ToUpper(uuid.NewString()[:8]),
		"event_time": time.Now().Unix(), "token": verificationToken, "team_id": w.opts.TeamID, "api_app_id": w.opts.AppID,
		"context_team_id": w.opts.TeamID, "context_enterprise_id": enterprise, "is_ext_shared_channel": c != nil && c.Sharing == Shared,
		"authorizations": []reply{{
			"enterprise_id": enterprise, "team_id": w.opts.TeamID, "user_id": botUserID, "is_bot": true, "is_enterprise_install": w.opts.OrgInstall,
		}},
	}
	if enterprise != nil {
		payload["enterprise_id"] = enterprise
	}
	w.dispatch(&interaction{envelopeType: "events_api", what: "the event " + kind, retries: eventRetries(), payload: payload})
}

func (r reply) has(key string) bool {
	_, ok := r[key]
	return ok
}

// Event delivers an event with this payload, as it is: one that nobody in the workspace gives rise to.
func (w *Workspace) Event(payload map[string]any) error {
	return w.deliver(&interaction{envelopeType: "events_api", what: "the event", retries: eventRetries(), payload: payload})
}
