package vault

import "time"

// SourceDown takes the source region of the first vault away from all vaults, or brings it back. While it is down, the VMs that it protects get no new recovery
// points, and a failover that shuts the source down first cannot: it tries for the usual time, takes the newest point that
// there is, and ends with a warning (guessed; that a failover goes on without the shutdown is documented).
func (v *Vault) SourceDown(down bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now, source := v.settle(), v.regions[0].location
	if v.regions[0].down == down {
		return
	}
	for _, v := range v.vaults {
		for i := range v.regions {
			if r := &v.regions[i]; r.location == source {
				r.down = down
				v.regionDown(r, now)
			}
		}
	}
}

func (v *Vault) regionDown(r *region, now time.Duration) {
	for _, it := range v.items {
		switch {
		case it.primary != r:
		case r.down:
			it.stopReplication(now)
		case it.protectionState == stateProtected && it.job == nil && !it.stopped:
			it.replicated = append(it.replicated, span{from: now, open: true})
		}
	}
}

// health is replicationHealth: Critical when no new points come though they should.
func (it *item) health() string {
	if it.protectionState == stateProtected && it.job == nil && !it.replicating() {
		return healthCritical
	}
	return healthNormal
}

// sourceUnreachable is guessed, code and words.
func sourceUnreachable() *serviceError {
	return &serviceError{
		code:    "150171",
		message: "Site Recovery could not shut down the source virtual machine.",
		causes:  "The source region does not answer.",
		action:  "Make sure that the source virtual machine does not run before clients are sent to the failed over one.",
	}
}
