package workspace

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	maxSockets   = 10               // documented
	refreshGrace = 10 * time.Second // between refresh_requested and the end; inferred
	debugHost    = "applink-sandbox"
)

// fromSlackClient accepts what Socket Mode clients send: no Origin at all, or Slack's own (slack-go).
func fromSlackClient(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || origin == "https://api.slack.com"
}

// connectionsOpen is apps.connections.open: one URL is good for one connection.
func (w *Workspace) connectionsOpen(params) (reply, error) {
	ticket := uuid.NewString()
	w.tickets[ticket] = true
	query := url.Values{"ticket": {ticket}, "app_id": {w.opts.AppID}}
	return reply{"url": "ws" + strings.TrimPrefix(w.baseURL, "http") + "/link?" + query.Encode()}, nil
}

func (w *Workspace) redeem(ticket string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.tickets[ticket]
	delete(w.tickets, ticket)
	return known
}

// serveLink owns the reading side of one connection for as long as it lives.
func (w *Workspace) serveLink(rw http.ResponseWriter, r *http.Request) {
	if !w.redeem(r.URL.Query().Get("ticket")) {
		http.Error(rw, "unknown or used ticket", http.StatusForbidden)
		return
	}
	conn, err := w.upgrader.Upgrade(rw, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	s := &socket{conn: conn, out: make(chan frame, frameQueue), done: make(chan struct{})}
	s.shut = sync.OnceFunc(func() { close(s.done) })
	if !w.join(s) {
		_ = conn.Close()
		return
	}
	defer w.leave(s)
	s.read(w.acknowledge)
}

// join starts the writing side; it is false on a closed workspace.
func (w *Workspace) join(s *socket) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.tasks.Add(1) // the reading side, until leave
	w.tasks.Go(s.write)
	w.open[s] = true
	if len(w.sockets) == maxSockets {
		s.send(frame{body: w.disconnectFrame("too_many_websockets"), last: true})
		return true
	}
	w.sockets = append(w.sockets, s)
	s.send(frame{body: reply{
		"type":            "hello",
		"num_connections": len(w.sockets),
		"debug_info":      reply{"host": debugHost, "build_number": 10, "approximate_connection_time": 18060},
		"connection_info": reply{"app_id": w.opts.AppID},
	}})
	return true
}

func (w *Workspace) leave(s *socket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, s)
	w.retire(s)
	w.tasks.Done()
}

// retire stops payloads to s, which may stay open for acknowledgements.
func (w *Workspace) retire(s *socket) {
	w.sockets = slices.DeleteFunc(w.sockets, func(other *socket) bool { return other == s })
}

func (w *Workspace) dropSockets() {
	for s := range w.open {
		w.retire(s)
		s.shut()
	}
}

// nextSocket rotates over the live connections; nil when there is none.
func (w *Workspace) nextSocket() *socket {
	if len(w.sockets) == 0 {
		return nil
	}
	w.turn = (w.turn + 1) % len(w.sockets)
	return w.sockets[w.turn]
}

// Connections returns how many Socket Mode connections get payloads now.
func (w *Workspace) Connections() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.sockets)
}

// Disconnect tells the oldest connection to go, as Slack does on its regular refreshes, and returns how many were told (0
// when none is up). Reasons: "warning" (a notice, nothing changes), "refresh_requested" (no more payloads, closed 10 s
// later), "link_disabled" (the same, for all connections).
func (w *Workspace) Disconnect(reason string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := slices.Clone(w.sockets[:min(1, len(w.sockets))])
	if reason == "link_disabled" {
		told = slices.Clone(w.sockets)
	}
	stays := reason == "warning"
	for _, s := range told {
		s.send(frame{body: w.disconnectFrame(reason), last: !stays, grace: refreshGrace})
		if !stays {
			w.retire(s)
		}
	}
	return len(told)
}

func (w *Workspace) disconnectFrame(reason string) reply {
	return reply{
		"type": "disconnect", "reason": reason, "debug_info": reply{"host": debugHost},
		"num_connections": len(w.sockets), "connection_info": reply{"app_id": w.opts.AppID},
	}
}
