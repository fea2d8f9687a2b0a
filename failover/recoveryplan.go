package failover

import (
	"slices"
	"strings"
)

// RecoveryPlan is a plan of the vault as Site Recovery reports it at one moment: VMs that Azure fails over as one, group
// after group.
type RecoveryPlan struct {
	ID      string      `json:"id"` // ARM id
	Key     string      `json:"key"`
	Name    string      `json:"name"`
	Vault   string      `json:"vault"`
	VaultID string      `json:"vault_id"`
	Allowed []string    `json:"allowed,omitempty"` // allowedOperations
	Groups  []PlanGroup `json:"groups"`
	// Scenario and JobID name what runs on the plan now; empty when idle.
	Scenario string `json:"scenario,omitempty"`
	JobID    string `json:"job_id,omitempty"`
}

// PlanGroup is what Azure starts together, after the groups before it.
type PlanGroup struct {
	Name string   `json:"name"`
	Keys []string `json:"keys"` // of the items
}

// Keys are the items of all groups, in order.
func (p RecoveryPlan) Keys() []string {
	var keys []string
	for _, g := range p.Groups {
		keys = append(keys, g.Keys...)
	}
	return keys
}

// lead is the plan as a target: the calls go to it, and its VMs follow.
func (p RecoveryPlan) lead() Target {
	return Target{Lead: true, Phase: AwaitingApproval, Item: Item{
		ID: p.ID, Key: p.Key, Name: p.Name, Vault: p.Vault, VaultID: p.VaultID, Allowed: p.Allowed, Scenario: p.Scenario, JobID: p.JobID,
	}}
}

// Member is one VM of several that a command is about.
type Member struct {
	Item   Item
	Holder Operation // zero when nobody holds it
	// Points are the recovery points, nil where they do not matter; Wave is the place, from 1, in the fleet.
	Points []RecoveryPoint
	Wave   int
	// Reversal is what a reprotect would use; Trouble is why that, or the item, could not be read.
	Reversal *Reversal
	Trouble  *Refusal
	Check    *Check
}

// decidePlan opens the failover of a whole recovery plan. It is one call to Azure, so that every VM has to be ready for it.
func decidePlan(cmd Command, s Situation) ([]Fact, *Refusal) {
	if s.Recovery == nil {
		return nil, Refuse(UnknownName, "The vault's recovery plans are listed in the portal.", "There is no recovery plan %q.", cmd.Target)
	}
	rule, refusal := s.ruleForAll(cmd)
	if refusal == nil {
		refusal = s.thawed(StepFailover, s.items()...)
	}
	if refusal == nil {
		refusal = s.planReady(cmd)
	}
	if refusal == nil {
		refusal = s.largeConfirmed(cmd, s.Recovery.Name, len(s.Members))
	}
	if refusal != nil {
		return nil, refusal
	}
	plan := Plan{Point: cmd.Point, Shutdown: cmd.Shutdown, Rule: rule, Recovery: s.Recovery, Forced: cmd.Force && !s.Incident.IsZero()}
	plan.CommitBy, refusal = s.commitRuleForAll()
	if refusal != nil {
		return nil, refusal
	}
	targets := []Target{s.Recovery.lead()}
	targets[0].Item.From, targets[0].Item.To = s.Members[0].Item.From, s.Members[0].Item.To
	for wave, g := range s.Recovery.Groups {
		for _, key := range g.Keys {
			m := s.member(key)
			targets = append(targets, Target{Item: m.Item, Phase: AwaitingApproval, Led: true, Wave: wave + 1, Check: m.Check})
		}
	}
	cmd.Verb = VerbFailover // the plan says how
	return s.request(cmd, plan, targets...), nil
}

func (s Situation) items() []Item {
	var items []Item
	for _, m := range s.Members {
		items = append(items, m.Item)
	}
	return items
}

func (s Situation) member(key string) Member {
	i := slices.IndexFunc(s.Members, func(m Member) bool { return m.Item.Key == key })
	if i < 0 {
		return Member{}
	}
	return s.Members[i]
}

// ruleForAll is the one rule that decides for every VM: an approval under one rule says nothing about another's VMs.
func (s Situation) ruleForAll(cmd Command) (Rule, *Refusal) {
	class := ClassOf(cmd.Verb)
	var first Rule
	for i, m := range s.Members {
		one := s
		one.Item = m.Item
		rule, refusal := one.mayBegin(class, cmd)
		if refusal != nil {
			return rule, refusal
		}
		if i == 0 {
			first = rule
		} else if !rule.same(first) {
			return rule, Refuse(NotAllowed, "Fail them over one by one, or have one rule added that names them all.", "%s and %s fall under different rules, so that one approval cannot cover both.", s.Members[0].Item.Name, m.Item.Name)
		}
	}
	if len(s.Members) == 0 {
		return first, Refuse(WrongState, "Add VMs to it in the portal.", "There is no VM in it.")
	}
	return first, nil
}

// commitRuleForAll is the one rule that decides the commit of every VM, which is one call, too. No rule for any of them is
// as good: then it is committed in the portal.
func (s Situation) commitRuleForAll() (Rule, *Refusal) {
	first, known := s.Policy.RuleFor(ClassCommit, s.Members[0].Item)
	for _, m := range s.Members[1:] {
		if rule, ok := s.Policy.RuleFor(ClassCommit, m.Item); ok != known || !rule.same(first) {
			return first, Refuse(NotAllowed, "Fail them over one by one, or have one rule added that names them all.", "%s and %s fall under different rules for the commit, which is one for the whole plan.", s.Members[0].Item.Name, m.Item.Name)
		}
	}
	return first, nil
}

// planReady checks the plan and every VM of it.
func (s Situation) planReady(cmd Command) *Refusal {
	if kind := cmd.Point.Kind; !cmd.Point.Moving() && kind != LatestApp {
		return Refuse(BadUsage, "Type latest, latest-processed or latest-app. For another point, fail the VMs over one by one.", "A recovery plan has no recovery point %q of its own.", cmd.Point.String())
	}
	if s.Recovery.JobID != "" {
		return Refuse(Busy, busyHint, "A job is already running on the recovery plan %s: %s.", s.Recovery.Name, s.Recovery.Scenario)
	}
	var not unready
	ready := 0
	for _, m := range s.Members {
		one := s
		one.Item, one.Holder = m.Item, m.Holder
		refusal := one.free()
		if refusal == nil {
			refusal = m.Trouble
		}
		if refusal == nil {
			refusal = Legal(StepFailover, m.Item)
		}
		if refusal == nil {
			refusal = one.beforeIncident(Command{Verb: VerbFailover, Force: cmd.Force}, RecoveryPoint{})
		}
		if refusal != nil {
			not.add(m.Item.Name, refusal)
			continue
		}
		ready++
	}
	if ready == len(s.Members) {
		return s.Recovery.offers("UnplannedFailover")
	}
	return Refuse(WrongState, "Mend these first, or fail the others over one by one. Nothing was started.", "%d of the %d VMs of %s cannot be failed over: %s", len(s.Members)-ready, len(s.Members), s.Recovery.Name, not.words())
}

func (p RecoveryPlan) offers(word string) *Refusal {
	if slices.Contains(p.Allowed, word) {
		return nil
	}
	return Refuse(WrongState, "Look at the recovery plan in the portal.", "Azure does not offer %s for the recovery plan %s now (it offers: %s).", word, p.Name, strings.Join(p.Allowed, ", "))
}

// planCall is the call for a whole recovery plan, as far as what was approved still holds.
func planCall(op Operation, t Target, kind StepKind, attempt int, seen Observation) (Call, *Refusal) {
	plan := op.Plan.Recovery
	call := Call{Kind: kind, Item: t.Item, Recovery: true, Point: op.Plan.Point, Shutdown: op.Plan.Shutdown, ClientRequestID: ClientRequestID(op.ID, t.Item.Key, kind, attempt)}
	word := map[StepKind]string{StepFailover: "UnplannedFailover", StepCommit: "Commit"}[kind]
	if seen.Recovery.JobID != "" {
		return call, Refuse(Busy, "Wait for it.", "A job is running on the recovery plan %s: %s.", plan.Name, seen.Recovery.Scenario)
	}
	if refusal := seen.Recovery.offers(word); refusal != nil {
		return call, refusal
	}
	if !slices.Equal(plan.Keys(), seen.Recovery.Keys()) {
		return call, Refuse(WrongState, "Ask again to have it approved as it is now.", "The VMs of the recovery plan %s, or their order, have changed since it was approved.", plan.Name)
	}
	for _, m := range op.Targets {
		if m.Lead || m.Phase != Running {
			continue
		}
		now := seen.Members[m.Item.Key]
		refusal := Legal(kind, now)
		if refusal == nil && kind == StepFailover {
			refusal = turned(m.Item, now)
		}
		if refusal != nil {
			return call, refusal
		}
	}
	return call, nil
}

// settlePlan ends a step of a whole plan: what became of each VM is said by the VM itself, whatever the plan's job says.
func settlePlan(op Operation, t Target, step *Step, seen Observation, now Job) []Fact {
	var facts []Fact
	done, left := 0, 0 // of what was told already in an earlier batch, too
	for _, m := range op.Targets {
		if m.Lead || m.Phase != Running {
			if s := m.Step(step.Kind); m.Led && s != nil && s.State == StateDone {
				done++
			} else if m.Led && m.Phase == AwaitingCommit && m.Error != nil {
				left++
			}
			continue
		}
		item := seen.Members[m.Item.Key]
		if settled(m, step.Kind, item) {
			done++
			facts = append(facts, StepDone{Target: m.Item.Key, Kind: step.Kind, PointUsed: now.PointsUsed[strings.ToLower(m.Item.Name)], Point: pointIn(step.Kind, item), EndedAt: now.EndedAt})
			continue
		}
		left++
		fault := whyFailed(now)
		if i := slices.IndexFunc(now.Errors, func(f Fault) bool { return f.About != "" && strings.EqualFold(f.About, m.Item.Name) }); i >= 0 {
			fault = now.Errors[i]
		} else if now.State == JobSucceeded && len(now.Errors) == 0 {
			fault = Fault{Message: m.Item.Name + " is still in the state " + item.State + ".", Action: "Look at the job of the recovery plan in the portal."}
		}
		facts = append(facts, StepFailed{Target: m.Item.Key, Kind: step.Kind, Fault: fault})
	}
	if again := step.Kind == StepCommit && left > 0; done == 0 || again { // what is left can be pressed again
		return append(facts, StepFailed{Target: t.Item.Key, Kind: step.Kind, Tasks: now.Tasks, Fault: whyFailed(now)})
	}
	return append(facts, StepDone{Target: t.Item.Key, Kind: step.Kind, EndedAt: now.EndedAt, Tasks: now.Tasks, Warning: warning(now)})
}

// decideReprotectAll opens one operation for the reprotect of several VMs, each on its own: Azure has no call for a plan of
// Azure VMs. Those that cannot be reprotected are left out and named.
func decideReprotectAll(cmd Command, s Situation) ([]Fact, *Refusal) {
	rule, refusal := s.ruleForAll(cmd)
	if refusal == nil {
		refusal = s.thawed(StepReprotect, s.items()...)
	}
	if refusal != nil {
		return nil, refusal
	}
	if by := s.Members[0].Holder; !slices.ContainsFunc(s.Members, func(m Member) bool { return m.Holder.ID != by.ID }) {
		all := Situation{Item: Item{Name: "Every VM of it"}, Holder: by}
		if refusal := all.free(); refusal != nil {
			return nil, refusal
		}
	}
	var targets []Target
	var not unready
	for _, m := range s.Members {
		one := s
		one.Item, one.Holder, one.Reversal = m.Item, m.Holder, m.Reversal
		target := Target{Item: m.Item, Phase: AwaitingApproval}
		refusal := one.free()
		if refusal == nil {
			refusal = m.Trouble
		}
		if refusal == nil {
			refusal = one.reversed(Command{}, &target)
		}
		if refusal != nil {
			not.add(m.Item.Name, refusal)
			continue
		}
		targets = append(targets, target)
	}
	if len(targets) == 0 {
		return nil, Refuse(WrongState, not.hint("/failover list shows the state of each."), "No VM of it can be reprotected: %s", not.words())
	}
	plan := Plan{Rule: rule, LeftOut: not.words()}
	if s.Fleet != nil && s.Fleet.Name != "" { // a name for all of them; the order is that of the failover alone
		plan.Fleet = &Fleet{Name: s.Fleet.Name, Waves: []Wave{{}}, OnFailure: GoOn}
	}
	return s.request(cmd, plan, targets...), nil
}
