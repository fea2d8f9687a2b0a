package failover

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A change of size is part of a failover that found no capacity, and no part of an operation of its own: the VM's step is the failover
// all the time. It moves no VM and asks for nothing that was not approved, so that nobody has to look where it fails: the failover is
// tried in another size, or later.

// resizing is the change of size that is under way for a VM; nil when none is, or a failover was called since.
func (t *Target) resizing() *Step {
	if n := len(t.Steps); n > 0 && t.Doing == StepFailover && t.Steps[n-1].Kind == StepResize && running(&t.Steps[n-1]) {
		return &t.Steps[n-1]
	}
	return nil
}

// wantedSize is the size that the vault has to name before the failover is called again; empty where any will do.
func (o Operation) wantedSize(t Target) string {
	all, since := o.shortages(t)
	if all == 0 || len(o.sizes(t)) == 1 {
		return ""
	}
	_, size, _ := o.triedAgain(t, all, since, time.Time{})
	return size
}

// outsized reports whether the vault may name another size than the wanted one.
func (o Operation) outsized(t Target, seen Observation) bool {
	want := o.wantedSize(t)
	return want != "" && (seen.LookedAt.IsZero() || !strings.EqualFold(seen.Item.Size, want))
}

// resize names the wanted size in the vault. All that the failover rests on holds.
func resize(op Operation, t Target, seen Observation) Act {
	attempt, size := 1, op.wantedSize(t)
	if last := t.Step(StepResize); last != nil {
		attempt = last.Attempt + 1
	}
	id := ClientRequestID(op.ID, t.Item.Key, StepResize, attempt)
	return acts(op, t, StepResize, attempt, Call{Kind: StepResize, Item: seen.Item, Size: size, ClientRequestID: id})
}

// followResize sees a change of size through. Whatever becomes of it, nobody has to look.
func followResize(op Operation, t Target, step *Step, seen Observation, now time.Time) Effect {
	e := Effect(Wait{step.Until})
	switch step.State {
	case StateStarted:
		e = reconcile(op, t, step, seen, now)
	case StateAccepted:
		e = follow(op, t, step, seen, now)
	case StateDelayed:
		if !now.Before(step.Until) {
			e = begin(op, t, StepFailover, t.Step(StepFailover).Attempt+1, seen, now)
		}
	case StateDone, StateFailed:
	}
	return unattended(e)
}

// unattended makes a failure of what a person would have to look at.
func unattended(e Effect) Effect {
	if tell, ok := e.(Tell); ok {
		for i := range tell.Facts {
			if stuck, ok := tell.Facts[i].(Stuck); ok {
				tell.Facts[i] = StepFailed{Target: stuck.Target, Kind: StepResize, Fault: Fault{Message: stuck.Why}}
			}
		}
	}
	return e
}

// unresized tells how it goes on when the vault did not take a size; false where that was told, or a failover was called since.
func unresized(op Operation, t Target, now time.Time) (Fact, bool) {
	last, step := t.Steps[len(t.Steps)-1], t.Step(StepFailover)
	if last.Kind != StepResize || last.State != StateFailed || step == nil || step.State != StateDelayed || !step.Until.Before(last.EndedAt) {
		return nil, false
	}
	all, since := op.shortages(t)
	why := Fault{Message: last.untaken(), Capacity: t.Short}
	if wait, ok := op.delayed(t, all, since, why, later(now, last.EndedAt)); ok { // whoever tells it may have a clock that is behind
		return wait, true
	}
	return StepFailed{Target: t.Item.Key, Kind: StepFailover, Fault: why}, true
}

// untaken says that the vault did not take a size, and why.
func (s *Step) untaken() string { return "the vault does not name " + s.Size + " for it: " + s.Warning }

// evolveResize folds what became of a change of size; false where a fact tells nothing of that. The failover goes on from there.
func evolveResize(t *Target, step *Step, r Record) bool {
	done, made := r.Fact.(StepDone)
	failed, unmade := r.Fact.(StepFailed)
	switch {
	case made:
		step.State, step.EndedAt = StateDone, done.EndedAt
		t.Progress = "the vault names " + step.Size + " for it now"
	case unmade:
		step.State, step.Warning = StateFailed, strings.TrimSpace(failed.Fault.Message+" "+failed.Fault.Action)
		t.Progress = step.untaken()
	default:
		return false
	}
	if step.EndedAt.IsZero() {
		step.EndedAt = r.At
	}
	if tasks := append(done.Tasks, failed.Tasks...); len(tasks) > 0 {
		step.Tasks = tasks
	}
	step.Unknown = time.Time{}
	return true
}

// OtherSize is the size that the vault names for a VM since a change of it, where that is not its own; empty otherwise.
func (t *Target) OtherSize() string {
	size := ""
	for _, s := range t.Steps {
		if s.Kind == StepResize && s.State == StateDone {
			size = s.Size
		}
	}
	if strings.EqualFold(size, t.Item.Size) {
		return ""
	}
	return size
}

// UnsureSize is the size that the vault may name for a VM: somebody or something ended the operation before it was known whether a
// change was made; empty otherwise.
func (t *Target) UnsureSize() string {
	if s := t.Step(StepResize); t.Phase != Running && running(s) && s.State != StateDelayed {
		return s.Size
	}
	return ""
}

// alternatives are the sizes, by that of a VM, in which the VMs of a plan may be made instead: as the configuration has them. A
// recovery plan has none: Azure leads its VMs and makes them at once.
func (s Situation) alternatives(verb Verb, plan Plan, targets []Target) map[string][]string {
	if verb != VerbFailover || plan.Recovery != nil {
		return nil
	}
	var all map[string][]string
	for _, t := range targets {
		for size, others := range s.Sizes {
			if t.Item.Size != "" && strings.EqualFold(size, t.Item.Size) {
				if all == nil {
					all = map[string][]string{}
				}
				all[t.Item.Size] = others
			}
		}
	}
	return all
}

// otherSize is a size that the vault names for a VM and that is none of those that were approved.
func otherSize(op Operation, t Target, kind StepKind, now Item) []Difference {
	sizes := op.sizes(t)
	if kind != StepFailover || len(sizes) == 1 || slices.ContainsFunc(sizes, func(size string) bool { return strings.EqualFold(size, now.Size) }) {
		return nil
	}
	return []Difference{{"size", strings.Join(sizes, " or "), cmp.Or(now.Size, none)}}
}
