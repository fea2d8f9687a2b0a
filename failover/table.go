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
	return slices.Concat(failoverRows(), changeRows(), commitRows(), testRows(), cleanupRows(), reprotectRows())
}

// The words that come back in several rows.
const (
	busyMessage  = "A job is already running on {vm}: {job}."
	busyHint     = "Wait for it, then ask again; /failover jobs shows it."
	drillMessage = "A test failover of {vm} has not been cleaned up."
	drillHint    = "Clean it up first: /failover cleanup {vm}. Then ask again."
	readyHint    = "Ask again when /failover list shows it as Protected."
	pendingText  = "{vm} has been failed over and waits for its commit."
	pendingHint  = "To make it final, type /failover commit {vm}."
	committed    = "{vm} has been failed over and committed; it is not protected until it is reprotected."
	reprotect    = "Reprotect it first: /failover reprotect {vm}. Then ask again when it is Protected."
	notOver      = "{vm} has not been failed over"
	portalHint   = "Look at the replicated item in the portal; " + "ask again when /failover list shows it as Protected."
)

func failoverRows() []Row {
	rows := []Row{
		{State: "*", Test: "*", Busy: true, Message: busyMessage, Hint: busyHint},
		{State: StateProtected, Test: "open", Message: drillMessage, Hint: drillHint},
		{State: StateProtected, Test: "None", Allowed: true, Needs: "UnplannedFailover", Next: AwaitingCommit},
		{State: StateCommitPending, Test: "*", Message: "{vm} has already been failed over and waits for its commit.", Hint: pendingHint},
		{State: StateCommitted, Test: "*", Message: committed, Hint: reprotect},
	}
	return of(StepFailover, append(rows, settingUp("from which Ferry does not fail over")...))
}

func changeRows() []Row {
	return of(StepChange, []Row{
		{State: "*", Test: "*", Busy: true, Message: busyMessage, Hint: busyHint},
		{State: StateCommitPending, Test: "*", Allowed: true, Needs: "ChangePit", Next: AwaitingCommit},
		{State: StateCommitted, Test: "*", Message: "{vm} is already committed: Azure has deleted its recovery points.", Hint: "Nothing is left to choose from; /failover list shows its state."},
		{State: StateProtected, Test: "*", Message: notOver + ", so there is no recovery point to change.", Hint: "To fail it over to the point you want, type /failover {vm} POINT."},
		{State: "*", Test: "*", Message: "{vm} is in the state {state}; there is no recovery point to change.", Hint: "/failover list shows its state."},
	})
}

func commitRows() []Row {
	return of(StepCommit, []Row{
		{State: "*", Test: "*", Busy: true, Message: busyMessage, Hint: busyHint},
		{State: StateCommitPending, Test: "*", Allowed: true, Needs: "Commit", Next: Succeeded},
		{State: StateCommitted, Test: "*", Message: "{vm} is already committed.", Hint: "Nothing is left to commit; /failover list shows its state."},
		{State: StateProtected, Test: "*", Message: notOver + ", so there is nothing to commit.", Hint: "To fail it over, type /failover {vm} latest."},
		{State: "*", Test: "*", Message: "{vm} is in the state {state}; there is nothing to commit.", Hint: "/failover list shows its state."},
	})
}

func testRows() []Row {
	rows := []Row{
		{State: "*", Test: "*", Busy: true, Message: busyMessage, Hint: busyHint},
		{State: StateProtected, Test: "open", Message: drillMessage, Hint: drillHint},
		{State: StateProtected, Test: "None", Allowed: true, Needs: "TestFailover", Next: Succeeded},
		{State: StateCommitPending, Test: "*", Message: pendingText, Hint: "A drill needs a protected VM: commit it (/failover commit {vm}), then reprotect it."},
		{State: StateCommitted, Test: "*", Message: committed, Hint: reprotect},
	}
	return of(StepTest, append(rows, settingUp("in which Azure offers no test failover")...))
}

func cleanupRows() []Row {
	return of(StepCleanup, []Row{
		{State: "*", Test: "*", Busy: true, Message: busyMessage, Hint: busyHint},
		{State: "*", Test: "open", Allowed: true, Needs: "TestFailoverCleanup", Next: Succeeded},
		{State: "*", Test: "*", Message: "There is no test failover of {vm} to clean up.", Hint: "To start one, type /failover test {vm}."},
	})
}

func reprotectRows() []Row {
	rows := []Row{
		{State: "*", Test: "*", Busy: true, Message: busyMessage, Hint: busyHint},
		{State: StateCommitted, Test: "*", Allowed: true, Needs: "SwitchProtection", Next: Succeeded},
		{State: StateCommitPending, Test: "*", Message: pendingText, Hint: "Commit it first: /failover commit {vm}. Then ask again."},
		{State: StateProtected, Test: "*", Message: notOver + ": it is protected, so there is nothing to reprotect.", Hint: "/failover list shows its state."},
	}
	return of(StepReprotect, append(rows, settingUp("from which Ferry does not reprotect")...))
}

// settingUp are the last rows of what needs a protected item.
func settingUp(otherwise string) []Row {
	return []Row{
		{State: StateReplicates, Test: "*", Message: "{vm} is still in its initial replication.", Hint: readyHint},
		{State: StateFirstPoint, Test: "*", Message: "{vm} waits for its first recovery point.", Hint: readyHint},
		{State: StateEnabling, Test: "*", Message: "Protection of {vm} is still being set up.", Hint: readyHint},
		{State: "*", Test: "*", Message: "{vm} is in the state {state}, " + otherwise + ".", Hint: portalHint},
	}
}

func of(step StepKind, rows []Row) []Row {
	for i := range rows {
		rows[i].Step = step
	}
	return rows
}

// RowFor finds the row that decides a step on an item as it is now.
func RowFor(step StepKind, item Item) Row {
	if step == StepReprotectAgain {
		step = StepReprotect
	}
	for _, r := range Table() {
		if r.Step == step && r.fits(item) {
			return r
		}
	}
	// The last row of each step fits everything; the table's test holds it to that.
	return Row{Step: step, Message: "Ferry does not know the step.", Hint: "Type /failover help."}
}

func (r Row) fits(item Item) bool {
	return (!r.Busy || item.JobID != "") &&
		(r.State == "*" || r.State == item.State) &&
		(r.Test == "*" || (r.Test == "open") == item.drilled())
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
