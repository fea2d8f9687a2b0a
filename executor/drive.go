package executor

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"ferry/failover"
)

const (
	// actWithin bounds one mutating call.
	actWithin = time.Minute
	// recordWithin bounds the recording of its outcome, which outlives the driver.
	recordWithin = time.Minute
	// intentFresh is how long after its intent a call may still be made. Others make a second one failover.ActAgainAfter
	// after the intent, so that a process that was frozen between the two must not go on.
	intentFresh = time.Minute
	// throttledMost is the longest wait after a throttled call for which Azure named none.
	throttledMost = time.Minute
)

// driver takes one operation as far as it goes without a person. It belongs to one goroutine.
type driver struct {
	*Executor
	op    failover.Operation
	epoch uint64
	drive uint64 // sequence of the work message
	seen  map[string]failover.Observation
}

// errStale says that a work message is older than the one that the operation is driven on.
var errStale = errors.New("stale work message")

// drive takes an operation over. A nil answer means that nothing is left to do here: it is parked or over.
func (e *Executor) drive(ctx context.Context, id failover.OpID, message uint64) error {
	d := &driver{Executor: e, drive: message, seen: map[string]failover.Observation{}}
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
	target, effect := failover.Next(d.op, d.seen, time.Now())
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
		return true, d.look(ctx, target, seen, func() error { return d.readItem(ctx, target, &seen, do.Points) }, &seen)
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
	op, err := d.append(ctx, d.op, failover.Batch{At: time.Now(), Facts: facts})
	if err == nil {
		d.op = op
	}
	return err
}

// wait sleeps until a time, or until the operation gets a fact from somebody else.
func (d *driver) wait(ctx context.Context, until time.Time) error {
	limited, cancel := context.WithDeadline(ctx, until)
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
		seen.Silent, seen.RetryAt, seen.Refused = time.Time{}, time.Time{}, nil
		d.seen[target] = *seen
		return nil
	}
	d.Log.WarnContext(ctx, "reading from Azure", slog.Any("op", d.op.ID), slog.Any("error", err))
	d.seen[target] = silence(before, err, time.Now())
	return nil
}

// silence is an observation after a reading that failed: since when, how, and when to try again.
func silence(before failover.Observation, err error, now time.Time) failover.Observation {
	wait, refused := failover.LookEvery, (*failover.Fault)(nil)
	if site, ok := errors.AsType[*failover.SiteError](err); ok {
		wait = max(wait, site.After)
		if site.Kind == failover.RefusedBySite {
			refused = &site.Fault
		}
	}
	if before.Silent.IsZero() || (before.Refused == nil) != (refused == nil) {
		before.Silent = now
	}
	before.Refused, before.RetryAt = refused, now.Add(wait)
	return before
}

func (d *driver) readItem(ctx context.Context, target string, seen *failover.Observation, points bool) (err error) {
	if seen.Item, err = d.Site.Item(ctx, d.item(target)); err != nil {
		return err
	}
	seen.LookedAt = time.Now()
	if points {
		seen.Points, err = d.Site.Points(ctx, seen.Item)
		seen.PointsAt = time.Now()
	}
	return err
}

func (d *driver) search(ctx context.Context, target string, seen *failover.Observation, since time.Time) (err error) {
	if err = d.readItem(ctx, target, seen, false); err != nil {
		return err
	}
	seen.Found, err = d.Site.JobsSince(ctx, seen.Item, since)
	seen.SearchedAt = time.Now()
	return err
}

func (d *driver) readJob(ctx context.Context, id string, seen *failover.Observation) (err error) {
	seen.Job, err = d.Site.Job(ctx, id)
	seen.JobAt = time.Now()
	return err
}

func (d *driver) item(key string) failover.Item {
	for _, t := range d.op.Targets {
		if t.Item.Key == key {
			return t.Item
		}
	}
	return failover.Item{}
}

// act makes one mutating call: the intent first, which only one driver can win, then the call, then what came of it.
func (d *driver) act(ctx context.Context, do failover.Act) error {
	if err := d.tell(ctx, do.Intent); err != nil {
		return err
	}
	fact := d.call(ctx, do)
	// What was seen before the call says nothing about after it.
	delete(d.seen, do.Intent.Target)
	return d.record(ctx, do.Intent, fact)
}

// call makes the call and says what came of it. A call in flight is let end even when the process is told to stop: its
// outcome is known only here. A call that was not begun by then, or too long after its intent, is not made.
func (d *driver) call(ctx context.Context, do failover.Act) failover.Fact {
	if late := time.Since(d.op.At); ctx.Err() != nil || late > intentFresh {
		return failover.StepDelayed{Target: do.Intent.Target, Kind: do.Intent.Kind, Until: time.Now(), Fault: failover.Fault{Message: "the call was not made: its executor was stopped before"}}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actWithin)
	defer cancel()
	var accepted failover.Accepted
	err := d.Seam("azure."+string(do.Call.Kind), func() (err error) {
		accepted, err = d.Site.Begin(ctx, do.Call)
		return err
	})
	return outcome(do, accepted, err)
}

func outcome(do failover.Act, accepted failover.Accepted, err error) failover.Fact {
	target, kind := do.Intent.Target, do.Intent.Kind
	if err == nil && accepted.JobID != "" {
		return failover.StepAccepted{Target: target, Kind: kind, JobID: accepted.JobID, Poll: accepted.Poll}
	}
	unknown := failover.StepUnknown{Target: target, Kind: kind, Why: "Azure accepted it without naming a job"}
	var site *failover.SiteError
	switch {
	case err == nil:
		return unknown
	case !errors.As(err, &site):
		unknown.Why = err.Error()
		return unknown
	}
	switch site.Kind {
	case failover.Retry:
		wait := max(site.After, min(failover.LookEvery<<min(do.Intent.Attempt-1, 3), throttledMost))
		return failover.StepDelayed{Target: target, Kind: kind, Until: time.Now().Add(wait), Fault: site.Fault}
	case failover.RefusedBySite:
		if !do.Again {
			return failover.StepFailed{Target: target, Kind: kind, Fault: site.Fault}
		}
		unknown.Why = "an earlier call may have arrived, and this one was refused: " + site.Fault.Message
		return unknown
	case failover.Unknown:
	}
	unknown.Why = site.Fault.Message
	return unknown
}

// record appends what came of a call. It is known only here, so even a driver that was superseded or stopped meanwhile
// appends it, as long as nobody else found out; then it stops.
func (d *driver) record(ctx context.Context, intent failover.StepStarted, fact failover.Fact) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	var superseded error
	for {
		err := d.tell(ctx, fact)
		if !errors.Is(err, failover.ErrConflict) {
			return errors.Join(err, superseded)
		}
		superseded = d.reload(ctx)
		read := superseded == nil || errors.Is(superseded, failover.ErrSuperseded) || errors.Is(superseded, errStale)
		if !read || !d.pending(intent) {
			return superseded
		}
	}
}

func (d *driver) pending(intent failover.StepStarted) bool {
	for i := range d.op.Targets {
		if t := &d.op.Targets[i]; t.Item.Key == intent.Target {
			s := t.Step(intent.Kind)
			return s != nil && s.Attempt == intent.Attempt && s.State == failover.StateStarted
		}
	}
	return false
}
