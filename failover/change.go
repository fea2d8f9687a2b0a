package failover

import (
	"slices"
	"strings"
)

// decideChange asks for another recovery point before the commit. Of who may decide it is the press.
func decideChange(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if !op.Exists() {
		facts, refusal := decideAsk(cmd, s)
		if refusal == nil { // the point stands in the wish, as in an open operation
			asked := ChangeAsked{By: cmd.By, Point: shownBy(facts)}
			facts = slices.Insert(facts, 1, Fact(asked))
		}
		return facts, refusal
	}
	if op.Several() && !op.Phase.Final() {
		return nil, Refuse(WrongState, otherPoint(op), "%s is about several VMs, and the recovery point is changed of one alone.", op.ID)
	}
	if op.Phase != AwaitingCommit {
		return nil, notChangeable(op)
	}
	if op.Plan.Recovery != nil {
		return nil, Refuse(WrongState, "Commit it, or change the point of a single VM in the portal.", "%s is of a recovery plan, which has no recovery point of its own to change.", op.ID)
	}
	if refusal := outdated(op, StepChange, cmd); refusal != nil {
		return nil, refusal
	}
	if rule := op.Plan.ChangeBy; s.Policy.Decides(rule, cmd.By) || s.Policy.May(rule, cmd.By) { // others are told that they may not
		if refusal := s.thawed(StepChange, itemsOf(op.Targets)...); refusal != nil {
			return nil, refusal
		}
	}
	point, refusal := s.wished(op, cmd)
	if refusal != nil {
		return nil, refusal
	}
	if op.Change != nil && strings.EqualFold(lastSegment(op.Change.Point.ID), lastSegment(point.ID)) {
		return s.agree(op, cmd)
	}
	asked := ChangeAsked{By: cmd.By, Point: point}
	rule := op.Plan.ChangeBy
	switch {
	case s.Policy.Decides(rule, cmd.By) && (rule.Approvals == 0 || rule.SelfApproval || !s.Policy.same(cmd.By, op.RequestedBy)):
		pressed, no := s.press(Evolve(op, Record{Fact: asked, At: s.Now}), op.stage(StepChange), cmd)
		return append([]Fact{asked}, pressed...), no
	case s.Policy.May(rule, cmd.By):
		return []Fact{asked}, nil
	}
	return nil, s.Policy.mayDecide(op, ClassChange, cmd.By)
}

// agree is a press for the recovery point that is asked for already.
func (s Situation) agree(op Operation, cmd Command) ([]Fact, *Refusal) {
	pressed := slices.ContainsFunc(op.Approvers(ClassChange), func(a Actor) bool { return s.Policy.same(a, cmd.By) })
	refusal := s.Policy.mayDecide(op, ClassChange, cmd.By)
	switch {
	case refusal == nil || pressed:
		return s.press(op, op.stage(StepChange), cmd)
	case cmd.Seen == "" && s.Policy.May(op.Plan.ChangeBy, cmd.By):
		return nil, Refuse(TooLate, "It waits for the press of somebody else.", "%s has already asked for the recovery point of %s.", mention(op.Change.By), stamp(op.Change.Point.Time))
	}
	return nil, refusal
}

// wished is the recovery point that a change is about: the one typed, or, for a press, the one that was asked for.
func (s Situation) wished(op Operation, cmd Command) (RecoveryPoint, *Refusal) {
	if cmd.Seen != "" && op.Change != nil {
		return op.Change.Point, nil
	}
	if refusal := Legal(StepChange, s.Item); refusal != nil {
		return RecoveryPoint{}, refusal
	}
	point, refusal := Choose(s.Points, cmd.Point)
	if refusal == nil {
		refusal = s.beforeIncident(cmd, point)
	}
	for _, t := range op.Targets {
		if refusal == nil && t.PointUsed.Equal(point.Time) {
			refusal = Refuse(WrongState, "Type /failover points "+t.Item.Name+" to see the others.", "%s already uses the recovery point of %s.", t.Item.Name, stamp(point.Time))
		}
	}
	return point, refusal
}

// shownBy is the recovery point of a request.
func shownBy(facts []Fact) RecoveryPoint {
	if req, ok := facts[0].(Requested); ok && req.Targets[0].Shown != nil {
		return *req.Targets[0].Shown
	}
	return RecoveryPoint{}
}

// otherPoint is how a VM of an operation on several comes to another recovery point.
func otherPoint(op Operation) string {
	end := "type /failover cancel " + string(op.ID) + ", which leaves them as they are, then /failover change VM POINT."
	switch {
	case op.Phase == AwaitingApproval && !op.Started():
		return "To fail them over to another, type /failover withdraw " + string(op.ID) + ", then ask again with it."
	case op.Phase == AwaitingCommit:
		return "To take another for one of its VMs, " + end
	}
	return "To take another for one of its VMs, wait until the card asks for the commit; then " + end
}

func notChangeable(op Operation) *Refusal {
	if op.Phase.Final() {
		return over(op)
	}
	return Refuse(WrongState, "Ask for it when the card waits for the commit.", "The recovery point of %s can be changed after the failover and before the commit only; it is %s.", op.ID, op.Phase.Words())
}
