package jetstream_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// handled notes when a handler was called.
type handled struct {
	mu    sync.Mutex
	began time.Time
	at    []time.Duration
}

func (h *handled) note() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = append(h.at, time.Since(h.began))
	return len(h.at)
}

func (h *handled) times() []time.Duration {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

// second checks that something was handled twice, the second time within an interval.
func (h *handled) second(t *testing.T, from, to time.Duration) {
	t.Helper()
	if at := h.times(); len(at) != 2 || at[1]-at[0] < from || at[1]-at[0] > to {
		t.Errorf("handled at %v, want twice, %s to %s apart", at, from, to)
	}
}

func (l *lab) submit(c *jetstream.Client, ids ...string) {
	l.Helper()
	for _, id := range ids {
		if err := c.Submit(l.ctx, events.SourceSlack, command(id)); err != nil {
			l.Fatal(err)
		}
	}
}

func (l *lab) commands(c *jetstream.Client, slots int, handle func(context.Context, failover.Command) error) (stop func()) {
	return l.loop(func(ctx context.Context) error { return c.Commands(ctx, slots, handle) })
}

// outcomes: what a handler says is what happens to the message.
func TestQueueOutcomes(t *testing.T) {
	tests := map[string]struct {
		first    error
		from, to time.Duration // of the second delivery; 0 is none
	}{
		"nil acknowledges":                          {nil, 0, 0},
		"an error brings it back after a second":    {errors.New("no"), time.Second, 2 * time.Second},
		"superseded leaves it to its time":          {failover.ErrSuperseded, 9 * time.Second, 12 * time.Second},
		"superseded, with more to say, is the same": {errors.Join(errors.New("no"), failover.ErrSuperseded), 9 * time.Second, 12 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				c := l.client("a", nil)
				h := &handled{began: time.Now()}
				l.commands(c, 4, func(context.Context, failover.Command) error {
					if h.note() == 1 {
						return test.first
					}
					return nil
				})
				l.submit(c, "m1")
				pass(time.Minute)
				if test.to > 0 {
					h.second(t, test.from, test.to)
				} else if at := h.times(); len(at) != 1 {
					t.Errorf("handled at %v", at)
				}
			})
		})
	}
}

func TestQueueHandsOutCommands(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		got := make(chan failover.Command, 4)
		l.commands(c, 1, func(_ context.Context, cmd failover.Command) error { got <- cmd; return nil })
		l.publish(c, events.Message{Subject: events.CommandSubject("slack", opA), Data: []byte("not a command")}, nil)
		forged, err := events.EncodeCommand("cli-eve", command("m0"))
		l.publish(c, forged, err)
		l.submit(c, "m1")
		if cmd := <-got; cmd.By.ID != "cli:eve" {
			t.Errorf("asked by %q", cmd.By.ID)
		}
		if cmd := <-got; cmd.MessageID != "m1" || cmd.Op != opA || cmd.By.ID != "U0BEN" {
			t.Errorf("got %+v", cmd)
		}
	})
}

func TestADeadWorkersMessageComesAgain(t *testing.T) {
	bubble(t, func(l *lab) {
		a, b := l.client("a", nil), l.client("b", nil)
		h := &handled{began: time.Now()}
		ended := make(chan error, 1)
		go func() {
			ended <- a.Commands(l.ctx, 1, func(ctx context.Context, _ failover.Command) error {
				h.note()
				<-ctx.Done()
				return ctx.Err()
			})
		}()
		l.submit(b, "m1")
		pass(5 * time.Minute) // kept alive
		if at := h.times(); len(at) != 1 {
			t.Fatalf("handled at %v", at)
		}
		l.commands(b, 1, func(context.Context, failover.Command) error { h.note(); return nil })
		a.Close()
		died := time.Since(h.began)
		pass(time.Minute)
		at := h.times()
		if len(at) != 2 || at[1]-died < 5*time.Second || at[1]-died > 12*time.Second {
			t.Errorf("died at %s, handled at %v", died, at)
		}
		select {
		case err := <-ended:
			if !errors.Is(err, nats.ErrConnectionClosed) {
				t.Errorf("the loop of a closed connection ended with %v", err)
			}
		default:
			t.Error("the loop of a closed connection goes on")
		}
	})
}

func TestHeartbeatsKeepALongJob(t *testing.T) {
	bubble(t, func(l *lab) {
		a, b := l.client("a", nil), l.client("b", nil)
		h := &handled{began: time.Now()}
		for _, c := range []*jetstream.Client{a, b} {
			l.commands(c, 2, func(ctx context.Context, _ failover.Command) error {
				h.note()
				pass(2 * time.Hour)
				return ctx.Err()
			})
		}
		l.submit(a, "m1")
		pass(3 * time.Hour)
		if at := h.times(); len(at) != 1 {
			t.Errorf("handled at %v", at)
		}
	})
}

// A message that could not be kept alive is somebody else's: the work stops, and nothing is said about the message any
// more, because the server takes anybody's word.
func TestALostMessageIsLeftAlone(t *testing.T) {
	bubble(t, func(l *lab) {
		cause := errors.New("no heartbeat gets through")
		a := l.client("a", func(name string, do func() error) error {
			if name == "decide.heartbeat" {
				return cause
			}
			return do()
		})
		b := l.client("b", nil)
		h := &handled{began: time.Now()}
		stop := l.commands(a, 1, func(ctx context.Context, _ failover.Command) error {
			h.note()
			<-ctx.Done()
			if d := time.Since(h.began); d > 8*time.Second {
				t.Errorf("stopped after %s", d)
			}
			return ctx.Err()
		})
		l.submit(a, "m1")
		pass(time.Second)
		l.commands(b, 1, func(context.Context, failover.Command) error { h.note(); return nil })
		pass(8500 * time.Millisecond) // beyond what a refusal would have taken
		if at := h.times(); len(at) != 1 {
			t.Errorf("handled at %v: who lost it gave it back", at)
		}
		stop()
		pass(time.Minute)
		h.second(t, 9*time.Second, 12*time.Second)
	})
}

func TestSlotsLimitTheWork(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		l.submit(c, "m1", "m2", "m3", "m4", "m5")
		h := &handled{began: time.Now()}
		l.commands(c, 2, func(context.Context, failover.Command) error {
			h.note()
			pass(15 * time.Second) // longer than a message that waits in a buffer would live
			return nil
		})
		pass(5 * time.Minute)
		at := h.times()
		if len(at) != 5 {
			t.Fatalf("handled at %v", at)
		}
		for i := 2; i < len(at); i++ {
			if at[i]-at[i-2] < 15*time.Second {
				t.Errorf("three at a time: %v", at)
			}
		}
	})
}

func TestAQueueStopsPromptly(t *testing.T) {
	for name, away := range map[string]bool{"idle": false, "the server is away": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				c := l.client("a", nil)
				stop := l.commands(c, 2, func(context.Context, failover.Command) error { return nil })
				pass(7 * time.Second)
				if away {
					l.stop()
					pass(time.Minute)
				}
				began := time.Now()
				stop()
				if took := time.Since(began); took > 100*time.Millisecond {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

func TestAStoppedWorkerGivesItsMessageBack(t *testing.T) {
	bubble(t, func(l *lab) {
		a, b := l.client("a", nil), l.client("b", nil)
		h := &handled{began: time.Now()}
		stop := l.commands(a, 1, func(ctx context.Context, _ failover.Command) error {
			h.note()
			<-ctx.Done()
			return ctx.Err()
		})
		l.submit(a, "m1")
		pass(time.Second)
		stop()
		l.commands(b, 1, func(context.Context, failover.Command) error { h.note(); return nil })
		pass(time.Minute)
		h.second(t, time.Second, 4*time.Second)
	})
}

func TestTheQueueOutlivesTheServer(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		h := &handled{began: time.Now()}
		l.commands(c, 2, func(context.Context, failover.Command) error { h.note(); return nil })
		l.submit(c, "m1")
		pass(time.Second)
		l.stop()
		pass(time.Hour)
		l.start()
		pass(5 * time.Second)
		l.submit(c, "m2")
		pass(10 * time.Second)
		if at := h.times(); len(at) < 2 || at[len(at)-1] < time.Hour {
			t.Errorf("handled at %v", at)
		}
		if n := jetstream.RawConn(c).NumSubscriptions(); n > 10 {
			t.Errorf("%d subscriptions are left behind", n)
		}
	})
}

func TestDrives(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		type work struct {
			op  failover.OpID
			seq uint64
		}
		got := make(chan work, 4)
		l.loop(func(ctx context.Context) error {
			return c.Drives(ctx, 2, func(_ context.Context, op failover.OpID, seq uint64) error { got <- work{op, seq}; return nil })
		})
		l.publish(c, events.Message{Subject: events.DriveSubject(opB), Data: []byte(`{"stream":"FERRY"}`)}, nil) // nobody's word
		l.append(jetstream.NewJournal(c), failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
		stored := l.stored(events.DriveSubject(opA))
		if w := <-got; w.op != opA || len(stored) != 1 || w.seq != stored[0].Seq {
			t.Errorf("got %+v, stored %+v", w, stored)
		}
		pass(time.Minute)
		if len(got) != 0 {
			t.Errorf("and %+v", <-got)
		}
	})
}
