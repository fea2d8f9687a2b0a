package failover

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// JobsWithin is how far back ended jobs are listed.
const JobsWithin = 24 * time.Hour

// JobList is what runs in the configured vaults and what has ended lately, as Azure listed it at one moment.
type JobList struct {
	Jobs []VaultJob `json:"jobs"` // what runs, then what has ended, each newest first
	// LeftOut counts the oldest ended jobs that did not fit.
	LeftOut int `json:"left_out,omitempty"`
	// Missing says why jobs of some vault are not among them; empty when every vault answered.
	Missing string    `json:"missing,omitempty"`
	Since   time.Time `json:"since"` // ended jobs are listed from then on
	At      time.Time `json:"at"`
}

// VaultJob is a job, and the operation that it belongs to; none means that it was started outside Ferry.
type VaultJob struct {
	Job
	Op OpID `json:"op,omitempty"`
	// Unsure: the answer to a call of Op on this VM was lost, and this may be its job.
	Unsure bool `json:"unsure,omitempty"`
}

// Running reports whether a job has not ended, as far as its state tells.
func (j Job) Running() bool {
	switch j.State {
	case JobSucceeded, JobFailed, JobCancelled:
		return false
	case JobNotStarted, JobInProgress, JobSuspended, JobOther:
	}
	return j.EndedAt.IsZero()
}

// Claimed sorts jobs for reading, keeps at most so many, and says of each which operation it belongs to.
func (l JobList) Claimed(ops []Operation, most int) JobList {
	l.Jobs = slices.Clone(l.Jobs)
	slices.SortStableFunc(l.Jobs, func(a, b VaultJob) int {
		if a.Running() != b.Running() {
			if a.Running() {
				return -1
			}
			return 1
		}
		return cmp.Or(b.EndedAt.Compare(a.EndedAt), b.StartedAt.Compare(a.StartedAt), strings.Compare(a.ID, b.ID))
	})
	if over := len(l.Jobs) - most; over > 0 {
		l.Jobs, l.LeftOut = l.Jobs[:most], l.LeftOut+over
	}
	known := jobsOf(ops)
	for i := range l.Jobs {
		j := &l.Jobs[i]
		on := func(t Target) bool {
			return strings.EqualFold(t.Item.Name, j.Target) && strings.EqualFold(t.Item.Vault, j.Vault)
		}
		if j.Op = cmp.Or(known[strings.ToLower(j.ID)], within(ops, on, j.Scenario, j.StartedAt)); j.Op == "" {
			j.Op = asking(ops, on)
			j.Unsure = j.Op != ""
		}
	}
	return l
}

// jobsOf maps the jobs of operations, by lower-case id.
func jobsOf(ops []Operation) map[string]OpID {
	jobs := map[string]OpID{}
	for _, op := range ops {
		for _, t := range op.Targets {
			for _, s := range t.Steps {
				if s.JobID != "" {
					jobs[strings.ToLower(s.JobID)] = op.ID
				}
			}
		}
	}
	return jobs
}

// asking finds the operation that has made a call on a target and does not know yet what became of it.
func asking(ops []Operation, on func(Target) bool) OpID {
	for _, op := range ops {
		for _, t := range op.Targets {
			if on(t) && !op.Phase.Final() && slices.ContainsFunc(t.Steps, func(s Step) bool { return s.State == StateStarted }) {
				return op.ID
			}
		}
	}
	return ""
}

// scenarioEnable is the job that the job of a reprotect starts on the same VM (recorded 2025); no call of ours names it.
const scenarioEnable = "EnableDr"

// within finds the operation whose reprotect has started such an inner job. began is zero when the job runs now.
func within(ops []Operation, on func(Target) bool, scenario string, began time.Time) OpID {
	if scenario != scenarioEnable {
		return ""
	}
	for _, op := range ops {
		for _, t := range op.Targets {
			if on(t) && slices.ContainsFunc(t.Steps, func(s Step) bool { return s.reprotects(began) }) {
				return op.ID
			}
		}
	}
	return ""
}

// reprotects reports whether the step is a reprotect that was under way at a time, or is now when that is zero.
func (s Step) reprotects(at time.Time) bool {
	if s.Kind != StepReprotect && s.Kind != StepReprotectAgain {
		return false
	}
	if at.IsZero() {
		return s.EndedAt.IsZero()
	}
	return !at.Before(s.StartedAt) && (s.EndedAt.IsZero() || !at.After(s.EndedAt))
}

// ForeignJobs finds the items on which a job runs that was started outside Ferry. While it is not known what became of a
// call of Ferry's own, its item is not among them.
func ForeignJobs(items []Item, ops []Operation) []Item {
	known := jobsOf(ops)
	var foreign []Item
	for _, i := range items {
		on := func(t Target) bool { return t.Item.Key == i.Key }
		if i.JobID != "" && cmp.Or(known[strings.ToLower(i.JobID)], asking(ops, on), within(ops, on, i.Scenario, time.Time{})) == "" {
			foreign = append(foreign, i)
		}
	}
	return foreign
}
