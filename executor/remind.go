package executor

import (
	"context"
	"log/slog"
	"time"

	"ferry/failover"
)

// remind tells people again of every gate that waits for long and returns when the next one will be due; zero is never.
func (e *Executor) remind(ctx context.Context) time.Time {
	var next time.Time
	for _, op := range e.Board.Open() {
		at := failover.RemindAt(op)
		if at.IsZero() {
			continue
		}
		if !e.now().Before(at) {
			e.reminded(ctx, op, failover.Waiting(op))
		}
		next = sooner(next, at)
	}
	return next
}

// remindDrills tells people again of the drills that nobody has cleaned up.
func (e *Executor) remindDrills(ctx context.Context, items []failover.Item) {
	for _, op := range failover.Forgotten(items, e.Board.All(), e.now()) {
		e.reminded(ctx, op, failover.StillOpen(op))
	}
}

// reminded appends the word, guarded: of several executors one does. Who lost finds it on the board.
func (e *Executor) reminded(ctx context.Context, op failover.Operation, why failover.Reminded) {
	if _, err := e.append(ctx, op, failover.Batch{At: e.now(), Facts: []failover.Fact{why}}); err != nil {
		e.Log.InfoContext(ctx, "a reminder is not recorded yet", slog.Any("op", op.ID), slog.Any("error", err))
	}
}

// sooner is the earlier of two times, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
