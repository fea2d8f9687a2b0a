package bot

import (
	"fmt"
	"strings"

	"ferry/failover"
)

// The answers when nothing was decided yet, or could not be.
const (
	// NotConfirmed is the answer when the store has not confirmed in time: it is no acceptance.
	NotConfirmed = "Not confirmed yet: it is not known whether your request was stored. Do not repeat it; I keep trying and tell you here."
	// NotStored is the answer when a request could not be stored while it was valid.
	NotStored = "Your request could not be stored in time and is no longer valid. Ask again."
	// NoExecutor is the answer to a read that nobody answered.
	NoExecutor = "No executor answers, so I cannot say. Check that a ferry executor runs, then ask again."
	// Reading stands in a form until it is known what it is about.
	Reading = "Reading what this is about…"
	// NoForm is the answer when Slack did not let a form be opened.
	NoForm = "Slack did not let me open the form in time. Nothing was started; ask again."
	// NoFormHere is the answer to a mention that asks for what a form is shown for first.
	NoFormHere = "A reprotect is shown in a form before it starts, and Slack opens no form for a mention. Type " + Command + " reprotect VM in the channel, or press Reprotect on the card."
	// NoOperationHere is the answer to who uses the shortcut on a message that is about no operation.
	NoOperationHere = "This message is about no operation of Ferry. Use the shortcut on a card or a message that names one, such as op-7f3kq2mz, or type " + Command + " status to see what is open."
	// NotAddressed is the answer to a message that names the bot somewhere.
	NotAddressed = "I do what a message says that begins with my name, as in @ferry status. Nothing was started."
	// Posting stands in the form of a report until it is posted.
	Posting = "Posting the report…"
	// PostedToYou and PostedInThread say where a report is, the others why it is not.
	PostedToYou    = "The report is in the channel; only you see it."
	PostedInThread = "The report is in the thread of the operation's card, with your name."
	NoCard         = "This operation has no card in the channel, so there is no thread for the report. Ask for it to you alone."
	NotPosted      = "It is not known whether the report was posted: Slack did not say so. Look before you ask for it again."
	// ListPosted says where the list of so many VMs is; ListNotPosted how to get it, of an operation; ListedAlready that it is there.
	ListPosted    = "The list of all %s is in the thread of the card, as a file."
	ListNotPosted = "The whole list could not be posted into the thread of the card (the app may lack files:write). What fits is here; a terminal prints all of it: %s status %s."
	ListedAlready = "The list was posted into the thread of the card less than a minute ago."
	// AzureSlow is the answer while Azure has not answered a read.
	AzureSlow = "Azure has not answered yet. I go on waiting for half a minute, and tell you here."
)

// Stored is the answer when a request is kept safe and nobody has decided it yet.
func Stored(op failover.OpID) string {
	return fmt.Sprintf("Your request is stored as %s, but no executor has answered yet. Do not repeat it: it is decided when one answers within %d minutes, and dropped otherwise. To look, type %s status %s.",
		op, int(failover.CommandValidity.Minutes()), Command, op)
}

// RefusalText is a refusal in one paragraph: why not, and what to do instead.
func RefusalText(r *failover.Refusal) string { return OneLine(r.Message + " " + r.Hint) }

// AnswerTo says to whoever gave a command what became of it, in one line. op is the operation with the decision folded in.
func AnswerTo(cmd failover.Command, op failover.Operation, a failover.Answer) string {
	return OneLine(answerTo(cmd, op, a))
}

func answerTo(cmd failover.Command, op failover.Operation, a failover.Answer) string {
	if a.Refused != nil {
		return RefusalText(Explained(cmd, a.Refused))
	}
	id := string(op.ID)
	switch a.Did {
	case failover.DidRequest:
		return requestedAnswer(cmd, op)
	case failover.DidStart:
		if op.Verb.Declares() {
			return declaredAnswer(op)
		}
		return id + ": " + What(op) + pinned(cmd, op) + " has started" + brokenGlass(op) + "." + many(op) + " Follow it on the card in the channel." + LookAlike(op)
	case failover.DidApprove:
		return "Your approval of " + id + " counts. It still waits for " + WaitsFor(op) + "."
	case failover.DidOpenGate:
		if op.Verb == failover.VerbFailback || cmd.Verb == failover.VerbCommit || cmd.Verb == failover.VerbChange {
			return openedAnswer(cmd, op)
		}
		return id + " is approved, and " + What(op) + " has started. Follow it on the card in the channel."
	case failover.DidDeny:
		return id + " is denied. Nothing was started, and who asked is told."
	case failover.DidCancel:
		if op.Verb == failover.VerbIncident {
			return "The incident " + id + " is over."
		}
		if op.Verb == failover.VerbFreeze {
			return "The freeze of " + Targets(op) + " (" + id + ") is over: new work may start again."
		}
		return cancelledAnswer(cmd, op)
	case failover.DidSignOff:
		return "You have signed off the broken glass of " + id + ". It is kept with your name." + stillWaits(op)
	case failover.DidObject:
		return "Your objection to the broken glass of " + id + " is kept, with its reason, and told in the channel. It stops nothing: to stop what can still be stopped, type " + Command + " cancel " + id + "."
	case failover.DidExpire:
		return id + " has expired. Nothing was started. Ask again if it is still wanted."
	case failover.DidHold:
		return heldAnswer(op)
	case failover.DidResume:
		return resumedAnswer(op)
	case failover.DidSkip:
		return skippedAnswer(cmd, op)
	case failover.DidRetry:
		return retriedAnswer(cmd, op)
	case failover.DidAskChange:
		if op.Verb == failover.VerbChange { // the wish opened it
			return requestedAnswer(cmd, op)
		}
		return "You may ask for the change of the recovery point of " + Targets(op) + changedTo(op) + " (" + id + ") but not decide it, so it waits for " + deciders(op, failover.ClassChange) + ". They are told in the channel."
	case failover.DidAskCommit:
		return "You may ask for the commit of " + id + " but not decide it, so it waits for " + WaitsFor(op) + ". They are told in the channel."
	}
	return id + " was decided. To see where it stands, type " + Command + " status " + id + "."
}

// SinceDrill answers who presses Clean up on the card of a drill, when a later operation has dealt with its VM; empty when
// there is a test VM to clean up, as far as Ferry knows.
func SinceDrill(drill, newest failover.Operation) string {
	switch {
	case newest.ID == drill.ID, newest.Verb == failover.VerbCleanup && newest.Phase.Final() && newest.Phase != failover.Succeeded:
		return ""
	case newest.Verb == failover.VerbCleanup && newest.Phase == failover.Succeeded:
		return fmt.Sprintf("The test VM of %s has been cleaned up already, at %s (%s). Nobody has to act.", Targets(drill), Stamp(newest.FinishedAt), newest.ID)
	}
	return fmt.Sprintf("%s has moved on since this drill: %s is %s (%s). To clean up what is there now, type %s cleanup %s.",
		Targets(drill), What(newest), newest.Phase.Words(), newest.ID, Command, Targets(drill))
}

// Explained adds to the refusal of an unknown VM what else the word may have been meant as: who types "comit" alone meant no VM,
// and the last of a row may have been meant as a recovery point.
func Explained(cmd failover.Command, r *failover.Refusal) *failover.Refusal {
	more := *r
	switch {
	case r.Kind == failover.UnknownName && cmd.Verb == failover.VerbFailover:
		more.Hint = strings.TrimSpace(r.Hint + " " + didYouMean(cmd.Target, nil))
	case r.Kind == failover.UnknownName && cmd.Row && lastOf(cmd.Target, r):
		more.Hint += " If it is no VM: " + PointForms
	}
	return &more
}

// lastOf reports whether a refusal is about the last VM of a row.
func lastOf(row string, r *failover.Refusal) bool {
	words := strings.Fields(row)
	return strings.Contains(r.Message, fmt.Sprintf("%q", words[len(words)-1]))
}

func requestedAnswer(cmd failover.Command, op failover.Operation) string {
	id := string(op.ID)
	if op.Verb.Declares() {
		return declaredAnswer(op)
	}
	if op.Verb == failover.VerbCommit {
		return id + ": the commit of " + Targets(op) + " waits for " + WaitsFor(op) + ". They press Commit on the card in the channel."
	}
	until := ""
	if !op.ExpiresAt.IsZero() {
		until = " until " + Stamp(op.ExpiresAt)
	}
	return id + ": " + What(op) + pinned(cmd, op) + " waits for approval by " + deciders(op, op.Gate()) + until + brokenGlass(op) + "." + many(op) + " See the card in the channel." + LookAlike(op)
}

// pinned repeats a typed time in full: 14:05 alone may be yesterday's.
func pinned(cmd failover.Command, op failover.Operation) string {
	if cmd.Point.Kind != failover.AtTime || op.Several() {
		return ""
	}
	return " (the newest not later than " + Stamp(cmd.Point.Time) + ")"
}

// openedAnswer says what a press on a gate of an operation under way has begun.
func openedAnswer(cmd failover.Command, op failover.Operation) string {
	step := failover.StepKind(cmd.Verb) // commit and change are named after their steps
	if cmd.Verb == failover.VerbApprove || cmd.Verb == failover.VerbReprotect {
		for _, t := range op.Targets {
			step = t.Doing
		}
	}
	if step == failover.StepCheck {
		return "It is noted that " + Targets(op) + " works (" + string(op.ID) + "). The commit is next; see the card in the channel."
	}
	to := ""
	if step == failover.StepChange {
		to = changedTo(op)
	}
	return "The " + StepNoun(op, step) + " of " + begun(op, step) + to + " (" + string(op.ID) + ") has started. Follow it on the card in the channel."
}

// begun is what a press has begun a step of: of several VMs those that were ready for it.
func begun(op failover.Operation, step failover.StepKind) string {
	n := 0
	for _, t := range op.Targets {
		if t.Phase == failover.Running && t.Doing == step {
			n++
		}
	}
	if !op.Several() || n == len(op.Targets) {
		return Targets(op)
	}
	return fmt.Sprintf("%d of %s", n, Targets(op))
}

// changedTo names the other point that is asked for, in full: who typed 14:05 sees which one was found.
func changedTo(op failover.Operation) string {
	if op.Change == nil {
		return ""
	}
	return " to the one of " + Stamp(op.Change.Point.Time)
}

// declaredAnswer is of what is about no VM and lasts until somebody ends it.
func declaredAnswer(op failover.Operation) string {
	if op.Verb == failover.VerbFreeze {
		return string(op.ID) + ": new work on " + Targets(op) + " is frozen. Running steps go on, and what is half-way can be brought to its end. To end it, type " + failover.Freeze{Pattern: op.Plan.Frozen}.Ends() + "."
	}
	return string(op.ID) + ": an incident since " + Stamp(op.Plan.Point.Time) + " is declared. Recovery points from after that need --force. To end it, type " + Command + " incident over."
}

func cancelledAnswer(cmd failover.Command, op failover.Operation) string {
	if cmd.Verb == failover.VerbWithdraw {
		return string(op.ID) + " is withdrawn. Nothing was started."
	}
	text := string(op.ID) + " is ended. " + Targets(op) + " stays as it is in Azure."
	if op.Several() {
		text = string(op.ID) + " is ended. Its VMs stay as they are in Azure."
	}
	return strings.TrimSpace(text + " " + op.Hint)
}
