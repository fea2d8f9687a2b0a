package vault

import (
	"cmp"
	"time"
)

func (g Guesses) changeAction() action {
	return action{
		operation: opApplyRecoveryPoint, word: "ChangePit",
		scenario: cmp.Or(g.ChangeScenario, "ApplyRecoveryPoint"), friendlyName: "Change recovery point",
		to: stateCommitPending, works: 1, unreachable: "28031", read: readChange, begin: (*Vault).chooseOtherPoint, done: pointChanged,
		tasks: []task{ // guessed, with their durations
			{id: "ApplyRecoveryPointPreflightTask", friendlyName: "Prerequisites check for changing the recovery point", takes: 10 * time.Second},
			{id: "ApplyRecoveryPointTask", friendlyName: "Change recovery point", takes: 80 * time.Second},
			{id: "StartReplicaTask", friendlyName: "Start the replica virtual machine", takes: 22 * time.Second},
		},
	}
}

// readChange checks the body of applyRecoveryPoint, which names its point in other words than a failover.
func readChange(_ *Vault, _ *item, body []byte) (input, error) {
	p, err := readProperties[struct {
		RecoveryPointID         string `json:"recoveryPointId"`
		ProviderSpecificDetails a2a    `json:"providerSpecificDetails"`
	}](body)
	if err == nil {
		err = p.ProviderSpecificDetails.check()
	}
	if err == nil && p.RecoveryPointID == "" {
		err = invalid("recoveryPointId is required")
	}
	return input{pointID: p.RecoveryPointID}, err
}

// chooseOtherPoint fails the job when the point is not one of the item's.
func (v *Vault) chooseOtherPoint(j *job, in input, now time.Duration) { v.choosePoint(j, in, now) }

// pointChanged replaces the failed over VM by one made from the other point.
func pointChanged(it *item, j *job) {
	it.failoverPoint = j.point
	it.replica = it.newReplica(it.recoveryName, j.end())
}

// otherPoint is what a person at the portal changes to: the newest point before the one in use; empty without one.
func (v *Vault) otherPoint(it *item, now time.Duration) string {
	var best point
	for _, p := range it.points(now) {
		if it.failoverPoint != nil && p.at < it.failoverPoint.at && (best.name == "" || p.at > best.at) {
			best = p
		}
	}
	return v.pointID(it, it.primary.container, best.name)
}
