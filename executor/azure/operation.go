package azure

// operation is one kind of request as errors speak of it.
type operation struct {
	permission string // the RBAC action that it needs
	mutates    bool
}

const provider = "Microsoft.RecoveryServices/vaults/"

const itemType = provider + "replicationFabrics/replicationProtectionContainers/replicationProtectedItems/"

func listItems() operation { return operation{permission: provider + "replicationProtectedItems/read"} }

func listContainerItems() operation {
	return operation{permission: provider + "replicationFabrics/read, " +
		provider + "replicationFabrics/replicationProtectionContainers/read and " + itemType + "read"}
}
func getItem() operation    { return operation{permission: itemType + "read"} }
func listPoints() operation { return operation{permission: itemType + "recoveryPoints/read"} }
func getJob() operation     { return operation{permission: provider + "replicationJobs/read"} }
func listJobs() operation   { return getJob() }

func beginFailover() operation {
	return operation{permission: itemType + "unplannedFailover/action", mutates: true}
}

func beginCommit() operation {
	return operation{permission: itemType + "failoverCommit/action", mutates: true}
}
