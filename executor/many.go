package executor

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"ferry/failover"
)

// letGoAfter is how long whoever ended an operation has to let all its VMs go, before others do it.
const letGoAfter = 15 * time.Second

// accept opens an operation on more VMs than one batch takes: the request first, as a draft that nobody sees, then its VMs
// in batches, in the order of their keys so that of two requests one always gets through, and in the end the word that it
// counts. Whoever finds a draft of a command that is delivered again has it abandoned, and decides anew.
func (e *Executor) accept(ctx context.Context, op failover.Operation, b failover.Batch) (failover.Operation, error) {
	request, ok := b.Facts[0].(failover.Requested)
	if !ok {
		return op, errors.New("an operation begins with its request")
	}
	takes := slices.SortedFunc(slices.Values(b.Take), func(x, y failover.Hold) int { return cmp.Compare(x.Key, y.Key) })
	part := failover.Batch{At: b.At, Command: b.Command, Facts: failover.DraftOf(request), More: true}
	for {
		next, err := e.store(ctx, op, part)
		if err != nil {
			return op, err
		}
		op = next
		if len(takes) <= failover.TakeAtOnce {
			break
		}
		part.Take, takes = takes[:failover.TakeAtOnce], takes[failover.TakeAtOnce:]
		part.Facts = []failover.Fact{failover.Taken{Held: op.Draft.Held + len(part.Take)}}
	}
	b.Facts, b.Take = append([]failover.Fact{failover.DraftAccepted{}}, b.Facts[1:]...), takes
	return e.store(ctx, op, b)
}

// abandon lets go what a draft has taken, and ends it. Its writer, if there is one still, loses its guard with the first batch.
func (e *Executor) abandon(ctx context.Context, op failover.Operation) (failover.Operation, error) {
	e.Log.InfoContext(ctx, "a request was not accepted whole, its VMs are let go", slog.Any("op", op.ID))
	holds, err := e.heldBy(ctx, op.ID, op.Draft.Keys())
	if err != nil {
		return op, err
	}
	for len(holds) > failover.TakeAtOnce {
		part := failover.Batch{At: e.now(), Release: holds[:failover.TakeAtOnce], More: true}
		holds = holds[failover.TakeAtOnce:]
		part.Facts = []failover.Fact{failover.Taken{Held: len(holds)}}
		if op, err = e.store(ctx, op, part); err != nil {
			return op, err
		}
	}
	return e.store(ctx, op, failover.Batch{At: e.now(), Facts: []failover.Fact{failover.Abandoned{}}, Release: holds})
}

// heldBy reads which of the items an operation holds: only the holder's own journal lets go.
func (e *Executor) heldBy(ctx context.Context, id failover.OpID, keys []string) ([]failover.Hold, error) {
	var holds []failover.Hold
	for _, key := range keys {
		hold, err := e.Journal.Holder(ctx, key)
		if err != nil {
			return nil, err
		}
		if hold.Op == id {
			holds = append(holds, failover.Hold{Key: hold.Key, Seq: hold.Seq})
		}
	}
	return holds, nil
}

// storeMany stores a batch whose facts or releases are too many for one: facts that stand by themselves are stored one after
// another, and VMs are let go after the last fact.
func (e *Executor) storeMany(ctx context.Context, op failover.Operation, b failover.Batch) (failover.Operation, error) {
	part := b
	part.Release, part.Drive = nil, false
	for len(b.Facts) > failover.TakeAtOnce {
		part.Facts, b.Facts = b.Facts[:failover.TakeAtOnce], b.Facts[failover.TakeAtOnce:]
		next, err := e.store(ctx, op, part)
		if err != nil {
			return op, err
		}
		op = next
	}
	rest := b.Release[min(len(b.Release), failover.TakeAtOnce):]
	b.Release = b.Release[:len(b.Release)-len(rest)]
	op, err := e.store(ctx, op, b)
	if err != nil {
		return op, err
	}
	e.release(ctx, op, rest)
	return op, nil
}

// release lets VMs go of an operation that is over. What does not succeed is done by whoever looks after it, see letGo.
func (e *Executor) release(ctx context.Context, op failover.Operation, holds []failover.Hold) {
	for part := range slices.Chunk(holds, failover.TakeAtOnce) {
		if _, err := e.store(ctx, op, failover.Batch{At: e.now(), Release: part}); err != nil {
			e.Log.WarnContext(ctx, "letting VMs go, later again", slog.Any("op", op.ID), slog.Any("error", err))
			return
		}
	}
}

// letGo looks after operations that ended and held more VMs than are let go with the last fact, and after drafts whose command
// is too old to be acted on: whoever was at it may have died. It returns when to look again; zero is at the next change.
func (e *Executor) letGo(ctx context.Context, done map[failover.OpID]bool) time.Time {
	var next time.Time
	now := e.now()
	for _, op := range e.Board.Drafts() {
		if at := op.Draft.At.Add(failover.CommandValidity + letGoAfter); now.Before(at) {
			next = sooner(next, at)
			continue
		}
		op, err := e.Journal.Load(ctx, op.ID)
		if err == nil && op.Draft != nil {
			_, err = e.abandon(ctx, op)
		}
		if err != nil {
			e.Log.WarnContext(ctx, "letting the VMs of a draft go, later again", slog.Any("op", op.ID), slog.Any("error", err))
		}
		next = sooner(next, now.Add(letGoAfter))
	}
	for _, op := range e.Board.All() {
		if !op.Phase.Final() || len(op.Targets) <= failover.TakeAtOnce || done[op.ID] {
			continue
		}
		if at := op.FinishedAt.Add(letGoAfter); now.Before(at) {
			next = sooner(next, at)
			continue
		}
		holds, err := e.heldBy(ctx, op.ID, op.Holds())
		if err == nil && len(holds) == 0 {
			done[op.ID] = true
			continue
		}
		e.release(ctx, op, holds)
		next = sooner(next, now.Add(letGoAfter))
	}
	return next
}
