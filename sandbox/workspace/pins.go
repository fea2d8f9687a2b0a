package workspace

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// pin is one pinned message.
type pin struct {
	ts   string
	by   string // the id of who pinned it
	when time.Time
}

func (c *channel) pinned(ts string) int {
	return slices.IndexFunc(c.pins, func(p pin) bool { return p.ts == ts })
}

// Pins returns the ts of the messages that are pinned in a channel (id or name), newest pin first.
func (w *Workspace) Pins(name string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := []string{}
	if c := w.findChannel(name); c != nil {
		for _, p := range slices.Backward(c.pins) {
			ids = append(ids, p.ts)
		}
	}
	return ids
}

var timestamps = regexp.MustCompile(`^\d+\.\d{6}$`)

// pinnable finds the message of a call by its timestamp.
func (w *Workspace) pinnable(p params) (*channel, *Message, error) {
	switch ts := p["timestamp"]; {
	case ts == "":
		return nil, nil, apiError{code: "no_item_specified"}
	case !timestamps.MatchString(ts):
		return nil, nil, apiError{code: "bad_timestamp"}
	}
	return w.stored(p, "timestamp")
}

// pinsAdd is pins.add. Everybody in the channel sees that something was pinned (documented: a message pinned_item).
func (w *Workspace) pinsAdd(p params) (reply, error) {
	c, m, err := w.pinnable(p)
	if err != nil {
		return nil, err
	}
	if c.pinned(m.TS) >= 0 {
		return nil, apiError{code: "already_pinned"}
	}
	c.pins = append(c.pins, pin{m.TS, botUserID, time.Now()})
	w.post(c, Message{User: botUserID, Subtype: "pinned_item", Text: "<@" + botUserID + "> pinned a message to this channel."})
	w.publishPlace(c)
	return reply{}, nil
}

func (w *Workspace) pinsRemove(p params) (reply, error) {
	c, m, err := w.pinnable(p)
	if err != nil {
		return nil, err
	}
	if c.pinned(m.TS) < 0 {
		return nil, apiError{code: "no_pin"}
	}
	w.unpin(c, m.TS)
	return reply{}, nil
}

func (w *Workspace) unpin(c *channel, ts string) {
	if i := c.pinned(ts); i >= 0 {
		c.pins = slices.Delete(c.pins, i, i+1)
		w.publishPlace(c)
	}
}

func (w *Workspace) pinsList(p params) (reply, error) {
	c, err := w.visible(p)
	if err != nil {
		return nil, err
	}
	items := []reply{}
	for _, pin := range slices.Backward(c.pins) {
		m := c.message(pin.ts)
		message := w.wireMessage(c, m)
		message["permalink"] = w.permalink(c, m)
		items = append(items, reply{
			"type": "message", "channel": c.ID, "created": pin.when.Unix(), "created_by": pin.by, "message": message,
		})
	}
	return reply{"items": items}, nil
}

// publishPlace tells subscribers that the topic or the pins of a channel changed.
func (w *Workspace) publishPlace(c *channel) {
	if len(w.subscribers) > 0 {
		w.tellAll(Change{Kind: PlaceSet, Channel: c.ID, page: w.pagePlace(c)})
	}
}

// pagePlace is what the page shows of a channel besides its messages.
func (w *Workspace) pagePlace(c *channel) reply {
	pins := []reply{}
	for _, pin := range slices.Backward(c.pins) {
		says := strings.Join(w.Render(*c.message(pin.ts)), " ")
		pins = append(pins, reply{"ts": pin.ts, "by": w.Name(pin.by), "says": says})
	}
	return reply{"topic": c.topic, "pins": pins}
}
