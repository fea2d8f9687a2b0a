package world

import (
	"testing"
	"time"

	"ferry/config"
	"ferry/sandbox/vault"
)

// checkout is a vault of eight VMs, of which six are a group in three waves, one of them by a tag.
func checkout() (vault.Options, map[string]config.Group) {
	o := quick()
	o.VMs, o.Plans = 8, []vault.Plan{}
	o.Tags = map[string]map[string]string{"app-01": {"app": "shop"}, "app-02": {"app": "shop"}}
	return o, map[string]config.Group{"checkout": {
		Waves:     []config.Wave{{Name: "data", VMs: []string{"sql-*"}}, {Tags: []string{"app=shop"}}, {Name: "web", VMs: []string{"web-*"}, After: []string{"data", "2"}}},
		OnFailure: "stop-wave",
	}}
}

// A group goes wave by wave. It is held and let go on, stops by itself when a VM fails, and what failed is tried once more or
// left out; the commit is one press over those that are up. What is mistyped runs nothing.
func TestGroupAsTyped(t *testing.T) {
	explored(t)
	options, groups := checkout()
	bubbleIn(t, options, func(w *world) {
		w.groups = groups
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", VM: "app-02", Kind: vault.JobFails, Code: "28031", Message: "A policy denies it.", Causes: "A policy.", Action: "Exempt it."})
		w.begin()
		say := func(line, want string) { w.answers("U0ANA", "/failover "+line, want) }
		say("group chekout", `No group is called "chekout". There are: checkout.`)
		say("checkout", "checkout is a group, not a VM. Nothing was started. Type /failover group checkout.")
		say("group vm-x", "vm-x is a VM, not a group. Nothing was started. Type /failover vm-x.")
		say("list", "Groups: checkout (6 VMs in 3 waves).")
		say("status checkout", "checkout is a group (6 VMs in 3 waves), not a VM. To fail it over, type /failover group checkout.")
		say("group checkout latest", "They go in 3 waves.")
		w.sees("[ Approve ]")
		id := w.id()
		say("hold "+id, "Nothing begins before somebody decides")
		w.presses("ben", "Approve", "running")
		say("hold "+id+" --reason storage is slow", "on hold: 2 VMs are under way and go on, 4 have yet to begin.")
		pass(8 * time.Minute)
		w.ledger("unplannedFailover", 2)
		say("hold "+id, "on hold already")
		say("resume "+id, "goes on with 4 VMs that have yet to begin")
		pass(8 * time.Minute)
		w.ledger("unplannedFailover", 4)
		say("hold "+id, "on hold already, by itself since")
		say("status checkout", "Failover of group checkout (6 VMs): on hold")
		say("resume checkout", "Type /failover resume "+id+".")
		say("skip web-02", "Type /failover skip "+id+" web-02.")
		w.answers("U0ANA", "@ferry skip "+id+" web-1", `No replicated VM is called "web-1" in `+id)
		say("skip "+id+" web-02", "web-02 is left out of "+id+" and stays as it is in Azure. 4 VMs are left in it.")
		say("retry "+id+" web-01", "web-01 has not failed")
		say("retry "+id, "What failed of "+id+" is tried once more.")
		w.sees("[ Commit all ]")
		w.ledger("unplannedFailover", 6) // five VMs, one of them twice
		w.presses("ben", "Commit all", "committed")
		w.ledger("failoverCommit", 5)
	})
}

// VMs in a row are one operation and one approval; a word that is no VM has nothing begin. Many ask for their number, a large group
// for its name.
func TestRowAsTyped(t *testing.T) {
	options, groups := checkout()
	bubbleIn(t, options, func(w *world) {
		w.groups, w.configure = groups, func(c *config.Config) { c.Access.ConfirmAbove = 1 }
		w.begin()
		say := func(line, want string) { w.answers("U0ANA", "/failover "+line, want) }
		say("vm-x web-1 vm-y", `No replicated VM is called "web-1". Near names: web-01`)
		say("vm-x vm-y latst", "Did you mean the recovery point latest?")
		say("vm-x vm-y vm-x", "vm-x is named twice")
		say("vm-x vm-y", "These are 2 VMs, so their number is asked for. Type /failover run vm-x vm-y --confirm 2.")
		say("vm-x vm-y --confirm 3", `"3" is not how many they are.`)
		say("group checkout", "checkout has 6 VMs, so its name is asked for. Type /failover group checkout --confirm checkout.")
		say("group checkout --confirm chekout", `"chekout" is not its name.`)
		say("vm-x vm-y latest --confirm 2", "VMs: vm-x, vm-y.")
		w.presses("ben", "Approve", "[ Commit all ]")
		w.ledger("unplannedFailover", 2)
	})
}
