package vault

import (
	"cmp"
	"strings"
	"time"
)

// action is a mutating operation on an item and the job that it starts, as data.
type action struct {
	operation        string // last segment of the path, such as "unplannedFailover"
	word             string // the same in allowedOperations; empty when that has none
	scenario         string // scenarioName
	friendlyName     string
	to               string // protectionState after success, empty for the same
	stopsReplication bool
	unreachable      string // code of the failure when the region that it creates resources in is down, empty when in none
	tasks            []task
	works            int               // the task at whose end a failure shows
	done             func(*item, *job) // what else success changes
	// read checks the body and begin prepares the job; each may be nil.
	read  func(*Vault, *item, []byte) (input, error)
	begin func(*Vault, *job, input, time.Duration)
}

// task is one step of a job. The ids of these tasks were never recorded; friendly names and order were.
type task struct {
	id, friendlyName string
	takes            time.Duration
	optional         bool // done only when the job wants it
}

const (
	opUnplannedFailover   = "unplannedFailover"
	opFailoverCommit      = "failoverCommit"
	opSwitchProtection    = "switchprotection"
	opTestFailover        = "testFailover"
	opTestFailoverCleanup = "testFailoverCleanup"
	opApplyRecoveryPoint  = "applyRecoveryPoint"
	opUpdate              = "update"
)

// syncTask is the failover task at whose end the latest data has become a recovery point.
const syncTask = 2

// actions is the table of what can be asked of an item, what a person does next before what is rare.
func (v *Vault) actions() []action {
	all := append(failoverActions(), switchAction())
	return append(append(all, drillActions()...), v.options.Guesses.changeAction())
}

// failoverActions have durations that add up to those recorded: 140 s and 8 s.
func failoverActions() []action {
	return []action{
		{
			operation: opUnplannedFailover, word: "UnplannedFailover", scenario: "UnplannedFailover", friendlyName: "Failover",
			to: stateCommitPending, stopsReplication: true, unreachable: "28031", works: 3, read: readFailover, begin: (*Vault).beginFailover, done: failedOver,
			tasks: []task{
				{id: "UnplannedFailoverPreflightTask", friendlyName: "Prerequisites check for failover", takes: 22 * time.Second},
				{id: "ShutdownVirtualMachineTask", friendlyName: "Shut down the virtual machine", takes: 30 * time.Second, optional: true},
				{id: "SynchronizeTask", friendlyName: "Synchronizing the latest changes", takes: 26 * time.Second, optional: true},
				{id: "StartFailoverTask", friendlyName: "Start failover", takes: 40 * time.Second},
				{id: "StartReplicaTask", friendlyName: "Start the replica virtual machine", takes: 22 * time.Second},
			},
		},
		{
			operation: opFailoverCommit, word: "Commit", scenario: "CommitFailover", friendlyName: "Commit",
			to: stateCommitted, works: 1, done: failoverCommitted,
			tasks: []task{
				{id: "CommitFailoverPreflightTask", friendlyName: "Prerequisite check", takes: 2 * time.Second},
				{id: "CommitFailoverTask", friendlyName: "Commit", takes: 6 * time.Second},
			},
		},
	}
}

// into is the region in which the action creates resources, or nil.
func (a action) into(it *item) *region {
	switch {
	case a.unreachable == "":
		return nil
	case a.operation == opSwitchProtection:
		return it.primary
	default:
		return it.recovery
	}
}

func failedOver(it *item, j *job) {
	it.failoverPoint, it.failedOver = j.point, j.end()
	it.replica = it.newReplica(it.recoveryName, j.end())
	if it.leftover != nil && strings.EqualFold(it.leftover.id(), it.replica.id()) {
		it.leftover = nil // its place is taken (guessed)
	}
	it.source.running = !j.optional
}

func failoverCommitted(it *item, _ *job) { it.replicated, it.madePoints = nil, nil }

// job is one asynchronous operation. Its GUID is also the operation's.
type job struct {
	id           string
	action       action
	item         *item    // nil when it is a plan's
	plan         *planRun // nil when it is an item's
	start        time.Duration
	waited       time.Duration // before it began; forever while it waits
	stretch      float64       // its tasks take that many times what is recorded; 0 means once
	optional     bool          // the optional tasks are done, too
	point        *point        // failover, drill and change of the point
	input        input
	inner, outer *job           // of a reprotect: the job that its last task follows, and the other way round
	cancelled    *time.Duration // when it stops before its end, or nil

	// As they were at the start: a reprotect swaps the item's.
	primary, recovery *region
	target            string // targetObjectId
	location          string // ARM id under which the result is found

	clientRequestID string // of the call that started it
	correlationID   string
	failure         *serviceError // nil unless the job will fail
	warning         *serviceError // nil unless it will succeed in part
	informs         bool          // the warning is mere information
	vanishes        *time.Duration
	stall           time.Duration // of a reprotect: how long the initial replication stands still
}

// serviceError is the part of errors[] that people read.
type serviceError struct{ code, message, causes, action string }

// run is a task in time. A skipped one takes none.
type run struct {
	task
	from, to time.Duration
	skipped  bool
	never    bool // comes after the task that fails, or that was cancelled
	cut      bool // was cancelled
}

func (j *job) runs() []run {
	runs := make([]run, 0, len(j.action.tasks))
	at := j.start + j.waited
	for i := range j.action.tasks {
		r := j.run(i, at)
		at = r.to
		runs = append(runs, r)
	}
	return runs
}

// run is one task, which begins when those before it are over.
func (j *job) run(i int, at time.Duration) run {
	t := j.action.tasks[i]
	r := run{task: t, from: at, to: at, skipped: t.optional && !j.optional, never: j.failure != nil && i > j.action.works}
	r.never = r.never || j.cancelled != nil && at >= *j.cancelled
	if !r.skipped && !r.never {
		r.to += scale(t.takes, cmp.Or(j.stretch, 1))
	}
	if j.cancelled != nil && r.to > *j.cancelled {
		r.to, r.cut = *j.cancelled, true
	}
	return r
}

// end is asked for each job at each step of the world, and so makes no slice of runs.
func (j *job) end() time.Duration {
	if j.plan != nil {
		return j.plan.end
	}
	at := j.start + j.waited
	for i := range j.action.tasks {
		at = j.run(i, at).to
	}
	return at
}

// state returns state and stateDescription.
func (j *job) state(now time.Duration) (state, description string) {
	switch {
	case !j.ended(now) && j.cancelled != nil:
		return "Cancelling", "Cancelling" // the word of a documented sample
	case !j.ended(now):
		return "InProgress", "InProgress"
	case j.cancelled != nil:
		return "Cancelled", "Cancelled"
	case j.failure != nil:
		return "Failed", "Failed"
	case j.informs:
		return "Succeeded", "CompletedWithInformation"
	case j.warning != nil:
		return "Succeeded", "PartiallySucceeded"
	default:
		return "Succeeded", "Completed"
	}
}

// state returns state and stateDescription of one task. The last task reached in a failed job has failed.
func (r run) state(now time.Duration, failed bool) (state, description string) {
	switch {
	case r.never || now < r.from:
		return "NotStarted", "NotStarted"
	case r.skipped:
		return "Other", "Skipped"
	case now < r.to:
		return "InProgress", "InProgress"
	case r.cut:
		return "Cancelled", "Cancelled"
	case failed:
		return "Failed", "Failed"
	default:
		return "Succeeded", "Completed"
	}
}

func (j *job) succeeded(now time.Duration) bool {
	return j.ended(now) && j.failure == nil && j.cancelled == nil
}

// hidden reports whether there is no record of the job: an inner one's turn is yet to come, or the record has vanished.
func (j *job) hidden(now time.Duration) bool {
	return j.start > now || j.vanishes != nil && now >= *j.vanishes
}

func (j *job) ended(now time.Duration) bool { return now >= j.end() }

// about names what the job is about, as targetObjectName does.
func (j *job) about() (name, instanceType string) {
	if j.plan != nil {
		return j.plan.plan.name, "RecoveryPlan"
	}
	return j.item.vm, "ProtectionEntity"
}

// vm is the friendly name of the job's VM, empty for a plan.
func (j *job) vm() string {
	if j.item == nil {
		return ""
	}
	return j.item.vm
}

func (j *job) planName() string {
	if j.plan == nil {
		return ""
	}
	return j.plan.plan.name
}

// running names the task at work.
func (j *job) running(now time.Duration) string {
	if j.plan != nil && j.plan.at >= 0 && !j.ended(now) {
		return j.plan.waves[j.plan.at].title
	}
	for _, r := range j.runs() {
		if r.from <= now && now < r.to {
			return r.friendlyName
		}
	}
	return ""
}
