package executor

import (
	"context"
	"time"

	"ferry/failover"
)

// jobs are those that run.
func (e *Executor) jobs(ctx context.Context, _ time.Duration) (failover.JobList, error) {
	list := failover.JobList{At: e.now()}
	jobs, err := e.Site.Jobs(ctx, e.now())
	for _, j := range jobs {
		list.Jobs = append(list.Jobs, failover.VaultJob{Job: j})
	}
	return list, err
}
