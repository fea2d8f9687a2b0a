package jetstream_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/events/jetstream"
)

// An executor that starts beside others writes nothing where everything fits, leaves alone what an operator has set, and mends
// what is not as Ferry needs it.
func TestEnsureLeavesAloneWhatFits(t *testing.T) {
	bubble(t, func(l *lab) {
		writes := 0
		c := l.client("a", func(name string, do func() error) error {
			if name == "ensure" {
				writes++
			}
			return do()
		})
		ensures := func(want int, why string) {
			l.Helper()
			writes = 0
			if err := c.Ensure(l.ctx); err != nil {
				t.Fatal(err)
			}
			if writes != want {
				t.Errorf("%s: %d writes, want %d", why, writes, want)
			}
		}
		ensures(0, "all is there")
		js := jetstream.Raw(c)
		config := func() natsjs.StreamConfig {
			l.Helper()
			s, err := js.Stream(l.ctx, events.Stream)
			if err != nil {
				t.Fatal(err)
			}
			return s.CachedInfo().Config
		}
		theirs := config()
		theirs.MaxBytes = 1 << 30
		update := func(s natsjs.StreamConfig) {
			l.Helper()
			if _, err := js.UpdateStream(l.ctx, s); err != nil {
				t.Fatal(err)
			}
		}
		update(theirs)
		ensures(0, "an operator has set a limit")
		theirs.Duplicates = time.Minute
		update(theirs)
		decide, err := js.Consumer(l.ctx, events.Stream, "decide")
		if err != nil {
			t.Fatal(err)
		}
		slow := decide.CachedInfo().Config
		slow.AckWait = time.Hour
		if _, err := js.UpdateConsumer(l.ctx, events.Stream, slow); err != nil {
			t.Fatal(err)
		}
		ensures(2, "two are not as Ferry needs them")
		if got := config(); got.Duplicates != 24*time.Hour || got.MaxBytes != 1<<30 {
			t.Errorf("the stream is %+v", got)
		}
		ensures(0, "mended")
	})
}

// An executor makes no new stream in the place of one that was deleted: it would know nothing of what is held and frozen. It
// does once somebody has deleted what is remembered of the old one.
func TestEnsureDoesNotReplaceTheStream(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		stop := l.keep(c)
		l.fill(jetstream.NewJournal(c), 3)
		pass(3 * time.Second)
		stop()
		js := jetstream.Raw(c)
		if err := js.DeleteStream(l.ctx, events.Stream); err != nil {
			t.Fatal(err)
		}
		err := c.Ensure(l.ctx)
		if err == nil || jetstream.Passing(err) || !strings.Contains(err.Error(), "remembers 3 messages of it: restore its backup") {
			t.Errorf("the stream was deleted: %v", err)
		}
		if _, err := js.Stream(l.ctx, events.Stream); !errors.Is(err, natsjs.ErrStreamNotFound) {
			t.Errorf("a new stream: %v", err)
		}
		if err := js.DeleteKeyValue(l.ctx, "ferry-audit"); err != nil {
			t.Fatal(err)
		}
		if err := c.Ensure(l.ctx); err != nil {
			t.Errorf("nothing is remembered: %v", err)
		}
	})
}

// Executors that start together on an empty server both find nothing there. What one has made the other takes as it is: the
// server cannot change a stream while consumers are made on it.
func TestEnsureTogether(t *testing.T) {
	bare(t, func(l *lab) {
		nc, err := nats.Connect("", nats.InProcessServer(l))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		updates, err := nc.SubscribeSync("$JS.API.STREAM.UPDATE.>")
		if err != nil {
			t.Fatal(err)
		}
		var looked, together sync.WaitGroup
		looked.Add(2)
		for _, name := range []string{"a", "b"} {
			arrive := sync.OnceFunc(func() { looked.Done(); looked.Wait() })
			c := l.connect(name, func(_ string, do func() error) error { arrive(); return do() })
			together.Go(func() {
				if err := jetstream.Await(l.ctx, logger(t), name, c.Ensure); err != nil {
					t.Error(err)
				}
			})
		}
		together.Wait()
		if m, err := updates.NextMsg(time.Second); err == nil {
			t.Errorf("changed what the other had made: %s", m.Subject)
		}
	})
}
