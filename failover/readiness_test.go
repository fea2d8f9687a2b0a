package failover

import (
	"strings"
	"testing"
	"time"
)

// replicated is vm-a as a vault says it of a VM with which all is well.
func replicated() Item {
	return Item{
		Key: "a", Name: "vm-a", Vault: "v", State: StateProtected, TestState: "None", Health: "Normal", RPO: time.Minute,
		Allowed: []string{"UnplannedFailover", "DisableProtection", "TestFailover"}, To: "north", From: "west",
	}
}

func anybody() Policy {
	return Policy{Roles: map[string][]string{"operator": {"U0ANA"}}, Rules: []Rule{{Classes: []Class{ClassFailover}, May: []string{"operator"}}}}
}

// with is an item that differs.
func with(change func(*Item)) Item {
	i := replicated()
	change(&i)
	return i
}

func TestReadiness(t *testing.T) {
	open := Operation{
		ID: "op-open", Verb: VerbFailover, Phase: AwaitingApproval, RequestedBy: Actor{ID: "U0ANA", Name: "ana"}, RequestedAt: at(1),
		Targets: []Target{{Item: Item{Key: "a", Name: "vm-a", Vault: "v"}}},
	}
	running := open
	running.Phase = Running
	running.Targets = []Target{{Item: Item{Key: "a", Name: "vm-a", Vault: "v"}, Steps: []Step{{Kind: StepFailover, State: StateAccepted, StartedAt: at(2), JobID: "/jobs/1"}}}}
	freeze := func(pattern string) Operation {
		return Operation{ID: "op-stop", Verb: VerbFreeze, Phase: Running, RequestedBy: Actor{Name: "ben"}, RequestedAt: at(3), Reason: "storm", Plan: Plan{Frozen: pattern}}
	}
	busy := with(func(i *Item) { i.Scenario, i.JobID = "UnplannedFailover", "/jobs/1" })
	rows := map[string]struct {
		item   Item
		ops    []Operation
		policy Policy
		want   Readiness
		kinds  string   // of the concerns, in order
		says   []string // somewhere in them
	}{
		"all is well":                   {item: replicated(), want: Ready},
		"held":                          {item: replicated(), ops: []Operation{open}, want: NotReady, kinds: "held", says: []string{"held by op-open: failover, asked for by ana at 2026-11-23 12:01 UTC", "/failover status op-open"}},
		"its own failover runs":         {item: busy, ops: []Operation{running}, want: NotReady, kinds: "held"},
		"a job of the portal":           {item: busy, want: NotReady, kinds: "job", says: []string{"outside Ferry", "UnplannedFailover", "/failover jobs"}},
		"a job of the portal, and held": {item: busy, ops: []Operation{open}, want: NotReady, kinds: "held job"},
		"a job after a last step":       {item: busy, ops: []Operation{left("op-1", "a", StepCleanup, StateDone, 1)}, want: NotReady, kinds: "job"},
		"frozen":                        {item: replicated(), ops: []Operation{freeze(Everything)}, want: NotReady, kinds: "frozen", says: []string{"ben has frozen new work on every VM", "storm", "/failover unfreeze"}},
		"others are frozen":             {item: replicated(), ops: []Operation{freeze("web-*")}, want: Ready},
		"waits for commit":              {item: with(func(i *Item) { i.State = StateCommitPending }), want: NotReady, kinds: "state", says: []string{"/failover commit vm-a"}},
		"not protected":                 {item: with(func(i *Item) { i.State, i.RPO, i.Health = StateCommitted, -1, "Critical" }), want: NotReady, kinds: "state", says: []string{"/failover reprotect vm-a"}},
		"initial replication":           {item: with(func(i *Item) { i.State, i.RPO = StateReplicates, -1 }), want: NotReady, kinds: "state", says: []string{"initial replication"}},
		"a state that nobody knows":     {item: with(func(i *Item) { i.State = "Strange" }), want: NotReady, kinds: "state", says: []string{"in the state Strange"}},
		"a drill is open":               {item: with(func(i *Item) { i.TestState = "WaitingForCompletion" }), want: NotReady, kinds: "state", says: []string{"/failover cleanup vm-a"}},
		"Azure does not offer it":       {item: with(func(i *Item) { i.Allowed = []string{"DisableProtection"} }), want: NotReady, kinds: "state", says: []string{"does not offer UnplannedFailover", "DisableProtection"}},
		"no rule":                       {item: replicated(), policy: Policy{Rules: []Rule{{Classes: []Class{ClassTest}}}}, want: NotReady, kinds: "rule", says: []string{"No rule takes a failover of vm-a"}},
		"the rule goes by unknown tags": {item: replicated(), policy: Policy{Rules: []Rule{{Classes: []Class{ClassFailover}, Match: Match{Tag: []string{"env=prod"}}}}}, want: NotReady, kinds: "rule", says: []string{"its tags are not"}},
		"never drilled": {item: with(func(i *Item) {
			i.Errors = []Fault{{Code: "161011", Message: "No successful test failover.", Action: "Perform one."}}
		}), want: ReadyWithWarning, kinds: "error", says: []string{"Azure reports 161011: No successful test failover.", "/failover test vm-a"}},
		"critical": {item: with(func(i *Item) {
			i.Health, i.Errors = "Critical", []Fault{{Code: "153007", Message: "No crash-consistent point.", Action: "Check the network."}}
		}), want: ReadyWithWarning, kinds: "health error", says: []string{"is Critical", "Check the network."}},
		"an error without words":          {item: with(func(i *Item) { i.Errors = []Fault{{}} }), want: ReadyWithWarning, kinds: "error", says: []string{"without a message", "in the portal"}},
		"old data":                        {item: with(func(i *Item) { i.RPO = 42 * time.Minute }), want: ReadyWithWarning, kinds: "data_age", says: []string{"42 min old, and the target is 15 min"}},
		"data as old as the target":       {item: with(func(i *Item) { i.RPO = 15 * time.Minute }), want: Ready},
		"no data age":                     {item: with(func(i *Item) { i.RPO = -1 }), want: ReadyWithWarning, kinds: "data_age", says: []string{"does not say how old"}},
		"health None says nothing":        {item: with(func(i *Item) { i.Health = "None" }), want: Ready},
		"reprotected after the reading":   {item: with(func(i *Item) { i.State, i.Allowed = StateReplicates, nil }), ops: []Operation{left("op-1", "a", StepReprotect, StateDone, 59)}, want: ReadyWithWarning, kinds: "unread", says: []string{"not been read since"}},
		"failed over after the reading":   {item: replicated(), ops: []Operation{left("op-1", "a", StepFailover, StateDone, 59)}, want: NotReady, kinds: "state", says: []string{"waits for its commit"}},
		"drilled after the reading":       {item: replicated(), ops: []Operation{left("op-1", "a", StepTest, StateDone, 59)}, want: NotReady, kinds: "state", says: []string{"has not been cleaned up"}},
		"a job that ended since the read": {item: with(func(i *Item) { i.Scenario, i.JobID = "TestFailoverCleanup", "/jobs/op-1" }), ops: []Operation{left("op-1", "a", StepCleanup, StateDone, 59)}, want: ReadyWithWarning, kinds: "unread"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			if row.policy.Rules == nil {
				row.policy = anybody()
			}
			got := Inventory{Items: []Item{row.item}, At: at(58)}.Readiness(row.ops, row.policy, 15*time.Minute)
			if len(got.Items) != 1 || !got.At.Equal(at(58)) || got.Target != 900 {
				t.Fatalf("%+v", got)
			}
			var kinds []string
			var all strings.Builder
			for _, c := range got.Items[0].Concerns {
				kinds = append(kinds, string(c.Kind))
				all.WriteString(c.Why + " " + c.Next + "\n")
				if c.Why == "" || c.Next == "" {
					t.Errorf("a concern without a reason or a next step: %+v", c)
				}
			}
			if got.Items[0].Readiness != row.want || strings.Join(kinds, " ") != row.kinds {
				t.Errorf("%s for %v, want %s for %s", got.Items[0].Readiness, kinds, row.want, row.kinds)
			}
			for _, want := range row.says {
				if !strings.Contains(all.String(), want) {
					t.Errorf("nothing says %q:\n%s", want, all.String())
				}
			}
		})
	}
}

// TestReadinessAgreesWithTheDecision: what is called ready is legal for a failover, and what is not legal is not called ready.
func TestReadinessAgreesWithTheDecision(t *testing.T) {
	for _, state := range []string{StateProtected, StateCommitPending, StateCommitted, StateEnabling, StateReplicates, StateFirstPoint, "?"} {
		for _, test := range []string{"", "None", "WaitingForCompletion"} {
			for _, job := range []string{"", "/jobs/1"} {
				for _, offers := range [][]string{nil, {"TestFailover"}, {"UnplannedFailover"}} {
					i := with(func(i *Item) { i.State, i.TestState, i.JobID, i.Scenario, i.Allowed = state, test, job, "X", offers })
					got := Inventory{Items: []Item{i}, At: at(1)}.Readiness(nil, anybody(), 0).Items[0]
					if legal := Legal(StepFailover, i) == nil; legal != (got.Readiness != NotReady) {
						t.Errorf("%s, test %q, job %q, %v: %s, and legal is %v", state, test, job, offers, got.Readiness, legal)
					}
				}
			}
		}
	}
}

// TestReadinessOrder: the worst first, twins as one types them, and what holds for all.
func TestReadinessOrder(t *testing.T) {
	items := []Item{
		with(func(i *Item) { i.Key, i.Name = "1", "a-ready" }),
		with(func(i *Item) { i.Key, i.Name, i.State = "2", "twin", StateCommitted }),
		with(func(i *Item) { i.Key, i.Name, i.Vault, i.Health = "3", "twin", "w", "Warning" }),
		with(func(i *Item) { i.Key, i.Name, i.RPO = "4", "b-old", time.Hour }),
	}
	incident := Operation{ID: "op-inc", Verb: VerbIncident, Phase: Running, Plan: Plan{Point: Point{Time: at(5)}}}
	got := Inventory{Items: items, At: at(9)}.Readiness([]Operation{incident}, anybody(), 15*time.Minute)
	var order []string
	for _, i := range got.Items {
		order = append(order, i.Typed)
	}
	if strings.Join(order, " ") != "v/twin b-old w/twin a-ready" || got.Count(NotReady) != 1 || got.Count(ReadyWithWarning) != 2 || got.Count(Ready) != 1 {
		t.Errorf("%v %+v", order, got)
	}
	if next := got.Items[0].Concerns[0].Next; !strings.Contains(next, "/failover reprotect v/twin") || !got.Incident.Equal(at(5)) {
		t.Errorf("%s, incident %s", next, got.Incident)
	}
}
