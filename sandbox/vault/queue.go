package vault

import (
	"slices"
	"time"
)

// waiting reports whether the job was accepted and its turn is yet to come: it is InProgress, and none of its tasks has started.
func (j *job) waiting() bool { return j.waited == forever }

// atWork counts the VMs whose job is running.
func (v *Vault) atWork() int {
	n := 0
	for _, it := range v.items {
		if it.job != nil && !it.job.waiting() {
			n++
		}
	}
	return n
}

// enqueue begins the job, or lets it wait while [Options].JobsAtOnce others work.
func (v *Vault) enqueue(j *job, now time.Duration) {
	if limit := v.options.JobsAtOnce; limit > 0 && v.atWork() >= limit {
		j.waited = forever
		v.queue = append(v.queue, j)
		j.item.job = j
		return
	}
	j.item.job = j
	v.begin(j, now)
}

// begin does what the job does first. What it will use and whether it fails is settled then.
func (v *Vault) begin(j *job, now time.Duration) {
	j.waited = now - j.start
	if to := j.action.into(j.item); to != nil && to.down {
		j.failure = targetUnreachable(j.action.unreachable)
	}
	if j.action.begin != nil {
		j.action.begin(v, j, j.input, now)
	}
	v.spoil(j)
	if j.inner != nil {
		j.inner.failure = j.failure
		v.jobs = append(v.jobs, j.inner)
	}
}

// SetJobsAtOnce changes [Options].JobsAtOnce of all vaults; 0 is no limit. Jobs that work go on.
func (v *Vault) SetJobsAtOnce(n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.settle()
	for _, v := range v.vaults {
		v.options.JobsAtOnce = max(0, n)
		v.beginWaiting(now)
	}
}

// beginWaiting gives the places of ended jobs to those that wait, the longest first.
func (v *Vault) beginWaiting(now time.Duration) {
	v.queue = slices.DeleteFunc(v.queue, func(j *job) bool { return j.cancelled != nil })
	for limit := v.options.JobsAtOnce; len(v.queue) > 0 && (limit == 0 || v.atWork() < limit); {
		j := v.queue[0]
		v.queue = v.queue[1:]
		v.begin(j, now)
	}
}
