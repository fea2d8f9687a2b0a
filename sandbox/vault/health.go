package vault

// getHealth is the summary of a vault's health, counted from what its items say. Its shape follows the documentation.
func (v *Vault) getHealth(c *call) reply {
	counts, untested := map[string]int{}, []string{}
	for _, it := range v.items {
		worst := it.health()
		if worst == healthNormal && it.tested == nil {
			worst = healthWarning
		}
		counts[worst]++
		if it.tested == nil {
			untested = append(untested, it.entity())
		}
	}
	issues := []object{}
	if len(untested) > 0 {
		issues = append(issues, object{
			"summaryCode": "161011", "category": "TestFailover", "severity": "Warning", "summaryMessage": "No successful test failover.",
			"affectedResourceType": "ReplicationProtectedItem", "affectedResourceSubtype": "A2A", "affectedResourceCorrelationIds": untested,
		})
	}
	summary := func(count int, issues []object, counts any) object {
		return object{"resourceCount": count, "issues": issues, "categorizedResourceCounts": counts}
	}
	fabrics := map[string]int{}
	for i := range v.regions {
		fabrics[v.fabricHealth(&v.regions[i])]++
	}
	return ok(object{
		"id": v.vaultID() + "/replicationVaultHealth/default", "name": "default", "type": typePrefix + "/replicationVaultHealth",
		"properties": object{
			"vaultErrors": []object{}, "protectedItemsHealth": summary(len(v.items), issues, counts),
			"fabricsHealth":    summary(len(v.regions), []object{}, fabrics),
			"containersHealth": summary(len(v.regions), []object{}, object{healthNormal: len(v.regions)}),
		},
	})
}

const (
	healthNormal   = "Normal"
	healthWarning  = "Warning"
	healthCritical = "Critical"
)
