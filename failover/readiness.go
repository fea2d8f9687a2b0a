package failover

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Readiness is whether a failover of a VM would begin if somebody asked for it now.
type Readiness string

const (
	// NotReady: Ferry or Azure would refuse it.
	NotReady Readiness = "not_ready"
	// ReadyWithWarning: it would begin, and there is something that somebody should know before.
	ReadyWithWarning Readiness = "warning"
	// Ready: nothing that was looked at speaks against it.
	Ready Readiness = "ready"
)

// ConcernKind is what a concern is about. More may come.
type ConcernKind string

// The first five stand in the way of a failover, the others are warnings.
const (
	ConcernHeld    ConcernKind = "held"     // by an operation that is open
	ConcernFrozen  ConcernKind = "frozen"   // new work on it is
	ConcernRule    ConcernKind = "rule"     // none takes a failover of it
	ConcernState   ConcernKind = "state"    // of the replicated item, or what Azure offers for it
	ConcernJob     ConcernKind = "job"      // one runs on it
	ConcernHealth  ConcernKind = "health"   // of the replication is not Normal
	ConcernError   ConcernKind = "error"    // Azure reports one
	ConcernDataAge ConcernKind = "data_age" // above targets.rpo, or not reported
	ConcernUnread  ConcernKind = "unread"   // Azure was not read since Ferry's own step on it
)

// Concern is one reason why a VM is not simply ready, and what to do about it. Both are sentences.
type Concern struct {
	Kind ConcernKind `json:"kind"`
	Why  string      `json:"why"`
	Next string      `json:"next"`
}

// Blocks reports whether a failover would be refused for it.
func (c Concern) Blocks() bool {
	switch c.Kind {
	case ConcernHeld, ConcernFrozen, ConcernRule, ConcernState, ConcernJob:
		return true
	case ConcernHealth, ConcernError, ConcernDataAge, ConcernUnread:
	}
	return false
}

// ReadyItem is one VM.
type ReadyItem struct {
	Name      string    `json:"name"`
	Vault     string    `json:"vault"`
	Typed     string    `json:"typed"` // what to type for the VM
	Readiness Readiness `json:"readiness"`
	Concerns  []Concern `json:"concerns,omitempty"` // those that stand in the way first
	DataAge   int       `json:"data_age_seconds"`   // negative when Azure reports none
	LastTest  time.Time `json:"last_test,omitzero"` // zero when Azure knows of no successful test failover
}

// ReadinessList is what was found out about every replicated VM from the inventory of one moment.
type ReadinessList struct {
	Items []ReadyItem `json:"items"` // worst first
	// Target is targets.rpo of the process that answered, in seconds; zero when it has none.
	Target int `json:"target_rpo_seconds,omitempty"`
	// Incident is when a declared incident began: points from after it need --force. Zero when none is declared.
	Incident time.Time `json:"incident,omitzero"`
	At       time.Time `json:"at,omitzero"` // of the inventory; zero when Azure was never read
}

// Count is how many VMs are in a state of readiness.
func (l ReadinessList) Count(r Readiness) int {
	n := 0
	for _, i := range l.Items {
		if i.Readiness == r {
			n++
		}
	}
	return n
}

// NotLookedAt is what nobody has checked of a VM that is called ready.
func NotLookedAt() []string {
	return []string{
		"capacity and quota in the target region", "networks and addresses", "locks and Azure policies", "disks that are not replicated",
		"multi-VM consistency groups", "Ferry's rights in Azure (ferry doctor)",
	}
}

// Readiness derives what would not fail over now: from what the vaults said last, what Ferry holds and has frozen, and whether
// any rule of the policy takes a failover of the VM. Who would ask is not looked at. target is the promise for the age of data.
func (inv Inventory) Readiness(ops []Operation, p Policy, target time.Duration) ReadinessList {
	list := ReadinessList{Target: int(target.Seconds()), At: inv.At}
	foreign, done := ForeignJobs(inv.Items, ops), doneSince(inv.At, ops)
	var open []Operation
	for _, op := range ops {
		if op.Exists() && !op.Phase.Final() {
			open = append(open, op)
		}
		if began := op.Began(); !began.IsZero() {
			list.Incident = began
		}
	}
	inv = inv.Since(ops).HoldBy(open)
	for _, i := range inv.Items {
		r := ReadyItem{Name: i.Name, Vault: i.Vault, Typed: Typed(i, inv.Items), DataAge: int(i.RPO.Seconds()), LastTest: i.LastTest}
		unread := len(done[i.Key]) > 0 // since Ferry's own step on it
		held, job := inv.Holders[i.Key] != "", i.JobID != "" && !unread
		r.Concerns = inv.inTheWay(i, r.Typed, p)
		switch {
		case job && slices.ContainsFunc(foreign, func(f Item) bool { return f.Key == i.Key }):
			r.say(ConcernJob, busyHint, "A job that was started outside Ferry runs on %s: %s.", r.Typed, i.Scenario)
		case job && held: // what holds it says enough
		case job:
			r.say(ConcernJob, busyHint, "A job runs on %s: %s.", r.Typed, i.Scenario)
		default:
			r.fit(i, unread)
		}
		if i.State == StateProtected {
			r.well(i, target)
		}
		r.judge()
		list.Items = append(list.Items, r)
	}
	slices.SortStableFunc(list.Items, func(a, b ReadyItem) int {
		return cmp.Or(a.Readiness.rank()-b.Readiness.rank(), strings.Compare(a.Name, b.Name), strings.Compare(a.Vault, b.Vault))
	})
	return list
}

func (r Readiness) rank() int { return slices.Index([]Readiness{NotReady, ReadyWithWarning, Ready}, r) }

func (r *ReadyItem) say(kind ConcernKind, next, format string, a ...any) {
	r.Concerns = append(r.Concerns, Concern{kind, fmt.Sprintf(format, a...), next})
}

// judge follows from the concerns.
func (r *ReadyItem) judge() {
	switch {
	case slices.ContainsFunc(r.Concerns, Concern.Blocks):
		r.Readiness = NotReady
	case len(r.Concerns) > 0:
		r.Readiness = ReadyWithWarning
	default:
		r.Readiness = Ready
	}
}

// inTheWay is what Ferry itself would refuse a failover for.
func (inv Inventory) inTheWay(i Item, typed string, p Policy) []Concern {
	var r ReadyItem
	if op := inv.Holders[i.Key]; op != "" {
		h := inv.Open[op]
		r.say(ConcernHeld, "To see what it waits for, type /failover status "+string(op)+".", "%s is held by %s: %s, asked for by %s at %s.", typed, op, h.Verb, mention(h.By), stamp(h.Since))
	}
	for _, f := range inv.Freezes {
		if f.Stops(i) {
			r.say(ConcernFrozen, "Wait for its end, or have somebody who may freeze type "+f.Ends()+".", "%s.", f.Words())
		}
	}
	switch rule, ok := p.RuleFor(ClassFailover, i); {
	case !ok:
		r.say(ConcernRule, "Have a rule with the verb class failover added under access.rules.", "No rule takes a failover of %s, so it is denied.", typed)
	case rule.Untold:
		r.say(ConcernRule, "The executor's log says why its tags cannot be read.", "Which rule takes a failover of %s is not known, because its tags are not.", typed)
	}
	return r.Concerns
}

// fit says what Azure would refuse, by the table that a failover is decided with. What it offers is not known when Ferry has done
// something since the reading.
func (r *ReadyItem) fit(i Item, unread bool) {
	i.Name = r.Typed // in what is to be typed
	if unread {
		i.JobID, i.Allowed = "", []string{RowFor(StepFailover, Item{State: StateProtected}).Needs}
	}
	refusal := Legal(StepFailover, i)
	if refusal != nil {
		r.say(ConcernState, refusal.Hint, "%s", refusal.Message)
	}
	if unread && refusal == nil {
		r.say(ConcernUnread, "Ask again in a minute.", "Azure has not been read since Ferry's last step on %s ended.", r.Typed)
	}
}

// untestedCode is the health error of an item without a successful test failover (recorded).
const untestedCode = "161011"

// well says what is not as it should be with the replication of a protected item. A failover would begin all the same.
func (r *ReadyItem) well(i Item, target time.Duration) {
	const look = "Look at the replicated item in the portal."
	if i.Health != "" && i.Health != "Normal" && i.Health != "None" {
		r.say(ConcernHealth, look, "The health of its replication is %s.", i.Health)
	}
	for _, e := range i.Errors {
		next := cmp.Or(e.Action, look)
		if e.Code == untestedCode {
			next = "To drill it, type /failover test " + r.Typed + "."
		}
		r.say(ConcernError, next, "Azure reports %s: %s", cmp.Or(e.Code, "an error"), cmp.Or(e.Message, e.Cause, "without a message."))
	}
	switch {
	case i.RPO < 0:
		r.say(ConcernDataAge, look, "Azure does not say how old its data are.")
	case target > 0 && i.RPO > target:
		r.say(ConcernDataAge, look, "Its data are %s old, and the target is %s.", span(i.RPO), span(target))
	}
}

// span is a duration as precisely as one speaks of the age of data.
func span(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f min", d.Minutes())
}
