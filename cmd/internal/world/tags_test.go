package world

import (
	"slices"
	"testing"
	"time"

	"ferry/config"
	"ferry/sandbox/vault"
)

// byTag has an approval asked for VMs with env=prod, and lets others start at once.
func byTag(c *config.Config) {
	lax := c.Access.Rules[0]
	lax.Approvals, lax.Approvers = 0, nil
	c.Access.Rules = slices.Insert(c.Access.Rules, 1, lax)
	c.Access.Rules[0].Match = config.Match{Tag: []string{"env=prod"}}
}

func tagged() vault.Options {
	o := quick()
	o.Tags = map[string]map[string]string{"vm-x": {"env": "prod"}, "vm-y": {"env": "test"}, "sql-01": nil}
	return o
}

// The rule of a VM goes by its tags. While they were never read it is refused, although a laxer rule follows; once they were,
// an outage of Compute takes nothing away, nor does a new process in it.
func TestRulesGoByTags(t *testing.T) {
	bubbleIn(t, tagged(), func(w *world) {
		w.configure = byTag
		out := vault.Fault{Operation: "machines", Kind: vault.ServerError, Times: vault.Always}
		w.vault.Fault(out)
		w.begin()
		for _, vm := range []string{"vm-x", "vm-y"} {
			w.tells("ana", "/failover "+vm+" latest", "The tags of "+vm+" are not known, and access.rules[0] goes by them.")
		}
		w.ledger("unplannedFailover", 0)
		w.vault.ClearFaults()
		pass(2 * time.Minute)
		w.types("ana", "/failover vm-y latest", "failover of vm-y")
		w.until(time.Minute, func() bool { return w.accepted("unplannedFailover") == 1 })
		w.ledger("unplannedFailover", 1)
		w.vault.Fault(out)
		pass(10 * time.Minute)
		w.stop()
		w.begin()
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		pass(5 * time.Minute)
		w.ledger("unplannedFailover", 1)
		w.presses("ben", "Approve", "failover of vm-x")
		w.until(time.Minute, func() bool { return w.accepted("unplannedFailover") == 2 })
		w.types("ana", "/failover sql-01 latest", "failover of sql-01")
		w.until(time.Minute, func() bool { return w.accepted("unplannedFailover") == 3 })
		w.ledger("unplannedFailover", 3)
	})
}

// A tag that somebody adds after the request counts before the next call: who decided the commit may not by the rule of now.
func TestTagsChangeBeforeTheCommit(t *testing.T) {
	bubbleIn(t, tagged(), func(w *world) {
		w.configure = byTag
		w.begin()
		w.types("ana", "/failover vm-y latest", "[ Commit ]")
		if err := w.vault.SetTags("vm-y", map[string]string{"env": "prod"}); err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Minute)
		w.presses("ana", "Commit", "may not decide it any more")
		w.ledger("failoverCommit", 0)
		w.presses("ben", "Commit", ": committed")
		w.ledger("failoverCommit", 1)
	})
}
