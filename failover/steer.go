package failover

import (
	"slices"
	"strings"
)

// decideSteering settles what people do with an operation on several VMs while it runs: hold and resume it, leave a VM out, or
// have what failed tried once more. It takes no approval: what is done was approved, and less of it is no more.
func decideSteering(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if rule, ok := s.Policy.mayCancel(op, cmd.By); !ok {
		return nil, s.Policy.mayNotCancel(rule, cmd)
	}
	if op.Phase.Final() {
		return nil, over(op)
	}
	if cmd.Seen != "" && cmd.Seen != op.SteerToken(cmd.Verb) {
		return nil, Refuse(TooLate, "Look at the card as it is now, and press again.", "%s has moved on since that button was drawn; nothing was done.", op.ID)
	}
	switch {
	case op.Verb.Declares():
		return nil, Refuse(WrongState, "Type /failover status "+string(op.ID)+" to see what it is.", "%s has no steps to %s.", op.ID, cmd.Verb)
	case cmd.Verb == VerbHold:
		return hold(op, cmd)
	case cmd.Verb == VerbResume:
		return resume(op, cmd, s)
	case cmd.Verb == VerbSkip:
		return skip(op, cmd)
	}
	return retry(op, cmd, s)
}

func hold(op Operation, cmd Command) ([]Fact, *Refusal) {
	switch {
	case op.OnHold != nil:
		return nil, Refuse(WrongState, "To let it go on, type /failover resume "+string(op.ID)+".", "%s is on hold already, %s.", op.ID, op.OnHold.since())
	case op.Phase != Running:
		return nil, Refuse(WrongState, "Nothing begins before somebody decides.", "%s is %s.", op.ID, op.Phase.Words())
	case !slices.ContainsFunc(op.Targets, func(t Target) bool { return t.waits() }):
		return nil, Refuse(TooLate, "Type /failover status "+string(op.ID)+" to see how far it is.", "Nothing of %s is left to begin.", op.ID)
	}
	return []Fact{PutOnHold{By: cmd.By, Why: cmd.Reason}}, nil
}

func resume(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	switch {
	case op.OnHold == nil:
		return nil, Refuse(WrongState, "Type /failover status "+string(op.ID)+" to see where it stands.", "%s is not on hold.", op.ID)
	case s.Now.After(op.OpenedAt.Add(HeldFor)):
		return nil, tooOld(op)
	}
	return []Fact{Resumed{By: cmd.By}}, nil
}

func tooOld(op Operation) *Refusal {
	return Refuse(TooLate, "End it with /failover cancel "+string(op.ID)+", then ask again for the VMs that are left.", "What was decided of %s is older than 4 hours, and no call is made on it any more.", op.ID)
}

func skip(op Operation, cmd Command) ([]Fact, *Refusal) {
	if !op.Several() {
		return nil, Refuse(BadUsage, "To end it, type /failover cancel "+string(op.ID)+".", "%s is about one VM, or about a recovery plan, which Azure takes as a whole.", op.ID)
	}
	if cmd.Target == "" {
		return skipFailed(op, cmd)
	}
	t, refusal := op.named(cmd.Target)
	switch {
	case refusal != nil:
		return nil, refusal
	case t.Phase == Running && underWay(t, t.Doing):
		return nil, Refuse(TooLate, "Wait for it to end.", "The %s of %s is under way, and what Azure has begun is not stopped.", t.Doing.noun(), t.Item.Name)
	case t.Phase == Cancelled:
		return nil, Refuse(WrongState, "Type /failover status "+string(op.ID)+" to see the others.", "%s has been left out of %s already.", t.Item.Name, op.ID)
	case t.Phase == Succeeded:
		return nil, Refuse(WrongState, "Type /failover status "+string(op.ID)+" to see the others.", "%s has come through %s already, so there is nothing of it to leave out.", t.Item.Name, op.ID)
	}
	left := 0
	for i := range op.Targets {
		if p := op.Targets[i].Phase; p != Cancelled && p != Failed {
			left++
		}
	}
	if op.Phase == AwaitingApproval && !op.Started() {
		return nil, Refuse(WrongState, "Type /failover withdraw "+string(op.ID)+", then ask without "+t.Item.Name+".", "%s waits for its approval, which is over exactly these VMs.", op.ID)
	}
	if left == 1 && t.Phase != Failed {
		return nil, Refuse(WrongState, "To end it, type /failover cancel "+string(op.ID)+".", "%s is the last VM of %s.", t.Item.Name, op.ID)
	}
	return []Fact{Skipped{Targets: []string{t.Item.Key}, By: cmd.By}}, nil
}

// skipFailed leaves all out that failed or need a person: a button's word, which names no VM.
func skipFailed(op Operation, cmd Command) ([]Fact, *Refusal) {
	keys, left := op.failures(), 0
	for i := range op.Targets {
		if t := &op.Targets[i]; t.Phase != Cancelled && !t.again() {
			left++
		}
	}
	switch {
	case len(keys) == 0:
		return nil, nothingFailed(op)
	case left == 0:
		return nil, Refuse(WrongState, "To end it, type /failover cancel "+string(op.ID)+".", "Nothing would be left of %s.", op.ID)
	}
	return []Fact{Skipped{Targets: keys, By: cmd.By}}, nil
}

// failures are the VMs whose step can be tried once more.
func (o Operation) failures() []string {
	var keys []string
	for i := range o.Targets {
		if o.Targets[i].again() {
			keys = append(keys, o.Targets[i].Item.Key)
		}
	}
	return keys
}

func nothingFailed(op Operation) *Refusal {
	return Refuse(WrongState, "Type /failover status "+string(op.ID)+" to see where each stands.", "Nothing of %s has failed.", op.ID)
}

func retry(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	keys := op.failures()
	if cmd.Target != "" {
		t, refusal := op.named(cmd.Target)
		if refusal != nil {
			return nil, refusal
		}
		if !t.again() {
			return nil, Refuse(WrongState, "Type /failover status "+string(op.ID)+" to see where each stands.", "%s has not failed in %s.", t.Item.Name, op.ID)
		}
		keys = []string{t.Item.Key}
	}
	none := nothingFailed(op)
	keys = slices.DeleteFunc(keys, func(key string) bool {
		spent := op.spentFor(key)
		if spent {
			none = Refuse(WrongState, "Leave it out with /failover skip "+string(op.ID)+" VM; once "+string(op.ID)+" is over, ask for it by itself.", "What was decided of that step of %s is used up: the others have come through it.", op.ID)
		}
		return spent
	})
	switch {
	case len(keys) == 0:
		return nil, none
	case s.Now.After(op.OpenedAt.Add(HeldFor)):
		return nil, tooOld(op)
	}
	return []Fact{Retried{Targets: keys, By: cmd.By}}, nil
}

// spentFor reports whether a VM failed on its way home at a gate whose decisions are used up: the next gate is of the same class.
func (o Operation) spentFor(key string) bool {
	return o.Verb == VerbFailback && slices.ContainsFunc(o.Targets, func(t Target) bool {
		return t.Item.Key == key && t.Phase == Failed && !o.runs(t.Doing)
	})
}

// again reports whether a VM's step can be tried once more: it failed, or a person had to look. A recovery plan's is pressed
// again on its card.
func (t Target) again() bool {
	return !t.Led && (t.Phase == Failed || t.Phase == NeedsAttention)
}

// waits reports whether what is next for a VM has yet to begin.
func (t Target) waits() bool {
	switch t.Doing {
	case StepProbe, StepCheck, StepSurvey, StepResize:
		return false
	case StepFailover, StepChange, StepCommit, StepTest, StepCleanup, StepReprotect, StepReprotectAgain:
	}
	return t.Phase == Running && !underWay(t, t.Doing) && !underWay(t, StepResize)
}

// Pace counts the VMs of an operation that are under way, and those whose next step has yet to begin.
func (o Operation) Pace() (underWay, waiting int) {
	for _, t := range o.Targets {
		switch {
		case t.waits():
			waiting++
		case t.Phase == Running:
			underWay++
		}
	}
	return underWay, waiting
}

// named finds a VM of the operation by its name, or vault/name.
func (o Operation) named(typed string) (Target, *Refusal) {
	var items []Item
	for _, t := range o.Targets {
		if !t.Lead {
			items = append(items, t.Item)
		}
	}
	item, refusal := Resolve(items, typed)
	if refusal != nil {
		refusal.Message = strings.TrimSuffix(refusal.Message, ".") + " in " + string(o.ID) + "."
		refusal.Hint = strings.Replace(refusal.Hint, "/failover list to see every replicated VM", "/failover status "+string(o.ID)+" to see its VMs", 1)
		return Target{}, refusal
	}
	return o.Targets[slices.IndexFunc(o.Targets, func(t Target) bool { return t.Item.Key == item.Key })], nil
}

// since says who holds, and since when.
func (h OnHold) since() string {
	by := "by itself"
	if h.By.ID != "" {
		by = "by " + mention(h.By)
	}
	return by + " since " + stamp(h.At)
}
