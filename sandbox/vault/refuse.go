package vault

import "net/http"

// refusedRoutes are operations that exist in Azure and that no item here can be asked for.
func refusedRoutes() []route {
	return []route{
		{http.MethodPost, itemPath + "/reprotect", "reProtect", (*Vault).refuseReprotect},
		{http.MethodPost, itemPath + "/failovercancel", "failoverCancel", (*Vault).refuseOperation},
		{http.MethodPost, itemPath + "/plannedfailover", "plannedFailover", (*Vault).refuseOperation},
		{http.MethodPost, itemPath + "/remove", "remove", (*Vault).refuseRemoval},
	}
}

// refuseReprotect is what a field report saw: reProtect is for VMs whose disks are blobs.
func (v *Vault) refuseReprotect(c *call) reply {
	it := v.findItem(c)
	if it == nil {
		return v.notFound(c)
	}
	return refused(disksMissing("the virtual machine " + it.vm))
}

// refuseOperation answers what items of this kind never list in allowedOperations.
func (v *Vault) refuseOperation(c *call) reply {
	it := v.findItem(c)
	if it == nil {
		return v.notFound(c)
	}
	return failure(v.options.ConflictStatus, v.options.ConflictCode, c.route.operation+" is not an operation of "+it.vm+", an Azure VM.")
}

// refuseRemoval says that the sandbox keeps its VMs, although Azure would end the replication.
func (v *Vault) refuseRemoval(c *call) reply {
	if v.findItem(c) == nil {
		return v.notFound(c)
	}
	return failure(http.StatusNotImplemented, "NotSimulated", "The sandbox does not end a VM's replication.")
}
