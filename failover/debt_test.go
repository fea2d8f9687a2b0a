package failover

import (
	"slices"
	"testing"
	"time"
)

func at(minute int) time.Time { return time.Date(2026, 11, 23, 12, minute, 0, 0, time.UTC) }

// left is an operation whose step on an item ended at a minute; -1 is not yet.
func left(id OpID, key string, kind StepKind, state StepState, ended int) Operation {
	s := Step{Kind: kind, State: state, StartedAt: at(0), JobID: "/jobs/" + string(id)}
	if ended >= 0 {
		s.StartedAt, s.EndedAt = at(ended-1), at(ended)
	}
	return Operation{
		ID: id, Phase: Succeeded, RequestedBy: Actor{ID: "U0" + string(id)},
		Targets: []Target{{Item: Item{Key: key, Name: "vm-" + key, Vault: "v"}, Steps: []Step{s}}},
	}
}

func TestDebts(t *testing.T) {
	open := left("op-open", "a", "", StateDone, 1)
	open.Phase, open.Targets[0].Steps = AwaitingCommit, nil
	rows := map[string]struct {
		item Item
		ops  []Operation
		want []Debt
	}{
		"protected":   {item: Item{State: StateProtected, TestState: "None", LastFailover: at(1)}, ops: []Operation{left("op-1", "a", StepFailover, StateDone, 1)}},
		"uncommitted": {Item{State: StateCommitPending}, []Operation{left("op-1", "a", StepFailover, StateDone, 3)}, []Debt{{Kind: Uncommitted, Since: at(3), Owner: Actor{ID: "U0op-1"}, Op: "op-1"}}},
		"committed by Ferry, and told a little later": {
			Item{State: StateCommitted, LastFailover: at(5)},
			[]Operation{left("op-1", "a", StepFailover, StateDone, 3)},
			[]Debt{{Kind: Unprotected, Since: at(3), Owner: Actor{ID: "U0op-1"}, Op: "op-1"}},
		},
		"the newest counts": {
			Item{State: StateCommitted},
			[]Operation{left("op-2", "a", StepFailover, StateDone, 9), left("op-1", "a", StepFailover, StateDone, 3)},
			[]Debt{{Kind: Unprotected, Since: at(9), Owner: Actor{ID: "U0op-2"}, Op: "op-2"}},
		},
		"failed over again in the portal": {
			Item{State: StateCommitPending, LastFailover: at(50)},
			[]Operation{left("op-1", "a", StepFailover, StateDone, 3)},
			[]Debt{{Kind: Uncommitted, Since: at(50)}},
		},
		"one that failed did not do it": {Item{State: StateCommitPending, LastFailover: at(3)}, []Operation{left("op-1", "a", StepFailover, StateFailed, 3)}, []Debt{{Kind: Uncommitted, Since: at(3)}}},
		"another's":                     {Item{State: StateCommitPending, LastFailover: at(3)}, []Operation{left("op-1", "b", StepFailover, StateDone, 3)}, []Debt{{Kind: Uncommitted, Since: at(3)}}},
		"nothing is known":              {Item{State: StateCommitted}, nil, []Debt{{Kind: Unprotected}}},
		"outside, and waiting in Ferry": {Item{State: StateCommitPending, LastFailover: at(3)}, []Operation{open}, []Debt{{Kind: Uncommitted, Since: at(3), Op: "op-open"}}},
		"a drill":                       {Item{State: StateProtected, TestState: "WaitingForCompletion", LastTest: at(4)}, []Operation{left("op-1", "a", StepTest, StateDone, 3)}, []Debt{{Kind: DrillOpen, Since: at(3), Owner: Actor{ID: "U0op-1"}, Op: "op-1"}}},
		"a drill of the portal":         {Item{State: StateProtected, TestState: "WaitingForCompletion", LastTest: at(40)}, []Operation{left("op-1", "a", StepTest, StateDone, 3)}, []Debt{{Kind: DrillOpen, Since: at(40)}}},
		"a drill that begins":           {Item{State: StateProtected, TestState: "Running", Scenario: "TestFailover"}, []Operation{left("op-1", "a", StepTest, StateAccepted, -1)}, []Debt{{Kind: DrillOpen, Since: at(0), Owner: Actor{ID: "U0op-1"}, Op: "op-1", Job: "TestFailover"}}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			row.item.Key, row.item.Name, row.item.Vault = "a", "vm-a", "v"
			got := Debts(Inventory{Items: []Item{row.item}, At: at(59)}, row.ops)
			if len(got.Debts) != len(row.want) || !got.At.Equal(at(59)) {
				t.Fatalf("got %+v, want %+v", got, row.want)
			}
			for i, want := range row.want {
				want.Name, want.Vault, want.Typed = "vm-a", "v", "vm-a"
				if got.Debts[i] != want {
					t.Errorf("got %+v, want %+v", got.Debts[i], want)
				}
			}
		})
	}
}

// The inventory is older than what Ferry has done since: the newer word counts, whatever the operations' order.
func TestDebtsThatTheInventoryDoesNotKnow(t *testing.T) {
	step := func(kind StepKind, ended int) Operation { return left("op-"+OpID(kind), "a", kind, StateDone, ended) }
	rows := map[string]struct {
		read Item
		ops  []Operation
		want []DebtKind
	}{
		"failed over":          {Item{State: StateProtected}, []Operation{step(StepFailover, 31)}, []DebtKind{Uncommitted}},
		"committed":            {Item{State: StateProtected}, []Operation{step(StepCommit, 33), step(StepFailover, 31)}, []DebtKind{Unprotected}},
		"reprotected":          {Item{State: StateCommitted}, []Operation{step(StepReprotect, 40)}, nil},
		"home":                 {Item{State: StateCommitted}, []Operation{step(StepReprotectAgain, 40)}, nil},
		"drilled":              {Item{State: StateProtected, TestState: "None"}, []Operation{step(StepTest, 31)}, []DebtKind{DrillOpen}},
		"cleaned up":           {Item{State: StateProtected, TestState: "WaitingForCompletion"}, []Operation{step(StepCleanup, 31)}, nil},
		"read later":           {Item{State: StateProtected}, []Operation{step(StepFailover, 30)}, nil},
		"another VM's failure": {Item{State: StateProtected}, []Operation{left("op-1", "b", StepFailover, StateDone, 31), left("op-2", "a", StepFailover, StateFailed, 31)}, nil},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			row.read.Key = "a"
			var got []DebtKind
			for _, d := range Debts(Inventory{Items: []Item{row.read}, At: at(30)}, row.ops).Debts {
				got = append(got, d.Kind)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

// The oldest debt is the worst; what is on its way to being protected owes nothing; twins are told apart.
func TestDebtsOfManyVMs(t *testing.T) {
	got := Debts(Inventory{Items: []Item{
		{Key: "1", Name: "vm", Vault: "a", State: StateCommitted},
		{Key: "2", Name: "VM", Vault: "b", State: StateCommitPending, LastFailover: at(9)},
		{Key: "3", Name: "web", Vault: "a", State: StateCommitPending, LastFailover: at(3), TestState: "WaitingForCleanup"},
		{Key: "4", Name: "new", Vault: "a", State: "UnprotectedStatesBegin"},
		{Key: "5", Name: "db", Vault: "a", State: "InitialReplicationInProgress"},
	}}, nil)
	var typed []string
	for _, d := range got.Debts {
		typed = append(typed, d.Typed+" "+string(d.Kind))
	}
	for i, want := range []string{"web uncommitted", "b/VM uncommitted", "a/vm unprotected", "web drill_open"} {
		if i >= len(typed) || typed[i] != want {
			t.Fatalf("got %v", typed)
		}
	}
	if len(got.Protecting) != 2 || got.Protecting[0] != "db" || got.Protecting[1] != "new" {
		t.Errorf("being protected: %v", got.Protecting)
	}
}

// A job is Ferry's by its id. After a lost answer, and for the job that a reprotect starts within, it is not called foreign.
func TestForeignJobs(t *testing.T) {
	accepted, lost := left("op-1", "a", StepFailover, StateAccepted, -1), left("op-2", "a", StepFailover, StateStarted, -1)
	given := lost // given up: nobody looks for the answer any more
	given.ID, lost.Phase = "op-5", Running
	back, over := left("op-3", "a", StepReprotect, StateAccepted, -1), left("op-4", "a", StepReprotect, StateDone, 10)
	for name, row := range map[string]struct {
		job, scenario string
		op            Operation
		owner         OpID
		unsure        bool
	}{
		"own":                   {"/JOBS/op-1", "UnplannedFailover", accepted, "op-1", false},
		"another job":           {"/jobs/x", "UnplannedFailover", accepted, "", false},
		"a lost answer":         {"/jobs/x", "UnplannedFailover", lost, "op-2", true},
		"given up":              {"/jobs/x", "UnplannedFailover", given, "", false},
		"within a reprotect":    {"/jobs/x", "EnableDr", back, "op-3", false},
		"beside a reprotect":    {"/jobs/x", "UnplannedFailover", back, "", false},
		"after a reprotect":     {"/jobs/x", "EnableDr", over, "", false},
		"enabled in the portal": {"/jobs/x", "EnableDr", accepted, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			item := Item{Key: "a", Name: "vm-a", Vault: "v", JobID: row.job, Scenario: row.scenario}
			if got := ForeignJobs([]Item{item, {Key: "b", Name: "vm-b"}}, []Operation{row.op}); (len(got) == 1) != (row.owner == "") {
				t.Errorf("foreign: %+v", got)
			}
			list := JobList{Jobs: []VaultJob{{Job: Job{ID: row.job, Scenario: row.scenario, State: JobInProgress, Target: "VM-A", Vault: "V", StartedAt: at(20)}}}}
			if j := list.Claimed([]Operation{row.op}, 9).Jobs[0]; j.Op != row.owner || j.Unsure != row.unsure {
				t.Errorf("job of %q, unsure %v", j.Op, j.Unsure)
			}
		})
	}
}

func TestClaimedSortsAndBounds(t *testing.T) {
	job := func(id string, state JobState, started, ended int) VaultJob {
		j := VaultJob{Job: Job{ID: id, State: state, StartedAt: at(started)}}
		if ended >= 0 {
			j.EndedAt = at(ended)
		}
		return j
	}
	l := JobList{Jobs: []VaultJob{
		job("old", JobFailed, 1, 2), job("run1", JobInProgress, 3, -1), job("new", JobSucceeded, 1, 5), job("run2", JobSuspended, 4, -1), job("odd", JobOther, 2, -1), job("oddly over", JobOther, 2, 3),
	}}
	got, ids := l.Claimed(nil, 5), ""
	for _, j := range got.Jobs {
		ids += j.ID + " "
	}
	if ids != "run2 run1 odd new oddly over " || got.LeftOut != 1 || l.Jobs[0].ID != "old" {
		t.Errorf("got %s, %d left out", ids, got.LeftOut)
	}
}

func TestMayRead(t *testing.T) {
	p := Policy{Roles: map[string][]string{"operator": {"U1"}}}
	for _, row := range []struct {
		who    string
		anyone bool
		may    bool
	}{{"U1", false, true}, {"U2", false, false}, {"U2", true, true}} {
		if refusal := p.MayRead(Actor{ID: row.who}, row.anyone); (refusal == nil) != row.may || refusal != nil && refusal.Hint == "" {
			t.Errorf("%+v: %v", row, refusal)
		}
	}
}
