package failover

import (
	"slices"
	"strings"
	"time"
)

// Unanswered are the calls for a step of which nobody knows whether Azure took them, oldest first: those after the last
// one that Azure answered for good.
func (t Target) Unanswered(kind StepKind) []Step {
	var calls []Step
	for _, s := range slices.Backward(t.Steps) {
		switch {
		case s.Kind != kind || s.State == StateDelayed:
		case s.State == StateStarted:
			calls = append(calls, s)
		default:
			slices.Reverse(calls)
			return calls
		}
	}
	slices.Reverse(calls)
	return calls
}

// CallsAgain reports whether a call of which Azure shows no trace is made once more; if not, a person has to look. A change is
// not: the first call leaves the VM in the state of before, so that Azure would take both. A change of size need not be.
func (t Target) CallsAgain(kind StepKind) bool {
	return kind != StepChange && kind != StepResize && len(t.Unanswered(kind)) == 1
}

// underWay reports whether Azure has, or may have, taken a call for the step.
func underWay(t Target, kind StepKind) bool {
	s := t.Step(kind)
	return s != nil && s.State == StateAccepted || len(t.Unanswered(kind)) > 0
}

// reconcile finds out what became of calls whose answer is not known.
func reconcile(op Operation, t Target, step *Step, seen Observation, now time.Time) Effect {
	calls := t.Unanswered(step.Kind)
	if seen.SearchedAt.IsZero() || now.Sub(seen.SearchedAt) >= LookEvery {
		return Search{Since: calls[0].StartedAt}
	}
	ours, others := sift(t, calls, seen.Found)
	accepted := StepAccepted{Target: t.Item.Key, Kind: step.Kind, Adopted: true}
	switch {
	case len(ours) == 1:
		accepted.JobID = ours[0].ID
		return Tell{[]Fact{accepted}}
	case len(ours) == 0 && len(others) == 1:
		accepted.JobID = others[0].ID
		accepted.Note = "The job does not carry Ferry's request id; it is the only one on this VM since the call."
		return Tell{[]Fact{accepted}}
	case len(ours)+len(others) > 1:
		return Tell{[]Fact{Stuck{Target: t.Item.Key, Why: "Several jobs have run on " + t.Item.Name + " since the call whose answer was lost.", Hint: "Look at the vault's jobs in the portal and decide there; then type /failover cancel " + string(op.ID) + "."}}}
	}
	return lost(op, t, step, seen, now)
}

// sift divides jobs into those that carry the id of one of the calls and those that might be one of them all the same.
// Jobs that the operation knows from earlier are neither, nor are those of another kind. The inner job of a reprotect
// carries the call's id, too: it counts only as long as its outer one is not shown.
func sift(t Target, calls []Step, found []Job) (ours, others []Job) {
	for _, j := range found {
		carries := func(s Step) bool { return strings.HasPrefix(strings.ToLower(j.ActivityID), s.ClientRequestID) }
		known := func(s Step) bool { return s.JobID != "" && strings.EqualFold(s.JobID, j.ID) }
		switch {
		case slices.ContainsFunc(calls, carries):
			ours = append(ours, j)
		case !slices.ContainsFunc(t.Steps, known) && mayBe(calls[0].Kind, j.Scenario):
			others = append(others, j)
		}
	}
	whole := slices.DeleteFunc(slices.Clone(ours), func(j Job) bool { return j.Scenario == innerScenario })
	if len(whole) > 0 {
		ours = whole
	}
	return ours, others
}

// innerScenario is that of the job inside a reprotect's (recorded).
const innerScenario = "EnableDr"

// mayBe reports whether a job of a scenario could be a step's. Only the scenarios that surely are something else are left
// out: one that was never recorded may be ours.
func mayBe(kind StepKind, scenario string) bool {
	owner, known := map[string]StepKind{
		"UnplannedFailover":                StepFailover,
		"CommitFailover":                   StepCommit,
		"TestFailover":                     StepTest,
		"TestFailoverCleanup":              StepCleanup,
		"SwitchReplicationGroupProtection": StepReprotect,
		innerScenario:                      "",
	}[scenario]
	return !known || owner == kind || owner == StepReprotect && kind == StepReprotectAgain
}

// lost is a call of which Azure shows no trace (yet).
func lost(op Operation, t Target, step *Step, seen Observation, now time.Time) Effect {
	calls := t.Unanswered(step.Kind)
	last := calls[len(calls)-1]
	// A process that takes over waits anew: the clock may have been another's, or have been set meanwhile.
	again := later(last.StartedAt, seen.WatchedFrom).Add(ActAgainAfter)
	switch {
	case step.State == StateStarted && step.Unknown.IsZero():
		return Tell{[]Fact{StepUnknown{Target: t.Item.Key, Kind: step.Kind, Why: stoppedBefore}}}
	case step.Kind == StepCommit && seen.Item.State == StateCommitted && seen.Item.JobID == "":
		return Tell{[]Fact{StepDone{Target: t.Item.Key, Kind: step.Kind, Warning: "Azure shows no job for the call, but the VM is committed."}}}
	case step.Kind.IsReprotect() && settled(t, step.Kind, seen.Item) && seen.Item.JobID == "":
		return Tell{[]Fact{StepDone{Target: t.Item.Key, Kind: step.Kind, Warning: "Azure shows no job for the call, but the VM is protected in the other direction."}}}
	case step.Kind == StepCleanup && !seen.Item.drilled() && seen.Item.JobID == "":
		return Tell{[]Fact{StepDone{Target: t.Item.Key, Kind: step.Kind, Warning: "Azure shows no job for the call, but nothing of the test failover is left."}}}
	case step.Kind == StepResize && settled(t, step.Kind, seen.Item) && seen.Item.JobID == "":
		return Tell{[]Fact{StepDone{Target: t.Item.Key, Kind: step.Kind}}}
	case now.Before(again):
		return Wait{earlier(again, seen.SearchedAt.Add(LookEvery))}
	case step.Kind == StepChange && afterFailure(op, t, step.Kind) == AwaitingCommit && seen.Item.State == StateCommitPending && seen.Item.JobID == "":
		return Tell{[]Fact{StepFailed{Target: t.Item.Key, Kind: step.Kind, Fault: Fault{
			Message: "Azure gave no answer to the change and shows no job for it.",
			Action:  "To try again, type /failover change " + string(op.ID) + " POINT. Should the call still arrive, this card will show the point then in use.",
		}}}}
	case op.OnHold != nil || !t.CallsAgain(step.Kind) || !t.Lead && Legal(step.Kind, seen.Item) != nil:
		return Tell{[]Fact{noTrace(op, t)}}
	}
	return begin(op, t, step.Kind, step.Attempt+1, seen, now)
}

// stoppedBefore is why nobody knows what became of a call whose executor is gone.
const stoppedBefore = "who made it stopped before the answer came"

// noTrace leaves it to a person that a call is not answered for and cannot be made again.
func noTrace(op Operation, t Target) Stuck {
	why := "Azure gave no answer to the call and shows no job for it."
	if strings.HasPrefix(t.Progress, notKnown) {
		why = "Azure shows no job, and it is " + strings.TrimSuffix(t.Progress, ".") + "."
	}
	return Stuck{Target: t.Item.Key, Why: why, Hint: "Look at " + t.Item.Name + " in the portal; then " + op.askAgain(t)}
}

// askAgain says how to go on after a look. Of several VMs the others are not to be cancelled with the one, and one for which two
// calls were made is called for no more.
func (o Operation) askAgain(t Target) string {
	switch s := t.Step(t.Doing); {
	case o.Several() && (len(t.Unanswered(t.Doing)) > 1 || s != nil && s.Lost > 0):
		return "leave it out with /failover skip " + string(o.ID) + " " + t.Item.Name + ", and ask for it by itself once " + string(o.ID) + " is over."
	case o.Several():
		return "type /failover retry " + string(o.ID) + " " + t.Item.Name + ", or to leave it out /failover skip " + string(o.ID) + " " + t.Item.Name + "."
	}
	return "type /failover cancel " + string(o.ID) + " and ask again."
}

// mayArrive leaves it to a person when the job of one call has failed while another is not accounted for: Azure would take
// it now, so that the VM is held until somebody has looked.
func mayArrive(op Operation, t Target, kind StepKind, why Fault) Stuck {
	said := strings.TrimSuffix(strings.Join(strings.Fields(why.Code+" "+why.Message+" "+why.Cause+" "+why.Action), " "), ".")
	return Stuck{
		Target: t.Item.Key, Why: "The " + kind.noun() + " failed: " + said + ". Another call for it is not accounted for and may still arrive.",
		Hint: "Look at " + t.Item.Name + " and its jobs in the portal; when nothing runs, " + op.askAgain(t),
	}
}
