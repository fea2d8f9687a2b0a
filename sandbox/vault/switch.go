package vault

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// switchInput is what a reprotect asks for beside the item.
type switchInput struct {
	group   string            // ARM id of the resource group to replicate into
	network string            // ARM id of the virtual network there, which the network mapping decides
	cache   map[string]string // staging account by lower-case disk id
}

const (
	commitTask  = 1 // of switchprotection
	protectTask = 4
)

func switchAction() action {
	return action{
		operation: opSwitchProtection, word: "SwitchProtection", scenario: "SwitchReplicationGroupProtection", friendlyName: "Reprotect",
		to: stateSeeding, unreachable: "150253", works: protectTask, begin: (*Vault).beginSwitch, done: switched,
		tasks: []task{ // ids, names, order and the sum of the durations as recorded
			{id: "SwitchReplicationGroupProtectionPreflightTask", friendlyName: "Prerequisite check", takes: 10 * time.Second},
			{id: "CommitFailoverTask", friendlyName: "Committing failover", takes: 8 * time.Second, optional: true},
			{id: "DiscoverReplicaTask", friendlyName: "Discovering replica virtual machine", takes: 25 * time.Second},
			{id: "GetSwitchProtectionRequirementsTask", friendlyName: "Getting reprotection requirements", takes: 15 * time.Second},
			{id: "ProtectReplicaTask", friendlyName: "Reprotecting virtual machine (1)", takes: 460 * time.Second},
		},
	}
}

// enableAction is the job inside the last task of a reprotect.
func enableAction() action {
	return action{
		operation: "enable", scenario: "EnableDr", friendlyName: "Enable replication", works: 1, done: func(*item, *job) {},
		tasks: []task{ // guessed
			{id: "EnableDrPreflightTask", friendlyName: "Prerequisites check for enabling protection", takes: 20 * time.Second},
			{id: "EnableReplicationTask", friendlyName: "Enable replication", takes: 440 * time.Second},
		},
	}
}

type switchBody struct {
	ReplicationProtectedItemName string `json:"replicationProtectedItemName"`
	ProviderSpecificDetails      struct {
		InstanceType            string `json:"instanceType"`
		RecoveryContainerID     string `json:"recoveryContainerId"`
		PolicyID                string `json:"policyId"`
		RecoveryResourceGroupID string `json:"recoveryResourceGroupId"`
		VMManagedDisks          []struct {
			DiskID                  string `json:"diskId"`
			StagingID               string `json:"primaryStagingAzureStorageAccountId"`
			RecoveryResourceGroupID string `json:"recoveryResourceGroupId"`
		} `json:"vmManagedDisks"`
	} `json:"providerSpecificDetails"`
}

// switchProtection answers the POST on a container that reprotects one of its items.
func (v *Vault) switchProtection(c *call) reply {
	body, err := readProperties[switchBody](c.body)
	if err != nil {
		return refused(err)
	}
	r := v.findRegion(c)
	for _, it := range v.items {
		if it.primary == r && strings.EqualFold(it.name, body.ReplicationProtectedItemName) {
			c.item = it
		}
	}
	if c.item == nil {
		return v.notFound(c)
	}
	var in input
	if c.item.replica != nil {
		if in.reprotect, err = v.readSwitch(c.item, body); err != nil {
			return refused(err)
		}
	}
	return v.startCall(c, c.item, switchAction(), in)
}

// readSwitch checks a reprotect against the world. That wrong values are refused at once, and how, is guessed.
func (v *Vault) readSwitch(it *item, body switchBody) (switchInput, error) {
	p := body.ProviderSpecificDetails
	into := it.primary // becomes the recovery side
	switch {
	case p.InstanceType != "A2A":
		return switchInput{}, invalid("instanceType %q is not valid here", p.InstanceType)
	case !strings.EqualFold(p.RecoveryContainerID, v.containerID(into)):
		return switchInput{}, invalid("recoveryContainerId %q is not the container that the VM came from", p.RecoveryContainerID)
	case v.mappings()[it.recovery] != into:
		return switchInput{}, refusal{
			http.StatusBadRequest, "ProtectionContainerMappingNotFound",
			"No protection container mapping leads from " + it.recovery.container + " to " + into.container + ".",
		}
	case !strings.EqualFold(p.PolicyID, v.policyID()):
		return switchInput{}, invalid("policyId %q is not the policy of the mapping", p.PolicyID)
	case !groupPattern.MatchString(p.RecoveryResourceGroupID):
		return switchInput{}, invalid("recoveryResourceGroupId %q is not the id of a resource group", p.RecoveryResourceGroupID)
	}
	in := switchInput{group: p.RecoveryResourceGroupID, network: v.networkID(into), cache: map[string]string{}}
	for _, d := range p.VMManagedDisks {
		if !strings.EqualFold(d.StagingID, v.cacheID(it.recovery)) {
			return switchInput{}, invalid("primaryStagingAzureStorageAccountId %q is no storage account in %s, where the VM runs", d.StagingID, it.recovery.name)
		}
		if !groupPattern.MatchString(d.RecoveryResourceGroupID) {
			return switchInput{}, invalid("recoveryResourceGroupId %q of disk %s is not the id of a resource group", d.RecoveryResourceGroupID, d.DiskID)
		}
		in.cache[strings.ToLower(d.DiskID)] = d.StagingID
	}
	for _, id := range it.replica.diskIDs() {
		if in.cache[strings.ToLower(id)] == "" {
			return switchInput{}, disksMissing(id)
		}
	}
	if len(in.cache) != len(it.replica.disks) {
		return switchInput{}, invalid("vmManagedDisks names a disk that the VM %s does not have", it.replica.id())
	}
	return in, nil
}

func disksMissing(disk string) refusal {
	return refusal{http.StatusBadRequest, "VMDisksMissing", "Managed disk details not provided for " + disk + "."}
}

// portalSwitch is what the Azure portal fills in by itself.
func (v *Vault) portalSwitch(it *item) switchInput {
	in := switchInput{group: it.source.group, network: v.networkID(it.primary), cache: map[string]string{}}
	if it.replica != nil {
		for _, id := range it.replica.diskIDs() {
			in.cache[strings.ToLower(id)] = v.cacheID(it.recovery)
		}
	}
	return in
}

// beginSwitch adds the inner job, which starts when its task does.
func (v *Vault) beginSwitch(j *job, _ input, _ time.Duration) {
	j.optional = j.item.protectionState == stateCommitPending
	j.inner = &job{
		id: uuid.NewString(), action: enableAction(), item: j.item, start: j.runs()[protectTask].from,
		clientRequestID: j.clientRequestID, correlationID: j.correlationID,
		primary: j.primary, recovery: j.recovery, target: j.target, location: j.location, outer: j,
	}
}

// switched moves the item to the other container and swaps its sides. Its history ends: no points until initial replication
// is done, and no drill or failover that it remembers (guessed).
func switched(it *item, j *job) {
	home := it.primary.home
	it.leftover = it.source // after failback the VM in the recovery region stays, stopped
	it.leftover.running = false
	if home {
		it.leftover = nil // documented: the original VM goes, with its network interfaces and disks
	}
	it.source, it.replica = it.replica, nil
	it.primary, it.recovery = it.recovery, it.primary
	in := j.input.reprotect
	it.recoveryGroup, it.recoveryNetwork, it.cache = in.group, in.network, in.cache
	it.replicated, it.madePoints, it.stoppedRPO = nil, nil, rpo{}
	it.failoverPoint, it.tested, it.drill, it.stopped, it.set = nil, nil, nil, false, nil
	it.seed(j.end(), j.stall)
}

// refused is the answer to a call that was not understood.
func refused(err error) reply {
	r, ok := err.(refusal) //nolint:errorlint // made here and never wrapped
	if !ok {
		r = invalid("%v", err)
	}
	return failure(r.status, r.code, r.message)
}
