package vault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"
)

const (
	// worldPace bounds how often a stream looks at the world, and so how often it sends: what happens in between is one
	// event. Nothing tells it of a change, because most changes are only time that passes.
	worldPace = 200 * time.Millisecond
	// worldQuiet is how long a stream says nothing at most: one that is silent for long may be cut on its way.
	worldQuiet = 15 * time.Second
)

// streamStates sends the state as server-sent events called state: the first one at once, each other one when something
// but the time has changed. It sleeps in between, never under the mutex, and ends with the request.
func (v *Vault) streamStates(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	var (
		sent   worldState
		sentAt time.Time
		look   = time.NewTicker(worldPace)
		out    = http.NewResponseController(w)
	)
	defer look.Stop()
	for {
		state := v.worldState()
		if time.Since(sentAt) >= worldQuiet || !sent.sameAs(state) {
			sent, sentAt = state, time.Now()
			text, err := json.Marshal(state)
			if err != nil {
				return // cannot be: it is what GET /state sends
			}
			// In one write, so that whoever mixes streams never cuts an event.
			if _, err := fmt.Fprintf(w, "event: state\ndata: %s\n\n", text); err != nil || out.Flush() != nil {
				return
			}
		}
		select {
		case <-look.C:
		case <-r.Context().Done():
			return
		}
	}
}

// sameAs reports whether only time has passed.
func (s worldState) sameAs(other worldState) bool {
	s.Clock.Now = other.Clock.Now
	return reflect.DeepEqual(s, other)
}
