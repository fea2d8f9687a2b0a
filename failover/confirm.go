package failover

import "strings"

// confirmed refuses a command whose giver was asked to type a name once more and has not, or has typed another.
func confirmed(cmd Command, why, name, typed string) *Refusal {
	hint := "Type " + typed + " --confirm " + name + "."
	switch {
	case cmd.Confirm == "":
		return Refuse(Unconfirmed, hint, "%s", why)
	case cmd.Row && strings.TrimSpace(cmd.Confirm) != name:
		return Refuse(Unconfirmed, hint, "%q is not how many they are. %s", cmd.Confirm, why)
	case !strings.EqualFold(strings.TrimSpace(cmd.Confirm), name):
		return Refuse(Unconfirmed, hint, "%q is not its name. %s", cmd.Confirm, why)
	}
	return nil
}

// ConfirmName is what has to be typed before the commit of an operation; empty when nothing has.
func (o Operation) ConfirmName() string {
	if !o.Plan.CommitBy.ConfirmName {
		return ""
	}
	return o.called()
}

// called is what people call that which an operation is about.
func (o Operation) called() string {
	switch {
	case o.Plan.Recovery != nil:
		return o.Plan.Recovery.Name
	case len(o.Targets) == 1:
		return o.Targets[0].Item.Name
	}
	return string(o.ID)
}

// commitConfirmed asks for the name before a commit, where the rule wants that. A name that was typed has to be right also
// where nobody wants it: who typed another has another in mind.
func commitConfirmed(name string, wanted bool, cmd Command) *Refusal {
	why := "The commit of " + name + " cannot be undone"
	switch {
	case wanted:
		why += ", and its rule asks for its name to be typed"
	case cmd.Confirm == "":
		return nil
	}
	about := cmd.Target
	if about == "" {
		about = string(cmd.Op)
	}
	return confirmed(cmd, why+".", name, "/failover commit "+about)
}

// largeConfirmed asks for the name before so many VMs are failed over with one command, and holds to it who has typed one.
func (s Situation) largeConfirmed(cmd Command, name string, n int) *Refusal {
	why, asked := name+" has "+count(n), "its name"
	if cmd.Row {
		why, asked = "These are "+count(n), "their number"
	}
	switch {
	case n > s.Policy.ConfirmAbove:
		why += ", so " + asked + " is asked for"
	case cmd.Confirm == "":
		return nil
	}
	return confirmed(cmd, why+".", name, cmd.again())
}
