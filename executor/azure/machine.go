package azure

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"

	"ferry/failover"
)

const (
	// noGroup is Azure's code for a resource whose group is gone, too.
	noGroup = "ResourceGroupNotFound"
	// notNamed is ours for an id that names no VM.
	notNamed = "NotNamed"
)

// machine reads a VM. It is nil when there is none, and then gone is the code for that. That a subscription is not found
// says nothing about the VM: Azure answers so to who may not see it.
func (s *Site) machine(ctx context.Context, id string) (vm *armcompute.VirtualMachine, gone string, err error) {
	at := parseID(id)
	if at.SubscriptionID == "" || at.ResourceGroup == "" || at.machine == "" {
		return nil, notNamed, nil
	}
	client, err := armcompute.NewVirtualMachinesClient(at.SubscriptionID, s.credential, s.options)
	if err != nil {
		return nil, "", refuse("InvalidVM", "%q is no VM.", id)
	}
	got, err := read(ctx, getMachine(), func(ctx context.Context) (armcompute.VirtualMachinesClientGetResponse, error) {
		got, err := client.Get(ctx, at.ResourceGroup, at.machine, nil)
		answer, ok := errors.AsType[*azcore.ResponseError](err)
		if ok && answer.StatusCode == http.StatusNotFound && answer.ErrorCode != "SubscriptionNotFound" {
			gone = answer.ErrorCode
			return got, nil
		}
		return got, err
	})
	if err != nil || gone != "" {
		return nil, gone, err
	}
	return &got.VirtualMachine, "", nil
}

// disksOf lists the disks of a VM; one that is not managed has no id.
func disksOf(vm *armcompute.VirtualMachine) []failover.ReversalDisk {
	var disks []failover.ReversalDisk
	add := func(name *string, gib *int32, managed *armcompute.ManagedDiskParameters) {
		m := or(managed)
		disks = append(disks, failover.ReversalDisk{ID: or(m.ID), Name: or(name), Bytes: int64(or(gib)) << 30, Type: string(or(m.StorageAccountType))})
	}
	storage := or(or(vm.Properties).StorageProfile)
	if d := storage.OSDisk; d != nil {
		add(d.Name, d.DiskSizeGB, d.ManagedDisk)
	}
	for _, d := range storage.DataDisks {
		if d != nil {
			add(d.Name, d.DiskSizeGB, d.ManagedDisk)
		}
	}
	return disks
}

// groupOf is the ARM id of the resource group of a resource.
func groupOf(id string) string {
	at := parseID(id)
	return "/subscriptions/" + at.SubscriptionID + "/resourceGroups/" + at.ResourceGroup
}

// nameOf is the last segment of an ARM id.
func nameOf(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// Leftovers lists the VM that an item was failed back from, with its disks and network interfaces, and the storage accounts
// of that replication: Azure keeps them, and they cost money. What an item of the vault still uses is none; the item given
// is as it was in the region that it came back from.
func (s *Site) Leftovers(ctx context.Context, item failover.Item) ([]failover.Leftover, error) {
	v, _, err := s.locateItem(item)
	if err != nil {
		return nil, err
	}
	items, err := v.list(ctx)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, it := range items {
		used[strings.ToLower(it.VM)] = true
		for _, id := range it.Caches {
			used[strings.ToLower(id)] = true
		}
	}
	var left []failover.Leftover
	add := func(kind, name, id string) {
		if id == "" || !used[strings.ToLower(id)] {
			left = append(left, failover.Leftover{Kind: kind, Name: name, ID: id})
		}
	}
	if !used[strings.ToLower(item.VM)] {
		vm, _, err := s.machine(ctx, item.VM)
		if err != nil {
			return nil, err
		}
		if vm != nil {
			addMachine(add, vm, item.VM)
		}
	}
	for _, id := range item.Caches {
		add("cache storage account", nameOf(id), id)
	}
	return left, nil
}

func addMachine(add func(kind, name, id string), vm *armcompute.VirtualMachine, id string) {
	add("virtual machine", cmp.Or(or(vm.Name), nameOf(id)), cmp.Or(or(vm.ID), id))
	for _, d := range disksOf(vm) {
		add("disk", d.Name, d.ID)
	}
	for _, n := range or(or(vm.Properties).NetworkProfile).NetworkInterfaces {
		if id := or(or(n).ID); id != "" {
			add("network interface", nameOf(id), id)
		}
	}
}
