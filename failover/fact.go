package failover

import "time"

// Fact is something that happened to an operation. The set is closed: a new kind needs a case in Evolve and in the codec.
//
//sumtype:decl
type Fact interface {
	// Type is the name on the wire; docs/events.md describes each. It never changes its meaning.
	Type() string
	fact()
}

// Record is a fact with what its envelope adds.
type Record struct {
	Fact    Fact
	At      time.Time // when it was decided, by the time that all processes share
	Seq     uint64    // stream sequence; 0 while it is not stored yet
	Command string    // message id of the command that it decides; empty when it decides none
	More    bool      // another fact of the same batch follows: the decision is not whole yet
}

type (
	// Requested opens an operation: somebody's command was accepted.
	Requested struct {
		Op        OpID      `json:"op"`
		Verb      Verb      `json:"verb"`
		By        Actor     `json:"by"`
		Reason    string    `json:"reason,omitempty"`
		Plan      Plan      `json:"plan"`
		Targets   []Target  `json:"targets"`
		ExpiresAt time.Time `json:"expires_at,omitzero"`
		Rule      RuleRef   `json:"rule,omitzero"` // that let them ask; it stands whole in the plan
		// Class tells kinds of requests apart for who audits them; empty is an ordinary one.
		Class AuditClass `json:"class,omitempty"`
		// Expected is how long it is going to take, as far as that can be said; zero when it cannot.
		Expected Expected `json:"expected,omitzero"`
	}
	// Drafted begins a request for more VMs than are taken in one step. Nothing of it counts before it is accepted.
	Drafted struct {
		Request Requested `json:"request"` // without its targets
	}
	// Planned are some of a draft's targets, in order.
	Planned struct {
		Targets []Target `json:"targets"`
	}
	// Taken says how many of a draft's VMs are held now; they were taken, or let go again, in the same batch.
	Taken struct {
		Held int `json:"held"`
	}
	// DraftAccepted makes a draft the operation that was asked for: all its VMs are held.
	DraftAccepted struct{}
	// Abandoned ends a draft; none of its VMs is held.
	Abandoned struct{}
	// Decided is one person's word on a gate.
	Decided struct {
		Gate    Class  `json:"gate"`
		By      Actor  `json:"by"`
		Approve bool   `json:"approve"`
		Reason  string `json:"reason,omitempty"`
		// Step is what the gate lets begin; empty in facts of before there were several gates of one class.
		Step StepKind `json:"step,omitempty"`
		Rule RuleRef  `json:"rule,omitzero"` // by which it was theirs to decide
	}
	// Lapsed closes a gate again: what was decided was not begun in time, or would not be decided so any more.
	Lapsed struct {
		Step      StepKind  `json:"step"`
		Why       string    `json:"why"`
		ExpiresAt time.Time `json:"expires_at,omitzero"` // of the request that waits anew
		// Rule decides what waits anew, and Digest is of the plan under it; nil: the one that decided before.
		Rule    *Rule        `json:"rule,omitempty"`
		Digest  string       `json:"digest,omitempty"`
		Changed []Difference `json:"changed,omitempty"` // of the rule
	}
	// CommitAsked is a typed commit by somebody who may ask for it and may not decide it.
	CommitAsked struct {
		By Actor `json:"by"`
	}
	// GateOpened says that a gate has its quorum and the work behind it may start.
	GateOpened struct {
		Gate Class    `json:"gate"`
		Step StepKind `json:"step,omitempty"`
		// Class says that it opened with fewer approvals than its rule wants; empty is as the rule has it.
		Class AuditClass `json:"class,omitempty"`
	}
	// Reviewed is what somebody else found who looked at a broken glass.
	Reviewed struct {
		By      Actor      `json:"by"`
		Approve bool       `json:"approve"` // signed off; else objected to
		Reason  string     `json:"reason,omitempty"`
		Class   AuditClass `json:"class"`
	}
	// Halted says which freezes stand in the way of the gate that waits; none any more when it names none.
	Halted struct {
		By []Freeze `json:"by,omitempty"`
	}
	// ChangeAsked is a wish for another recovery point before the commit; it replaces an earlier one.
	ChangeAsked struct {
		By    Actor         `json:"by"`
		Point RecoveryPoint `json:"point"`
	}
	// Prepared is what the next gate of a failback is about, as read from Azure: nobody can decide before.
	Prepared struct {
		Target   string         `json:"target"`
		Item     Item           `json:"item"`
		Shown    *RecoveryPoint `json:"shown,omitempty"`
		Reversal *Reversal      `json:"reversal,omitempty"`
		Digest   string         `json:"digest"`
	}
	// Checked is what a VM said when it was asked whether it works.
	Checked struct {
		Target string      `json:"target"`
		Result CheckResult `json:"result"`
	}
	// Surveyed is what a failback leaves behind; nothing of it is deleted.
	Surveyed struct {
		Target    string     `json:"target"`
		Leftovers []Leftover `json:"leftovers,omitempty"`
		Note      string     `json:"note,omitempty"`
	}
	// Reminded says that people were told again what waits for them.
	Reminded struct {
		Why   string   `json:"why"`
		About Reminder `json:"about,omitempty"` // empty is a gate, or a drill
	}
	// PutOnHold lets nothing new begin; what runs goes on.
	PutOnHold struct {
		By  Actor  `json:"by,omitzero"` // nobody: Ferry stopped by itself
		Why string `json:"why,omitempty"`
	}
	// Resumed ends a hold.
	Resumed struct {
		By Actor `json:"by"`
	}
	// Skipped leaves VMs out of what has yet to be done.
	Skipped struct {
		Targets []string `json:"targets"` // item keys
		By      Actor    `json:"by"`
	}
	// Retried has VMs whose step failed, or of which a person had to look, go on where they stand.
	Retried struct {
		Targets []string `json:"targets"` // item keys
		By      Actor    `json:"by"`
	}
	// Watched is what one look at a vault showed of several VMs: what changed, and nothing else.
	Watched struct {
		Changes []Observed `json:"changes"`
	}
	// Claimed names the executor that drives the operation from here on; its sequence is the epoch.
	Claimed struct {
		Executor string `json:"executor"`
		// Drive is the sequence of the work message that the claim rests on; an older message is stale.
		Drive uint64 `json:"drive,omitempty"`
	}
	// Parked says that the driver has nothing left to do until somebody decides something.
	Parked struct{}
	// StepStarted is the intent to make one mutating call; only who appended it may make the call.
	StepStarted struct {
		Target          string   `json:"target"` // item key
		Kind            StepKind `json:"kind"`
		Attempt         int      `json:"attempt"`
		ClientRequestID string   `json:"client_request_id"`
		Size            string   `json:"size,omitempty"` // of a resize
		// RequestedBy, ApprovedBy and Plan, the digest, say by whom, by which approvals and of what: for who audits the call.
		RequestedBy Actor   `json:"requested_by,omitzero"`
		ApprovedBy  []Actor `json:"approved_by,omitempty"`
		Plan        string  `json:"plan,omitempty"`
	}
	// StepAccepted names the job that the call made.
	StepAccepted struct {
		Target  string        `json:"target"`
		Kind    StepKind      `json:"kind"`
		JobID   string        `json:"job_id"`
		Poll    time.Duration `json:"-"` // poll_seconds
		Adopted bool          `json:"adopted,omitempty"`
		Note    string        `json:"note,omitempty"`
	}
	// StepUnknown says that the answer to a call was lost.
	StepUnknown struct {
		Target string   `json:"target"`
		Kind   StepKind `json:"kind"`
		Why    string   `json:"why"`
	}
	// StepDelayed says that Azure surely did not accept the call and asked to come back later.
	StepDelayed struct {
		Target string    `json:"target"`
		Kind   StepKind  `json:"kind"`
		Until  time.Time `json:"until"`
		Fault  Fault     `json:"fault"`
	}
	// Observed is what a job's tasks look like now, told when it changed.
	Observed struct {
		Target string   `json:"target"`
		Kind   StepKind `json:"kind"`
		Tasks  []Task   `json:"tasks,omitempty"`
		Note   string   `json:"note,omitempty"`
		// JobEnded says that the job is over and what it began goes on in Azure by itself.
		JobEnded bool `json:"job_ended,omitempty"`
	}
	// StepDone is the end of a step, by the state of the replicated item itself.
	StepDone struct {
		Target    string    `json:"target"`
		Kind      StepKind  `json:"kind"`
		PointUsed time.Time `json:"point_used,omitzero"`
		Point     string    `json:"point,omitempty"`   // its name, as [Item].Point
		EndedAt   time.Time `json:"ended_at,omitzero"` // by Azure's clock
		Tasks     []Task    `json:"tasks,omitempty"`
		Warning   string    `json:"warning,omitempty"`
		Outside   bool      `json:"outside,omitempty"` // done by somebody else, in the portal
	}
	// StepFailed is a step that will not be tried again without a person.
	StepFailed struct {
		Target string   `json:"target"`
		Kind   StepKind `json:"kind"`
		Tasks  []Task   `json:"tasks,omitempty"`
		Fault  Fault    `json:"fault"`
		// Changed is what is not as it was approved: nothing was called.
		Changed []Difference `json:"changed,omitempty"`
	}
	// Stuck says that a person has to look: nothing more is done by itself.
	Stuck struct {
		Target string `json:"target"`
		Why    string `json:"why"`
		Hint   string `json:"hint"`
	}
	// Finished is the end of the operation; its targets are let go in the same batch.
	Finished struct {
		Phase Phase  `json:"phase"`
		Note  string `json:"note,omitempty"`
		Hint  string `json:"hint,omitempty"`
	}
	// Refused is the answer no to one command; it changes nothing else.
	Refused struct {
		By      Actor   `json:"by"`
		Verb    Verb    `json:"verb"`
		Refusal Refusal `json:"refusal"`
	}
)

// OfWhole reports whether a fact is about its operation as a whole rather than about one of its VMs.
func OfWhole(f Fact) bool {
	key, _ := addressee(f)
	return key == ""
}

// Type implements Fact.
func (Requested) Type() string { return "requested" }

// Type implements Fact.
func (Drafted) Type() string { return "drafted" }

// Type implements Fact.
func (Planned) Type() string { return "planned" }

// Type implements Fact.
func (Taken) Type() string { return "taken" }

// Type implements Fact.
func (DraftAccepted) Type() string { return "accepted" }

// Type implements Fact.
func (Abandoned) Type() string { return "abandoned" }

// Type implements Fact.
func (Decided) Type() string { return "decided" }

// Type implements Fact.
func (Lapsed) Type() string { return "lapsed" }

// Type implements Fact.
func (CommitAsked) Type() string { return "commit_asked" }

// Type implements Fact.
func (GateOpened) Type() string { return "gate_opened" }

// Type implements Fact.
func (PutOnHold) Type() string { return "on_hold" }

// Type implements Fact.
func (Resumed) Type() string { return "resumed" }

// Type implements Fact.
func (Skipped) Type() string { return "skipped" }

// Type implements Fact.
func (Retried) Type() string { return "retried" }

// Type implements Fact.
func (Watched) Type() string { return "watched" }

// Type implements Fact.
func (Claimed) Type() string { return "claimed" }

// Type implements Fact.
func (Parked) Type() string { return "parked" }

// Type implements Fact.
func (StepStarted) Type() string { return "step_started" }

// Type implements Fact.
func (StepAccepted) Type() string { return "step_accepted" }

// Type implements Fact.
func (StepUnknown) Type() string { return "step_unknown" }

// Type implements Fact.
func (StepDelayed) Type() string { return "step_delayed" }

// Type implements Fact.
func (Observed) Type() string { return "observed" }

// Type implements Fact.
func (StepDone) Type() string { return "step_done" }

// Type implements Fact.
func (StepFailed) Type() string { return "step_failed" }

// Type implements Fact.
func (Stuck) Type() string { return "stuck" }

// Type implements Fact.
func (Finished) Type() string { return "finished" }

// Type implements Fact.
func (Refused) Type() string { return "refused" }

// Type implements Fact.
func (ChangeAsked) Type() string { return "change_asked" }

// Type implements Fact.
func (Prepared) Type() string { return "prepared" }

// Type implements Fact.
func (Checked) Type() string { return "checked" }

// Type implements Fact.
func (Surveyed) Type() string { return "surveyed" }

// Type implements Fact.
func (Reminded) Type() string { return "reminded" }

// Type implements Fact.
func (Reviewed) Type() string { return "reviewed" }

// Type implements Fact.
func (Halted) Type() string { return "halted" }

func (Drafted) fact()       {}
func (Planned) fact()       {}
func (Taken) fact()         {}
func (DraftAccepted) fact() {}
func (Abandoned) fact()     {}
func (Requested) fact()     {}
func (Decided) fact()       {}
func (CommitAsked) fact()   {}
func (GateOpened) fact()    {}
func (Lapsed) fact()        {}
func (Claimed) fact()       {}
func (Parked) fact()        {}
func (StepStarted) fact()   {}
func (StepAccepted) fact()  {}
func (StepUnknown) fact()   {}
func (StepDelayed) fact()   {}
func (Observed) fact()      {}
func (StepDone) fact()      {}
func (StepFailed) fact()    {}
func (Stuck) fact()         {}
func (Finished) fact()      {}
func (Refused) fact()       {}
func (ChangeAsked) fact()   {}
func (Prepared) fact()      {}
func (Checked) fact()       {}
func (Surveyed) fact()      {}
func (Reminded) fact()      {}
func (Reviewed) fact()      {}
func (Halted) fact()        {}
func (PutOnHold) fact()     {}
func (Resumed) fact()       {}
func (Skipped) fact()       {}
func (Retried) fact()       {}
func (Watched) fact()       {}
