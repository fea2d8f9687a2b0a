package slack

import (
	"maps"
	"time"

	"ferry/bot/render"
	"ferry/failover"
)

// cardKey stands for the card among the keys of notices.
const cardKey = ""

// card is the messages of one operation and what they still lack.
type card struct {
	id failover.OpID

	// Guarded by the board's lock:
	op      failover.Operation // the newest state delivered
	updates []Update           // not acknowledged; op is at least as new as each
	since   time.Time          // when the oldest of them came

	// Of the drawing goroutine alone:
	ref       Ref
	loaded    bool              // ref is as stored, plus unsaved
	readAt    time.Time         // when it was read; meanwhile another bot may have gone on
	unsaved   map[string]Posted // by key: what ref holds and the store does not
	ours      map[string]bool   // by key: intents of this process, which are not dangling
	sought    map[string]bool   // by key: intents of which it was looked whether they were carried out
	looks     int               // at Slack that failed, in a row
	limited   map[string]bool   // by key: Slack refused to post it for being called too often, and may have done it
	plain     uint64            // at this sequence Slack refused the blocks: text only
	notices   []render.Notice   // of the state with the sequence drafted
	drafted   uint64
	likeness  string // of the card as this process last drew it
	flat      bool   // the thread is gone: notices go into the channel
	edited    time.Time
	notBefore time.Time // after a failure
	failures  int
	pinning   bool // it is written down that the card is pinned, and still to be done
	unpinned  bool // pinning failed, and is left
}

// choreKind is what one step of the drawing goroutine does. Each makes at most one call, so that the next choice is fresh.
type choreKind int

const (
	choreLoad   choreKind = iota // read the Ref
	choreSave                    // write it
	choreSeek                    // look whether a message was posted
	choreIntend                  // note that a message will be posted
	chorePost
	choreEdit
	chorePin // pin the card, or take the pin off
	choreAck // everything is shown
)

// chore is one step for a card. key says which message.
type chore struct {
	kind   choreKind
	key    string
	notice render.Notice // for a key that is not the card's
}

// draft words the notices of a state, once: they are looked at again and again while others have their turn.
func (c *card) draft(op failover.Operation, approvers func(failover.Operation) []string) error {
	if c.drafted == op.Seq {
		return nil
	}
	c.drafted, c.notices = op.Seq, nil
	return guarded(func() error {
		c.notices = render.Notices(op, approvers(op))
		return nil
	})
}

// chores lists what may be done next to show op, of which the notices are drafted, in order of preference: the second is for
// when the first has to wait.
func (c *card) chores(op failover.Operation) []chore {
	switch {
	case !c.loaded:
		return []chore{{kind: choreLoad}}
	case len(c.unsaved) > 0:
		return []chore{{kind: choreSave}}
	case c.ref.Card.State != StatePosted:
		return []chore{c.toPost(cardKey, render.Notice{})}
	}
	var todo []chore
	if op.Seq > c.ref.Card.Seq {
		todo = append(todo, chore{kind: choreEdit})
	}
	for _, n := range c.notices {
		if c.ref.Notices[n.Key].State != StatePosted {
			todo = append(todo, c.toPost(n.Key, n))
			break
		}
	}
	if len(todo) == 0 && !c.unpinned && (c.pinning || c.ref.Pinned != c.toBePinned(op)) {
		return []chore{{kind: chorePin}}
	}
	if len(todo) == 0 {
		return []chore{{kind: choreAck}}
	}
	return todo
}

// toPost is the way to a new message: first the intent, then the message. An intent that this process did not write was
// left by one that died, or the answer to it was lost: nobody knows whether the message is there, so it is looked for once.
func (c *card) toPost(key string, n render.Notice) chore {
	todo := chore{kind: choreIntend, key: key, notice: n}
	dangles := c.posted(key).State == StateIntent && !c.ours[key]
	switch {
	case (dangles || c.limited[key]) && !c.sought[key]:
		todo.kind = choreSeek
	case c.ours[key]:
		todo.kind = chorePost
	}
	return todo
}

// posted is the stored reference of a message.
func (c *card) posted(key string) Posted {
	if key == cardKey {
		return c.ref.Card
	}
	return c.ref.Notices[key]
}

// note changes a reference; the store learns it with the next save.
func (c *card) note(key string, p Posted) {
	c.unsaved[key] = p
	c.apply(key, p)
}

func (c *card) apply(key string, p Posted) {
	if key == cardKey {
		c.ref.Card = p
		return
	}
	c.ref.Notices = maps.Clone(c.ref.Notices) // the store may have handed out its own
	if c.ref.Notices == nil {
		c.ref.Notices = map[string]Posted{}
	}
	c.ref.Notices[key] = p
}

// adopt takes what was read, and keeps what this process posted and could not save. Where another bot has shown a newer
// state meanwhile, its message counts.
func (c *card) adopt(stored Ref, me string, now time.Time) {
	if stored.Card.Seq > c.ref.Card.Seq {
		c.likeness = "" // another bot has drawn it
	}
	c.ref, c.loaded, c.readAt = stored, true, now
	for key := range c.ours {
		if at := c.posted(key); at.State != StateIntent || at.By != me {
			delete(c.ours, key)
		}
	}
	for key, mine := range c.unsaved {
		if theirs := c.posted(key); theirs.State == StatePosted && theirs.Seq > mine.Seq {
			delete(c.unsaved, key)
			continue
		}
		c.apply(key, mine)
	}
}

// intend notes that a message will be posted. A card is continued when one was posted before, or may have been.
func (c *card) intend(key, me string, seq uint64, now time.Time) {
	before := c.posted(key)
	c.note(key, Posted{State: StateIntent, Seq: seq, By: me, At: now, Continued: key == cardKey && before.State != ""})
	c.ours[key] = true
}

// doubt forgets that an intent is ours: it may have been carried out without our knowing.
func (c *card) doubt(key string) {
	delete(c.ours, key)
	delete(c.sought, key)
}

// looked notes that nothing more is to be found out about an intent.
func (c *card) looked(key string) {
	c.sought[key], c.looks = true, 0
}

// thread is the ts of the message under which a new one stands; empty: in the channel.
func (c *card) thread(todo chore) string {
	if todo.key == cardKey || !todo.notice.Thread || c.flat {
		return ""
	}
	return c.ref.Card.TS
}

// limit notes that Slack refused to post a message for being called too often, after which it is there now and then.
func (c *card) limit(key string) {
	c.limited[key] = true
	delete(c.sought, key)
}

// found is a message that was posted after all.
func (c *card) found(key string, p Posted) {
	delete(c.ours, key)
	delete(c.limited, key)
	c.note(key, p)
	if key == cardKey {
		c.likeness = "" // which state it shows is not known
	}
}

// gone is a message that Slack does not have. A card is posted anew; a notice whose thread is missing goes elsewhere,
// since another card would not bring it nearer.
func (c *card) gone(key, me string, seq uint64, now time.Time) {
	if key != cardKey {
		c.flat = true
		return
	}
	c.intend(cardKey, me, seq, now)
}

// forget drops intents that may not be stored: after the next reading they are made again.
func (c *card) forget() {
	c.loaded = false
	for key, p := range c.unsaved {
		if p.State == StateIntent {
			delete(c.unsaved, key)
			delete(c.ours, key)
		}
	}
}
