package azure

import (
	"context"
	"sync"
	"time"

	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/failover"
)

// Jobs lists the jobs of all vaults that run or have ended at or after a time, read at the same time. An error does not
// void the rest: the jobs of the vaults that could be read come with it.
func (s *Site) Jobs(ctx context.Context, since time.Time) ([]failover.Job, error) {
	jobs, errs := make([][]failover.Job, len(s.vaults)), make([]error, len(s.vaults))
	var reading sync.WaitGroup
	for i, v := range s.vaults {
		reading.Go(func() { jobs[i], errs[i] = v.jobsOf(ctx, since) })
	}
	reading.Wait()
	var all []failover.Job
	for _, of := range jobs {
		all = append(all, of...)
	}
	for _, err := range errs {
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

func (v *vault) jobsOf(ctx context.Context, since time.Time) ([]failover.Job, error) {
	list, err := v.thinJobs(ctx)
	if err != nil {
		return nil, err
	}
	var jobs []failover.Job
	for _, j := range list {
		mapped := v.mapJob(or(j.Name), j)
		last := mapped.EndedAt
		if last.IsZero() {
			last = mapped.StartedAt
		}
		if mapped.Running() || !last.Before(since) {
			jobs = append(jobs, mapped)
		}
	}
	return jobs, nil
}

// thinJobs is the vault's list, in which a job has neither tasks nor errors (recorded 2025).
func (v *vault) thinJobs(ctx context.Context) ([]*siterecovery.Job, error) {
	list, err := read(ctx, listJobs(), func(ctx context.Context) ([]*siterecovery.Job, error) {
		return collect(ctx, v.jobs.NewListPager(v.ResourceGroup, v.Name, nil),
			func(p siterecovery.ReplicationJobsClientListResponse) []*siterecovery.Job { return p.Value })
	})
	var named []*siterecovery.Job
	for _, j := range list {
		if j != nil && j.Properties != nil && or(j.Name) != "" {
			named = append(named, j)
		}
	}
	return named, err
}
