package failover

import "fmt"

// RefusalKind classes refusals; surfaces turn it into an exit code or a tone, never parse the text.
type RefusalKind string

const (
	// BadUsage: the words are off.
	BadUsage RefusalKind = "usage"
	// NotAllowed: the policy says no.
	NotAllowed RefusalKind = "not_allowed"
	// UnknownName: no such VM or operation.
	UnknownName RefusalKind = "unknown_name"
	// WrongState: the VM or the operation is not in a state for it.
	WrongState RefusalKind = "wrong_state"
	// Busy: somebody else holds the VM.
	Busy RefusalKind = "busy"
	// Frozen: somebody has stopped new work.
	Frozen RefusalKind = "frozen"
	// Unconfirmed: a name has to be typed once more.
	Unconfirmed RefusalKind = "unconfirmed"
	// TooLate: the command is stale, or somebody else was first.
	TooLate RefusalKind = "too_late"
	// Unavailable: Ferry cannot do it yet, or Azure does not answer now.
	Unavailable RefusalKind = "unavailable"
)

// Refusal says no, why, and what to type instead. It is an answer, not a failure.
type Refusal struct {
	Kind    RefusalKind `json:"kind"`
	Message string      `json:"message"`
	Hint    string      `json:"hint"` // never empty
	// Rule is the one that says no; empty where it is not for a rule that it is refused.
	Rule RuleRef `json:"rule,omitzero"`
}

// Error makes a refusal usable as an error.
func (r *Refusal) Error() string { return r.Message + " " + r.Hint }

// by names the rule that says no.
func (r *Refusal) by(rule Rule) *Refusal {
	r.Rule = rule.ref()
	return r
}

// Refuse builds a refusal; every one has a hint that says what to do instead.
func Refuse(kind RefusalKind, hint, format string, args ...any) *Refusal {
	return &Refusal{Kind: kind, Message: fmt.Sprintf(format, args...), Hint: hint}
}
