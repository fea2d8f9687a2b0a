package failover_test

import (
	"testing"
	"time"

	"ferry/failover"
)

func (f *groupRun) types(verb failover.Verb, by failover.Actor, target string) {
	f.t.Helper()
	cmd := failover.Command{MessageID: string(verb) + f.now.String(), Op: f.op.ID, Verb: verb, Target: target, By: by, At: f.now, ValidUntil: f.now.Add(time.Minute)}
	facts, refusal := failover.Decide(f.op, cmd, failover.Situation{Now: f.now, Policy: policy(1)})
	if refusal != nil {
		f.t.Fatalf("%s: %s", verb, refusal.Message)
	}
	f.tell(facts...)
}

// Whoever lets a parked operation go on finds it parked: only then are the executors told that there is work.
func TestParkedUntilThereIsWork(t *testing.T) {
	t.Parallel()
	f := approvedGroup(t, threeWaves(), "sql-1", "app-1")
	f.begins(nil)
	f.tell(failover.PutOnHold{By: ana})
	f.fails("sql-1")
	f.tell(failover.Parked{})
	f.types(failover.VerbRetry, ana, "sql-1")
	if failover.HasWork(f.op) || !f.op.Parked {
		t.Errorf("on hold it has work: %v; parked: %v", failover.HasWork(f.op), f.op.Parked)
	}
	f.types(failover.VerbResume, ana, "")
	f.wants(f.begins(nil), "sql-1")
}

// A commit that was pressed is that of the VMs that waited for it. One that comes later is pressed anew, and can be.
func TestCommitOfWhoComesLater(t *testing.T) {
	t.Parallel()
	f := approvedGroup(t, goingOn(), "sql-1", "sql-2")
	f.begins(nil)
	f.tell(failover.Stuck{Target: f.key("sql-1"), Why: "?", Hint: "!"})
	f.ends("sql-2")
	f.now = f.now.Add(time.Second)
	f.types(failover.VerbCommit, ben, "")
	f.tell(failover.StepDone{Target: f.key("sql-2"), Kind: failover.StepCommit, EndedAt: f.now})
	f.wants(string(f.op.Phase), "needs_attention")
	f.types(failover.VerbRetry, ana, "sql-1")
	f.ends("sql-1")
	f.wants(string(f.op.Phase), "awaiting_commit")
	f.now = f.now.Add(time.Second)
	f.types(failover.VerbCommit, ben, "")
	f.wants(string(f.op.Phase), "running")
}

// The word of one of two on a commit does not count for a VM that came after it.
func TestHalfAQuorumIsOfWhoWaited(t *testing.T) {
	t.Parallel()
	f := approvedGroup(t, goingOn(), "sql-1", "sql-2")
	f.begins(nil)
	f.fails("sql-1")
	f.ends("sql-2")
	f.tell(failover.Decided{Gate: failover.ClassCommit, Step: failover.StepCommit, By: ben, Approve: true})
	f.types(failover.VerbRetry, ana, "sql-1")
	f.ends("sql-1")
	if by := f.op.Approvers(failover.ClassCommit); len(by) != 0 {
		t.Errorf("%v approved the commit of a VM that had failed then", by)
	}
}

// A call without an answer is not made a second time while the operation is on hold.
func TestNoSecondCallOnHold(t *testing.T) {
	t.Parallel()
	for _, held := range []bool{false, true} {
		f := approvedGroup(t, threeWaves(), "sql-1", "sql-2")
		key := f.key("sql-1")
		f.tell(failover.StepStarted{Target: key, Kind: failover.StepFailover, Attempt: 1, ClientRequestID: "c"}, failover.StepUnknown{Target: key, Kind: failover.StepFailover, Why: "?"})
		if held {
			f.types(failover.VerbHold, ana, "")
		}
		began := f.now
		f.now = f.now.Add(failover.ActAgainAfter + time.Second)
		look := failover.Observation{Item: f.op.Targets[0].Item, LookedAt: f.now, Points: points(), PointsAt: f.now, Policy: policy(1), PolicyAt: f.now, SearchedAt: f.now, WatchedFrom: began}
		for _, due := range failover.Agenda(f.op, map[string]failover.Observation{key: look}, nil, f.now) {
			if _, calls := due.Effect.(failover.Act); due.Target == key && calls == held {
				t.Errorf("on hold: %v, due: %#v", held, due.Effect)
			}
		}
	}
}

// The end of a wave is news to those who wait for it, also when a person has to look at its last VM, or leaves it out: what was
// decided holds as long for them as after any other end.
func TestTheNextWaveAfterAnEndWithoutSuccess(t *testing.T) {
	t.Parallel()
	for _, left := range []bool{false, true} {
		f := approvedGroup(t, goingOn(), "sql-1", "app-1")
		f.wants(f.begins(nil), "sql-1")
		f.now = f.now.Add(time.Hour)
		if left {
			f.tell(failover.Skipped{Targets: []string{f.key("sql-1")}, By: ana})
		} else {
			f.tell(failover.Stuck{Target: f.key("sql-1"), Why: "?", Hint: "!"})
		}
		f.wants(f.begins(nil), "app-1")
		if f.op.OnHold != nil {
			t.Errorf("on hold: %s", f.op.OnHold.Why)
		}
	}
}

// refuses returns why a person's word is refused.
func (f *groupRun) refuses(verb failover.Verb, by failover.Actor, target string) string {
	f.t.Helper()
	cmd := failover.Command{MessageID: "no-" + string(verb), Op: f.op.ID, Verb: verb, Target: target, By: by, At: f.now, ValidUntil: f.now.Add(time.Minute)}
	_, refusal := failover.Decide(f.op, cmd, failover.Situation{Now: f.now, Policy: policy(1)})
	if refusal == nil {
		f.t.Errorf("%s is not refused", verb)
		return ""
	}
	return refusal.Message
}

// On hold nothing begins, also while others run and there is room.
func TestNothingBeginsOnHold(t *testing.T) {
	t.Parallel()
	f := approvedGroup(t, threeWaves(), "sql-1", "sql-2")
	f.wants(f.begins(func(_ string, underWay int) int { return 1 - underWay }), "sql-1")
	f.types(failover.VerbHold, ana, "")
	f.wants(f.begins(nil), "")
	f.types(failover.VerbResume, ana, "")
	f.wants(f.begins(nil), "sql-2")
}

// Who may not cancel steers nothing, and nobody leaves out what Azure may have begun.
func TestSteeringIsRefused(t *testing.T) {
	t.Parallel()
	f := approvedGroup(t, threeWaves(), "sql-1", "sql-2", "app-1")
	f.tell(failover.StepStarted{Target: f.key("sql-1"), Kind: failover.StepFailover, Attempt: 1}, failover.StepUnknown{Target: f.key("sql-1"), Kind: failover.StepFailover, Why: "?"})
	f.fails("sql-2")
	says(t, f.refuses(failover.VerbSkip, ana, "sql-1"), "is under way")
	eve := failover.Actor{ID: "U0EVE", Name: "eve"}
	for verb, vm := range map[failover.Verb]string{failover.VerbHold: "", failover.VerbSkip: "app-1", failover.VerbRetry: "sql-2"} {
		says(t, f.refuses(verb, eve, vm), "You may not "+string(verb))
	}
	f.tell(failover.PutOnHold{By: ana})
	says(t, f.refuses(failover.VerbResume, eve, ""), "You may not resume")
	f.now = f.now.Add(failover.HeldFor - time.Minute)
	f.tell(failover.Resumed{By: ana}, failover.PutOnHold{By: ana})
	f.now = f.now.Add(time.Minute + time.Second)
	says(t, f.refuses(failover.VerbResume, ana, ""), "older than 4 hours")
	says(t, f.refuses(failover.VerbRetry, ana, "sql-2"), "older than 4 hours")
}

// What fails again after another try stops the waves behind it again.
func TestAnotherTryThatFails(t *testing.T) {
	t.Parallel()
	f := approvedGroup(t, threeWaves(), "sql-1", "app-1")
	for range 2 {
		f.wants(f.begins(nil), "sql-1")
		f.fails("sql-1")
		f.wants(f.begins(nil), "")
		if f.op.OnHold == nil {
			t.Fatal("it goes on behind a failure")
		}
		f.types(failover.VerbRetry, ana, "sql-1")
		f.now = f.now.Add(time.Second)
	}
}

// What is told of a VM after a snapshot does not change the snapshot.
func TestSnapshotsShareNothing(t *testing.T) {
	t.Parallel()
	f := approvedGroup(t, threeWaves(), "sql-1", "sql-2")
	key := f.key("sql-1")
	asked := func(op failover.Operation, detail string) failover.Operation {
		return failover.Evolve(op, failover.Record{At: f.now, Fact: failover.Checked{Target: key, Result: failover.CheckResult{Detail: detail}}})
	}
	for range 3 { // so that there is room for more in the same memory
		f.op = failover.EvolveInPlace(f.op, failover.Record{At: f.now, Fact: failover.Checked{Target: key}})
	}
	one := asked(f.op, "one")
	asked(f.op, "other")
	if got := one.Targets[0].Checked[3].Detail; got != "one" {
		t.Errorf("the snapshot says %q", got)
	}
}

// Where another try would end at the same place, it is not what a person is told to type: two calls were made, and one of them may
// still arrive.
func TestNobodyIsSentInACircle(t *testing.T) {
	t.Parallel()
	f := approvedGroup(t, threeWaves(), "sql-1", "sql-2")
	key := f.key("sql-1")
	for n := range 2 {
		f.tell(failover.StepStarted{Target: key, Kind: failover.StepFailover, Attempt: n + 1, ClientRequestID: "c"}, failover.StepUnknown{Target: key, Kind: failover.StepFailover, Why: "?"})
	}
	began := f.now
	f.now = f.now.Add(failover.ActAgainAfter + time.Second)
	lost := failover.Observation{Item: f.op.Targets[0].Item, LookedAt: f.now, SearchedAt: f.now, WatchedFrom: began}
	says(t, f.stuck(lost), "leave it out with /failover skip", "once op-aaaaaaaa is over")
	f.tell(failover.StepAccepted{Target: key, Kind: failover.StepFailover, JobID: "job"})
	says(t, f.stuck(failover.Observation{JobAt: f.now, Job: failover.Job{ID: "job", State: failover.JobFailed, EndedAt: f.now}}), "when nothing runs, leave it out with /failover skip")
}

// stuck is the hint that follows from what was seen of the first VM.
func (f *groupRun) stuck(seen failover.Observation) string {
	f.t.Helper()
	key := f.op.Targets[0].Item.Key
	for _, due := range failover.Agenda(f.op, map[string]failover.Observation{key: seen}, nil, f.now) {
		if tell, ok := due.Effect.(failover.Tell); ok && due.Target == key {
			if stuck, ok := tell.Facts[0].(failover.Stuck); ok {
				return stuck.Hint
			}
		}
	}
	f.t.Error("nobody has to look")
	return ""
}
