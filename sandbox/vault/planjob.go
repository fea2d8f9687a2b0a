package vault

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// planRun is the part of a job that is a plan's: waves of VMs, one after another, each VM with a job of its own.
type planRun struct {
	plan   *plan
	action planAction
	input  planInput
	waves  []wave
	at     int // the wave at work; -1 before the first
	end    time.Duration
}

// wave is what starts at the same moment.
type wave struct {
	title    string
	group    int // of the plan, from 0; -1 is all
	items    []*item
	children []child
	from, to time.Duration
}

// child is one VM's share.
type child struct {
	item    *item
	job     *job          // nil when it was refused
	refused *serviceError // why
}

// failed reports whether the VM's share did not succeed.
func (c child) failed() bool {
	return c.job == nil || c.job.failure != nil || c.job.cancelled != nil
}

func (c child) ended(now time.Duration) bool { return c.job == nil || c.job.ended(now) }

func (w wave) ended(now time.Duration) bool {
	return !slices.ContainsFunc(w.children, func(c child) bool { return !c.ended(now) })
}

// failures counts the children that did not succeed.
func (w wave) failures() (n int) {
	for _, c := range w.children {
		if c.failed() {
			n++
		}
	}
	return n
}

// startPlan begins a plan's job, or returns an error that wraps ErrNotAllowed and changes nothing.
func (v *Vault) startPlan(p *plan, a planAction, in planInput, from origin, now time.Duration) (*job, error) {
	members := v.members(p, a)
	if p.busy(now) || len(members) == 0 {
		return nil, fmt.Errorf("%w: %s of the recovery plan %s, which allows %s",
			ErrNotAllowed, a.word, p.name, strings.Join(v.allowedOfPlan(p, now), ", "))
	}
	run := &planRun{plan: p, action: a, input: in, at: -1, end: forever}
	for i, group := range p.boot {
		group = slices.DeleteFunc(slices.Clone(group), func(it *item) bool { return !slices.Contains(members, it) })
		if a.inWaves && len(group) > 0 {
			run.waves = append(run.waves, wave{title: fmt.Sprintf("Group %d: %s (%d)", i+1, a.title, len(group)), group: i, items: group})
		}
	}
	if !a.inWaves {
		run.waves = []wave{{title: fmt.Sprintf("All groups: %s (%d)", a.title, len(members)), group: -1, items: members}}
	}
	j := &job{
		id: uuid.NewString(), action: a.job(), plan: run, start: now, primary: &v.regions[0], recovery: &v.regions[1],
		target: guid(v.options.VaultName, p.name, "plan"), location: v.planID(p),
		clientRequestID: from.clientRequestID, correlationID: from.correlationID,
	}
	v.spoil(j)
	v.jobs = append(v.jobs, j)
	p.job = j
	switch a.operation {
	case opUnplannedFailover:
		p.doneFor = new(now)
	case opTestFailover:
		p.drilled = new(now)
	}
	v.postpone(now+a.checks, func(at time.Duration) { v.nextWave(j, from, at) })
	return j, nil
}

// nextWave starts the VMs of the next group, or ends the job. A wave of VMs that all refuse is over at once.
func (v *Vault) nextWave(j *job, from origin, now time.Duration) {
	run := j.plan
	if j.failure != nil { // armed as a fault: nothing is started
		run.end = now
		return
	}
	a, _ := v.findAction(run.action.operation)
	for run.at++; run.at < len(run.waves); run.at++ {
		w := &run.waves[run.at]
		w.from, w.to = now, now
		for _, it := range w.items {
			started := child{item: it}
			var err error
			if started.job, err = v.start(it, a, v.inputOf(it, run.input, now), from, now); err != nil {
				started.refused = &serviceError{
					code: v.options.ConflictCode, message: err.Error(),
					causes: "The virtual machine was changed by another job while the recovery plan ran.",
					action: "Look at the virtual machine, then run the operation for it alone.",
				}
			}
			w.children = append(w.children, started)
		}
		if !w.ended(now) {
			return
		}
		if v.stopsAt(w) {
			break
		}
	}
	run.conclude(j, v.options.Guesses, now)
}

func (v *Vault) stopsAt(w *wave) bool {
	return v.options.Guesses.PlanStopsAtFailure && w.failures() > 0
}

// movePlans goes on with every plan whose wave is over.
func (v *Vault) movePlans(now time.Duration) {
	for _, p := range v.plans {
		if !p.busy(now) || p.job.plan.at < 0 {
			continue
		}
		run := p.job.plan
		w := &run.waves[run.at]
		if !w.ended(now) {
			continue
		}
		w.to = now
		if v.stopsAt(w) {
			run.conclude(p.job, v.options.Guesses, now)
			continue
		}
		v.nextWave(p.job, origin{p.job.clientRequestID, p.job.correlationID}, now)
	}
}

// conclude ends the job. What becomes of a plan of which some VMs failed is guessed; see [Guesses].
func (run *planRun) conclude(j *job, g Guesses, now time.Duration) {
	run.end = now
	var names []string
	all, warned := 0, false
	for _, w := range run.waves {
		all += len(w.items)
		for _, c := range w.children {
			if c.failed() {
				names = append(names, c.item.vm)
			}
			warned = warned || c.job != nil && c.job.warning != nil
		}
	}
	if len(names) == 0 && !warned {
		return
	}
	e := &serviceError{
		code: "RecoveryPlanIncomplete", message: "The recovery plan did not succeed for " + strings.Join(names, ", ") + ".",
		causes: "The jobs of these virtual machines say why.", action: "Mend the causes and run the operation for these virtual machines.",
	}
	switch {
	case len(names) == 0:
		e.message = "The jobs of some virtual machines succeeded with warnings."
		j.warning = e
	case len(names) == all || g.PlanStopsAtFailure:
		j.failure = e
	default:
		j.warning = e
	}
}

// done is how much of the waves is done, from 0 to 1.
func (run *planRun) done(now time.Duration) float64 {
	if now >= run.end {
		return 1
	}
	return float64(max(0, run.at)) / float64(len(run.waves)+1)
}
