package jetstream_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/events/jetstream"
)

// times is a host and a NATS server, each with a clock of its own.
type times struct {
	mu           sync.Mutex
	host, server time.Duration // ahead of the true time
	away         bool
	asked        int
}

func (x *times) clock(t *testing.T) *jetstream.Clock {
	t.Helper()
	read := func(context.Context) (time.Time, error) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.asked++
		if x.away {
			return time.Time{}, errors.New("away")
		}
		return time.Now().Add(x.server), nil
	}
	c := jetstream.ClockOf(read, func() time.Time {
		x.mu.Lock()
		defer x.mu.Unlock()
		return time.Now().Add(x.host)
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	return c
}

func (x *times) set(change func()) {
	synctest.Wait()
	x.mu.Lock()
	defer x.mu.Unlock()
	change()
}

// Whatever the clock of the host says or does, the time is the server's; with the server away it is the time that passes.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &times{host: 3 * time.Hour}
		c := x.clock(t)
		is := func(what string, want time.Duration, era int) {
			t.Helper()
			if off := time.Until(c.Now()) - want; off.Abs() > time.Second || c.Era() != era {
				t.Errorf("%s: %s off, era %d", what, off, c.Era())
			}
		}
		is("a wrong clock", 0, 0)
		x.set(func() { x.host = -6 * time.Hour })
		is("it is set", 0, 0)
		x.set(func() { x.away = true; x.host = 0 })
		is("it is set while the server is away", 0, 0)
		<-time.After(time.Hour)
		is("an hour later", 0, 0)
		x.set(func() { x.away, x.host = false, time.Minute })
		is("the server is back", 0, 0)
		x.set(func() { x.server = 500 * time.Millisecond })
		<-time.After(time.Minute)
		is("the way there and back", 0, 0)
		asked := 0
		x.set(func() { asked = x.asked })
		for range 1000 {
			c.Now()
		}
		x.set(func() { asked = x.asked - asked })
		if asked != 0 {
			t.Errorf("asked %d times for nothing", asked)
		}
	})
}

// The server's own clock jumps, as it does with a host that was asleep: what was timed before is void, and people are told.
func TestClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &times{}
		c := x.clock(t)
		before := c.Now()
		x.set(func() { x.server, x.host = 3*time.Hour, 3*time.Hour }) // one machine
		if now := c.Now(); now.Sub(before).Round(time.Minute) != 3*time.Hour || c.Era() != 1 {
			t.Errorf("%s later, era %d", now.Sub(before), c.Era())
		}
		if said := c.Jumped(before); !strings.HasPrefix(said, "Ferry's clock went forward by 3h0m0s at ") {
			t.Errorf("said %q", said)
		}
		if said := c.Jumped(c.Now().Add(time.Second)); said != "" {
			t.Errorf("said %q of the time since", said)
		}
	})
}
