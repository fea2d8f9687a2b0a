package failover

import "time"

// IncidentKey is the target key under which a declared incident is held, so that there is one at most.
func IncidentKey() string { return ItemKey("ferry", "incident") }

// decideIncident declares when an incident began, or that it is over. It is an operation without a VM.
func decideIncident(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	rule, ok := s.Policy.RuleForAll(ClassFreeze)
	if !ok || !s.Policy.May(rule, cmd.By) {
		return nil, s.Policy.lacking(rule.May, askFor(rule.May), "You may not declare or end an incident.").by(rule)
	}
	switch {
	case cmd.Over && op.Exists() && !op.Phase.Final():
		return []Fact{Finished{Phase: Succeeded, Note: "Ended by " + mention(cmd.By) + because(cmd.Reason) + "."}}, nil
	case cmd.Over:
		return nil, Refuse(WrongState, "To declare one, type /failover incident 14:05.", "No incident is declared.")
	case s.Holder.Exists():
		return nil, Refuse(Busy, "To change its time, first type /failover incident over.", "An incident since %s is declared already, by %s (%s).", stamp(s.Holder.Plan.Point.Time), mention(s.Holder.RequestedBy), s.Holder.ID)
	case cmd.Point.Time.IsZero():
		return nil, Refuse(BadUsage, "Type /failover incident 14:05 (UTC), or /failover incident -20m.", "When did the incident begin?")
	case cmd.Point.Time.After(s.Now):
		return nil, Refuse(BadUsage, "Type a time that has passed.", "%s is in the future.", stamp(cmd.Point.Time))
	}
	plan := Plan{Point: cmd.Point, Rule: rule}
	plan.Digest = digest(plan, nil)
	return []Fact{Requested{Op: cmd.Op, Rule: rule.ref(), Verb: VerbIncident, By: cmd.By, Reason: cmd.Reason, Plan: plan}}, nil
}

// Began is when a declared incident began; zero when the operation is none, or over.
func (o Operation) Began() time.Time {
	if o.Verb != VerbIncident || o.Phase.Final() {
		return time.Time{}
	}
	return o.Plan.Point.Time
}
