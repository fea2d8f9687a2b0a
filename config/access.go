package config

import "time"

// Access says who may do what; what no rule allows is denied.
type Access struct {
	Roles         map[string]Role     `yaml:"roles"`
	People        map[string][]string `yaml:"people"`          // name: the identities of one person, who counts once; who is not named has one
	Rules         []Rule              `yaml:"rules"`           // the first that matches the target and the verb decides
	AnyoneMayRead bool                `yaml:"anyone_may_read"` // in Slack; false: only who holds a role. NATS permits a terminal
	ConfirmAbove  int                 `yaml:"confirm_above"`   // more targets of one command than this ask for a name to be typed
	BreakGlass    *BreakGlass         `yaml:"break_glass"`     // nil: nobody may
}

// Role is a set of people.
type Role struct {
	Users  []string `yaml:"users"`  // Slack member ids, and cli:NAME for an identity of NATS
	Groups []string `yaml:"groups"` // Slack user groups, whose members count while it is known who they are
}

// Rule allows some verbs on some targets. May and Approvers name roles.
type Rule struct {
	Match        Match         `yaml:"match"`
	Verbs        []string      `yaml:"verbs"` // verb classes, see [VerbClasses]
	May          []string      `yaml:"may"`   // who may ask; empty: nobody, which makes it a rule that denies
	Approvals    int           `yaml:"approvals"`
	Approvers    []string      `yaml:"approvers"`
	SelfApproval bool          `yaml:"self_approval"`
	Expires      time.Duration `yaml:"expires"` // of a request that nobody decides

	ConfirmName       bool `yaml:"confirm_name"`       // a commit asks for the name to be typed
	TerminalApprovals int  `yaml:"terminal_approvals"` // how many of the approvals come from a terminal
}

// Match selects targets by patterns of path.Match. All keys that are given must match, each by one of its patterns.
type Match struct {
	VM            []string `yaml:"vm"`
	Group         []string `yaml:"group"` // names of groups of this configuration
	Vault         []string `yaml:"vault"`
	ResourceGroup []string `yaml:"resource_group"`
	Tag           []string `yaml:"tag"` // key=value, or key for any value; of a VM whose tags were never read, the rule denies
}

// BreakGlass is who may start in an emergency with fewer approvals than a rule wants. Somebody else has to review it.
type BreakGlass struct {
	Role           string `yaml:"role"`
	ReasonRequired bool   `yaml:"reason_required"`
	Approvals      int    `yaml:"approvals"`
}

// VerbClasses returns the verb classes that a rule may name, in the order of the documentation.
func VerbClasses() []string {
	return []string{"failover", "commit", "change", "reprotect", "failback", "test", "cleanup", "cancel", "freeze"}
}

// classOf returns the class of a verb that people type but that is no class itself; "" when there is none.
func classOf(verb string) string {
	switch verb {
	case "run", "group", "plan":
		return "failover"
	case "withdraw", "hold", "resume", "skip", "retry":
		return "cancel"
	case "unfreeze", "incident", "handover":
		return "freeze"
	}
	return ""
}
