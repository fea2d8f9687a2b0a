package failover

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Terms are what an approval holds for, field by field, in words that people compare. What is shown and does not bind, such
// as health, is not among them.
type Terms []Term

// Term is one field of them.
type Term struct{ Field, Value string }

// Difference is a field that is not as it was approved.
type Difference struct {
	Field    string `json:"field"`
	Approved string `json:"approved"`
	Now      string `json:"now"`
}

// none is the value of what is not there.
const none = "none"

// Diff lists what is not as it was approved. ARM ids and regions vary in case.
func (approved Terms) Diff(now Terms) []Difference {
	var changed []Difference
	for _, a := range approved {
		i := slices.IndexFunc(now, func(n Term) bool { return n.Field == a.Field })
		value := none
		if i >= 0 {
			value = now[i].Value
		}
		if !strings.EqualFold(a.Value, value) {
			changed = append(changed, Difference{a.Field, a.Value, value})
		}
	}
	for _, n := range now {
		if !slices.ContainsFunc(approved, func(a Term) bool { return a.Field == n.Field }) {
			changed = append(changed, Difference{n.Field, none, n.Value})
		}
	}
	return changed
}

// differences are those between what was approved for a step and what is there now.
func differences(op Operation, t Target, kind StepKind, seen Observation) []Difference {
	if t.Lead {
		return planTerms(op, kind, *op.Plan.Recovery, nil).Diff(planTerms(op, kind, seen.Recovery, seen.Members))
	}
	before := t.Item
	before.State, before.TestState = expected(kind, t.Item)
	point, found := pointTerm(op, t, kind, seen)
	changed := terms(kind, before, point, t.Reversal).Diff(terms(kind, seen.Item, found, seen.Reversal))
	return append(changed, otherSize(op, t, kind, seen.Item)...)
}

// expected is the state of an item that a step was approved for: half-way it is the one that the steps before lead to.
func expected(kind StepKind, item Item) (state, test string) {
	switch kind {
	case StepCommit, StepChange:
		return StateCommitPending, item.TestState
	case StepFailover, StepTest, StepCleanup, StepReprotect, StepReprotectAgain, StepProbe, StepCheck, StepSurvey, StepResize:
	}
	return item.State, item.TestState
}

func terms(kind StepKind, item Item, point string, reversal *Reversal) Terms {
	drill := none
	if item.drilled() {
		drill = "open"
	}
	all := Terms{{"state", item.State}}
	switch kind {
	case StepFailover, StepTest:
		return append(all, Term{"direction", item.From + " to " + item.To}, Term{"recovery point", point}, Term{"test failover", drill})
	case StepCleanup:
		return append(all, Term{"test failover", drill})
	case StepChange:
		return append(all, Term{"recovery point", point})
	case StepCommit:
		return append(all, Term{"recovery point in use", point})
	case StepReprotect, StepReprotectAgain:
		if reversal != nil {
			return append(all, reversal.terms()...)
		}
	case StepProbe, StepCheck, StepSurvey, StepResize:
	}
	return all
}

// pointTerm is the recovery point that was approved and the one that there is for it: any that is not older than the one
// shown, where the newest was asked for, and that very one else.
func pointTerm(op Operation, t Target, kind StepKind, seen Observation) (approved, now string) {
	switch kind {
	case StepFailover, StepTest:
		if t.Shown == nil {
			return "", ""
		}
		approved = t.Shown.words()
		point, refusal := Choose(seen.Points, op.Plan.Point)
		switch {
		case refusal != nil:
			return approved, none
		case point.Time.Before(t.Shown.Time):
			return approved, point.words()
		}
	case StepChange:
		if op.Change == nil {
			return "", ""
		}
		approved = op.Change.Point.words()
		if _, refusal := Choose(seen.Points, Point{Kind: ByID, ID: op.Change.Point.ID}); refusal != nil {
			return approved, none
		}
	case StepCommit:
		approved = "as the card shows it"
		if !t.PointUsed.IsZero() {
			approved = "of " + stamp(t.PointUsed)
		}
		if elsewhere(op, t, seen.Item) {
			return approved, "another, " + seen.Item.Point
		}
	case StepCleanup, StepReprotect, StepReprotectAgain, StepProbe, StepCheck, StepSurvey, StepResize:
	}
	return approved, approved
}

func (p RecoveryPoint) words() string {
	text := "of " + stamp(p.Time)
	if p.AppConsistent {
		text += ", application-consistent"
	}
	return text
}

// terms are what a reprotect would use and create.
func (r *Reversal) terms() Terms {
	all := Terms{
		{"direction", r.From + " to " + r.To},
		{"container", r.Container},
		{"replication policy", r.Policy},
		{"resource group", r.ResourceGroup},
		{"network", r.Network},
		{"availability set", r.AvailabilitySet},
		{"zone", r.Zone},
		{"full copy", yesNo(r.FullCopy)},
		{"creates", strings.Join(r.Creates, ", ")},
	}
	for _, d := range r.Disks {
		all = append(all, Term{"disk " + d.Name, fmt.Sprintf("%s, %d bytes, type %s, by %s", d.ID, d.Bytes, d.Type, d.Cache)})
	}
	return slices.DeleteFunc(all, func(t Term) bool { return t.Value == "" })
}

// planTerms are what a whole recovery plan moves, group by group, and where to. Without members they are as approved.
func planTerms(op Operation, kind StepKind, plan RecoveryPlan, members map[string]Item) Terms {
	name := func(key string) string {
		for _, t := range op.Targets {
			if t.Item.Key == key {
				return t.Item.Name
			}
		}
		if m, ok := members[key]; ok {
			return m.Name
		}
		return key
	}
	var order []string
	for _, key := range plan.Keys() {
		order = append(order, name(key))
	}
	all := Terms{{"VMs of the plan, in order", strings.Join(order, ", ")}}
	for _, t := range op.Targets {
		if t.Lead || t.Phase != Running {
			continue
		}
		item := t.Item
		if item.State, _ = expected(kind, t.Item); members != nil {
			item = members[t.Item.Key]
		}
		all = append(all, Term{"state of " + t.Item.Name, item.State})
		if kind == StepFailover {
			all = append(all, Term{"direction of " + t.Item.Name, item.From + " to " + item.To})
		}
	}
	return all
}

// terms are what a rule demands, and of whom.
func (r Rule) terms() Terms {
	return Terms{
		{"approvals", strconv.Itoa(r.Approvals)},
		{"approvals from a terminal", strconv.Itoa(r.TerminalApprovals)},
		{"who approves", strings.Join(r.Approvers, ", ")},
		{"who asks may approve", yesNo(r.SelfApproval)},
		{"who may ask", strings.Join(r.May, ", ")},
		{"name typed before a commit", yesNo(r.ConfirmName)},
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// voided reports whether it ended because what was approved did not hold any more.
func (o Operation) voided() bool {
	return slices.ContainsFunc(o.Targets, func(t Target) bool { return len(t.Changed) > 0 })
}

// typed is what to type for the same once more, as far as it can be known.
func (o Operation) typed() string {
	const command = "/failover "
	if o.Plan.Recovery != nil {
		return command + "plan " + o.Plan.Recovery.Name
	}
	verb, names := string(o.Verb)+" ", "VM"
	if len(o.Targets) == 1 {
		names = o.Targets[0].Item.Name
	}
	switch {
	case o.Verb == VerbChange || o.Verb == VerbFailover && !o.Plan.Point.Moving():
		names += " POINT"
		if o.Verb == VerbFailover {
			verb = "run "
		}
	case o.Verb == VerbFailover:
		verb, names = "run ", names+" "+o.Plan.Point.String()
	}
	return command + verb + names
}
