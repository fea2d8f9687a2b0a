package azure

import (
	"context"

	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"
)

// resize is the input that changes the size of the VM that a failover makes, and nothing else. What an update leaves out may be
// cleared (inferred: PowerShell sends the most of it again), so all that the item shows is sent as it is now. That Azure takes an
// update after a failover that failed is inferred, too. Nothing is changed by a read that fails.
func (v *vault) resize(ctx context.Context, at resource, size string) (siterecovery.UpdateReplicationProtectedItemInput, error) {
	got, err := read(ctx, getItem(), func(ctx context.Context) (siterecovery.ReplicationProtectedItemsClientGetResponse, error) {
		return v.items.Get(ctx, v.ResourceGroup, v.Name, at.fabric, at.container, at.item, nil)
	})
	if err != nil {
		return siterecovery.UpdateReplicationProtectedItemInput{}, err
	}
	details, ok := or(got.Properties).ProviderSpecificDetails.(*siterecovery.A2AReplicationDetails)
	if !ok {
		return siterecovery.UpdateReplicationProtectedItemInput{}, refuse("NotAzureToAzure", "%q is not replicated from Azure to Azure.", at.item)
	}
	input := sameSettings(details)
	input.RecoveryAzureVMSize = &size
	return siterecovery.UpdateReplicationProtectedItemInput{Properties: input}, nil
}

// sameSettings is an update that changes nothing. An item does not show its licence type, its option for remote desktop and
// the keys of its recovery disks, so these are left out, as PowerShell does; the zone cannot be updated.
func sameSettings(d *siterecovery.A2AReplicationDetails) *siterecovery.UpdateReplicationProtectedItemInputProperties {
	a2a := &siterecovery.A2AUpdateReplicationProtectedItemInput{
		RecoveryResourceGroupID: d.RecoveryAzureResourceGroupID, RecoveryCloudServiceID: d.RecoveryCloudService,
		RecoveryBootDiagStorageAccountID: d.RecoveryBootDiagStorageAccountID, RecoveryProximityPlacementGroupID: d.RecoveryProximityPlacementGroupID,
		RecoveryVirtualMachineScaleSetID: d.RecoveryVirtualMachineScaleSetID, RecoveryCapacityReservationGroupID: d.RecoveryCapacityReservationGroupID,
		TfoAzureVMName: d.TfoAzureVMName,
	}
	for _, disk := range d.ProtectedManagedDisks {
		k := or(disk)
		a2a.ManagedDiskUpdateDetails = append(a2a.ManagedDiskUpdateDetails, &siterecovery.A2AVMManagedDiskUpdateDetails{
			DiskID: k.DiskID, RecoveryReplicaDiskAccountType: k.RecoveryReplicaDiskAccountType, RecoveryTargetDiskAccountType: k.RecoveryTargetDiskAccountType,
			FailoverDiskName: k.FailoverDiskName, TfoDiskName: k.TfoDiskName,
		})
	}
	same := &siterecovery.UpdateReplicationProtectedItemInputProperties{
		RecoveryAzureVMName: d.RecoveryAzureVMName, RecoveryAzureVMSize: d.RecoveryAzureVMSize, RecoveryAvailabilitySetID: d.RecoveryAvailabilitySet,
		SelectedRecoveryAzureNetworkID: d.SelectedRecoveryAzureNetworkID, SelectedTfoAzureNetworkID: d.SelectedTfoAzureNetworkID,
		ProviderSpecificDetails: a2a,
	}
	for _, nic := range d.VMNics {
		same.VMNics = append(same.VMNics, sameNIC(or(nic)))
	}
	return same
}

func sameNIC(n siterecovery.VMNicDetails) *siterecovery.VMNicInputDetails {
	same := &siterecovery.VMNicInputDetails{
		NicID: n.NicID, SelectionType: n.SelectionType, TargetNicName: n.TargetNicName,
		RecoveryNicName: n.RecoveryNicName, TfoNicName: n.TfoRecoveryNicName,
		RecoveryNicResourceGroupName: n.RecoveryNicResourceGroupName, TfoNicResourceGroupName: n.TfoRecoveryNicResourceGroupName,
		RecoveryNetworkSecurityGroupID: n.RecoveryNetworkSecurityGroupID, TfoNetworkSecurityGroupID: n.TfoNetworkSecurityGroupID,
		EnableAcceleratedNetworkingOnRecovery: n.EnableAcceleratedNetworkingOnRecovery, EnableAcceleratedNetworkingOnTfo: n.EnableAcceleratedNetworkingOnTfo,
		ReuseExistingNic: n.ReuseExistingNic, TfoReuseExistingNic: n.TfoReuseExistingNic,
	}
	for _, config := range n.IPConfigs {
		ip := or(config)
		same.IPConfigs = append(same.IPConfigs, &siterecovery.IPConfigInputDetails{
			IPConfigName: ip.Name, IsPrimary: ip.IsPrimary, IsSeletedForFailover: ip.IsSeletedForFailover, // sic
			RecoverySubnetName: ip.RecoverySubnetName, TfoSubnetName: ip.TfoSubnetName,
			RecoveryStaticIPAddress: ip.RecoveryStaticIPAddress, TfoStaticIPAddress: ip.TfoStaticIPAddress,
			RecoveryPublicIPAddressID: ip.RecoveryPublicIPAddressID, TfoPublicIPAddressID: ip.TfoPublicIPAddressID,
			RecoveryLBBackendAddressPoolIDs: ip.RecoveryLBBackendAddressPoolIDs, TfoLBBackendAddressPoolIDs: ip.TfoLBBackendAddressPoolIDs,
		})
	}
	return same
}
