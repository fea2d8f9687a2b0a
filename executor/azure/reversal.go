package azure

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/failover"
)

// missing is a prerequisite that somebody has to see to before anything is asked of Azure.
func missing(action, message string) error {
	return &failover.SiteError{Kind: failover.RefusedBySite, Fault: failover.Fault{Code: failover.CodePrerequisite, Message: message, Action: action}}
}

// inPortal is the way out for what Ferry cannot put together by itself.
const inPortal = "Look at the replicated item in the portal, and reprotect it there."

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
	now, _ := v.mapItem(&got.ReplicationProtectedItem)
	r := failover.Reversal{From: now.To, To: now.From}
	runsIn := parseID(or(got.Properties.RecoveryContainerID))
	if r.From == "" || r.To == "" || runsIn.fabric == "" || runsIn.container == "" || parseID(now.VM).machine == "" {
		return r, missing(inPortal, "Azure does not say where "+now.Name+" came from and where it runs now.")
	}
	if err := v.reachable(ctx, at.fabric, r.To); err != nil {
		return r, err
	}
	mapping, err := v.reverseMapping(ctx, runsIn, at, r)
	if err != nil {
		return r, err
	}
	r.Container, r.Policy = or(mapping.TargetProtectionContainerID), or(mapping.PolicyID)
	if r.Network, err = v.reverseNetwork(ctx, runsIn.fabric, or(details.SelectedRecoveryAzureNetworkID), r); err != nil {
		return r, err
	}
	if err := s.running(ctx, v, details, now.Name, &r); err != nil {
		return r, err
	}
	return r, s.before(ctx, details, now.Name, &r)
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
		p := or(m).Properties
		to := parseID(or(or(p).TargetProtectionContainerID))
		if strings.EqualFold(to.fabric, from.fabric) && strings.EqualFold(to.container, from.container) && or(p.PolicyID) != "" {
			return p, nil
		}
	}
	return nil, missing("Create the container mapping from "+r.From+" to "+r.To+" in the vault, then ask again.",
		"No container mapping leads from "+r.From+" back to "+r.To+".")
}

// azureNetwork is what Site Recovery calls the networks of every Azure fabric.
const azureNetwork = "azureNetwork"

// reverseNetwork is the network that the mapping of the VM's network names; empty when there is none, and Azure decides. The
// built-in role does not have the list of the whole vault, as with the items, so a 403 is answered by asking the fabric.
func (v *vault) reverseNetwork(ctx context.Context, fabric, from string, r failover.Reversal) (string, error) {
	forbidden := false
	found, err := read(ctx, listNetworkMappings(), func(ctx context.Context) ([]*siterecovery.NetworkMapping, error) {
		found, err := collect(ctx, v.networks.NewListPager(v.ResourceGroup, v.Name, nil),
			func(p siterecovery.ReplicationNetworkMappingsClientListResponse) []*siterecovery.NetworkMapping {
				return p.Value
			})
		forbidden = hasStatus(err, http.StatusForbidden)
		return found, err
	})
	if forbidden {
		found, err = read(ctx, listFabricNetworkMappings(), func(ctx context.Context) ([]*siterecovery.NetworkMapping, error) {
			return collect(ctx, v.networks.NewListByReplicationNetworksPager(v.ResourceGroup, v.Name, fabric, azureNetwork, nil),
				func(p siterecovery.ReplicationNetworkMappingsClientListByReplicationNetworksResponse) []*siterecovery.NetworkMapping {
					return p.Value
				})
		})
	}
	for _, m := range found {
		p := or(or(m).Properties)
		regions, ok := p.FabricSpecificSettings.(*siterecovery.AzureToAzureNetworkMappingSettings)
		// One region may have several networks, each with a mapping of its own.
		if ok && sameRegion(or(regions.PrimaryFabricLocation), r.From) && sameRegion(or(regions.RecoveryFabricLocation), r.To) &&
			(from == "" || strings.EqualFold(or(p.PrimaryNetworkID), from)) {
			return or(p.RecoveryNetworkID), nil
		}
	}
	return "", err
}

// running fills in the disks of the VM that runs now, and what they are to be replicated through.
func (s *Site) running(ctx context.Context, v *vault, details *siterecovery.A2AReplicationDetails, name string, r *failover.Reversal) error {
	byName := or(details.RecoveryAzureResourceGroupID) + "/providers/Microsoft.Compute/virtualMachines/" + or(details.RecoveryAzureVMName)
	vm, gone, err := s.machine(ctx, cmp.Or(or(details.RecoveryFabricObjectID), byName))
	switch {
	case err != nil:
		return err
	case gone == notNamed:
		return missing(inPortal, "Azure does not name the VM that "+name+" was failed over to.")
	case vm == nil:
		return missing("Look in the portal where it went; without it, disable the replication and protect the VM anew.",
			"The VM that "+name+" was failed over to is not in "+r.From+" any more.")
	}
	cache, err := s.cache(ctx, v, r.From)
	if err != nil {
		return err
	}
	disks := disksOf(vm)
	if len(disks) == 0 {
		return missing(inPortal, "Azure shows no disk of the VM that "+name+" was failed over to.")
	}
	for _, d := range disks {
		if d.ID == "" {
			return missing(inPortal, "The disk "+d.Name+" of "+name+" is not a managed disk; Ferry reprotects VMs with managed disks only.")
		}
		d.Cache = cache
		r.Disks = append(r.Disks, d)
		r.Creates = append(r.Creates, "replica disk "+d.Name+"-ASRReplica")
	}
	return nil
}

// before fills in where the VM was before the failover; of one that is gone, as far as Site Recovery knows it.
func (s *Site) before(ctx context.Context, details *siterecovery.A2AReplicationDetails, name string, r *failover.Reversal) error {
	r.ResourceGroup = groupOf(or(details.FabricObjectID))
	vm, gone, err := s.machine(ctx, or(details.FabricObjectID))
	switch {
	case err != nil:
		return err
	case gone == noGroup:
		group := parseID(r.ResourceGroup).ResourceGroup
		return missing("Create the resource group "+group+", then ask again.", "The resource group "+group+", in which "+name+" was, does not exist any more.")
	case vm == nil:
		r.FullCopy, r.Zone = true, or(details.PrimaryAvailabilityZone)
		return nil
	}
	if p := vm.Properties; p != nil && p.AvailabilitySet != nil {
		r.AvailabilitySet = or(p.AvailabilitySet.ID)
	}
	if len(vm.Zones) > 0 {
		r.Zone = or(vm.Zones[0])
	}
	return nil
}

// cache finds the storage account through which VMs in a region are replicated: the configured one, or one that another
// item of the vault uses from there. Of several it is always the same, for an approval is bound to it.
func (s *Site) cache(ctx context.Context, v *vault, region string) (string, error) {
	if id := s.caches[regionCode(region)]; id != "" {
		return id, nil
	}
	items, err := v.list(ctx)
	if err != nil {
		return "", err
	}
	var known []string
	for _, it := range items {
		if sameRegion(it.From, region) {
			known = append(known, it.Caches...)
		}
	}
	if len(known) > 0 {
		return slices.MinFunc(known, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }), nil
	}
	return "", missing("Add the ARM id of a storage account in "+region+" under azure.cache_storage of Ferry's configuration, then ask again.",
		"No cache storage account in "+region+" is known, through which the VM could be replicated back.")
}

// regionCode is a region as Azure's ids and most of its answers spell it: "West Europe" is westeurope.
func regionCode(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "")) }

func sameRegion(a, b string) bool { return regionCode(a) == regionCode(b) }
