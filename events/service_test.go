package events_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ferry/events"
	"ferry/failover"
)

func at(clock string) time.Time {
	t, err := time.Parse(time.TimeOnly, clock)
	if err != nil {
		panic(err)
	}
	return time.Date(2026, 11, 23, t.Hour(), t.Minute(), t.Second(), 0, time.FixedZone("CET", 3600))
}

func indented(t *testing.T, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Scripts rely on these keys: they are only ever added to. Times are UTC.
func TestStatusIsTheContract(t *testing.T) {
	t.Parallel()
	ana, ben := failover.Actor{ID: "U0ANA"}, failover.Actor{ID: "U0BEN"}
	whole := failover.Operation{
		ID: "op-7f3kq2mz", Verb: failover.VerbFailover, Phase: failover.Succeeded, RequestedBy: ana, RequestedAt: at("03:14:00"), Reason: "fire",
		Decisions: []failover.Decision{
			{Gate: failover.ClassFailover, By: ben, At: at("03:15:00"), Approve: true},
			{Gate: failover.ClassCommit, By: ben, At: at("03:30:00")},
		},
		Targets: []failover.Target{{
			Item: failover.Item{Name: "vm-x", ID: "/Subscriptions/1/x", Vault: "vault-dr"}, Phase: failover.Succeeded, Progress: "done", PointUsed: at("03:14:20"),
			Steps: []failover.Step{
				{Kind: failover.StepFailover, State: failover.StateDone, JobID: "job-1", StartedAt: at("03:15:02"), EndedAt: at("03:17:22")},
				{Kind: failover.StepCommit, State: failover.StateDone, JobID: "job-2"},
			},
			Error: &failover.Fault{Message: "Slow.", Action: "Wait."},
		}},
		StartedAt: at("03:15:01"), FinishedAt: at("03:40:00"), Note: "Committed.", Hint: "Protect it again.",
	}
	const want = `{
 "v": 1,
 "id": "op-7f3kq2mz",
 "verb": "failover",
 "phase": "succeeded",
 "requested_by": "U0ANA",
 "requested_at": "2026-11-23T02:14:00Z",
 "reason": "fire",
 "approvals": [
  {
   "gate": "failover",
   "by": "U0BEN",
   "at": "2026-11-23T02:15:00Z",
   "decision": "approve"
  },
  {
   "gate": "commit",
   "by": "U0BEN",
   "at": "2026-11-23T02:30:00Z",
   "decision": "deny"
  }
 ],
 "targets": [
  {
   "name": "vm-x",
   "item_id": "/Subscriptions/1/x",
   "vault": "vault-dr",
   "phase": "succeeded",
   "job_id": "job-2",
   "recovery_point_time": "2026-11-23T02:14:20Z",
   "progress": "done",
   "error": "Slow. Wait."
  }
 ],
 "started_at": "2026-11-23T02:15:01Z",
 "finished_at": "2026-11-23T02:40:00Z",
 "rto_seconds": 141,
 "rpo_seconds": 42,
 "note": "Committed.",
 "hint": "Protect it again."
}`
	if diff := cmp.Diff(want, indented(t, events.StatusOf(whole))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStatusOfAFreshRequest(t *testing.T) {
	t.Parallel()
	fresh := failover.Operation{ID: "op-7f3kq2mz", Verb: failover.VerbFailover, Phase: failover.AwaitingApproval, RequestedAt: at("03:14:00"), Targets: []failover.Target{{Item: failover.Item{Name: "vm-x"}}}}
	const want = `{
 "v": 1,
 "id": "op-7f3kq2mz",
 "verb": "failover",
 "phase": "awaiting_approval",
 "requested_by": "",
 "requested_at": "2026-11-23T02:14:00Z",
 "reason": "",
 "approvals": [],
 "targets": [
  {
   "name": "vm-x",
   "item_id": "",
   "vault": "",
   "phase": "",
   "job_id": "",
   "recovery_point_time": null,
   "progress": "",
   "error": null
  }
 ],
 "started_at": null,
 "finished_at": null,
 "rto_seconds": null,
 "rpo_seconds": null
}`
	if diff := cmp.Diff(want, indented(t, events.StatusOf(fresh))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is said of several VMs stands behind what is said of one.
func TestStatusOfAGroup(t *testing.T) {
	t.Parallel()
	op := failover.Operation{
		ID: "op-7f3kq2mz", OnHold: &failover.OnHold{Why: "1 VM of wave data failed: sql-01", At: at("03:14:00")},
		Plan:    failover.Plan{Fleet: &failover.Fleet{Name: "checkout", Waves: []failover.Wave{{Name: "data"}, {}}}, LeftOut: "sql-02 is not replicated."},
		Targets: []failover.Target{{Item: failover.Item{Name: "sql-01"}, Wave: 1}, {Item: failover.Item{Name: "app-01"}, Wave: 2, Skipped: &failover.Actor{ID: "U0ANA"}}},
	}
	got := indented(t, events.StatusOf(op))
	for _, want := range []string{
		`"group": "checkout"`, "\"waves\": [\n  \"data\",\n  \"\"\n ]", `"left_out": "sql-02 is not replicated."`, `"wave": 2,`, `"skipped_by": "U0ANA"`,
		"\"on_hold\": {\n  \"by\": \"\",\n  \"why\": \"1 VM of wave data failed: sql-01\",\n  \"at\": \"2026-11-23T02:14:00Z\"\n }",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}

func TestItemLineIsTheContract(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		line events.ListItem
		want string
	}{
		"held": {
			events.ItemLine(failover.Item{Name: "vm-x", Vault: "v", State: "Protected", Active: "westeurope", Health: "Normal", Key: "k", RPO: 42 * time.Second}, failover.Inventory{Holders: map[string]failover.OpID{"k": "op-7f3kq2mz"}, Open: map[failover.OpID]failover.Holding{"op-7f3kq2mz": {Verb: failover.VerbTest, By: failover.Actor{ID: "U1"}, Since: time.Unix(0, 0)}}}),
			`{"name":"vm-x","vault":"v","state":"Protected","active_region":"westeurope","rpo_seconds":42,"health":"Normal","operation":"op-7f3kq2mz","held_by":{"verb":"test","by":"U1","since":"1970-01-01T00:00:00Z","reason":""}}`,
		},
		"free, and Azure reports no RPO": {
			events.ItemLine(failover.Item{Name: "vm-x", RPO: -1}, failover.Inventory{}),
			`{"name":"vm-x","vault":"","state":"","active_region":"","rpo_seconds":null,"health":"","operation":null}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(test.line)
			if err != nil || string(got) != test.want {
				t.Errorf("got %s, %v\nwant %s", got, err, test.want)
			}
		})
	}
}
