// Package failover is the subject of Ferry: what an operation is, who may do what, and what happens next.
//
// It owns the types of operations, targets, commands and facts, the state table, the access policy and three pure
// functions: [Decide] (operation, command, now -> facts or a refusal), [Evolve] (operation, fact -> operation; total) and
// [Next] (operation, observation, now -> the one thing to do next). It refuses to know NATS, Slack, Azure's wire or a clock:
// time, ids and everything seen outside come in as arguments, and nothing here does I/O.
//
// All values are plain data and every function leaves its arguments as they were, so all of it is safe for concurrent use.
package failover

import (
	"maps"
	"slices"
	"time"
)

// OpID names an operation: "op-" and eight lower-case base32 characters.
type OpID string

// Verb is what a person asks for; the words are those of the slash command.
type Verb string

// The verbs that change something. Reads (status, list) never become commands.
const (
	VerbFailover Verb = "failover"
	VerbCommit   Verb = "commit"
	VerbApprove  Verb = "approve"
	VerbDeny     Verb = "deny"
	VerbWithdraw Verb = "withdraw"
	VerbCancel   Verb = "cancel"
	// VerbChange takes another recovery point before the commit.
	VerbChange Verb = "change"
	// VerbTest is a drill: a test failover into an isolated network. VerbCleanup removes what it made.
	VerbTest    Verb = "test"
	VerbCleanup Verb = "cleanup"
	// VerbReprotect replicates back; VerbFailback is the whole way home.
	VerbReprotect Verb = "reprotect"
	VerbFailback  Verb = "failback"
	// VerbPlan fails a recovery plan of the vault over; what it opens is a failover.
	VerbPlan Verb = "plan"
	// VerbGroup fails a group of the configuration over, or VMs named in a row; what it opens is a failover.
	VerbGroup Verb = "group"
	// VerbHold lets nothing new of an operation begin until VerbResume.
	VerbHold   Verb = "hold"
	VerbResume Verb = "resume"
	// VerbSkip leaves a VM out of an operation; VerbRetry tries one, or all that failed, once more.
	VerbSkip  Verb = "skip"
	VerbRetry Verb = "retry"
	// VerbIncident says when an incident began, or that it is over.
	VerbIncident Verb = "incident"
	// VerbFreeze stops new work until VerbUnfreeze ends it.
	VerbFreeze   Verb = "freeze"
	VerbUnfreeze Verb = "unfreeze"
	// VerbExpire is asked by an executor's timer, never by a person.
	VerbExpire Verb = "expire"
)

// Phase is the stable, public state of an operation.
type Phase string

// The nine phases that scripts may rely on.
const (
	AwaitingApproval Phase = "awaiting_approval"
	Running          Phase = "running"
	AwaitingCommit   Phase = "awaiting_commit"
	NeedsAttention   Phase = "needs_attention"
	Succeeded        Phase = "succeeded"
	Failed           Phase = "failed"
	Denied           Phase = "denied"
	Expired          Phase = "expired"
	Cancelled        Phase = "cancelled"
)

// Final reports whether nothing can happen to an operation in this phase any more; only then are its targets let go.
func (p Phase) Final() bool {
	switch p {
	case Succeeded, Failed, Denied, Expired, Cancelled:
		return true
	case AwaitingApproval, Running, AwaitingCommit, NeedsAttention:
		return false
	}
	return false
}

// Actor is who asked: a Slack user id ("U0ANA") or a NATS identity ("cli:local"). Name is for people and decides nothing.
type Actor struct {
	ID       string   `json:"id"`
	Name     string   `json:"name,omitempty"`
	Standing Standing `json:"standing,omitempty"` // as the door found it; whoever has one is refused
	Person   string   `json:"person,omitempty"`   // whose identity it is, as the configuration says when it is decided
}

// Operation is the fold of its facts: what was asked, by whom, who decided, and how far it is.
// The zero value is an operation that nobody asked for; Exists tells.
type Operation struct {
	ID          OpID      `json:"id"`
	Verb        Verb      `json:"verb"`
	Phase       Phase     `json:"phase"`
	RequestedBy Actor     `json:"requested_by"`
	RequestedAt time.Time `json:"requested_at"`
	Reason      string    `json:"reason,omitempty"`
	Plan        Plan      `json:"plan"`
	// ExpiresAt ends a request that nobody decides; it counts in awaiting_approval only.
	ExpiresAt time.Time  `json:"expires_at,omitzero"`
	Decisions []Decision `json:"decisions,omitempty"`
	// CommitAskedBy typed a commit without the right to decide it; self-approval excludes them like the requester.
	CommitAskedBy []Actor `json:"commit_asked_by,omitempty"`
	// Change is another recovery point that somebody asked for and that is not in use yet.
	Change    *Change   `json:"change,omitempty"`
	Targets   []Target  `json:"targets,omitempty"`
	StartedAt time.Time `json:"started_at,omitzero"`
	// OpenedAt is when the last gate opened: the decision on which what runs rests.
	OpenedAt time.Time `json:"opened_at,omitzero"`
	// Lapsed is why the gate that waits was closed again; nil when it was not. Lapses counts how often that was.
	Lapsed     *Lapse    `json:"lapsed,omitempty"`
	Lapses     int       `json:"lapses,omitempty"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	// Note says how it ended or what is not known, for people.
	Note string `json:"note,omitempty"`
	Hint string `json:"hint,omitempty"`
	// Glass is what came of looking at a broken glass afterwards.
	Glass GlassReview `json:"glass,omitzero"`
	// OnHold is why nothing new begins; nil when nothing holds it.
	OnHold *OnHold `json:"on_hold,omitempty"`
	// ResumedAt is when somebody last let it go on, or had something tried once more.
	ResumedAt time.Time `json:"resumed_at,omitzero"`
	// MovedAt is when one of several VMs last began a step or came to the end of it; until then one waits for capacity, where it is
	// yet to come.
	MovedAt time.Time `json:"moved_at,omitzero"`
	// Frozen are the freezes that stand in the way of the gate that waits, as far as an executor has noticed them.
	Frozen []Freeze `json:"frozen,omitempty"`
	// Expected is how long it was going to take when it was asked for; zero when that could not be said.
	Expected Expected `json:"expected,omitzero"`
	// Warned is when the approvers were reminded that the request is about to expire; zero when they were not.
	Warned time.Time `json:"warned,omitzero"`
	// Executor drives it, since the fact with sequence Epoch; a driver that finds another epoch stops.
	Executor string `json:"executor,omitempty"`
	Epoch    uint64 `json:"epoch,omitempty"`
	Drive    uint64 `json:"drive,omitempty"` // sequence of the work message that the claim rests on
	Parked   bool   `json:"parked,omitempty"`
	// WaitsSince is since when the gate can be decided that the operation waits at; zero when it waits at none.
	WaitsSince time.Time `json:"waits_since,omitzero"`
	// RemindedAt is when people were last told again what waits for them, Reminders how often they were.
	RemindedAt time.Time `json:"reminded_at,omitzero"`
	Reminders  int       `json:"reminders,omitempty"`
	// Asked is the full message id of the command that opened the operation: two commands may share a short id.
	Asked string `json:"asked,omitempty"`
	// Answers is what each command got, by message id: how a command that is delivered twice acts once.
	Answers map[string]Answer `json:"answers,omitempty"`
	// Draft is the request for many VMs that is being written under this id.
	Draft *Draft `json:"draft,omitempty"`
	// Newer says that a newer version of Ferry goes on with it: what is here is how it was before.
	Newer bool `json:"newer,omitempty"`
	// Seq is the stream sequence of the newest fact folded in, the guard of the next append; 0 is none.
	Seq uint64    `json:"seq"`
	At  time.Time `json:"at"` // when that fact was decided
}

// Exists reports whether somebody's request was accepted under this id.
func (o Operation) Exists() bool { return o.Phase != "" }

// Answer is the decision about one command, for the person who gave it.
type Answer struct {
	Refused *Refusal `json:"refused,omitempty"`
	Did     Did      `json:"did,omitempty"`
}

// Did is what an accepted command did.
type Did string

// What a command can do.
const (
	DidRequest   Did = "requested"    // opened the operation; it waits for approval
	DidStart     Did = "started"      // opened it, and it runs
	DidApprove   Did = "approved"     // one approval more; others are still needed
	DidOpenGate  Did = "opened_gate"  // the last approval: the work starts
	DidDeny      Did = "denied"       // ended the request
	DidCancel    Did = "cancelled"    // withdrew the request, or ended the operation
	DidExpire    Did = "expired"      // ended the request by the clock
	DidAskCommit Did = "commit_asked" // the approvers are told
	DidAskChange Did = "change_asked" // the approvers are told
	DidSignOff   Did = "signed_off"   // a broken glass was reviewed and found right
	DidObject    Did = "objected"     // it was reviewed, and objected to
	DidHold      Did = "held"         // nothing new begins
	DidResume    Did = "resumed"      // it goes on
	DidSkip      Did = "skipped"      // a VM is left out
	DidRetry     Did = "retried"      // what failed is tried once more
)

// Plan is what an approval is bound to.
type Plan struct {
	Point    Point `json:"point"`
	Shutdown bool  `json:"shutdown"` // ask Azure to shut the source down first
	Rule     Rule  `json:"rule"`     // of the verb class that opened the operation
	CommitBy Rule  `json:"commit_by"`
	ChangeBy Rule  `json:"change_by,omitzero"`
	// Network is the ARM id of the isolated network of a drill.
	Network string `json:"network,omitempty"`
	// Notes go to Azure with the clean-up of a drill.
	Notes string `json:"notes,omitempty"`
	// Recovery is the recovery plan that is failed over as one.
	Recovery *RecoveryPlan `json:"recovery,omitempty"`
	// Fleet is how the operation goes through several VMs; nil when all begin at once.
	Fleet *Fleet `json:"fleet,omitempty"`
	// Sizes are those in which a VM may be made where the region has no capacity for its own, by that, in the order of preference.
	Sizes map[string][]string `json:"sizes,omitempty"`
	// LeftOut says which of the VMs that were meant are not part of it, and why.
	LeftOut string `json:"left_out,omitempty"`
	// First is where the way home begins; the stages of a failback before it are done already.
	First StepKind `json:"first,omitempty"`
	// Forced says that a recovery point from after the incident's begin was asked for by name.
	Forced bool `json:"forced,omitempty"`
	// BrokenGlass says that it was asked for with fewer approvals than the rule wants; nil when it was not.
	BrokenGlass *BrokenGlass `json:"broken_glass,omitempty"`
	// Frozen is what a freeze stops: a pattern of VM names.
	Frozen string `json:"frozen,omitempty"`
	Digest string `json:"digest"`
}

// Change is a wish for another recovery point before the commit.
type Change struct {
	By    Actor         `json:"by"`
	At    time.Time     `json:"at"`
	Point RecoveryPoint `json:"point"`
}

// Lapse is a gate that was closed again, because what had been decided was not begun in time.
type Lapse struct {
	Step StepKind  `json:"step"`
	Why  string    `json:"why"`
	At   time.Time `json:"at"`
	// Changed is what the rule demands now, where that is something else than before.
	Changed []Difference `json:"changed,omitempty"`
}

// Decision is one person's word on a gate.
type Decision struct {
	Gate    Class     `json:"gate"`
	By      Actor     `json:"by"`
	At      time.Time `json:"at"`
	Approve bool      `json:"approve"`
	Reason  string    `json:"reason,omitempty"`
	// Step is what the gate lets begin.
	Step StepKind `json:"step,omitempty"`
	// Spent approvals have opened their gate already; another try, or the next gate of the class, needs new ones.
	Spent bool `json:"spent,omitempty"`
}

// Gate is the class of decision that the operation waits for, or "" when it waits for nobody.
func (o Operation) Gate() Class {
	stage, _ := o.Pending()
	return stage.Gate
}

// GateRule is the rule that decides a gate.
func (o Operation) GateRule(gate Class) Rule {
	switch {
	case gate == ClassCommit:
		return o.Plan.CommitBy
	case gate == ClassChange && o.Verb != VerbChange:
		return o.Plan.ChangeBy
	}
	return o.Plan.Rule
}

// Approvers lists whose approval of a gate stands, in order.
func (o Operation) Approvers(gate Class) []Actor {
	var by []Actor
	for _, d := range o.Decisions {
		if d.Gate == gate && d.Approve && !d.Spent {
			by = append(by, d.By)
		}
	}
	return by
}

// clone copies what Evolve changes, so that a snapshot handed out stays as it was.
func (o Operation) clone() Operation {
	o.Decisions = slices.Clone(o.Decisions)
	o.CommitAskedBy = slices.Clone(o.CommitAskedBy)
	o.Targets = slices.Clone(o.Targets)
	for i := range o.Targets {
		o.Targets[i].Steps = slices.Clone(o.Targets[i].Steps)
		o.Targets[i].Checked = slices.Clone(o.Targets[i].Checked)
	}
	o.Answers = maps.Clone(o.Answers)
	return o
}

// RTO is how long the failover took, from the opened gate until Azure reported the last VM up; false until then.
func (o Operation) RTO() (time.Duration, bool) {
	if o.Verb != VerbFailover { // the way home waits for people
		return 0, false
	}
	var last time.Time
	for i := range o.Targets {
		if o.Targets[i].Phase == Failed || o.Targets[i].Skipped != nil {
			continue
		}
		s := o.Targets[i].Step(StepFailover)
		if s == nil || s.State != StateDone || o.StartedAt.IsZero() {
			return 0, false
		}
		if s.EndedAt.After(last) {
			last = s.EndedAt
		}
	}
	return max(0, last.Sub(o.StartedAt)), len(o.Targets) > 0
}

// RPO is the largest loss of data among the targets: from the recovery point used to the call; false until the points are known.
func (o Operation) RPO() (time.Duration, bool) {
	var worst time.Duration
	for i := range o.Targets {
		t := &o.Targets[i]
		if t.Lead || t.Phase == Failed || t.Skipped != nil {
			continue
		}
		s := t.Step(StepFailover)
		if s == nil || t.PointUsed.IsZero() {
			return 0, false
		}
		worst = max(worst, s.StartedAt.Sub(t.PointUsed))
	}
	return worst, len(o.Targets) > 0
}
