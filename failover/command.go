package failover

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Command is what a person asked, as it is stored before the person is answered.
type Command struct {
	// MessageID is drawn from the trigger (Slack's trigger id, or once per terminal call): the same request has the same one.
	MessageID string `json:"-"`
	// Op is the operation that the command names, else the id that the command itself would open.
	Op       OpID   `json:"-"`
	Verb     Verb   `json:"verb"`
	By       Actor  `json:"by"`
	Target   string `json:"target,omitempty"` // VM name, or "vault/VM", as typed; of a freeze a pattern; empty when Op was named
	Point    Point  `json:"point,omitzero"`
	Shutdown bool   `json:"shutdown,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Force    bool   `json:"force,omitempty"`   // take a point from after the incident's begin
	Network  string `json:"network,omitempty"` // of a drill: name or ARM id, as typed; empty is the only one there is
	Notes    string `json:"notes,omitempty"`   // of a clean-up
	Over     bool   `json:"over,omitempty"`    // of an incident: it has ended
	// BreakGlass asks to start with fewer approvals than the rule wants.
	BreakGlass bool `json:"break_glass,omitempty"`
	// Row says that Target is several VMs named in a row, with blanks between them.
	Row bool `json:"row,omitempty"`
	// Group says that Target is a group of the configuration, where the verb could mean a VM as well.
	Group bool `json:"group,omitempty"`
	// Confirm is the name of what the command is about, typed once more.
	Confirm string `json:"confirm,omitempty"`
	// Seen names what a button stood for, see [Operation.Token]; empty when it was typed. An old click does not act.
	Seen string `json:"seen,omitempty"`
	// At is when it was asked; ValidUntil when it stops being one: old clicks do not act.
	At         time.Time `json:"at"`
	ValidUntil time.Time `json:"valid_until"`
	// StoredAt is when the stream stored it, by the server's clock: who asked may have a wrong one.
	StoredAt time.Time `json:"-"`
}

// NamesOp reports whether the command is about the operation that it names, and not about what its Target is called.
func (c Command) NamesOp() bool { return c.Target == "" || ClassOf(c.Verb) == ClassCancel }

// CommandValidity is how long a command may wait for an executor.
const CommandValidity = 10 * time.Minute

// Late reports whether the command may not be acted on any more.
func (c Command) Late(now time.Time) bool {
	return now.After(c.ValidUntil) || !c.StoredAt.IsZero() && now.After(c.StoredAt.Add(CommandValidity))
}

// MessageID derives a command's id from what makes the request one request, such as team and trigger id.
func MessageID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// opPattern is "op-" and eight characters of the lower-case RFC 4648 base32 alphabet.
var opPattern = regexp.MustCompile(`^op-[a-z2-7]{8}$`)

// IsOpID reports whether a word always means an operation.
func IsOpID(word string) bool { return opPattern.MatchString(word) }

// Sending is the id of one sending of a form, made of the form's own id and what tells its sendings apart, such as the trigger
// of the press. What was refused can be sent again; all sendings would open the same operation, so that one of them does at most.
func Sending(form, press string) string { return form + "." + MessageID(press)[:16] }

// formOf is what all sendings of a form have in common; of another command it is the command's own id.
func formOf(messageID string) string {
	form, _, _ := strings.Cut(messageID, ".")
	return form
}

// SentBefore reports whether the operation was opened by another sending of the form that a command comes from.
func (o Operation) SentBefore(messageID string) bool {
	return o.Exists() && o.Asked != messageID && formOf(o.Asked) == formOf(messageID)
}

// OpIDOf is the operation id of a command. salt counts up from 0 while the id is taken by another command.
func OpIDOf(messageID string, salt int) OpID {
	sum := sha256.Sum256([]byte(formOf(messageID) + strings.Repeat("+", salt)))
	return OpID("op-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:5])))
}

// ClientRequestID derives the id of one attempt at one call: a UUID in form, so that Azure takes it.
func ClientRequestID(op OpID, target string, kind StepKind, attempt int) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(op), target, string(kind), strconv.Itoa(attempt)}, "\x00")))
	sum[6] = sum[6]&0x0f | 0x80 // version 8: custom
	sum[8] = sum[8]&0x3f | 0x80 // RFC 9562 variant
	h := hex.EncodeToString(sum[:16])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// ItemKey identifies a replicated item for life: case of the ids varies and the container changes with reprotect.
func ItemKey(vaultID, itemName string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(vaultID) + "\x00" + strings.ToLower(itemName)))
	return hex.EncodeToString(sum[:12])
}
