package vault

import (
	"cmp"
	"fmt"
	"slices"
)

// groupOf names the multi-VM consistency group that a person put the VM into, empty for none. Its VMs have their recovery
// points at the same moments and fail over together.
func (o Options) groupOf(vm string) string {
	for name, vms := range o.Groups {
		if slices.Contains(vms, vm) {
			return name
		}
	}
	return ""
}

func (it *item) groupOption() string {
	if it.group == "" {
		return "AutoCreated"
	}
	return "UserSpecified"
}

// groupID is never empty: as documented, a lone VM has a group, too.
func (it *item) groupID() string { return guid(cmp.Or(it.group, it.name), "group") }

func (it *item) syncType() string {
	if it.group == "" {
		return "PerVmRecoveryPoint"
	}
	return "MultiVmSyncRecoveryPoint"
}

// alone refuses the failover of one VM of a group: documented, in no exact words. A recovery plan does not ask here.
func (it *item) alone(a action) error {
	if it.group == "" || a.operation != opUnplannedFailover {
		return nil
	}
	return fmt.Errorf("%w: %s is in the multi-VM consistency group %s, whose VMs fail over together, by a recovery plan",
		ErrNotAllowed, it.vm, it.group)
}
