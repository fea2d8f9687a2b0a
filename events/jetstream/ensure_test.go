package jetstream_test

import (
	"testing"
	"time"

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
