package azure

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"
	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/failover"
)

// missing is a prerequisite that somebody has to see to before anything is asked of Azure.
func missing(action, message string) error {
	return &failover.SiteError{Kind: failover.RefusedBySite, Fault: failover.Fault{Code: failover.CodePrerequisite, Message: message, Action: action}}
}

// Reversal reads what a reprotect of an item would use: the container mapping in the reverse direction, the VM that runs
// now with its disks, and the VM of before, as far as it is still there. Azure takes a reprotect without any of it and lets
// the job fail, so what is missing is said here.
func (s *Site) Reversal(ctx context.Context, item failover.Item) (failover.Reversal, error) {
	v, at, err := s.locateItem(item)
	if err != nil {
		return failover.Reversal{}, err
	}
	got, err := read(ctx, getItem(), func(ctx context.Context) (siterecovery.ReplicationProtectedItemsClientGetResponse, error) {
		return v.items.Get(ctx, v.ResourceGroup, v.Name, at.fabric, at.container, at.item, nil)
	})
	if err != nil {
		return failover.Reversal{}, err
	}
	details, ok := or(got.Properties).ProviderSpecificDetails.(*siterecovery.A2AReplicationDetails)
	if !ok {
		return failover.Reversal{}, refuse("NotAzureToAzure", "%q is not replicated from Azure to Azure.", item.ID)
	}
	r := failover.Reversal{From: or(details.RecoveryFabricLocation), To: or(details.PrimaryFabricLocation)}
	if err := v.reachable(ctx, at.fabric, r.To); err != nil {
		return r, err
	}
	mapping, err := v.reverseMapping(ctx, parseID(or(got.Properties.RecoveryContainerID)), at, r)
	if err != nil {
		return r, err
	}
	r.Container, r.Policy = or(mapping.TargetProtectionContainerID), or(mapping.PolicyID)
	if r.Network, err = v.reverseNetwork(ctx, r); err != nil {
		return r, err
	}
	return r, s.machines(ctx, v, details, item.Name, &r)
}

// reachable refuses while the region to replicate to is down, as far as Site Recovery knows it (guessed: by its fabric).
func (v *vault) reachable(ctx context.Context, fabric, region string) error {
	got, err := read(ctx, getFabric(), func(ctx context.Context) (siterecovery.ReplicationFabricsClientGetResponse, error) {
		return v.fabrics.Get(ctx, v.ResourceGroup, v.Name, fabric, nil)
	})
	if err != nil {
		return err
	}
	if strings.EqualFold(or(or(got.Properties).Health), "Critical") {
		return missing("Ask again when the region is back.", "Site Recovery does not reach "+region+", so nothing can be replicated there.")
	}
	return nil
}

// reverseMapping finds how the container that runs the VM now is mapped back to the one that it came from.
func (v *vault) reverseMapping(ctx context.Context, now, from resource, r failover.Reversal) (*siterecovery.ProtectionContainerMappingProperties, error) {
	found, err := read(ctx, listMappings(), func(ctx context.Context) ([]*siterecovery.ProtectionContainerMapping, error) {
		return collect(ctx, v.mappings.NewListByReplicationProtectionContainersPager(v.ResourceGroup, v.Name, now.fabric, now.container, nil),
			func(p siterecovery.ReplicationProtectionContainerMappingsClientListByReplicationProtectionContainersResponse) []*siterecovery.ProtectionContainerMapping {
				return p.Value
			})
	})
	if err != nil {
		return nil, err
	}
	for _, m := range found {
		if m == nil || m.Properties == nil {
			continue
		}
		to := parseID(or(m.Properties.TargetProtectionContainerID))
		if strings.EqualFold(to.fabric, from.fabric) && strings.EqualFold(to.container, from.container) {
			return m.Properties, nil
		}
	}
	return nil, missing("Create the container mapping from "+r.From+" to "+r.To+" in the vault, then ask again.",
		"No container mapping leads from "+r.From+" back to "+r.To+".")
}

// reverseNetwork is the network that the mapping names; empty when there is none, and Azure decides.
func (v *vault) reverseNetwork(ctx context.Context, r failover.Reversal) (string, error) {
	found, err := read(ctx, listNetworkMappings(), func(ctx context.Context) ([]*siterecovery.NetworkMapping, error) {
		return collect(ctx, v.networks.NewListPager(v.ResourceGroup, v.Name, nil),
			func(p siterecovery.ReplicationNetworkMappingsClientListResponse) []*siterecovery.NetworkMapping {
				return p.Value
			})
	})
	if err != nil {
		return "", err
	}
	for _, m := range found {
		if m == nil || m.Properties == nil {
			continue
		}
		regions, ok := m.Properties.FabricSpecificSettings.(*siterecovery.AzureToAzureNetworkMappingSettings)
		if ok && strings.EqualFold(or(regions.PrimaryFabricLocation), r.From) && strings.EqualFold(or(regions.RecoveryFabricLocation), r.To) {
			return or(m.Properties.RecoveryNetworkID), nil
		}
	}
	return "", nil
}

// machines fills in what the two VMs tell: the disks of the one that runs, and where the one of before was.
func (s *Site) machines(ctx context.Context, v *vault, details *siterecovery.A2AReplicationDetails, name string, r *failover.Reversal) error {
	runs, err := s.machine(ctx, or(details.RecoveryFabricObjectID))
	if err != nil {
		return err
	}
	if runs == nil {
		return missing("Look in the portal where it went; without it, disable the replication and protect the VM anew.",
			"The VM that "+name+" was failed over to is not in "+r.From+" any more.")
	}
	cache, err := s.cache(ctx, v, r.From)
	if err != nil {
		return err
	}
	r.Disks = disksOf(runs, cache)
	for _, d := range r.Disks {
		r.Creates = append(r.Creates, "replica disk "+d.Name+"-ASRReplica")
	}
	r.ResourceGroup = groupOf(or(details.FabricObjectID))
	before, err := s.machine(ctx, or(details.FabricObjectID))
	switch {
	case err != nil:
		return err
	case before == nil:
		r.FullCopy = true
		return nil
	}
	if p := before.Properties; p != nil && p.AvailabilitySet != nil {
		r.AvailabilitySet = or(p.AvailabilitySet.ID)
	}
	if len(before.Zones) > 0 {
		r.Zone = or(before.Zones[0])
	}
	return nil
}

// machine reads a VM; nil when there is none.
func (s *Site) machine(ctx context.Context, id string) (*armcompute.VirtualMachine, error) {
	at := parseID(id)
	if at.machine == "" {
		return nil, nil //nolint:nilnil // no VM is an answer
	}
	client, err := armcompute.NewVirtualMachinesClient(at.SubscriptionID, s.credential, s.options)
	if err != nil {
		return nil, refuse("InvalidVM", "%q is no VM.", id)
	}
	gone := false
	got, err := read(ctx, getMachine(), func(ctx context.Context) (armcompute.VirtualMachinesClientGetResponse, error) {
		got, err := client.Get(ctx, at.ResourceGroup, at.machine, nil)
		gone = hasStatus(err, http.StatusNotFound)
		return got, err
	})
	if gone {
		return nil, nil //nolint:nilnil // no VM is an answer
	}
	return &got.VirtualMachine, err
}

func disksOf(vm *armcompute.VirtualMachine, cache string) []failover.ReversalDisk {
	var disks []failover.ReversalDisk
	add := func(name *string, gib *int32, m *armcompute.ManagedDiskParameters) {
		if m == nil {
			return // an unmanaged disk: Azure says so
		}
		kind := ""
		if m.StorageAccountType != nil {
			kind = string(*m.StorageAccountType)
		}
		disks = append(disks, failover.ReversalDisk{ID: or(m.ID), Name: or(name), Bytes: int64(or(gib)) << 30, Type: kind, Cache: cache})
	}
	if p := vm.Properties; p != nil && p.StorageProfile != nil {
		if os := p.StorageProfile.OSDisk; os != nil {
			add(os.Name, os.DiskSizeGB, os.ManagedDisk)
		}
		for _, d := range p.StorageProfile.DataDisks {
			add(d.Name, d.DiskSizeGB, d.ManagedDisk)
		}
	}
	return disks
}

// cache finds the storage account through which VMs in a region are replicated: the configured one, or the one that another
// item of the vault uses from there.
func (s *Site) cache(ctx context.Context, v *vault, region string) (string, error) {
	if id := s.caches[strings.ToLower(region)]; id != "" {
		return id, nil
	}
	items, err := v.list(ctx)
	if err != nil {
		return "", err
	}
	for _, it := range items {
		if strings.EqualFold(it.From, region) && len(it.Caches) > 0 {
			return it.Caches[0], nil
		}
	}
	return "", missing("Add the ARM id of a storage account in "+region+" under azure.cache_storage of Ferry's configuration, then ask again.",
		"No cache storage account in "+region+" is known, through which the VM could be replicated back.")
}

// groupOf is the ARM id of the resource group of a resource.
func groupOf(id string) string {
	at := parseID(id)
	return "/subscriptions/" + at.SubscriptionID + "/resourceGroups/" + at.ResourceGroup
}

// Leftovers lists the VM that an item was failed back from, with its disks and network interfaces, and the storage account
// of that replication: Azure keeps them, and they cost money.
func (s *Site) Leftovers(ctx context.Context, item failover.Item) ([]failover.Leftover, error) {
	vm, err := s.machine(ctx, item.VM)
	if err != nil || vm == nil {
		return nil, err
	}
	left := []failover.Leftover{{Kind: "virtual machine", Name: or(vm.Name), ID: cmp.Or(or(vm.ID), item.VM)}}
	for _, d := range disksOf(vm, "") {
		left = append(left, failover.Leftover{Kind: "disk", Name: d.Name, ID: d.ID})
	}
	if p := vm.Properties; p != nil && p.NetworkProfile != nil {
		for _, n := range p.NetworkProfile.NetworkInterfaces {
			id := or(or(n).ID)
			left = append(left, failover.Leftover{Kind: "network interface", Name: id[strings.LastIndexByte(id, '/')+1:], ID: id})
		}
	}
	for _, id := range item.Caches {
		left = append(left, failover.Leftover{Kind: "cache storage account", Name: id[strings.LastIndexByte(id, '/')+1:], ID: id})
	}
	return left, nil
}
