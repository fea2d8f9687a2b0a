package vault_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/sandbox/vault"
)

func TestSDKRunsAPlan(t *testing.T) {
	useIdentityEndpoint(t)
	bubble(t, shop(), func(w *world) {
		factory, ctx := newFactory(w), w.Context()
		plans := factory.NewReplicationRecoveryPlansClient()
		listed, err := plans.NewListPager(group, vaultName, nil).NextPage(ctx)
		if err != nil {
			w.Fatal(err)
		}
		if len(listed.Value) != 1 || *listed.Value[0].Name != "plan-shop" || len(listed.Value[0].Properties.Groups) != 0 {
			w.Errorf("%d plans", len(listed.Value))
		}
		whole, err := plans.Get(ctx, group, vaultName, "plan-shop", nil)
		if err != nil {
			w.Fatal(err)
		}
		var kinds []string
		for _, g := range whole.Properties.Groups {
			kinds = append(kinds, string(*g.GroupType))
		}
		if got := strings.Join(kinds, " "); got != "Shutdown Failover Boot Boot" {
			w.Errorf("groups %s", got)
		}
		poller, err := plans.BeginUnplannedFailover(ctx, group, vaultName, "plan-shop", siterecovery.RecoveryPlanUnplannedFailoverInput{
			Properties: &siterecovery.RecoveryPlanUnplannedFailoverInputProperties{
				FailoverDirection:    new(siterecovery.PossibleOperationsDirectionsPrimaryToRecovery),
				SourceSiteOperations: new(siterecovery.SourceSiteOperationsRequired),
				ProviderSpecificDetails: []siterecovery.RecoveryPlanProviderSpecificFailoverInputClassification{
					&siterecovery.RecoveryPlanA2AFailoverInput{
						RecoveryPointType:      new(siterecovery.A2ARpRecoveryPointTypeLatest),
						MultiVMSyncPointOption: new(siterecovery.MultiVMSyncPointOptionUseMultiVMSyncRecoveryPoint),
					},
				},
			},
		}, nil)
		if err != nil {
			w.Fatal(err)
		}
		done, err := poller.PollUntilDone(ctx, nil)
		if err != nil {
			w.Fatal(err)
		}
		if *done.Properties.CurrentScenarioStatus != "Succeeded" || len(done.Properties.AllowedOperations) != 1 || *done.Properties.AllowedOperations[0] != "Commit" {
			w.Errorf("at the end %+v", *done.Properties)
		}
		checkPlanJob(w, factory, *done.Properties.CurrentScenario.JobID)

		var refused *azcore.ResponseError
		if _, err := plans.BeginReprotect(ctx, group, vaultName, "plan-shop", nil); !errors.As(err, &refused) || refused.StatusCode != http.StatusConflict {
			w.Errorf("reprotect of a plan: %v", err)
		}
		w.vault.Fault(vault.Fault{Operation: "failoverCommit", Kind: vault.JobFails, Times: 3, Code: "150253"})
		commit, err := plans.BeginFailoverCommit(ctx, group, vaultName, "plan-shop", nil)
		if err != nil {
			w.Fatal(err)
		}
		if _, err = commit.PollUntilDone(ctx, nil); !errors.As(err, &refused) || refused.StatusCode != http.StatusOK || refused.ErrorCode != "RecoveryPlanIncomplete" {
			w.Errorf("a commit of which all fail: %v", err)
		}
	})
}

// checkPlanJob goes from the plan's job to the jobs of its VMs.
func checkPlanJob(w *world, factory *siterecovery.ClientFactory, id string) {
	w.Helper()
	jobs := factory.NewReplicationJobsClient()
	job, err := jobs.Get(w.Context(), group, vaultName, id[strings.LastIndexByte(id, '/')+1:], nil)
	if err != nil {
		w.Fatal(err)
	}
	if *job.Properties.TargetInstanceType != "RecoveryPlan" || *job.Properties.TargetObjectName != "plan-shop" || len(job.Properties.Tasks) != 4 {
		w.Fatalf("job %+v", *job.Properties)
	}
	if _, ok := job.Properties.Tasks[1].GroupTaskCustomDetails.(*siterecovery.RecoveryPlanShutdownGroupTaskDetails); !ok {
		w.Errorf("the shutdown is a %T", job.Properties.Tasks[1].GroupTaskCustomDetails)
	}
	var began []time.Time
	for _, task := range job.Properties.Tasks[2:] {
		details, ok := task.GroupTaskCustomDetails.(*siterecovery.RecoveryPlanGroupTaskDetails)
		if !ok {
			w.Fatalf("a group is a %T", task.GroupTaskCustomDetails)
		}
		for _, child := range details.ChildTasks {
			inner, ok := child.CustomDetails.(*siterecovery.JobTaskDetails)
			if !ok {
				w.Fatalf("a child is a %T", child.CustomDetails)
			}
			own, err := jobs.Get(w.Context(), group, vaultName, (*inner.JobTask.JobID)[strings.LastIndexByte(*inner.JobTask.JobID, '/')+1:], nil)
			if err != nil {
				w.Fatal(err)
			}
			if *own.Properties.TargetObjectName != *inner.JobTask.TargetObjectName || *own.Properties.State != "Succeeded" {
				w.Errorf("the job of %s is %+v", *inner.JobTask.TargetObjectName, *own.Properties)
			}
			began = append(began, *own.Properties.StartTime)
		}
	}
	if len(began) != 3 || !began[0].Equal(began[1]) || began[2].Sub(began[0]) != 140*time.Second {
		w.Errorf("the VMs began at %v", began)
	}
}
