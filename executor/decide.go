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

// catchUpWithin bounds the wait for the board; the command comes again after it.
const catchUpWithin = 10 * time.Second

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
	decided   bool            // already, on another operation
}

func (e *Executor) tryDecide(ctx context.Context, cmd failover.Command) error {
	c, refusal, err := e.lookInto(ctx, cmd)
	if err != nil || c.decided {
		return err
	}
	cmd.Op, cmd.By = c.op.ID, c.situation.Policy.Named(cmd.By)
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
	_, err = e.append(ctx, c.op, failover.Batch{At: c.situation.Now, Command: cmd.MessageID, Facts: facts, Take: takes(c.holds, facts)})
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
		At: e.now(), Command: cmd.MessageID,
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
		holds, err := e.heldBy(ctx, op.ID, op.Holds())
		if err != nil {
			return op, err
		}
		b.Release = append(b.Release, holds...)
	}
	b.Drive = failover.HasWork(next) && !failover.HasWork(op) && (op.Parked || op.Executor == "")
	if len(b.Take) > failover.TakeAtOnce {
		return e.accept(ctx, op, b)
	}
	return e.storeMany(ctx, op, b)
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
	c := matter{situation: failover.Situation{Now: e.now(), Policy: e.policy(ctx), Networks: e.Networks, Sizes: e.Sizes, Jumped: e.Clock.Jumped}}
	op, err := e.own(ctx, cmd)
	c.op = op
	if _, again := op.Answers[cmd.MessageID]; err != nil || again || cmd.By.Standing != "" || cmd.Late(c.situation.Now) || op.SentBefore(cmd.MessageID) {
		return c, nil, err
	}
	if err := e.background(ctx, &c.situation); err != nil {
		return c, nil, err
	}
	switch {
	case cmd.Verb == failover.VerbFreeze, cmd.Verb == failover.VerbUnfreeze:
		return e.freeze(ctx, cmd, c)
	case cmd.Verb == failover.VerbIncident:
		return e.incident(ctx, cmd, c)
	case cmd.Verb == failover.VerbPlan:
		return e.plan(ctx, cmd, c)
	case cmd.Verb == failover.VerbGroup, cmd.Group:
		return e.gather(ctx, cmd, c)
	case cmd.NamesOp():
		return e.ofOperation(ctx, cmd, c)
	}
	item, refusal, err := e.resolve(ctx, cmd.Target)
	if refusal != nil && refusal.Kind == failover.UnknownName {
		refusal = cmp.Or(failover.GroupMeant(cmd.Verb, cmd.Target, e.Fleets), failover.PlanMeant(cmd.Verb, cmd.Target, e.Board.All()), refusal)
	}
	if refusal != nil && refusal.Kind == failover.Unavailable {
		refusal = cmp.Or(failover.Barred(cmd, c.situation), refusal)
	}
	if refusal != nil || err != nil {
		return c, refusal, err
	}
	return e.about(ctx, cmd, c, item)
}

// ofOperation is a command that names an operation: about that operation, or about its VM once it is over.
func (e *Executor) ofOperation(ctx context.Context, cmd failover.Command, c matter) (matter, *failover.Refusal, error) {
	open := c.op.Exists() && !c.op.Phase.Final()
	gate, waits := c.op.Pending()
	switch {
	case waits && cmd.Verb == failover.VerbReprotect && gate.Step.IsReprotect(): // a press of that gate
		return c, nil, nil
	case (cmd.Verb == failover.VerbReprotect || cmd.Verb == failover.VerbFailback) && len(c.op.Targets) > 1:
		over := c.op
		op, err := e.fresh(ctx, cmd)
		c.op = op
		if _, again := op.Answers[cmd.MessageID]; err != nil || again {
			return c, nil, err
		}
		return e.allOf(ctx, cmd, c, over)
	case len(c.op.Targets) != 1:
		return c, nil, nil
	case cmd.Verb == failover.VerbChange && open:
		refusal, err := e.forChange(ctx, cmd, &c)
		return c, refusal, err
	case cmd.Verb != failover.VerbReprotect && cmd.Verb != failover.VerbCleanup && cmd.Verb != failover.VerbFailback:
		return c, nil, nil
	}
	item := c.op.Targets[0].Item
	op, err := e.fresh(ctx, cmd)
	c.op = op
	if _, again := op.Answers[cmd.MessageID]; err != nil || again {
		return c, nil, err
	}
	return e.about(ctx, cmd, c, item)
}

// about reads the VM of a command, unless an operation holds it.
func (e *Executor) about(ctx context.Context, cmd failover.Command, c matter, item failover.Item) (matter, *failover.Refusal, error) {
	c.situation.Item = item
	hold, err := e.holdOf(ctx, cmd, &c, item.Key)
	switch {
	case err != nil, c.decided:
		return c, nil, err
	case hold.Op != "":
		return e.held(ctx, cmd, c, hold)
	}
	refusal := failover.Barred(cmd, c.situation)
	if refusal == nil {
		refusal, err = e.readItem(ctx, cmd, &c)
	}
	return c, refusal, err
}

// holdOf reads who holds what a command is about, and whether it was decided before: on another operation, which may have let
// go since. It was delivered again then, and must not act on whoever holds it now. That is read after the hold, whose guard
// tells of all that came later.
func (e *Executor) holdOf(ctx context.Context, cmd failover.Command, c *matter, key string) (failover.Hold, error) {
	hold, err := e.Journal.Holder(ctx, key)
	if c.holds = []failover.Hold{hold}; err != nil || c.op.Exists() {
		return hold, err
	}
	ctx, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	err = e.Board.CatchUp(ctx)
	c.decided = e.Board.Answered(cmd.MessageID)
	return hold, err
}

// own loads the operation of the command's id. When that short id is another command's, the id is salted anew.
func (e *Executor) own(ctx context.Context, cmd failover.Command) (failover.Operation, error) {
	op, err := e.Journal.Load(ctx, cmd.Op)
	_, ours := op.Answers[cmd.MessageID]
	if err != nil || ours || !op.Exists() && op.Draft == nil || cmd.NamesOp() && failover.ClassOf(cmd.Verb) != failover.ClassFreeze {
		return op, err
	}
	return e.fresh(ctx, cmd)
}

// fresh is the operation that a command would open, under the first of its ids that is no other command's.
func (e *Executor) fresh(ctx context.Context, cmd failover.Command) (failover.Operation, error) {
	for salt := 0; ; salt++ {
		op, err := e.Journal.Load(ctx, failover.OpIDOf(cmd.MessageID, salt))
		_, ours := op.Answers[cmd.MessageID]
		if op.Draft != nil && op.Draft.Command == cmd.MessageID {
			return e.abandon(ctx, op)
		}
		if err != nil || ours || op.SentBefore(cmd.MessageID) || !op.Exists() && op.Draft == nil {
			return op, err
		}
	}
}

// held is a command on a VM that an operation holds: what its gate waits for is meant for that operation when the VM was
// named, all else is told who holds it.
func (e *Executor) held(ctx context.Context, cmd failover.Command, c matter, hold failover.Hold) (matter, *failover.Refusal, error) {
	holder, err := e.Journal.Load(ctx, hold.Op)
	if err != nil {
		return c, nil, err
	}
	gate, _ := holder.Pending()
	switch {
	case holder.Draft != nil, cmd.Target == "": // what followed from another operation was meant, which is not this one's press
		c.situation.Holder = holder
	case cmd.Verb == failover.VerbCommit, cmd.Verb == failover.VerbReprotect && gate.Step.IsReprotect():
		c.op = holder
	case cmd.Verb == failover.VerbChange:
		c.op = holder
		refusal, err := e.forChange(ctx, cmd, &c)
		return c, refusal, err
	case holder.Asked != cmd.MessageID:
		c.situation.Holder = holder
	}
	return c, nil, nil
}

// forChange reads what another recovery point for an open operation can be. A press names none.
func (e *Executor) forChange(ctx context.Context, cmd failover.Command, c *matter) (*failover.Refusal, error) {
	if c.op.Phase != failover.AwaitingCommit || len(c.op.Targets) != 1 || cmd.Seen != "" {
		return nil, nil
	}
	c.situation.Item = c.op.Targets[0].Item
	return e.readItem(ctx, cmd, c)
}

// incident is a command about the declared incident, of which there is one at most.
func (e *Executor) incident(ctx context.Context, cmd failover.Command, c matter) (matter, *failover.Refusal, error) {
	hold, err := e.holdOf(ctx, cmd, &c, failover.IncidentKey())
	if err != nil || hold.Op == "" || c.decided {
		return c, nil, err
	}
	declared, err := e.Journal.Load(ctx, hold.Op)
	if cmd.Over {
		c.op = declared
	} else if declared.Asked != cmd.MessageID {
		c.situation.Holder = declared
	}
	return c, nil, err
}

// began is when the declared incident began; zero when there is none.
func (e *Executor) began(ctx context.Context) (time.Time, error) {
	hold, err := e.Journal.Holder(ctx, failover.IncidentKey())
	if err != nil || hold.Op == "" {
		return time.Time{}, err
	}
	op, err := e.Journal.Load(ctx, hold.Op)
	return op.Began(), err
}

// readItem reads the item as it is now, with its recovery points or what a reprotect would use where they matter.
func (e *Executor) readItem(ctx context.Context, cmd failover.Command, c *matter) (*failover.Refusal, error) {
	item, err := e.Site.Item(ctx, c.situation.Item)
	if err != nil {
		return unavailable(ctx, err)
	}
	c.situation.Item = item
	switch back := item.State == failover.StateCommitted; {
	case cmd.Verb == failover.VerbFailover, cmd.Verb == failover.VerbTest, cmd.Verb == failover.VerbChange, cmd.Verb == failover.VerbFailback && !back:
		c.situation.Points, err = e.Site.Points(ctx, item)
	case cmd.Verb == failover.VerbReprotect && back, cmd.Verb == failover.VerbFailback && back:
		var reversal failover.Reversal
		reversal, err = e.Site.Reversal(ctx, item)
		c.situation.Reversal = &reversal
	}
	if err != nil {
		return unavailable(ctx, err)
	}
	c.situation.Check = e.checkOf(item)
	c.situation.Incident, err = e.began(ctx)
	return nil, err
}

// checkOf is how the VM is asked whether it works; nil when the configuration says nothing about it.
func (e *Executor) checkOf(item failover.Item) *failover.Check {
	if e.Checks == nil {
		return nil
	}
	return e.Checks(item)
}

// unavailable turns trouble with Azure into an answer: a person is told, the command is not kept waiting.
func unavailable(ctx context.Context, err error) (*failover.Refusal, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var site *failover.SiteError
	if errors.As(err, &site) && site.Kind == failover.RefusedBySite && site.Fault.Code == failover.CodePrerequisite {
		return &failover.Refusal{Kind: failover.WrongState, Message: site.Fault.Message, Hint: cmp.Or(site.Fault.Action, "Nothing was started.")}, nil
	}
	if errors.As(err, &site) && site.Kind == failover.RefusedBySite {
		return failover.Refuse(failover.Unavailable, cmp.Or(site.Fault.Action, "Nothing was started."), "Azure refuses to show it: %s.", strings.TrimSuffix(err.Error(), ".")), nil
	}
	if site != nil && (site.Fault.Action != "" || strings.HasPrefix(site.Fault.Message, "Azure ")) { // it says all by itself
		return failover.Refuse(failover.Unavailable, strings.TrimSpace(site.Fault.Action+" Nothing was started; ask again in a moment."), "%s.", strings.TrimSuffix(site.Fault.Message, ".")), nil
	}
	return failover.Refuse(failover.Unavailable, "Nothing was started; ask again in a moment.", "Azure did not answer: %s.", strings.TrimSuffix(err.Error(), ".")), nil
}
