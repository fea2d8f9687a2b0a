package vault

import "strings"

// region is one side of the replication: for Azure VMs a fabric is a region, with one container here.
type region struct {
	name          string // display name, "West Europe"
	location      string // "westeurope"
	fabric        string
	container     string
	containerGUID string // internal identity, shown in failoverRecoveryPointId
	down          bool   // see [Vault.SourceDown]
	home          bool   // where the VMs were first
	unmapped      bool   // see [Vault.SetReverseMapped]

	group, network, cache string // resource group, virtual network and staging account of the VMs
}

func newRegion(name string, home bool) region {
	location := strings.ToLower(strings.ReplaceAll(name, " ", ""))
	fabric := "asr-a2a-default-" + location // as the portal names them
	r := region{
		name: name, location: location, fabric: fabric, container: fabric + "-container",
		containerGUID: guid(location, "container"), home: home,
		group: "rg-workload", network: "vnet-workload", cache: "ferryasrcache",
	}
	if !home {
		r.group, r.network, r.cache = r.group+"-asr", r.network+"-asr", r.cache+"dr" // -asr as the portal names them
	}
	return r
}

// matches compares with a path's names, where an absent one fits.
func (r *region) matches(fabric, container string) bool {
	return (fabric == "" || strings.EqualFold(fabric, r.fabric)) && (container == "" || strings.EqualFold(container, r.container))
}

const typePrefix = "Microsoft.RecoveryServices/vaults"

// ids come back with capitals and names that the client did not send, as recorded.
func (v *Vault) vaultID() string {
	o := v.options
	return "/Subscriptions/" + o.SubscriptionID + "/resourceGroups/" + o.ResourceGroup +
		"/providers/Microsoft.RecoveryServices/vaults/" + o.VaultName
}

func (v *Vault) fabricID(r *region) string { return v.vaultID() + "/replicationFabrics/" + r.fabric }

func (v *Vault) containerID(r *region) string {
	return v.fabricID(r) + "/replicationProtectionContainers/" + r.container
}

func (v *Vault) itemID(it *item) string {
	return v.containerID(it.primary) + "/replicationProtectedItems/" + it.name
}

// spelled is an id with its last name in capitals every second time, if that is to be.
func (v *Vault) spelled(id string) string {
	if v.spellings++; v.options.Guesses.MixedCase && v.spellings%2 == 0 {
		name := strings.LastIndexByte(id, '/') + 1
		return id[:name] + strings.ToUpper(id[name:])
	}
	return id
}

// pointID takes the container's name or its internal GUID.
func (v *Vault) pointID(it *item, container, point string) string {
	return v.fabricID(it.primary) + "/replicationProtectionContainers/" + container +
		"/replicationProtectedItems/" + it.name + "/recoveryPoints/" + point
}

func (v *Vault) policyID() string { return v.vaultID() + "/replicationPolicies/" + policyName }

func (v *Vault) jobID(j *job) string { return v.vaultID() + "/replicationJobs/" + j.id }

const policyName = "24-hour-retention-policy"

func (v *Vault) getSubscription(*call) reply {
	return ok(object{
		"id": "/subscriptions/" + v.options.SubscriptionID, "subscriptionId": v.options.SubscriptionID,
		"tenantId": guid("tenant"), "displayName": "Ferry sandbox", "state": "Enabled",
		"authorizationSource": "RoleBased", "managedByTenants": []object{},
	})
}

func (v *Vault) getVault(*call) reply {
	o := v.options
	return ok(object{
		// Unlike Site Recovery's, this id is spelt as documented.
		"id":       "/subscriptions/" + o.SubscriptionID + "/resourceGroups/" + o.ResourceGroup + "/providers/" + typePrefix + "/" + o.VaultName,
		"name":     o.VaultName,
		"type":     typePrefix,
		"location": v.regions[1].location,
		"etag":     nil,
		"tags":     object{},
		"sku":      object{"name": "RS0", "tier": "Standard"},
		"properties": object{
			"provisioningState": "Succeeded", "privateEndpointStateForBackup": "None",
			"privateEndpointStateForSiteRecovery": "None", "publicNetworkAccess": "Enabled",
		},
	})
}

func (v *Vault) listFabrics(*call) reply {
	value := []object{}
	for i := range v.regions {
		value = append(value, v.fabricJSON(&v.regions[i]))
	}
	return page(value)
}

func (v *Vault) getFabric(c *call) reply {
	if r := v.findRegion(c); r != nil {
		return ok(v.fabricJSON(r))
	}
	return v.notFound(c)
}

// listContainers serves the vault's list and a fabric's.
func (v *Vault) listContainers(c *call) reply {
	if v.findRegion(c) == nil {
		return v.notFound(c)
	}
	value := []object{}
	for i := range v.regions {
		if r := &v.regions[i]; r.matches(c.value("fabric"), "") {
			value = append(value, v.containerJSON(r))
		}
	}
	return page(value)
}

func (v *Vault) getContainer(c *call) reply {
	if r := v.findRegion(c); r != nil {
		return ok(v.containerJSON(r))
	}
	return v.notFound(c)
}

// fabricHealth is guessed.
func (v *Vault) fabricHealth(r *region) string {
	if r.down && !v.options.Guesses.FabricsStayNormal {
		return healthCritical
	}
	return healthNormal
}

func (v *Vault) fabricJSON(r *region) object {
	encryption := object{"kekState": "None", "kekCertThumbprint": nil}
	return object{
		"id": v.fabricID(r), "name": r.fabric, "type": typePrefix + "/replicationFabrics",
		"properties": object{
			"friendlyName": r.name, "encryptionDetails": encryption, "rolloverEncryptionDetails": encryption,
			"internalIdentifier": guid(r.location, "fabric"), "bcdrState": "Valid",
			"customDetails": object{
				"instanceType": "Azure", "location": r.location, "containerIds": []string{r.containerGUID}, "zones": []object{},
			},
			"healthErrorDetails": []object{}, "health": v.fabricHealth(r),
		},
	}
}

func (v *Vault) containerJSON(r *region) object {
	count := 0
	for _, it := range v.items {
		if it.primary == r {
			count++
		}
	}
	return object{
		"id": v.containerID(r), "name": r.container,
		"type": typePrefix + "/replicationFabrics/replicationProtectionContainers",
		"properties": object{
			"fabricFriendlyName": r.name, "friendlyName": r.container, "fabricType": "Azure",
			"protectedItemCount": count, "pairingStatus": "Paired", "role": "", "fabricSpecificDetails": nil,
		},
	}
}
