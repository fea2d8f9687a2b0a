package vault

import (
	"cmp"
	"math"
	"time"
)

// How much of the past the state of the world shows; [Vault.Jobs] and [Vault.Ledger] have all of it.
const (
	worldJobs   = 20 // ended ones
	worldLedger = 50
)

// worldState is the answer of GET /state. Times are UTC as clients of the vault see them.
type worldState struct {
	Clock      worldTime    `json:"clock"`
	SourceDown bool         `json:"source_down"`
	Operator   bool         `json:"operator"` // clients have no more than that role
	Source     string       `json:"source"`   // display names of the regions
	Target     string       `json:"target"`
	VMs        []worldVM    `json:"vms"`
	Plans      []worldPlan  `json:"plans"`
	Jobs       []worldJob   `json:"jobs"`   // oldest first
	Ledger     []worldCall  `json:"ledger"` // oldest first
	Faults     []worldFault `json:"faults"` // armed, oldest first
}

type worldTime struct {
	Now    time.Time `json:"now"`
	Speed  float64   `json:"speed"`
	Paused bool      `json:"paused"`
}

type worldVM struct {
	Vault       string     `json:"vault"`
	Name        string     `json:"name"`
	From        string     `json:"from"` // direction of the replication
	To          string     `json:"to"`
	RunsIn      string     `json:"runs_in"`
	State       string     `json:"state"`
	Description string     `json:"description"`
	Health      string     `json:"health"`
	Replicating bool       `json:"replicating"`
	NewestPoint *time.Time `json:"newest_point"` // null when there is none
	Portal      string     `json:"portal"`       // what a person would do next, empty for nothing
	Operations  []string   `json:"operations"`   // all that a person may start now
	Drill       string     `json:"drill"`        // name of the test VM, empty when no drill is open
	Percent     *int       `json:"percent"`      // of an initial replication, null outside of one
	FailedOver  bool       `json:"failed_over"`  // runs on the recovery side, until a reprotect
	Reversed    bool       `json:"reversed"`     // replicates towards the region that it came from
	Leftover    string     `json:"leftover"`     // ARM id of a VM that a failback left behind
	Size        string     `json:"size"`         // of the VM that a failover makes
	Group       string     `json:"group"`        // multi-VM consistency group
}

// worldPlan is a recovery plan: names of VMs by group, in the order in which they boot.
type worldPlan struct {
	Vault  string     `json:"vault"`
	Name   string     `json:"name"`
	Groups [][]string `json:"groups"`
}

type worldJob struct {
	Vault       string      `json:"vault"`
	ID          string      `json:"id"`
	VM          string      `json:"vm"`   // empty for a plan's job
	Plan        string      `json:"plan"` // empty for a VM's
	Name        string      `json:"name"`
	State       string      `json:"state"`
	Description string      `json:"description"`
	Start       time.Time   `json:"start"`
	End         *time.Time  `json:"end"`  // null while it runs
	Done        float64     `json:"done"` // 0 to 1, in thousandths, so that it stands still in a pause
	Tasks       []worldTask `json:"tasks"`
	Complaint   string      `json:"complaint"` // error or warning of an ended job
}

type worldTask struct {
	Name  string `json:"name"`
	State string `json:"state"` // as the job's JSON says it
}

type worldCall struct {
	Vault     string    `json:"vault"`
	At        time.Time `json:"at"`
	Source    string    `json:"source"`
	Operation string    `json:"operation"`
	VM        string    `json:"vm"`   // empty when the call was about a plan
	Plan      string    `json:"plan"` // empty when it was about a VM
	Accepted  bool      `json:"accepted"`
	Status    int       `json:"status"`
}

func (v *Vault) worldState() worldState {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.settle()
	s := worldState{
		Clock:      worldTime{Now: v.clock.wall(now), Speed: v.clock.speed(), Paused: v.clock.paused()},
		SourceDown: v.regions[0].down, Operator: v.options.Operator, Source: v.regions[0].name, Target: v.regions[1].name,
		VMs: []worldVM{}, Plans: []worldPlan{}, Jobs: []worldJob{}, Ledger: []worldCall{}, Faults: []worldFault{},
	}
	for _, v := range v.vaults {
		for _, it := range v.items {
			s.VMs = append(s.VMs, v.worldVM(it, now))
		}
		for _, p := range v.plans {
			s.Plans = append(s.Plans, v.worldPlan(p))
		}
		for i, j := range v.jobs {
			if !j.ended(now) || i >= len(v.jobs)-worldJobs {
				s.Jobs = append(s.Jobs, v.worldJob(j, now))
			}
		}
	}
	for _, c := range v.ledger[max(0, len(v.ledger)-worldLedger):] {
		s.Ledger = append(s.Ledger, worldCall{c.Vault, c.At, c.Source, c.Operation, c.VM, c.Plan, c.Accepted, c.Status})
	}
	v.disarm(now)
	for _, f := range v.faults {
		s.Faults = append(s.Faults, shownFault(f.Fault))
	}
	return s
}

func (v *Vault) worldPlan(p *plan) worldPlan {
	view := worldPlan{Vault: v.options.VaultName, Name: p.name, Groups: [][]string{}}
	for _, boot := range p.boot {
		group := []string{}
		for _, it := range boot {
			group = append(group, it.vm)
		}
		view.Groups = append(view.Groups, group)
	}
	return view
}

func (v *Vault) worldVM(it *item, now time.Duration) worldVM {
	facts := factsOf(it.protectionState)
	view := worldVM{
		Vault: v.options.VaultName, Name: it.vm, From: it.primary.name, To: it.recovery.name, RunsIn: it.primary.name,
		State: it.protectionState, Description: facts.description, Health: it.health(), Replicating: it.replicating(),
		Operations: []string{}, FailedOver: it.replica != nil, Reversed: !it.primary.home, Size: it.size, Group: it.group,
	}
	if it.drill != nil {
		view.Drill = it.drill.machine.name
	}
	if it.leftover != nil {
		view.Leftover = it.leftover.id()
	}
	if it.seeding != nil {
		view.Percent = new(it.percent(now))
	}
	if facts.activeLocation == "Recovery" {
		view.RunsIn = it.recovery.name
	}
	if p, ok := it.newestPoint(now); ok {
		at := v.clock.wall(p.at)
		view.NewestPoint = &at
	}
	for _, a := range v.actions() {
		if v.allows(it, a) {
			view.Operations = append(view.Operations, a.operation)
			view.Portal = cmp.Or(view.Portal, a.operation)
		}
	}
	return view
}

func (v *Vault) worldJob(j *job, now time.Duration) worldJob {
	view := worldJob{
		Vault: v.options.VaultName, ID: j.id, VM: j.vm(), Plan: j.planName(), Name: j.action.friendlyName, Start: v.clock.wall(j.start), Done: 1, Tasks: []worldTask{},
	}
	view.State, view.Description = j.state(now)
	if j.ended(now) {
		end := v.clock.wall(j.end())
		view.End = &end
	} else if j.plan == nil {
		view.Done = math.Round(1000*float64(now-j.start)/float64(j.end()-j.start)) / 1000
	}
	if j.plan != nil {
		view.Done = j.plan.done(now)
		for _, s := range j.steps(now) {
			view.Tasks = append(view.Tasks, worldTask{s.friendlyName, s.description})
		}
	} else {
		for i, r := range j.runs() {
			_, state := r.state(now, j.failure != nil && i == j.action.works)
			view.Tasks = append(view.Tasks, worldTask{r.friendlyName, state})
		}
	}
	if e, _ := j.complaint(now); e != nil {
		view.Complaint = e.message
	}
	return view
}
