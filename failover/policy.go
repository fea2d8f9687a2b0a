package failover

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Class is a verb class of an access rule.
type Class string

// The classes of the configuration that this stage of the product uses.
const (
	ClassFailover  Class = "failover"
	ClassCommit    Class = "commit"
	ClassChange    Class = "change"
	ClassReprotect Class = "reprotect"
	ClassFailback  Class = "failback"
	ClassTest      Class = "test"
	ClassCleanup   Class = "cleanup"
	ClassCancel    Class = "cancel"
	ClassFreeze    Class = "freeze"
)

// ClassOf is the class of a verb that acts on a VM, which is what its rule has to name; "" for the others.
func ClassOf(verb Verb) Class {
	switch verb {
	case VerbFailover, VerbCommit, VerbChange, VerbReprotect, VerbFailback, VerbTest, VerbCleanup:
		return Class(verb)
	case VerbCancel, VerbHold, VerbResume, VerbSkip, VerbRetry:
		return ClassCancel
	case VerbPlan, VerbGroup:
		return ClassFailover
	case VerbIncident, VerbFreeze, VerbUnfreeze:
		return ClassFreeze
	case VerbApprove, VerbDeny, VerbWithdraw, VerbExpire:
	}
	return ""
}

// verb is the class in a sentence: "fail over vm-x".
func (c Class) verb() string {
	switch c {
	case ClassFailover:
		return "fail over"
	case ClassFailback:
		return "fail back"
	case ClassChange:
		return "change the recovery point of"
	case ClassCleanup:
		return "clean up after a drill of"
	case ClassCommit, ClassReprotect, ClassTest, ClassCancel, ClassFreeze:
	}
	return string(c)
}

// Policy is who may do what. The zero policy allows nothing.
type Policy struct {
	// Roles maps a role to actor ids, Groups to the ids of Slack user groups; see [Policy.With].
	Roles  map[string][]string
	Groups map[string][]string
	// People maps a person's name to the actor ids that are theirs. Who is not named is a person with one identity.
	People map[string][]string
	// Sets are the groups of VMs in the configuration, by name.
	Sets  map[string]Group
	Rules []Rule // the first that matches the target and the class decides
	// BreakGlass is who may start with fewer approvals; nil is nobody.
	BreakGlass *BreakGlass
	// ConfirmAbove is how many VMs one command may fail over without the name typed once more.
	ConfirmAbove int

	groupsAt time.Time // when it was read who is in the groups; zero: never
	known    bool      // and whether that still counts
	// standings are those of users who are no members in good standing, as far as the bot has told.
	standings map[string]Standing
}

// Rule is one line of the access section.
type Rule struct {
	// Name is where it stands in the configuration: "access.rules[0]".
	Name         string   `json:"name,omitempty"`
	Match        Match    `json:"match"`
	Classes      []Class  `json:"classes"`
	May          []string `json:"may"` // roles
	Approvals    int      `json:"approvals"`
	Approvers    []string `json:"approvers"` // roles
	SelfApproval bool     `json:"self_approval"`
	// TerminalApprovals is how many of the approvals have to come from terminal identities.
	TerminalApprovals int           `json:"terminal_approvals,omitempty"`
	Expires           time.Duration `json:"-"` // expires_seconds
	// ConfirmName asks for the name to be typed before a commit.
	ConfirmName bool `json:"confirm_name,omitempty"`
	// Untold says that it was not known whether it matches, so that it lets nobody.
	Untold bool `json:"untold,omitempty"`
}

// RuleFor finds the rule that decides a class for an item; false means denied. Whether a rule matches may not be known for want
// of the item's tags. It may neither apply nor be skipped then, since a laxer one may follow: it lets nobody.
func (p Policy) RuleFor(class Class, item Item) (Rule, bool) {
	for i, r := range p.Rules {
		if !slices.Contains(r.Classes, class) {
			continue
		}
		switch matches, known := p.matches(r.Match, item); {
		case !known:
			r.May, r.Approvers, r.Untold = nil, nil, true
			return r.at(i), true
		case matches:
			return r.at(i), true
		}
	}
	return Rule{}, false
}

// RuleForAll finds the rule that decides a class for what has no target: one whose patterns all match everything.
func (p Policy) RuleForAll(class Class) (Rule, bool) {
	for i, r := range p.Rules {
		if slices.Contains(r.Classes, class) && r.Match.everything() {
			return r.at(i), true
		}
	}
	return Rule{}, false
}

func (r Rule) at(i int) Rule {
	r.Name = fmt.Sprintf("access.rules[%d]", i)
	return r
}

// RuleRef names the rule that made a decision, for who audits it: where it stood in the configuration, and the hash of what it
// said.
type RuleRef struct {
	Name string `json:"name"` // "none": no rule matched
	Hash string `json:"hash,omitempty"`
}

// noRule is named where no rule matched.
const noRule = "none"

// ref names the rule; one without a class is no rule.
func (r Rule) ref() RuleRef {
	if len(r.Classes) == 0 {
		return RuleRef{Name: noRule}
	}
	name := r.Name
	r.Name = ""
	data, err := json.Marshal(r)
	if err != nil { // plain data always marshals
		panic(err)
	}
	sum := sha256.Sum256(data)
	return RuleRef{Name: name, Hash: hex.EncodeToString(sum[:16])}
}

// same reports whether two rules demand the same of the same people.
func (r Rule) same(other Rule) bool {
	return slices.Equal(r.May, other.May) && r.Approvals == other.Approvals && slices.Equal(r.Approvers, other.Approvers) &&
		r.SelfApproval == other.SelfApproval && r.Expires == other.Expires && r.TerminalApprovals == other.TerminalApprovals && r.ConfirmName == other.ConfirmName
}

// May reports whether an actor holds one of the roles that may ask.
func (p Policy) May(r Rule, actor Actor) bool { return p.holds(r.May, actor) }

// Decides reports whether an actor holds one of the roles that decide. With no approvals needed these are who may ask.
func (p Policy) Decides(r Rule, actor Actor) bool {
	return p.holds(r.deciders(), actor)
}

// Deciders lists the actor ids that decide by a rule, in the order of the roles.
func (p Policy) Deciders(r Rule) []string {
	var ids []string
	for _, role := range r.deciders() {
		for _, id := range p.Roles[role] {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Callable lists whom to call when a rule's decision is needed: the groups of its deciding roles, then who is named in them.
func (p Policy) Callable(r Rule) []string {
	var groups []string
	for _, role := range r.deciders() {
		for _, id := range p.Groups[role] {
			if !slices.Contains(groups, id) {
				groups = append(groups, id)
			}
		}
	}
	return append(groups, p.Deciders(r)...)
}

// deciders are the roles that decide.
func (r Rule) deciders() []string {
	if r.Approvals == 0 {
		return r.May
	}
	return r.Approvers
}

func (p Policy) holds(roles []string, actor Actor) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(p.Roles[role], actor.ID) })
}

// mayAnywhere reports whether an actor could have the right to a verb on any VM at all. The rule of an open commit may be
// older than the policy, so that any role is enough for one.
func (p Policy) mayAnywhere(verb Verb, actor Actor) bool {
	if class := ClassOf(verb); class != ClassCommit && class != ClassChange {
		return slices.ContainsFunc(p.Rules, func(r Rule) bool { return slices.Contains(r.Classes, class) && p.May(r, actor) })
	}
	return p.holdsAny(actor)
}

// holdsAny reports whether an actor holds any role at all.
func (p Policy) holdsAny(actor Actor) bool {
	return p.holds(slices.Collect(maps.Keys(p.Roles)), actor)
}

// askFor says whom to ask where it takes a role.
func askFor(roles []string) string {
	if len(roles) == 0 {
		return "Nobody has that right; ask whoever keeps Ferry's configuration, under access.rules."
	}
	return "Ask somebody with the role " + rolesInWords(roles) + "."
}

// rolesInWords is "approver", or "approver or lead".
func rolesInWords(roles []string) string { return strings.Join(roles, " or ") }
