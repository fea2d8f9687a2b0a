package sitetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/failover"
)

// neverSeen is a protectionState that Azure may have and nobody has recorded.
const neverSeen = "NeverSeen"

// condition is what the state table asks of an item.
type condition struct {
	state      string
	open, busy bool // a drill is open; a job runs
}

func (c condition) String() string {
	words := c.state
	if c.open {
		words += ", drill open"
	}
	if c.busy {
		words += ", busy"
	}
	return words
}

func conditions() []condition {
	var all []condition
	for _, state := range []string{
		failover.StateProtected, failover.StateCommitPending, failover.StateCommitted,
		failover.StateReplicates, failover.StateFirstPoint, failover.StateEnabling, neverSeen,
	} {
		for _, open := range []bool{false, true} {
			all = append(all, condition{state, open, false}, condition{state, open, true})
		}
	}
	return all
}

// matrix is what became of each step under each condition, and which rows of the table decided it.
type matrix struct {
	cells            map[condition]map[failover.StepKind]string
	visited, allowed map[failover.Row]bool
}

// visitTable takes every step under every condition: either it is allowed, performed, and ends as its row says, or it is
// refused with a hint and the site refuses it, too. It fails when a row was not visited, or one that allows not performed.
func visitTable(t *testing.T, newHarness func(t *testing.T) Harness) {
	t.Helper()
	if testing.Short() {
		t.Skip("the questions make the same calls; go test without -short plays every row")
	}
	m := matrix{map[condition]map[failover.StepKind]string{}, map[failover.Row]bool{}, map[failover.Row]bool{}}
	for _, c := range conditions() {
		m.cells[c] = map[failover.StepKind]string{}
		t.Run(c.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m.visit(t, c, func() world { return world{t, newHarness(t)} })
			})
		})
	}
	t.Log("\n" + m.String())
	for _, row := range failover.Table() {
		if !m.visited[row] || row.Allowed && !m.allowed[row] {
			t.Errorf("%s in the state %s, test failover %s, busy %t: visited %t, performed %t", row.Step, row.State, row.Test, row.Busy, m.visited[row], m.allowed[row])
		}
	}
}

func (m matrix) visit(t *testing.T, c condition, newWorld func() world) {
	t.Helper()
	w := newWorld()
	item := w.bring(c)
	for _, step := range steps() {
		row, refusal := failover.RowFor(step, item), failover.Legal(step, item)
		m.visited[row] = true
		switch {
		case refusal == nil:
			fresh := newWorld()
			fresh.perform(step, row, fresh.bring(c))
			m.cells[c][step], m.allowed[row] = "done", true
			continue
		case row.Allowed:
			m.cells[c][step] = "not offered"
		default:
			m.cells[c][step] = "refused"
		}
		w.refuses(step, item, refusal)
	}
}

// perform takes a step that its row allows and compares the end with the row.
func (w world) perform(step failover.StepKind, row failover.Row, item failover.Item) {
	w.Helper()
	w.do(step)
	want := failover.Succeeded
	if w.again(item).State == failover.StateCommitPending && step != failover.StepCleanup {
		want = failover.AwaitingCommit
	}
	if row.Next != want {
		w.Errorf("%s ends in the state %s, and the table says %s, want %s", step, w.again(item).State, row.Next, want)
	}
}

// refuses checks that a refusal helps, and that the site refuses as well when it is asked all the same.
func (w world) refuses(step failover.StepKind, item failover.Item, refusal *failover.Refusal) {
	w.Helper()
	if refusal.Message == "" || refusal.Hint == "" || refusal.Kind != failover.WrongState || strings.ContainsAny(refusal.Error(), "{}") {
		w.Errorf("%s is refused by %q, hint %q", step, refusal.Message, refusal.Hint)
	}
	accepted, calls := w.accepted(), len(w.Calls())
	if e := w.refusal(w.callFor(step, item), failover.RefusedBySite); e.Fault.Action == "" {
		w.Errorf("%s: the site refuses without an action: %+v", step, e.Fault)
	}
	now := w.item(w.VM)
	if w.accepted() != accepted || len(w.Calls()) != calls+1 || now.State != item.State || now.JobID != item.JobID || now.TestState != item.TestState {
		w.Errorf("%s was refused, and left %+v; before: %+v", step, now, item)
	}
}

// bring takes VM into a condition: by steps as far as they lead there, else the world shows its state.
func (w world) bring(c condition) failover.Item {
	w.Helper()
	replicates := c.state == failover.StateReplicates || c.state == failover.StateFirstPoint
	switch {
	case c.open:
		w.do(failover.StepTest)
	case c.state == failover.StateCommitPending:
		w.ready(failover.StepCommit)
	case c.state == failover.StateCommitted:
		w.ready(failover.StepReprotect)
	case replicates && !c.busy: // no job runs then that Ferry could begin
		w.ready(failover.StepReprotect)
		w.do(failover.StepReprotect)
	}
	for c.state == failover.StateFirstPoint && w.item(w.VM).State == failover.StateReplicates {
		w.wait(30 * time.Second)
	}
	if item := w.item(w.VM); c.busy {
		i := slices.IndexFunc(steps(), func(s failover.StepKind) bool { return failover.Legal(s, item) == nil })
		w.begin(w.callFor(steps()[i], item))
	}
	if w.item(w.VM).State != c.state {
		w.Show(c.state)
	}
	item := w.item(w.VM)
	if item.State != c.state || open(item) != c.open || (item.JobID != "") != c.busy {
		w.Fatalf("brought to %+v, want %s", item, c)
	}
	return item
}

// String is a table with a line for each condition.
func (m matrix) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-64s", "")
	for _, step := range steps() {
		fmt.Fprintf(&b, " %-15s", step)
	}
	for _, c := range conditions() {
		fmt.Fprintf(&b, "\n%-64s", c)
		for _, step := range steps() {
			fmt.Fprintf(&b, " %-15s", cmp.Or(m.cells[c][step], "untested"))
		}
	}
	return b.String()
}
