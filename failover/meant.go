package failover

// GroupMeant answers who typed the name of a group where a VM belongs; nil when there is no such group.
func GroupMeant(verb Verb, typed string, groups map[string]Group) *Refusal {
	g, no := ResolveGroup(groups, typed)
	if no != nil {
		return nil
	}
	hint := "Type the name of one of its VMs."
	switch verb {
	case VerbFailover:
		hint = "Type /failover group " + g.Name + "."
	case VerbReprotect, VerbFailback:
		hint = "Type /failover " + string(verb) + " group " + g.Name + "."
	case VerbCommit:
		hint = "For all its VMs, type /failover commit with the id of its operation, which /failover status shows; for one, type its name."
	case VerbApprove, VerbDeny, VerbWithdraw, VerbCancel, VerbExpire, VerbChange, VerbTest, VerbCleanup, VerbIncident, VerbFreeze, VerbUnfreeze, VerbPlan, VerbGroup, VerbHold, VerbResume, VerbSkip, VerbRetry:
	}
	return Refuse(UnknownName, hint, "%s is a group, not a VM. Nothing was started.", g.Name)
}

// VMMeant answers who typed the name of a VM where a group belongs; nil when there is no such VM.
func VMMeant(verb Verb, typed string, items []Item) *Refusal {
	item, no := Resolve(items, typed)
	if no != nil {
		return nil
	}
	line := "/failover "
	if verb != VerbGroup {
		line += string(verb) + " "
	}
	return Refuse(UnknownName, "Type "+line+Typed(item, items)+".", "%s is a VM, not a group. Nothing was started.", item.Name)
}
