package failover

import (
	"slices"
	"strings"
	"time"
)

// needs is what an act of a kind rests on besides the item.
func needs(kind StepKind) Look {
	switch kind {
	case StepFailover, StepTest, StepChange:
		return Look{Points: true}
	case StepReprotect, StepReprotectAgain:
		return Look{Reversal: true}
	case StepCommit, StepCleanup, StepProbe, StepCheck, StepSurvey, StepResize:
	}
	return Look{}
}

// stale reports whether something that is needed was not seen, or too long ago.
func (l Look) stale(seen Observation, now time.Time) bool {
	old := func(at time.Time) bool { return now.Sub(at) > freshFor }
	return old(seen.LookedAt) || l.Authority && old(seen.PolicyAt) || l.Points && old(seen.PointsAt) || l.Reversal && old(seen.TurnedAt)
}

// begin looks, checks that who decided may still decide and that what was approved still holds, and acts.
func begin(op Operation, t Target, kind StepKind, attempt int, seen Observation, now time.Time) Effect {
	if achieved(op, kind, seen.Item) && now.Sub(seen.LookedAt) <= freshFor {
		return Tell{[]Fact{StepDone{Target: t.Item.Key, Kind: kind, Outside: true}}}
	}
	look := needs(kind)
	if t.Lead {
		look = Look{}
	}
	look.Authority = true
	if look.stale(seen, now) {
		return look
	}
	if kind == StepFailover && t.shows(seen.Item.JobID) { // what is tried again at once may find the item behind its job
		if next := seen.LookedAt.Add(LookEvery); now.Before(next) {
			return Wait{next}
		}
		return look
	}
	if stop := authorized(op, t, kind, seen, now); stop != nil {
		return stop
	}
	again := len(t.Unanswered(kind)) > 0
	call, refusal := callFor(op, t, kind, attempt, seen)
	changed := differences(op, t, kind, seen)
	if refusal == nil && len(changed) > 0 {
		refusal = Refuse(WrongState, "Ask again to have it approved as it is now.", "What was approved of %s does not hold any more.", t.Item.Name)
	}
	switch {
	case (refusal != nil || now.After(op.BeginBy(t, kind))) && again:
		return Tell{[]Fact{noTrace(op, t)}}
	case refusal != nil:
		return Tell{[]Fact{StepFailed{Target: t.Item.Key, Kind: kind, Fault: Fault{Message: refusal.Message, Action: refusal.Hint}, Changed: changed}}}
	}
	if kind == StepFailover && !again && op.outsized(t, seen) { // a failover that may yet arrive leaves no room for a change
		return resize(op, t, seen)
	}
	act := acts(op, t, kind, attempt, call)
	act.Again = again
	return act
}

// shows reports whether an item still shows a job of Ferry's, where none is under way any more.
func (t *Target) shows(job string) bool {
	return job != "" && slices.ContainsFunc(t.Steps, func(s Step) bool { return strings.EqualFold(s.JobID, job) })
}

// acts is a call with its intent.
func acts(op Operation, t Target, kind StepKind, attempt int, call Call) Act {
	intent := StepStarted{
		Target: t.Item.Key, Kind: kind, Attempt: attempt, ClientRequestID: call.ClientRequestID, Size: call.Size,
		RequestedBy: op.RequestedBy, ApprovedBy: op.Approvers(op.stage(kind).Gate), Plan: op.Plan.Digest,
	}
	return Act{Intent: intent, Call: call, By: op.BeginBy(t, op.stage(kind).Step)}
}

// achieved reports whether somebody else has done already what a step is for, so that its gate closes by itself.
func achieved(op Operation, kind StepKind, item Item) bool {
	if item.JobID != "" {
		return false
	}
	switch {
	case kind == StepCommit:
		return item.State == StateCommitted
	case op.Verb != VerbFailback:
		return false
	case kind == StepReprotect:
		return item.State == StateProtected && !strings.EqualFold(item.From, item.Home)
	case kind == StepReprotectAgain:
		return item.State == StateProtected && strings.EqualFold(item.From, item.Home)
	}
	return false
}

// callFor is the call that was approved, as far as it still holds.
func callFor(op Operation, t Target, kind StepKind, attempt int, seen Observation) (Call, *Refusal) {
	call := Call{Kind: kind, Item: seen.Item, Notes: op.Plan.Notes, ClientRequestID: ClientRequestID(op.ID, t.Item.Key, kind, attempt)}
	if t.Lead {
		return planCall(op, t, kind, attempt, seen)
	}
	refusal := Legal(kind, seen.Item)
	if refusal == nil {
		refusal = samePoint(op, t, kind, seen.Item)
	}
	if refusal != nil {
		return call, refusal
	}
	switch kind {
	case StepFailover, StepTest:
		if refusal = turned(t.Item, seen.Item); refusal == nil {
			call.PointID, refusal = pointFor(op.Plan.Point, t, seen.Points)
		}
		call.Shutdown, call.Network = kind == StepFailover && op.Plan.Shutdown, op.Plan.Network
	case StepChange:
		if op.Change == nil {
			return call, Refuse(WrongState, "Type /failover change "+string(op.ID)+" POINT.", "No recovery point was asked for.")
		}
		var point RecoveryPoint
		point, refusal = Choose(seen.Points, Point{Kind: ByID, ID: op.Change.Point.ID})
		call.PointID = point.ID
	case StepReprotect, StepReprotectAgain:
		call.Reversal, refusal = t.Reversal, sameReversal(t.Reversal, seen.Reversal)
	case StepCommit, StepCleanup, StepProbe, StepCheck, StepSurvey, StepResize:
	}
	return call, refusal
}

// sameReversal refuses when a reprotect would use something else now than what was approved.
func sameReversal(approved, now *Reversal) *Refusal {
	if approved != nil && now != nil && approved.digest() == now.digest() {
		return nil
	}
	return Refuse(WrongState, "Ask again to see what it would use now.", "What the reprotect would use or create has changed since it was approved.")
}

// turned refuses when the replication goes another way than the one that was approved: somebody has moved the VM and
// protected it again.
func turned(approved, now Item) *Refusal {
	if strings.EqualFold(approved.From, now.From) && strings.EqualFold(approved.To, now.To) {
		return nil
	}
	return Refuse(WrongState, "Ask again if that is what is wanted.", "%s would now fail over from %s to %s; from %s to %s was approved.", now.Name, now.From, now.To, approved.From, approved.To)
}

// pointFor is the recovery point to send: none for Latest. A point older than the one shown to the approver is not taken.
func pointFor(sel Point, t Target, points []RecoveryPoint) (string, *Refusal) {
	point, refusal := Choose(points, sel)
	if refusal != nil {
		return "", refusal
	}
	if t.Shown != nil && point.Time.Before(t.Shown.Time) {
		return "", Refuse(WrongState, "Ask again: the approval was for newer data.", "The newest recovery point is now of %s, older than the one of %s that was approved.", stamp(point.Time), stamp(t.Shown.Time))
	}
	if sel.Kind == Latest || sel.Kind == "" {
		return "", nil
	}
	return point.ID, nil
}
