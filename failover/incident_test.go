package failover_test

import (
	"testing"
	"time"

	"ferry/failover"
)

func TestIncidentIsOne(t *testing.T) {
	b := newTable(t, 1)
	declare := func(by failover.Actor, since time.Time) failover.Command {
		cmd := b.command(failover.VerbIncident, by)
		cmd.Target, cmd.Point = "", failover.Point{Kind: failover.AtTime, Time: since}
		return cmd
	}
	over := b.command(failover.VerbIncident, ana)
	over.Target, over.Over = "", true
	says(t, b.refused(over), "No incident is declared")
	says(t, b.refused(declare(ben, start)), "You may not declare or end an incident")
	says(t, b.refused(declare(ana, b.now.Add(time.Minute))), "in the future")
	says(t, b.refused(declare(ana, time.Time{})), "When did the incident begin?")

	if refusal := b.try(declare(ana, start.Add(-time.Hour))); refusal != nil {
		t.Fatal(refusal)
	}
	if b.phase(failover.Running); failover.HasWork(b.op) || !b.op.Began().Equal(start.Add(-time.Hour)) || !failover.WakeAt(b.op).IsZero() || !failover.RemindAt(b.op).IsZero() {
		t.Errorf("nobody drives an incident: %+v", b.op)
	}
	if keys := b.op.Holds(); len(keys) != 1 || keys[0] != failover.IncidentKey() {
		t.Errorf("it is guarded by %v", keys)
	}
	for _, verb := range []failover.Verb{failover.VerbCancel, failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCommit, failover.VerbChange, failover.VerbReprotect} {
		says(t, b.refused(b.command(verb, ana)), "op-aaaaaaaa is a declared incident", "/failover incident over")
	}
	declared := b.op
	b.holder, b.op = declared, failover.Operation{}
	says(t, b.refused(declare(ana, start)), "declared already, by ana (op-aaaaaaaa)", "/failover incident over")

	b.holder, b.op = failover.Operation{}, declared
	byBen := over
	byBen.MessageID, byBen.By = "other", ben
	says(t, b.refused(byBen), "You may not declare or end an incident")
	b.incidentOver()
	if b.phase(failover.Succeeded); !b.op.Began().IsZero() {
		t.Error("it goes on")
	}
}

// A verb without a target matches only a rule whose patterns are all *.
func TestWhoMayDeclareAnIncident(t *testing.T) {
	freeze := func(m failover.Match) failover.Policy {
		return failover.Policy{Roles: map[string][]string{"operator": {ana.ID}}, Rules: []failover.Rule{{Match: m, Classes: []failover.Class{failover.ClassFreeze}, May: []string{"operator"}}}}
	}
	rows := map[string]struct {
		match failover.Match
		may   bool
	}{
		"no patterns":  {failover.Match{}, true},
		"all":          {failover.Match{VM: []string{"*"}, Vault: []string{"*"}, ResourceGroup: []string{"*"}}, true},
		"some VMs":     {failover.Match{VM: []string{"prod-*"}}, false},
		"all and some": {failover.Match{VM: []string{"*", "prod-*"}}, false},
		"one vault":    {failover.Match{Vault: []string{"v"}}, false},
		"one group":    {failover.Match{VM: []string{"*"}, ResourceGroup: []string{"rg"}}, false},
	}
	for name, r := range rows {
		b := newTable(t, 1)
		b.policy = freeze(r.match)
		cmd := b.command(failover.VerbIncident, ana)
		cmd.Point = failover.Point{Kind: failover.AtTime, Time: start.Add(-time.Hour)}
		if refusal := b.try(cmd); (refusal == nil) != r.may {
			t.Errorf("%s: %v", name, refusal)
		}
	}
}

// Data from after the begin of the incident are taken by force only; the latest point is made of all that has arrived.
func TestPointsAfterTheIncident(t *testing.T) {
	at := func(d time.Duration) failover.Point { return failover.Point{Kind: failover.AtTime, Time: start.Add(d)} }
	rows := []struct {
		name  string
		began time.Duration // the points are of -65m, -10m and -42s
		rpo   time.Duration
		point failover.Point
		ok    bool
	}{
		{"none declared", 0, 0, failover.Point{}, true},
		{"latest, data still arrive", -5 * time.Minute, time.Minute, failover.Point{}, false},
		{"latest, replication stood still before", -30 * time.Second, 40 * time.Second, failover.Point{}, true},
		{"latest, newest point later", -time.Minute, 2 * time.Minute, failover.Point{}, false},
		{"latest, only what arrives is later", -30 * time.Second, 10 * time.Second, failover.Point{}, false},
		{"latest, age not known", -30 * time.Second, -time.Second, failover.Point{}, true},
		{"newest processed, later", -5 * time.Minute, time.Hour, failover.Point{Kind: failover.LatestProcessed}, false},
		{"newest processed, from before", -10 * time.Second, 0, failover.Point{Kind: failover.LatestProcessed}, true},
		{"app-consistent, from before", -5 * time.Minute, 0, failover.Point{Kind: failover.LatestApp}, true},
		{"a time before", -5 * time.Minute, 0, at(-6 * time.Minute), true},
		{"a time after, point before", -5 * time.Minute, 0, at(-2 * time.Minute), true},
		{"a time after, point after", -15 * time.Minute, 0, at(-2 * time.Minute), false},
		{"the very moment", -10 * time.Minute, 0, at(-10 * time.Minute), true},
		{"by id, later", -5 * time.Minute, 0, failover.Point{Kind: failover.ByID, ID: third}, false},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			for _, force := range []bool{false, true} {
				b := newTable(t, 1)
				if r.began != 0 {
					b.incident = start.Add(r.began)
				}
				b.item.RPO = r.rpo
				cmd := b.command(failover.VerbFailover, ana)
				cmd.Point, cmd.Force = r.point, force
				refusal := b.try(cmd)
				switch {
				case (refusal == nil) != (r.ok || force):
					t.Fatalf("force %v: %v", force, refusal)
				case refusal != nil:
					says(t, refusal.Hint, "Type "+b.incident.Format("2006-01-02T15:04Z"), "--force")
				case b.op.Plan.Forced != (force && r.began != 0):
					t.Errorf("forced is not shown to who approves: %+v", b.op.Plan)
				}
			}
		})
	}
	for id, ok := range map[string]bool{first: true, third: false} {
		b := newTable(t, 1)
		b.failedOver()
		b.incident = start.Add(-5 * time.Minute)
		if refusal := b.try(b.change(ben, id)); (refusal == nil) != ok {
			t.Errorf("change to %s: %v", id, refusal)
		}
	}
	b := newTable(t, 1)
	failsOver(&b.item)
	b.incident = start.Add(-5 * time.Minute)
	b.refused(b.change(ana, third))
	b.points = b.points[:1] // nothing arrives after a failover: the latest is the newest that there is
	b.must(failover.VerbChange, ana)
}
