package failover_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// Journals of before there were several gates of one class, as they stand in a stream: nothing names a step but the steps.
func TestOldJournals(t *testing.T) {
	key := failover.ItemKey("/vaults/v", "vm-x")
	by := func(s string) string { return `{"id":"U0` + strings.ToUpper(s) + `","name":"` + s + `"}` }
	rule := `{"match":{},"classes":["failover","commit"],"may":["operator"],"approvals":1,"approvers":["approver"],"self_approval":false,"expires":900000000000}`
	target := func(state, phase string) string {
		return `[{"item":{"id":"/i","key":"` + key + `","name":"vm-x","vault":"v","vault_id":"/vaults/v","resource_group":"rg","from":"west","to":"north","active":"west","state":"` + state + `"},"phase":"` + phase + `"}]`
	}
	plan := `{"point":{"kind":"latest"},"shutdown":true,"rule":` + rule + `,"commit_by":` + rule + `,"digest":"d"}`
	step := func(kind, rest string) string { return `{"target":"` + key + `","kind":"` + kind + `"` + rest + `}` }
	began := []string{
		"requested", `{"op":"op-aaaaaaaa","verb":"failover","by":` + by("ana") + `,"plan":` + plan + `,"targets":` + target(failover.StateProtected, "awaiting_approval") + `,"expires_at":"2026-11-23T03:15:00Z"}`, "awaiting_approval",
		"decided", `{"gate":"failover","by":` + by("ben") + `,"approve":true}`, "awaiting_approval",
		"gate_opened", `{"gate":"failover"}`, "running",
		"claimed", `{"executor":"one","drive":3}`, "running",
		"step_started", step("failover", `,"attempt":1,"client_request_id":"c"`), "running",
		"step_accepted", step("failover", `,"job_id":"/jobs/1"`), "running",
		"step_done", step("failover", `,"point_used":"2026-11-23T02:59:00Z","ended_at":"2026-11-23T03:07:00Z"`), "awaiting_commit",
		"parked", `{}`, "awaiting_commit",
		"commit_asked", `{"by":` + by("ana") + `}`, "awaiting_commit",
		"decided", `{"gate":"commit","by":` + by("ben") + `,"approve":true}`, "awaiting_commit",
		"gate_opened", `{"gate":"commit"}`, "running",
		"claimed", `{"executor":"one","drive":9}`, "running",
	}
	commit := []string{
		"step_started", step("commit", `,"attempt":1,"client_request_id":"c"`), "running",
		"step_accepted", step("commit", `,"job_id":"/jobs/2"`), "running",
	}
	journals := map[string][]string{
		"committed": slices.Concat(began, commit, []string{"step_done", step("commit", ""), "running", "finished", `{"phase":"succeeded"}`, "succeeded"}),
		"commit failed, and pressed again": slices.Concat(began, commit, []string{
			"step_failed", step("commit", `,"fault":{"message":"no"}`), "awaiting_commit",
			"decided", `{"gate":"commit","by":` + by("ben") + `,"approve":true}`, "awaiting_commit",
			"gate_opened", `{"gate":"commit"}`, "running",
		}),
		"committed in the portal before the call": slices.Concat(began, []string{"step_done", step("commit", `,"outside":true`), "running", "finished", `{"phase":"succeeded","note":"Committed outside Ferry."}`, "succeeded"}),
		"foreign commit": {
			"requested", `{"op":"op-aaaaaaaa","verb":"commit","by":` + by("ana") + `,"plan":` + plan + `,"targets":` + target(failover.StateCommitPending, "awaiting_commit") + `}`, "awaiting_commit",
			"decided", `{"gate":"commit","by":` + by("ben") + `,"approve":true}`, "awaiting_commit",
			"gate_opened", `{"gate":"commit"}`, "running",
		},
	}
	for name, journal := range journals {
		t.Run(name, func(t *testing.T) {
			op := failover.Operation{ID: "op-aaaaaaaa"}
			for i := 0; i < len(journal); i += 3 {
				fact := old(t, journal[i], journal[i+1])
				op = failover.Evolve(op, failover.Record{Fact: fact, At: start.Add(time.Duration(i) * time.Minute), Seq: uint64(i) + 1})
				if string(op.Phase) != journal[i+2] {
					t.Fatalf("%d %s: %s, want %s", i/3, journal[i], op.Phase, journal[i+2])
				}
				if name != "foreign commit" && op.Phase == failover.AwaitingCommit && op.Gate() != failover.ClassCommit {
					t.Errorf("%d %s: the gate is %q", i/3, journal[i], op.Gate())
				}
			}
			if rto, ok := op.RTO(); name == "committed" && (!ok || rto != time.Minute) {
				t.Errorf("RTO %s %v", rto, ok)
			}
			if op.Phase == failover.Running { // and it can be driven on
				i := item("vm-x", failover.StateCommitPending, "Commit")
				_, e := next(op, map[string]failover.Observation{key: {Item: i, LookedAt: start, Policy: policy(1), PolicyAt: start}}, start)
				if act, ok := e.(failover.Act); !ok || act.Call.Kind != failover.StepCommit {
					t.Errorf("next is %#v", e)
				}
			}
		})
	}
}

func old(t *testing.T, typ, data string) failover.Fact {
	t.Helper()
	read := map[string]func(string) (failover.Fact, error){
		"requested": fact[failover.Requested], "decided": fact[failover.Decided], "gate_opened": fact[failover.GateOpened],
		"commit_asked": fact[failover.CommitAsked], "claimed": fact[failover.Claimed], "parked": fact[failover.Parked],
		"step_started": fact[failover.StepStarted], "step_accepted": fact[failover.StepAccepted], "step_done": fact[failover.StepDone],
		"step_failed": fact[failover.StepFailed], "finished": fact[failover.Finished],
	}[typ]
	f, err := read(data)
	if err != nil {
		t.Fatalf("%s: %v", typ, err)
	}
	return f
}

func fact[F failover.Fact](data string) (failover.Fact, error) {
	var f F
	err := json.Unmarshal([]byte(data), &f)
	return f, err
}
