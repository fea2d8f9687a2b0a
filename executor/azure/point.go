package azure

import (
	"context"
	"strings"

	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/failover"
)

// Points lists the recovery points of an item in Azure's order, which is none.
func (s *Site) Points(ctx context.Context, item failover.Item) ([]failover.RecoveryPoint, error) {
	v, at, err := s.locateItem(item)
	if err != nil {
		return nil, err
	}
	found, err := read(ctx, listPoints(), func(ctx context.Context) ([]*siterecovery.RecoveryPoint, error) {
		return collect(ctx, v.points.NewListByReplicationProtectedItemsPager(v.ResourceGroup, v.Name, at.fabric, at.container, at.item, nil),
			func(p siterecovery.RecoveryPointsClientListByReplicationProtectedItemsResponse) []*siterecovery.RecoveryPoint {
				return p.Value
			})
	})
	if err != nil {
		return nil, err
	}
	var points []failover.RecoveryPoint
	for _, p := range found {
		// A point without a time would pass for the oldest of all, and somebody would lose data by it.
		if p == nil || p.Properties == nil || or(p.ID) == "" || date(p.Properties.RecoveryPointTime).IsZero() {
			continue
		}
		points = append(points, failover.RecoveryPoint{
			ID: or(p.ID), Time: date(p.Properties.RecoveryPointTime),
			AppConsistent: strings.EqualFold(or(p.Properties.RecoveryPointType), "ApplicationConsistent"),
		})
	}
	return points, nil
}
