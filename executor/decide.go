package executor

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"ferry/failover"
)

// decide settles one command: facts, or a refusal, which is a fact too. It is done when one of them is stored.
func (e *Executor) decide(ctx context.Context, cmd failover.Command) error {
	if e.Board.Answered(cmd.MessageID) {
		return nil // delivered again
	}
	for {
		err := e.tryDecide(ctx, cmd)
		if !errors.Is(err, failover.ErrConflict) || ctx.Err() != nil {
			return err
		}
	}
}

// matter is everything that one decision rests on, and where it will stand.
type matter struct {
	op        failover.Operation // zero but for its id when the command would open it
	situation failover.Situation
	holds     []failover.Hold // of the items that the command would take
}

func (e *Executor) tryDecide(ctx context.Context, cmd failover.Command) error {
	c, refusal, err := e.lookInto(ctx, cmd)
	if err != nil {
		return err
	}
	cmd.Op = c.op.ID
	var facts []failover.Fact
	if refusal == nil {
		facts, refusal = failover.Decide(c.op, cmd, c.situation)
	}
	if refusal != nil {
		return e.refuse(ctx, cmd, refusal)
	}
	if len(facts) == 0 {
		return nil
	}
	_, err = e.append(ctx, c.op, failover.Batch{At: c.situation.Now, Command: cmd.MessageID, Facts: facts, Take: c.holds})
	return err
}

// refuse records the no on the operation that the command names.
func (e *Executor) refuse(ctx context.Context, cmd failover.Command, refusal *failover.Refusal) error {
	op, err := e.Journal.Load(ctx, cmd.Op)
	if err != nil {
		return err
	}
	if _, again := op.Answers[cmd.MessageID]; again {
		return nil
	}
	e.Log.InfoContext(ctx, "refused", slog.Any("op", cmd.Op), slog.Any("verb", cmd.Verb), slog.String("by", cmd.By.ID), slog.String("why", refusal.Message))
	_, err = e.store(ctx, op, failover.Batch{
		At: time.Now(), Command: cmd.MessageID,
		Facts: []failover.Fact{failover.Refused{By: cmd.By, Verb: cmd.Verb, Refusal: *refusal}},
	})
	return err
}

// append completes a batch with what its facts entail: targets are let go with the end, and an operation that has work
// and no driver gets a work message.
func (e *Executor) append(ctx context.Context, op failover.Operation, b failover.Batch) (failover.Operation, error) {
	next := failover.Fold(op, b)
	if op.Exists() || !next.Exists() {
		b.Take = nil
	}
	for i := range b.Take {
		b.Take[i].Op = next.ID
	}
	if next.Phase.Final() && op.Exists() {
		for _, t := range op.Targets {
			hold, err := e.Journal.Holder(ctx, t.Item.Key)
			if err != nil {
				return op, err
			}
			if hold.Op == op.ID { // only the holder's own journal lets go
				b.Release = append(b.Release, failover.Hold{Key: hold.Key, Seq: hold.Seq})
			}
		}
	}
	b.Drive = failover.HasWork(next) && !failover.HasWork(op) && (op.Parked || op.Executor == "")
	return e.store(ctx, op, b)
}

// store appends a batch. Whoever lost against somebody else rests a moment before it looks again: a journal that cannot
// show yet what was appended must not be asked in a circle.
func (e *Executor) store(ctx context.Context, op failover.Operation, b failover.Batch) (failover.Operation, error) {
	op, err := e.Journal.Append(ctx, op, b)
	if errors.Is(err, failover.ErrConflict) {
		pause(ctx, conflictPause)
	}
	return op, err
}

// lookInto reads everything that a command's decision rests on. Azure comes last, and only when the answer depends on it.
func (e *Executor) lookInto(ctx context.Context, cmd failover.Command) (matter, *failover.Refusal, error) {
	c := matter{situation: failover.Situation{Now: time.Now(), Policy: e.Policy}}
	op, err := e.own(ctx, cmd)
	c.op = op
	if _, again := op.Answers[cmd.MessageID]; err != nil || again || cmd.Target == "" || cmd.Late(c.situation.Now) {
		return c, nil, err
	}
	item, refusal, err := e.resolve(ctx, cmd.Target)
	if refusal != nil && refusal.Kind == failover.Unavailable {
		refusal = cmp.Or(failover.Barred(cmd, c.situation), refusal)
	}
	if refusal != nil || err != nil {
		return c, refusal, err
	}
	hold, err := e.Journal.Holder(ctx, item.Key)
	if err != nil {
		return c, nil, err
	}
	c.situation.Item, c.holds = item, []failover.Hold{hold}
	if hold.Op != "" {
		return e.held(ctx, cmd, c, hold)
	}
	if refusal = failover.Barred(cmd, c.situation); refusal != nil {
		return c, refusal, nil
	}
	refusal, err = e.readItem(ctx, cmd, &c)
	return c, refusal, err
}

// own loads the operation of the command's id. When that short id is another command's, the id is salted anew.
func (e *Executor) own(ctx context.Context, cmd failover.Command) (failover.Operation, error) {
	for salt := 1; ; salt++ {
		op, err := e.Journal.Load(ctx, cmd.Op)
		_, ours := op.Answers[cmd.MessageID]
		if err != nil || ours || !op.Exists() || cmd.Target == "" {
			return op, err
		}
		cmd.Op = failover.OpIDOf(cmd.MessageID, salt)
	}
}

// held is a command on a VM that an operation holds: a commit is meant for that operation, all else is told who holds it.
func (e *Executor) held(ctx context.Context, cmd failover.Command, c matter, hold failover.Hold) (matter, *failover.Refusal, error) {
	holder, err := e.Journal.Load(ctx, hold.Op)
	if err != nil {
		return c, nil, err
	}
	if cmd.Verb == failover.VerbCommit {
		c.op = holder
	} else if holder.Asked != cmd.MessageID {
		c.situation.Holder = holder
	}
	return c, nil, nil
}

// readItem reads the item as it is now, with its recovery points where they matter.
func (e *Executor) readItem(ctx context.Context, cmd failover.Command, c *matter) (*failover.Refusal, error) {
	item, err := e.Site.Item(ctx, c.situation.Item)
	if err == nil && cmd.Verb == failover.VerbFailover {
		c.situation.Points, err = e.Site.Points(ctx, item)
	}
	if err != nil {
		return unavailable(ctx, err)
	}
	c.situation.Item = item
	return nil, nil
}

// unavailable turns trouble with Azure into an answer: a person is told, the command is not kept waiting.
func unavailable(ctx context.Context, err error) (*failover.Refusal, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var site *failover.SiteError
	if errors.As(err, &site) && site.Kind == failover.RefusedBySite {
		return failover.Refuse(failover.Unavailable, cmp.Or(site.Fault.Action, "Nothing was started."), "Azure refuses to show it: %s.", strings.TrimSuffix(err.Error(), ".")), nil
	}
	return failover.Refuse(failover.Unavailable, "Nothing was started; ask again in a moment.", "Azure did not answer: %s.", strings.TrimSuffix(err.Error(), ".")), nil
}
