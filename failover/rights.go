package failover

import "slices"

// NoRight says no to who has no right to a verb on any VM at all, and whom to ask; nil is who may have it somewhere. It is for
// help: what is asked for is decided by the rule of its VM. Verbs that only read are [Policy.MayRead]'s.
func (p Policy) NoRight(verb Verb, actor Actor) *Refusal {
	roles := p.rolesFor(verb)
	switch {
	case actor.Standing != "":
		return actor.Standing.Barred()
	case p.holds(roles, actor):
		return nil
	}
	return p.lacking(roles, askFor(roles), "No rule lets you %s anything.", verb)
}

// rolesFor are the roles that have a right to a verb somewhere.
func (p Policy) rolesFor(verb Verb) []string {
	var roles []string
	class := ClassOf(verb)
	for _, r := range p.Rules {
		named := slices.Contains(r.Classes, class)
		switch verb {
		case VerbWithdraw: // what they could ask for themselves, or may decide; what is left of a right that they lost is not known here
			roles = append(append(roles, r.May...), r.Approvers...)
		case VerbApprove, VerbDeny:
			if r.Approvals > 0 || verb == VerbApprove && slices.Contains(r.Classes, ClassFailback) { // whose steps wait in any case
				roles = append(roles, r.deciders()...)
			}
		case VerbIncident, VerbFreeze, VerbUnfreeze: // about no VM: one rule decides
			if named && r.Match.everything() && len(roles) == 0 {
				roles = append(roles, r.May...)
			}
		case VerbCommit, VerbChange, VerbReprotect: // a wish, or the press
			if named || verb == VerbReprotect && slices.Contains(r.Classes, ClassFailback) {
				roles = append(append(roles, r.May...), r.deciders()...)
			}
		case VerbFailover, VerbPlan, VerbGroup, VerbFailback, VerbTest, VerbCleanup, VerbCancel, VerbHold, VerbResume, VerbSkip, VerbRetry, VerbExpire:
			if named {
				roles = append(roles, r.May...)
			}
		}
	}
	if p.BreakGlass != nil && slices.Contains([]Verb{VerbFailover, VerbPlan, VerbGroup, VerbApprove, VerbDeny}, verb) {
		roles = append(roles, p.BreakGlass.Role)
	}
	return unique(roles)
}

func unique(roles []string) []string {
	var once []string
	for _, role := range roles {
		if !slices.Contains(once, role) {
			once = append(once, role)
		}
	}
	return once
}
