package jetstream

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/events"
)

// lookEvery is how often a board that reads looks by itself. Executors say when there is something new.
const lookEvery = 5 * time.Second

// NewReadingBoard makes a board that reads the stream message by message. It is a bot's: one that may make consumers can have
// the server deliver what is in them wherever it likes.
func NewReadingBoard(c *Client) *Board {
	b := NewBoard(c)
	b.reading = true
	return b
}

// readAll follows the facts until ctx ends, or the connection is closed for good.
func (b *Board) readAll(ctx context.Context) error {
	hints := make(chan struct{}, 1)
	sub, err := b.client.nc.Subscribe(events.Stored, func(*nats.Msg) {
		select {
		case hints <- struct{}{}:
		default: // one look is enough
		}
	})
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }() // ends with the connection anyway
	for ctx.Err() == nil {
		err := b.readOn(ctx)
		again := time.After(lookEvery)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, nats.ErrConnectionClosed):
			return err
		case err != nil:
			b.client.log.WarnContext(ctx, "reading facts", slog.Any("error", err))
			again = time.After(retryAfter)
		default:
			b.caughtUp()
		}
		select {
		case <-hints:
		case <-again:
		case <-ctx.Done():
		}
	}
	return nil
}

// readOn folds what was stored since the last look.
func (b *Board) readOn(ctx context.Context) error {
	for {
		if err := b.client.connected(); err != nil {
			return err
		}
		b.mu.Lock()
		after := b.read
		b.mu.Unlock()
		m, err := b.nextFact(ctx, after)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		b.fold(m)
	}
}

func (b *Board) nextFact(ctx context.Context, after uint64) (events.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return b.client.next(ctx, events.OpSubjects, after)
}
