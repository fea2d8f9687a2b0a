package jetstream_test

import (
	"testing"

	"ferry/events/jetstream"
)

// On a cluster a bucket is read from any server, also from one that lags behind. What a bot wrote itself it reads all the same:
// otherwise its next write would lose against its own.
func TestABotReadsWhatItWrote(t *testing.T) {
	bubble(t, func(l *lab) {
		m, err := l.client("bot", nil).OpenMessages(l.ctx)
		if err != nil {
			t.Fatal(err)
		}
		jetstream.Lag(l.ctx, m, string(opA))
		for _, value := range []string{"intent", "posted", "edited"} {
			_, rev, err := m.Get(l.ctx, opA)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Put(l.ctx, opA, []byte(value), rev); err != nil {
				t.Fatalf("storing %q: %v", value, err)
			}
			if got, _, err := m.Get(l.ctx, opA); string(got) != value || err != nil {
				t.Errorf("after storing %q it reads %q, %v", value, got, err)
			}
		}
		another, err := l.client("another", nil).OpenMessages(l.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := another.Get(l.ctx, opA); string(got) != "edited" || err != nil {
			t.Errorf("another bot reads %q, %v", got, err)
		}
	})
}
