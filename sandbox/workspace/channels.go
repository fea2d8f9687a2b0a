package workspace

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Sharing says whether people of other organisations are in a channel (Slack Connect).
type Sharing string

// The ways in which a channel may be shared. The empty one is not.
const (
	Shared        Sharing = "shared"  // is_ext_shared
	PendingShared Sharing = "pending" // invited, and not there yet: is_pending_ext_shared
)

// Channel is a place to write. The bot is a member unless it says otherwise.
type Channel struct {
	ID       string
	Name     string  // without #
	Sharing  Sharing // at first; see [Workspace.Share]
	Private  bool    // seen by its members only, with the scope groups:read
	Archived bool
	NoBot    bool // the bot is not a member
}

func (w *Workspace) findChannel(name string) *channel {
	for _, ch := range w.channels {
		if ch.ID == name || ch.Name == strings.TrimPrefix(name, "#") {
			return ch
		}
	}
	return nil
}

// Share changes with whom a channel (id or name) is shared; the app gets channel_shared or channel_unshared.
func (w *Workspace) Share(name string, s Sharing) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.findChannel(name)
	if c == nil {
		return fmt.Errorf("no channel %q in the workspace", name)
	}
	was := c.Sharing
	c.Sharing = s
	switch {
	case s == Shared && was != Shared:
		w.tellApp("channel_shared", reply{"connected_team_id": externalTeam, "channel": c.ID}, c)
	case s != Shared && was == Shared:
		w.tellApp("channel_unshared", reply{"previously_connected_team_id": externalTeam, "channel": c.ID, "is_ext_shared": false}, c)
	}
	return nil
}

// visible finds the channel of a call, by id only. A private one is hidden from who is not in it.
func (w *Workspace) visible(p params) (*channel, error) {
	c := w.channels[p["channel"]]
	if c == nil || c.Private && c.NoBot {
		return nil, apiError{code: "channel_not_found"}
	}
	return c, nil
}

// addressed finds the channel that the bot writes into.
func (w *Workspace) addressed(p params) (*channel, error) {
	c, err := w.visible(p)
	switch {
	case err != nil:
		return nil, err
	case c.NoBot:
		return nil, apiError{code: "not_in_channel"}
	case c.Archived:
		return nil, apiError{code: "is_archived"}
	}
	return c, nil
}

func (w *Workspace) conversationsInfo(p params) (reply, error) {
	c, err := w.visible(p)
	if err != nil {
		return nil, err
	}
	if err := w.permits(ofKind(c, "channels:read", "groups:read")); err != nil {
		return nil, err
	}
	return reply{"channel": w.wireChannel(c)}, nil
}

func (w *Workspace) wireChannel(c *channel) reply {
	topic := reply{"value": c.topic, "creator": c.topicBy, "last_set": int64(0)}
	if c.topicBy != "" {
		topic["last_set"] = c.topicAt.Unix()
	}
	return reply{
		"id": c.ID, "name": c.Name, "name_normalized": c.Name, "context_team_id": w.opts.TeamID,
		"is_channel": !c.Private, "is_group": c.Private, "is_im": false, "is_mpim": false, "is_private": c.Private,
		"is_archived": c.Archived, "is_member": !c.NoBot, "is_general": false, "is_org_shared": false,
		"is_shared": c.Sharing == Shared, "is_ext_shared": c.Sharing == Shared, "is_pending_ext_shared": c.Sharing == PendingShared,
		"topic": topic,
	}
}

const maxTopic = 250 // characters; documented

// Topic returns the topic of a channel (id or name).
func (w *Workspace) Topic(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.findChannel(name); c != nil {
		return c.topic
	}
	return ""
}

// conversationsSetTopic is conversations.setTopic. Everybody in the channel sees who set it; nothing happens when it is the same
// (inferred).
func (w *Workspace) conversationsSetTopic(p params) (reply, error) {
	c, err := w.addressed(p)
	if err != nil {
		return nil, err
	}
	if c.Private {
		err = w.permits("groups:write.topic", "groups:write")
	} else {
		err = w.permits("channels:write.topic", "channels:manage")
	}
	topic := p["topic"]
	if err == nil && utf8.RuneCountInString(topic) > maxTopic {
		err = apiError{code: "too_long"}
	}
	if err != nil {
		return nil, err
	}
	w.setTopic(c, botUserID, topic)
	return reply{"channel": w.wireChannel(c)}, nil
}

// SetTopic lets a person set the topic of a channel.
func (w *Workspace) SetTopic(user, channel, topic string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, c, err := w.find(user, channel)
	if err == nil && utf8.RuneCountInString(topic) > maxTopic {
		err = fmt.Errorf("a topic has at most %d characters", maxTopic)
	}
	if err == nil {
		w.setTopic(c, p.ID, topic)
	}
	return err
}

// setTopic is called with the lock held.
func (w *Workspace) setTopic(c *channel, by, topic string) {
	if topic == c.topic {
		return
	}
	c.topic, c.topicBy, c.topicAt = topic, by, time.Now()
	said := "<@" + by + "> set the channel topic: " + topic
	if topic == "" {
		said = "<@" + by + "> cleared the channel topic."
	}
	w.post(c, Message{User: by, Subtype: "channel_topic", Text: said})
	w.publishPlace(c)
}
