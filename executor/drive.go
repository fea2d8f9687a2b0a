package executor

import (
	"context"
	"errors"
	"slices"
	"time"

	"ferry/failover"
)

// driver takes one operation as far as it goes without a person. It belongs to one goroutine, which alone knows the operation
// and what was seen; readings and calls are made by others, one at a time for each target, and come back to it.
type driver struct {
	*Executor
	op    failover.Operation
	epoch uint64
	drive uint64 // sequence of the work message
	seen  map[string]failover.Observation
	era   int // of the clock by which it was seen
	errands
}

// errStale says that a work message is older than the one that the operation is driven on.
var errStale = errors.New("stale work message")

// drive takes an operation over. A nil answer means that nothing is left to do here: it is parked or over.
func (e *Executor) drive(ctx context.Context, id failover.OpID, message uint64) error {
	d := &driver{Executor: e, drive: message, seen: map[string]failover.Observation{}, era: e.Clock.Era(), errands: newErrands()}
	driving, err := d.take(ctx, id)
	for driving && err == nil {
		driving, err = d.step(ctx)
		if errors.Is(err, failover.ErrConflict) {
			driving, err = true, d.reload(ctx)
		}
	}
	err = d.bringHome(ctx, err)
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

// step does what is due now; false means that nothing is left.
func (d *driver) step(ctx context.Context) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if era := d.Clock.Era(); era != d.era { // the times of what was seen are no measure any more
		d.era, d.seen = era, map[string]failover.Observation{}
	}
	for key := range d.out {
		seen := d.seen[key]
		seen.Busy = true
		d.seen[key] = seen
	}
	freezes := failover.Freezes(d.Board.Open())
	now := d.now()
	var round round
	for _, due := range failover.Agenda(d.op, d.seen, d.roomFor, now) {
		switch do := failover.Halt(d.op, due.Target, due.Effect, freezes, now).(type) {
		case failover.Park:
			return false, d.park(ctx)
		case failover.Tell:
			round.tell(do)
		case failover.Wait:
			round.until = sooner(round.until, do.Until)
		case failover.Act:
			round.acts = append(round.acts, do)
		case failover.Look, failover.Probe, failover.Survey, failover.Search, failover.ReadJob:
			round.reads = append(round.reads, failover.Due{Target: due.Target, Effect: do})
		}
	}
	switch {
	case len(round.facts) > 0:
		return true, d.tell(ctx, packed(round.facts)...)
	case len(round.acts) > 0:
		return true, d.act(ctx, round.acts)
	case len(round.reads) > 0:
		d.read(ctx, round.reads)
		return true, nil
	case len(d.out) > 0:
		return true, d.receive(ctx, round.until)
	}
	return true, d.wait(ctx, round.until)
}

// round is what is due at one moment, sorted by what it takes.
type round struct {
	facts []failover.Fact
	acts  []failover.Act
	reads []failover.Due
	until time.Time
	whole bool // a fact about the operation as a whole: nothing else goes with it
}

// tell collects facts that can be stored together. One about the operation as a whole goes alone: it changes what is due.
func (r *round) tell(do failover.Tell) {
	whole := slices.ContainsFunc(do.Facts, failover.OfWhole)
	if r.whole || whole && len(r.facts) > 0 {
		return
	}
	r.whole = whole
	r.facts = append(r.facts, do.Facts...)
}

// packedAtOnce is how many changes stand in one fact: each has some 2 KB at most, and a message holds 1 MB.
const packedAtOnce = 64

// packed puts what was seen of several VMs together.
func packed(facts []failover.Fact) []failover.Fact {
	var changes []failover.Observed
	var others []failover.Fact
	for _, f := range facts {
		if o, seen := f.(failover.Observed); seen {
			changes = append(changes, o)
		} else {
			others = append(others, f)
		}
	}
	if len(changes) < 2 || len(facts) != len(changes)+len(others) {
		return facts
	}
	for part := range slices.Chunk(changes, packedAtOnce) {
		others = append(others, failover.Watched{Changes: part})
	}
	return others
}

// roomFor asks how many VMs more Azure takes.
func (d *driver) roomFor(vaultID string, underWay int) int {
	return d.pace.room(d.op.ID, vaultID, underWay)
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
	if until.IsZero() {
		until = d.now().Add(failover.LookEvery)
	}
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
