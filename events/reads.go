package events

import (
	"time"

	"ferry/failover"
)

// HoldFor is how long a read that needs Azure is held. Who is answered Pending asks again: the reading goes on meanwhile.
const HoldFor = 2 * time.Second

// Pending is the answer to a read for which Azure has not answered yet.
type Pending struct {
	V       int  `json:"v"`
	Pending bool `json:"pending"`
}

// PointsRequest asks for the recovery points of a VM as typed, or of the item with a key.
type PointsRequest struct {
	VM  string `json:"vm,omitempty"`
	Key string `json:"key,omitempty"`
}

// PointsReply carries the recovery points, or why there is no answer.
type PointsReply struct {
	V       int                `json:"v"`
	Pending bool               `json:"pending,omitempty"`
	Refused *failover.Refusal  `json:"refused,omitempty"`
	List    failover.PointList `json:"list,omitzero"`
}

// ReviewRequest asks what a reprotect would do to a VM as typed, or to the VM of an operation.
type ReviewRequest struct {
	VM string        `json:"vm,omitempty"`
	Op failover.OpID `json:"op,omitempty"`
}

// ReviewReply carries what it would do, or why there is no answer.
type ReviewReply struct {
	V       int               `json:"v"`
	Pending bool              `json:"pending,omitempty"`
	Refused *failover.Refusal `json:"refused,omitempty"`
	Review  failover.Review   `json:"review,omitzero"`
}

// Points is `ferry points VM -o json`: versioned, and only ever added to.
type Points struct {
	V     int         `json:"v"`
	VM    string      `json:"vm"`
	Vault string      `json:"vault"`
	Items []PointLine `json:"items"` // newest first
}

// PointLine is one recovery point.
type PointLine struct {
	ID   string    `json:"id"` // ARM id
	Time time.Time `json:"time"`
	Type string    `json:"type"` // crash-consistent | app-consistent
	// AgeSeconds is what would be lost if it were chosen: everything that was written since.
	AgeSeconds int `json:"age_seconds"`
}

// PointsOf turns a list into the public form. Times are UTC; ages count up to now.
func PointsOf(l failover.PointList, now time.Time) Points {
	p := Points{V: 1, VM: l.Item.Name, Vault: l.Item.Vault, Items: []PointLine{}}
	for _, point := range l.Points {
		kind := "crash-consistent"
		if point.AppConsistent {
			kind = "app-consistent"
		}
		p.Items = append(p.Items, PointLine{point.ID, point.Time.UTC(), kind, *seconds(max(0, now.Sub(point.Time)))})
	}
	return p
}

// ForecastReply carries how long a failover would take, or why there is no answer. The request is a [failover.ForecastOf].
type ForecastReply struct {
	V        int               `json:"v"`
	Pending  bool              `json:"pending,omitempty"`
	Refused  *failover.Refusal `json:"refused,omitempty"`
	Forecast failover.Forecast `json:"forecast,omitzero"`
}

// Forecast is `ferry forecast ... -o json`: versioned, and only ever added to.
type Forecast struct {
	V     int    `json:"v"`
	About string `json:"about"`
	VMs   int    `json:"vms"`
	Waves int    `json:"waves,omitempty"`
	// Seconds are as likely too many as too few, P95Seconds enough 19 times in 20.
	Seconds    int `json:"p50_seconds"`
	P95Seconds int `json:"p95_seconds"`
	// TargetSeconds is targets.rto; Target is kept, likely or missed. null and empty: there is none.
	TargetSeconds *int   `json:"target_rto_seconds"`
	Target        string `json:"target,omitempty"`
	// Limit is what holds it back most: slowest_vm, concurrency, vault, writes, waves or azure.
	Limit      failover.Limit `json:"limit"`
	LimitWords string         `json:"limit_words"`
	// Unlearned are vaults of which it is not known how many VMs they take at a time: with too few it takes longer.
	Unlearned []string `json:"unlearned_vaults,omitempty"`
	Runs      int      `json:"runs"`    // that it goes by; 0: the default
	OwnVMs    int      `json:"own_vms"` // that have been failed over before
	LeftOut   string   `json:"left_out,omitempty"`
}

// ForecastOf turns a forecast into the public form.
func ForecastOf(f failover.Forecast) Forecast {
	out := Forecast{
		V: 1, About: f.What, VMs: f.VMs, Waves: f.Waves, Seconds: f.Seconds, P95Seconds: f.P95, Limit: f.Limit, LimitWords: f.Words(),
		Unlearned: f.Unlearned, Runs: f.Of, OwnVMs: f.Own, LeftOut: f.LeftOut,
	}
	if f.RTO > 0 {
		out.TargetSeconds, out.Target = &f.RTO, string(f.Promise())
	}
	return out
}

// HealthReply says that an executor is up.
type HealthReply struct {
	V int `json:"v"`
}

// JobsReply carries the jobs of the vaults, or why there is no answer.
type JobsReply struct {
	V       int               `json:"v"`
	Pending bool              `json:"pending,omitempty"`
	Refused *failover.Refusal `json:"refused,omitempty"`
	List    failover.JobList  `json:"list,omitzero"`
}

// Jobs is `ferry jobs -o json`: versioned, and only ever added to.
type Jobs struct {
	V       int       `json:"v"`
	Items   []JobLine `json:"items"`             // what runs, then what has ended, each newest first
	LeftOut int       `json:"left_out"`          // ended jobs that did not fit
	Missing string    `json:"missing,omitempty"` // why jobs of some vault are not among them
}

// JobLine is one job of Site Recovery, in Azure's words.
type JobLine struct {
	ID          string         `json:"id"`
	VM          string         `json:"vm"`
	Vault       string         `json:"vault"`
	Scenario    string         `json:"scenario"`
	State       string         `json:"state"`
	Description string         `json:"description"`
	StartedAt   *time.Time     `json:"started_at"`
	EndedAt     *time.Time     `json:"ended_at"`
	Operation   *failover.OpID `json:"operation"` // null: started outside Ferry
	Unsure      bool           `json:"unsure,omitempty"`
}

// JobsOf turns a list into the public form. Times are UTC.
func JobsOf(l failover.JobList) Jobs {
	all := Jobs{V: 1, Items: []JobLine{}, LeftOut: l.LeftOut, Missing: l.Missing}
	for _, j := range l.Jobs {
		line := JobLine{
			ID: j.ID, VM: j.Target, Vault: j.Vault, Scenario: j.Scenario, State: string(j.State), Description: j.Description,
			StartedAt: moment(j.StartedAt), EndedAt: moment(j.EndedAt), Unsure: j.Unsure,
		}
		if j.Op != "" {
			line.Operation = &j.Op
		}
		all.Items = append(all.Items, line)
	}
	return all
}

// DebtReply carries what is owed.
type DebtReply struct {
	V    int               `json:"v"`
	List failover.DebtList `json:"list"`
}

// Debt is `ferry debt -o json`: versioned, and only ever added to.
type Debt struct {
	V     int        `json:"v"`
	Items []DebtLine `json:"items"` // oldest first
	// Protecting are the VMs on their way to being protected; they owe nothing.
	Protecting []string   `json:"protecting,omitempty"`
	AsOf       *time.Time `json:"as_of"` // null: Azure was never read
}

// DebtLine is one thing that somebody has to settle.
type DebtLine struct {
	Name      string            `json:"name"`
	Vault     string            `json:"vault"`
	Kind      failover.DebtKind `json:"kind"`
	Since     *time.Time        `json:"since"` // null: not known
	Owner     *string           `json:"owner"` // null: outside Ferry
	Operation *failover.OpID    `json:"operation"`
}

// DebtOf turns a list into the public form. Times are UTC.
func DebtOf(l failover.DebtList) Debt {
	all := Debt{V: 1, Items: []DebtLine{}, Protecting: l.Protecting, AsOf: moment(l.At)}
	for _, d := range l.Debts {
		line := DebtLine{Name: d.Name, Vault: d.Vault, Kind: d.Kind, Since: moment(d.Since)}
		if d.Owner.ID != "" {
			line.Owner = &d.Owner.ID
		}
		if d.Op != "" {
			line.Operation = &d.Op
		}
		all.Items = append(all.Items, line)
	}
	return all
}

// ReadinessReply carries what would not fail over now.
type ReadinessReply struct {
	V    int                    `json:"v"`
	List failover.ReadinessList `json:"list"`
}

// Readiness is `ferry readiness -o json`: versioned, and only ever added to.
type Readiness struct {
	V        int             `json:"v"`
	NotReady int             `json:"not_ready"` // how many would be refused
	Warning  int             `json:"warning"`   // how many would begin with a warning
	Ready    int             `json:"ready"`
	Items    []ReadinessLine `json:"items"` // worst first
	// NotChecked is what nobody has looked at, also of what is called ready.
	NotChecked       []string   `json:"not_checked"`
	TargetRPOSeconds *int       `json:"target_rpo_seconds"` // null: no target
	IncidentSince    *time.Time `json:"incident_since"`     // null: none is declared
	AsOf             *time.Time `json:"as_of"`              // null: Azure was never read
}

// ReadinessLine is one VM.
type ReadinessLine struct {
	Name       string             `json:"name"`
	Vault      string             `json:"vault"`
	Readiness  failover.Readiness `json:"readiness"`   // not_ready | warning | ready
	RPOSeconds *int               `json:"rpo_seconds"` // null: Azure reports none
	LastTest   *time.Time         `json:"last_test"`   // null: Azure knows of no successful one
	Reasons    []ReadinessReason  `json:"reasons"`
}

// ReadinessReason is why a VM is not simply ready.
type ReadinessReason struct {
	Kind   failover.ConcernKind `json:"kind"`
	Blocks bool                 `json:"blocks"` // a failover would be refused for it
	Why    string               `json:"why"`
	Next   string               `json:"next"`
}

// ReadinessOf turns a list into the public form. Times are UTC.
func ReadinessOf(l failover.ReadinessList) Readiness {
	all := Readiness{
		V: 1, NotReady: l.Count(failover.NotReady), Warning: l.Count(failover.ReadyWithWarning), Ready: l.Count(failover.Ready), Items: []ReadinessLine{},
		NotChecked: failover.NotLookedAt(), IncidentSince: moment(l.Incident), AsOf: moment(l.At),
	}
	if l.Target > 0 {
		all.TargetRPOSeconds = &l.Target
	}
	for _, i := range l.Items {
		line := ReadinessLine{Name: i.Name, Vault: i.Vault, Readiness: i.Readiness, LastTest: moment(i.LastTest), Reasons: []ReadinessReason{}}
		if i.DataAge >= 0 {
			line.RPOSeconds = &i.DataAge
		}
		for _, c := range i.Concerns {
			line.Reasons = append(line.Reasons, ReadinessReason{c.Kind, c.Blocks(), c.Why, c.Next})
		}
		all.Items = append(all.Items, line)
	}
	return all
}

// ForeignJob is a job on a VM that was started outside Ferry.
type ForeignJob struct {
	VM       string `json:"vm"`
	Vault    string `json:"vault"`
	Scenario string `json:"scenario"`
	JobID    string `json:"job_id"`
}

// ForeignOf lists the jobs that run on items, all of them foreign.
func ForeignOf(items []failover.Item) []ForeignJob {
	jobs := []ForeignJob{}
	for _, i := range items {
		jobs = append(jobs, ForeignJob{i.Name, i.Vault, i.Scenario, i.JobID})
	}
	return jobs
}
