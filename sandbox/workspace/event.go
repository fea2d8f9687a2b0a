package workspace

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// eventRetries are the pauses before an event that nobody acknowledged comes again: at once, a minute and five minutes later,
// as documented for HTTP; for Socket Mode inferred.
func eventRetries() []time.Duration { return []time.Duration{0, time.Minute, 5 * time.Minute} }

// announce sends the app_mention event, the only one that the app subscribes to. Nobody waits for it, and it is lost when no
// connection is up.
func (w *Workspace) announce(c *channel, m *Message) {
	if !strings.Contains(m.Text, "<@"+botUserID+">") {
		return
	}
	event := w.wireMessage(c, m)
	event["type"], event["channel"], event["event_ts"] = "app_mention", c.ID, m.TS
	w.dispatch(&interaction{envelopeType: "events_api", what: "the mention", retries: eventRetries(), payload: reply{
		"type": "event_callback", "event": event, "event_id": "Ev" + strings.ToUpper(uuid.NewString()[:8]),
		"event_time": time.Now().Unix(), "token": verificationToken, "team_id": w.opts.TeamID, "api_app_id": w.opts.AppID,
		"context_team_id": w.opts.TeamID, "context_enterprise_id": nil, "is_ext_shared_channel": w.shared(),
		"authorizations": []reply{{
			"enterprise_id": nil, "team_id": w.opts.TeamID, "user_id": botUserID, "is_bot": true, "is_enterprise_install": false,
		}},
	}})
}

// Event delivers an event with this payload, as it is: one that nobody in the workspace gives rise to.
func (w *Workspace) Event(payload map[string]any) error {
	return w.deliver(&interaction{envelopeType: "events_api", what: "the event", retries: eventRetries(), payload: payload})
}
