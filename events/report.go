package events

import (
	"time"

	"ferry/failover"
)

// ReportRequest asks for the story of an operation; without one, for the newest operations.
type ReportRequest struct {
	Op failover.OpID `json:"op,omitempty"`
}

// NewestOperations is how many a report request without an operation is told of.
const NewestOperations = 100

// ReportReply carries the story, or the newest operations in brief, newest first. Neither: there is no such operation.
type ReportReply struct {
	V      int                  `json:"v"`
	Report *failover.Report     `json:"report,omitempty"`
	Newest []failover.Operation `json:"newest,omitempty"`
}

// Report is `ferry report OP -o json`: what [Status] says, and the course. Versioned, and only ever added to.
type Report struct {
	Status
	Decisions        []ReportDecision `json:"decisions"`
	Steps            []ReportStep     `json:"steps"`
	TargetRTOSeconds *int             `json:"target_rto_seconds"` // null: the configuration has none
	TargetRPOSeconds *int             `json:"target_rpo_seconds"`
	Owed             []DebtLine       `json:"owed"`
}

// ReportDecision is one person's word on a gate.
type ReportDecision struct {
	StatusApproval
	Step   failover.StepKind `json:"step"`
	Reason string            `json:"reason"`
}

// ReportStep is one attempt at a step on one VM.
type ReportStep struct {
	VM        string             `json:"vm"`
	Vault     string             `json:"vault"`
	Step      failover.StepKind  `json:"step"`
	Attempt   int                `json:"attempt"`
	State     failover.StepState `json:"state"`
	StartedAt *time.Time         `json:"started_at"`
	EndedAt   *time.Time         `json:"ended_at"`
	Seconds   *int               `json:"seconds"` // null while it has not ended
	JobID     string             `json:"job_id"`
	Warning   string             `json:"warning,omitempty"`
	Size      string             `json:"size,omitempty"` // that a resize asks for
	Tasks     []ReportTask       `json:"tasks"`
}

// ReportTask is one of Azure's own steps, in Azure's words.
type ReportTask struct {
	Name      string     `json:"name"`
	State     string     `json:"state"`
	StartedAt *time.Time `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

// ReportOf turns a story into the public form. Times are UTC.
func ReportOf(r failover.Report) Report {
	out := Report{Status: StatusOf(r.Operation), Decisions: []ReportDecision{}, Steps: []ReportStep{}, Owed: DebtOf(failover.DebtList{Debts: r.Owed}).Items}
	for i, d := range r.Operation.Decisions {
		out.Decisions = append(out.Decisions, ReportDecision{out.Approvals[i], d.Step, d.Reason})
	}
	for _, t := range r.Operation.Targets {
		for _, s := range t.Steps {
			out.Steps = append(out.Steps, reportStep(t.Item, s))
		}
	}
	if r.TargetRTO > 0 {
		out.TargetRTOSeconds = &r.TargetRTO
	}
	if r.TargetRPO > 0 {
		out.TargetRPOSeconds = &r.TargetRPO
	}
	return out
}

func reportStep(i failover.Item, s failover.Step) ReportStep {
	step := ReportStep{
		VM: i.Name, Vault: i.Vault, Step: s.Kind, Attempt: s.Attempt, State: s.State, StartedAt: moment(s.StartedAt), EndedAt: moment(s.EndedAt),
		JobID: s.JobID, Warning: s.Warning, Size: s.Size, Tasks: []ReportTask{},
	}
	if !s.StartedAt.IsZero() && !s.EndedAt.IsZero() {
		step.Seconds = seconds(max(0, s.EndedAt.Sub(s.StartedAt)))
	}
	for _, t := range s.Tasks {
		step.Tasks = append(step.Tasks, ReportTask{t.Name, t.State, moment(t.StartedAt), moment(t.EndedAt)})
	}
	return step
}
