package azure

// operation is one kind of request as errors speak of it.
type operation struct {
	permission string // the RBAC action that it needs
	on         string // what it is needed on; empty: the vault
	role       string // a built-in one that has it on the vault; empty: Site Recovery Operator
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

func getFabric() operation { return operation{permission: provider + "replicationFabrics/read"} }

func listMappings() operation {
	return operation{permission: provider + "replicationFabrics/replicationProtectionContainers/replicationProtectionContainerMappings/read"}
}

func listNetworkMappings() operation {
	return operation{permission: provider + "replicationNetworkMappings/read"}
}

func listFabricNetworkMappings() operation {
	return operation{permission: provider + "replicationFabrics/replicationNetworks/replicationNetworkMappings/read"}
}

func getMachine() operation {
	return operation{permission: "Microsoft.Compute/virtualMachines/read", on: "the VM's resource group"}
}

// beginItem is a mutating call on a replicated item, by the word of its action.
func beginItem(action string) operation {
	return operation{permission: itemType + action + "/action", mutates: true}
}

// updateItem changes the settings of a replicated item.
func updateItem() operation {
	return operation{permission: itemType + "write", role: "Site Recovery Contributor", mutates: true}
}

func readPlans() operation { return operation{permission: provider + "replicationRecoveryPlans/read"} }

// beginPlan is a mutating call on a recovery plan, by the word of its action.
func beginPlan(action string) operation {
	return operation{permission: provider + "replicationRecoveryPlans/" + action + "/action", mutates: true}
}

func beginSwitch() operation {
	return operation{permission: provider + "replicationFabrics/replicationProtectionContainers/switchprotection/action", mutates: true}
}
