package vault

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// The values of [Call].Source.
const (
	SourceAPI    = "api"    // an HTTP request
	SourcePortal = "portal" // see [Vault.Portal]
)

// Call is one mutating call that reached the vault.
type Call struct {
	At              time.Time // UTC; for a [Late] call when it arrived, not when it was sent
	Source          string
	Vault           string          // name of the vault addressed
	Operation       string          // such as "unplannedFailover"
	VM              string          // friendly name, empty when the path named no item
	Plan            string          // name of the recovery plan, empty when the path named none
	ItemID          string          // ARM id of the item or plan, or the path asked for when it named neither
	ClientRequestID string          // x-ms-client-request-id as sent
	JobID           string          // GUID, empty unless accepted, and for what needs no job
	Accepted        bool            // work was started
	Status          int             // answered; after a [LostAnswer], [ErrorAfterWork] or [Late] what would have been answered
	Body            json.RawMessage // as sent; nil when empty or not JSON
}

// Ledger returns every mutating call that reached the vault, in order of arrival, those refused too. It is the judge of
// "never two calls accepted for one intent".
func (v *Vault) Ledger() []Call {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.settle()
	return slices.Clone(v.ledger)
}

func (v *Vault) record(c *call, r reply) {
	entry := Call{
		At: v.clock.wall(c.at), Source: SourceAPI, Vault: v.options.VaultName, Operation: c.route.operation, ItemID: c.path,
		ClientRequestID: c.clientRequestID, JobID: r.jobID, Accepted: r.jobID != "" || r.done, Status: r.status,
	}
	if it := cmp.Or(c.item, v.findItem(c)); it != nil {
		entry.VM, entry.ItemID = it.vm, v.itemID(it)
	}
	if p := v.findPlan(c); p != nil {
		entry.Plan, entry.ItemID = p.name, v.planID(p)
	}
	if json.Valid(c.body) {
		entry.Body = c.body
	}
	v.ledger = append(v.ledger, entry)
}

// Item is a replicated VM as the world knows it.
type Item struct {
	Vault                         string // its vault's name
	Name, ID                      string // friendly name; ARM id
	PrimaryRegion, RecoveryRegion string // display names, as the item has them now
	ProtectionState               string
	Active                        string    // activeLocation: "Primary" or "Recovery"
	Job                           string    // GUID of the running job, empty when idle
	NewestPoint                   time.Time // UTC; zero when there is no point
	Drill                         string    // name of the test VM, empty when no drill is open
	Size                          string    // of the VM that a failover makes
	Leftover                      string    // ARM id of the VM that a failback left behind, or empty
}

// Items returns all replicated VMs in a fixed order, vault by vault.
func (v *Vault) Items() []Item {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.settle()
	var items []Item
	for _, v := range v.vaults {
		for _, it := range v.items {
			items = append(items, v.view(it, now))
		}
	}
	return items
}

func (v *Vault) view(it *item, now time.Duration) Item {
	view := Item{
		Vault: v.options.VaultName, Name: it.vm, ID: v.itemID(it), PrimaryRegion: it.primary.name, RecoveryRegion: it.recovery.name,
		ProtectionState: it.protectionState, Size: it.size, Active: factsOf(it.protectionState).activeLocation,
	}
	if it.drill != nil {
		view.Drill = it.drill.machine.name
	}
	if it.leftover != nil {
		view.Leftover = it.leftover.id()
	}
	if it.job != nil {
		view.Job = it.job.id
	}
	if p, ok := it.newestPoint(now); ok {
		view.NewestPoint = v.clock.wall(p.at)
	}
	return view
}

// Job is one asynchronous operation as the world knows it.
type Job struct {
	Vault                   string // its vault's name
	ID, Scenario, VM        string // GUID; scenarioName; friendly name of the VM
	Plan                    string // name of the recovery plan when it is a plan's job, which has no VM
	State, StateDescription string
	Task                    string    // friendly name of the running task, empty when none runs
	Start, Begun, End       time.Time // UTC; accepted, after it waited for its turn, ended; zero while that is yet to come
}

// Jobs returns every job since the vault was made, vault by vault and oldest first.
func (v *Vault) Jobs() []Job {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.settle()
	var jobs []Job
	for _, v := range v.vaults {
		for _, j := range v.jobs {
			jobs = append(jobs, v.viewJob(j, now))
		}
	}
	return jobs
}

func (v *Vault) viewJob(j *job, now time.Duration) Job {
	view := Job{Vault: v.options.VaultName, ID: j.id, Scenario: j.action.scenario, VM: j.vm(), Plan: j.planName(), Start: v.clock.wall(j.start)}
	view.State, view.StateDescription = j.state(now)
	if !j.waiting() {
		view.Begun = v.clock.wall(j.start + j.waited)
	}
	if j.ended(now) {
		view.End = v.clock.wall(j.end())
	} else {
		view.Task = j.running(now)
	}
	return view
}
