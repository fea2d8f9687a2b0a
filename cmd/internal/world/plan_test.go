package world

import (
	"strings"
	"testing"

	"ferry/sandbox/vault"
)

// planned are the VMs of the stand-in's recovery plan.
const planned = 3

// A recovery plan is one operation, one approval and one call to Azure, and every VM of it is read for itself in the end.
// Azure has no reprotect of a plan of Azure VMs: Ferry reprotects them one by one.
func TestPlan(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		w.types("ana", "/failover plan plan-shp", `No recovery plan is called "plan-shp". Near names: vault-dr/plan-shop`)
		w.types("ana", "/failover plan plan-shop -20m", "a recovery plan has no recovery point")
		w.types("ana", "/failover plan plan-shop latest-processed", "failover of recovery plan plan-shop")
		for _, want := range []string{"Wave 1 · ", "Wave 2 · ", "Wave 3 · "} {
			w.sees(want)
		}
		w.presses("ben", "Approve", "awaiting commit")
		w.sees("Failover of sql-01: done in")
		w.ledger("planUnplannedFailover", 1)
		w.ledger("unplannedFailover", 0)
		w.reads("ana", "/failover debt", "Left open, oldest first")
		w.types("ana", "/failover commit plan-shop", "plan-shop is a recovery plan, not a VM; its newest failover is op-")
		w.types("ana", "/failover change plan-shop -20m", "type the name of one of its VMs")
		w.presses("ben", "Commit", ": committed")
		w.ledger("planFailoverCommit", 1)
		if strings.Contains(w.card("plan-shop"), "outside Ferry") {
			w.t.Error("ben pressed Commit, and the card says that it was done outside Ferry")
		}
		w.opens("ana", "Reprotect", "vm-x, vm-y, sql-01", "each is replicated back on its own")
		w.submits("ana", "Reason", "the region is back", "reprotect of")
		w.sees("each of the 3 VMs goes on running in northeurope and is replicated to westeurope")
		w.sees("; new: replica disk")
		w.presses("ben", "Approve", "vm-x: protected")
		w.ledger("switchprotection", planned)
	})
}

// One VM of the plan fails: the others are not stranded, and the end names both.
func TestPlanWithAFailedVM(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", VM: "vm-y", Kind: vault.JobFails, Code: "28031", Message: "No quota.", Causes: "Quota.", Action: "Raise it."})
		w.types("ana", "/failover plan plan-shop", "[ Approve ]")
		w.presses("ben", "Approve", "awaiting commit")
		w.sees("No quota (error 28031)")
		w.presses("ben", "Commit", "failed: vm-y")
		w.ledger("planUnplannedFailover", 1)
		w.ledger("planFailoverCommit", 1)
	})
}
