package failover

import "strings"

// confirmed refuses a command whose giver was asked to type a name once more and has not, or has typed another.
func confirmed(cmd Command, why, name, typed string) *Refusal {
	hint := "Type " + typed + " --confirm " + name + "."
	switch {
	case cmd.Confirm == "":
		return Refuse(Unconfirmed, hint, "%s", why)
	case !strings.EqualFold(strings.TrimSpace(cmd.Confirm), name):
		return Refuse(Unconfirmed, hint, "%q is not its name. %s", cmd.Confirm, why)
	}
	return nil
}

// ConfirmName is what has to be typed before the commit of an operation; empty when nothing has.
func (o Operation) ConfirmName() string {
	switch {
	case !o.Plan.CommitBy.ConfirmName:
		return ""
	case o.Plan.Recovery != nil:
		return o.Plan.Recovery.Name
	case len(o.Targets) == 1:
		return o.Targets[0].Item.Name
	}
	return string(o.ID)
}

// commitConfirmed asks for the name before a commit, where the rule wants that.
func commitConfirmed(name string, cmd Command) *Refusal {
	if name == "" {
		return nil
	}
	about := cmd.Target
	if about == "" {
		about = string(cmd.Op)
	}
	return confirmed(cmd, "The commit of "+name+" cannot be undone, and its rule asks for its name to be typed.", name, "/failover commit "+about)
}

// largeConfirmed asks for the name before so many VMs are failed over with one command.
func (s Situation) largeConfirmed(cmd Command, name string, n int) *Refusal {
	if n <= s.Policy.ConfirmAbove {
		return nil
	}
	return confirmed(cmd, name+" has "+count(n)+", so its name is asked for.", name, cmd.again())
}
