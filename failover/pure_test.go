package failover_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ferry/failover"
)

// Every protection state that was ever recorded, a made-up one, and every test state have an answer for every step.
func TestEveryStateHasAnAnswer(t *testing.T) {
	states := []string{
		failover.StateProtected, failover.StateCommitPending, failover.StateCommitted, "UnprotectedStatesBegin",
		failover.StateReplicates, failover.StateFirstPoint, "NeverSeenBefore", "",
	}
	for _, step := range append(steps(), failover.StepReprotectAgain) {
		for _, state := range states {
			for _, test := range []string{"None", "", "WaitingForCompletion", "WaitingForCleanup", "MarkedForDeletion", "NeverSeenBefore"} {
				for _, job := range []string{"", "/jobs/1"} {
					i := failover.Item{Name: "vm-x", State: state, TestState: test, JobID: job, Scenario: "Failover", Allowed: []string{"UnplannedFailover", "Commit", "ChangePit", "TestFailover", "TestFailoverCleanup", "SwitchProtection"}}
					row, refusal := failover.RowFor(step, i), failover.Legal(step, i)
					if row.Allowed != (refusal == nil) || row.Allowed && (job != "" || row.Next == "") {
						t.Errorf("%s in %q, test %q, job %q: %+v, %v", step, state, test, job, row, refusal)
					}
					if refusal != nil && (refusal.Hint == "" || strings.ContainsAny(refusal.Error(), "{}")) {
						t.Errorf("%s in %q: %v", step, state, refusal)
					}
				}
			}
		}
	}
}

func TestParsePoint(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 0, 30, 0, time.UTC)
	rows := map[string]string{
		"latest": "latest", "LATEST": "latest", "latest-processed": "latest-processed", "latest-app": "latest-app",
		"13:05": "2026-11-23T13:05Z", "14:05": "2026-11-22T14:05Z", "2026-11-23T12:00Z": "2026-11-23T12:00Z",
		"2026-11-23T12:00+02:00": "2026-11-23T10:00Z", "-20m": "2026-11-23T13:40Z",
		"11111111-1111-1111-1111-111111111111": "11111111-1111-1111-1111-111111111111",
		"vm-x":                                 "", "": "", "25:00": "", "-": "", "--20m": "", "-0m": "", "latets": "", "op-aaaaaaaa": "",
	}
	for word, want := range rows {
		p, ok := failover.ParsePoint(word, now)
		if ok != (want != "") || ok && p.String() != want {
			t.Errorf("%q: %v %v, want %q", word, p, ok, want)
		}
	}
}

func TestChoose(t *testing.T) {
	rows := []struct {
		sel  failover.Point
		want string // first digit of the id; "" is refused
	}{
		{failover.Point{}, "3"},
		{failover.Point{Kind: failover.LatestProcessed}, "3"},
		{failover.Point{Kind: failover.LatestApp}, "2"},
		{failover.Point{Kind: failover.AtTime, Time: start.Add(-5 * time.Minute)}, "1"},
		{failover.Point{Kind: failover.AtTime, Time: start.Add(-10 * time.Minute)}, "1"},
		{failover.Point{Kind: failover.AtTime, Time: start.Add(-3 * time.Hour)}, ""},
		{failover.Point{Kind: failover.ByID, ID: "/OTHER/container/22222222-2222-2222-2222-222222222222"}, "2"},
		{failover.Point{Kind: failover.ByID, ID: "99999999-9999-9999-9999-999999999999"}, ""},
	}
	for _, r := range rows {
		got, refusal := failover.Choose(points(), r.sel)
		if (refusal != nil) != (r.want == "") || refusal == nil && got.ID[3:4] != r.want {
			t.Errorf("%v: %v, %v", r.sel, got, refusal)
		}
	}
}

func TestExplicitPointIsPinned(t *testing.T) {
	b := newTable(t, 1)
	cmd := b.command(failover.VerbFailover, ana)
	cmd.Point = failover.Point{Kind: failover.AtTime, Time: start.Add(-5 * time.Minute)}
	if refusal := b.try(cmd); refusal != nil {
		t.Fatal(refusal)
	}
	b.must(failover.VerbApprove, ben)
	b.points = append(b.points, failover.RecoveryPoint{ID: "/p/44444444-4444-4444-4444-444444444444", Time: start.Add(-6 * time.Minute)})
	if call := b.act(b.looked()); call.PointID != "/p/11111111-1111-1111-1111-111111111111" {
		t.Fatalf("the point that the approver saw, not a newer one that fits: %+v", call)
	}
}

func TestResolve(t *testing.T) {
	items := []failover.Item{item("vm-x", ""), item("vm-y", ""), item("sql-01", ""), {Name: "twin", Vault: "a", Key: "1"}, {Name: "twin", Vault: "b", Key: "2"}}
	for typed, want := range map[string]string{"vm-x": "vm-x", "VM-X": "vm-x", "v/vm-x": "vm-x", "B/twin": "twin"} {
		if i, refusal := failover.Resolve(items, typed); refusal != nil || i.Name != want {
			t.Errorf("%q: %v %v", typed, i, refusal)
		}
	}
	for typed, says := range map[string]string{"vm-z": "vm-x (vault v, resource group rg), vm-y", "twin": "a/twin", "nothing-like-it": "/failover list", "w/vm-x": "vm-x", "vm": "vm-x", "vm-\u0445": `letters outside ASCII: "vm-\u0445". Near names: vm-x`} {
		if _, refusal := failover.Resolve(items, typed); refusal == nil || !strings.Contains(refusal.Hint, says) {
			t.Errorf("%q: %v, want %q in the hint", typed, refusal, says)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, r := range []struct {
		a, b string
		d    int
	}{{"", "", 0}, {"a", "", 1}, {"commit", "comit", 1}, {"commit", "ocmmit", 1}, {"commit", "commot", 1}, {"sitting", "kitten", 3}} {
		if failover.Distance(r.a, r.b) != r.d || failover.Distance(r.b, r.a) != r.d {
			t.Errorf("%q %q: %d, want %d", r.a, r.b, failover.Distance(r.a, r.b), r.d)
		}
	}
}

func TestIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		message := failover.MessageID(rapid.String().Draw(t, "trigger"))
		if op := failover.OpIDOf(message, rapid.IntRange(0, 3).Draw(t, "salt")); !failover.IsOpID(string(op)) {
			t.Fatalf("%q is no operation id", op)
		}
	})
	if failover.OpIDOf("a", 0) == failover.OpIDOf("a", 1) {
		t.Error("a salt makes another id")
	}
	if failover.ItemKey("/Vaults/V", "Item") != failover.ItemKey("/vaults/v", "iTEM") {
		t.Error("two spellings of one item are one key")
	}
}

// Whatever people, Azure and crashes do, in whatever order: a final phase stays, a call is made only behind an open gate,
// every unfinished phase waits for a driver, a person or the clock, and the fold never panics.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newTable(t, rapid.IntRange(0, 2).Draw(rt, "approvals"))
		verbs := []failover.Verb{failover.VerbFailover, failover.VerbCommit, failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire}
		people := []failover.Actor{ana, ben, cleo, eve}
		calls := 0
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			before := b.op
			b.now = b.now.Add(time.Duration(rapid.IntRange(0, 300).Draw(rt, "seconds")) * time.Second)
			if rapid.Bool().Draw(rt, "person") && b.op.Phase != failover.Running || !b.op.Exists() {
				cmd := b.command(rapid.SampledFrom(verbs).Draw(rt, "verb"), rapid.SampledFrom(people).Draw(rt, "who"))
				if b.op.Exists() && cmd.Verb == failover.VerbFailover {
					b.holder = b.op
					continue // the executor decides it as another operation
				}
				_ = b.try(cmd) // refused or not, the invariants below hold
			} else {
				b.item.State = rapid.SampledFrom([]string{failover.StateProtected, failover.StateCommitPending, failover.StateCommitted, "Odd"}).Draw(rt, "state")
				b.item.Allowed = []string{"UnplannedFailover", "Commit"}
				seen := b.searched()
				seen.Job, seen.JobAt = failover.Job{ID: "/jobs/1", State: rapid.SampledFrom([]failover.JobState{failover.JobInProgress, failover.JobSucceeded, failover.JobFailed, failover.JobSuspended}).Draw(rt, "job")}, b.now
				switch e := b.next(seen).(type) {
				case failover.Act:
					calls++
					gate := failover.ClassFailover
					if e.Call.Kind == failover.StepCommit {
						gate = failover.ClassCommit
					}
					if !b.op.Approved(gate) {
						rt.Fatalf("a %s without its approvals", e.Call.Kind)
					}
					b.fold(e.Intent, "")
					b.fold(failover.StepAccepted{Target: b.item.Key, Kind: e.Call.Kind, JobID: "/jobs/1"}, "")
				case failover.Tell:
					for _, f := range e.Facts {
						b.fold(f, "")
					}
				case failover.Look, failover.Search, failover.ReadJob, failover.Wait, failover.Park, failover.Probe, failover.Survey:
				}
			}
			if before.Phase.Final() && b.op.Phase != before.Phase {
				rt.Fatalf("%s became %s", before.Phase, b.op.Phase)
			}
			if b.op.Phase.Final() && (b.op.FinishedAt.IsZero() || failover.HasWork(b.op)) {
				rt.Fatalf("over, but not quite: %+v", b.op)
			}
			if b.op.Phase == failover.AwaitingApproval && failover.WakeAt(b.op).IsZero() {
				rt.Fatal("a request without an end")
			}
		}
	})
}
