package vault

import (
	"fmt"
	"net/http"
)

// Guesses are behaviours of Azure that nobody recorded or documented; a client should be tested with each. The zero value is
// what seems most likely. docs/simulated-vault.md has the whole list.
type Guesses struct {
	// DrillKeepsFailover leaves TestFailover and UnplannedFailover allowed while a drill is open.
	DrillKeepsFailover bool
	// DrillWaitsForCleanup makes testFailoverState of an open drill WaitingForCleanup instead of WaitingForCompletion.
	DrillWaitsForCleanup bool
	// ChangeScenario is the scenarioName of applyRecoveryPoint, "ApplyRecoveryPoint" when empty.
	ChangeScenario string
	// SwitchCommits lets switchprotection commit a failover that waits for it, as the name of its second task suggests.
	SwitchCommits bool
	// UpdatesWithoutJob answers a change of an item's settings at once, 200 with the item and naming no job.
	UpdatesWithoutJob bool
	// UpdateScenario is the scenarioName of the job of such a change, "UpdateVmProperties" when empty.
	UpdateScenario string
	// FailedJobsRestart lists Restart among the allowedActions of a failed job.
	FailedJobsRestart bool
	// PlanFollowsItems lets a recovery plan name the new id of an item that a reprotect has moved; else it keeps the old one.
	PlanFollowsItems bool
	// PlanStopsAtFailure lets a plan's job fail with the first group in which a VM fails, and start no other group; else it goes
	// on, and ends PartiallySucceeded when at least one VM succeeded.
	PlanStopsAtFailure bool
	// FabricsStayNormal leaves the health of a fabric Normal while its region is down.
	FabricsStayNormal bool
	// MixedCase spells the name of a replicated item in capitals in every second id; else always as it was made.
	MixedCase bool
}

// refusal is an error with the status and code that the wire shows for it.
type refusal struct {
	status        int
	code, message string
}

// Error implements error.
func (r refusal) Error() string { return r.message }

func invalid(format string, args ...any) refusal {
	return refusal{http.StatusBadRequest, "InvalidParameter", fmt.Sprintf(format, args...)}
}
