package executor

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"ferry/failover"
)

// driver takes one operation as far as it goes without a person. It belongs to one goroutine.
type driver struct {
	*Executor
	op    failover.Operation
	epoch uint64
	drive uint64 // sequence of the work message
	seen  map[string]failover.Observation
	era   int // of the clock by which it was seen
}

// errStale says that a work message is older than the one that the operation is driven on.
var errStale = errors.New("stale work message")

// drive takes an operation over. A nil answer means that nothing is left to do here: it is parked or over.
func (e *Executor) drive(ctx context.Context, id failover.OpID, message uint64) error {
	d := &driver{Executor: e, drive: message, seen: map[string]failover.Observation{}, era: e.Clock.Era()}
	driving, err := d.take(ctx, id)
	for driving && err == nil {
		driving, err = d.step(ctx)
		if errors.Is(err, failover.ErrConflict) {
			driving, err = true, d.reload(ctx)
		}
	}
	if errors.Is(err, errStale) {
		return nil
	}
	if err == nil && len(d.seen) > 0 { // what people look at next should show it
		select {
		case e.moved <- struct{}{}:
		default:
		}
	}
	return err
}

// take claims the operation: the sequence of that fact is the epoch, and whoever finds another one stops. An operation
// without work is parked instead, and false comes back.
func (d *driver) take(ctx context.Context, id failover.OpID) (bool, error) {
	for {
		op, err := d.Journal.Load(ctx, id)
		switch {
		case err != nil:
			return false, err
		case op.Drive > d.drive:
			return false, errStale
		}
		d.op = op
		work := failover.HasWork(op)
		if work {
			err = d.tell(ctx, failover.Claimed{Executor: d.Name, Drive: d.drive})
			d.epoch = d.op.Epoch
		} else {
			err = d.park(ctx)
		}
		if !errors.Is(err, failover.ErrConflict) || ctx.Err() != nil {
			return work, err
		}
	}
}

// reload folds again after a lost guard, and stops when another driver has taken over.
func (d *driver) reload(ctx context.Context) error {
	op, err := d.Journal.Load(ctx, d.op.ID)
	if err != nil {
		return err
	}
	d.op = op
	switch {
	case op.Epoch == d.epoch:
		return nil
	case op.Drive > d.drive:
		return errStale
	}
	return failover.ErrSuperseded
}

// step does the one thing that is next; false means that nothing is left.
func (d *driver) step(ctx context.Context) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if era := d.Clock.Era(); era != d.era { // the times of what was seen are no measure any more
		d.era, d.seen = era, map[string]failover.Observation{}
	}
	target, effect := failover.Next(d.op, d.seen, d.now())
	effect = failover.Halt(d.op, target, effect, failover.Freezes(d.Board.Open()), d.now())
	seen := d.seen[target]
	switch do := effect.(type) {
	case failover.Park:
		return false, d.park(ctx)
	case failover.Tell:
		return true, d.tell(ctx, do.Facts...)
	case failover.Wait:
		return true, d.wait(ctx, do.Until)
	case failover.Act:
		return true, d.act(ctx, do)
	case failover.Look:
		return true, d.look(ctx, target, seen, func() error { return d.readItem(ctx, target, &seen, do) }, &seen)
	case failover.Probe:
		return true, d.probe(ctx, target, seen, do.Check)
	case failover.Survey:
		return true, d.look(ctx, target, seen, func() error { return d.survey(ctx, target, &seen) }, &seen)
	case failover.Search:
		return true, d.look(ctx, target, seen, func() error { return d.search(ctx, target, &seen, do.Since) }, &seen)
	case failover.ReadJob:
		return true, d.look(ctx, target, seen, func() error { return d.readJob(ctx, do.ID, &seen) }, &seen)
	}
	return false, nil // not reached: the effects are a closed set
}

// park records that nothing is left to do until somebody decides; who decides then sends a new work message. What was
// read is enough only when it is younger than the work message: otherwise the guard has to say that nothing was missed.
func (d *driver) park(ctx context.Context) error {
	if d.op.Seq > d.drive && (d.op.Parked || d.op.Phase.Final()) {
		return nil
	}
	return d.tell(ctx, failover.Parked{})
}

func (d *driver) tell(ctx context.Context, facts ...failover.Fact) error {
	op, err := d.append(ctx, d.op, failover.Batch{At: d.now(), Facts: facts})
	if err == nil {
		d.op = op
	}
	return err
}

// wait sleeps until a time, or until the operation gets a fact from somebody else.
func (d *driver) wait(ctx context.Context, until time.Time) error {
	limited, cancel := context.WithTimeout(ctx, until.Sub(d.now()))
	defer cancel()
	before := d.op.Seq
	if _, err := d.Board.Moved(limited, d.op.ID, before); err != nil {
		<-limited.Done()
		return ctx.Err()
	}
	if err := d.reload(ctx); err != nil || d.op.Seq > before {
		return err
	}
	pause(limited, time.Second) // the board knows more than the journal shows yet
	return ctx.Err()
}

// look reads something from Azure. Silence is not an error of the operation: it is noted, and asked again later.
func (d *driver) look(ctx context.Context, target string, before failover.Observation, read func() error, seen *failover.Observation) error {
	err := read()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		seen.Silent, seen.RetryAt, seen.Refused, seen.Barred = time.Time{}, time.Time{}, nil, nil
		d.seen[target] = *seen
		return nil
	}
	d.Log.WarnContext(ctx, "reading from Azure", slog.Any("op", d.op.ID), slog.Any("error", err))
	d.seen[target] = silence(before, err, d.now())
	return nil
}

// silence is an observation after a reading that failed: since when, how, and when to try again.
func silence(before failover.Observation, err error, now time.Time) failover.Observation {
	site, ok := errors.AsType[*failover.SiteError](err)
	if !ok {
		site = &failover.SiteError{Kind: failover.Retry}
	}
	after := before
	after.Refused, after.Barred, after.RetryAt = nil, nil, now.Add(max(failover.LookEvery, site.After))
	switch {
	case site.Kind == failover.RefusedBySite:
		after.Refused = &site.Fault
	case site.Fault.Action != "": // somebody can do something about it
		after.Barred = &site.Fault
	}
	if before.Silent.IsZero() || (before.Refused == nil) != (after.Refused == nil) || (before.Barred == nil) != (after.Barred == nil) {
		after.Silent = now.Add(-site.Silent)
	}
	return after
}

func (d *driver) readItem(ctx context.Context, target string, seen *failover.Observation, what failover.Look) (err error) {
	if what.Authority {
		d.readPolicy(ctx, seen)
	}
	if plan := d.op.Plan.Recovery; plan != nil && plan.Key == target {
		return d.readPlan(ctx, d.item(target), seen)
	}
	item := seen.Item // where it was last seen: a reprotect moves it
	if item.Key == "" {
		item = d.item(target)
	}
	if item, err = d.Site.Item(ctx, item); err != nil {
		return err
	}
	if item.Replicated != seen.Item.Replicated || item.State != seen.Item.State || seen.StillSince.IsZero() {
		seen.StillSince = d.now()
	}
	seen.Item = item
	seen.LookedAt = d.now()
	if what.Points {
		if seen.Points, err = d.Site.Points(ctx, seen.Item); err != nil {
			return err
		}
		seen.PointsAt = d.now()
	}
	// What a reprotect would use can be read of a committed VM only; in another state the item tells why there is none.
	if what.Reversal {
		if seen.Item.State == failover.StateCommitted {
			var r failover.Reversal
			r, err = d.Site.Reversal(ctx, seen.Item)
			seen.Reversal = &r
		}
		seen.TurnedAt = d.now()
	}
	return err
}

// readPolicy reads who may do what as of now.
func (d *driver) readPolicy(ctx context.Context, seen *failover.Observation) {
	seen.Policy, seen.PolicyAt = d.policy(ctx), d.now()
	switch {
	case !seen.Policy.Unread():
		seen.UnreadSince = time.Time{}
	case seen.UnreadSince.IsZero():
		seen.UnreadSince = seen.PolicyAt
	}
}

// probe asks the VM whether it works, once.
func (d *driver) probe(ctx context.Context, target string, seen failover.Observation, check failover.Check) error {
	result := failover.CheckResult{Outcome: failover.CheckNoData, Detail: "this executor cannot ask"}
	if d.Prober != nil {
		result = d.Prober.Probe(ctx, check)
	}
	result.Name, result.At = check.Name, d.now()
	if seen.ProbedFrom.IsZero() {
		seen.ProbedFrom = result.At
	}
	seen.Probe = result
	d.seen[target] = seen
	return ctx.Err()
}

func (d *driver) survey(ctx context.Context, target string, seen *failover.Observation) (err error) {
	seen.Leftovers, err = d.Site.Leftovers(ctx, d.item(target))
	seen.SurveyedAt = d.now()
	return err
}

func (d *driver) search(ctx context.Context, target string, seen *failover.Observation, since time.Time) (err error) {
	if err = d.readItem(ctx, target, seen, failover.Look{}); err != nil {
		return err
	}
	seen.Found, err = d.Site.JobsSince(ctx, seen.Item, since)
	seen.SearchedAt = d.now()
	if seen.WatchedFrom.IsZero() {
		seen.WatchedFrom = seen.SearchedAt
	}
	return err
}

func (d *driver) readJob(ctx context.Context, id string, seen *failover.Observation) (err error) {
	seen.Job, err = d.Site.Job(ctx, id)
	seen.JobAt = d.now()
	site, ok := errors.AsType[*failover.SiteError](err)
	if !ok || site.Kind != failover.RefusedBySite {
		seen.Hidden = nil
		return err
	}
	if seen.Hidden == nil { // an answer, too: the item has to tell
		seen.HiddenSince = seen.JobAt
	}
	seen.Job, seen.Hidden = failover.Job{ID: id}, &site.Fault
	return nil
}

func (d *driver) item(key string) failover.Item {
	for _, t := range d.op.Targets {
		if t.Item.Key == key {
			return t.Item
		}
	}
	return failover.Item{}
}
