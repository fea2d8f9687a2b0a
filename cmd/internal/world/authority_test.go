package world

import (
	"testing"
	"time"

	"ferry/config"
	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// Whose press counted is out of the approvers' group before Azure takes the call: it is not made, the card says why, and the
// press of somebody who is in the group makes it.
func TestAuthorityLostBeforeTheCall(t *testing.T) {
	bubble(t, func(w *world) {
		w.configure = func(c *config.Config) { c.Access.Roles["approver"] = config.Role{Groups: []string{"S0APP"}} }
		approvers := func(users ...string) {
			if err := w.workspace.SetGroup(workspace.UserGroup{ID: "S0APP", Handle: "approvers", Users: users}); err != nil {
				t.Fatal(err)
			}
		}
		approvers("U0CAT")
		w.begin()
		pass(10 * time.Second)
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.Throttle, RetryAfter: 3 * time.Minute})
		w.presses("cat", "Approve", "asked to wait")
		approvers("U0BEN")
		w.shows(5*time.Minute, "Not started: cat may not decide it any more (that takes the role approver)")
		w.counts("was not started (op-", 1)
		w.ledger("unplannedFailover", 0)
		w.presses("ben", "Approve", "[ Commit ]")
		w.ledger("unplannedFailover", 1)
	})
}

// Who asked is deactivated before Azure takes the call, and it is not made.
func TestStandingLostBeforeTheCall(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.Throttle, RetryAfter: 3 * time.Minute})
		w.presses("ben", "Approve", "asked to wait")
		if err := w.workspace.SetKind("ana", workspace.Deactivated); err != nil {
			t.Fatal(err)
		}
		w.shows(5*time.Minute, "Not started: ana is no member in good standing any more (deactivated)")
		w.ledger("unplannedFailover", 0)
	})
}
