package failover

import (
	"slices"
	"strings"
)

// decideAsk opens an operation on a VM: may the actor ask, is the VM free, does its state allow it, and what exactly would
// be done. With no approvals needed it starts at once.
func decideAsk(cmd Command, s Situation) ([]Fact, *Refusal) {
	class := ClassOf(cmd.Verb)
	rule, refusal := s.mayBegin(class, cmd)
	if refusal == nil {
		refusal = s.thawed(firstStep(cmd.Verb), s.Item)
	}
	if refusal == nil {
		refusal = s.free()
	}
	if refusal != nil {
		return nil, refusal
	}
	plan := Plan{Shutdown: cmd.Shutdown, Rule: rule}
	target := Target{Item: s.Item, Phase: AwaitingApproval, Check: s.Check}
	if refusal = s.propose(cmd, &plan, &target); refusal != nil {
		return nil, refusal
	}
	plan.CommitBy, _ = s.Policy.RuleFor(ClassCommit, s.Item)
	plan.ChangeBy, _ = s.Policy.RuleFor(ClassChange, s.Item)
	return s.request(cmd, plan, target), nil
}

// request is an accepted wish: it waits for its approvals, or starts when none are needed.
func (s Situation) request(cmd Command, plan Plan, targets ...Target) []Fact {
	rule := plan.Rule.ref()
	s.behindGlass(cmd, &plan)
	s.pointOut(targets)
	plan.Sizes = s.alternatives(cmd.Verb, plan, targets)
	plan.Digest = digest(plan, targets)
	req := Requested{Op: cmd.Op, Rule: rule, Verb: cmd.Verb, By: cmd.By, Reason: cmd.Reason, Plan: plan, Targets: targets}
	if plan.BrokenGlass != nil {
		req.Class = AuditBreakGlass
	}
	req.Expected = s.forecast(cmd.Verb, plan, targets)
	if plan.Rule.Approvals == 0 {
		first := Operation{Verb: cmd.Verb, Plan: plan}.stages()[0]
		return []Fact{req, GateOpened{Gate: first.Gate, Step: first.Step, Class: req.Class}}
	}
	req.ExpiresAt = s.Now.Add(plan.Rule.Expires)
	return []Fact{req}
}

// propose fills in what a verb would do to the VM as it is now.
func (s Situation) propose(cmd Command, plan *Plan, target *Target) *Refusal {
	switch cmd.Verb {
	case VerbFailover:
		return s.chosen(cmd, StepFailover, plan, target)
	case VerbTest:
		network, refusal := isolated(s.Networks, cmd.Network)
		if refusal != nil {
			return refusal
		}
		plan.Network, target.Check = network, nil
		return s.chosen(cmd, StepTest, plan, target)
	case VerbCleanup:
		plan.Notes, target.Check = cmd.Notes, nil
		return Legal(StepCleanup, s.Item)
	case VerbReprotect:
		target.Check = nil
		return s.reversed(cmd, target)
	case VerbFailback:
		return s.wayHome(cmd, plan, target)
	case VerbChange:
		return s.chosen(cmd, StepChange, plan, target)
	case VerbCommit, VerbApprove, VerbDeny, VerbWithdraw, VerbCancel, VerbExpire, VerbIncident, VerbFreeze, VerbUnfreeze, VerbPlan, VerbGroup, VerbHold, VerbResume, VerbSkip, VerbRetry:
	}
	return Refuse(BadUsage, "Type /failover help.", "Ferry does not know the verb %q.", cmd.Verb)
}

// chosen checks the state and settles the recovery point. An explicit one is pinned now: the approver sees which.
func (s Situation) chosen(cmd Command, step StepKind, plan *Plan, target *Target) *Refusal {
	if refusal := Legal(step, s.Item); refusal != nil {
		return refusal
	}
	point, refusal := Choose(s.Points, cmd.Point)
	if refusal == nil && (cmd.Verb == VerbFailover || cmd.Verb == VerbChange) { // a drill loses no data, and those from after a failover are meant to come home
		refusal = s.beforeIncident(cmd, point)
	}
	if refusal != nil {
		return refusal
	}
	plan.Point, plan.Forced, target.Shown = cmd.Point, cmd.Force && !s.Incident.IsZero(), &point
	if !cmd.Point.Moving() {
		plan.Point = Point{Kind: ByID, ID: point.ID}
	}
	return nil
}

// beforeIncident refuses data from after the declared begin of the incident: they may be what the incident spoilt. The
// latest point is made of all that arrives until the failover.
func (s Situation) beforeIncident(cmd Command, point RecoveryPoint) *Refusal {
	if s.Incident.IsZero() || cmd.Force {
		return nil
	}
	newest := point.Time
	if cmd.Verb == VerbFailover && (cmd.Point.Kind == Latest || cmd.Point.Kind == "") {
		if arrived := s.Now.Add(-s.Item.RPO); s.Item.RPO >= 0 && arrived.After(newest) {
			newest = arrived
		}
	}
	if !newest.After(s.Incident) {
		return nil
	}
	return Refuse(WrongState, "Type "+s.Incident.UTC().Format("2006-01-02T15:04Z")+" for the newest point not later than that, or add --force to take the later one.",
		"The recovery point would have data of %s, and the incident began at %s.", stamp(newest), stamp(s.Incident)).about(AboutForce)
}

// isolated finds the network of a drill among those of the configuration, by name or ARM id.
func isolated(networks []string, typed string) (string, *Refusal) {
	if len(networks) == 0 {
		return "", Refuse(NotAllowed, "Have the ARM id of an isolated network added under azure.isolated_networks.", "No network is configured as isolated, and a drill may use no other.").about(AboutNetwork)
	}
	var names []string
	for _, id := range networks {
		names = append(names, lastSegment(id))
	}
	if typed == "" && len(networks) == 1 {
		return networks[0], nil
	}
	if typed == "" {
		return "", Refuse(BadUsage, "Say which with --network NAME: "+strings.Join(names, ", ")+".", "There are %d isolated networks.", len(networks)).about(AboutNetwork)
	}
	hits := slices.DeleteFunc(slices.Clone(networks), func(id string) bool {
		return !strings.EqualFold(id, typed) && !strings.EqualFold(lastSegment(id), typed)
	})
	switch len(hits) {
	case 1:
		return hits[0], nil
	case 0:
		return "", Refuse(NotAllowed, "A drill may use one of: "+strings.Join(names, ", ")+".", "The network %q is not configured as isolated.", typed).about(AboutNetwork)
	}
	return "", Refuse(BadUsage, "Give its ARM id.", "Several isolated networks are called %s.", typed).about(AboutNetwork)
}

// reversed checks that the VM can be replicated back, and takes what that would use.
func (s Situation) reversed(cmd Command, target *Target) *Refusal {
	if refusal := Legal(StepReprotect, s.Item); refusal != nil {
		return refusal
	}
	if s.Reversal == nil {
		return Refuse(Unavailable, "Nothing was started; ask again in a moment.", "What a reprotect of %s would use could not be read.", s.Item.Name)
	}
	if cmd.Seen != "" && cmd.Seen != s.Reversal.Token() {
		return Refuse(TooLate, "Look at it again: /failover reprotect "+s.Item.Name+".", "What a reprotect of %s would use or create has changed since it was shown. Nothing was started.", s.Item.Name)
	}
	target.Reversal = s.Reversal
	return nil
}

// wayHome finds where the way home begins: with the reprotect of a committed VM, or with the failover of a VM that is
// replicated back already.
func (s Situation) wayHome(cmd Command, plan *Plan, target *Target) *Refusal {
	runs := s.Item.runsIn()
	home := strings.EqualFold(runs, s.Item.Home)
	switch {
	case s.Item.Home == "":
		return Refuse(WrongState, "To fail it over to "+s.Item.To+", type /failover "+s.Item.Name+".", "Azure does not say in which region %s is at home.", s.Item.Name)
	case home && s.Item.State == StateProtected:
		return Refuse(WrongState, "To fail it over to "+s.Item.To+", type /failover "+s.Item.Name+".", "%s is at home in %s and protected.", s.Item.Name, runs)
	case home && s.Item.State == StateCommitted:
		return Refuse(WrongState, "To protect it again, type /failover reprotect "+s.Item.Name+".", "%s is at home in %s already, but not protected.", s.Item.Name, runs)
	case s.Item.State == StateProtected:
		if refusal := homeward(s.Item); refusal != nil {
			return refusal
		}
		plan.First = StepFailover
		return s.chosen(cmd, StepFailover, plan, target)
	}
	plan.First, plan.Point = StepReprotect, cmd.Point
	if !cmd.Point.Moving() {
		return Refuse(BadUsage, "Leave the POINT out: it is chosen when "+s.Item.Name+" is replicated back.", "%s is not replicated back yet, so that it has no recovery point to fail back to.", s.Item.Name)
	}
	return s.reversed(cmd, target)
}

// homeward refuses when a failover would take a VM elsewhere than home.
func homeward(item Item) *Refusal {
	if strings.EqualFold(item.To, item.Home) {
		return nil
	}
	return Refuse(WrongState, "/failover list shows where each VM runs.", "A failover would take %s from %s to %s, and it is at home in %s.", item.Name, item.From, item.To, item.Home)
}

// doing says what a running operation does.
func (o Operation) doing() string {
	for _, t := range o.Targets {
		if t.Phase == Running && t.Doing != StepFailover {
			return "busy with the " + t.Doing.noun()
		}
	}
	return "failing over"
}

// IsReprotect reports whether a step turns the replication round.
func (k StepKind) IsReprotect() bool { return k == StepReprotect || k == StepReprotectAgain }

// Holds are the target keys that an open operation holds.
func (o Operation) Holds() []string {
	if o.Verb == VerbIncident {
		return []string{IncidentKey()}
	}
	if o.Verb == VerbFreeze {
		return []string{FreezeKey(o.Plan.Frozen)}
	}
	var keys []string
	for _, t := range o.Targets {
		keys = append(keys, t.Item.Key)
	}
	return keys
}
