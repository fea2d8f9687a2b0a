package azure

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/failover"
)

// idle is the scenarioName of an item on which nothing runs, and the last segment of its jobId (recorded 2025).
const idle = "None"

// Items lists the Azure-to-Azure items of all vaults, read at the same time. An error does not void the rest: the items
// of the vaults that could be read come with it.
func (s *Site) Items(ctx context.Context) ([]failover.Item, error) {
	items, errs := make([][]failover.Item, len(s.vaults)), make([]error, len(s.vaults))
	var reading sync.WaitGroup
	for i, v := range s.vaults {
		reading.Go(func() { items[i], errs[i] = v.list(ctx) })
	}
	reading.Wait()
	var all []failover.Item
	for _, of := range items {
		all = append(all, of...)
	}
	s.tag(ctx, all)
	for _, err := range errs {
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// Item reads one item, also when a reprotect has moved it to another container since.
func (s *Site) Item(ctx context.Context, item failover.Item) (failover.Item, error) {
	one, err := s.readItem(ctx, item)
	if err != nil {
		return failover.Item{}, err
	}
	tagged := []failover.Item{one}
	s.tag(ctx, tagged)
	return tagged[0], nil
}

func (s *Site) readItem(ctx context.Context, item failover.Item) (failover.Item, error) {
	v, at, err := s.locateItem(item)
	if err != nil {
		return failover.Item{}, err
	}
	missing := false
	got, err := read(ctx, getItem(), func(ctx context.Context) (siterecovery.ReplicationProtectedItemsClientGetResponse, error) {
		got, err := v.items.Get(ctx, v.ResourceGroup, v.Name, at.fabric, at.container, at.item, nil)
		missing = hasStatus(err, http.StatusNotFound)
		return got, err
	})
	if missing {
		return v.moved(ctx, at, err)
	}
	if err != nil {
		return failover.Item{}, err
	}
	mapped, ok := v.mapItem(&got.ReplicationProtectedItem)
	if !ok {
		return failover.Item{}, refuse("NotAzureToAzure", "%q is not replicated from Azure to Azure.", item.ID)
	}
	return mapped, nil
}

func (s *Site) locateItem(item failover.Item) (*vault, resource, error) {
	v, at, err := s.locate(item.ID)
	if err == nil && !at.namesItem() {
		err = refuse("InvalidItem", "%q is no replicated item.", item.ID)
	}
	return v, at, err
}

func hasStatus(err error, status int) bool {
	answer, ok := errors.AsType[*azcore.ResponseError](err)
	return ok && answer.StatusCode == status
}

// moved looks for an item where it is now; its name outlives a reprotect, its container does not (recorded 2023).
func (v *vault) moved(ctx context.Context, from resource, notFound error) (failover.Item, error) {
	items, err := v.list(ctx)
	if err != nil {
		return failover.Item{}, err
	}
	for _, it := range items {
		if it.Key == failover.ItemKey(v.id(), from.item) {
			return it, nil
		}
	}
	return failover.Item{}, notFound
}

// list reads the whole vault. The built-in role Site Recovery Operator may not (documented), so a 403 is answered by going
// through the containers.
func (v *vault) list(ctx context.Context) ([]failover.Item, error) {
	forbidden := false
	found, err := read(ctx, listItems(), func(ctx context.Context) ([]*siterecovery.ReplicationProtectedItem, error) {
		found, err := v.listed(ctx, "replicationProtectedItems")
		forbidden = hasStatus(err, http.StatusForbidden)
		return found, err
	})
	if forbidden {
		found, err = read(ctx, listContainerItems(), v.listByContainer)
	}
	if err != nil {
		return nil, err
	}
	var items []failover.Item
	for _, it := range found {
		if mapped, ok := v.mapItem(it); ok {
			items = append(items, mapped)
		}
	}
	return items, nil
}

func (v *vault) listByContainer(ctx context.Context) ([]*siterecovery.ReplicationProtectedItem, error) {
	fabrics, err := collect(ctx, v.fabrics.NewListPager(v.ResourceGroup, v.Name, nil),
		func(p siterecovery.ReplicationFabricsClientListResponse) []*siterecovery.Fabric { return p.Value })
	if err != nil {
		return nil, err
	}
	var all []*siterecovery.ReplicationProtectedItem
	for _, f := range fabrics {
		name := or(or(f).Name)
		if name == "" { // cannot be asked for
			continue
		}
		of, err := v.listFabric(ctx, name)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all, nil
}

func (v *vault) listFabric(ctx context.Context, fabric string) ([]*siterecovery.ReplicationProtectedItem, error) {
	containers, err := collect(ctx, v.containers.NewListByReplicationFabricsPager(v.ResourceGroup, v.Name, fabric, nil),
		func(p siterecovery.ReplicationProtectionContainersClientListByReplicationFabricsResponse) []*siterecovery.ProtectionContainer {
			return p.Value
		})
	if err != nil {
		return nil, err
	}
	var all []*siterecovery.ReplicationProtectedItem
	for _, c := range containers {
		name := or(or(c).Name)
		if name == "" {
			continue
		}
		of, err := v.listed(ctx, "replicationFabrics/"+url.PathEscape(fabric)+"/replicationProtectionContainers/"+url.PathEscape(name)+"/replicationProtectedItems")
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all, nil
}

// mapItem reports false for what is not replicated from Azure to Azure, such as VMware machines in the same vault.
func (v *vault) mapItem(it *siterecovery.ReplicationProtectedItem) (failover.Item, bool) {
	if it == nil || it.Properties == nil {
		return failover.Item{}, false
	}
	p := it.Properties
	details, ok := p.ProviderSpecificDetails.(*siterecovery.A2AReplicationDetails)
	if !ok {
		return failover.Item{}, false
	}
	mapped := failover.Item{
		ID: or(it.ID), Key: failover.ItemKey(v.id(), parseID(or(it.ID)).item), Name: or(p.FriendlyName),
		Vault: v.Name, VaultID: v.id(),
		// The access rules mean the VM's group, not the vault's.
		ResourceGroup: cmp.Or(parseID(or(details.FabricObjectID)).ResourceGroup, v.ResourceGroup),
		From:          cmp.Or(or(details.PrimaryFabricLocation), or(p.PrimaryFabricFriendlyName)),
		To:            cmp.Or(or(details.RecoveryFabricLocation), or(p.RecoveryFabricFriendlyName)),
		State:         or(p.ProtectionState), TestState: or(p.TestFailoverState), Health: or(p.ReplicationHealth),
		RPO: rpo(details.RpoInSeconds), Errors: mapHealth(p.HealthErrors), LastTest: date(p.LastSuccessfulTestFailoverTime),
		LastFailover: date(p.LastSuccessfulFailoverTime), Home: or(details.InitialPrimaryFabricLocation), VM: or(details.FabricObjectID),
		Replicated: int(or(details.MonitoringPercentageCompletion)),
		Point:      lastWord(or(p.FailoverRecoveryPointID)),
		Size:       or(details.RecoveryAzureVMSize),
	}
	for _, d := range details.ProtectedManagedDisks {
		if id := or(or(d).PrimaryStagingAzureStorageAccountID); id != "" && !slices.Contains(mapped.Caches, id) {
			mapped.Caches = append(mapped.Caches, id)
		}
	}
	for _, word := range p.AllowedOperations {
		mapped.Allowed = append(mapped.Allowed, or(word))
	}
	mapped.Active = active(or(p.ActiveLocation), mapped)
	if s := p.CurrentScenario; s != nil && !strings.EqualFold(or(s.ScenarioName), idle) {
		mapped.Scenario, mapped.JobID = or(s.ScenarioName), v.canonicalJob(or(s.JobID))
	}
	return mapped, true
}

// lastWord is the name at the end of an ARM id.
func lastWord(id string) string { return strings.ToLower(id[strings.LastIndexByte(id, '/')+1:]) }

// active translates activeLocation, which tells sides, into a region; any other word is no region that we know.
func active(location string, item failover.Item) string {
	switch strings.ToLower(location) {
	case "primary":
		return item.From
	case "recovery":
		return item.To
	default:
		return ""
	}
}

// rpo is negative when Azure reports none, as during the initial replication.
func rpo(seconds *int64) time.Duration {
	if seconds == nil {
		return -time.Second
	}
	return time.Duration(*seconds) * time.Second
}

func mapHealth(found []*siterecovery.HealthError) []failover.Fault {
	var faults []failover.Fault
	for _, e := range found {
		if e == nil {
			continue
		}
		faults = append(faults, failover.Fault{
			Code: or(e.ErrorCode), Message: cmp.Or(or(e.ErrorMessage), or(e.SummaryMessage)),
			Cause: or(e.PossibleCauses), Action: or(e.RecommendedAction),
		})
	}
	return faults
}
