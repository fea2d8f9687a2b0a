package vault

import (
	"net/http"
	"regexp"
	"strings"
)

// groupPattern is the ARM id of a resource group.
var groupPattern = regexp.MustCompile(`(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+$`)

func mappingRoutes() []route {
	const (
		inContainer = containerPath + "/replicationprotectioncontainermappings"
		inNetwork   = fabricPath + "/replicationnetworks/{network}/replicationnetworkmappings"
	)
	return []route{
		{http.MethodGet, vaultPath + "/replicationprotectioncontainermappings", "mappings", (*Vault).listMappings},
		{http.MethodGet, inContainer, "mappings", (*Vault).listMappings},
		{http.MethodGet, inContainer + "/{mapping}", "mapping", (*Vault).getMapping},
		{http.MethodGet, vaultPath + "/replicationnetworkmappings", "networkMappings", (*Vault).listNetworkMappings},
		{http.MethodGet, inNetwork, "networkMappings", (*Vault).listNetworkMappings},
		{http.MethodGet, inNetwork + "/{mapping}", "networkMapping", (*Vault).getNetworkMapping},
		{http.MethodGet, vaultPath + "/replicationpolicies", "policies", (*Vault).listPolicies},
		{http.MethodGet, vaultPath + "/replicationpolicies/{policy}", "policy", (*Vault).getPolicy},
	}
}

// SetReverseMapped adds or removes, in every vault, the container mapping from the target region back to the source region.
// Without it no failed over VM can be reprotected.
func (v *Vault) SetReverseMapped(mapped bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.settle()
	for _, v := range v.vaults {
		v.regions[1].unmapped = !mapped
	}
}

// mappings are the container mappings, keyed by where they start. With two regions each leads to the other.
func (v *Vault) mappings() map[*region]*region {
	all := map[*region]*region{}
	for i := range v.regions {
		if r := &v.regions[i]; !r.unmapped {
			all[r] = &v.regions[1-i]
		}
	}
	return all
}

func mappingName(from, to *region) string {
	return from.location + "-" + to.location + "-" + policyName // as the portal names them
}

func (v *Vault) listMappings(c *call) reply {
	if v.findRegion(c) == nil {
		return v.notFound(c)
	}
	value := []object{}
	for i := range v.regions {
		from := &v.regions[i]
		if to := v.mappings()[from]; to != nil && from.matches(c.value("fabric"), c.value("container")) {
			value = append(value, v.mappingJSON(from, to))
		}
	}
	return page(value)
}

func (v *Vault) getMapping(c *call) reply {
	from := v.findRegion(c)
	to := v.mappings()[from]
	if to == nil || !strings.EqualFold(c.value("mapping"), mappingName(from, to)) {
		return v.notFound(c)
	}
	return ok(v.mappingJSON(from, to))
}

func (v *Vault) mappingJSON(from, to *region) object {
	details := object{"instanceType": "A2A", "agentAutoUpdateStatus": "Disabled"}
	for _, key := range []string{"automationAccountArmId", "automationAccountAuthenticationType", "scheduleName", "jobScheduleName"} {
		details[key] = nil
	}
	return object{
		"id":   v.containerID(from) + "/replicationProtectionContainerMappings/" + mappingName(from, to),
		"name": mappingName(from, to), "type": containerType + "/replicationProtectionContainerMappings",
		"properties": object{
			"targetProtectionContainerId": v.containerID(to), "targetProtectionContainerFriendlyName": to.container,
			"providerSpecificDetails": details, "health": "Normal", "healthErrorDetails": []object{},
			"policyId": v.policyID(), "policyFriendlyName": policyName, "state": "Paired",
			"sourceProtectionContainerFriendlyName": from.container,
			"sourceFabricFriendlyName":              from.name, "targetFabricFriendlyName": to.name,
		},
	}
}

const networkName = "azureNetwork" // what Site Recovery calls the networks of an Azure fabric

func (v *Vault) listNetworkMappings(c *call) reply {
	if v.findRegion(c) == nil || c.value("network") != "" && !strings.EqualFold(c.value("network"), networkName) {
		return v.notFound(c)
	}
	value := []object{}
	for i := range v.regions {
		if from := &v.regions[i]; from.matches(c.value("fabric"), "") {
			value = append(value, v.networkMappingJSON(from, &v.regions[1-i]))
		}
	}
	return page(value)
}

func (v *Vault) getNetworkMapping(c *call) reply {
	for i := range v.regions {
		from, to := &v.regions[i], &v.regions[1-i]
		name := strings.EqualFold(c.value("network"), networkName) && strings.EqualFold(c.value("mapping"), networkMappingName(from, to))
		if name && from.matches(c.value("fabric"), "") {
			return ok(v.networkMappingJSON(from, to))
		}
	}
	return v.notFound(c)
}

func networkMappingName(from, to *region) string { return from.network + "-" + to.network }

func (v *Vault) networkMappingJSON(from, to *region) object {
	name := networkMappingName(from, to)
	return object{
		"id":   v.fabricID(from) + "/replicationNetworks/" + networkName + "/replicationNetworkMappings/" + name,
		"name": name, "type": typePrefix + "/replicationFabrics/replicationNetworks/replicationNetworkMappings",
		"properties": object{
			"state":                      "Paired",
			"primaryNetworkFriendlyName": from.network, "primaryNetworkId": v.networkID(from), "primaryFabricFriendlyName": from.name,
			"recoveryNetworkFriendlyName": to.network, "recoveryNetworkId": v.networkID(to), "recoveryFabricFriendlyName": to.name,
			"recoveryFabricArmId": v.fabricID(to),
			"fabricSpecificSettings": object{
				"instanceType": "AzureToAzure", "primaryFabricLocation": from.location, "recoveryFabricLocation": to.location,
			},
		},
	}
}

func (v *Vault) listPolicies(*call) reply { return page([]object{v.policyJSON()}) }

func (v *Vault) getPolicy(c *call) reply {
	if strings.EqualFold(c.value("policy"), policyName) {
		return ok(v.policyJSON())
	}
	return v.notFound(c)
}

// policyJSON says the rhythm that recovery points have here; its keys as recorded.
func (v *Vault) policyJSON() object {
	consistent := 60
	if v.options.CrashConsistentOnly {
		consistent = 0
	}
	return object{
		"id": v.policyID(), "name": policyName, "type": typePrefix + "/replicationPolicies",
		"properties": object{
			"friendlyName": policyName,
			"providerSpecificDetails": object{
				"instanceType": "A2A", "recoveryPointThresholdInMinutes": 0, "recoveryPointHistory": pointHistory.Minutes(),
				"appConsistentFrequencyInMinutes": consistent, "crashConsistentFrequencyInMinutes": pointInterval.Minutes(),
				"multiVmSyncStatus": "Enabled",
			},
		},
	}
}
