package failover

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// follow watches the job to its end, and then the item: a job that succeeded is not yet an item that changed.
func follow(op Operation, t Target, step *Step, seen Observation, now time.Time) Effect {
	pace := step.pace()
	if op.Several() { // one list tells of all
		pace = LookEvery
	}
	if seen.Hidden != nil {
		return hidden(op, t, step, seen, now)
	}
	if seen.JobAt.IsZero() || seen.Job.ID != step.JobID {
		if first := step.StartedAt.Add(LookEvery); op.Several() && now.Before(first) {
			return Wait{first}
		}
		return ReadJob{step.JobID}
	}
	if t.Lead && !seen.Job.EndedAt.IsZero() { // the VMs tell how it ended, each for itself
		if seen.LookedAt.Before(seen.JobAt) || !seen.Silent.IsZero() {
			return Look{}
		}
		facts := settlePlan(op, t, step, seen, seen.Job)
		lags := seen.Job.State == JobSucceeded && now.Before(seen.JobAt.Add(SettleWithin)) &&
			slices.ContainsFunc(facts, func(f Fact) bool { _, failed := f.(StepFailed); return failed }) && len(seen.Job.Errors) == 0
		switch next := seen.LookedAt.Add(LookEvery); {
		case !lags && step.Lost > 0 && failedAll(t, facts):
			return Tell{[]Fact{mayArrive(op, t, step.Kind, whyFailed(seen.Job))}}
		case !lags:
			return Tell{facts}
		case now.Before(next):
			return Wait{next}
		}
		return Look{}
	}
	switch seen.Job.State {
	case JobSucceeded:
		return settle(t, step, seen, now)
	case JobOther: // when it has ended, the item tells how
		if !seen.Job.EndedAt.IsZero() {
			return settle(t, step, seen, now)
		}
	case JobFailed, JobCancelled:
		if step.Lost > 0 {
			return Tell{[]Fact{mayArrive(op, t, step.Kind, whyFailed(seen.Job))}}
		}
		if wait, ok := op.waitsForCapacity(t, step, whyFailed(seen.Job), now); ok {
			return Tell{[]Fact{Observed{Target: t.Item.Key, Kind: step.Kind, Tasks: seen.Job.Tasks}, wait}}
		}
		return Tell{[]Fact{StepFailed{Target: t.Item.Key, Kind: step.Kind, Tasks: seen.Job.Tasks, Fault: whyFailed(seen.Job)}}}
	case JobNotStarted, JobInProgress, JobSuspended:
	}
	if !seen.Silent.IsZero() { // what was seen last is no news
		return ReadJob{step.JobID}
	}
	note := ""
	if seen.Job.State != JobInProgress && seen.Job.State != JobNotStarted {
		note = "Azure reports the job as " + cmp.Or(seen.Job.Description, string(seen.Job.State)) + "; look at it in the portal"
	}
	if news := !seen.Job.Thin || note != ""; news && (!slices.EqualFunc(step.Tasks, seen.Job.Tasks, Task.equal) || t.Progress != cmp.Or(note, doing(seen.Job.Tasks))) {
		return Tell{[]Fact{Observed{Target: t.Item.Key, Kind: step.Kind, Tasks: seen.Job.Tasks, Note: note}}}
	}
	if next := seen.JobAt.Add(pace); now.Before(next) {
		return Wait{next}
	}
	return ReadJob{step.JobID}
}

// failedAll reports whether the step of a whole recovery plan failed.
func failedAll(lead Target, facts []Fact) bool {
	last, failed := facts[len(facts)-1].(StepFailed)
	return failed && last.Target == lead.Item.Key
}

func settle(t Target, step *Step, seen Observation, now time.Time) Effect {
	job := seen.Job
	if seen.LookedAt.Before(seen.JobAt) || !seen.Silent.IsZero() {
		return Look{}
	}
	if settled(t, step.Kind, seen.Item) {
		return Tell{[]Fact{StepDone{Target: t.Item.Key, Kind: step.Kind, PointUsed: job.PointUsed, Point: pointIn(step.Kind, seen.Item), EndedAt: endOf(step.Kind, job, now), Tasks: job.Tasks, Warning: warning(job)}}}
	}
	pace := LookEvery
	switch {
	case seen.Item.replicating(): // for hours; the item tells how far it is
		if told := replication(seen.Item) + still(seen, now); t.Progress != told {
			return Tell{[]Fact{Observed{Target: t.Item.Key, Kind: step.Kind, Tasks: job.Tasks, Note: told, JobEnded: true}}}
		}
		if pace = pollWithin; step.Poll > 0 {
			pace = step.pace()
		}
	case now.After(seen.JobAt.Add(SettleWithin)):
		return Tell{[]Fact{Stuck{Target: t.Item.Key, Why: "Azure's job has ended as " + cmp.Or(job.Description, string(job.State)) + ", but " + t.Item.Name + " is still in the state " + seen.Item.State + ".", Hint: "Look at the replicated item in the portal."}}}
	}
	if next := seen.LookedAt.Add(pace); now.Before(next) {
		return Wait{next}
	}
	return Look{}
}

// hidden ends a step whose job Azure does not show any more: the record is gone, or the right to read it. The item tells
// what became of the VM, and what it does not tell is for a person.
func hidden(op Operation, t Target, step *Step, seen Observation, now time.Time) Effect {
	if seen.LookedAt.Before(seen.JobAt) || !seen.Silent.IsZero() {
		return Look{}
	}
	const gone = "Azure does not show the job any more"
	idle := seen.Item.JobID == "" && seen.Recovery.JobID == "" && !seen.Item.replicating()
	warning := gone + "; that it is done is what the VM itself shows."
	switch {
	case t.Lead && idle && memberDone(op, step.Kind, seen):
		return Tell{settlePlan(op, t, step, seen, Job{State: JobOther, Description: "gone", Errors: []Fault{{Message: gone + "."}}})}
	case !t.Lead && idle && settled(t, step.Kind, seen.Item) && changed(op, step.Kind, seen.Item):
		return Tell{[]Fact{StepDone{Target: t.Item.Key, Kind: step.Kind, Point: pointIn(step.Kind, seen.Item), EndedAt: now, Warning: warning}}}
	case idle && now.Sub(seen.HiddenSince) >= SettleWithin:
		return Tell{[]Fact{Stuck{
			Target: t.Item.Key, Why: gone + ", and " + t.Item.Name + " is in the state " + cmp.Or(seen.Item.State, "of before") + ". Azure said: " + seen.Hidden.Message,
			Hint: "Look at " + t.Item.Name + " in the portal. To leave it as it is, type /failover cancel " + string(op.ID) + ".",
		}}}
	}
	told := gone + "; Ferry goes by what the VM itself shows"
	if seen.Item.replicating() {
		told = replication(seen.Item) + still(seen, now)
	}
	if t.Progress != told {
		o := note(t, step.Kind, told)
		o.JobEnded = seen.Item.replicating()
		return Tell{[]Fact{o}}
	}
	if next := seen.LookedAt.Add(step.pace()); now.Before(next) {
		return Wait{next}
	}
	return ReadJob{step.JobID}
}

// memberDone reports whether any VM of a recovery plan shows that a step is done to it.
func memberDone(op Operation, kind StepKind, seen Observation) bool {
	return slices.ContainsFunc(op.Targets, func(m Target) bool {
		return !m.Lead && m.Phase == Running && settled(m, kind, seen.Members[m.Item.Key])
	})
}

// changed reports whether the item shows the recovery point that a change asked for; of other steps it asks nothing.
func changed(op Operation, kind StepKind, item Item) bool {
	return kind != StepChange || op.Change != nil && strings.EqualFold(item.Point, lastSegment(op.Change.Point.ID))
}

// pointIn is the recovery point that an item shows after a step that chose one.
func pointIn(kind StepKind, item Item) string {
	if kind == StepFailover || kind == StepChange {
		return item.Point
	}
	return ""
}

// pace is how often a step is looked at: as Azure asked for, within bounds.
func (s *Step) pace() time.Duration {
	if s.Poll <= 0 {
		return LookEvery
	}
	return min(s.Poll, pollWithin)
}

// settled reports whether the item itself shows that a step is done, or that somebody went on from there in the portal.
func settled(t Target, kind StepKind, item Item) bool {
	switch kind {
	case StepFailover, StepChange:
		return item.State == StateCommitPending || item.State == StateCommitted
	case StepCommit:
		return item.State == StateCommitted
	case StepTest:
		return item.drilled()
	case StepCleanup:
		return !item.drilled()
	case StepReprotect, StepReprotectAgain:
		return item.State == StateProtected && !strings.EqualFold(item.From, t.Item.From)
	case StepResize:
		s := t.Step(kind)
		return s != nil && strings.EqualFold(item.Size, s.Size)
	case StepProbe, StepCheck, StepSurvey:
	}
	return true
}

// endOf is when a step was over: by Azure's clock, but for a reprotect, which goes on after its job.
func endOf(kind StepKind, job Job, now time.Time) time.Time {
	if kind == StepReprotect || kind == StepReprotectAgain {
		return now
	}
	return job.EndedAt
}

// replication says how far an item is on its way to Protected.
func replication(item Item) string {
	switch item.State {
	case StateFirstPoint:
		return "initial replication is done; waiting for the first recovery point"
	case StateReplicates:
		// In steps: each is a fact and an edit, and there may be a thousand VMs.
		return "initial replication to " + item.To + ": " + strconv.Itoa(item.Replicated/5*5) + " %"
	}
	return "replication is being set up"
}

// still is what to say of a replication that does not get on.
func still(seen Observation, now time.Time) string {
	if seen.StillSince.IsZero() || now.Sub(seen.StillSince) < stillFor {
		return ""
	}
	return "; no progress since " + stamp(seen.StillSince) + ", look at the replicated item's health in the portal"
}

func whyFailed(job Job) Fault {
	if len(job.Errors) > 0 {
		return job.Errors[0]
	}
	return Fault{Message: "The job ended as " + string(job.State) + " without saying why.", Action: "Open the job in the portal."}
}

// warning is what a person must see although the job succeeded.
func warning(job Job) string {
	switch job.Description {
	case "PartiallySucceeded", "CompletedWithInformation":
	default:
		if job.State != JobOther {
			return ""
		}
	}
	if len(job.Errors) == 0 {
		return "Azure reports " + cmp.Or(job.Description, string(job.State)) + "."
	}
	return strings.TrimSpace(job.Errors[0].Message + " " + job.Errors[0].Action)
}
