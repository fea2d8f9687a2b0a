package jetstream_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/events/jetstream"
	"ferry/failover"
)

// shown notes which bot showed what, and acknowledges it.
type shown struct {
	mu sync.Mutex
	by map[string][]time.Time
}

func (s *shown) run(ctx context.Context, name string, c *jetstream.Client) error {
	a, err := c.OpenAnnouncements(ctx)
	if err != nil {
		return err
	}
	for {
		next, err := a.Next(ctx)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.by[name] = append(s.by[name], time.Now())
		s.mu.Unlock()
		if err := next.Ack(ctx); err != nil {
			return err
		}
	}
}

func (s *shown) times(name string) []time.Time {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.by[name]
}

// One bot announces; the other one stands by, however long nothing happens, and takes over when the first is gone.
func TestOneBotAnnounces(t *testing.T) {
	bubble(t, func(l *lab) {
		a, b := l.client("a", nil), l.client("b", nil)
		j := jetstream.NewJournal(l.client("executor", nil))
		s := &shown{by: map[string][]time.Time{}}
		go func() { _ = s.run(l.ctx, "a", a) }() // ends when its connection is closed
		pass(time.Second)
		l.loop(func(ctx context.Context) error { return s.run(ctx, "b", b) })
		op := failover.Operation{ID: opA}
		for _, pause := range []time.Duration{0, 0, time.Second, 7 * time.Second, 20 * time.Second, time.Hour, 0} {
			pass(pause)
			op = l.append(j, op, claimed("x"))
		}
		pass(time.Minute)
		if n, m := len(s.times("a")), len(s.times("b")); n != 7 || m != 0 {
			t.Fatalf("the first showed %d, the second %d", n, m)
		}
		a.Close()
		died := time.Now()
		pass(time.Second)
		l.append(j, op, claimed("y"))
		pass(time.Minute)
		if got := s.times("b"); len(got) != 1 || got[0].Sub(died) > 15*time.Second {
			t.Errorf("%s: died at %s, shown by the other at %v", fmt.Sprint(len(got)), died, got)
		}
	})
}

// A bot that ends hands over: the next one shows at once what comes.
func TestABotHandsOver(t *testing.T) {
	bubble(t, func(l *lab) {
		a, b := l.client("a", nil), l.client("b", nil)
		j := jetstream.NewJournal(l.client("executor", nil))
		first, err := a.OpenAnnouncements(l.ctx)
		if err != nil {
			t.Fatal(err)
		}
		op := l.append(j, failover.Operation{ID: opA}, claimed("x"))
		got, err := first.Next(l.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := got.Ack(l.ctx); err != nil {
			t.Fatal(err)
		}
		s := &shown{by: map[string][]time.Time{}}
		l.loop(func(ctx context.Context) error { return s.run(ctx, "b", b) })
		pass(time.Second)
		if err := first.HandOver(l.ctx); err != nil {
			t.Fatal(err)
		}
		a.Close()
		ended := time.Now()
		l.append(j, op, claimed("y"))
		pass(time.Minute)
		if got := s.times("b"); len(got) != 1 || got[0].Sub(ended) > time.Second {
			t.Errorf("ended at %s, shown by the other at %v", ended, got)
		}
		if err := first.HandOver(l.ctx); err != nil { // whose connection is closed, and whom nobody waits for
			t.Error(err)
		}
	})
}

// What was delivered to a bot and not acknowledged is shown by the next.
func TestAnotherBotShowsWhatTheFirstDidNot(t *testing.T) {
	bubble(t, func(l *lab) {
		a, b := l.client("a", nil), l.client("b", nil)
		l.append(jetstream.NewJournal(a), failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
		first, err := a.OpenAnnouncements(l.ctx)
		if err != nil {
			t.Fatal(err)
		}
		got, err := first.Next(l.ctx)
		if err != nil || got.Operation.Phase != failover.Running { // the whole batch, already at its first fact
			t.Fatalf("got %+v, %v", got.Operation, err)
		}
		a.Close()
		if _, err := first.Next(l.ctx); err == nil {
			t.Error("a closed connection still delivers")
		}
		s := &shown{by: map[string][]time.Time{}}
		died := time.Now()
		l.loop(func(ctx context.Context) error { return s.run(ctx, "b", b) })
		pass(time.Minute)
		if got := s.times("b"); len(got) != 2 || got[1].Sub(died) > 20*time.Second {
			t.Errorf("died at %s, shown at %v", died, got)
		}
	})
}

func TestAnnouncementsOutliveTheServer(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		j := jetstream.NewJournal(c)
		s := &shown{by: map[string][]time.Time{}}
		l.loop(func(ctx context.Context) error { return s.run(ctx, "a", c) })
		op := l.append(j, failover.Operation{ID: opA}, claimed("x"))
		pass(time.Minute)
		l.stop()
		pass(time.Minute)
		l.start()
		pass(10 * time.Second)
		back := time.Now()
		l.append(j, op, claimed("y"))
		pass(time.Minute)
		if got := s.times("a"); len(got) != 2 || got[1].Sub(back) > 15*time.Second {
			t.Errorf("back at %s, shown at %v", back, got)
		}
	})
}

// A member of the cluster that lags behind delivers a fact and does not have it yet: the bot shows no state without it.
func TestAnnouncedStateHasItsFact(t *testing.T) {
	for _, lag := range []time.Duration{time.Second, 40 * time.Second} {
		t.Run(lag.String(), func(t *testing.T) {
			proxied(t, rand.New(rand.NewPCG(1, 0)), func(l *lab) {
				j := jetstream.NewJournal(l.client("executor", nil))
				a, err := l.client("bot", nil).OpenAnnouncements(l.ctx)
				if err != nil {
					t.Fatal(err)
				}
				op := failover.Operation{ID: opA}
				for i := range 3 {
					if i == 2 {
						l.proxy.StaleReads(lag)
					}
					op = l.append(j, op, claimed("x"))
					next, err := a.Next(l.ctx)
					if err != nil {
						t.Fatal(err)
					}
					if next.Operation.Seq < op.Seq {
						t.Errorf("shown as of %d when told of %d", next.Operation.Seq, op.Seq)
					}
					if err := next.Ack(l.ctx); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}
