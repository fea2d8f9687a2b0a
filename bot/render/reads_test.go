package render_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ferry/bot/render"
	"ferry/failover"
)

func jobList() failover.JobList {
	at := start()
	job := func(scenario, vm string, state failover.JobState, description string, began, took time.Duration, op failover.OpID) failover.VaultJob {
		j := failover.VaultJob{Op: op, Job: failover.Job{ID: "/jobs/" + vm, Scenario: scenario, State: state, Description: description, Target: vm, Vault: "vault-neu", StartedAt: at.Add(-began)}}
		if took > 0 {
			j.EndedAt = j.StartedAt.Add(took)
		}
		return j
	}
	unsure := job("UnplannedFailover", "vm-lost", failover.JobInProgress, "InProgress", 20*time.Second, 0, "op-aaaaaaaa")
	unsure.Unsure = true
	return failover.JobList{At: at, Since: at.Add(-failover.JobsWithin), Jobs: []failover.VaultJob{
		unsure,
		job("UnplannedFailover", "vm-x", failover.JobInProgress, "InProgress", 95*time.Second, 0, "op-7f3kq2mz"),
		job("SwitchReplicationGroupProtection", "vm-y", failover.JobInProgress, "InProgress", 2*time.Hour, 0, ""),
		job("TestFailover", "vm-z", failover.JobSuspended, "WaitingForStopTestFailover", 14*time.Hour, 0, ""),
		job("CommitFailover", "vm-a", failover.JobSucceeded, "Completed", time.Hour, 8*time.Second, "op-aaaaaaaa"),
		job("UnplannedFailover", "vm-a", failover.JobSucceeded, "PartiallySucceeded", 2*time.Hour, 140*time.Second, "op-aaaaaaaa"),
		job("UnplannedFailover", "vm-b", failover.JobFailed, "Failed", 15*time.Hour, 3*time.Minute, ""),
		job("SomethingNew", "vm-b", failover.JobOther, "Strange", 16*time.Hour, time.Minute, ""),
	}}
}

func debtList() failover.DebtList {
	at := start()
	return failover.DebtList{At: at.Add(-20 * time.Second), Protecting: []string{"web-1", "web-2"}, Debts: []failover.Debt{
		{Name: "vm-old", Vault: "vault-neu", Typed: "vm-old", Kind: failover.Unprotected, Since: at.Add(-50 * time.Hour), Owner: ana(), Op: "op-aaaaaaaa"},
		{Name: "vm-x", Vault: "vault-neu", Typed: "vault-neu/vm-x", Kind: failover.Uncommitted, Since: at.Add(-20 * time.Minute), Owner: failover.Actor{ID: "cli:local"}, Op: "op-7f3kq2mz"},
		{Name: "vm-d", Vault: "vault-neu", Typed: "vm-d", Kind: failover.DrillOpen, Since: at.Add(-time.Minute), Job: "TestFailoverCleanup"},
		{Name: "vm-e", Vault: "vault-neu", Typed: "vm-e", Kind: failover.DrillOpen},
	}}
}

func readinessList() failover.ReadinessList {
	at := start()
	concern := func(kind failover.ConcernKind, why, next string) failover.Concern {
		return failover.Concern{Kind: kind, Why: why, Next: next}
	}
	held := concern(failover.ConcernHeld, "vm-x is held by op-7f3kq2mz: failover, asked for by ana at 2026-11-23 02:10 UTC.", "To see what it waits for, type /failover status op-7f3kq2mz.")
	pending := concern(failover.ConcernState, "vm-x has already been failed over and waits for its commit.", "To make it final, type /failover commit vm-x.")
	untested := concern(failover.ConcernError, "Azure reports 161011: No successful test failover has been performed on the virtual machine.", "To drill it, type /failover test web-1.")
	old := concern(failover.ConcernDataAge, "Its data are 42 min old, and the target is 15 min.", "Look at the replicated item in the portal.")
	health := concern(failover.ConcernHealth, "The health of its replication is Critical.", "Look at the replicated item in the portal.")
	drill := func(vm string) failover.Concern {
		return concern(failover.ConcernError, untested.Why, "To drill it, type /failover test "+vm+".")
	}
	return failover.ReadinessList{At: at.Add(-20 * time.Second), Target: 900, Incident: at.Add(-10 * time.Minute), Items: []failover.ReadyItem{
		{Name: "vm-x", Vault: "vault-neu", Readiness: failover.NotReady, Concerns: []failover.Concern{held, pending}, DataAge: 42},
		{Name: "web-1", Vault: "vault-neu", Typed: "web-1", Readiness: failover.ReadyWithWarning, Concerns: []failover.Concern{health, untested, old, untested, untested}, DataAge: 2520, LastTest: at.Add(-90 * 24 * time.Hour)},
		{Name: "web-4", Vault: "vault-neu", Typed: "web-4", Readiness: failover.ReadyWithWarning, Concerns: []failover.Concern{health, drill("web-4")}, DataAge: 30},
		{Name: "web-5", Vault: "vault-weu", Typed: "web-5", Readiness: failover.ReadyWithWarning, Concerns: []failover.Concern{drill("web-5")}, DataAge: 31},
		{Name: "web-2", Vault: "vault-neu", Readiness: failover.Ready, DataAge: 12, LastTest: at.Add(-time.Hour)},
		{Name: "web-3", Vault: "vault-weu", Readiness: failover.Ready, DataAge: -1},
	}}
}

// What one operation has left open of many VMs is one line, which names the one command that settles it; what else is owed keeps its own.
func TestDebtOfMany(t *testing.T) {
	at := start()
	list := failover.DebtList{At: at}
	owe := func(kind failover.DebtKind, op failover.OpID, job string, names ...string) {
		for _, name := range names {
			list.Debts = append(list.Debts, failover.Debt{Name: name, Vault: "v", Typed: name, Kind: kind, Since: at.Add(-time.Minute), Owner: ana(), Op: op, Job: job})
		}
	}
	owe(failover.Uncommitted, "op-aaaaaaaa", "", "a1", "a2", "a3", "a4", "a5")
	owe(failover.Unprotected, "op-bbbbbbbb", "", "b1", "b2", "b3")
	owe(failover.Unprotected, "op-bbbbbbbb", "SwitchProtection", "b4")
	owe(failover.Unprotected, "op-cccccccc", "", "c1", "c2")
	owe(failover.Unprotected, "", "", "d1", "d2", "d3")
	owe(failover.DrillOpen, "op-dddddddd", "", "e1", "e2", "e3")
	text := readable(render.Debts(list, at))
	for _, want := range []string{
		"*5 VMs* (a1, a2, a3 and 2 more), each waits for its commit since", "What to do: type /failover commit op-aaaaaaaa; once op-aaaaaaaa is over, /failover commit VM for each.",
		"*3 VMs* (b1, b2, b3), each is not protected since", "What to do: type /failover reprotect op-bbbbbbbb.", "*b4*", "reprotect c1.", "reprotect c2.", "reprotect d3.", "cleanup e2.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("without %q:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "• "); n != 11 {
		t.Errorf("%d lines:\n%s", n, text)
	}
	for range 1000 {
		owe(failover.Unprotected, "op-eeeeeeee", "", "web")
	}
	if text := readable(render.Debts(list, at)); !strings.Contains(text, "*1,000 VMs* (web, web, web and 997 more), each is not protected") || strings.Contains(text, "more: ferry debt") {
		t.Error(text)
	}
}

// readinessGen draws readings of any size with whatever Azure could say.
func readinessGen() *rapid.Generator[failover.ReadinessList] {
	return rapid.Custom(func(t *rapid.T) failover.ReadinessList {
		concern := rapid.Custom(func(t *rapid.T) failover.Concern {
			return failover.Concern{Kind: failover.ConcernError, Why: hostile().Draw(t, "why"), Next: hostile().Draw(t, "next")}
		})
		one := failover.ReadyItem{
			Name: hostile().Draw(t, "name"), Vault: hostile().Draw(t, "vault"), Concerns: rapid.SliceOfN(concern, 0, 9).Draw(t, "concerns"), LastTest: sometime().Draw(t, "drill"),
			Readiness: rapid.SampledFrom([]failover.Readiness{failover.NotReady, failover.ReadyWithWarning, failover.Ready}).Draw(t, "readiness"), DataAge: rapid.IntRange(-1, 1e9).Draw(t, "age"),
		}
		list := failover.ReadinessList{At: sometime().Draw(t, "at"), Incident: sometime().Draw(t, "incident")}
		for range rapid.IntRange(0, 100).Draw(t, "many") {
			list.Items = append(list.Items, one)
		}
		return list
	})
}

func foreignItem() failover.Item {
	i := item()
	i.Name, i.Key, i.Scenario, i.JobID = "vm-y", "77aa", "TestFailover", "/jobs/1"
	return i
}

// idle is what is found of a VM that no operation is about.
func idle(i failover.Item) failover.Found { return failover.Found{Idle: &i} }

func pending() failover.Item {
	i := item()
	i.State, i.Allowed, i.RPO, i.Active = failover.StateCommitPending, []string{"Commit"}, -1, "North Europe"
	return i
}

func TestReads(t *testing.T) {
	now := start().Add(5 * time.Second)
	partial := failover.JobList{At: start(), Since: start().Add(-failover.JobsWithin), LeftOut: 12, Missing: "Azure did not answer: NoAnswer: no answer in time."}
	busy := failover.Found{Foreign: []failover.Item{foreignItem()}}
	both := failover.Found{Operations: []failover.Operation{halfway().op}, Foreign: busy.Foreign}
	held := failover.Inventory{At: start().Add(-time.Hour), Items: []failover.Item{item(), foreignItem()}, Foreign: []string{"77aa"}, Holders: map[string]failover.OpID{key: "op-7f3kq2mz"}}
	none := failover.DebtList{At: start()}
	var text strings.Builder
	for _, part := range []struct{ title, text string }{
		{"jobs", render.JobsTable(jobList(), now, 0)},
		{"no jobs, and not all known", render.JobsTable(partial, now, 0)},
		{"debt, Slack", readable(render.Debts(debtList(), now))},
		{"debt, terminal", render.DebtTable(debtList(), now, 0)},
		{"no debt", readable(render.Debts(none, now)) + render.DebtTable(none, now, 0)},
		{"debt before Azure was read", readable(render.Debts(failover.DebtList{}, now)) + render.DebtTable(failover.DebtList{}, now, 0)},
		{"readiness, Slack", readable(render.Readiness(readinessList(), now))},
		{"readiness, terminal", render.ReadinessTable(readinessList(), now, 0)},
		{"readiness of nothing", readable(render.Readiness(failover.ReadinessList{At: start()}, now)) + render.ReadinessTable(failover.ReadinessList{At: start()}, now, 0)},
		{"readiness before Azure was read", readable(render.Readiness(failover.ReadinessList{}, now)) + render.ReadinessTable(failover.ReadinessList{}, now, 0)},
		{"status of a VM that is busy outside Ferry", render.Status(busy, "vm-y", now, 0)},
		{"status of a VM that nothing is open on", render.Status(idle(item()), "vm-x", now, 0)},
		{"status of a VM that waits for its commit", render.Status(idle(pending()), "vm-x", now, 0)},
		{"status of a VM without an operation that is busy outside Ferry", render.Status(failover.Found{Foreign: busy.Foreign, Idle: &busy.Foreign[0]}, "vm-y", now, 0)},
		{"status of nothing", render.Status(failover.Found{}, "vm-q", now, 0)},
		{"status of all", render.Status(both, "", now, 0)},
		{"nothing open but busy", render.Status(busy, "", now, 0)},
		{"list, an hour old", render.ListTable(held, now, 0)},
	} {
		text.WriteString("=== " + part.title + " ===\n" + part.text + "\n")
	}
	golden(t, "reads.txt", text.String())
	golden(t, "debt.json", wire(t, render.Debts(debtList(), now)))
	golden(t, "readiness.json", wire(t, render.Readiness(readinessList(), now)))
}

// TestReadsFitSlack: whatever a vault says, and however much.
func TestReadsFitSlack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string { return hostile().Draw(t, label) }
		now := sometime().Draw(t, "now")
		debts := failover.DebtList{At: sometime().Draw(t, "at"), Protecting: []string{text("protecting")}}
		jobs := failover.JobList{At: now, Since: sometime().Draw(t, "since"), Missing: text("missing")}
		one := failover.Debt{
			Name: text("name"), Vault: text("vault"), Typed: "vm-x", Owner: someone().Draw(t, "owner"), Since: sometime().Draw(t, "owed since"), Job: rapid.SampledFrom([]string{"", "TestFailover"}).Draw(t, "job"),
			Kind: rapid.SampledFrom([]failover.DebtKind{failover.Uncommitted, failover.Unprotected, failover.DrillOpen, "?"}).Draw(t, "kind"), Op: "op-7f3kq2mz",
		}
		job := failover.VaultJob{Job: failover.Job{Scenario: text("scenario"), Target: text("vm"), Vault: text("vault"), Description: text("description"), State: rapid.SampledFrom([]failover.JobState{failover.JobOther, failover.JobFailed, failover.JobInProgress}).Draw(t, "state"), StartedAt: sometime().Draw(t, "began"), EndedAt: sometime().Draw(t, "ended")}}
		for range rapid.IntRange(0, 100).Draw(t, "many") {
			debts.Debts, jobs.Jobs = append(debts.Debts, one), append(jobs.Jobs, job)
		}
		found := failover.Found{Foreign: []failover.Item{{Name: text("foreign"), Vault: text("its vault"), Scenario: text("its job")}}}
		ready := readinessGen().Draw(t, "readiness")
		checkMessage(t, render.Debts(debts, now), 13_000)
		checkMessage(t, render.Readiness(ready, now), 13_000)
		for _, table := range []string{render.JobsTable(jobs, now, 0), render.DebtTable(debts, now, 0), render.ReadinessTable(ready, now, 0), render.Status(found, text("ref"), now, 0), render.Status(found, "", now, 0)} {
			checkMessage(t, render.Preformatted(table), 13_000)
			if strings.ContainsAny(table, "\x00\x1b") {
				t.Fatal(fmt.Sprintf("control characters: %q", table))
			}
		}
	})
}

// A list says how long a VM has been held as every other text says a duration, and the states of a failover in short words.
func TestListOfWhatIsHeld(t *testing.T) {
	inv := failover.Inventory{
		At:      start(),
		Items:   []failover.Item{{Key: "4", Name: "vm-x", Vault: "vault-dr", State: failover.StateCommitPending, Active: "northeurope"}},
		Holders: map[string]failover.OpID{"4": "op-7f3kq2mz"},
		Open:    map[failover.OpID]failover.Holding{"op-7f3kq2mz": {Verb: failover.VerbFailover, By: ana(), Since: start()}},
	}
	if list := render.ListTable(inv, start().Add(271*time.Second), 0); !strings.Contains(list, "op-7f3kq2mz: failover, ana, for 4 min 31 s\n") || !strings.Contains(list, "waits for commit") {
		t.Error(list)
	}
	if state := render.ItemState(inv.Items[0]); state != "waits for commit" {
		t.Error(state)
	}
}

// What is wrong with many VMs is said once, with how many they are and some of their names; what stands in the way comes first.
func TestReadinessSaysAReasonOnce(t *testing.T) {
	list := failover.ReadinessList{At: start()}
	for n := range 12 {
		vm := fmt.Sprintf("web-%d", n+1)
		list.Items = append(list.Items, failover.ReadyItem{Name: vm, Vault: "v", Typed: vm, Readiness: failover.ReadyWithWarning, Concerns: []failover.Concern{
			{Kind: failover.ConcernError, Why: "Azure reports 161011: not drilled.", Next: "To drill it, type /failover test " + vm + "."},
		}})
	}
	list.Items[11].Concerns = append(list.Items[11].Concerns, failover.Concern{Kind: failover.ConcernJob, Why: "A job runs on web-12: TestFailover.", Next: "Wait for it."})
	want := "• *web-12* (vault v) not ready: A job runs on web-12: TestFailover. Wait for it.\n" +
		"• *12 VMs* (web-1, web-2, web-3, web-4, web-5, web-6 and 6 more) warning: Azure reports 161011: not drilled. To drill it, type /failover test VM.\n"
	if text := readable(render.Readiness(list, start())); !strings.Contains(text, want) {
		t.Error(text)
	}
	text := render.ReadinessTable(list, start(), 80)
	if strings.Count(text, "161011") != 1 || strings.Count(text, "web-7") != 2 || !strings.Contains(text, "\nWarning (12 VMs: web-1, web-2, ") {
		t.Error(text)
	}
	for l := range strings.Lines(strings.Split(text, "Not looked at")[0]) {
		if len(l) > 81 {
			t.Errorf("%d characters: %s", len(l), l)
		}
	}
}
