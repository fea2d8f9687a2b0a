// Package app wires Ferry: from a configuration to a running bot, executor, or both, and back down again.
//
// It owns the order in which things start and end, and the small adapters between packages that must not know each other.
// It refuses to decide anything about operations. An App has one life: a second Start is the first one's, and after Stop there
// is none. Start and Stop may be called from any goroutine, Stop at any time, also twice or before Start.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"ferry/config"
	"ferry/events/jetstream"
)

// Role is what a process does.
type Role string

// The roles. A process may have both.
const (
	Bot      Role = jetstream.RoleBot
	Executor Role = jetstream.RoleExecutor
)

// Options are what an App is made of.
type Options struct {
	Config  config.Config
	Roles   []Role
	Name    string // of this process, in the facts
	Version string
	Log     *slog.Logger
	// Dial replaces the network under every connection but those to the embedded server; nil is the real one.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Listen replaces the network under slack.listen; nil is the real one.
	Listen func(ctx context.Context, network, addr string) (net.Listener, error)
	// Now is the wall clock of this host; nil is the real one.
	Now func() time.Time
	// Seam is where a test cuts the process; nil: just do.
	Seam func(name string, do func() error) error
	// Unreachable keeps the embedded server off the network: no terminal reaches it.
	Unreachable bool
}

// App is one process of Ferry.
type App struct {
	opts     Options
	embedded *jetstream.Embedded
	health   *health
	auditor  *jetstream.Client // of the executor; nil in a bot alone

	starting sync.Mutex // held while starting and while ending: Stop waits for a Start that it has cut short
	started  bool
	result   error // of the first Start

	stop    context.CancelFunc // ends every loop
	ctx     context.Context    //nolint:containedctx // the life of the process, made by New and ended by Stop
	loops   sync.WaitGroup
	failure chan error        // the first loop that ended by itself
	waits   []<-chan struct{} // closed one by one as the parts are ready

	mu      sync.Mutex
	closers []closer // run last in, first out
}

// ErrStopped says that an App was stopped before it was started, or while it was.
var ErrStopped = errors.New("stopped before it was up")

// ErrLocked says that another process uses the data directory.
var ErrLocked = jetstream.ErrLocked

// closer is a clean-up with a name for the log.
type closer struct {
	name string
	run  func(context.Context) error
}

// New makes an App; nothing runs before Start.
func New(o Options) *App {
	ctx, stop := context.WithCancel(context.Background())
	return &App{opts: o, ctx: ctx, stop: stop, failure: make(chan error, 1)}
}

// onStop registers a clean-up as soon as there is something to clean up, so that a start that fails half-way goes back
// through the same path.
func (a *App) onStop(name string, run func(context.Context) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closers = append(a.closers, closer{name, run})
}

// loop runs a part of the process until Stop. One that ends by itself ends the process: half of Ferry is worse than none.
func (a *App) loop(name string, run func(context.Context) error) {
	a.loops.Go(func() {
		err := run(a.ctx)
		if a.ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("ended by itself")
		}
		select {
		case a.failure <- fmt.Errorf("%s: %w", name, err):
		default:
		}
	})
}

// Embedded is the NATS server within the process, for who shares the process with it; nil when another one is configured, or it is
// not started.
func (a *App) Embedded() *jetstream.Embedded { return a.embedded }

// Failed gives the error of the part that ended by itself, if one does.
func (a *App) Failed() <-chan error { return a.failure }

// Ready waits until everything that was stored is known and Slack is connected, or can post here. The process works before that too: it only
// does not hear from Slack yet.
func (a *App) Ready(ctx context.Context) error {
	for _, part := range a.waits {
		select {
		case <-part:
		case err := <-a.failure:
			a.failure <- err // for whoever waits for Failed
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Stop takes no new work, lets calls in flight be recorded, hands everything else over and closes. ctx bounds the waiting.
func (a *App) Stop(ctx context.Context) error {
	a.stop()
	a.starting.Lock()
	defer a.starting.Unlock()
	return a.end(ctx)
}

// end closes what there is, once.
func (a *App) end(ctx context.Context) error {
	a.stop()
	a.mu.Lock()
	closers := a.closers
	a.closers = nil
	a.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		a.loops.Wait()
		close(ended)
	}()
	var errs []error
	select {
	case <-ended:
	case <-ctx.Done():
		errs = append(errs, fmt.Errorf("waiting for work in flight: %w", ctx.Err()))
	}
	for _, c := range slices.Backward(closers) {
		if err := c.run(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	return errors.Join(errs...)
}
