package failover

// GroupMeant answers who typed the name of a group where a VM belongs; nil when there is no such group.
func GroupMeant(verb Verb, typed string, groups map[string]Group) (meant *Refusal) {
	if g, no := ResolveGroup(groups, typed); no == nil {
		meant = Refuse(UnknownName, instead(verb, g.Name), "%s is a group, not a VM. Nothing was started.", g.Name)
	}
	return meant
}

// instead is what to type for a group where a VM was asked for.
func instead(verb Verb, group string) string {
	switch verb {
	case VerbFailover:
		return "Type /failover group " + group + "."
	case VerbReprotect, VerbFailback:
		return "Type /failover " + string(verb) + " group " + group + "."
	case VerbCommit:
		return "For all its VMs, type /failover commit with the id of its operation, which /failover status shows; for one, type its name."
	case VerbApprove, VerbDeny, VerbWithdraw, VerbCancel, VerbExpire, VerbChange, VerbTest, VerbCleanup, VerbIncident, VerbFreeze, VerbUnfreeze, VerbPlan, VerbGroup, VerbHold, VerbResume, VerbSkip, VerbRetry:
	}
	return "Type the name of one of its VMs."
}

// VMMeant answers who typed the name of a VM where a group belongs; nil when there is no such VM.
func VMMeant(verb Verb, typed string, items []Item) (meant *Refusal) {
	if item, no := Resolve(items, typed); no == nil {
		line := "/failover "
		if verb != VerbGroup {
			line += string(verb) + " "
		}
		meant = Refuse(UnknownName, "Type "+line+Typed(item, items)+".", "%s is a VM, not a group. Nothing was started.", item.Name)
	}
	return meant
}
