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
	g := threeWaves()
	g.OnFailure = failover.GoOn
	f := approvedGroup(t, g, "sql-1", "sql-2")
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
	g := threeWaves()
	g.OnFailure = failover.GoOn
	f := approvedGroup(t, g, "sql-1", "sql-2")
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
		g := threeWaves()
		g.OnFailure = failover.GoOn
		f := approvedGroup(t, g, "sql-1", "app-1")
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
