package executor

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"ferry/failover"
)

const (
	// errandsAtOnce bounds the readings of one driver that are made at the same time.
	errandsAtOnce = 32
	// listAbove is how many items are wanted at the same time before one list of the vaults is cheaper than reading each.
	listAbove = 16
	// gather is how long a driver waits for more to come back before it looks what is due: many come at the same time.
	gather = 20 * time.Millisecond
)

// errands are the readings and calls of a driver that have not come back.
type errands struct {
	out   map[string]bool // item keys; one errand for each at most
	back  chan result
	slots chan struct{}
	whole map[string]time.Time // when the job of a target was last read whole, by job id
}

func newErrands() errands {
	return errands{out: map[string]bool{}, back: make(chan result), slots: make(chan struct{}, errandsAtOnce), whole: map[string]time.Time{}}
}

// result is what an errand brings back: what was seen, or what came of a call.
type result struct {
	target string
	seen   failover.Observation
	err    error // of the reading
	job    bool  // the job was read
	era    int
	call   *failover.Act // nil for a reading
	fact   failover.Fact // what came of the call
}

// read sends for what is to be seen.
func (d *driver) read(ctx context.Context, due []failover.Due) {
	begun, looks := d.now(), 0
	for _, r := range due {
		if _, ok := r.Effect.(failover.Look); ok {
			looks++
		}
	}
	d.authority(ctx, due)
	for _, r := range due {
		from := result{target: r.Target, seen: d.seen[r.Target], era: d.era}
		from.seen.Busy = false
		v := view{Executor: d.Executor, op: d.op, item: d.item(r.Target), since: begun, list: d.op.Several() && looks > listAbove}
		job, reads := r.Effect.(failover.ReadJob)
		from.job = reads
		v.thin = reads && !d.readsWhole(r.Target, job.ID, begun)
		if reads && !v.thin {
			d.whole[job.ID] = begun
		}
		d.out[r.Target] = true
		before, effect := from.seen, r.Effect
		go func() {
			d.slots <- struct{}{}
			from.err = v.see(ctx, &from.seen, effect)
			<-d.slots
			if from.err != nil {
				from.seen = before
			}
			d.back <- from
		}()
	}
}

// authority reads who may do what, where somebody asks for it.
func (d *driver) authority(ctx context.Context, due []failover.Due) {
	var last failover.Observation
	for _, r := range due {
		look, ok := r.Effect.(failover.Look)
		if !ok || !look.Authority {
			continue
		}
		seen := d.seen[r.Target]
		if last.PolicyAt.IsZero() {
			last.Policy, last.PolicyAt = d.policy(ctx), d.now()
		}
		seen.Policy, seen.PolicyAt = last.Policy, last.PolicyAt
		switch {
		case !seen.Policy.Unread():
			seen.UnreadSince = time.Time{}
		case seen.UnreadSince.IsZero():
			seen.UnreadSince = seen.PolicyAt
		}
		d.seen[r.Target] = seen
	}
}

// receive takes what comes back, until a time: what was seen is noted, what came of calls is stored.
func (d *driver) receive(ctx context.Context, until time.Time) error {
	var due <-chan time.Time
	if !until.IsZero() {
		due = time.After(max(0, until.Sub(d.now())))
	}
	var calls []result
	select {
	case r := <-d.back:
		calls = d.note(ctx, r, calls)
	case <-due:
		return nil
	}
	if len(d.out) > 0 {
		calls = d.collect(ctx, calls)
	}
	return d.record(ctx, calls)
}

// collect takes what comes back within a moment.
func (d *driver) collect(ctx context.Context, calls []result) []result {
	enough := time.After(gather)
	for len(d.out) > 0 {
		select {
		case r := <-d.back:
			calls = d.note(ctx, r, calls)
		case <-enough:
			return calls
		}
	}
	return calls
}

// note keeps what was seen, and adds to the calls what came of one. Silence is not an error of the operation: it is noted, and
// asked again later.
func (d *driver) note(ctx context.Context, r result, calls []result) []result {
	delete(d.out, r.target)
	switch {
	case r.call != nil:
		seen := d.seen[r.target]
		seen.Busy = false
		d.seen[r.target] = seen
		return append(calls, r)
	case r.era != d.era:
		delete(d.seen, r.target)
	case r.err == nil:
		r.seen.Silent, r.seen.RetryAt, r.seen.Refused, r.seen.Barred = time.Time{}, time.Time{}, nil, nil
		d.seen[r.target] = r.seen
		if job := r.seen.Job; r.job && !job.Thin && job.Running() {
			t := d.target(r.target)
			if step := stepOf(t, job.ID); step != nil {
				d.pace.saw(t.Item.VaultID, job, step.StartedAt, d.now())
			}
		}
	case ctx.Err() == nil:
		d.Log.WarnContext(ctx, "reading from Azure", slog.Any("op", d.op.ID), slog.Any("error", r.err))
		d.seen[r.target] = silence(r.seen, r.err, d.now())
	}
	return calls
}

// bringHome waits for what is out when a driver ends: what came of a call is known only here.
func (d *driver) bringHome(ctx context.Context, ended error) error {
	var calls []result
	for len(d.out) > 0 {
		calls = d.note(ctx, <-d.back, calls)
	}
	if err := d.record(ctx, calls); err != nil && !errors.Is(err, failover.ErrSuperseded) && !errors.Is(err, errStale) {
		ended = errors.Join(ended, err)
	}
	return ended
}

// readsWhole reports whether a job of one VM is read whole now. Of many the list of all jobs tells which have ended; each is
// read whole once it has had time to begin, and now and then for its tasks.
func (d *driver) readsWhole(target, job string, now time.Time) bool {
	running := 0
	for i := range d.op.Targets {
		if d.op.Targets[i].Phase == failover.Running && !d.op.Targets[i].Lead {
			running++
		}
	}
	if !d.op.Several() || running <= listAbove {
		return true
	}
	last, read := d.whole[job]
	if !read {
		step := stepOf(d.target(target), job)
		return step == nil || now.Sub(step.StartedAt) >= beginsWithin
	}
	return now.Sub(last) >= cmp.Or(d.pace.again(d.target(target).Item.VaultID, job), time.Duration(running)*time.Second)
}

// stepOf is the step that made a job.
func stepOf(t failover.Target, job string) *failover.Step {
	if i := slices.IndexFunc(t.Steps, func(s failover.Step) bool { return strings.EqualFold(s.JobID, job) }); i >= 0 {
		return &t.Steps[i]
	}
	return nil
}

func (d *driver) target(key string) failover.Target {
	for _, t := range d.op.Targets {
		if t.Item.Key == key {
			return t
		}
	}
	return failover.Target{}
}

func (d *driver) item(key string) failover.Item { return d.target(key).Item }

// reread forgets what was seen before calls: it says nothing about after them.
func (d *driver) reread(acts []failover.Act, intended time.Time) {
	for _, do := range acts {
		d.seen[do.Intent.Target] = failover.Observation{WatchedFrom: intended, Busy: true}
	}
	maps.DeleteFunc(d.whole, func(_ string, at time.Time) bool { return intended.Sub(at) > time.Hour })
}
