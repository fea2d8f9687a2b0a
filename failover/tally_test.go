package failover_test

import (
	"testing"
	"time"

	"ferry/failover"
)

// halted is a group of four in two waves of which the first VM has failed, so that Ferry holds the others.
func halted(t *testing.T) failover.Operation {
	t.Helper()
	op := asked(t, fleet(4, 2, 0))
	return failover.Fold(op, failover.Batch{At: start, Facts: []failover.Fact{
		failover.GateOpened{Gate: failover.ClassFailover, Step: failover.StepFailover},
		failover.StepStarted{Target: op.Targets[0].Item.Key, Kind: failover.StepFailover, Attempt: 1},
		failover.StepFailed{Target: op.Targets[0].Item.Key, Kind: failover.StepFailover, Fault: failover.Fault{Message: "no capacity"}},
		failover.PutOnHold{Why: "one has failed"},
	}})
}

// A button that steers is for the hold, or for the failures, that it was drawn for: one of an earlier hold does not end a later one.
func TestOldSteeringButtonDoesNothing(t *testing.T) {
	t.Parallel()
	op := halted(t)
	press := func(op failover.Operation, verb failover.Verb, seen string) ([]failover.Fact, *failover.Refusal) {
		cmd := failover.Command{MessageID: "press", Op: op.ID, Verb: verb, Seen: seen, By: ana, At: start, ValidUntil: start.Add(time.Hour)}
		return failover.Decide(op, cmd, failover.Situation{Now: start.Add(time.Minute), Policy: policy(1)})
	}
	for _, verb := range []failover.Verb{failover.VerbResume, failover.VerbRetry} {
		seen := op.SteerToken(verb)
		facts, refusal := press(op, verb, seen)
		if refusal != nil || !op.May(verb, start) {
			t.Fatalf("%s: %v", verb, refusal)
		}
		later := failover.Fold(op, failover.Batch{At: start.Add(30 * time.Second), Facts: append(facts, failover.PutOnHold{By: ben, Why: "the network is down"}, failover.Resumed{By: ben}, failover.PutOnHold{By: ben})})
		if _, refusal := press(later, verb, seen); refusal == nil || refusal.Kind != failover.TooLate {
			t.Errorf("%s: an old press was taken: %v", verb, refusal)
		}
	}
	if op.May(failover.VerbHold, start) || op.May(failover.VerbResume, start.Add(5*time.Hour)) || op.May(failover.VerbCommit, start) {
		t.Error("a button would be drawn that is refused")
	}
}

// What holds an operation back now is read off where its VMs stand.
func TestHeldBackNow(t *testing.T) {
	t.Parallel()
	begin := func(s failover.Situation, n int, more ...failover.Fact) failover.Operation {
		op := asked(t, s)
		facts := []failover.Fact{failover.GateOpened{Gate: failover.ClassFailover, Step: failover.StepFailover}}
		for _, target := range op.Targets[:n] {
			facts = append(facts, failover.StepStarted{Target: target.Item.Key, Kind: failover.StepFailover, Attempt: 1}, failover.StepAccepted{Target: target.Item.Key, Kind: failover.StepFailover, JobID: "j"})
		}
		return failover.Fold(op, failover.Batch{At: start, Facts: append(facts, more...)})
	}
	for name, row := range map[string]struct {
		op    failover.Operation
		limit failover.Limit
		room  int
	}{
		"all run":     {begin(fleet(4, 1, 0), 4), "", 0},
		"on hold":     {begin(fleet(4, 1, 2), 2, failover.PutOnHold{}), "", 0},
		"group":       {begin(fleet(4, 1, 2), 2), failover.LimitConcurrency, 2},
		"waves":       {begin(fleet(4, 2, 0), 2), failover.LimitWaves, 0},
		"vault":       {begin(fleet(4, 1, 0), 3), failover.LimitVault, 3},
		"asked":       {begin(fleet(4, 1, 0), 2, failover.StepDelayed{Target: fleet(4, 1, 0).Members[1].Item.Key, Kind: failover.StepFailover}), failover.LimitAsked, 1},
		"capacity":    {begin(fleet(4, 1, 0), 2, failover.StepDelayed{Target: fleet(4, 1, 0).Members[1].Item.Key, Kind: failover.StepFailover, Fault: failover.Fault{Capacity: "Standard_E8s_v5"}}), failover.LimitCapacity, 1},
		"not started": {asked(t, fleet(4, 1, 0)), "", 0},
	} {
		if e := row.op.HeldBack(); e.Limit != row.limit || e.Room != row.room {
			t.Errorf("%s: %s, %d", name, e.Limit, e.Room)
		}
	}
}
