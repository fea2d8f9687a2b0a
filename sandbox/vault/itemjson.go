package vault

import (
	"maps"
	"strings"
	"time"
)

const (
	// Dates as .NET writes them: at most seven decimals, no zeros at their end.
	timeFormat = "2006-01-02T15:04:05.9999999Z"
	noScenario = "1753-01-01T01:01:01Z" // startTime of the idle marker
	never      = "9999-12-31T23:59:59.9999999"
	notYet     = "0001-01-01T00:00:00" // of a task, without a zone
)

const containerType = typePrefix + "/replicationFabrics/replicationProtectionContainers"

// timeText is a simulated moment on the wire.
func (v *Vault) timeText(at time.Duration) string { return v.clock.wall(at).Format(timeFormat) }

// listItems serves the vault's list and a container's.
func (v *Vault) listItems(c *call) reply {
	if c.value("container") != "" && v.findRegion(c) == nil {
		return v.notFound(c)
	}
	wanted, err := v.itemFilter(c)
	if err != nil {
		return refused(err)
	}
	var all []*item
	for _, it := range v.items {
		if it.primary.matches(c.value("fabric"), c.value("container")) && wanted(it) {
			all = append(all, it)
		}
	}
	return paged(v, c, all, func(it *item) object { return v.itemJSON(it, c.at) })
}

func (v *Vault) getItem(c *call) reply {
	it := v.findItem(c)
	if it == nil {
		return v.notFound(c)
	}
	return ok(v.itemJSON(it, c.at))
}

// itemJSON is an item as list and get show it, key by key as recorded.
func (v *Vault) itemJSON(it *item, now time.Duration) object {
	facts := factsOf(it.protectionState)
	drillState, drillDescription := v.drillState(it)
	failoverHealth, errors := "Normal", []object{}
	if it.tested == nil {
		failoverHealth, errors = "Warning", []object{v.untestedJSON(it)}
	}
	return object{
		"id": v.spelled(v.itemID(it)), "name": it.name, "type": containerType + "/replicationProtectedItems",
		"properties": object{
			"friendlyName":                            it.vm,
			"protectedItemType":                       "",
			"protectableItemId":                       nil,
			"recoveryServicesProviderId":              v.fabricID(it.primary) + "/replicationRecoveryServicesProviders/" + guid(it.primary.location, "provider"),
			"primaryFabricFriendlyName":               it.primary.name,
			"primaryFabricProvider":                   "AzureFabric",
			"recoveryFabricFriendlyName":              it.recovery.name,
			"recoveryFabricId":                        v.fabricID(it.recovery),
			"primaryProtectionContainerFriendlyName":  it.primary.container,
			"recoveryProtectionContainerFriendlyName": it.recovery.container,
			"protectionState":                         it.protectionState,
			"protectionStateDescription":              facts.description,
			"activeLocation":                          facts.activeLocation,
			"testFailoverState":                       drillState,
			"testFailoverStateDescription":            drillDescription,
			"switchProviderState":                     "None",
			"switchProviderStateDescription":          nil,
			"allowedOperations":                       v.allowed(it),
			"replicationHealth":                       it.health(),
			"failoverHealth":                          failoverHealth,
			"healthErrors":                            errors,
			"policyId":                                v.policyID(),
			"policyFriendlyName":                      policyName,
			"lastSuccessfulFailoverTime":              v.failedOverText(it),
			"lastSuccessfulTestFailoverTime":          v.testedText(it),
			"currentScenario":                         v.scenarioJSON(it),
			"failoverRecoveryPointId":                 v.failoverPointID(it),
			"providerSpecificDetails":                 v.detailsJSON(it, now),
			"recoveryContainerId":                     v.containerID(it.recovery),
			"eventCorrelationId":                      guid(it.name, it.primary.location, "events"),
		},
	}
}

func (v *Vault) failedOverText(it *item) any {
	if it.failoverPoint == nil {
		return nil
	}
	return v.timeText(it.failedOver)
}

func (v *Vault) failoverPointID(it *item) any {
	if it.failoverPoint == nil {
		return nil
	}
	return v.pointID(it, it.primary.containerGUID, it.failoverPoint.name)
}

func (v *Vault) scenarioJSON(it *item) object {
	if it.job == nil {
		return object{"scenarioName": "None", "jobId": v.vaultID() + "/replicationJobs/None", "startTime": noScenario}
	}
	return object{"scenarioName": it.job.action.scenario, "jobId": v.jobID(it.job), "startTime": v.timeText(it.job.start)}
}

// entity is the internal identity of the item, which changes when it moves.
func (it *item) entity() string { return guid(it.name, it.primary.location, "entity") }

// untestedJSON is the warning that every item carries until its first test failover.
func (v *Vault) untestedJSON(it *item) object {
	return object{
		"innerHealthErrors": []object{}, "errorSource": "ReplicationUnitFailoverValidatorError", "errorType": "8010",
		"errorLevel": "Warning", "errorCategory": "TestFailover", "errorCode": "161011",
		"summaryMessage":               "No successful test failover.",
		"errorMessage":                 "No successful test failover has been performed on the virtual machine.",
		"possibleCauses":               "No test failover was done.",
		"recommendedAction":            "Perform a test failover.",
		"creationTimeUtc":              v.timeText(0),
		"recoveryProviderErrorMessage": nil, "entityId": it.entity(), "errorId": "6:8010",
		"customerResolvability": "NotAllowed",
	}
}

// nullDetails are the keys of A2A details that are null in an ordinary item.
const nullDetails = `initialPrimaryExtendedLocation initialRecoveryExtendedLocation protectedDisks unprotectedDisks
recoveryBootDiagStorageAccountId recoveryCloudService recoveryAvailabilitySet
selectedTfoAzureNetworkId monitoringPercentageCompletion monitoringJobType agentCertificateExpiryDate
recoveryFabricObjectId testFailoverRecoveryFabricObjectId primaryAvailabilityZone recoveryAvailabilityZone
primaryExtendedLocation recoveryExtendedLocation recoveryProximityPlacementGroupId
recoveryVirtualMachineScaleSetId recoveryCapacityReservationGroupId isClusterInfraReady protectionClusterId rtoInSeconds`

// detailsJSON is providerSpecificDetails of an Azure VM.
func (v *Vault) detailsJSON(it *item, now time.Duration) object {
	facts, rpo := factsOf(it.protectionState), it.rpo(now)
	asOf := v.clock.wall(rpo.asOf)
	details := object{
		"instanceType":                                "A2A",
		"fabricObjectId":                              strings.ToLower(it.source.id()),
		"initialPrimaryZone":                          "",
		"initialPrimaryFabricLocation":                v.regions[0].location,
		"initialRecoveryZone":                         "",
		"initialRecoveryFabricLocation":               v.regions[1].location,
		"multiVmGroupId":                              it.groupID(),
		"multiVmGroupName":                            it.group,
		"multiVmGroupCreateOption":                    it.groupOption(),
		"managementId":                                guid(it.name, it.primary.location, "management"),
		"protectedManagedDisks":                       v.disksJSON(it, now),
		"primaryFabricLocation":                       it.primary.location,
		"recoveryFabricLocation":                      it.recovery.location,
		"osType":                                      "Linux",
		"recoveryAzureVMSize":                         it.size,
		"recoveryAzureVMName":                         it.recoveryName,
		"recoveryAzureResourceGroupId":                it.recoveryGroup,
		"selectedRecoveryAzureNetworkId":              it.recoveryNetwork,
		"vmNics":                                      []object{v.nicJSON(it)},
		"vmSyncedConfigDetails":                       object{"tags": object{}, "inputEndpoints": []object{}},
		"lastHeartbeat":                               asOf.Format(timeFormat),
		"agentVersion":                                "9.63.7187.1",
		"agentExpiryDate":                             never,
		"isReplicationAgentUpdateRequired":            false,
		"isReplicationAgentCertificateUpdateRequired": false,
		"vmProtectionState":                           it.protectionState,
		"vmProtectionStateDescription":                facts.description,
		"lifecycleId":                                 guid(it.name, "lifecycle"),
		"rpoInSeconds":                                int64(asOf.Sub(v.clock.wall(rpo.newest)).Seconds()),
		"lastRpoCalculatedTime":                       asOf.Format(timeFormat),
		"vmEncryptionType":                            "NotEncrypted",
		"tfoAzureVMName":                              it.vm + "-test",
		"recoveryAzureGeneration":                     "V2",
		"autoProtectionOfDataDisk":                    "Disabled",
		"churnOptionSelected":                         "Normal",
	}
	maps.Copy(details, nulls(nullDetails))
	if it.set != nil {
		maps.Copy(details, it.set.details)
	}
	if it.replica != nil {
		details["recoveryFabricObjectId"] = it.replica.id()
	}
	if it.drill != nil {
		details["testFailoverRecoveryFabricObjectId"] = it.drill.machine.id()
	}
	if it.seeding != nil {
		maps.Copy(details, nulls("lifecycleId rpoInSeconds lastRpoCalculatedTime"))
		details["monitoringPercentageCompletion"], details["monitoringJobType"] = it.percent(now), initialReplication
	}
	return details
}

const (
	vmSize             = "Standard_D2s_v5"
	initialReplication = "InitialReplication"
)

// lower spells ids as Site Recovery does those of compute and network.
func lower(ids []string) []string {
	lowered := make([]string, 0, len(ids))
	for _, id := range ids {
		lowered = append(lowered, strings.ToLower(id))
	}
	return lowered
}

func (v *Vault) disksJSON(it *item, now time.Duration) []object {
	disks := []object{}
	for _, d := range it.source.disks {
		disks = append(disks, v.diskJSON(it, d, now))
	}
	return disks
}

func (v *Vault) diskJSON(it *item, d disk, now time.Duration) object {
	id, target := strings.ToLower(it.source.diskID(d)), it.recoveryGroup+"/providers/Microsoft.Compute/disks/"
	name := d.name
	disk := object{
		"diskId":                                 id,
		"recoveryResourceGroupId":                it.recoveryGroup,
		"recoveryReplicaDiskId":                  target + name + "-ASRReplica",
		"recoveryOrignalTargetDiskId":            target + name, // sic
		"recoveryReplicaDiskAccountType":         diskType,
		"recoveryTargetDiskAccountType":          diskType,
		"diskName":                               name,
		"diskCapacityInBytes":                    d.bytes,
		"primaryStagingAzureStorageAccountId":    it.cache[id],
		"diskType":                               "OperatingSystem",
		"resyncRequired":                         false,
		"dataPendingInStagingStorageAccountInMB": 0.0,
		"dataPendingAtSourceAgentInMB":           0.0,
		"diskState":                              "Protected",
		"allowedDiskLevelOperation":              []string{},
		"isDiskEncrypted":                        false,
		"isDiskKeyEncrypted":                     false,
		"failoverDiskName":                       name,
		"tfoDiskName":                            name + "-ASRtest",
	}
	maps.Copy(disk, nulls(`recoveryTargetDiskId recoveryDiskEncryptionSetId primaryDiskEncryptionSetId
		monitoringPercentageCompletion monitoringJobType secretIdentifier dekKeyVaultArmId keyIdentifier kekKeyVaultArmId`))
	if it.set != nil {
		maps.Copy(disk, it.set.disks[id])
	}
	if d.lun >= 0 {
		disk["diskType"] = "Data"
	}
	if it.seeding != nil {
		disk["diskState"], disk["monitoringJobType"], disk["monitoringPercentageCompletion"] = "InitialReplicationPending", initialReplication, it.percent(now)
	}
	return disk
}

func (it *item) nicID() string { return guid(it.name, "nic") }

func (v *Vault) nicJSON(it *item) object {
	ip := object{
		"isPrimary": true, "ipAddressType": "Dynamic", "isSeletedForFailover": true, // sic
		"recoverySubnetName": "default", "recoveryStaticIPAddress": "", "recoveryIPAddressType": "Dynamic",
		"recoveryLBBackendAddressPoolIds": []string{},
	}
	maps.Copy(ip, nulls(`name subnetName staticIPAddress recoveryPublicIPAddressId tfoSubnetName tfoStaticIPAddress
		tfoPublicIPAddressId tfoLBBackendAddressPoolIds`))
	nic := object{
		"nicId":               it.nicID(),
		"sourceNicArmId":      strings.ToLower(it.source.nicID()),
		"recoveryVMNetworkId": it.recoveryNetwork,
		"ipConfigs":           []object{ip}, "selectionType": "NotSelected",
		"enableAcceleratedNetworkingOnRecovery": false, "reuseExistingNic": false, "tfoReuseExistingNic": false,
	}
	maps.Copy(nic, nulls(`replicaNicId vMNetworkName recoveryNetworkSecurityGroupId tfoVMNetworkId tfoNetworkSecurityGroupId
		enableAcceleratedNetworkingOnTfo recoveryNicName recoveryNicResourceGroupName tfoRecoveryNicName
		tfoRecoveryNicResourceGroupName targetNicName`))
	if it.set != nil {
		maps.Copy(nic, it.set.nics[it.nicID()])
	}
	return nic
}

// nulls is an object with these keys, all null.
func nulls(keys string) object {
	o := object{}
	for key := range strings.FieldsSeq(keys) {
		o[key] = nil
	}
	return o
}
