package vault

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// machine is a VM in one of the regions, with its disks and its network interface.
type machine struct {
	name    string
	size    string
	group   string // ARM id of its resource group
	region  *region
	network string // ARM id of its virtual network
	disks   []disk
	tags    map[string]string
	running bool
	created time.Duration
}

// disk is a managed disk.
type disk struct {
	name  string
	bytes int64
	lun   int // -1 is the disk of the operating system
}

const gib = 1 << 30

// disksOf gives most VMs the 127 GiB of the recordings, to the byte, and some of them data disks.
func disksOf(vm string) []disk {
	disks := []disk{{name: vm + "_OsDisk_1", bytes: 127*gib + 2<<20, lun: -1}}
	switch {
	case strings.HasPrefix(vm, "sql-"):
		disks = append(disks, disk{vm + "_DataDisk_0", 256 * gib, 0})
	case strings.HasPrefix(vm, "files-"):
		disks = append(disks, disk{vm + "_DataDisk_0", 512 * gib, 0}, disk{vm + "_DataDisk_1", 512 * gib, 1})
	}
	return disks
}

// SetTags gives a VM other tags, as a person at the portal does: the one that is replicated, not what a failover made of it.
func (v *Vault) SetTags(vm string, tags map[string]string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.settle()
	_, it := v.findVM(vm)
	if it == nil {
		return fmt.Errorf("no VM %q", vm)
	}
	it.source.tags = maps.Clone(tags)
	return nil
}

func (m *machine) id() string {
	return m.group + "/providers/Microsoft.Compute/virtualMachines/" + m.name
}

func (m *machine) diskID(d disk) string {
	return m.group + "/providers/Microsoft.Compute/disks/" + d.name
}

func (m *machine) nicID() string {
	return m.group + "/providers/Microsoft.Network/networkInterfaces/" + m.name + "-nic"
}

func (m *machine) diskIDs() []string {
	ids := make([]string, 0, len(m.disks))
	for _, d := range m.disks {
		ids = append(ids, m.diskID(d))
	}
	return ids
}

// machines are the VMs that exist because of this item, in no particular order.
func (it *item) machines() []*machine {
	var all []*machine
	for _, m := range []*machine{it.source, it.replica, it.leftover} {
		if m != nil {
			all = append(all, m)
		}
	}
	if it.drill != nil {
		all = append(all, it.drill.machine)
	}
	return all
}

// newReplica is the VM that a failover or a drill makes on the recovery side. It has the tags of its source (recorded).
func (it *item) newReplica(name string, at time.Duration) *machine {
	return &machine{
		name: name, group: it.recoveryGroup, region: it.recovery, network: it.recoveryNetwork,
		size: it.size, disks: it.source.disks, tags: it.source.tags, running: true, created: at,
	}
}

func (v *Vault) resourceGroupID(name string) string {
	return "/subscriptions/" + v.options.SubscriptionID + "/resourceGroups/" + name
}

// networkID is the virtual network of a region's VMs.
func (v *Vault) networkID(r *region) string {
	return v.resourceGroupID(r.group) + "/providers/Microsoft.Network/virtualNetworks/" + r.network
}

// cacheID is the storage account through which the VMs that run in a region are replicated away.
func (v *Vault) cacheID(r *region) string {
	return v.resourceGroupID(r.group) + "/providers/Microsoft.Storage/storageAccounts/" + r.cache
}

// drillNetworkID is a virtual network without a way out, for drills in a region.
func (v *Vault) drillNetworkID(r *region) string { return v.networkID(r) + "-drill" }

// DrillNetwork is the ARM id of the isolated network in the first vault's target region.
func (v *Vault) DrillNetwork() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.drillNetworkID(&v.regions[1])
}

// CacheAccounts are the ARM ids of the storage accounts through which the first vault's VMs are replicated, by the location
// of the region that they are in ("northeurope").
func (v *Vault) CacheAccounts() map[string]string {
	v.mu.Lock()
	defer v.mu.Unlock()
	accounts := map[string]string{}
	for i := range v.regions {
		accounts[v.regions[i].location] = v.cacheID(&v.regions[i])
	}
	return accounts
}

const diskType = "Premium_LRS"

// machineJSON is a VM as Compute shows it.
func (v *Vault) machineJSON(m *machine, withView bool) object {
	managed := func(d disk) object { return object{"id": m.diskID(d), "storageAccountType": diskType} }
	storage := object{"imageReference": nil, "dataDisks": []object{}, "diskControllerType": "SCSI"}
	data := []object{}
	for _, d := range m.disks {
		shown := object{
			"name": d.name, "createOption": "Attach", "caching": "ReadWrite", "managedDisk": managed(d),
			"diskSizeGB": d.bytes / gib, "deleteOption": "Detach",
		}
		if d.lun < 0 {
			shown["osType"] = "Linux"
			storage["osDisk"] = shown
			continue
		}
		shown["lun"], shown["toBeDetached"] = d.lun, false
		data = append(data, shown)
	}
	storage["dataDisks"] = data
	properties := object{
		"vmId": guid(m.id(), "vm"), "provisioningState": "Succeeded",
		"hardwareProfile": object{"vmSize": m.size}, "storageProfile": storage,
		"networkProfile": object{"networkInterfaces": []object{{"id": m.nicID(), "properties": object{"primary": true}}}},
		"timeCreated":    v.timeText(m.created),
	}
	if withView {
		properties["instanceView"] = instanceView(m)
	}
	return object{
		"id": m.id(), "name": m.name, "type": "Microsoft.Compute/virtualMachines", "location": m.region.location,
		"tags": m.tags, "zones": nil, "properties": properties,
	}
}

func instanceView(m *machine) object {
	power, shown := "PowerState/deallocated", "VM deallocated"
	if m.running {
		power, shown = "PowerState/running", "VM running"
	}
	return object{"statuses": []object{
		{"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"},
		{"code": power, "level": "Info", "displayStatus": shown},
	}}
}
