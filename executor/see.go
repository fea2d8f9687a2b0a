package executor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"ferry/failover"
)

// view is how one target is looked at. It belongs to one errand, and nothing changes it: two readings of it may go on at once.
type view struct {
	*Executor
	op    failover.Operation // as it was when the look began
	item  failover.Item
	since time.Time // what was read before does not count
	list  bool      // the item is taken from a list of all that began since then
	thin  bool      // so is the job
}

// see does one reading and adds what it shows.
func (v view) see(ctx context.Context, seen *failover.Observation, effect failover.Effect) error {
	switch do := effect.(type) {
	case failover.Look:
		return v.look(ctx, seen, do)
	case failover.Probe:
		return v.probe(ctx, seen, do.Check)
	case failover.Survey:
		return v.survey(ctx, seen)
	case failover.Search:
		return v.search(ctx, seen, do.Since)
	case failover.ReadJob:
		return v.job(ctx, seen, do.ID)
	case failover.Act, failover.Tell, failover.Wait, failover.Park:
	}
	return nil // not reached: these are no readings
}

func (v view) look(ctx context.Context, seen *failover.Observation, what failover.Look) (err error) {
	if plan := v.op.Plan.Recovery; plan != nil && plan.Key == v.item.Key {
		return v.readPlan(ctx, seen)
	}
	item := seen.Item // where it was last seen: a reprotect moves it
	if item.Key == "" {
		item = v.item
	}
	item, at, err := v.read(ctx, item)
	if err != nil {
		return err
	}
	if item.Replicated != seen.Item.Replicated || item.State != seen.Item.State || seen.StillSince.IsZero() {
		seen.StillSince = v.now()
	}
	seen.Item, seen.LookedAt = item, at
	if what.Points {
		if seen.Points, err = v.Site.Points(ctx, seen.Item); err != nil {
			return err
		}
		seen.PointsAt = v.now()
	}
	// What a reprotect would use can be read of a committed VM only; in another state the item tells why there is none.
	if what.Reversal {
		if seen.Item.State == failover.StateCommitted {
			var r failover.Reversal
			r, err = v.Site.Reversal(ctx, seen.Item)
			seen.Reversal = &r
		}
		seen.TurnedAt = v.now()
	}
	return err
}

// read is the item and since when it is known to be so.
func (v view) read(ctx context.Context, item failover.Item) (failover.Item, time.Time, error) {
	if v.list {
		inv, err := v.Executor.list(ctx, v.now().Sub(v.since))
		if i := slices.IndexFunc(inv.Items, func(i failover.Item) bool { return i.Key == item.Key }); i >= 0 {
			return inv.Items[i], inv.At, nil
		} else if err != nil {
			return item, time.Time{}, err
		}
	}
	item, err := v.Site.Item(ctx, item)
	return item, v.now(), err
}

// probe asks the VM whether it works, once.
func (v view) probe(ctx context.Context, seen *failover.Observation, check failover.Check) error {
	result := failover.CheckResult{Outcome: failover.CheckNoData, Detail: "this executor cannot ask"}
	if v.Prober != nil {
		result = v.Prober.Probe(ctx, check)
	}
	result.Name, result.At = check.Name, v.now()
	if seen.ProbedFrom.IsZero() {
		seen.ProbedFrom = result.At
	}
	seen.Probe = result
	return ctx.Err()
}

func (v view) survey(ctx context.Context, seen *failover.Observation) (err error) {
	seen.Leftovers, err = v.Site.Leftovers(ctx, v.item)
	seen.SurveyedAt = v.now()
	return err
}

func (v view) search(ctx context.Context, seen *failover.Observation, since time.Time) (err error) {
	if err = v.look(ctx, seen, failover.Look{}); err != nil {
		return err
	}
	seen.Found, err = v.Site.JobsSince(ctx, seen.Item, since)
	seen.SearchedAt = v.now()
	if seen.WatchedFrom.IsZero() {
		seen.WatchedFrom = seen.SearchedAt
	}
	return err
}

func (v view) job(ctx context.Context, seen *failover.Observation, id string) (err error) {
	if v.thin {
		list, err := v.jobs(ctx, v.now().Sub(v.since)+listedFor)
		if job, running := list.byID[strings.ToLower(id)]; running {
			job.ID, job.Thin = id, true
			seen.Job, seen.JobAt, seen.Hidden = job, list.at, nil
			return nil
		}
		if err != nil { // who does not answer is not asked for each of many jobs
			return err
		}
		return v.ended(ctx, seen, id)
	}
	return v.wholeJob(ctx, seen, id)
}

// ended reads a job that runs no more, and at the same time the item, which tells whether it did what it should: while Azure is ill
// each reading that waits for another one costs seconds.
func (v view) ended(ctx context.Context, seen *failover.Observation, id string) error {
	over, looked := v.now(), *seen
	looking := make(chan error, 1)
	go func() { looking <- v.look(ctx, &looked, failover.Look{}) }()
	err := v.wholeJob(ctx, seen, id)
	if unseen := <-looking; err == nil && unseen == nil && seen.Hidden == nil && !seen.Job.Running() {
		seen.JobAt = over
		seen.Item, seen.LookedAt, seen.StillSince = looked.Item, looked.LookedAt, looked.StillSince
	}
	return err
}

func (v view) wholeJob(ctx context.Context, seen *failover.Observation, id string) (err error) {
	seen.Job, err = v.Site.Job(ctx, id)
	seen.JobAt = v.now()
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
