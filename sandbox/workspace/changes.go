package workspace

import (
	"sync"
	"time"
)

// ChangeKind says what happened.
type ChangeKind string

// The kinds of [Change]. An ephemeral message that its response_url replaces or deletes is Edited or Deleted.
const (
	Posted    ChangeKind = "posted"
	Edited    ChangeKind = "edited"
	Deleted   ChangeKind = "deleted"
	Ephemeral ChangeKind = "ephemeral"
	Viewed    ChangeKind = "viewed" // a person's modal opened, changed or closed
	HomeSeen  ChangeKind = "home"   // a person's Home tab was opened or left, or changed
	PlaceSet  ChangeKind = "place"  // the topic or the pins of a channel changed
)

// Change is one thing that happened in a channel, or to what one person has open in front of it.
type Change struct {
	Kind    ChangeKind
	Channel string  // id; empty when Viewed or HomeSeen
	Message Message // empty when Viewed, HomeSeen or PlaceSet
	Person  string  // the id of who sees the modal or Home tab
	Modal   *Modal  // what is on top now, when Viewed; nil for the channel
	Home    *Home   // what is there, when HomeSeen
	At      time.Time

	page reply // the modal, Home tab or place as the page gets it
}

// subscriber queues without bound, so that a slow reader costs memory but never holds up the workspace.
type subscriber struct {
	out    chan Change
	wake   chan struct{} // holds one: there is something in the queue
	stop   chan struct{}
	cancel func()

	mu    sync.Mutex
	queue []Change
}

// Subscribe returns every change from now on, in order, to whomever it is visible, and a function that ends it. The channel is
// closed after cancel or [Workspace.Close]; what was not read by then is lost.
func (w *Workspace) Subscribe() (changes <-chan Change, cancel func()) {
	s := &subscriber{out: make(chan Change), wake: make(chan struct{}, 1), stop: make(chan struct{})}
	s.cancel = sync.OnceFunc(func() { close(s.stop) })
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		close(s.out)
		return s.out, s.cancel
	}
	w.subscribers[s] = true
	w.tasks.Go(func() {
		s.run()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.subscribers, s)
	})
	return s.out, s.cancel
}

func (w *Workspace) publish(kind ChangeKind, c *channel, m *Message) {
	if len(w.subscribers) == 0 {
		return
	}
	w.tellAll(Change{Kind: kind, Channel: c.ID, Message: m.snapshot()})
}

func (w *Workspace) publishModal(p Person) {
	if len(w.subscribers) == 0 {
		return
	}
	change := Change{Kind: Viewed, Person: p.ID, page: w.pageModal(p)}
	if v := w.onTop(p); v != nil {
		m := w.modal(v)
		change.Modal = &m
	}
	w.tellAll(change)
}

func (w *Workspace) tellAll(c Change) {
	c.At = time.Now()
	for s := range w.subscribers {
		s.push(c)
	}
}

func (s *subscriber) push(c Change) {
	s.mu.Lock()
	s.queue = append(s.queue, c)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *subscriber) take() []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.queue
	s.queue = nil
	return taken
}

func (s *subscriber) run() {
	defer close(s.out)
	for {
		select {
		case <-s.wake:
		case <-s.stop:
			return
		}
		for _, c := range s.take() {
			select {
			case s.out <- c:
			case <-s.stop:
				return
			}
		}
	}
}
