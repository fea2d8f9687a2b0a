package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"ferry/events"
	"ferry/failover"
)

const (
	attemptTimeout = 2 * time.Second
	attemptPause   = 250 * time.Millisecond
	// definiteWithin is how long an answer is sought: a leader election takes 4 to 8 s.
	definiteWithin = 30 * time.Second
)

// The server's error codes that decide what a refused publish means.
const (
	codeWrongLast         = 10071 // a guard lost, as R1 says it
	codeWrongLastConstant = 10164 // a guard lost, as R3 mostly says it
	codeDuplicateInBatch  = 10201 // this batch, or a part of it, is already stored
	codeDuplicateInFlight = 10158 // the same id is being stored right now
	codeBatchIncomplete   = 10176 // the leader changed within the batch: nothing of it is stored
	codeBatchSequence     = 10175
)

// ErrNotConfirmed says that no definite answer came: the message may be stored or not.
var ErrNotConfirmed = errors.New("NATS did not confirm that it was stored")

// guarded is a message with the last sequence that its subject must have; nil is no guard.
type guarded struct {
	msg   events.Message
	guard *uint64
}

// store publishes messages, all or none, and returns the sequence of the last. The answer is definite: stored, lost
// against somebody else (failover.ErrConflict), refused, or ErrNotConfirmed when the time is up.
func (c *Client) store(ctx context.Context, name string, batch []guarded) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, definiteWithin)
	defer cancel()
	for {
		var seq uint64
		err := c.seam(name, func() (err error) {
			seq, err = c.attempt(ctx, batch)
			return err
		})
		switch {
		case err == nil || c.definite(err):
			return seq, err
		case errors.Is(err, nats.ErrConnectionClosed):
			return 0, fmt.Errorf("%w: %w", ErrNotConfirmed, err)
		}
		c.log.DebugContext(ctx, "no definite answer, trying again", slog.String("subject", batch[0].msg.Subject), slog.Any("error", err))
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%w: %w", ErrNotConfirmed, err)
		case <-time.After(attemptPause):
		}
	}
}

// Cut is an error after which a seam lets nothing through any more: retrying is pointless.
type Cut interface{ Cut() bool }

func (c *Client) definite(err error) bool {
	var api *jetstream.APIError
	var cut Cut
	var denied *DeniedError
	switch {
	case errors.Is(err, failover.ErrConflict), errors.As(err, &denied):
		return true
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrBadSubject):
		return true // refused before it was sent
	case errors.As(err, &cut):
		return cut.Cut()
	case errors.As(err, &api):
		switch api.ErrorCode {
		case codeDuplicateInFlight, codeBatchIncomplete, codeBatchSequence:
			return false
		}
		// 429, and 500 and more, speak of the server's state, not of the message.
		return api.Code < 500 && api.Code != http.StatusTooManyRequests
	}
	return false
}

// attempt publishes once, and settles what the server's refusal means by reading back.
func (c *Client) attempt(ctx context.Context, batch []guarded) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	watched, done := c.denials.watch(ctx, batch[0].msg.Subject)
	seq, err := c.publish(watched, batch)
	err = done(err)
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return seq, err
	}
	switch api.ErrorCode {
	case codeWrongLast, codeWrongLastConstant:
		return c.readBack(ctx, batch)
	case codeDuplicateInBatch:
		// Ids are new for each batch, so it is ours that is stored. A reader that lags behind does not show it yet.
		if seq, err = c.readBack(ctx, batch); errors.Is(err, failover.ErrConflict) {
			return 0, errLags
		}
		return seq, err
	}
	return 0, err
}

// errLags says that what is stored for sure cannot be read yet.
var errLags = errors.New("stored, and not to be read yet")

func (c *Client) publish(ctx context.Context, batch []guarded) (uint64, error) {
	last := batch[len(batch)-1]
	if len(batch) == 1 {
		opts := []jetstream.PublishOpt{jetstream.WithRetryAttempts(0)}
		if last.guard != nil {
			opts = append(opts, jetstream.WithExpectLastSequencePerSubject(*last.guard))
		}
		ack, err := c.js.PublishMsg(ctx, wire(last.msg), opts...)
		if err != nil {
			return 0, err
		}
		return ack.Sequence, nil
	}
	b, err := jetstreamext.NewBatchPublisher(c.js, jetstreamext.BatchFlowControl{AckFirst: true, AckTimeout: attemptTimeout})
	if err != nil {
		return 0, err
	}
	for _, m := range batch[:len(batch)-1] {
		if err := b.AddMsg(wire(m.msg), batchGuard(m)...); err != nil {
			return 0, err
		}
	}
	ack, err := b.CommitMsg(ctx, wire(last.msg), batchGuard(last)...)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

func batchGuard(m guarded) []jetstreamext.BatchMsgOpt {
	if m.guard == nil {
		return nil
	}
	return []jetstreamext.BatchMsgOpt{jetstreamext.WithBatchExpectLastSequencePerSubject(*m.guard)}
}

// readBack decides between "an earlier attempt of ours was stored" and "somebody else was first". Batches are all or
// nothing, so the first message speaks for all; it is looked for after its guard, since others may have followed it.
func (c *Client) readBack(ctx context.Context, batch []guarded) (uint64, error) {
	first := batch[0]
	after := uint64(0)
	if first.guard != nil {
		after = *first.guard
	}
	stored, err := c.next(ctx, first.msg.Subject, after)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return 0, failover.ErrConflict // the guard that lost is another message's
	case err != nil:
		return 0, err
	case stored.ID() != first.msg.ID():
		return 0, failover.ErrConflict
	}
	return stored.Seq + uint64(len(batch)) - 1, nil
}

// next reads the first message on a subject after a sequence.
func (c *Client) next(ctx context.Context, subject string, after uint64) (events.Message, error) {
	stream, err := c.stream(ctx)
	if err != nil {
		return events.Message{}, err
	}
	raw, err := stream.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(subject))
	if err != nil {
		return events.Message{}, err
	}
	return read(raw), nil
}

func wire(m events.Message) *nats.Msg {
	header := nats.Header{}
	maps.Copy(header, m.Header)
	return &nats.Msg{Subject: m.Subject, Header: header, Data: m.Data}
}
