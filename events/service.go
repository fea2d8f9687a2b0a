package events

import (
	"slices"
	"strings"
	"time"

	"ferry/failover"
)

// The request-reply subjects. They stand outside the stream's subjects on purpose.
const (
	ServiceStatus = "ferrysvc.status"
	ServiceList   = "ferrysvc.list"
	ServiceWatch  = "ferrysvc.watch"
	ServiceDebt   = "ferrysvc.debt"
	// ServiceReadiness says what would not fail over now.
	ServiceReadiness = "ferrysvc.readiness"
	// ServiceReport tells the story of an operation, or which are the newest.
	ServiceReport = "ferrysvc.report"
	// ServicePoints and what follows need Azure: only executors serve them.
	ServicePoints   = "ferrysvc.points"
	ServiceJobs     = "ferrysvc.jobs"
	ServiceReview   = "ferrysvc.review"
	ServiceForecast = "ferrysvc.forecast"
	// ServiceHealth says that an executor answers, and asks nothing of Azure.
	ServiceHealth = "ferrysvc.health"
)

// Stored is where executors say that facts were stored, without saying which: a hint to read the stream, no more.
const Stored = "ferrysvc.stored"

// CheckSubject is where the service answers that says whether what a check is about works.
func CheckSubject(name string) string { return "ferrysvc.check." + name }

// WatchFor is how long a watch request is held when nothing changes; the caller asks again.
const WatchFor = 2 * time.Second

// StatusRequest asks for one operation (by id, or the newest one of a VM), or, when Ref is empty, for all that are open.
type StatusRequest struct {
	Ref string `json:"ref,omitempty"`
}

// WatchRequest waits until an operation has moved beyond a sequence, or until a command was decided.
type WatchRequest struct {
	Op      failover.OpID `json:"op,omitempty"`
	After   uint64        `json:"after,omitempty"`
	Command string        `json:"command,omitempty"` // message id; the reply is about the operation that it landed on
	As      string        `json:"as,omitempty"`      // id of the actor who asks, as in "cli:local"
}

// StatusReply carries snapshots. An empty one means that nothing is known under that name.
type StatusReply struct {
	V          int                  `json:"v"`
	Operations []failover.Operation `json:"operations"`
	Foreign    []failover.Item      `json:"foreign,omitempty"` // the VMs asked for on which a job runs that was started outside Ferry
	Freezes    []failover.Freeze    `json:"freezes,omitempty"` // those that stand over the VM asked for
	Idle       *failover.Item       `json:"idle,omitempty"`    // the VM asked for, when no operation on it is known
	Unknown    *failover.Refusal    `json:"unknown,omitempty"` // when neither an operation nor a VM is called so: which names are near
	Yours      bool                 `json:"yours,omitempty"`   // of a watch: the operation waits for a press that who asks may give
}

// Watched is an operation as a watch shows it to somebody.
type Watched struct {
	failover.Operation
	Yours bool // it waits for a press that they may give
}

// ListReply carries what is known of the replicated items.
type ListReply struct {
	V         int                `json:"v"`
	Inventory failover.Inventory `json:"inventory"`
}

// ListItem is a line of `ferry list -o json`.
type ListItem struct {
	Name         string         `json:"name"`
	Vault        string         `json:"vault"`
	State        string         `json:"state"`
	ActiveRegion string         `json:"active_region"`
	RPOSeconds   *int           `json:"rpo_seconds"`
	Health       string         `json:"health"`
	Operation    *failover.OpID `json:"operation"`
	ForeignJob   string         `json:"foreign_job,omitempty"` // scenario of a running job that was started outside Ferry
	HeldBy       *HeldBy        `json:"held_by,omitempty"`     // of the operation
}

// HeldBy is who asked for the operation that holds a VM, since when and why.
type HeldBy struct {
	Verb   failover.Verb `json:"verb"`
	By     string        `json:"by"`
	Since  time.Time     `json:"since"`
	Reason string        `json:"reason"`
}

// Frozen is a freeze of new work.
type Frozen struct {
	ID      failover.OpID `json:"id"`
	Pattern string        `json:"pattern"`
	By      string        `json:"by"`
	Since   time.Time     `json:"since"`
	Reason  string        `json:"reason"`
}

// FrozenOf are the freezes in the contract's form.
func FrozenOf(freezes []failover.Freeze) []Frozen {
	all := []Frozen{}
	for _, f := range freezes {
		all = append(all, Frozen{f.Op, f.Pattern, f.By.ID, f.Since.UTC(), f.Reason})
	}
	return all
}

// ItemLine makes the line of an item of an inventory.
func ItemLine(i failover.Item, inv failover.Inventory) ListItem {
	op := inv.Holders[i.Key]
	line := ListItem{Name: i.Name, Vault: i.Vault, State: i.State, ActiveRegion: i.Active, Health: i.Health}
	if i.RPO >= 0 {
		line.RPOSeconds = seconds(i.RPO)
	}
	if op != "" {
		line.Operation = &op
	}
	if h, known := inv.Open[op]; known {
		line.HeldBy = &HeldBy{Verb: h.Verb, By: h.By.ID, Since: h.Since.UTC(), Reason: h.Reason}
	}
	return line
}

// Status is `ferry status OP -o json`: versioned, and only ever added to.
type Status struct {
	V           int              `json:"v"`
	ID          failover.OpID    `json:"id"`
	Verb        failover.Verb    `json:"verb"`
	Phase       failover.Phase   `json:"phase"`
	RequestedBy string           `json:"requested_by"`
	RequestedAt time.Time        `json:"requested_at"`
	Reason      string           `json:"reason"`
	Approvals   []StatusApproval `json:"approvals"`
	Targets     []StatusTarget   `json:"targets"`
	StartedAt   *time.Time       `json:"started_at"`
	FinishedAt  *time.Time       `json:"finished_at"`
	RTOSeconds  *int             `json:"rto_seconds"`
	RPOSeconds  *int             `json:"rpo_seconds"`
	Note        string           `json:"note,omitempty"`
	Hint        string           `json:"hint,omitempty"`
	// PlanDigest begins what its approvals are bound to; the card shows the same.
	PlanDigest string       `json:"plan_digest,omitempty"`
	ExpiresAt  *time.Time   `json:"expires_at,omitempty"`
	BreakGlass *StatusGlass `json:"break_glass,omitempty"`
	Frozen     []Frozen     `json:"frozen,omitempty"` // what keeps the gate that waits from opening
	// Forecast is what was said before the approval; OnHold is why nothing new begins.
	Forecast *StatusForecast `json:"forecast,omitempty"`
	OnHold   *StatusHold     `json:"on_hold,omitempty"`
	// Group is that of the configuration, with its waves; LeftOut is what was meant and is not part of it.
	Group   string   `json:"group,omitempty"`
	Waves   []string `json:"waves,omitempty"` // names, empty where a wave has none
	LeftOut string   `json:"left_out,omitempty"`
}

// StatusForecast is how long the first step was going to take.
type StatusForecast struct {
	Seconds    int            `json:"p50_seconds"`
	P95Seconds int            `json:"p95_seconds,omitempty"`
	Limit      failover.Limit `json:"limit,omitempty"`
}

// StatusHold is why nothing new of an operation begins. By is empty when Ferry stopped by itself.
type StatusHold struct {
	By  string    `json:"by"`
	Why string    `json:"why"`
	At  time.Time `json:"at"`
}

// StatusGlass is a broken glass and its review.
type StatusGlass struct {
	By         string     `json:"by"`
	Skipped    int        `json:"skipped"` // approvals
	Review     string     `json:"review"`  // open | signed_off | objected; empty while nothing has begun
	ReviewedBy string     `json:"reviewed_by,omitempty"`
	ReviewedAt *time.Time `json:"reviewed_at,omitempty"`
	Reason     string     `json:"reason,omitempty"` // of the review
}

func glassOf(op failover.Operation) *StatusGlass {
	if op.Plan.BrokenGlass == nil {
		return nil
	}
	g := &StatusGlass{By: op.Plan.BrokenGlass.By.ID, Skipped: op.Skipped(), ReviewedBy: op.Glass.By.ID, ReviewedAt: moment(op.Glass.At), Reason: op.Glass.Reason}
	switch {
	case op.Unreviewed():
		g.Review = "open"
	case op.Glass.By.ID == "":
	case op.Glass.Approve:
		g.Review = "signed_off"
	default:
		g.Review = "objected"
	}
	return g
}

// StatusApproval is one decision about a gate, which is a verb class.
type StatusApproval struct {
	Gate     failover.Class `json:"gate"`
	By       string         `json:"by"`
	At       time.Time      `json:"at"`
	Decision string         `json:"decision"` // approve | deny
}

// StatusTarget is one VM of an operation.
type StatusTarget struct {
	Name              string         `json:"name"`
	ItemID            string         `json:"item_id"`
	Vault             string         `json:"vault"`
	Phase             failover.Phase `json:"phase"`
	JobID             string         `json:"job_id"`
	RecoveryPointTime *time.Time     `json:"recovery_point_time"`
	Progress          string         `json:"progress"`
	Error             *string        `json:"error"`
	Wave              int            `json:"wave,omitempty"`       // number, from 1
	SkippedBy         string         `json:"skipped_by,omitempty"` // who left it out
	OtherSize         string         `json:"other_size,omitempty"` // that the vault names for it since a failover found no capacity
}

// StatusOf turns a snapshot into the contract's form. Times are UTC.
func StatusOf(op failover.Operation) Status {
	s := Status{
		V: 1, ID: op.ID, Verb: op.Verb, Phase: op.Phase, RequestedBy: op.RequestedBy.ID, RequestedAt: op.RequestedAt.UTC(), Reason: op.Reason,
		Approvals: []StatusApproval{}, Targets: []StatusTarget{}, StartedAt: moment(op.StartedAt), FinishedAt: moment(op.FinishedAt),
		Note: op.Note, Hint: op.Hint, PlanDigest: op.Plan.ShortDigest(), LeftOut: op.Plan.LeftOut, ExpiresAt: moment(op.ExpiresAt), BreakGlass: glassOf(op),
	}
	if len(op.Frozen) > 0 {
		s.Frozen = FrozenOf(op.Frozen)
	}
	if e := op.Expected; e.Seconds > 0 {
		s.Forecast = &StatusForecast{e.Seconds, e.P95, e.Limit}
	}
	if h := op.OnHold; h != nil {
		s.OnHold = &StatusHold{h.By.ID, h.Why, h.At.UTC()}
	}
	if f := op.Plan.Fleet; f != nil {
		s.Group = f.Name
		for _, w := range f.Waves {
			s.Waves = append(s.Waves, w.Name)
		}
	}
	if op.Newer {
		s.Note, s.Hint = "A newer version of Ferry goes on with it: this is how it was before.", "Upgrade the bots and executors that still run the older version."
	}
	for _, d := range op.Decisions {
		word := "deny"
		if d.Approve {
			word = "approve"
		}
		s.Approvals = append(s.Approvals, StatusApproval{d.Gate, d.By.ID, d.At.UTC(), word})
	}
	for _, t := range op.Targets {
		if t.Lead {
			continue // the recovery plan itself
		}
		s.Targets = append(s.Targets, statusTarget(t))
	}
	if rto, ok := op.RTO(); ok {
		s.RTOSeconds = seconds(rto)
	}
	if rpo, ok := op.RPO(); ok {
		s.RPOSeconds = seconds(rpo)
	}
	return s
}

func statusTarget(t failover.Target) StatusTarget {
	line := StatusTarget{Name: t.Item.Name, ItemID: t.Item.ID, Vault: t.Item.Vault, Phase: t.Phase, Progress: t.Progress, RecoveryPointTime: moment(t.PointUsed)}
	if len(t.Steps) > 0 {
		line.JobID = t.Steps[len(t.Steps)-1].JobID
	}
	line.Wave, line.OtherSize = t.Wave, t.OtherSize()
	if t.Skipped != nil {
		line.SkippedBy = t.Skipped.ID
	}
	if t.Error != nil {
		said := slices.DeleteFunc([]string{t.Error.Message, t.Error.Cause, t.Error.Action}, func(s string) bool { return s == "" })
		text := strings.Join(said, " ")
		line.Error = &text
	}
	return line
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}

func seconds(d time.Duration) *int {
	n := int(d.Round(time.Second) / time.Second)
	return &n
}
