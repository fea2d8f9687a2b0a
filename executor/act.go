package executor

import (
	"context"
	"errors"
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

// act makes one mutating call: the intent first, which only one driver can win, then the call, then what came of it.
func (d *driver) act(ctx context.Context, do failover.Act) error {
	begun, intended := time.Now(), d.now()
	if err := d.tell(ctx, do.Intent); err != nil {
		return err
	}
	fact := d.thawed(ctx, do)
	if fact == nil {
		fact = d.call(ctx, do, begun)
	}
	// What was seen before the call says nothing about after it.
	d.seen[do.Intent.Target] = failover.Observation{WatchedFrom: intended}
	return d.record(ctx, do.Intent, fact)
}

// thawed is asked once more when the intent is stored: a freeze that was stored before it stops the call. When nobody can
// tell, the call is not made either. Nil: nothing stands in its way.
func (d *driver) thawed(ctx context.Context, do failover.Act) failover.Fact {
	if !do.Intent.Kind.NewWork() {
		return nil
	}
	why := ""
	freezes, err := d.freezes(ctx)
	if err != nil {
		why = "it is not known whether new work is frozen"
	} else if tell, stopped := failover.Halt(d.op, do.Intent.Target, do, freezes, d.now()).(failover.Tell); stopped && len(tell.Facts) > 0 {
		why = "new work was frozen meanwhile"
	}
	if why == "" {
		return nil
	}
	return failover.StepDelayed{Target: do.Intent.Target, Kind: do.Intent.Kind, Fault: failover.Fault{Message: "the call was not made: " + why}}
}

// call makes the call and says what came of it. A call in flight is let end even when the process is told to stop: its
// outcome is known only here. A call that was not begun by then, too long after its intent, or after the decision has lapsed
// is not made.
func (d *driver) call(ctx context.Context, do failover.Act, begun time.Time) failover.Fact {
	if ctx.Err() != nil || time.Since(begun) > intentFresh || d.now().After(do.By) {
		return failover.StepDelayed{Target: do.Intent.Target, Kind: do.Intent.Kind, Fault: failover.Fault{Message: "the call was not made: its executor was stopped before"}}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actWithin)
	defer cancel()
	var accepted failover.Accepted
	err := d.Seam("azure."+string(do.Call.Kind), func() (err error) {
		accepted, err = d.Site.Begin(ctx, do.Call)
		return err
	})
	return outcome(do, accepted, err, d.now())
}

func outcome(do failover.Act, accepted failover.Accepted, err error, now time.Time) failover.Fact {
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
		return failover.StepDelayed{Target: target, Kind: kind, Until: now.Add(wait), Fault: site.Fault}
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
