package jetstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/failover"
)

// Board is every operation, folded as its facts arrive: what is shown and waited on, never what is decided on.
type Board struct {
	client  *Client
	reading bool // rather than having a consumer
	mu      sync.Mutex
	ops     map[failover.OpID]failover.Operation
	parts   map[failover.OpID]failover.Operation // in the middle of a batch: not shown before its last fact is here
	read    uint64                               // sequence of the newest message that was read, whatever it was
	asked   map[string]failover.OpID             // message id of a command -> where its answer stands
	named   map[failover.OpID]failover.OpID      // the same by the id that people were told before the command was decided
	behind  uint64                               // how many that were stored at the start are not folded yet; of Run alone
	changed chan struct{}                        // closed and replaced with every fact
	ready   chan struct{}                        // closed when everything stored at the start is folded
}

// NewBoard makes an empty board; Run fills it and keeps it.
func NewBoard(c *Client) *Board {
	return &Board{
		client: c, ops: map[failover.OpID]failover.Operation{}, parts: map[failover.OpID]failover.Operation{},
		asked: map[string]failover.OpID{}, named: map[failover.OpID]failover.OpID{}, changed: make(chan struct{}), ready: make(chan struct{}),
	}
}

// Run follows the stream from its beginning until ctx ends, or the connection is closed for good; the error says which. It is
// run once.
func (b *Board) Run(ctx context.Context) error {
	if b.reading {
		return b.readAll(ctx)
	}
	for first := true; ctx.Err() == nil; first = false {
		messages, stored, err := b.follow(ctx)
		if err != nil {
			return err
		}
		if first {
			b.behind = stored
			b.caughtUp()
		}
		err = b.take(ctx, messages)
		messages.Stop()
		if ctx.Err() == nil {
			b.client.log.WarnContext(ctx, "following facts anew", slog.Any("error", err))
		}
	}
	return ctx.Err()
}

// take folds what comes until that ends, and says why.
func (b *Board) take(ctx context.Context, messages jetstream.MessagesContext) error {
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		b.fold(fromMsg(m))
		if b.behind > 0 {
			b.behind--
		}
		b.caughtUp()
	}
}

// caughtUp says so once.
func (b *Board) caughtUp() {
	select {
	case <-b.ready:
	default:
		if b.behind == 0 {
			close(b.ready)
		}
	}
}

// follow opens the facts after the newest that was read and says how many there are by now. An ordered consumer that has to be
// made anew is given up after one attempt: while it tries it cannot be stopped.
func (b *Board) follow(ctx context.Context) (messages jetstream.MessagesContext, stored uint64, err error) {
	from := jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{events.OpSubjects}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: b.read + 1, MaxResetAttempts: 1,
	}
	err = Await(ctx, b.client.log, events.OpSubjects, func(ctx context.Context) error {
		consumer, err := b.client.js.OrderedConsumer(ctx, events.Stream, from)
		if err != nil {
			return err
		}
		if messages, err = consumer.Messages(); err != nil {
			return err
		}
		info, err := consumer.Info(ctx)
		if err != nil {
			messages.Stop()
			return err
		}
		stored = info.NumPending + info.Delivered.Consumer
		return nil
	})
	return messages, stored, err
}

// Ready is closed when everything that was stored when Run began is on the board.
func (b *Board) Ready() <-chan struct{} { return b.ready }

// Answered reports whether a command has been decided, by its message id.
func (b *Board) Answered(messageID string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.asked[messageID]
	return ok
}

func (b *Board) fold(m events.Message) {
	record, err := events.DecodeFact(m)
	id := failover.OpID(events.LastToken(m.Subject))
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.tick() // also when nothing shows: somebody may wait for the board to have read so far
	b.read = max(b.read, m.Seq)
	if errors.Is(err, events.ErrNewer) && !b.ops[id].Newer {
		b.leave(id, m.Seq)
	}
	if err != nil {
		b.client.log.Error("unreadable fact", slog.Any("error", err))
	}
	if err != nil || b.ops[id].Newer {
		return
	}
	op, ok := b.parts[id]
	evolve := failover.EvolveInPlace // nobody is shown a part
	if !ok {
		op, evolve = b.ops[id], failover.Evolve
	}
	op.ID = id
	if m.Seq <= op.Seq { // an ordered consumer that healed may repeat
		return
	}
	op = evolve(op, record)
	if record.More {
		b.parts[id] = op
		return
	}
	delete(b.parts, id)
	b.ops[id] = op
	if record.Command != "" {
		b.asked[record.Command] = id
		b.named[failover.OpIDOf(record.Command, 0)] = id
	}
}

// tick wakes whoever waits for the board.
func (b *Board) tick() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// leave stops following an operation at a fact that this version cannot read, and says so where it is shown: what follows
// would be folded into something else than what happened.
func (b *Board) leave(id failover.OpID, seq uint64) {
	delete(b.parts, id)
	op := b.ops[id]
	op.ID, op.Seq, op.Newer = id, seq, true
	b.ops[id] = op
}

// wait calls look after every fact until it says yes or ctx ends.
func (b *Board) wait(ctx context.Context, look func() bool) error {
	for {
		b.mu.Lock()
		done, changed := look(), b.changed
		b.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// CatchUp waits until everything is on the board that was stored about operations when it was called.
func (b *Board) CatchUp(ctx context.Context) error {
	stream, err := b.client.stream(ctx)
	if err != nil {
		return err
	}
	last, err := stream.GetLastMsgForSubject(ctx, events.OpSubjects)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the end of %s: %w", events.OpSubjects, err)
	}
	return b.wait(ctx, func() bool { return b.read >= last.Sequence })
}

// Decision waits for the answer to a command, by its message id.
func (b *Board) Decision(ctx context.Context, messageID string) (op failover.Operation, a failover.Answer, err error) {
	err = b.wait(ctx, func() bool {
		id, ok := b.asked[messageID]
		op, a = b.ops[id], b.ops[id].Answers[messageID]
		return ok
	})
	return op, a, err
}

// Moved waits until an operation has a fact after a sequence, and returns it as it is then.
func (b *Board) Moved(ctx context.Context, id failover.OpID, after uint64) (op failover.Operation, err error) {
	err = b.wait(ctx, func() bool {
		op = b.ops[id]
		return op.Seq > after
	})
	return op, err
}

// Changes waits for the next fact of any operation after the caller's last look.
func (b *Board) Changes() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// Get returns an operation as folded so far; it may not exist.
func (b *Board) Get(id failover.OpID) failover.Operation {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ops[id]
}

// Open lists the operations that are not over, oldest first.
func (b *Board) Open() []failover.Operation {
	return b.list(func(op failover.Operation) bool { return op.Exists() && !op.Phase.Final() })
}

// All lists every operation that was ever asked for, oldest first.
func (b *Board) All() []failover.Operation { return b.list(failover.Operation.Exists) }

// Drafts lists the requests for many VMs that are being written, or were left so.
func (b *Board) Drafts() []failover.Operation {
	b.mu.Lock()
	defer b.mu.Unlock()
	var drafts []failover.Operation
	for _, op := range b.parts {
		if op.Draft != nil {
			drafts = append(drafts, op)
		}
	}
	return drafts
}

// Find returns the operation that a reference means: its id, the id of a command that was decided on it, or the newest one
// of a VM, or of a group of the configuration. Nothing known gives none.
func (b *Board) Find(ref string) []failover.Operation {
	if failover.IsOpID(strings.ToLower(ref)) {
		id := failover.OpID(strings.ToLower(ref))
		if found := b.list(func(op failover.Operation) bool { return op.ID == id }); len(found) > 0 {
			return found
		}
		b.mu.Lock()
		id = b.named[id]
		b.mu.Unlock()
		return b.list(func(op failover.Operation) bool { return op.ID == id })
	}
	_, vm, qualified := strings.Cut(ref, "/")
	if !qualified {
		vm = ref
	}
	found := b.list(func(op failover.Operation) bool {
		return slices.ContainsFunc(op.Targets, func(t failover.Target) bool {
			return strings.EqualFold(t.Item.Name, vm) && (!qualified || strings.EqualFold(t.Item.Vault+"/"+t.Item.Name, ref))
		})
	})
	if len(found) == 0 {
		found = b.list(func(op failover.Operation) bool {
			return op.Plan.Fleet != nil && ref != "" && strings.EqualFold(op.Plan.Fleet.Name, ref)
		})
	}
	return found[max(0, len(found)-1):]
}

func (b *Board) list(keep func(failover.Operation) bool) []failover.Operation {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ops []failover.Operation
	for _, op := range b.ops {
		if keep(op) {
			ops = append(ops, op)
		}
	}
	slices.SortFunc(ops, func(x, y failover.Operation) int {
		return cmp.Or(x.RequestedAt.Compare(y.RequestedAt), strings.Compare(string(x.ID), string(y.ID)))
	})
	return ops
}
