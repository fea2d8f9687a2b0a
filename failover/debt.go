package failover

import (
	"slices"
	"time"
)

// DebtKind is what a failover or a drill has left open.
type DebtKind string

const (
	// Uncommitted: failed over, and the failover is not final.
	Uncommitted DebtKind = "uncommitted"
	// Unprotected: failed over and committed; a second outage would find no copy.
	Unprotected DebtKind = "unprotected"
	// DrillOpen: a test failover has not been cleaned up, and costs money.
	DrillOpen DebtKind = "drill_open"
	// ReviewOpen: somebody broke the glass, and nobody else has looked at it yet.
	ReviewOpen DebtKind = "review"
)

// Debt is one thing that somebody has to settle.
type Debt struct {
	Name  string    `json:"name"`
	Vault string    `json:"vault"`
	Typed string    `json:"typed"` // what to type for the VM
	Kind  DebtKind  `json:"kind"`
	Since time.Time `json:"since,omitzero"` // zero when it is not known
	// Owner asked for what left it open; the zero actor is somebody outside Ferry.
	Owner Actor  `json:"owner,omitzero"`
	Op    OpID   `json:"op,omitempty"`  // that left it open, or that waits for it now
	Job   string `json:"job,omitempty"` // scenario of the job that runs on the VM now
}

// DebtList is what is owed by the inventory of one moment.
type DebtList struct {
	Debts []Debt `json:"debts"` // oldest first
	// Protecting are the VMs on their way to being protected, as one types them. They owe nothing.
	Protecting []string  `json:"protecting,omitempty"`
	At         time.Time `json:"at,omitzero"` // of the inventory; zero when Azure was never read
}

// Debts derives what is owed from the state of the vaults, never from who holds a VM: a cancelled operation leaves its debt.
// The operations tell since when and who asked.
func Debts(inv Inventory, ops []Operation) DebtList {
	list := DebtList{At: inv.At}
	inv = inv.Since(ops)
	for _, i := range inv.Items {
		typed := Typed(i, inv.Items)
		if i.drilled() {
			list.Debts = append(list.Debts, debtOf(i, typed, DrillOpen, ops))
		}
		switch {
		case i.State == StateCommitPending:
			list.Debts = append(list.Debts, debtOf(i, typed, Uncommitted, ops))
		case i.State == StateCommitted:
			list.Debts = append(list.Debts, debtOf(i, typed, Unprotected, ops))
		case i.replicating():
			list.Protecting = append(list.Protecting, typed)
		}
	}
	for _, op := range ops { // of what was done, not of the state of a VM
		if op.Unreviewed() {
			list.Debts = append(list.Debts, reviewDebt(op))
		}
	}
	slices.SortStableFunc(list.Debts, func(a, b Debt) int {
		if a.Since.IsZero() != b.Since.IsZero() { // what is not known comes last
			return b.Since.Compare(a.Since)
		}
		return a.Since.Compare(b.Since)
	})
	slices.Sort(list.Protecting)
	return list
}

func debtOf(i Item, typed string, kind DebtKind, ops []Operation) Debt {
	d := Debt{Name: i.Name, Vault: i.Vault, Typed: typed, Kind: kind, Since: i.LastFailover, Job: i.Scenario}
	cause := StepFailover
	if kind == DrillOpen {
		d.Since, cause = i.LastTest, StepTest
	}
	if op, step := leftBy(i, cause, d.Since, ops); step != nil {
		d.Owner, d.Op, d.Since = op.RequestedBy, op.ID, step.StartedAt
		if !step.EndedAt.IsZero() {
			d.Since = step.EndedAt
		}
		return d
	}
	for _, op := range ops { // not what left it open, but what may settle it
		if !op.Phase.Final() && slices.ContainsFunc(op.Targets, func(t Target) bool { return t.Item.Key == i.Key }) {
			d.Op = op.ID
		}
	}
	return d
}

// sameMoment is how far Azure's word for when something was done may lie from the end of its job.
const sameMoment = 10 * time.Minute

// leftBy finds the newest step of a kind on an item, and its operation. When Azure says that the item was failed over, or
// tested, clearly later than that, somebody did it again outside Ferry.
func leftBy(i Item, kind StepKind, last time.Time, ops []Operation) (op Operation, newest *Step) {
	for _, o := range ops {
		for n := range o.Targets {
			t := &o.Targets[n]
			s := t.Step(kind)
			if t.Item.Key != i.Key || s == nil || s.State == StateFailed || newest != nil && s.StartedAt.Before(newest.StartedAt) {
				continue
			}
			op, newest = o, s
		}
	}
	if newest != nil && !newest.EndedAt.IsZero() && last.After(newest.EndedAt.Add(sameMoment)) {
		return Operation{}, nil
	}
	return op, newest
}

// Since is the inventory with what Ferry's own steps have done to its items after the reading: nobody is told that nothing is
// owed while a card waits for the commit.
func (inv Inventory) Since(ops []Operation) Inventory {
	inv.Items = slices.Clone(inv.Items)
	done := doneSince(inv.At, ops)
	for n := range inv.Items {
		i := &inv.Items[n]
		for _, s := range done[i.Key] {
			i.after(s)
		}
	}
	return inv
}

// doneSince are the steps that ended after a moment, by the key of their item, oldest first.
func doneSince(moment time.Time, ops []Operation) map[string][]Step {
	done := map[string][]Step{}
	for _, op := range ops {
		for n := range op.Targets {
			t := &op.Targets[n]
			for _, s := range t.Steps {
				if s.State == StateDone && s.EndedAt.After(moment) {
					done[t.Item.Key] = append(done[t.Item.Key], s)
				}
			}
		}
	}
	for _, steps := range done {
		slices.SortStableFunc(steps, func(a, b Step) int { return a.EndedAt.Compare(b.EndedAt) })
	}
	return done
}

// after is what a step that is done leaves of an item, as far as lists show it.
func (i *Item) after(s Step) {
	switch s.Kind {
	case StepFailover, StepChange:
		i.State, i.Active = StateCommitPending, i.To
	case StepCommit:
		i.State = StateCommitted
	case StepReprotect, StepReprotectAgain:
		i.State, i.From, i.To = StateProtected, i.To, i.From
	case StepTest:
		i.TestState = "WaitingForCompletion"
	case StepCleanup:
		i.TestState = "None"
	case StepProbe, StepCheck, StepSurvey, StepResize:
	}
}
