package jetstream

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// clockEvery is how often the time of the NATS server is asked for.
	clockEvery = 30 * time.Second
	// clockJitter is what two readings may differ by without meaning anything: the way there and back, and drift.
	clockJitter = 2 * time.Second
	// clockWarn is how far off the clock of this host may be before its keeper is told.
	clockWarn = 30 * time.Second
)

// Clock is the time that all processes of Ferry share: the NATS server's, carried on by the time that passes here. The wall
// clock of a host decides nothing, so that neither a wrong one nor a jump of it makes an old decision young, or ends a
// request early. Where the server itself jumps, Era changes.
type Clock struct {
	read func(context.Context) (time.Time, error) // the server's time
	wall func() time.Time                         // of this host
	log  *slog.Logger
	ask  chan struct{} // full when somebody cannot wait for the next reading

	mu    sync.Mutex
	asked chan struct{} // closed and replaced with every reading
	base  time.Time     // the server's time at mark
	mark  time.Time     // by the monotonic clock; zero before the first reading
	host  time.Time     // by the wall clock
	era   int
	at    time.Time     // of the newest jump
	by    time.Duration // how far it went
	told  time.Duration // the difference that was logged last
}

// NewClock makes the clock of a client. Until [Clock.Run] has read the server's time it is the host's.
func NewClock(c *Client, wall func() time.Time) *Clock {
	read := func(ctx context.Context) (time.Time, error) {
		s, err := c.stream(ctx)
		if err != nil {
			return time.Time{}, err
		}
		info, err := s.Info(ctx)
		if err != nil {
			return time.Time{}, err
		}
		return info.TimeStamp, nil
	}
	return newClock(read, wall, c.log)
}

func newClock(read func(context.Context) (time.Time, error), wall func() time.Time, log *slog.Logger) *Clock {
	if wall == nil {
		wall = time.Now
	}
	return &Clock{read: read, wall: wall, log: log, ask: make(chan struct{}, 1), asked: make(chan struct{})}
}

// Run keeps the clock until ctx ends.
func (c *Clock) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		c.Set(ctx)
		select {
		case <-ctx.Done():
		case <-c.ask:
		case <-time.After(clockEvery):
		}
	}
	return nil
}

// Now is the shared time. When the wall clock of this host has gone another way than the time that passed, the host was
// asleep or its clock was set, and the server is asked at once.
func (c *Clock) Now() time.Time {
	now, sound, asked := c.now()
	if sound {
		return now
	}
	select {
	case c.ask <- struct{}{}:
	default: // somebody else has asked
	}
	select {
	case <-asked:
	case <-time.After(attemptTimeout):
	}
	now, _, _ = c.now()
	return now
}

func (c *Clock) now() (now time.Time, sound bool, asked <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mark.IsZero() {
		return c.wall().Round(0), true, c.asked
	}
	passed := time.Since(c.mark)
	asleep := c.wall().Round(0).Sub(c.host) - passed
	return c.base.Add(passed), asleep.Abs() <= clockJitter, c.asked
}

// Era counts the jumps of the shared time: what was timed in an earlier one is no measure in this one.
func (c *Clock) Era() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.era
}

// Jumped says, for people, that the shared time has jumped since a moment; empty when it has not.
func (c *Clock) Jumped(since time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by.Abs() < clockWarn || !c.at.After(since) {
		return ""
	}
	way := "forward"
	if c.by < 0 {
		way = "back"
	}
	return fmt.Sprintf("Ferry's clock went %s by %s at %s.", way, c.by.Abs().Round(time.Second), c.at.UTC().Format("15:04 UTC"))
}

// Set reads the server's time, once.
func (c *Clock) Set(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	asked := time.Now()
	server, err := c.read(ctx)
	if err != nil {
		c.log.DebugContext(ctx, "the time of NATS is not known; going on by the time that passes", slog.Any("error", err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.asked)
	c.asked = make(chan struct{})
	first := c.mark.IsZero()
	c.host = c.wall().Round(0)
	if err != nil {
		if !first { // what passes is all that is known
			c.base, c.mark = c.base.Add(time.Since(c.mark)), time.Now()
		}
		return
	}
	server = server.Add(time.Since(asked) / 2)
	if off := server.Sub(c.base.Add(time.Since(c.mark))); !first && off.Abs() > clockJitter {
		c.era, c.at, c.by = c.era+1, server, off
		c.log.WarnContext(ctx, "the time of NATS has jumped, or this host was asleep", slog.Duration("by", off), slog.Time("to", server))
	}
	c.base, c.mark = server, time.Now()
	if d := c.host.Sub(server).Round(time.Second); d.Abs() > clockWarn && (d-c.told).Abs() > clockWarn {
		c.told = d
		c.log.WarnContext(ctx, "the clock of this host is wrong; Ferry goes by that of NATS", slog.Duration("ahead", d))
	}
}
