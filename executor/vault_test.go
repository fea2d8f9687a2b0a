package executor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ferry/failover"
)

const (
	// jobLasts is how long Azure takes for what it has accepted.
	jobLasts = 140 * time.Second
	// copies is how long an initial replication goes on after the job of a reprotect.
	copies = 5 * time.Hour
)

// vault is a site with one or more VMs that does what Azure does to them, late, or not at all when told so.
type vault struct {
	mu       sync.Mutex
	items    map[string]*failover.Item
	jobs     []*running
	script   []reply // what becomes of the next mutating calls
	calls    []failover.Call
	accepted []failover.Call
	at       []time.Time // of each accepted call
	lists    int
	reads    int // of items, points and jobs
	trouble  error
	part     bool          // the list lacks vaults: its error comes with the items
	late     time.Duration // of every answer to a read
	gone     bool          // items are not found any more
	plans    []failover.RecoveryPlan
	onCall   func(failover.Call)
	stuck    bool // initial replications do not end
	missing  bool // what a reprotect needs
	reversal failover.Reversal
}

type running struct {
	failover.Job
	key  string
	kind failover.StepKind
	ends time.Time
}

// older is the recovery point of an item that is not the newest.
const older = "11111111-1111-1111-1111-111111111111"

// reply is what becomes of one mutating call.
type reply struct {
	err     error
	arrives time.Duration // with an error: after so long the call is taken all the same; 0 is never
	fails   bool          // the job will
}

func newVault(names ...string) *vault {
	v := &vault{items: map[string]*failover.Item{}}
	for _, name := range names {
		v.add(name)
	}
	return v
}

func (v *vault) add(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := failover.ItemKey("/vaults/v", name)
	v.items[key] = &failover.Item{
		ID: "/vaults/v/west/items/" + name, Key: key, Name: name, Vault: "v", VaultID: "/vaults/v", ResourceGroup: "rg",
		From: "west", To: "north", Active: "west", Home: "west", RPO: time.Minute,
		State: failover.StateProtected, TestState: "None", Allowed: []string{"UnplannedFailover", "TestFailover"},
	}
}

// set changes an item as somebody in the portal does.
func (v *vault) set(name string, change func(*failover.Item)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change(v.items[failover.ItemKey("/vaults/v", name)])
}

func (v *vault) now() {
	for _, j := range v.jobs {
		item := v.items[j.key]
		if j.State != failover.JobInProgress || time.Now().Before(j.ends) {
			continue
		}
		j.EndedAt, j.State, item.JobID, item.Scenario = j.ends, failover.JobSucceeded, "", ""
		if j.Errors != nil {
			j.State = failover.JobFailed
		} else {
			become(item, j.kind)
		}
	}
	for _, j := range v.jobs {
		if j.kind.IsReprotect() && j.State == failover.JobSucceeded && v.items[j.key].State == failover.StateReplicates && !v.stuck {
			replicate(v.items[j.key], time.Since(j.ends))
		}
	}
}

// become is what a job makes of an item when it has succeeded.
func become(item *failover.Item, kind failover.StepKind) {
	switch kind {
	case failover.StepFailover:
		item.State, item.Active, item.Allowed = failover.StateCommitPending, item.To, []string{"Commit", "ChangePit"}
	case failover.StepCommit:
		item.State, item.Allowed = failover.StateCommitted, []string{"SwitchProtection"}
	case failover.StepTest:
		item.TestState, item.Allowed = "WaitingForCleanup", []string{"UnplannedFailover", "TestFailoverCleanup"}
	case failover.StepCleanup:
		item.TestState, item.Allowed = "None", []string{"UnplannedFailover", "TestFailover"}
	case failover.StepReprotect, failover.StepReprotectAgain: // it moves, and replicates for hours
		item.From, item.To, item.ID = item.To, item.From, "/vaults/v/"+item.To+"/items/"+item.Name
		item.State, item.Active, item.Allowed = failover.StateReplicates, item.From, nil
	case failover.StepChange, failover.StepProbe, failover.StepCheck, failover.StepSurvey, failover.StepResize:
	}
}

// replicate is how far an initial replication is after a time.
func replicate(item *failover.Item, since time.Duration) {
	if item.Replicated = int(100 * since / copies); item.Replicated < 100 {
		return
	}
	item.State, item.Replicated, item.Allowed = failover.StateProtected, 0, []string{"UnplannedFailover", "TestFailover"}
}

func (v *vault) read(ctx context.Context, n *int) error {
	v.mu.Lock()
	*n++
	late, err := v.late, v.trouble
	v.mu.Unlock()
	if late > 0 { // a timer that is due at once may crash the race detector in a bubble
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(late):
		}
	}
	return err
}

func (v *vault) Items(ctx context.Context) ([]failover.Item, error) {
	err := v.read(ctx, &v.lists)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil && !v.part {
		return nil, err
	}
	v.now()
	var items []failover.Item
	for _, i := range v.items {
		items = append(items, *i)
	}
	return items, err
}

func (v *vault) Item(ctx context.Context, item failover.Item) (failover.Item, error) {
	err := v.read(ctx, &v.reads)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now()
	switch {
	case v.gone:
		return failover.Item{}, refused("404", item.Name+" is gone")
	case err != nil && !v.part:
		return failover.Item{}, err
	}
	return *v.items[item.Key], nil
}

func (v *vault) Points(ctx context.Context, item failover.Item) ([]failover.RecoveryPoint, error) {
	if err := v.read(ctx, &v.reads); err != nil && !v.part {
		return nil, err
	}
	return []failover.RecoveryPoint{
		{ID: item.ID + "/recoveryPoints/" + older, Time: time.Now().Add(-time.Hour).Truncate(time.Hour)},
		{ID: item.ID + "/recoveryPoints/1", Time: time.Now().Add(-time.Minute)},
	}, nil
}

func (v *vault) Begin(_ context.Context, call failover.Call) (failover.Accepted, error) {
	v.mu.Lock()
	v.calls = append(v.calls, call)
	var r reply
	if len(v.script) > 0 {
		r, v.script = v.script[0], v.script[1:]
	}
	onCall := v.onCall
	v.mu.Unlock()
	if onCall != nil {
		onCall(call)
	}
	if r.err == nil {
		return v.accept(call, r.fails)
	}
	if r.arrives > 0 {
		time.AfterFunc(r.arrives, func() { _, _ = v.accept(call, r.fails) }) // the caller never hears of it
	}
	return failover.Accepted{}, r.err
}

// accept does what Azure does with a call that arrived: its own state refuses what does not fit.
func (v *vault) accept(call failover.Call, fails bool) (failover.Accepted, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now()
	item := v.items[call.Item.Key]
	if refusal := failover.Legal(call.Kind, *item); refusal != nil {
		return failover.Accepted{}, refused("409", refusal.Message)
	}
	j := &running{key: call.Item.Key, kind: call.Kind, ends: time.Now().Add(jobLasts)}
	j.Job = failover.Job{ID: fmt.Sprintf("/jobs/%d", len(v.jobs)+1), State: failover.JobInProgress, StartedAt: time.Now(), ActivityID: strings.ToUpper(call.ClientRequestID) + " ActivityId: x"}
	if fails {
		j.Errors = []failover.Fault{{Code: "28031", Message: "no quota", Cause: "quota", Action: "raise it"}}
	}
	v.jobs = append(v.jobs, j)
	v.accepted, v.at = append(v.accepted, call), append(v.at, time.Now())
	item.JobID, item.Scenario = j.ID, string(call.Kind)
	return failover.Accepted{JobID: j.ID, Poll: 30 * time.Second}, nil
}

func (v *vault) Job(ctx context.Context, id string) (failover.Job, error) {
	err := v.read(ctx, &v.reads)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now()
	for _, j := range v.jobs {
		if j.ID == id && err == nil {
			return j.Job, nil
		}
	}
	if err == nil {
		err = refused("404", "no such job")
	}
	return failover.Job{}, err
}

func (v *vault) JobsSince(ctx context.Context, item failover.Item, since time.Time) ([]failover.Job, error) {
	err := v.read(ctx, &v.reads)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now()
	var jobs []failover.Job
	for _, j := range v.jobs {
		if j.key == item.Key && !j.StartedAt.Before(since) {
			jobs = append(jobs, j.Job)
		}
	}
	return jobs, err
}

func (v *vault) Jobs(ctx context.Context, since time.Time) ([]failover.Job, error) {
	err := v.read(ctx, &v.reads)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil && !v.part {
		return nil, err
	}
	v.now()
	var jobs []failover.Job
	for _, j := range v.jobs {
		if j.Running() || !j.EndedAt.Before(since) {
			jobs = append(jobs, j.Job)
		}
	}
	return jobs, err
}

// taken counts the calls of a kind that Azure accepted.
func (v *vault) taken(kind failover.StepKind) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, c := range v.accepted {
		if c.Kind == kind {
			n++
		}
	}
	return n
}

// sent counts all mutating calls.
func (v *vault) sent() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.calls)
}

func (v *vault) change(f func(*vault)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f(v)
}

func refused(code, text string) error {
	return &failover.SiteError{Kind: failover.RefusedBySite, Fault: failover.Fault{Code: code, Message: text, Action: "Look at it in the vault."}}
}

func silent() error {
	return &failover.SiteError{Kind: failover.Retry, Fault: failover.Fault{Code: "NoAnswer", Message: "no answer in time"}}
}

func lost() error {
	return &failover.SiteError{Kind: failover.Unknown, Fault: failover.Fault{Code: "AnswerLost", Message: "connection reset"}}
}

func (v *vault) Reversal(_ context.Context, item failover.Item) (failover.Reversal, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if item.State != failover.StateCommitted {
		return failover.Reversal{}, refused("400", "nothing to turn round in the state "+item.State)
	}
	if v.missing {
		return failover.Reversal{}, &failover.SiteError{Kind: failover.RefusedBySite, Fault: failover.Fault{Code: failover.CodePrerequisite, Message: "No container mapping leads back.", Action: "Create it."}}
	}
	r := v.reversal
	r.From, r.To, r.Container = item.To, item.From, "/vaults/v/containers/"+item.From
	return r, v.trouble
}

func (v *vault) Leftovers(_ context.Context, item failover.Item) ([]failover.Leftover, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return []failover.Leftover{{Kind: "virtual machine", Name: item.Name}}, v.trouble
}

// Plans does not carry the groups, as Azure's list does not.
func (v *vault) Plans(context.Context) ([]failover.RecoveryPlan, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := slices.Clone(v.plans)
	for i := range list {
		list[i].Groups = nil
	}
	return list, v.trouble
}

func (v *vault) Plan(_ context.Context, id string) (failover.RecoveryPlan, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range v.plans {
		if p.ID == id {
			return p, v.trouble
		}
	}
	return failover.RecoveryPlan{}, &failover.SiteError{Kind: failover.RefusedBySite}
}
