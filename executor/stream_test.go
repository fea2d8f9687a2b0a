package executor

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"ferry/failover"
)

// stream is the truth that executors share, in memory: facts with a compare-and-set on each operation's sequence, holds
// with their own, batches that are stored whole or not at all, and the two work queues.
type stream struct {
	mu      sync.Mutex
	seq     uint64
	ops     map[failover.OpID]failover.Operation
	facts   map[failover.OpID][]failover.Fact
	holds   map[string]failover.Hold
	letGo   int
	queue   []*message
	changed chan struct{} // closed and replaced with every change
}

// message is a stored command, or the word that there is work.
type message struct {
	seq                   uint64
	cmd                   failover.Command // zero for work
	op                    failover.OpID
	due                   time.Time // when it may be delivered; zero while somebody has it
	delivered, acked, nak int
	left                  int // how often whoever had it left it to somebody else
}

func newStream() *stream {
	return &stream{
		ops: map[failover.OpID]failover.Operation{}, facts: map[failover.OpID][]failover.Fact{}, holds: map[string]failover.Hold{},
		changed: make(chan struct{}),
	}
}

func (s *stream) next() uint64 { s.seq++; return s.seq }

func (s *stream) wakeUp() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *stream) load(id failover.OpID) failover.Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if op, ok := s.ops[id]; ok {
		return op
	}
	return failover.Operation{ID: id}
}

func (s *stream) holder(key string) failover.Hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.holds[key]
	h.Key = key
	return h
}

func (s *stream) append(op failover.Operation, b failover.Batch) (failover.Operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ops[op.ID].Seq != op.Seq {
		return op, failover.ErrConflict
	}
	holds := slices.Concat(b.Take, b.Release)
	for _, h := range holds {
		if s.holds[h.Key].Seq != h.Seq {
			return op, failover.ErrConflict
		}
	}
	for i, f := range b.Facts {
		op = failover.Evolve(op, failover.Record{Fact: f, At: b.At, Seq: s.next(), Command: b.Command, More: i < len(b.Facts)-1})
		s.facts[op.ID] = append(s.facts[op.ID], f)
	}
	s.ops[op.ID] = op
	for _, h := range holds {
		s.holds[h.Key] = failover.Hold{Key: h.Key, Op: h.Op, Seq: s.next()}
	}
	s.letGo += len(b.Release)
	if b.Drive {
		s.queue = append(s.queue, &message{seq: s.next(), op: op.ID, due: time.Now()})
	}
	s.wakeUp()
	return op, nil
}

// submit stores a command.
func (s *stream) submit(cmd failover.Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, &message{seq: s.next(), cmd: cmd, due: time.Now()})
	s.wakeUp()
}

// work is the newest word that an operation has work.
func (s *stream) work(id failover.OpID) message {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range slices.Backward(s.queue) {
		if m.op == id {
			return *m
		}
	}
	return message{}
}

// acknowledge takes away the words that an operation has work: they were driven by hand, and a driver that gets one again takes
// over from who works on a newer one.
func (s *stream) acknowledge(id failover.OpID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.queue {
		if m.op == id {
			m.due = time.Time{}
		}
	}
}

// works counts the words that an operation has work.
func (s *stream) works(id failover.OpID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, m := range s.queue {
		if m.op == id {
			n++
		}
	}
	return n
}

// count counts the facts of a type on an operation.
func (s *stream) count(id failover.OpID, typ string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, f := range s.facts[id] {
		if f.Type() == typ {
			n++
		}
	}
	return n
}

// take hands out a message that is due, and what to wait for when there is none.
func (s *stream) take(commands bool) (*message, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.queue {
		if (m.op == "") == commands && !m.due.IsZero() && !time.Now().Before(m.due) {
			m.due = time.Time{}
			m.delivered++
			return m, nil
		}
	}
	return nil, s.changed
}

// settle does with a message what the real queue does: nil acknowledges, an error brings it back in a second, and what
// belongs to another driver is left alone.
func (s *stream) settle(m *message, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		m.acked++
	case errors.Is(err, failover.ErrSuperseded):
		m.left++
	default:
		m.nak++
		m.due = time.Now().Add(time.Second)
	}
}

// node is one process's view of the stream. Once dead, nothing that it does is seen.
type node struct {
	*stream
	mu     sync.Mutex
	dead   bool
	shown  *failover.Operation // what Load shows instead, once: a leader that was cut off
	loads  int
	before func(failover.Operation, failover.Batch) // runs before an append, outside of all locks
	after  func(failover.Operation, failover.Batch)
	behind map[failover.OpID]failover.Operation // when set, all that the board knows
	saved  []failover.Inventory
}

var errDead = errors.New("the process is dead")

func (n *node) die() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dead = true
}

func (n *node) alive() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dead {
		return errDead
	}
	return nil
}

func (n *node) Load(ctx context.Context, id failover.OpID) (failover.Operation, error) {
	if err := cmp.Or(ctx.Err(), n.alive()); err != nil {
		return failover.Operation{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.loads++
	if op := n.shown; op != nil {
		n.shown = nil
		return *op, nil
	}
	return n.load(id), nil
}

func (n *node) Holder(ctx context.Context, key string) (failover.Hold, error) {
	return n.holder(key), cmp.Or(ctx.Err(), n.alive())
}

func (n *node) Append(ctx context.Context, op failover.Operation, b failover.Batch) (failover.Operation, error) {
	if n.before != nil {
		n.before(op, b)
	}
	if err := cmp.Or(ctx.Err(), n.alive()); err != nil {
		return op, err
	}
	op, err := n.append(op, b)
	if err == nil && n.after != nil {
		n.after(op, b)
	}
	return op, err
}

func (n *node) Commands(ctx context.Context, slots int, handle func(context.Context, failover.Command) error) error {
	return n.serve(ctx, slots, true, func(m *message) error {
		cmd := m.cmd
		return handle(ctx, cmd)
	})
}

func (n *node) Drives(ctx context.Context, slots int, handle func(context.Context, failover.OpID, uint64) error) error {
	return n.serve(ctx, slots, false, func(m *message) error { return handle(ctx, m.op, m.seq) })
}

func (n *node) serve(ctx context.Context, slots int, commands bool, handle func(*message) error) error {
	var running sync.WaitGroup
	defer running.Wait()
	free := make(chan struct{}, slots)
	for ctx.Err() == nil {
		m, changed := n.take(commands)
		if m == nil {
			select {
			case <-ctx.Done():
			case <-changed:
			case <-time.After(time.Second):
			}
			continue
		}
		free <- struct{}{}
		running.Go(func() {
			err := handle(m)
			if n.alive() == nil {
				n.settle(m, err)
			}
			<-free
		})
	}
	return nil
}

func (n *node) Ready() <-chan struct{} {
	ready := make(chan struct{})
	close(ready)
	return ready
}

// board is what the board has folded so far.
func (n *node) board() (map[failover.OpID]failover.Operation, <-chan struct{}) {
	n.mu.Lock()
	behind := n.behind
	n.mu.Unlock()
	n.stream.mu.Lock()
	defer n.stream.mu.Unlock()
	if behind != nil {
		return behind, n.changed
	}
	return maps.Clone(n.ops), n.changed
}

func (n *node) Open() []failover.Operation {
	ops, _ := n.board()
	open := slices.Collect(maps.Values(ops))
	open = slices.DeleteFunc(open, func(op failover.Operation) bool { return !op.Exists() || op.Phase.Final() })
	slices.SortFunc(open, func(a, b failover.Operation) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return open
}

func (n *node) All() []failover.Operation {
	ops, _ := n.board()
	all := slices.Collect(maps.Values(ops))
	all = slices.DeleteFunc(all, func(op failover.Operation) bool { return !op.Exists() })
	slices.SortFunc(all, func(a, b failover.Operation) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all
}

func (n *node) Changes() <-chan struct{} {
	_, changed := n.board()
	return changed
}

func (n *node) Moved(ctx context.Context, id failover.OpID, after uint64) (failover.Operation, error) {
	for {
		ops, changed := n.board()
		if ops[id].Seq > after {
			return ops[id], nil
		}
		select {
		case <-ctx.Done():
			return failover.Operation{}, ctx.Err()
		case <-changed:
		}
	}
}

func (n *node) Drafts() []failover.Operation {
	ops, _ := n.board()
	return slices.DeleteFunc(slices.Collect(maps.Values(ops)), func(op failover.Operation) bool { return op.Draft == nil })
}

func (n *node) Answered(messageID string) bool {
	ops, _ := n.board()
	for _, op := range ops {
		if _, ok := op.Answers[messageID]; ok {
			return true
		}
	}
	return false
}

// CatchUp ends the time in which the board is behind.
func (n *node) CatchUp(context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.behind = nil
	return nil
}

func (n *node) Inventory(context.Context) (failover.Inventory, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.saved) == 0 {
		return failover.Inventory{}, nil
	}
	return n.saved[len(n.saved)-1], nil
}

func (n *node) SaveInventory(_ context.Context, inv failover.Inventory) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.saved = append(n.saved, inv)
	return nil
}
