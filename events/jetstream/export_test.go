package jetstream

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// RawConn is the connection under a client: a test attacks with it.
func RawConn(c *Client) *nats.Conn { return c.nc }

// Raw is JetStream under a client.
func Raw(c *Client) jetstream.JetStream { return c.js }

// StartSmall starts an embedded server that keeps so many bytes.
func StartSmall(dir string, bytes int64, log *slog.Logger) (*Embedded, error) {
	return startEmbedded(dir, false, bytes, log)
}

// Lag has the bucket read from a server that knows of no later write.
func Lag(ctx context.Context, m *Messages, key string) {
	entry, err := m.kv.Get(ctx, key)
	m.kv = lagging{m.kv, entry, err}
}

type lagging struct {
	jetstream.KeyValue
	entry jetstream.KeyValueEntry
	err   error
}

func (l lagging) Get(context.Context, string) (jetstream.KeyValueEntry, error) { return l.entry, l.err }

// ClockOf makes a clock of anything that tells the time.
func ClockOf(read func(context.Context) (time.Time, error), wall func() time.Time) *Clock {
	return newClock(read, wall, slog.New(slog.DiscardHandler))
}
