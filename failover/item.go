package failover

import "time"

// Item is a replicated item as Site Recovery reports it at one moment.
type Item struct {
	// ID is the ARM id. It changes with reprotect and its case varies, so it is never compared; Key is.
	ID string `json:"id"`
	// Key is a hash of the lower-case vault id and item name: the same replicated item has it for life.
	Key           string `json:"key"`
	Name          string `json:"name"` // the VM's (friendly) name, as people know it
	Vault         string `json:"vault"`
	VaultID       string `json:"vault_id"`
	ResourceGroup string `json:"resource_group"`
	// Tags are the VM's; nil: not known, which is something else than none.
	Tags      map[string]string `json:"tags,omitzero"`
	From      string            `json:"from"`   // region that runs the VM when protected
	To        string            `json:"to"`     // region that receives it
	Active    string            `json:"active"` // region that runs it now
	State     string            `json:"state"`  // protectionState
	TestState string            `json:"test_state,omitempty"`
	Allowed   []string          `json:"allowed,omitempty"` // allowedOperations
	Health    string            `json:"health,omitempty"`
	// Scenario and JobID name what runs on the item now; empty when idle.
	Scenario string `json:"scenario,omitempty"`
	JobID    string `json:"job_id,omitempty"`
	// RPO is the age of the replicated data; negative when Azure reports none.
	RPO      time.Duration `json:"-"`                // rpo_seconds
	Errors   []Fault       `json:"errors,omitempty"` // health errors
	LastTest time.Time     `json:"last_test,omitzero"`
	// Home is the region in which the VM was when its protection began; reprotects do not change it.
	Home string `json:"home,omitempty"`
	// VM is the ARM id of the VM that is replicated, and Caches are those of the storage accounts that its data go through.
	VM     string   `json:"vm,omitempty"`
	Caches []string `json:"caches,omitempty"`
	// Replicated is how much of the initial replication is done, in percent; 0 outside of one.
	Replicated int `json:"replicated,omitempty"`
	// LastFailover is when Azure last failed it over.
	LastFailover time.Time `json:"last_failover,omitzero"`
	// Point names the recovery point that the VM was last failed over to: the last segment of its id, lower case, for the rest
	// varies. Empty when Azure names none.
	Point string `json:"point,omitempty"`
	// Size is that of the VM that a failover makes, as Compute names it ("Standard_D4s_v5"); empty when Azure names none.
	Size string `json:"size,omitempty"`
}

// The protection states of an Azure-to-Azure item that this package decides on (recorded 2023 and 2025).
const (
	StateProtected     = "Protected"
	StateCommitPending = "UnplannedFailoverCommitPendingStatesBegin"
	StateCommitted     = "UnplannedFailoverCommitted"
	// StateEnabling, StateReplicates and StateFirstPoint come while replication is set up; no recovery point exists yet.
	StateEnabling   = "UnprotectedStatesBegin"
	StateReplicates = "InitialReplicationInProgress"
	StateFirstPoint = "InitialReplicationRecoveryCompletionPending"
)

// replicating reports whether an item is on its way to Protected.
func (i Item) replicating() bool {
	return i.State == StateEnabling || i.State == StateReplicates || i.State == StateFirstPoint
}

// runsIn is the region that runs the VM. Azure need not say; then the state of the item does.
func (i Item) runsIn() string {
	switch {
	case i.Active != "":
		return i.Active
	case i.State == StateCommitPending || i.State == StateCommitted:
		return i.To
	}
	return i.From
}

// drilled reports whether a test failover is open on the item.
func (i Item) drilled() bool { return i.TestState != "" && i.TestState != "None" }

// RecoveryPoint is one moment to which a VM can be failed over.
type RecoveryPoint struct {
	ID            string    `json:"id"`
	Time          time.Time `json:"time"`
	AppConsistent bool      `json:"app_consistent,omitempty"`
}

// JobState is the closed set of states of a Site Recovery job; whatever else Azure says is JobOther.
type JobState string

// The states as Azure spells them.
const (
	JobNotStarted JobState = "NotStarted"
	JobInProgress JobState = "InProgress"
	JobSucceeded  JobState = "Succeeded"
	JobFailed     JobState = "Failed"
	JobCancelled  JobState = "Cancelled"
	JobSuspended  JobState = "Suspended"
	JobOther      JobState = "Other"
)

// Job is a Site Recovery job. A list gives it without Tasks, Errors, ActivityID and point: only reading the one job does.
type Job struct {
	ID       string   `json:"id"` // ARM id
	Scenario string   `json:"scenario"`
	State    JobState `json:"state"`
	// Description refines the state: PartiallySucceeded and CompletedWithInformation are warnings that a person must see.
	Description string    `json:"description,omitempty"`
	Target      string    `json:"target,omitempty"` // friendly name; may repeat within a vault
	Vault       string    `json:"vault,omitempty"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	ActivityID  string    `json:"activity_id,omitempty"` // begins with the client request id of the call that made it
	Tasks       []Task    `json:"tasks,omitempty"`
	Errors      []Fault   `json:"errors,omitempty"`
	PointUsed   time.Time `json:"point_used,omitzero"`
	// Thin says that it comes from a list, which has neither tasks nor errors.
	Thin bool `json:"-"`
	// PointsUsed are those of a job about several VMs, by lower-case name.
	PointsUsed map[string]time.Time `json:"points_used,omitempty"`
}

// Task is one step of a job as Azure names it.
type Task struct {
	Name      string    `json:"name"`
	State     string    `json:"state"` // NotStarted, InProgress, Succeeded, Failed, Skipped, ...
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Part      bool      `json:"part,omitempty"` // of the last task before it that is none
}

// equal compares what tasks say: the same moment may come in several forms.
func (t Task) equal(other Task) bool {
	return t.Name == other.Name && t.State == other.State && t.Part == other.Part && t.StartedAt.Equal(other.StartedAt) && t.EndedAt.Equal(other.EndedAt)
}

// SiteErrorKind says what a caller may do about an error from Azure. The set is closed.
type SiteErrorKind string

const (
	// Retry: the call was surely not accepted; it may be sent again after a while.
	Retry SiteErrorKind = "retry"
	// RefusedBySite: it will never work as it is.
	RefusedBySite SiteErrorKind = "refused"
	// Unknown: the answer was lost; look before acting again.
	Unknown SiteErrorKind = "unknown"
)

// CodePrerequisite is the fault code of what is missing for a step, found before anything was asked of Azure.
const CodePrerequisite = "Prerequisite"

// SiteError is what a call to Azure came to when it was not accepted.
type SiteError struct {
	Kind  SiteErrorKind
	After time.Duration // for Retry: how long Azure asked to wait; 0 when it did not say
	// Silent is for how long Azure is known not to answer; 0 when this is the first that is heard of it.
	Silent time.Duration
	Fault  Fault
}

// Error gives the fault in one line.
func (e *SiteError) Error() string {
	if e.Fault.Code == "" {
		return e.Fault.Message
	}
	return e.Fault.Code + ": " + e.Fault.Message
}

// Call is one mutating call, complete: the site adds nothing of its own.
type Call struct {
	Kind            StepKind
	Item            Item
	PointID         string // ARM id of a recovery point; empty is Latest
	Shutdown        bool
	Network         string    // ARM id, of a test failover
	Notes           string    // of a clean-up
	Reversal        *Reversal // of a reprotect
	Recovery        bool      // Item is a recovery plan, and Point says which points its VMs take
	Point           Point
	Size            string // of the VM, as Compute names it: of a resize
	ClientRequestID string
}

// Accepted is Azure's promise to do what a call asked for.
type Accepted struct {
	JobID string        // ARM id
	Poll  time.Duration // Retry-After; zero when there was none
}

// Inventory is what was last read of all replicated items, and who holds them.
type Inventory struct {
	Items []Item `json:"items"`
	// Holders maps item keys to the operations that hold them.
	Holders map[string]OpID `json:"holders,omitempty"`
	// Open tells of those operations who asked for what, since when and why.
	Open map[OpID]Holding `json:"open,omitempty"`
	// Freezes are those that hold.
	Freezes []Freeze `json:"freezes,omitempty"`
	// Groups are those of the configuration, by name.
	Groups []GroupLine `json:"groups,omitempty"`
	// Foreign lists the keys of the items on which a job runs that was started outside Ferry.
	Foreign []string  `json:"foreign,omitempty"`
	At      time.Time `json:"at,omitzero"` // of the reading; zero when Azure was never read
}
