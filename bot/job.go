package bot

import (
	"cmp"
	"strings"

	"ferry/failover"
)

// Scenario is the scenario of a Site Recovery job in people's words; one that is not known keeps Azure's.
func Scenario(name string) string {
	switch name {
	case "UnplannedFailover":
		return "failover"
	case "PlannedFailover":
		return "planned failover"
	case "CommitFailover":
		return "commit"
	case "CancelFailover":
		return "cancel of a failover"
	case "TestFailover":
		return "test failover"
	case "TestFailoverCleanup":
		return "clean-up of a test failover"
	case "SwitchReplicationGroupProtection", "ReverseReplication":
		return "reprotect"
	case "EnableDr":
		return "enable replication"
	case "DisableDr":
		return "disable replication"
	case "ApplyRecoveryPoint", "ChangePit": // its name was never recorded
		return "change of the recovery point"
	}
	return name
}

// JobState is how a job stands, in people's words. A success with a warning is told apart from one without.
func JobState(j failover.Job) string {
	switch j.State {
	case failover.JobNotStarted:
		return "not started"
	case failover.JobInProgress:
		return "running"
	case failover.JobSuspended:
		return "suspended: it waits for somebody in Azure"
	case failover.JobSucceeded:
		switch j.Description {
		case "PartiallySucceeded":
			return "succeeded in part"
		case "CompletedWithInformation":
			return "succeeded, with a warning"
		}
		return "succeeded"
	case failover.JobFailed, failover.JobCancelled:
		return strings.ToLower(string(j.State))
	case failover.JobOther:
	}
	return cmp.Or(j.Description, "in a state that Ferry does not know")
}

// Owed is a debt in words.
func Owed(d failover.Debt) string {
	switch d.Kind {
	case failover.Uncommitted:
		return "waits for its commit"
	case failover.Unprotected:
		return "is not protected"
	case failover.DrillOpen:
		return "has an open drill"
	case failover.ReviewOpen:
		return "has a broken glass that nobody has reviewed"
	}
	return string(d.Kind)
}

// Settle says what to do about a debt.
func Settle(d failover.Debt) string {
	if d.Job != "" {
		return "wait for the job on it: " + Scenario(d.Job)
	}
	switch d.Kind {
	case failover.Uncommitted:
		return "type " + Command + " commit " + d.Typed
	case failover.Unprotected:
		return "type " + Command + " reprotect " + d.Typed
	case failover.DrillOpen:
		return "type " + Command + " cleanup " + d.Typed
	case failover.ReviewOpen:
		return "another approver types " + Command + " approve " + d.Typed + ", or deny with a reason"
	}
	return "look at " + d.Typed + " in the portal"
}
