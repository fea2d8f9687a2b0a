package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/failover"
)

// Journal is the record of every operation: guarded appends and the fold of what is there.
type Journal struct {
	client *Client
	mu     sync.Mutex
	folded map[failover.OpID]failover.Operation // what was read so far; the rest is read on each Load
}

// NewJournal makes a journal on a client. Several journals, in several processes, may work on the same stream.
func NewJournal(c *Client) *Journal {
	return &Journal{client: c, folded: map[failover.OpID]failover.Operation{}}
}

// Load folds everything that is stored about an operation. The answer may be stale when the cluster is split; an append
// guarded by its Seq then loses, so nothing wrong comes of it.
func (j *Journal) Load(ctx context.Context, id failover.OpID) (failover.Operation, error) {
	op := j.cached(id)
	evolve := failover.Evolve // what is cached stays as it is
	for {
		m, err := j.client.next(ctx, events.OpSubject(id), op.Seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			j.remember(op)
			return op, nil
		}
		if err != nil {
			return op, fmt.Errorf("reading %s: %w", id, err)
		}
		record, err := events.DecodeFact(m)
		switch {
		case errors.Is(err, events.ErrForeign):
			j.client.log.WarnContext(ctx, "not a fact", slog.Any("error", err))
			op.Seq = m.Seq // it changes nothing, and counts for the guard
		case err != nil:
			return op, err
		default:
			op = evolve(op, record)
			evolve = failover.EvolveInPlace
		}
	}
}

func (j *Journal) cached(id failover.OpID) failover.Operation {
	j.mu.Lock()
	defer j.mu.Unlock()
	if op, ok := j.folded[id]; ok {
		return op
	}
	return failover.Operation{ID: id}
}

func (j *Journal) remember(op failover.Operation) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if op.Seq >= j.folded[op.ID].Seq {
		j.folded[op.ID] = op
	}
}

// Holder reads who holds a target.
func (j *Journal) Holder(ctx context.Context, key string) (failover.Hold, error) {
	stream, err := j.client.stream(ctx)
	if err != nil {
		return failover.Hold{}, fmt.Errorf("reading the holder of %s: %w", key, err)
	}
	raw, err := stream.GetLastMsgForSubject(ctx, events.TargetSubject(key))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return failover.Hold{Key: key}, nil
	}
	if err != nil {
		return failover.Hold{}, fmt.Errorf("reading the holder of %s: %w", key, err)
	}
	hold, err := events.DecodeHold(read(raw))
	if errors.Is(err, events.ErrForeign) {
		j.client.log.WarnContext(ctx, "not a hold", slog.Any("error", err))
		return j.lastHold(ctx, key)
	}
	return hold, err
}

// lastHold looks for the last word about a target among messages that are none. Its sequence is the last message's: that
// is what a guard has to name.
func (j *Journal) lastHold(ctx context.Context, key string) (failover.Hold, error) {
	last := failover.Hold{Key: key}
	for {
		m, err := j.client.next(ctx, events.TargetSubject(key), last.Seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return last, nil
		}
		if err != nil {
			return last, fmt.Errorf("reading the holder of %s: %w", key, err)
		}
		hold, err := events.DecodeHold(m)
		switch {
		case err == nil:
			last = hold
		case !errors.Is(err, events.ErrForeign):
			return last, err
		}
		last.Seq = m.Seq
	}
}

// Append makes a batch true if nobody else appended to the operation, or took one of the targets, since they were read;
// otherwise it is failover.ErrConflict. It returns the operation as it is then.
func (j *Journal) Append(ctx context.Context, op failover.Operation, b failover.Batch) (failover.Operation, error) {
	messages, err := encode(op, b)
	if err != nil || len(messages) == 0 {
		return op, err
	}
	last, err := j.client.store(ctx, "journal.append", messages)
	if err != nil {
		return op, err
	}
	_ = j.client.nc.Publish(events.Stored, nil) // a hint: who misses it looks by and by
	seq := last - uint64(len(messages)) + 1     // of the first message
	evolve := failover.Evolve                   // the caller's stays as it is
	for i, m := range messages {
		if m.msg.Subject != events.OpSubject(op.ID) {
			continue
		}
		record, err := events.DecodeFact(events.Message{Subject: m.msg.Subject, Header: m.msg.Header, Data: m.msg.Data, Seq: seq + uint64(i)})
		if err != nil {
			return op, err
		}
		op = evolve(op, record)
		evolve = failover.EvolveInPlace
	}
	j.remember(op)
	return op, nil
}

// encode lays a batch out: facts first, guarded by the operation's sequence, then holds, each guarded by its own, then
// the word that there is work. A guard is only allowed on a subject's first message of a batch.
func encode(op failover.Operation, b failover.Batch) ([]guarded, error) {
	id := uuid.NewString() // new for each append, the same for its retries
	var out []guarded
	var failed error
	add := func(m events.Message, err error, guard *uint64) {
		failed = errors.Join(failed, err)
		out = append(out, guarded{m, guard})
	}
	for i, f := range b.Facts {
		record := failover.Record{Fact: f, At: b.At, Command: b.Command, More: i < len(b.Facts)-1 || b.More}
		m, err := events.EncodeFact(op.ID, fmt.Sprintf("%s.fact.%d", id, i), record)
		var guard *uint64
		if i == 0 {
			guard = &op.Seq
		}
		add(m, err, guard)
	}
	for _, h := range slices.Concat(b.Take, b.Release) {
		m, err := events.EncodeHold(h, id+".hold."+h.Key, b.At)
		add(m, err, &h.Seq)
	}
	if b.Drive {
		m, err := events.EncodeDrive(op.ID, id+".drive", b.At)
		add(m, err, nil)
	}
	return out, failed
}
