package vault

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// sizePattern is how Compute names sizes.
var sizePattern = regexp.MustCompile(`^(Basic|Standard)_[A-Z][0-9A-Za-z-]*(_[0-9A-Za-z]+)*$`)

// What an update may set, by the name that an item has for it, and after a = by the body's where that is another.
const (
	setByUpdate    = `recoveryAzureVMName selectedRecoveryAzureNetworkId selectedTfoAzureNetworkId recoveryAvailabilitySet=recoveryAvailabilitySetId`
	setByA2AUpdate = `recoveryBootDiagStorageAccountId recoveryProximityPlacementGroupId recoveryVirtualMachineScaleSetId
		recoveryCapacityReservationGroupId recoveryCloudService=recoveryCloudServiceId tfoAzureVMName`
	setOfNIC = `selectionType recoveryNetworkSecurityGroupId tfoNetworkSecurityGroupId enableAcceleratedNetworkingOnRecovery
		enableAcceleratedNetworkingOnTfo recoveryNicName recoveryNicResourceGroupName reuseExistingNic targetNicName
		tfoRecoveryNicName=tfoNicName tfoRecoveryNicResourceGroupName=tfoNicResourceGroupName tfoReuseExistingNic`
	setOfIP = `name=ipConfigName isPrimary isSeletedForFailover recoverySubnetName recoveryStaticIPAddress recoveryPublicIPAddressId
		recoveryLBBackendAddressPoolIds tfoSubnetName tfoStaticIPAddress tfoPublicIPAddressId tfoLBBackendAddressPoolIds`
	setOfDisk = `recoveryReplicaDiskAccountType recoveryTargetDiskAccountType failoverDiskName tfoDiskName`
)

// updateInput is what an update asks for.
type updateInput struct {
	size, group string // empty stays as it is
	details     object // of the item, by key
	nics, disks map[string]object
}

// updateAction is the change of an item's settings. Names and duration are documented for other kinds of replication, and that
// there is a job. allowedOperations has no word for it.
func (g Guesses) updateAction() action {
	return action{
		operation: opUpdate, scenario: cmp.Or(g.UpdateScenario, "UpdateVmProperties"), friendlyName: "Update the virtual machine",
		read: readUpdate, done: updated,
		tasks: []task{{id: "UpdateVmPropertiesTask", friendlyName: "Update the virtual machine properties", takes: 6 * time.Second}},
	}
}

// update answers the PATCH of an item: by a job, or at once by the item, see [Guesses].UpdatesWithoutJob.
func (v *Vault) update(c *call) reply {
	it := v.findItem(c)
	if it == nil || !v.options.Guesses.UpdatesWithoutJob {
		return v.operate(c)
	}
	a := v.options.Guesses.updateAction()
	in, err := a.read(v, it, c.body)
	if err != nil {
		return refused(err)
	}
	if !v.allows(it, a) {
		return failure(v.options.ConflictStatus, v.options.ConflictCode, v.notAllowed(it, a).Error())
	}
	updated(it, &job{input: in})
	r := ok(v.itemJSON(it, c.at))
	r.done = true
	return r
}

type updateBody struct {
	RecoveryAzureVMSize     string   `json:"recoveryAzureVMSize"`
	VMNics                  []object `json:"vmNics"`
	ProviderSpecificDetails struct {
		InstanceType             string   `json:"instanceType"`
		RecoveryResourceGroupID  string   `json:"recoveryResourceGroupId"`
		ManagedDiskUpdateDetails []object `json:"managedDiskUpdateDetails"`
	} `json:"providerSpecificDetails"`
}

// readUpdate takes the settings of a body. What it leaves out is cleared, but for the size and the resource group: a client of
// Microsoft's leaves these out where they stay, and sends all else again (inferred from it).
func readUpdate(v *Vault, it *item, body []byte) (input, error) {
	p, err := readProperties[updateBody](body)
	if err != nil {
		return input{}, err
	}
	all, err := readProperties[object](body)
	if err != nil {
		return input{}, err
	}
	d := p.ProviderSpecificDetails
	switch {
	case d.InstanceType != "A2A":
		return input{}, invalid("instanceType %q is not valid here", d.InstanceType)
	case p.RecoveryAzureVMSize != "" && !sizePattern.MatchString(p.RecoveryAzureVMSize):
		return input{}, invalid("recoveryAzureVMSize %q is not the name of a size", p.RecoveryAzureVMSize)
	case d.RecoveryResourceGroupID != "" && !groupPattern.MatchString(d.RecoveryResourceGroupID):
		return input{}, invalid("recoveryResourceGroupId %q is not the id of a resource group", d.RecoveryResourceGroupID)
	}
	in := &updateInput{size: p.RecoveryAzureVMSize, group: d.RecoveryResourceGroupID, details: settings(all, setByUpdate)}
	a2aDetails, _ := all["providerSpecificDetails"].(object)
	maps.Copy(in.details, settings(a2aDetails, setByA2AUpdate))
	if in.nics, err = eachSet(p.VMNics, "nicId", []string{it.nicID()}, nicSettings); err != nil {
		return input{}, err
	}
	in.disks, err = eachSet(d.ManagedDiskUpdateDetails, "diskId", it.source.diskIDs(), func(o object) object { return settings(o, setOfDisk) })
	return input{update: in}, err
}

// settings takes the keys out of a body; one that is left out is null.
func settings(from object, keys string) object {
	o := object{}
	for key := range strings.FieldsSeq(keys) {
		shown, sent, other := strings.Cut(key, "=")
		if !other {
			sent = shown
		}
		o[shown] = from[sent]
	}
	return o
}

func nicSettings(from object) object {
	nic, ips := settings(from, setOfNIC), []object{}
	list, _ := from["ipConfigs"].([]any)
	for _, ip := range list {
		one, _ := ip.(object)
		ips = append(ips, settings(one, setOfIP))
	}
	nic["ipConfigs"] = ips
	return nic
}

// eachSet reads the settings of the parts that an item has, by lower-case id. A part that the body leaves out loses its.
func eachSet(sent []object, key string, ids []string, read func(object) object) (map[string]object, error) {
	all := map[string]object{}
	for _, id := range ids {
		all[strings.ToLower(id)] = read(nil)
	}
	for _, o := range sent {
		id, _ := o[key].(string)
		if all[strings.ToLower(id)] == nil {
			return nil, invalid("%s %q is none of the item's", key, id)
		}
		all[strings.ToLower(id)] = read(o)
	}
	return all, nil
}

func updated(it *item, j *job) {
	in := j.input.update
	it.size, it.recoveryGroup = cmp.Or(in.size, it.size), cmp.Or(in.group, it.recoveryGroup)
	name, _ := in.details["recoveryAzureVMName"].(string)
	it.recoveryName = cmp.Or(name, it.vm)
	it.recoveryNetwork, _ = in.details["selectedRecoveryAzureNetworkId"].(string)
	it.set = in
}

// portalUpdate changes nothing but the size.
func portalUpdate(it *item, size string) (input, error) {
	if !sizePattern.MatchString(size) {
		return input{}, invalid("%q is not the name of a size", size)
	}
	in := updateInput{details: object{"recoveryAzureVMName": it.recoveryName, "selectedRecoveryAzureNetworkId": it.recoveryNetwork}}
	if it.set != nil {
		in = *it.set
	}
	in.size, in.group = size, it.recoveryGroup
	return input{update: &in}, nil
}

func updateRoutes() []route {
	return []route{{http.MethodPatch, itemPath, opUpdate, (*Vault).update}}
}
