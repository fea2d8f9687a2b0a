package vault

import "time"

// SourceDown takes the source region of the first vault away from all vaults, or brings it back. While it is down, VMs that
// replicate from it or to it get no new recovery points and no initial replication goes on. A failover that shuts the source
// down first cannot: it tries for the usual time, takes the newest point that there is, and ends with a warning. A failover,
// drill or reprotect into the region fails. All of this is guessed, but that a failover goes on without the shutdown is
// documented.
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
		case it.primary != r && it.recovery != r:
		case it.seeding != nil:
			it.holdSeeding(r.down, now)
		case r.down:
			it.stopReplication(now)
		case it.protectionState == stateProtected && !it.failingOver() && !it.stopped && !it.replicating():
			it.replicated = append(it.replicated, span{from: now, open: true})
		}
	}
}

// failingOver reports whether a job runs that ends the replication.
func (it *item) failingOver() bool { return it.job != nil && it.job.action.stopsReplication }

// health is replicationHealth: Critical when no new points come though they should.
func (it *item) health() string {
	if it.protectionState == stateProtected && !it.replicating() && !it.failingOver() || it.seeding != nil && it.seeding.held != nil {
		return healthCritical
	}
	return healthNormal
}

// targetUnreachable is guessed, code and words.
func targetUnreachable(code string) *serviceError {
	return &serviceError{
		code:    code,
		message: "Site Recovery could not create resources in the target region.",
		causes:  "The target region does not answer.",
		action:  "Run the operation again when the region is available.",
	}
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
