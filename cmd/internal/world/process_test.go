package world

import (
	"context"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"ferry/cmd/internal/app"
)

// process is one life of the app.
type process struct {
	world *world
	app   *app.App
	cut   *cutter

	mu      sync.Mutex
	dead    bool
	severed bool // from NATS alone
	conns   []net.Conn
	ports   []*entrance   // that Slack posts to
	nats    []net.Conn    // those of conns that lead to NATS
	drained chan struct{} // closed to have it end in good order
}

// newProcess prepares a life, which dies at the point, if one is given.
func (w *world) newProcess(name string, at *point, roles ...app.Role) *process {
	p := &process{world: w, cut: &cutter{at: at, died: make(chan struct{}), warm: make(chan struct{})}, drained: make(chan struct{})}
	p.app = app.New(app.Options{
		Config: w.config(), Roles: roles, Name: name, Version: "v0.0.0", Log: w.log.With(slog.String("process", name)),
		Dial: p.dial, Listen: p.listen, Seam: p.cut.seam, Unreachable: true, Now: w.wallClock(name),
	})
	return p
}

// start returns when the process is up, could not start, or was ended before: it waits for NATS for as long as it lives.
func (p *process) start() error {
	ctx, cancel := context.WithCancel(p.world.t.Context())
	defer cancel()
	go func() {
		select {
		case <-p.cut.died:
		case <-p.drained:
		case <-ctx.Done():
		}
		cancel()
	}()
	return p.app.Start(ctx)
}

// stop ends the process in good order; after a cut nothing that it still does is seen. A frozen one thaws to hear of it.
func (p *process) stop() {
	p.cut.warmth.Do(func() { close(p.cut.warm) })
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.world.t.Context()), 5*time.Minute)
	defer cancel()
	if err := p.app.Stop(ctx); err != nil {
		p.world.t.Errorf("stopping: %v", err)
	}
}

// drain asks the process to end in good order, as SIGTERM does.
func (p *process) drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.drained:
	default:
		close(p.drained)
	}
}

func (p *process) isDraining() bool {
	select {
	case <-p.drained:
		return true
	default:
		return false
	}
}

// kill ends the process as kill -9 would: nothing passes a seam any more, and its connections break.
func (p *process) kill() {
	p.cut.kill()
	p.mu.Lock()
	conns := p.conns
	ports := p.ports
	p.conns, p.dead = nil, true
	p.mu.Unlock()
	for _, port := range ports {
		_ = port.Close()
	}
	for _, c := range conns {
		_ = c.Close() // the other side sees the end of it, which is all that is left to do
	}
}

// sever takes the way to NATS away from this process alone, or (false) gives it back.
func (p *process) sever(severed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.severed = severed
	if severed {
		for _, c := range p.nats {
			_ = c.Close() // the client comes back by itself
		}
		p.nats = nil
	}
}

func (p *process) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := p.world.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if p.world.wire != nil && addr == natsHost {
		c = &tapped{Conn: c, wire: p.world.wire, process: p}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		_ = c.Close()
		return nil, cutError{}
	}
	if addr == natsHost {
		if p.severed {
			_ = c.Close()
			return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
		}
		p.nats = append(p.nats, c)
	}
	p.conns = append(p.conns, c)
	return c, nil
}

// point is one moment in the life of a process: the nth time that a seam is reached, before or after what it does.
type point struct {
	seam  string
	nth   int
	after bool
}

// cutter cuts a process off at a point: from then on nothing passes any seam. Or it freezes the process there for a while, as
// SIGSTOP does, or the host of a virtual machine: whatever comes to a seam waits until it thaws.
type cutter struct {
	mu     sync.Mutex
	at     *point
	seen   map[string]int
	path   []string       // the seams as they were passed
	open   map[string]int // those that are being passed
	dead   bool
	died   chan struct{}       // closed then
	frost  time.Duration       // at the point, instead of the end; 0 is the end
	frozen time.Time           // until when
	froze  func(time.Duration) // is told when it begins; may be nil
	warm   chan struct{}       // closed when the process freezes no more
	warmth sync.Once           // closes warm
}

type cutError struct{}

func (cutError) Error() string { return "the process is dead" }

// Cut tells the journal that trying again is pointless.
func (cutError) Cut() bool { return true }

func (c *cutter) seam(name string, do func() error) error {
	c.mu.Lock()
	if c.seen == nil {
		c.seen, c.open = map[string]int{}, map[string]int{}
	}
	c.seen[name]++
	c.path = append(c.path, name)
	at := c.at
	hit := at != nil && at.seam == name && at.nth == c.seen[name]
	dead, frost := c.dead, c.frost
	c.open[name]++
	switch {
	case hit && frost > 0 && !at.after:
		c.ice(frost)
	case hit && frost == 0:
		c.die()
	}
	frozen := c.frozen
	c.mu.Unlock()
	if dead || hit && frost == 0 && !at.after {
		return cutError{}
	}
	if !c.thaws(frozen) {
		return cutError{}
	}
	err := do()
	if hit && frost > 0 && at.after {
		c.freeze(frost)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[name]--
	if hit && frost == 0 {
		return cutError{}
	}
	return err
}

// thaws waits until the process moves again; it may die instead.
func (c *cutter) thaws(frozen time.Time) bool {
	if left := time.Until(frozen); left > 0 {
		select {
		case <-time.After(left):
		case <-c.warm:
		case <-c.died:
			return false
		}
	}
	return true
}

// freeze holds everything up from now on.
func (c *cutter) freeze(d time.Duration) {
	c.mu.Lock()
	c.ice(d)
	frozen := c.frozen
	c.mu.Unlock()
	c.thaws(frozen)
}

// tells has somebody told of each freeze that begins.
func (c *cutter) tells(froze func(time.Duration)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.froze = froze
}

// ice is called with the lock held.
func (c *cutter) ice(d time.Duration) {
	c.frozen = time.Now().Add(d)
	if c.froze != nil {
		c.froze(d)
	}
}

// passed are the seams that were reached so far, in their order.
func (c *cutter) passed() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.path)
}

// within reports whether a seam is being passed.
func (c *cutter) within(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open[name] > 0
}

func (c *cutter) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.die()
}

func (c *cutter) die() {
	if !c.dead {
		c.dead = true
		close(c.died)
	}
}

// disarm takes the point away.
func (c *cutter) disarm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = nil
}

// arm has the process die at a point, counted from now on, or freeze there for a while.
func (c *cutter) arm(p point, frost time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.nth += c.seen[p.seam]
	c.at, c.frost = &p, frost
}

func (c *cutter) happened() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}
