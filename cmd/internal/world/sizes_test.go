package world

import (
	"testing"

	"ferry/config"
	"ferry/sandbox/vault"
)

const ownSize, otherSize = "Standard_D2s_v5", "Standard_D2as_v5"

// otherSizes lets VMs be made in another size than their own.
func otherSizes(c *config.Config) {
	c.Azure.AlternativeSizes = map[string][]string{ownSize: {otherSize}}
}

// noRoom is a region without capacity for the VMs' own size.
func (w *world) noRoom() {
	w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Size: ownSize, Kind: vault.JobNoCapacity, Times: vault.Always})
}

// Where a region has no capacity for the size of a VM, it is made in the one that was approved in its place.
func TestAlternativeSize(t *testing.T) {
	bubble(t, func(w *world) {
		w.groups, w.configure = shop(), otherSizes
		w.begin()
		w.noRoom()
		w.types("ana", "/failover group shop", otherSize+" instead of "+ownSize)
		w.presses("ben", "Approve", "[ Commit all ]")
		w.sees("sql-01, vm-x, vm-y as " + otherSize + " instead of " + ownSize)
		w.ledger("unplannedFailover", 6)
		w.ledger("update", 3)
	})
}

// The process dies before and after it has changed a size; the VM is made in it all the same, at once or in a later try.
func TestAlternativeSizeOverADeath(t *testing.T) {
	for _, after := range []bool{false, true} {
		bubbleIn(t, alone(), func(w *world) {
			w.configure = otherSizes
			w.start(&point{seam: "azure.resize", nth: 1, after: after})
			w.noRoom()
			life := w.process
			w.insists("ana", "/failover vm-x latest", "# Failover of vm-x")
			w.decides("Approve", "vm-x as "+otherSize+" instead of "+ownSize)
			w.gets("awaiting commit")
			if !life.cut.happened() {
				t.Errorf("it did not die: %v", life.cut.seen)
			}
		})
	}
}

// Whatever goes wrong with a change of the size, the VM comes up in it, or in a later try; and nothing that the vault did not take is
// said to be so.
func TestTroublesOfSizes(t *testing.T) {
	explored(t)
	for _, trouble := range troubles() {
		t.Run(trouble.name, func(t *testing.T) {
			bubble(t, func(w *world) {
				w.configure = otherSizes
				w.begin()
				w.types("ana", "/failover vm-x latest", "[ Approve ]")
				w.noRoom()
				if trouble.fault.Portal = "unplannedFailover"; trouble.arm == nil && trouble.fault.Operation == "" {
					trouble.fault.Operation = "update"
				}
				w.arm(trouble, caller{call: "unplannedFailover"})
				w.press("ben", "Approve")
				switch {
				case trouble.fault.Kind == vault.PortalFirst: // somebody has failed it over meanwhile
					w.sees("# failover of vm-x: failed")
				case trouble.arm != nil: // the role does not allow it at all
					w.sees("# failover of vm-x: failed")
					w.sees("no capacity")
					w.ledger("unplannedFailover", 4)
					w.ledger("update", 0)
				default:
					w.sees("awaiting commit")
					w.sees("vm-x as " + otherSize + " instead of " + ownSize)
				}
			})
		})
	}
}

// A VM that came up in another size goes all of its way from there: another recovery point, the commit, and home again.
func TestHomeFromAnotherSize(t *testing.T) {
	bubble(t, func(w *world) {
		w.configure = otherSizes
		w.begin()
		w.noRoom()
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		w.presses("ben", "Approve", "[ Commit ]")
		w.types("ana", "/failover change vm-x -90m", "[ Change point ]")
		w.presses("ben", "Change point", "Before the change")
		w.sees("vm-x as " + otherSize + " instead of " + ownSize)
		w.presses("ben", "Commit", "[ Reprotect ]")
		w.sees("vm-x as " + otherSize)
		w.types("ana", "/failover failback vm-x", "[ Approve ]")
		w.presses("ben", "Approve", "[ Fail back ]")
		w.presses("ben", "Fail back", "[ It works ]")
		w.presses("ben", "It works", "[ Commit ]")
		w.presses("ben", "Commit", "[ Reprotect ]")
		w.presses("ben", "Reprotect", "home again")
		w.ledger("update", 1)
	})
}
