package vault_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/sandbox/vault"
)

// polled waits for an operation as the SDK does.
func polled[T any](w *world, begin func() (*runtime.Poller[T], error)) T {
	w.Helper()
	poller, err := begin()
	if err != nil {
		w.Fatal(err)
	}
	done, err := poller.PollUntilDone(w.Context(), nil)
	if err != nil {
		w.Fatal(err)
	}
	return done
}

// all reads every page.
func all[T, E any](w *world, pager *runtime.Pager[T], entries func(T) []*E) []*E {
	w.Helper()
	var found []*E
	for pager.More() {
		page, err := pager.NextPage(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		found = append(found, entries(page)...)
	}
	return found
}

func TestSDKDrills(t *testing.T) {
	useIdentityEndpoint(t)
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		items, ctx := newFactory(w).NewReplicationProtectedItemsClient(), w.Context()
		name := *sdkItem(w, items, "vm-x").Name
		network := groups + "rg-workload-asr/providers/Microsoft.Network/virtualNetworks/vnet-workload-asr-drill"
		drilled := polled(w, func() (*runtime.Poller[siterecovery.ReplicationProtectedItemsClientTestFailoverResponse], error) {
			return items.BeginTestFailover(ctx, group, vaultName, fabric, container, name, siterecovery.TestFailoverInput{
				Properties: &siterecovery.TestFailoverInputProperties{
					FailoverDirection: new("PrimaryToRecovery"), NetworkType: new("VmNetworkAsInput"), NetworkID: new(network),
					ProviderSpecificDetails: &siterecovery.A2ATestFailoverInput{},
				},
			}, nil)
		})
		if got := *drilled.Properties.TestFailoverState; got != "WaitingForCompletion" {
			w.Errorf("testFailoverState %s", got)
		}
		cleaned := polled(w, func() (*runtime.Poller[siterecovery.ReplicationProtectedItemsClientTestFailoverCleanupResponse], error) {
			return items.BeginTestFailoverCleanup(ctx, group, vaultName, fabric, container, name, siterecovery.TestFailoverCleanupInput{
				Properties: &siterecovery.TestFailoverCleanupInputProperties{Comments: new("all good")},
			}, nil)
		})
		if p := cleaned.Properties; *p.TestFailoverState != "None" || p.LastSuccessfulTestFailoverTime == nil {
			w.Errorf("after the clean-up %s", *p.TestFailoverState)
		}
	})
}

func TestSDKChangesThePoint(t *testing.T) {
	useIdentityEndpoint(t)
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		w.reach(named(w, "failed over"))
		factory, ctx := newFactory(w), w.Context()
		items := factory.NewReplicationProtectedItemsClient()
		name := *sdkItem(w, items, "vm-x").Name
		points := all(w, factory.NewRecoveryPointsClient().NewListByReplicationProtectedItemsPager(group, vaultName, fabric, container, name, nil),
			func(p siterecovery.RecoveryPointsClientListByReplicationProtectedItemsResponse) []*siterecovery.RecoveryPoint {
				return p.Value
			})
		changed := polled(w, func() (*runtime.Poller[siterecovery.ReplicationProtectedItemsClientApplyRecoveryPointResponse], error) {
			return items.BeginApplyRecoveryPoint(ctx, group, vaultName, fabric, container, name, siterecovery.ApplyRecoveryPointInput{
				Properties: &siterecovery.ApplyRecoveryPointInputProperties{
					RecoveryPointID: points[7].ID, ProviderSpecificDetails: &siterecovery.A2AApplyRecoveryPointInput{},
				},
			}, nil)
		})
		if got := *changed.Properties.FailoverRecoveryPointID; !strings.HasSuffix(got, *points[7].Name) {
			w.Errorf("failoverRecoveryPointId %s", got)
		}
	})
}

// TestSDKReprotects builds the reprotect from what the vault and Compute say, as a client must.
func TestSDKReprotects(t *testing.T) {
	useIdentityEndpoint(t)
	bubble(t, vault.Options{VMs: 3}, func(w *world) {
		factory, ctx := newFactory(w), w.Context()
		items := factory.NewReplicationProtectedItemsClient()
		for _, operation := range []string{"unplannedFailover", "failoverCommit"} {
			if err := w.vault.Portal("sql-01", operation); err != nil {
				w.Fatal(err)
			}
			pause(failoverTakes)
		}
		item := sdkItem(w, items, "sql-01")
		details := item.Properties.ProviderSpecificDetails.(*siterecovery.A2AReplicationDetails)
		mapping, disks := w.reverseMapping(factory, item), w.switchDisks(*details.RecoveryFabricObjectID)
		var first *http.Response
		polled(w, func() (*runtime.Poller[siterecovery.ReplicationProtectionContainersClientSwitchProtectionResponse], error) {
			return factory.NewReplicationProtectionContainersClient().BeginSwitchProtection(policy.WithCaptureResponse(ctx, &first),
				group, vaultName, fabric, container, siterecovery.SwitchProtectionInput{Properties: &siterecovery.SwitchProtectionInputProperties{
					ReplicationProtectedItemName: item.Name,
					ProviderSpecificDetails: &siterecovery.A2ASwitchProtectionInput{
						RecoveryContainerID: mapping.TargetProtectionContainerID, PolicyID: mapping.PolicyID,
						RecoveryResourceGroupID: new(groups + "rg-workload"), VMManagedDisks: disks,
					},
				}}, nil)
		})
		id := first.Header.Get("X-Ms-Request-Id")
		job, err := factory.NewReplicationJobsClient().Get(ctx, group, vaultName, lastOf(id), nil)
		if err != nil {
			w.Fatal(err)
		}
		moved := *job.Properties.CustomDetails.(*siterecovery.SwitchProtectionJobDetails).NewReplicationProtectedItemID
		inner := job.Properties.Tasks[4].GroupTaskCustomDetails.(*siterecovery.GroupTaskDetails).ChildTasks[0].CustomDetails.(*siterecovery.JobTaskDetails)
		if moved != w.vm("sql-01").ID || *inner.JobTask.JobScenarioName != "EnableDr" {
			w.Errorf("moved to %s by %s", moved, *inner.JobTask.JobScenarioName)
		}
		pause(150 * time.Minute)
		away := strings.Replace(fabric, "west", "north", 1)
		home, err := items.Get(ctx, group, vaultName, away, away+"-container", *item.Name, nil)
		if err != nil {
			w.Fatal(err)
		}
		if got := *home.Properties.ProtectionState; got != "Protected" {
			w.Errorf("after the initial replication of three times the disks %s", got)
		}
	})
}

// reverseMapping is the container mapping towards the region where an item's VM was.
func (w *world) reverseMapping(factory *siterecovery.ClientFactory, item *siterecovery.ReplicationProtectedItem) *siterecovery.ProtectionContainerMappingProperties {
	w.Helper()
	mappings := all(w, factory.NewReplicationProtectionContainerMappingsClient().NewListPager(group, vaultName, nil),
		func(p siterecovery.ReplicationProtectionContainerMappingsClientListResponse) []*siterecovery.ProtectionContainerMapping {
			return p.Value
		})
	for _, m := range mappings {
		if *m.Properties.TargetFabricFriendlyName == *item.Properties.PrimaryFabricFriendlyName {
			return m.Properties
		}
	}
	w.Fatalf("no mapping to %s", *item.Properties.PrimaryFabricFriendlyName)
	return nil
}

func (w *world) switchDisks(machine string) []*siterecovery.A2AVMManagedDiskInputDetails {
	w.Helper()
	storage := dig(w.T, w.get(machine).body, "properties", "storageProfile")
	var disks []*siterecovery.A2AVMManagedDiskInputDetails
	for _, d := range append([]any{dig(w.T, storage, "osDisk")}, dig(w.T, storage, "dataDisks").([]any)...) {
		disks = append(disks, &siterecovery.A2AVMManagedDiskInputDetails{
			DiskID:                              new(dig(w.T, d, "managedDisk", "id").(string)),
			PrimaryStagingAzureStorageAccountID: new(groups + "rg-workload-asr/providers/Microsoft.Storage/storageAccounts/ferryasrcachedr"),
			RecoveryResourceGroupID:             new(groups + "rg-workload"),
		})
	}
	return disks
}

func TestSDKCancelsAJob(t *testing.T) {
	useIdentityEndpoint(t)
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		_, id := w.failOver(latest("Required"))
		jobs := newFactory(w).NewReplicationJobsClient()
		done := polled(w, func() (*runtime.Poller[siterecovery.ReplicationJobsClientCancelResponse], error) {
			return jobs.BeginCancel(w.Context(), group, vaultName, lastOf(id), nil)
		})
		if *done.ID != id || *done.Properties.State != "Cancelled" {
			w.Errorf("%s is %s", *done.ID, *done.Properties.State)
		}
		running := all(w, jobs.NewListPager(group, vaultName, &siterecovery.ReplicationJobsClientListOptions{Filter: new("JobStatus eq 'InProgress'")}),
			func(p siterecovery.ReplicationJobsClientListResponse) []*siterecovery.Job { return p.Value })
		if len(running) != 0 {
			w.Errorf("%d jobs run", len(running))
		}
	})
}

func TestSDKReadsTheConfiguration(t *testing.T) {
	useIdentityEndpoint(t)
	bubble(t, vault.Options{VMs: 2}, func(w *world) {
		factory, ctx := newFactory(w), w.Context()
		networks := all(w, factory.NewReplicationNetworkMappingsClient().NewListPager(group, vaultName, nil),
			func(p siterecovery.ReplicationNetworkMappingsClientListResponse) []*siterecovery.NetworkMapping {
				return p.Value
			})
		if len(networks) != 2 || *networks[1].Properties.RecoveryFabricFriendlyName != "West Europe" {
			w.Errorf("%d network mappings", len(networks))
		}
		one, err := factory.NewReplicationNetworkMappingsClient().Get(ctx, group, vaultName, fabric, "azureNetwork", *networks[0].Name, nil)
		if err != nil || *one.ID != *networks[0].ID {
			w.Errorf("one network mapping: %v", err)
		}
		policies := all(w, factory.NewReplicationPoliciesClient().NewListPager(group, vaultName, nil),
			func(p siterecovery.ReplicationPoliciesClientListResponse) []*siterecovery.Policy { return p.Value })
		rhythm := policies[0].Properties.ProviderSpecificDetails.(*siterecovery.A2APolicyDetails)
		if *rhythm.RecoveryPointHistory != 1440 || *rhythm.CrashConsistentFrequencyInMinutes != 5 {
			w.Errorf("policy %+v", rhythm)
		}
		if _, err := factory.NewReplicationPoliciesClient().Get(ctx, group, vaultName, *policies[0].Name, nil); err != nil {
			w.Error(err)
		}
		mapping, err := factory.NewReplicationProtectionContainerMappingsClient().Get(ctx, group, vaultName, fabric, container, "westeurope-northeurope-24-hour-retention-policy", nil)
		if err != nil || *mapping.Properties.State != "Paired" {
			w.Errorf("container mapping: %v", err)
		}
		health, err := factory.NewReplicationVaultHealthClient().Get(ctx, group, vaultName, nil)
		if err != nil {
			w.Fatal(err)
		}
		sum := health.Properties.ProtectedItemsHealth
		if *sum.ResourceCount != 2 || *sum.CategorizedResourceCounts["Warning"] != 2 || len(sum.Issues[0].AffectedResourceCorrelationIDs) != 2 {
			w.Errorf("health of the items %+v", sum)
		}
	})
}

func TestShapesOfTheConfiguration(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		root, _, _ := strings.Cut(w.vm("vm-x").ID, "/replicationFabrics")
		for name, path := range map[string]string{
			"mappings": "/replicationProtectionContainerMappings", "network_mappings": "/replicationNetworkMappings",
			"policies": "/replicationPolicies", "health": "/replicationVaultHealth",
		} {
			w.matches(name, w.get(root+path).body, "")
		}
	})
}
