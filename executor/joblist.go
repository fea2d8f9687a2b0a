package executor

import (
	"context"
	"strings"
	"time"

	"ferry/failover"
)

// jobCache is the last list of the jobs that run.
type jobCache struct {
	reading chan struct{} // full while somebody reads: one list at a time, whoever wants it
	last    runningJobs
	err     error // of last
	era     int   // of the clock by which it was read
}

// runningJobs are the jobs that ran at a moment, in the vaults that answered.
type runningJobs struct {
	byID map[string]failover.Job // lower case
	at   time.Time
}

// listedFor is how old the list of jobs may be for who follows one: all come to look at the same time, and one list does.
const listedFor = failover.LookEvery / 2

// jobs are those that run, as read by a list that began at most so long ago, or begins now. With an error come those of the
// vaults that could be read all the same.
func (e *Executor) jobs(ctx context.Context, age time.Duration) (runningJobs, error) {
	c, asked, era := &e.running, e.now(), e.Clock.Era()
	select {
	case c.reading <- struct{}{}:
	case <-ctx.Done():
		return runningJobs{}, ctx.Err()
	}
	defer func() { <-c.reading }()
	if c.era != era { // nobody knows any more how old it is
		c.era, c.last = era, runningJobs{}
	}
	if !c.last.at.IsZero() && !c.last.at.Before(asked.Add(-age)) {
		return c.last, c.err
	}
	list := runningJobs{at: e.now(), byID: map[string]failover.Job{}}
	jobs, err := e.Site.Jobs(ctx, list.at)
	if ctx.Err() != nil {
		return runningJobs{}, ctx.Err()
	}
	for _, j := range jobs {
		if j.Running() {
			list.byID[strings.ToLower(j.ID)] = j
		}
	}
	c.last, c.err = list, err
	return list, err
}
