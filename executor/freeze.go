package executor

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"ferry/failover"
)

// background reads what stands beside the VM that a decision is about: who has frozen new work, what else there is in the
// vaults, and what ever was. A freeze counts that was stored before the reading began.
func (e *Executor) background(ctx context.Context, s *failover.Situation) error {
	ctx, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	if err := e.Board.CatchUp(ctx); err != nil {
		return err
	}
	s.Past = e.Board.All()
	*s = e.forecasting(*s)
	s.Freezes = failover.Freezes(e.Board.Open())
	s.Inventory = e.lastRead()
	return nil
}

// lastRead are the items of the last vault-wide list; none when nobody has read one yet.
func (e *Executor) lastRead() []failover.Item {
	if items := e.items.known.Load(); items != nil {
		return *items
	}
	return nil
}

// freeze is a command about the freeze of a pattern, of which there is one at most.
func (e *Executor) freeze(ctx context.Context, cmd failover.Command, c matter) (matter, *failover.Refusal, error) {
	hold, err := e.holdOf(ctx, cmd, &c, failover.FreezeKey(failover.FreezePattern(cmd.Target)))
	if err != nil || hold.Op == "" || c.decided {
		return c, nil, err
	}
	frozen, err := e.Journal.Load(ctx, hold.Op)
	if cmd.Verb == failover.VerbUnfreeze {
		c.op = frozen
	} else if frozen.Asked != cmd.MessageID {
		c.situation.Holder = frozen
	}
	return c, nil, err
}

// freezes are those that hold now, read after everything that was stored before.
func (e *Executor) freezes(ctx context.Context) ([]failover.Freeze, error) {
	ctx, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	if err := e.Board.CatchUp(ctx); err != nil {
		return nil, err
	}
	return failover.Freezes(e.Board.Open()), nil
}

// halt tells on each operation that waits which freezes stand in its way.
func (e *Executor) halt(ctx context.Context) {
	open := e.Board.Open()
	freezes := failover.Freezes(open)
	for _, op := range open {
		in := failover.InTheWay(op, freezes)
		if slices.EqualFunc(in, op.Frozen, func(a, b failover.Freeze) bool { return a.Op == b.Op }) {
			continue
		}
		if _, err := e.append(ctx, op, failover.Batch{At: e.now(), Facts: []failover.Fact{failover.Halted{By: in}}}); err != nil {
			e.Log.InfoContext(ctx, "a freeze is not noted yet on what waits behind it", slog.Any("op", op.ID), slog.Any("error", err))
		}
	}
}

// warn reminds the approvers once of every request that is about to expire, and of every broken glass that nobody has
// reviewed; it returns when the next one will be due.
func (e *Executor) warn(ctx context.Context) time.Time {
	var next time.Time
	due := func(op failover.Operation, at time.Time, what func(failover.Operation) failover.Reminded) {
		if !at.IsZero() && !e.now().Before(at) {
			e.reminded(ctx, op, what(op))
		}
		next = sooner(next, at)
	}
	for _, op := range e.Board.Open() {
		if at := failover.WarnAt(op); e.now().Before(op.ExpiresAt) {
			due(op, at, failover.Expiring)
		}
	}
	for _, op := range e.Board.All() {
		due(op, failover.ReviewRemindAt(op), failover.UnreviewedYet)
	}
	return next
}
