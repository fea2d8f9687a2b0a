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
	// About is the part of the command that is refused; empty is what it is about, or none in particular.
	About About `json:"about,omitempty"`
	// Rule is the one that says no; empty where it is not for a rule that it is refused.
	Rule RuleRef `json:"rule,omitzero"`
}

// About is a part of a command that can be refused by itself, for a form that has a field for it.
type About string

const (
	// AboutPoint: there is no such recovery point.
	AboutPoint About = "point"
	// AboutForce: the recovery point is taken with --force only.
	AboutForce About = "force"
	// AboutNetwork: a drill may not use this network, or it is not clear which is meant.
	AboutNetwork About = "network"
)

// about says what part of the command is refused.
func (r *Refusal) about(part About) *Refusal {
	r.About = part
	return r
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
