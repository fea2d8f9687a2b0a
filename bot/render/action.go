// Package render draws operations: one neutral message per operation, as Block Kit for Slack and as text for a terminal.
//
// It owns wording and layout of cards, notices, tables and answers, Slack's limits, and that no outside text (VM names,
// reasons, Azure's messages) can mention anybody or pose as part of a message. It refuses to know how a message is sent or
// edited, who may press a button, and what the time is: a button carries only an operation's id, and every click is judged
// elsewhere. A message says only what the operation's facts say.
//
// Every function is pure and leaves its arguments as they were, so all of it is safe for concurrent use.
package render

import (
	"strings"

	"ferry/failover"
)

// The action ids of a card's buttons, as Slack sends them back. The value of each button is the operation's id
// and, where it decides something, what that was: see [ButtonOf].
const (
	ActionApprove  = "ferry_approve"
	ActionDeny     = "ferry_deny"
	ActionWithdraw = "ferry_withdraw"
	ActionCommit   = "ferry_commit"
	ActionCancel   = "ferry_cancel"
	ActionChange   = "ferry_change"
	// ActionCommitNamed is a commit that asks for the name to be typed.
	ActionCommitNamed = "ferry_commit_named"
	// ActionReprotect and ActionCleanup open another operation about the VM of the one that they stand under.
	ActionReprotect = "ferry_reprotect"
	ActionCleanup   = "ferry_cleanup"
	// ActionSignOff and ActionObject are the words on a broken glass, afterwards.
	ActionSignOff = "ferry_sign_off"
	ActionObject  = "ferry_object"
	// ActionHold, ActionResume, ActionRetry and ActionSkip steer an operation on several VMs.
	ActionHold   = "ferry_hold"
	ActionResume = "ferry_resume"
	ActionRetry  = "ferry_retry"
	ActionSkip   = "ferry_skip"
	// ActionShowAll asks for the list of all VMs of an operation; it changes nothing.
	ActionShowAll = "ferry_show_all"
	// ActionPage asks for another page of it.
	ActionPage = "ferry_page"
)

// ButtonOf takes the value of a button apart: the operation, and what the button stood for when it was drawn.
func ButtonOf(value string) (op failover.OpID, seen string, ok bool) {
	id, seen, _ := strings.Cut(value, "|")
	return failover.OpID(id), seen, failover.IsOpID(id)
}

// VerbOf is the verb that a button asks for; false when the action is none of ours.
func VerbOf(actionID string) (failover.Verb, bool) {
	switch actionID {
	case ActionApprove, ActionSignOff:
		return failover.VerbApprove, true
	case ActionDeny, ActionObject:
		return failover.VerbDeny, true
	case ActionWithdraw:
		return failover.VerbWithdraw, true
	case ActionCommit, ActionCommitNamed:
		return failover.VerbCommit, true
	case ActionCancel:
		return failover.VerbCancel, true
	case ActionChange:
		return failover.VerbChange, true
	case ActionHold:
		return failover.VerbHold, true
	case ActionResume:
		return failover.VerbResume, true
	case ActionRetry:
		return failover.VerbRetry, true
	case ActionSkip:
		return failover.VerbSkip, true
	case ActionReprotect:
		return failover.VerbReprotect, true
	case ActionCleanup:
		return failover.VerbCleanup, true
	}
	return "", false
}
