package failover

import (
	"slices"
	"strings"
)

// Row is one line of the state table: for a step and a state of the replicated item, go or why not.
type Row struct {
	Step    StepKind
	State   string // protectionState; "*" is every other
	Test    string // testFailoverState: "None", "*", or "open" for anything else
	Busy    bool   // a job runs on the item
	Allowed bool
	Needs   string // the word that allowedOperations must have besides
	Message string // why not; {vm} and {state} are filled in
	Hint    string
	Next    Phase // of the target when the step is done
}

// Table returns the legal moves as data, most specific row first; the first that fits decides. From it come the refusals,
// docs/states.md and the test that every state has an answer.
func Table() []Row {
	return []Row{
		{Step: StepFailover, State: "*", Test: "*", Busy: true, Message: "A job is already running on {vm}: {job}.", Hint: "Wait for it, then ask again; /failover status {vm} shows where it stands."},
		{Step: StepFailover, State: StateProtected, Test: "open", Message: "A test failover of {vm} has not been cleaned up.", Hint: "Clean it up first (in the portal: Cleanup test failover), then ask again."},
		{Step: StepFailover, State: StateProtected, Test: "None", Allowed: true, Needs: "UnplannedFailover", Next: AwaitingCommit},
		{Step: StepFailover, State: StateCommitPending, Test: "*", Message: "{vm} has already been failed over and waits for its commit.", Hint: "To make it final, type /failover commit {vm}."},
		{Step: StepFailover, State: StateCommitted, Test: "*", Message: "{vm} has been failed over and committed; it is not protected until it is reprotected.", Hint: "Reprotect it first (in the portal: Re-protect), then ask again."},
		{Step: StepFailover, State: "InitialReplicationInProgress", Test: "*", Message: "{vm} is still in its initial replication.", Hint: "Ask again when /failover list shows it as Protected."},
		{Step: StepFailover, State: "InitialReplicationRecoveryCompletionPending", Test: "*", Message: "{vm} waits for its first recovery point.", Hint: "Ask again when /failover list shows it as Protected."},
		{Step: StepFailover, State: "UnprotectedStatesBegin", Test: "*", Message: "Protection of {vm} is still being set up.", Hint: "Ask again when /failover list shows it as Protected."},
		{Step: StepFailover, State: "*", Test: "*", Message: "{vm} is in the state {state}, from which Ferry does not fail over.", Hint: "Look at the replicated item in the portal; ask again when /failover list shows it as Protected."},

		{Step: StepCommit, State: "*", Test: "*", Busy: true, Message: "A job is already running on {vm}: {job}.", Hint: "Wait for it, then ask again; /failover status {vm} shows where it stands."},
		{Step: StepCommit, State: StateCommitPending, Test: "*", Allowed: true, Needs: "Commit", Next: Succeeded},
		{Step: StepCommit, State: StateCommitted, Test: "*", Message: "{vm} is already committed.", Hint: "Nothing is left to commit; /failover list shows its state."},
		{Step: StepCommit, State: StateProtected, Test: "*", Message: "{vm} has not been failed over, so there is nothing to commit.", Hint: "To fail it over, type /failover {vm} latest."},
		{Step: StepCommit, State: "*", Test: "*", Message: "{vm} is in the state {state}; there is nothing to commit.", Hint: "/failover list shows its state."},
	}
}

// RowFor finds the row that decides a step on an item as it is now.
func RowFor(step StepKind, item Item) Row {
	for _, r := range Table() {
		if r.Step == step && r.fits(item) {
			return r
		}
	}
	// The last row of each step fits everything; the table's test holds it to that.
	return Row{Step: step, Message: "Ferry does not know the step.", Hint: "Type /failover help."}
}

func (r Row) fits(item Item) bool {
	testOpen := item.TestState != "" && item.TestState != "None"
	return (!r.Busy || item.JobID != "") &&
		(r.State == "*" || r.State == item.State) &&
		(r.Test == "*" || (r.Test == "open") == testOpen)
}

// Legal says whether a step may be taken on an item as Azure reports it now.
func Legal(step StepKind, item Item) *Refusal {
	r := RowFor(step, item)
	fill := strings.NewReplacer("{vm}", item.Name, "{state}", item.State, "{job}", item.Scenario)
	if !r.Allowed {
		return &Refusal{Kind: WrongState, Message: fill.Replace(r.Message), Hint: fill.Replace(r.Hint)}
	}
	if !slices.Contains(item.Allowed, r.Needs) {
		return Refuse(WrongState, "Look at the replicated item in the portal; its health errors say what is missing.",
			"Azure does not offer %s for %s now (it offers: %s).", r.Needs, item.Name, strings.Join(item.Allowed, ", "))
	}
	return nil
}
