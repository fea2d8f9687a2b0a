package failover_test

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// shop is a recovery plan of three VMs in two groups.
func shop() failover.RecoveryPlan {
	key := func(name string) string { return failover.ItemKey("/vaults/v", name) }
	return failover.RecoveryPlan{
		ID: "/vaults/v/plans/shop", Key: "plan", Name: "shop", Vault: "v", Allowed: []string{"UnplannedFailover", "TestFailover"},
		Groups: []failover.PlanGroup{{Name: "Boot", Keys: []string{key("sql")}}, {Name: "Boot", Keys: []string{key("app"), key("web")}}},
	}
}

// ready is a situation in which the shop can be failed over.
func ready() failover.Situation {
	plan := shop()
	s := failover.Situation{Now: start, Policy: policy(1), Recovery: &plan}
	for _, name := range []string{"sql", "app", "web"} {
		s.Members = append(s.Members, failover.Member{Item: item(name, failover.StateProtected, "UnplannedFailover")})
	}
	return s
}

func askForShop(by failover.Actor, point failover.Point) failover.Command {
	return failover.Command{MessageID: "m", Op: "op-aaaaaaaa", Verb: failover.VerbPlan, By: by, Target: "shop", Point: point, At: start, ValidUntil: start.Add(time.Minute)}
}

func TestPlanIsRefused(t *testing.T) {
	latest := failover.Point{Kind: failover.Latest}
	for name, row := range map[string]struct {
		by     failover.Actor
		point  failover.Point
		change func(*failover.Situation)
		want   string
	}{
		"who may not":      {eve, latest, nil, "You may not fail over sql"},
		"unknown":          {ana, latest, func(s *failover.Situation) { s.Recovery = nil }, "no recovery plan"},
		"empty":            {ana, latest, func(s *failover.Situation) { s.Members = nil }, "no VM in it"},
		"a time":           {ana, failover.Point{Kind: failover.AtTime, Time: start}, nil, "no recovery point"},
		"busy":             {ana, latest, func(s *failover.Situation) { s.Recovery.JobID, s.Recovery.Scenario = "/jobs/1", "TestFailover" }, "already running on the recovery plan"},
		"not offered":      {ana, latest, func(s *failover.Situation) { s.Recovery.Allowed = nil }, "Azure does not offer UnplannedFailover"},
		"one is committed": {ana, latest, func(s *failover.Situation) { s.Members[1].Item.State = failover.StateCommitted }, "1 of the 3 VMs of shop cannot be failed over: app has been failed over"},
		"one is held": {ana, latest, func(s *failover.Situation) {
			s.Members[2].Holder = failover.Operation{ID: "op-bbbbbbbb", Phase: failover.Running}
		}, "web is already under way: op-bbbbbbbb"},
		"one is not there": {ana, latest, func(s *failover.Situation) {
			s.Members[0].Trouble = failover.Refuse(failover.WrongState, "Look.", "It is gone.")
		}, "It is gone."},
		"after an incident": {ana, latest, func(s *failover.Situation) { s.Incident = start.Add(-time.Hour) }, "the incident began at"},
		"two rules": {ana, latest, func(s *failover.Situation) {
			stricter := s.Policy.Rules[0]
			stricter.Match.VM, stricter.Approvals = []string{"web"}, 2
			s.Policy.Rules = append([]failover.Rule{stricter}, s.Policy.Rules...)
		}, "fall under different rules"},
		"two rules of the commit": {ana, latest, func(s *failover.Situation) {
			stricter := s.Policy.Rules[0]
			stricter.Match.VM, stricter.Classes, stricter.Approvals = []string{"web"}, []failover.Class{failover.ClassCommit}, 2
			s.Policy.Rules = append([]failover.Rule{stricter}, s.Policy.Rules...)
		}, "different rules for the commit"},
	} {
		s := ready()
		if row.change != nil {
			row.change(&s)
		}
		facts, refusal := failover.Decide(failover.Operation{}, askForShop(row.by, row.point), s)
		if refusal == nil || refusal.Hint == "" || !strings.Contains(refusal.Message, row.want) {
			t.Errorf("%s: %v %+v, want %q", name, facts, refusal, row.want)
		}
	}
	s := ready()
	s.Incident = start.Add(-time.Hour)
	forced := askForShop(ana, latest)
	forced.Force = true
	if facts, refusal := failover.Decide(failover.Operation{}, forced, s); refusal != nil || len(facts) != 1 {
		t.Errorf("--force: %v %v", facts, refusal)
	}
}

// running is the shop's failover after its approval, with what its driver sees of the vault.
type running struct {
	t      *testing.T
	op     failover.Operation
	now    time.Time
	seen   failover.Observation
	policy failover.Policy
}

func approvedShop(t *testing.T) *running {
	t.Helper()
	s := ready()
	facts, refusal := failover.Decide(failover.Operation{}, askForShop(ana, failover.Point{Kind: failover.LatestProcessed}), s)
	if refusal != nil {
		t.Fatal(refusal)
	}
	r := &running{t: t, now: start, policy: s.Policy}
	r.fold(append(facts, failover.Decided{Gate: failover.ClassFailover, Step: failover.StepFailover, By: ben, Approve: true}, failover.GateOpened{Gate: failover.ClassFailover, Step: failover.StepFailover})...)
	r.look(func(string) string { return failover.StateProtected }, "UnplannedFailover")
	return r
}

func (r *running) fold(facts ...failover.Fact) {
	for _, f := range facts {
		r.op = failover.Evolve(r.op, failover.Record{Fact: f, At: r.now})
	}
}

// look reads the plan and the state of each VM.
func (r *running) look(state func(name string) string, allowed ...string) {
	plan := shop()
	plan.Allowed = allowed
	r.seen.Recovery, r.seen.LookedAt, r.seen.Members = plan, r.now, map[string]failover.Item{}
	for _, name := range []string{"sql", "app", "web"} {
		i := item(name, state(name), allowed...)
		r.seen.Members[i.Key] = i
	}
}

func (r *running) next() failover.Effect {
	r.t.Helper()
	r.seen.Policy, r.seen.PolicyAt = r.policy, r.now
	_, e := next(r.op, map[string]failover.Observation{"plan": r.seen}, r.now)
	return e
}

// call makes the call of the plan's step and ends its job.
func (r *running) call(kind failover.StepKind, end failover.Job, state func(name string) string, allowed ...string) {
	r.t.Helper()
	act, ok := r.next().(failover.Act)
	if !ok || act.Call.Kind != kind || !act.Call.Recovery || act.Call.Item.ID != shop().ID {
		r.t.Fatalf("%s: %#v", kind, r.next())
	}
	r.fold(act.Intent, failover.StepAccepted{Target: "plan", Kind: kind, JobID: "/jobs/1"})
	r.now = r.now.Add(5 * time.Minute)
	end.ID, end.StartedAt, end.EndedAt = "/jobs/1", r.now.Add(-4*time.Minute), r.now
	r.seen.Job, r.seen.JobAt = end, r.now
	r.look(state, allowed...)
	tell, ok := r.next().(failover.Tell)
	if !ok {
		r.t.Fatalf("%s: %#v", kind, r.next())
	}
	r.fold(tell.Facts...)
}

func (r *running) phases() string {
	all := []string{string(r.op.Phase)}
	for _, t := range r.op.Targets {
		all = append(all, t.Item.Name+" "+string(t.Phase))
	}
	return strings.Join(all, ", ")
}

func always(state string) func(string) string { return func(string) string { return state } }

// One VM fails with its own cause; the others go on, and the end names both. No success is said of what was not read.
func TestPlanStrandsNobody(t *testing.T) {
	r := approvedShop(t)
	failed := failover.Fault{Code: "28031", Message: "No quota.", Action: "Raise it.", About: "APP"}
	end := failover.Job{State: failover.JobSucceeded, Description: "PartiallySucceeded", Errors: []failover.Fault{failed}, PointsUsed: map[string]time.Time{"sql": start.Add(-time.Minute), "web": start.Add(-2 * time.Minute)}}
	r.call(failover.StepFailover, end, func(name string) string {
		if name == "app" {
			return failover.StateProtected
		}
		return failover.StateCommitPending
	}, "Commit")
	if got, want := r.phases(), "awaiting_commit, shop awaiting_commit, sql awaiting_commit, app failed, web awaiting_commit"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	if e := r.op.Targets[2].Error; e == nil || e.Code != "28031" {
		t.Errorf("app failed for %+v", e)
	}
	if rpo, ok := r.op.RPO(); !ok || rpo != 2*time.Minute {
		t.Errorf("RPO %s, %v", rpo, ok)
	}
	r.fold(failover.Decided{Gate: failover.ClassCommit, Step: failover.StepCommit, By: ben, Approve: true}, failover.GateOpened{Gate: failover.ClassCommit, Step: failover.StepCommit})
	r.call(failover.StepCommit, failover.Job{State: failover.JobSucceeded}, always(failover.StateCommitted))
	tell, ok := r.next().(failover.Tell)
	if !ok {
		t.Fatalf("%#v", r.next())
	}
	if end, ok := tell.Facts[0].(failover.Finished); !ok || end.Phase != failover.Failed || end.Note != "1 of 3 failed: app. Done: sql, web." {
		t.Errorf("%#v", tell.Facts[0])
	}
}

// A commit that was done to some VMs only, or to none, goes back to its gate, whole: nothing is ever finished meanwhile.
func TestPlanCommitsAgain(t *testing.T) {
	for name, state := range map[string]func(string) string{
		"none": always(failover.StateCommitPending),
		"some": func(name string) string {
			return map[string]string{"sql": failover.StateCommitted, "app": failover.StateCommitPending, "web": failover.StateCommitted}[name]
		},
	} {
		r := approvedShop(t)
		r.call(failover.StepFailover, failover.Job{State: failover.JobSucceeded}, always(failover.StateCommitPending), "Commit")
		press := []failover.Fact{failover.Decided{Gate: failover.ClassCommit, Step: failover.StepCommit, By: ben, Approve: true}, failover.GateOpened{Gate: failover.ClassCommit, Step: failover.StepCommit}}
		r.fold(press...)
		r.call(failover.StepCommit, failover.Job{State: failover.JobFailed}, state, "Commit")
		if r.op.Phase != failover.AwaitingCommit || r.op.Approved(failover.ClassCommit) {
			t.Fatalf("%s: %s", name, r.phases())
		}
		r.fold(press...)
		r.call(failover.StepCommit, failover.Job{State: failover.JobSucceeded}, always(failover.StateCommitted))
		tell, ok := r.next().(failover.Tell)
		if !ok {
			t.Fatalf("%s: %#v", name, r.next())
		}
		if end, ok := tell.Facts[0].(failover.Finished); !ok || end.Phase != failover.Succeeded {
			t.Errorf("%s: %#v", name, tell.Facts[0])
		}
	}
}

// What was approved is checked again just before the call.
func TestPlanThatChangedIsNotStarted(t *testing.T) {
	for name, change := range map[string]func(*running){
		"another VM": func(r *running) { r.seen.Recovery.Groups[0].Keys = append(r.seen.Recovery.Groups[0].Keys, "new") },
		"a job":      func(r *running) { r.seen.Recovery.JobID = "/jobs/9" },
		"turned": func(r *running) {
			key := failover.ItemKey("/vaults/v", "web")
			i := r.seen.Members[key]
			i.From, i.To = i.To, i.From
			r.seen.Members[key] = i
		},
		"a VM is gone": func(r *running) { delete(r.seen.Members, failover.ItemKey("/vaults/v", "web")) },
	} {
		r := approvedShop(t)
		change(r)
		tell, ok := r.next().(failover.Tell)
		if !ok {
			t.Fatalf("%s: %#v", name, r.next())
		}
		r.fold(tell.Facts...)
		if got, want := r.phases(), "running, shop failed, sql failed, app failed, web failed"; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if end, ok := r.next().(failover.Tell); !ok || end.Facts[0].(failover.Finished).Note != "Nothing was started." { //nolint:forcetypeassert // it panics, which fails the test too
			t.Errorf("%s: %#v", name, r.next())
		}
	}
}
