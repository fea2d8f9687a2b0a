package world

import (
	"testing"

	"ferry/config"
	"ferry/sandbox/vault"
)

// shop is a group of the configuration: the database first, then the two others.
func shop() map[string]config.Group {
	return map[string]config.Group{"shop": {Waves: []config.Wave{{Name: "data", VMs: []string{"sql-01"}}, {Name: "web", VMs: []string{"vm-x", "vm-y"}}}, OnFailure: "stop-wave"}}
}

func inShop(vm string) bool { return vm == "sql-01" || vm == "vm-x" || vm == "vm-y" }

// A group is one operation, one approval over the exact list, one commit and one way back; what fails stops the waves after it
// until somebody decides.
func TestGroup(t *testing.T) {
	bubble(t, func(w *world) {
		w.groups = shop()
		w.begin()
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", VM: "sql-01", Kind: vault.JobFails, Code: "28031", Message: "A policy denies it.", Causes: "A policy.", Action: "Exempt it."})
		w.types("ana", "/failover group shop latest-processed", "[ Approve ]")
		w.presses("ben", "Approve", "1 failed")
		w.ledger("unplannedFailover", 1)
		w.says("ana", "retry", "awaiting commit")
		w.ledger("unplannedFailover", 4)
		w.presses("ben", "Commit all", ": committed")
		w.ledger("failoverCommit", 3)
	})
}

// The way home of a group has one decision at each of its gates, whatever the number of VMs.
func TestGroupComesHome(t *testing.T) {
	bubble(t, func(w *world) {
		w.groups = shop()
		w.begin()
		w.types("ana", "/failover group shop latest-processed", "[ Approve ]")
		w.presses("ben", "Approve", "[ Commit all ]")
		w.presses("ben", "Commit all", ": committed")
		w.types("ana", "/failover failback group shop", "[ Approve ]")
		w.presses("ben", "Approve", "[ Fail back ]")
		w.presses("ben", "Fail back", "[ It works ]")
		w.presses("ben", "It works", "[ Commit all ]")
		w.presses("ben", "Commit all", "[ Reprotect ]")
		w.presses("ben", "Reprotect", "protected")
		w.ledger("switchprotection", 6)
	})
}

// VMs in a row go at the same time, each for itself; one that does not exist stops all before anything begins.
func TestRow(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		w.types("ana", "/failover vm-x vm-z", "vm-z")
		w.ledger("unplannedFailover", 0)
		w.types("ana", "/failover vm-x vm-y", "[ Approve ]")
		w.presses("ben", "Approve", "awaiting commit")
		w.ledger("unplannedFailover", 2)
	})
}

// The VMs of a group may be in several vaults and subscriptions. Where one of them is not there, the others are not kept waiting,
// and who approves reads what is missing.
func TestGroupAcrossSubscriptions(t *testing.T) {
	o := quick()
	const second = "8d0f6a52-1c3e-4b7a-9f5d-6e2a4c8b0d13"
	o.More = []vault.Place{{SubscriptionID: second, VaultName: "vault-two", VMs: []string{"vm-two"}}}
	bubbleIn(t, o, func(w *world) {
		w.groups = map[string]config.Group{"both": {Waves: []config.Wave{{VMs: []string{"vm-two", "vm-x"}}}, OnFailure: "stop-wave"}}
		w.configure = func(c *config.Config) {
			gone := config.Vault{SubscriptionID: second, ResourceGroup: "rg-dr", Name: "vault-gone"}
			c.Azure.Vaults = append(c.Azure.Vaults, config.Vault{SubscriptionID: second, ResourceGroup: "rg-dr", Name: "vault-two"}, gone)
		}
		w.begin()
		w.types("ana", "/failover group both", "[ Approve ]")
		w.sees("What belongs to it there is missing")
		w.presses("ben", "Approve", "[ Commit all ]")
		w.presses("ben", "Commit all", "committed")
		w.ledger("failoverCommit", 2)
	})
}

// While a region has no capacity for a size, a VM of a group is tried again by itself, and the waves behind it leave it what there is.
func TestGroupShortOfCapacity(t *testing.T) {
	bubble(t, func(w *world) {
		w.groups = shop()
		w.begin()
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", VM: "sql-01", Kind: vault.JobNoCapacity, Times: 2})
		w.types("ana", "/failover group shop", "[ Approve ]")
		w.presses("ben", "Approve", "no capacity in northeurope for standard_d2s_v5")
		w.ledger("unplannedFailover", 1)
		w.sees("[ Commit all ]")
		w.ledger("unplannedFailover", 5)
	})
}
