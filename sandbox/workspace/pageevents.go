package workspace

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// statusInterval is how often the page is told how Slack is; a stream that says nothing for long may be cut on its way.
const (
	statusInterval = time.Second
	keepAlive      = 15 // intervals
)

// status is how the Slack behind the page is.
type status struct {
	Bot    bool `json:"bot"`    // a bot is connected
	Outage int  `json:"outage"` // seconds left, rounded up
}

// stream writes server-sent events.
type stream struct{ out part }

func (s stream) send(event string, data any) error {
	raw, err := encode(data)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.out, "event: %s\ndata: %s\n\n", event, raw); err != nil {
		return err
	}
	return s.out.FlushError()
}

// serveEvents streams what one person sees: the event channel with everything so far, then message for what is new or
// edited and deleted for what is gone; modal and home with what the person has open in front of the channel, place with the topic and the pins, status, and the events of
// the world besides. A client that reconnects starts over.
func (w *Workspace) serveEvents(rw http.ResponseWriter, r *http.Request) {
	p, here, err := w.find(r.URL.Query().Get("as"), w.opts.Channel.ID)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusNotFound)
		return
	}
	viewer := p.ID
	changes, cancel := w.Subscribe() // before the look at what is there: a change may come twice, and is never missed
	defer cancel()
	rw.Header().Set("Content-Type", "text/event-stream")
	all := &mixed{out: rw}
	defer w.followWorld(r, all)()
	s := stream{all.part()}
	seen := []reply{}
	for _, m := range w.Messages(w.opts.Channel.ID, viewer) {
		seen = append(seen, pageMessage(m))
	}
	now := w.status()
	err = errors.Join(s.send("channel", seen), s.send("modal", w.drawn(p, w.pageModal)), s.send("home", w.drawn(p, w.pageHome)),
		s.send("place", w.drawn(p, func(Person) reply { return w.pagePlace(here) })), s.send("status", now))
	tick := time.NewTicker(statusInterval)
	defer tick.Stop()
	for quiet := 0; err == nil; {
		select {
		case <-r.Context().Done():
			return
		case c, open := <-changes:
			if !open {
				return
			}
			switch {
			case c.Person == viewer && c.Kind == Viewed:
				err = s.send("modal", c.page)
			case c.Person == viewer:
				err = s.send("home", c.page)
			case c.Kind == PlaceSet:
				err = s.send("place", c.page)
			case c.Person == "" && c.Message.visibleTo(viewer):
				err = s.change(c)
			}
		case <-tick.C:
			if is := w.status(); is != now || quiet == keepAlive {
				now, quiet = is, 0
				err = s.send("status", now)
			}
			quiet++
		}
	}
}

// drawn is what the page draws a person's modal or Home tab from.
func (w *Workspace) drawn(p Person, of func(Person) reply) reply {
	w.mu.Lock()
	defer w.mu.Unlock()
	return of(p)
}

func (s stream) change(c Change) error {
	if c.Kind == Deleted {
		return s.send("deleted", reply{"ts": c.Message.TS})
	}
	return s.send("message", pageMessage(c.Message))
}

func (w *Workspace) status() status {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := time.Until(w.outageUntil)
	return status{Bot: len(w.sockets) > 0, Outage: max(0, int((left+time.Second-1)/time.Second))}
}

// pageMessage is the message object as clients of Slack get it, blocks as sent.
func pageMessage(m Message) reply {
	wire := reply{"ts": m.TS, "user": m.User, "text": m.Text}
	if m.Blocks != nil {
		wire["blocks"] = m.Blocks
	}
	if m.ThreadTS != "" {
		wire["thread_ts"], wire["reply_broadcast"] = m.ThreadTS, m.Broadcast
	}
	files := []reply{}
	for _, f := range m.Files {
		files = append(files, reply{"id": f.ID, "name": f.Name, "title": f.Title, "size": len(f.Content)})
	}
	if len(files) > 0 {
		wire["files"] = files
	}
	if m.Subtype != "" {
		wire["subtype"] = m.Subtype
	}
	if m.Edits > 0 {
		wire["edited"] = reply{"ts": timestamp(m.EditedAt.UnixMicro())}
	}
	if m.EphemeralFor != "" {
		wire["is_ephemeral"] = true
	}
	return wire
}
