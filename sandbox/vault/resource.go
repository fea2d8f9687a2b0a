package vault

import (
	"net/http"
	"slices"
	"strings"
)

// Lists of a resource group, as a person reads them to see what a failback left behind.

const groupPath = "/subscriptions/{subscription}/resourcegroups/{rg}"

func resourceRoutes() []route {
	const compute, network = groupPath + "/providers/microsoft.compute", groupPath + "/providers/microsoft.network"
	return []route{
		{http.MethodGet, compute + "/virtualmachines", "machines", (*Vault).listMachines},
		{http.MethodGet, compute + "/virtualmachines/{vm}", "machine", (*Vault).getMachine},
		{http.MethodGet, compute + "/disks", "disks", (*Vault).listDisks},
		{http.MethodGet, network + "/networkinterfaces", "nics", (*Vault).listNICs},
		{http.MethodGet, network + "/virtualnetworks", "networks", (*Vault).listNetworks},
		{http.MethodGet, groupPath + "/providers/microsoft.storage/storageaccounts", "accounts", (*Vault).listAccounts},
	}
}

// eachMachine calls do for every VM of the group in the call's path.
func (v *Vault) eachMachine(c *call, do func(*Vault, *item, *machine)) {
	group, _, _ := strings.Cut(c.path, "/providers/")
	for _, v := range v.vaults {
		for _, it := range v.items {
			for _, m := range it.machines() {
				if strings.EqualFold(m.group, group) {
					do(v, it, m)
				}
			}
		}
	}
}

func (v *Vault) listMachines(c *call) reply {
	value := []object{}
	v.eachMachine(c, func(v *Vault, _ *item, m *machine) { value = append(value, v.machineJSON(m, false)) })
	return page(value)
}

func (v *Vault) getMachine(c *call) reply {
	expand := strings.EqualFold(c.request.URL.Query().Get("$expand"), "instanceView")
	var found []object
	v.eachMachine(c, func(v *Vault, _ *item, m *machine) {
		if strings.EqualFold(m.name, c.value("vm")) {
			found = append(found, v.machineJSON(m, expand))
		}
	})
	if len(found) == 0 {
		return v.notFound(c)
	}
	return ok(found[0])
}

// listDisks has the disks of VMs and the replicas that Site Recovery keeps for a failover.
func (v *Vault) listDisks(c *call) reply {
	value := []object{}
	v.eachMachine(c, func(v *Vault, _ *item, m *machine) {
		for _, d := range m.disks {
			value = append(value, v.diskResource(m, d, m.diskID(d), m.id()))
		}
	})
	group, _, _ := strings.Cut(c.path, "/providers/")
	for _, v := range v.vaults {
		for _, it := range v.items {
			if strings.EqualFold(it.recoveryGroup, group) {
				m := it.newReplica(it.vm, 0)
				for _, d := range m.disks {
					value = append(value, v.diskResource(m, d, m.diskID(d)+"-ASRReplica", nil))
				}
			}
		}
	}
	return page(value)
}

func (v *Vault) diskResource(m *machine, d disk, id string, owner any) object {
	state := "Attached"
	switch {
	case owner == nil:
		state = "ActiveSAS" // written to by Site Recovery
	case !m.running:
		state = "Reserved"
	}
	return object{
		"id": id, "name": lastSegment(id), "type": "Microsoft.Compute/disks", "location": m.region.location,
		"managedBy": owner, "tags": object{}, "sku": object{"name": diskType, "tier": "Premium"},
		"properties": object{
			"diskSizeGB": d.bytes / gib, "diskSizeBytes": d.bytes, "diskState": state, "provisioningState": "Succeeded",
			"timeCreated": v.timeText(m.created), "networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled",
		},
	}
}

func (v *Vault) listNICs(c *call) reply {
	value := []object{}
	v.eachMachine(c, func(v *Vault, _ *item, m *machine) {
		value = append(value, object{
			"id": m.nicID(), "name": lastSegment(m.nicID()), "type": "Microsoft.Network/networkInterfaces", "location": m.region.location,
			"tags": object{}, "properties": object{
				"provisioningState": "Succeeded", "primary": true, "virtualMachine": object{"id": m.id()},
				"ipConfigurations": []object{{"name": "ipconfig1", "properties": object{
					"primary": true, "privateIPAllocationMethod": "Dynamic", "subnet": object{"id": m.network + "/subnets/default"},
				}}},
			},
		})
	})
	return page(value)
}

// listNetworks has, in each region's group, the VMs' network and an isolated one for drills.
func (v *Vault) listNetworks(c *call) reply {
	return v.listFixed(c, func(v *Vault, r *region) []string { return []string{v.networkID(r), v.drillNetworkID(r)} },
		"Microsoft.Network/virtualNetworks")
}

// listAccounts has the staging accounts.
func (v *Vault) listAccounts(c *call) reply {
	return v.listFixed(c, func(v *Vault, r *region) []string { return []string{v.cacheID(r)} }, "Microsoft.Storage/storageAccounts")
}

func (v *Vault) listFixed(c *call, ids func(*Vault, *region) []string, kind string) reply {
	prefix, _, _ := strings.Cut(strings.ToLower(c.path), "/providers/")
	var seen []string
	value := []object{}
	for _, v := range v.vaults {
		for i := range v.regions {
			r := &v.regions[i]
			for _, id := range ids(v, r) {
				if strings.HasPrefix(strings.ToLower(id), prefix+"/") && !slices.Contains(seen, id) {
					seen = append(seen, id)
					value = append(value, object{
						"id": id, "name": lastSegment(id), "type": kind, "location": r.location, "tags": object{},
						"properties": object{"provisioningState": "Succeeded"},
					})
				}
			}
		}
	}
	return page(value)
}
