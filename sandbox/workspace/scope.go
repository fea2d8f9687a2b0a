package workspace

import (
	"slices"
	"strings"
)

// knownScopes are those of a bot's token that mean something here.
func knownScopes() []string {
	return []string{
		"app_mentions:read", "channels:history", "channels:manage", "channels:read", "channels:write.topic", "chat:write", "commands", "files:write", "groups:history",
		"groups:read", "groups:write", "groups:write.topic", "metadata.message:read", "pins:read", "pins:write", "usergroups:read", "users:read",
	}
}

// eventScope is what an app needs to get an event (documented); false for an event that is not sent.
func eventScope(kind string) (string, bool) {
	switch kind {
	case "app_home_opened":
		return "", true
	case "app_mention":
		return "app_mentions:read", true
	case "subteam_members_changed", "subteam_updated":
		return "usergroups:read", true
	case "user_change":
		return "users:read", true
	case "channel_shared", "channel_unshared":
		return "channels:read", true
	}
	return "", false
}

func (w *Workspace) scopes() []string {
	if w.opts.Scopes == nil {
		return knownScopes()
	}
	return w.opts.Scopes
}

// permits is the error of a call that needs one of some scopes when the token has none of them; "" needs none.
func (w *Workspace) permits(scopes ...string) error {
	for _, scope := range scopes {
		if scope == "" || slices.Contains(w.scopes(), scope) {
			return nil
		}
	}
	return apiError{code: "missing_scope", needed: strings.Join(scopes, ","), provided: strings.Join(w.scopes(), ",")}
}
