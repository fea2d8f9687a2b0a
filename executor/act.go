package executor

import (
	"context"
	"errors"
	"slices"
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

// actsAtOnce bounds the intents that are stored together: each call has to be made within intentFresh of its intent.
const actsAtOnce = 64

// act makes mutating calls: the intents first, which only one driver can win, then each call, and then what came of it.
func (d *driver) act(ctx context.Context, acts []failover.Act) error {
	acts = acts[:min(len(acts), actsAtOnce)]
	begun, intended := time.Now(), d.now()
	var intents []failover.Fact
	for _, do := range acts {
		intents = append(intents, do.Intent)
	}
	if err := d.tell(ctx, intents...); err != nil {
		return err
	}
	freezes, frozen := d.freezesFor(ctx, acts)
	d.reread(acts, intended)
	for _, do := range acts {
		out := result{target: do.Intent.Target, call: &do, fact: thawed(d.op, do, freezes, frozen, d.now())}
		d.out[out.target] = true
		go func() {
			if out.fact == nil {
				out.fact = d.call(ctx, do, begun)
			}
			d.back <- out
		}()
	}
	return nil
}

// freezesFor reads who has frozen new work, once more when the intents are stored, if one of the calls is new work.
func (d *driver) freezesFor(ctx context.Context, acts []failover.Act) ([]failover.Freeze, error) {
	if !slices.ContainsFunc(acts, func(do failover.Act) bool { return do.Intent.Kind.NewWork() }) {
		return nil, nil
	}
	return d.freezes(ctx)
}

// thawed is asked once more when the intent is stored: a freeze that was stored before it stops the call. When nobody can
// tell, the call is not made either. Nil: nothing stands in its way.
func thawed(op failover.Operation, do failover.Act, freezes []failover.Freeze, unknown error, now time.Time) failover.Fact {
	if !do.Intent.Kind.NewWork() {
		return nil
	}
	why := ""
	if unknown != nil {
		why = "it is not known whether new work is frozen"
	} else if tell, stopped := failover.Halt(op, do.Intent.Target, do, freezes, now).(failover.Tell); stopped && len(tell.Facts) > 0 {
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

// record appends what came of calls. It is known only here, so even a driver that was superseded or stopped meanwhile
// appends it, as long as nobody else found out; then it stops.
func (d *driver) record(ctx context.Context, calls []result) error {
	if len(calls) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	var superseded error
	for {
		var facts []failover.Fact
		for _, c := range calls {
			facts = append(facts, c.fact)
		}
		err := d.tell(ctx, facts...)
		if !errors.Is(err, failover.ErrConflict) {
			return errors.Join(err, superseded)
		}
		superseded = d.reload(ctx)
		if read := superseded == nil || errors.Is(superseded, failover.ErrSuperseded) || errors.Is(superseded, errStale); !read {
			return superseded
		}
		if calls = slices.DeleteFunc(calls, func(c result) bool { return !d.pending(c.call.Intent) }); len(calls) == 0 {
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
