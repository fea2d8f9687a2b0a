package failover

import (
	"slices"
	"time"
)

// Target is one replicated item within an operation.
type Target struct {
	Item     Item   `json:"item"` // as it was when the operation was asked for
	Phase    Phase  `json:"phase"`
	Progress string `json:"progress,omitempty"` // fine-grained, for people
	// Shown is the recovery point whose age the approver saw.
	Shown *RecoveryPoint `json:"shown,omitempty"`
	// PointUsed is the recovery point that Azure reports to have used; zero until known.
	PointUsed time.Time `json:"point_used,omitzero"`
	// Point names the recovery point in use, as [Item].Point does; empty until known.
	Point string `json:"point,omitempty"`
	// Replaced is the recovery point that was in use before the last change; zero when there was none, or it is not known.
	Replaced time.Time `json:"replaced,omitzero"`
	Steps    []Step    `json:"steps,omitempty"`
	Error    *Fault    `json:"error,omitempty"`
	// Changed is what is not as it was approved, when nothing was called for that.
	Changed []Difference `json:"changed,omitempty"`
	// Lead is the recovery plan itself, to which the calls go; Led is a VM that moves with it. Wave is the place, from 1, of the
	// plan's group or of the fleet's wave that it is in; 0 is none.
	Lead bool `json:"lead,omitempty"`
	Led  bool `json:"led,omitempty"`
	Wave int  `json:"wave,omitempty"`
	// Tolerated says that somebody let the others go on although it failed.
	Tolerated bool `json:"tolerated,omitempty"`
	// Skipped says who left it out; nil when nobody did.
	Skipped *Actor `json:"skipped,omitempty"`
	// Short is what the region had no capacity for at its last try, as Azure names it; empty once it is tried again.
	Short string `json:"short,omitempty"`
	// Expected is how many seconds its first step is going to take, by what it took before; 0 is not known.
	Expected int `json:"expected,omitempty"`
	// KeptWaiting says that Azure has kept the step waiting since its gate opened, by silence or by throttling.
	KeptWaiting bool `json:"kept_waiting,omitempty"`
	// Doing is the step that runs, or that waits behind the gate.
	Doing StepKind `json:"doing,omitempty"`
	// Unplanned says that what the gate is about has not been read yet: nobody can decide on it.
	Unplanned bool `json:"unplanned,omitempty"`
	// Reversal is what a reprotect would use and create.
	Reversal *Reversal `json:"reversal,omitempty"`
	// Alike are other VMs of the vaults whose names are easily taken for this one's, a few of them; MoreAlike counts the rest.
	Alike     []Alike `json:"alike,omitempty"`
	MoreAlike int     `json:"more_alike,omitempty"`
	// Check is how the VM is asked after a failover whether it works; Checked is what it said, newest last.
	Check   *Check        `json:"check,omitempty"`
	Checked []CheckResult `json:"checked,omitempty"`
	// Leftovers are what a failback leaves in the region that it came from, and what costs money there.
	Leftovers []Leftover `json:"leftovers,omitempty"`
	// LeftoversNote says why they are not known.
	LeftoversNote string `json:"leftovers_note,omitempty"`
}

// StepKind is one mutating call to Azure and what follows from it.
type StepKind string

// The steps, named after the calls of the Site Recovery API.
const (
	StepFailover StepKind = "failover"
	StepCommit   StepKind = "commit"
	StepChange   StepKind = "change" // applyRecoveryPoint
	StepTest     StepKind = "test"
	StepCleanup  StepKind = "cleanup"
	// StepReprotect is done when the item is protected in the other direction, not when its job has ended.
	StepReprotect StepKind = "reprotect"
	// StepReprotectAgain is the second reprotect of a failback: home again, and protected as before.
	StepReprotectAgain StepKind = "reprotect_again"
	// StepProbe asks the VM whether it works; nothing is called at Azure.
	StepProbe StepKind = "probe"
	// StepCheck is a person's word that it works; nothing is called.
	StepCheck StepKind = "check"
	// StepSurvey reads what a failback leaves behind; nothing is changed.
	StepSurvey StepKind = "survey"
	// StepResize names another size in the vault for the VM that a failover makes: part of a failover that found no capacity.
	StepResize StepKind = "resize"
)

// StepState is where a step stands.
type StepState string

const (
	// StateStarted: the intent is stored, the outcome of the call is not known.
	StateStarted StepState = "started"
	// StateDelayed: Azure surely did not accept the call and asked to come back later.
	StateDelayed StepState = "delayed"
	// StateAccepted: Azure named the job.
	StateAccepted StepState = "accepted"
	// StateDone: the item itself shows that it is done.
	StateDone StepState = "done"
	// StateFailed: it will not be tried again without a person.
	StateFailed StepState = "failed"
)

// Step is one attempt at a mutating call.
type Step struct {
	Kind    StepKind  `json:"kind"`
	Attempt int       `json:"attempt"`
	State   StepState `json:"state"`
	// ClientRequestID goes out as x-ms-client-request-id and comes back in the job's activityId.
	ClientRequestID string    `json:"client_request_id"`
	StartedAt       time.Time `json:"started_at"`
	EndedAt         time.Time `json:"ended_at,omitzero"`
	JobID           string    `json:"job_id,omitempty"`
	// Poll is the pace that Azure asked for with Retry-After; zero when it did not.
	Poll    time.Duration `json:"-"` // poll_seconds
	Tasks   []Task        `json:"tasks,omitempty"`
	Adopted bool          `json:"adopted,omitempty"` // the job was found again after a lost answer
	// Unknown is since when the outcome of the call is not known; zero when it is.
	Unknown time.Time `json:"unknown,omitzero"`
	// Lost is how many calls for the same, beside the one that Azure took, may still arrive: nobody knows what became of them.
	Lost int `json:"lost,omitempty"`
	// JobEnded says that the job is over and what it began goes on in Azure by itself: an initial replication.
	JobEnded bool `json:"job_ended,omitempty"`
	// Until is when a delayed call may be made again.
	Until   time.Time `json:"until,omitzero"`
	Warning string    `json:"warning,omitempty"`
	// Size is the one that a resize asks for.
	Size string `json:"size,omitempty"`
}

// Fault is why something did not work, in Azure's words, with the action that Azure recommends.
type Fault struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Cause   string `json:"cause,omitempty"`
	Action  string `json:"action,omitempty"`
	About   string `json:"about,omitempty"` // name of the VM, where a job is about several
	// Capacity is what the other region is short of, as Azure names it: a size, or a quota; empty when it is something else.
	Capacity string `json:"capacity,omitempty"`
}

// Step returns the newest attempt of a kind, or nil.
func (t *Target) Step(kind StepKind) *Step {
	for i := range slices.Backward(t.Steps) {
		if t.Steps[i].Kind == kind {
			return &t.Steps[i]
		}
	}
	return nil
}
