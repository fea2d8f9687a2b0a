package azure

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"
	"golang.org/x/sync/errgroup"

	"ferry/failover"
)

// Plans lists the recovery plans of all vaults without their groups, which the list does not carry (recorded 2023).
func (s *Site) Plans(ctx context.Context) ([]failover.RecoveryPlan, error) {
	var all []failover.RecoveryPlan
	for _, v := range s.vaults {
		found, err := read(ctx, readPlans(), func(ctx context.Context) ([]*siterecovery.RecoveryPlan, error) {
			return collect(ctx, v.plans.NewListPager(v.ResourceGroup, v.Name, nil),
				func(p siterecovery.ReplicationRecoveryPlansClientListResponse) []*siterecovery.RecoveryPlan {
					return p.Value
				})
		})
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			all = append(all, v.mapPlan(p))
		}
	}
	return all, nil
}

// Plan reads one recovery plan whole, by its ARM id.
func (s *Site) Plan(ctx context.Context, id string) (failover.RecoveryPlan, error) {
	v, at, err := s.locate(id)
	if err == nil && at.plan == "" {
		err = refuse("InvalidPlan", "%q is no recovery plan.", id)
	}
	if err != nil {
		return failover.RecoveryPlan{}, err
	}
	got, err := read(ctx, readPlans(), func(ctx context.Context) (siterecovery.ReplicationRecoveryPlansClientGetResponse, error) {
		return v.plans.Get(ctx, v.ResourceGroup, v.Name, at.plan, nil)
	})
	if err != nil {
		return failover.RecoveryPlan{}, err
	}
	return v.mapPlan(&got.RecoveryPlan), nil
}

func (v *vault) mapPlan(p *siterecovery.RecoveryPlan) failover.RecoveryPlan {
	plan := failover.RecoveryPlan{
		ID: or(or(p).ID), Key: failover.ItemKey(v.id(), "plan/"+or(or(p).Name)), Name: or(or(p).Name), Vault: v.Name, VaultID: v.id(),
	}
	props := or(or(p).Properties)
	for _, word := range props.AllowedOperations {
		plan.Allowed = append(plan.Allowed, or(word))
	}
	// The scenario of a plan stays when it is over (guessed); its status tells.
	over := slices.ContainsFunc([]string{"Succeeded", "Failed", "Cancelled", "Completed"}, func(s string) bool {
		return strings.EqualFold(s, or(props.CurrentScenarioStatus))
	})
	if c := props.CurrentScenario; c != nil && !over && or(c.ScenarioName) != "" && !strings.EqualFold(or(c.ScenarioName), idle) {
		plan.Scenario, plan.JobID = or(c.ScenarioName), v.canonicalJob(or(c.JobID))
	}
	for _, g := range props.Groups {
		group := failover.PlanGroup{}
		if or(g).GroupType != nil {
			group.Name = string(*g.GroupType)
		}
		// An id may be older than a reprotect; the item's name is for life.
		for _, it := range or(g).ReplicationProtectedItems {
			if name := parseID(or(or(it).ID)).item; name != "" {
				group.Keys = append(group.Keys, failover.ItemKey(v.id(), name))
			}
		}
		if len(group.Keys) > 0 {
			plan.Groups = append(plan.Groups, group)
		}
	}
	return plan
}

// planSender prepares a call for a whole plan.
func (v *vault) planSender(call failover.Call, plan string) (func(context.Context) error, operation, error) {
	switch call.Kind {
	case failover.StepFailover:
		input := planInput(call)
		return func(ctx context.Context) error {
			_, err := v.plans.BeginUnplannedFailover(ctx, v.ResourceGroup, v.Name, plan, input, nil)
			return err
		}, beginPlan("unplannedFailover"), nil
	case failover.StepCommit:
		return func(ctx context.Context) error {
			_, err := v.plans.BeginFailoverCommit(ctx, v.ResourceGroup, v.Name, plan, nil)
			return err
		}, beginPlan("failoverCommit"), nil
	case failover.StepChange, failover.StepTest, failover.StepCleanup, failover.StepReprotect, failover.StepReprotectAgain, failover.StepProbe, failover.StepCheck, failover.StepSurvey, failover.StepResize:
	}
	return nil, operation{}, refuse("UnknownStep", "Ferry has no call for the step %q of a recovery plan.", call.Kind)
}

// planInput names the kind of point: a plan takes no single one (documented).
func planInput(call failover.Call) siterecovery.RecoveryPlanUnplannedFailoverInput {
	points := siterecovery.A2ARpRecoveryPointTypeLatest
	switch call.Point.Kind {
	case failover.LatestProcessed:
		points = siterecovery.A2ARpRecoveryPointTypeLatestProcessed
	case failover.LatestApp:
		points = siterecovery.A2ARpRecoveryPointTypeLatestApplicationConsistent
	case failover.Latest, failover.AtTime, failover.ByID:
	}
	source := siterecovery.SourceSiteOperationsNotRequired
	if call.Shutdown {
		source = siterecovery.SourceSiteOperationsRequired
	}
	return siterecovery.RecoveryPlanUnplannedFailoverInput{Properties: &siterecovery.RecoveryPlanUnplannedFailoverInputProperties{
		FailoverDirection: new(siterecovery.PossibleOperationsDirectionsPrimaryToRecovery), SourceSiteOperations: &source,
		ProviderSpecificDetails: []siterecovery.RecoveryPlanProviderSpecificFailoverInputClassification{
			&siterecovery.RecoveryPlanA2AFailoverInput{RecoveryPointType: &points},
		},
	}}
}

// share is one VM's part of a plan's job: a task of a group, and a job of its own.
type share struct {
	vm, job string
	errors  []failover.Fault
}

// shares are the VMs of a plan's job; none for any other job.
func shares(p *siterecovery.JobProperties) []share {
	var all []share
	for _, t := range p.Tasks {
		group, ok := or(t).GroupTaskCustomDetails.(*siterecovery.RecoveryPlanGroupTaskDetails)
		if !ok {
			continue
		}
		for _, c := range group.ChildTasks {
			s := share{vm: or(or(c).FriendlyName), errors: mapErrors(or(c).Errors)}
			switch d := or(c).CustomDetails.(type) {
			case *siterecovery.JobTaskDetails:
				s.vm, s.job = orElse(or(or(d.JobTask).TargetObjectName), s.vm), parseID(or(or(d.JobTask).JobID)).job
				if s.job == "" {
					s.job = or(or(d.JobTask).JobID)
				}
			case *siterecovery.VirtualMachineTaskDetails:
				if d.JobTask != nil {
					s.vm, s.job = orElse(or(d.JobTask.TargetObjectName), s.vm), parseID(or(d.JobTask.JobID)).job
				}
			}
			all = append(all, s)
		}
	}
	return all
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// planReaders bounds how many VMs' jobs are read at the same time.
const planReaders = 8

// tellShares adds what a plan's job knows of its VMs only through their own jobs: the points used, and errors. It is read when
// the job has ended. A plan of a thousand VMs has more jobs than Azure lets one read at once, so what was read is kept until
// all of it is.
func (v *vault) tellShares(ctx context.Context, p *siterecovery.JobProperties, job *failover.Job) error {
	all := shares(p)
	if len(all) == 0 || job.EndedAt.IsZero() {
		return nil
	}
	readers, limited := errgroup.WithContext(ctx)
	readers.SetLimit(planReaders)
	for _, s := range all {
		if s.job == "" || v.ended.has(s.job) {
			continue
		}
		readers.Go(func() error {
			if err := limited.Err(); err != nil { // Azure wants a pause
				return err
			}
			read, err := v.job(limited, s.job)
			if err == nil {
				v.ended.keep(s.job, read)
			}
			return err
		})
	}
	if err := readers.Wait(); err != nil {
		return err
	}
	job.PointsUsed = map[string]time.Time{}
	for _, s := range all {
		own := v.ended.take(s.job)
		if !own.PointUsed.IsZero() {
			job.PointsUsed[strings.ToLower(s.vm)] = own.PointUsed
		}
		for _, f := range append(s.errors, own.Errors...)[:min(1, len(s.errors)+len(own.Errors))] {
			f.About = s.vm
			job.Errors = append(job.Errors, f)
		}
	}
	return nil
}

// endedJobs are the jobs of a plan's VMs that were read, by name: they have ended and do not change.
type endedJobs struct {
	mu   sync.Mutex
	jobs map[string]failover.Job
}

func (e *endedJobs) has(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.jobs[name]
	return ok
}

func (e *endedJobs) keep(name string, job failover.Job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.jobs == nil {
		e.jobs = map[string]failover.Job{}
	}
	e.jobs[name] = job
}

func (e *endedJobs) take(name string) failover.Job {
	e.mu.Lock()
	defer e.mu.Unlock()
	job := e.jobs[name]
	delete(e.jobs, name)
	return job
}
