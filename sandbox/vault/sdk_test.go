package vault_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/sandbox/vault"
)

const (
	subscription = "3f2b8c1e-7a54-4d0b-9c6e-2f1d5a7b9e30"
	group        = "rg-dr"
	vaultName    = "vault-dr"
	fabric       = "asr-a2a-default-westeurope"
	container    = fabric + "-container"
)

// newFactory is how a real client is set up for a local endpoint.
func newFactory(w *world) *siterecovery.ClientFactory {
	w.Helper()
	options := policy.ClientOptions{
		Transport:                       w.client,
		InsecureAllowCredentialWithHTTP: true,
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: "https://login.microsoftonline.com/",
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				cloud.ResourceManager: {Endpoint: host, Audience: "https://management.core.windows.net/"},
			},
		},
	}
	credential, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ClientOptions: options})
	if err != nil {
		w.Fatal(err)
	}
	factory, err := siterecovery.NewClientFactory(subscription, credential, &arm.ClientOptions{
		ClientOptions: options, DisableRPRegistration: true,
	})
	if err != nil {
		w.Fatal(err)
	}
	return factory
}

func TestSDKFailsOverAndCommits(t *testing.T) {
	useIdentityEndpoint(t)
	bubble(t, vault.Options{}, func(w *world) {
		factory, ctx := newFactory(w), w.Context()
		items := factory.NewReplicationProtectedItemsClient()
		item := sdkItem(w, items, "vm-x")
		checkPoints(w, factory, *item.Name)

		var first *http.Response
		poller, err := items.BeginUnplannedFailover(policy.WithCaptureResponse(ctx, &first), group, vaultName, fabric, container, *item.Name,
			siterecovery.UnplannedFailoverInput{Properties: &siterecovery.UnplannedFailoverInputProperties{
				FailoverDirection: new("PrimaryToRecovery"), SourceSiteOperations: new("Required"),
				ProviderSpecificDetails: &siterecovery.A2AUnplannedFailoverInput{},
			}}, nil)
		if err != nil {
			w.Fatal(err)
		}
		start := time.Now()
		done, err := poller.PollUntilDone(ctx, nil)
		if err != nil {
			w.Fatal(err)
		}
		if took := time.Since(start); took < 140*time.Second || took > 180*time.Second {
			w.Errorf("the failover took %s by polling every 30 s, want 140 s to 180 s", took)
		}
		if got := *done.Properties.ProtectionState; got != "UnplannedFailoverCommitPendingStatesBegin" {
			w.Errorf("final GET: protectionState %s", got)
		}
		checkJob(w, factory, first.Header.Get("X-Ms-Request-Id"))

		commit, err := items.BeginFailoverCommit(ctx, group, vaultName, fabric, container, *item.Name, nil)
		if err != nil {
			w.Fatal(err)
		}
		committed, err := commit.PollUntilDone(ctx, nil)
		if err != nil {
			w.Fatal(err)
		}
		if got := *committed.Properties.ProtectionState; got != "UnplannedFailoverCommitted" {
			w.Errorf("after the commit: protectionState %s", got)
		}
	})
}

func useIdentityEndpoint(t *testing.T) {
	t.Helper()
	t.Setenv("IDENTITY_ENDPOINT", host+"/identity/token")
	t.Setenv("IDENTITY_HEADER", "sandbox")
}

func TestSDKMeetsFaults(t *testing.T) {
	useIdentityEndpoint(t)
	bubble(t, vault.Options{}, func(w *world) {
		items, ctx := newFactory(w).NewReplicationProtectedItemsClient(), w.Context()
		w.vault.Fault(vault.Fault{Operation: "items", Kind: vault.Throttle, RetryAfter: 20 * time.Second})
		start := time.Now()
		item := sdkItem(w, items, "vm-x")
		if took := time.Since(start); took != 20*time.Second {
			w.Errorf("the SDK came back after %s, want the Retry-After of 20 s", took)
		}

		var refused *azcore.ResponseError
		_, err := items.BeginFailoverCommit(ctx, group, vaultName, fabric, container, *item.Name, nil)
		if !errors.As(err, &refused) || refused.StatusCode != http.StatusConflict || refused.ErrorCode != "OperationNotAllowed" {
			w.Errorf("commit of a protected VM: %v", err)
		}

		if err := w.vault.Portal("vm-x", "unplannedFailover"); err != nil {
			w.Fatal(err)
		}
		pause(140 * time.Second)
		w.vault.Fault(vault.Fault{Operation: "failoverCommit", Kind: vault.JobFails, Code: "150253"})
		commit, err := items.BeginFailoverCommit(ctx, group, vaultName, fabric, container, *item.Name, nil)
		if err != nil {
			w.Fatal(err)
		}
		_, err = commit.PollUntilDone(ctx, nil)
		if !errors.As(err, &refused) || refused.StatusCode != http.StatusOK || refused.ErrorCode != "150253" {
			w.Errorf("failed commit: %v, want code 150253 in an answer of 200", err)
		}
	})
}

func sdkItem(w *world, items *siterecovery.ReplicationProtectedItemsClient, vm string) *siterecovery.ReplicationProtectedItem {
	w.Helper()
	pager := items.NewListPager(group, vaultName, nil)
	for pager.More() {
		page, err := pager.NextPage(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		for _, item := range page.Value {
			if *item.Properties.FriendlyName == vm {
				return item
			}
		}
	}
	w.Fatalf("no item %s", vm)
	return nil
}

func checkPoints(w *world, factory *siterecovery.ClientFactory, item string) {
	w.Helper()
	pager := factory.NewRecoveryPointsClient().NewListByReplicationProtectedItemsPager(group, vaultName, fabric, container, item, nil)
	page, err := pager.NextPage(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	if len(page.Value) < 40 {
		w.Errorf("%d points, want a day of them", len(page.Value))
	}
	byTime := func(a, b *siterecovery.RecoveryPoint) int {
		return a.Properties.RecoveryPointTime.Compare(*b.Properties.RecoveryPointTime)
	}
	if slices.IsSortedFunc(page.Value, byTime) {
		w.Error("points come in chronological order; Azure's do not")
	}
}

func checkJob(w *world, factory *siterecovery.ClientFactory, id string) {
	w.Helper()
	name := id[len(id)-36:]
	job, err := factory.NewReplicationJobsClient().Get(w.Context(), group, vaultName, name, nil)
	if err != nil {
		w.Fatal(err)
	}
	if *job.ID != id || *job.Properties.State != "Succeeded" || len(job.Properties.Tasks) != 5 {
		w.Errorf("job %s: %s with %d tasks", *job.ID, *job.Properties.State, len(job.Properties.Tasks))
	}
	details, ok := job.Properties.CustomDetails.(*siterecovery.FailoverJobDetails)
	if !ok {
		w.Fatalf("customDetails is a %T", job.Properties.CustomDetails)
	}
	used := details.ProtectedItemDetails[0]
	if want := job.Properties.StartTime.Add(78 * time.Second); !used.RecoveryPointTime.Equal(want) {
		w.Errorf("point of %s, want the end of the synchronisation, %s", used.RecoveryPointTime, want)
	}
}
