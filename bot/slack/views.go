package slack

import (
	"maps"
	"sync"
	"time"
)

// outdatedView is Slack's own word for a view that has changed meanwhile.
const outdatedView = "hash_conflict"

// views remembers which choice in a form was the last, so that what is read for an older one does not take its place, nor that
// of the answer to a form that was sent. What another process does to the same form, Slack notices by the view's hash.
type views struct {
	mu   sync.Mutex
	last map[string]picked // by the view's id
}

// picked is the last thing that somebody chose in a form.
type picked struct {
	name string // its trigger id
	ts   string // when, by Slack
	hash string // of the view as it was last seen
	sent bool   // the form was sent after it
	at   time.Time
}

// chose notes a choice; false when it is no newer than the last one.
func (v *views) chose(id, name, ts, hash string, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	last, known := v.last[id]
	switch {
	case known && (name == last.name || ts < last.ts):
		return false
	case known && !last.sent && last.hash != "": // somebody may have chosen before they saw what the choice before has changed
		hash = last.hash
	}
	v.put(id, picked{name: name, ts: ts, hash: hash, at: now})
	return true
}

// sent notes that a form was sent.
func (v *views) sent(id string, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	last := v.last[id]
	v.put(id, picked{name: last.name, ts: last.ts, sent: true, at: now})
}

// hash is what the view has to have for a modal to be shown; false when there is a newer choice. Any view will do for what is
// not shown for a choice.
func (v *views) hash(m modal) (string, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	last := v.last[m.id]
	return last.hash, m.choice == "" || m.choice == last.name && !last.sent
}

// shown notes the hash of a view that was changed.
func (v *views) shown(m modal, hash string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if last, known := v.last[m.id]; known {
		last.hash = hash
		v.last[m.id] = last
	}
}

// put also forgets the forms that nobody can have open any more.
func (v *views) put(id string, c picked) {
	if v.last == nil {
		v.last = map[string]picked{}
	}
	maps.DeleteFunc(v.last, func(_ string, old picked) bool { return c.at.Sub(old.at) > answerLife })
	v.last[id] = c
}
