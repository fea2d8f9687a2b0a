package azure

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/failover"
)

// clockSkew is how much earlier than ours Azure's clock may say that a job began.
const clockSkew = 30 * time.Second

// Job reads one job whole. Its id comes back in the spelling that all ids of this package have, so that it can be compared.
func (s *Site) Job(ctx context.Context, id string) (failover.Job, error) {
	v, at, err := s.locate(id)
	if err != nil {
		return failover.Job{}, err
	}
	if at.job == "" {
		return failover.Job{}, refuse("InvalidJob", "%q is no job.", id)
	}
	return v.job(ctx, at.job)
}

func (v *vault) job(ctx context.Context, name string) (failover.Job, error) {
	got, err := read(ctx, getJob(), func(ctx context.Context) (siterecovery.ReplicationJobsClientGetResponse, error) {
		return v.jobs.Get(ctx, v.ResourceGroup, v.Name, name, nil)
	})
	if err != nil {
		return failover.Job{}, err
	}
	job := v.mapJob(name, &got.Job)
	if got.Properties != nil {
		err = v.tellShares(ctx, got.Properties, &job)
	}
	return job, err
}

// JobsSince reads every job on an item that began at or after a time less 30 s, for clocks differ. The list knows jobs by
// friendly name only, and names can repeat in a vault: a job of a namesake may be among them, and its ActivityID tells.
// The job that the given item names as running is among them even if the names differ.
func (s *Site) JobsSince(ctx context.Context, item failover.Item, since time.Time) ([]failover.Job, error) {
	v, _, err := s.locate(item.ID)
	if err != nil {
		return nil, err
	}
	names, err := v.jobNames(ctx, item, since.Add(-clockSkew))
	if err != nil {
		return nil, err
	}
	var jobs []failover.Job
	for _, name := range names {
		j, err := v.job(ctx, name)
		if err != nil {
			return nil, err
		}
		if !j.StartedAt.Before(since.Add(-clockSkew)) {
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}

// jobNames filters the vault's thin list here: what its $filter does with times was never recorded.
func (v *vault) jobNames(ctx context.Context, item failover.Item, from time.Time) ([]string, error) {
	list, err := v.thinJobs(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, j := range list {
		if strings.EqualFold(or(j.Properties.TargetObjectName), item.Name) && !date(j.Properties.StartTime).Before(from) {
			names = append(names, or(j.Name))
		}
	}
	known := func(name string) bool { return strings.EqualFold(name, parseID(item.JobID).job) }
	if item.JobID != "" && !slices.ContainsFunc(names, known) {
		names = append(names, parseID(item.JobID).job)
	}
	return names, nil
}

func (v *vault) mapJob(name string, j *siterecovery.Job) failover.Job {
	p := j.Properties
	if p == nil {
		return failover.Job{ID: v.jobID(name), State: failover.JobOther}
	}
	state, description := jobState(or(p.State), or(p.StateDescription))
	mapped := failover.Job{
		ID: v.jobID(name), Scenario: or(p.ScenarioName), State: state, Description: description,
		Target: or(p.TargetObjectName), Vault: v.Name, StartedAt: date(p.StartTime), EndedAt: date(p.EndTime),
		ActivityID: or(p.ActivityID), Errors: mapErrors(p.Errors), PointUsed: pointUsed(p),
	}
	var inTasks []failover.Fault
	for _, t := range p.Tasks {
		for i, t := range withParts(t) {
			task := mapTask(t, i > 0)
			if vm := innerTarget(t); task.Part && vm != "" && !strings.EqualFold(vm, mapped.Target) {
				task.Name += " of " + vm
			}
			mapped.Tasks = append(mapped.Tasks, task)
			inTasks = append(inTasks, mapErrors(t.Errors)...)
		}
	}
	// Recorded failures were told by the job; a task may know more only when the job says nothing.
	if len(mapped.Errors) == 0 {
		mapped.Errors = inTasks
	}
	return mapped
}

// jobState keeps Azure's own words in the description when the state is none of the closed set.
func jobState(state, description string) (failover.JobState, string) {
	for _, known := range []failover.JobState{
		failover.JobNotStarted, failover.JobInProgress, failover.JobSucceeded, failover.JobFailed,
		failover.JobCancelled, failover.JobSuspended, failover.JobOther,
	} {
		if strings.EqualFold(state, string(known)) {
			return known, description
		}
	}
	if strings.EqualFold(state, description) {
		description = ""
	}
	return failover.JobOther, join(": ", state, description)
}

// withParts is a task followed by its parts, such as the inner job of a reprotect; what these are made of is left out.
func withParts(t *siterecovery.ASRTask) []*siterecovery.ASRTask {
	all := []*siterecovery.ASRTask{t}
	if t != nil && t.GroupTaskCustomDetails != nil {
		all = append(all, or(t.GroupTaskCustomDetails.GetGroupTaskDetails()).ChildTasks...)
	}
	return slices.DeleteFunc(all, func(t *siterecovery.ASRTask) bool { return t == nil })
}

// innerTarget is the VM of a task that is a job of its own: those of a recovery plan's group are all called the same.
func innerTarget(t *siterecovery.ASRTask) string {
	d, ok := t.CustomDetails.(*siterecovery.JobTaskDetails)
	if !ok || d == nil || d.JobTask == nil {
		return ""
	}
	return or(d.JobTask.TargetObjectName)
}

// mapTask resolves state Other, under which Azure reports skipped tasks, into the word of the description.
func mapTask(t *siterecovery.ASRTask, part bool) failover.Task {
	state := or(t.State)
	if strings.EqualFold(state, string(failover.JobOther)) {
		state = cmp.Or(or(t.StateDescription), state)
	}
	return failover.Task{
		Name: cmp.Or(or(t.FriendlyName), or(t.Name), or(t.TaskID)), State: state,
		StartedAt: date(t.StartTime), EndedAt: date(t.EndTime), Part: part,
	}
}

func mapErrors(found []*siterecovery.JobErrorDetails) []failover.Fault {
	var faults []failover.Fault
	for _, e := range found {
		if e != nil {
			faults = append(faults, mapError(e))
		}
	}
	return faults
}

// mapError joins what Site Recovery says with what the provider under it says; either may be absent.
func mapError(e *siterecovery.JobErrorDetails) failover.Fault {
	service, provider := or(e.ServiceErrorDetails), or(e.ProviderErrorDetails)
	code := or(provider.ErrorID)
	if n := or(provider.ErrorCode); n != 0 {
		code = strconv.Itoa(int(n))
	}
	f := failover.Fault{
		Code:    cmp.Or(or(service.Code), code),
		Message: join(" ", or(service.Message), or(provider.ErrorMessage)),
		Cause:   join(" ", or(service.PossibleCauses), or(provider.PossibleCauses)),
		Action:  join(" ", or(service.RecommendedAction), or(provider.RecommendedAction)),
	}
	f.Capacity = capacity(f)
	return f
}

// join leaves out what is empty or was said.
func join(separator string, parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" && !slices.Contains(kept, p) {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, separator)
}

// pointUsed finds the recovery point that a failover or a drill used; zero until Azure tells. A job of several VMs tells one
// each.
func pointUsed(p *siterecovery.JobProperties) time.Time {
	var items []*siterecovery.FailoverReplicationProtectedItemDetails
	switch details := p.CustomDetails.(type) {
	case *siterecovery.FailoverJobDetails:
		items = details.ProtectedItemDetails
	case *siterecovery.TestFailoverJobDetails:
		items = details.ProtectedItemDetails
	}
	for _, item := range items {
		if item != nil && (len(items) == 1 || strings.EqualFold(or(item.FriendlyName), or(p.TargetObjectName))) {
			return date(item.RecoveryPointTime)
		}
	}
	return time.Time{}
}
