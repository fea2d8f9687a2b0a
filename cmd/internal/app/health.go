package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"ferry/bot/slack"
	"ferry/events/jetstream"
	"ferry/failover"
)

const (
	// probeTime bounds each part of a request for the health, and the reading that is made for it.
	probeTime = 2 * time.Second
	// readingLife is how long what was read holds: who asks all the time costs NATS no more than that.
	readingLife = time.Second
	// oldReading is when the VMs were read longer ago than they are while Azure answers and an executor runs.
	oldReading = 3 * time.Minute
)

// health is how the process is, for who asks at http.listen. It tells no secret, and nothing of VMs, operations or people.
type health struct {
	roles  []Role
	ending <-chan struct{}
	began  time.Time

	mu      sync.Mutex
	clients map[Role]*jetstream.Client // those that have been connected
	bot     *slack.Bot                 // nil before its start
	now     func() time.Time           // the clock that all processes share; nil before its start

	reading   sync.Mutex // held while the inventory is read: one at a time
	readAt    time.Time
	inventory failover.Inventory
	unread    error
}

// part is one line of /readyz.
type part struct {
	name  string
	ready bool
	says  string
}

// serveHealth opens the port of http.listen. A port that is taken stops nothing: what Ferry is for goes on without it.
func (a *App) serveHealth(ctx context.Context) {
	a.health = &health{roles: a.opts.Roles, ending: a.ctx.Done(), began: time.Now(), clients: map[Role]*jetstream.Client{}}
	address := a.opts.Config.HTTP.Listen
	if address == "" {
		return
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		a.opts.Log.WarnContext(ctx, "no /healthz and /readyz: http.listen cannot be opened", slog.Any("cause", err),
			slog.String("fix", `several processes on one host need a port each: set http.listen to another address, or to "" for none`))
		return
	}
	server := &http.Server{
		Handler:           a.health.routes(),
		ReadHeaderTimeout: probeTime, ReadTimeout: probeTime, WriteTimeout: 2 * probeTime, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(io.Discard, "", 0), // it quotes what came
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.opts.Log.WarnContext(a.ctx, "no /healthz and /readyz any more", slog.Any("cause", err))
		}
	}()
	a.onStop("the port of http.listen", func(context.Context) error {
		err := server.Close() // an answer takes moments, and nobody depends on one
		<-served
		return err
	})
	a.opts.Log.InfoContext(ctx, "health is told", slog.String("address", listener.Addr().String()), slog.String("paths", "/healthz /readyz"))
}

func (h *health) routes() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok\n") })
	routes.HandleFunc("GET /readyz", h.readyz)
	routes.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusNotFound, "/metrics is not available yet\n")
	})
	return routes
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // who asked may be gone
}

func (h *health) readyz(w http.ResponseWriter, r *http.Request) {
	status, text := http.StatusOK, &strings.Builder{}
	for _, p := range h.parts(r.Context()) {
		word := "ok"
		if !p.ready {
			status, word = http.StatusServiceUnavailable, "not ready"
		}
		fmt.Fprintf(text, "%s: %s: %s\n", p.name, word, oneLine(p.says))
	}
	answer(w, status, text.String())
}

// oneLine keeps an error of somebody else's to its line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// parts are told one by one, so that who looks sees what is well, too.
func (h *health) parts(ctx context.Context) []part {
	select {
	case <-h.ending:
		return []part{{"Ferry", false, "ending"}}
	default:
	}
	h.mu.Lock()
	bot, now := h.bot, h.now
	h.mu.Unlock()
	parts := []part{}
	for _, role := range h.roles {
		parts = append(parts, h.nats(role))
		switch role {
		case Bot:
			parts = append(parts, h.slack(bot))
		case Executor:
			parts = append(parts, h.azure(ctx, now))
		}
	}
	return parts
}

func (h *health) nats(role Role) part {
	h.mu.Lock()
	client := h.clients[role]
	h.mu.Unlock()
	p := part{name: "NATS for the " + string(role)}
	if client == nil {
		p.says = "not connected since the start at " + clockTime(h.began) + "; see the log"
		return p
	}
	since, err := client.Away()
	switch {
	case err == nil:
		p.ready, p.says = true, "connected"
	case since.IsZero():
		p.says = "not connected: " + err.Error()
	default:
		p.says = "not connected since " + clockTime(since) + ": " + err.Error()
	}
	return p
}

func (h *health) slack(bot *slack.Bot) part {
	p := part{name: "Slack"}
	if bot == nil {
		p.says = "not connected yet: the bot waits for NATS"
		return p
	}
	link := bot.Link()
	since := " since " + clockTime(link.Since)
	if link.Up {
		p.ready, p.says = true, "connected"+since
		return p
	}
	p.says = "not connected" + since
	if link.Why != "" {
		p.says += ": " + link.Why
	}
	return p
}

// azure goes by what the executors have stored: asking costs no call to Azure.
func (h *health) azure(ctx context.Context, now func() time.Time) part {
	p := part{name: "Azure"}
	inventory, err := h.read(ctx)
	switch {
	case err != nil || now == nil:
		p.says = "when it was last read is not known, because NATS does not answer"
	case inventory.At.IsZero():
		p.says = "not read yet; if it stays so, see the log, and ferry doctor"
	case now().Sub(inventory.At) > oldReading:
		p.says = "last read at " + clockTime(inventory.At) + ", nothing newer could be read; see the log, and ferry doctor"
	default:
		p.ready, p.says = true, "last read at "+clockTime(inventory.At)
	}
	return p
}

var errNoClient = errors.New("the executor is not connected yet")

// read gives what is stored of the VMs, at most a moment old.
func (h *health) read(ctx context.Context) (failover.Inventory, error) {
	h.reading.Lock()
	defer h.reading.Unlock()
	if time.Since(h.readAt) < readingLife {
		return h.inventory, h.unread
	}
	h.mu.Lock()
	client := h.clients[Executor]
	h.mu.Unlock()
	if client == nil {
		return failover.Inventory{}, errNoClient
	}
	if _, err := client.Away(); err != nil {
		return failover.Inventory{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTime) // others wait for it, too
	defer cancel()
	h.inventory, h.unread = client.Inventory(ctx)
	h.readAt = time.Now()
	return h.inventory, h.unread
}

func (h *health) connected(role Role, client *jetstream.Client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients[role] = client
}

func (h *health) tells(now func() time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = now
}

func (h *health) has(bot *slack.Bot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bot = bot
}

// clockTime is UTC: who reads it may be anywhere.
func clockTime(at time.Time) string { return at.UTC().Format(time.RFC3339) }
