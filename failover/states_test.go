package failover_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

const statesFile = "../docs/states.md"

// docs/states.md is the table as people read it, and the walk of the phases as Evolve takes it. UPDATE_GOLDEN=1 writes it.
func TestStatesDocument(t *testing.T) {
	got := statesDocument(t)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(statesFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(statesFile)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is out of date; UPDATE_GOLDEN=1 go test ./failover writes it", statesFile)
	}
}

func statesDocument(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(`# What may be done when

Generated from the table and the fold in package failover by its tests; change those, then run
` + "`UPDATE_GOLDEN=1 go test ./failover`" + `.

A step is allowed when the first line that fits the replicated item says so, and Azure offers it (allowedOperations). It is
checked when somebody asks, and again just before the call: what does not hold any more is not started. In the texts
{vm}, {state} and {job} are filled in; a test failover is open in every state but None.
`)
	for _, step := range steps() {
		fmt.Fprintf(&b, "\n## %s\n\n| state of the item | test failover | job running | answer | what to do | then |\n|---|---|---|---|---|---|\n", step)
		for _, r := range failover.Table() {
			if r.Step == step {
				b.WriteString(stateRow(r))
			}
		}
	}
	b.WriteString(phasesDocument(t))
	return b.String()
}

func steps() []failover.StepKind {
	return []failover.StepKind{
		failover.StepFailover, failover.StepChange, failover.StepCommit, failover.StepTest, failover.StepCleanup, failover.StepReprotect,
	}
}

func stateRow(r failover.Row) string {
	words := func(s string) string {
		if s == "*" {
			return "any"
		}
		return s
	}
	job, answer, next := "no", r.Message, ""
	if r.Busy {
		job = "yes"
	}
	if r.Allowed {
		answer, next = "**allowed**, if Azure offers `"+r.Needs+"`", "`"+string(r.Next)+"`"
	}
	return "| " + strings.Join([]string{words(r.State), words(r.Test), job, cell(answer), cell(r.Hint), next}, " | ") + " |\n"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

// stories take operations through every phase, as people and Azure do; the arrows of the diagram are what they did.
func stories() []func(*table) {
	late := func(b *table) {
		b.now = b.now.Add(failover.BeginWithin + time.Second)
		b.tell(failover.Observation{})
	}
	end := func(b *table) { b.tell(failover.Observation{}) }
	cancel := func(b *table) { b.must(failover.VerbCancel, ana) }
	stuck := func(b *table) {
		b.running()
		b.fold(failover.Stuck{Target: b.item.Key}, "")
	}
	return []func(*table){
		denied, justFailed,
		func(b *table) { requested(b); b.must(failover.VerbWithdraw, ana) },
		func(b *table) { requested(b); b.now = b.op.ExpiresAt; b.must(failover.VerbExpire, ana) },
		func(b *table) { justFailed(b); end(b) },
		func(b *table) { approved(b); cancel(b) },
		func(b *table) { approved(b); late(b) },
		func(b *table) { b.failedOver(); b.must(failover.VerbCommit, ben); late(b) },
		func(b *table) { b.must(failover.VerbTest, ana); late(b) },
		func(b *table) { stuck(b); cancel(b) },
		func(b *table) { b.failedOver(); cancel(b) },
		func(b *table) {
			committing(b)
			b.fold(failover.StepFailed{Target: b.item.Key, Kind: failover.StepCommit}, "")
		},
		func(b *table) {
			committing(b)
			b.fold(failover.StepDone{Target: b.item.Key, Kind: failover.StepCommit}, "")
			end(b)
		},
		func(b *table) {
			b.failedOver()
			b.item.State = failover.StateCommitted
			for _, f := range failover.Noticed(b.op, []failover.Item{b.item}) {
				b.fold(f, "")
			}
		},
		func(b *table) {
			b.item = item("vm-x", failover.StateCommitPending, "Commit")
			b.policy = policy(2)
			b.must(failover.VerbCommit, ben)
		},
		func(b *table) { drilled(b); end(b) },
		func(b *table) { changing(b); b.does(failover.StepChange, asItIs) },
		func(b *table) { atCheck(b); cancel(b) },
		func(b *table) {
			turningBack(b)
			b.fold(failover.StepFailed{Target: b.item.Key, Kind: failover.StepFailover}, "")
		},
		func(b *table) { atHome(b); b.noticed(turns); b.tell(failover.Observation{SurveyedAt: b.now}); end(b) },
		func(b *table) {
			atCheck(b)
			b.presses(ben)
			end(b)
			b.noticed(commits)
		},
		func(b *table) { incident(b, start.Add(-time.Hour)); b.incidentOver() },
	}
}

// arrowsOfPhases are the changes of phase in the stories, each once, in the order of the phases.
func arrowsOfPhases(t *testing.T) []string {
	t.Helper()
	rank := map[failover.Phase]int{}
	for i, p := range phases() {
		rank[p] = i + 1
	}
	type arrow struct {
		from, to failover.Phase
		by       string
	}
	var taken []arrow
	for _, story := range stories() {
		b := newTable(t, 1)
		b.moved = func(from, to failover.Phase, by failover.Fact) {
			if a := (arrow{from, to, by.Type()}); !slices.Contains(taken, a) {
				taken = append(taken, a)
			}
		}
		story(b)
	}
	slices.SortFunc(taken, func(a, b arrow) int {
		return cmp.Or(cmp.Compare(rank[a.from], rank[b.from]), cmp.Compare(rank[a.to], rank[b.to]), strings.Compare(a.by, b.by))
	})
	var lines []string
	for _, a := range taken {
		lines = append(lines, fmt.Sprintf("%s --> %s: %s", cmp.Or(string(a.from), "[*]"), a.to, a.by))
	}
	for _, p := range phases() {
		if p.Final() {
			lines = append(lines, string(p)+" --> [*]")
		}
	}
	return lines
}

func phases() []failover.Phase {
	return []failover.Phase{
		failover.AwaitingApproval, failover.Running, failover.AwaitingCommit, failover.NeedsAttention,
		failover.Succeeded, failover.Failed, failover.Denied, failover.Expired, failover.Cancelled,
	}
}

func phasesDocument(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n## Phases\n\nThe facts that move an operation of one VM from phase to phase, as the stories of the tests went.\n\n```mermaid\nstateDiagram-v2\n")
	for _, line := range arrowsOfPhases(t) {
		b.WriteString("    " + line + "\n")
	}
	b.WriteString("```\n\n| phase | holds the VM | waits for |\n|---|---|---|\n")
	for _, p := range phases() {
		holds := "yes"
		if p.Final() {
			holds = "no"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", p, holds, waitsFor(p))
	}
	fmt.Fprintf(&b, `
A request that nobody approves expires. Every later gate waits without end, and those who decide it are reminded in the channel
%g hours after it was reached, and again every %[1]g hours; who asked for a drill is, as long as its test VM is there.
A press counts for the gate that it was made for: a button drawn before something changed, and a word typed before the gate was
reached, do nothing. After a change of the recovery point, the commit is pressed anew.

What was decided is begun within %g minutes, or not at all: its gate is closed again (%[3]s), and the card and a notice ask for another
press. While it is Azure that keeps the call waiting, Ferry keeps trying for up to %[4]g hour, and the card says so. A start
that needs no approval expires instead.

Just before each call Ferry asks who may do what once more. When somebody whose press opened the gate may not decide it any more, or
the rule of now wants more than it got, or, before the first step, who asked may not ask any more, the gate is closed again, too,
and the card says who lost what.

An approval holds for the VM's state and direction, the recovery point, what a reprotect would use and create, and the VMs of a
recovery plan with their order; not for health, which is shown only. When one of them has changed, nothing is called, and what was
approved and what is there now stand side by side on the card. Before the first step the operation ends with that, since the wish itself
was for something else; half-way it goes back to its gate, so that it can be finished.
`, failover.RemindEvery.Hours(), failover.BeginWithin.Minutes(), "`lapsed`", failover.TryWithin.Hours())
	return b.String()
}

func waitsFor(p failover.Phase) string {
	op := failover.Operation{Phase: p, ExpiresAt: start}
	switch gate := op.Gate(); {
	case failover.HasWork(op):
		return "Azure, driven by an executor"
	case gate != "" && !failover.WakeAt(op).IsZero():
		return "the " + string(gate) + " gate, until it expires"
	case gate != "":
		return "the " + string(gate) + " gate"
	case p.Final():
		return "nothing"
	}
	return "a person who looks"
}
