package failover

import (
	"slices"
	"strings"
	"time"
)

// Situation is everything outside the operation that a decision rests on, read just before.
type Situation struct {
	Now    time.Time
	Policy Policy
	// Item and Points are of the VM that the command names; zero when it names an operation.
	Item   Item
	Points []RecoveryPoint
	// Holder is the operation that holds the VM; the zero operation when nobody does.
	Holder Operation
}

// Decide turns a command into the facts that it makes true, or refuses it. It is the only way from a wish to a fact:
// button, slash command and terminal all come here. A command that was decided before gives no facts and no refusal.
func Decide(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if _, again := op.Answers[cmd.MessageID]; again {
		return nil, nil
	}
	if cmd.Late(s.Now) {
		return nil, Refuse(TooLate, "Ask again; nothing was started.", "This request of %s came too late to be acted on.", stamp(cmd.At))
	}
	switch cmd.Verb {
	case VerbFailover:
		return decideFailover(cmd, s)
	case VerbCommit:
		return decideCommit(op, cmd, s)
	case VerbApprove, VerbDeny, VerbWithdraw, VerbExpire, VerbCancel:
		if !op.Exists() {
			return nil, Refuse(UnknownName, "Type /failover status to see what is open.", "There is no operation %s.", cmd.Op)
		}
	}
	switch cmd.Verb {
	case VerbApprove:
		return decideApprove(op, cmd, s)
	case VerbDeny:
		return decideDeny(op, cmd, s)
	case VerbWithdraw:
		return decideWithdraw(op, cmd, s)
	case VerbCancel:
		return decideCancel(op, cmd, s)
	case VerbExpire:
		return decideExpire(op, s)
	case VerbFailover, VerbCommit:
	}
	return nil, Refuse(BadUsage, "Type /failover help.", "Ferry does not know the verb %q.", cmd.Verb)
}

func decideFailover(cmd Command, s Situation) ([]Fact, *Refusal) {
	rule, refusal := s.mayAsk(ClassFailover, cmd.By)
	if refusal == nil {
		refusal = s.free()
	}
	if refusal == nil {
		refusal = Legal(StepFailover, s.Item)
	}
	if refusal != nil {
		return nil, refusal
	}
	shown, refusal := Choose(s.Points, cmd.Point)
	if refusal != nil {
		return nil, refusal
	}
	plan := Plan{Point: cmd.Point, Shutdown: cmd.Shutdown, Rule: rule}
	if !cmd.Point.Moving() { // an explicit point is pinned now: the approver sees which
		plan.Point = Point{Kind: ByID, ID: shown.ID}
	}
	plan.CommitBy, _ = s.Policy.RuleFor(ClassCommit, s.Item)
	target := Target{Item: s.Item, Phase: AwaitingApproval, Shown: &shown}
	plan.Digest = digest(plan, []Target{target})
	req := Requested{Op: cmd.Op, Verb: VerbFailover, By: cmd.By, Reason: cmd.Reason, Plan: plan, Targets: []Target{target}}
	if rule.Approvals == 0 {
		return []Fact{req, GateOpened{ClassFailover}}, nil
	}
	req.ExpiresAt = s.Now.Add(rule.Expires)
	return []Fact{req}, nil
}

// Barred refuses a command on a VM as far as its giver's rights are certain before Azure is read: on the item when the
// name is resolved, else on all. Who has no right is told so even while Azure does not answer.
func Barred(cmd Command, s Situation) *Refusal {
	switch {
	case s.Item.Key != "" && cmd.Verb == VerbFailover:
		_, refusal := s.mayAsk(ClassFailover, cmd.By)
		return refusal
	case s.Item.Key != "" && cmd.Verb == VerbCommit:
		_, _, refusal := s.mayCommit(cmd.By)
		return refusal
	case s.Item.Key == "" && !s.Policy.mayAnywhere(cmd.Verb, cmd.By):
		return Refuse(NotAllowed, "Ask somebody who has the right in Ferry's configuration, under access.", "You may not %s %s.", Class(cmd.Verb).verb(), cmd.Target)
	}
	return nil
}

// mayAsk finds the rule for the item and checks that the actor may ask.
func (s Situation) mayAsk(class Class, actor Actor) (Rule, *Refusal) {
	rule, ok := s.Policy.RuleFor(class, s.Item)
	if !ok {
		return rule, Refuse(NotAllowed, "Ask whoever keeps Ferry's configuration to add one under access.rules.", "No rule lets anybody %s %s.", class.verb(), s.Item.Name)
	}
	if !s.Policy.May(rule, actor) {
		return rule, Refuse(NotAllowed, "Ask somebody with the role "+rolesInWords(rule.May)+".", "You may not %s %s.", class.verb(), s.Item.Name)
	}
	return rule, nil
}

// free refuses when another operation holds the VM.
func (s Situation) free() *Refusal {
	if !s.Holder.Exists() {
		return nil
	}
	h := s.Holder
	return Refuse(Busy, "Type /failover status "+string(h.ID)+" to see where it stands.",
		"%s is already under way: %s, asked for by %s at %s, is %s.", s.Item.Name, h.ID, mention(h.RequestedBy), stamp(h.RequestedAt), h.Phase.Words())
}

func decideCommit(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if !op.Exists() {
		if s.Item.Key == "" {
			return nil, Refuse(UnknownName, "Type /failover list to see every replicated VM.", "There is no operation %s.", cmd.Op)
		}
		return decideForeignCommit(cmd, s)
	}
	if op.Phase != AwaitingCommit {
		return nil, notCommittable(op)
	}
	refusal := s.Policy.mayDecide(op, ClassCommit, cmd.By)
	switch {
	case refusal == nil:
		return press(op, ClassCommit, cmd, s.Now)
	case s.Policy.May(op.Plan.CommitBy, cmd.By):
		return []Fact{CommitAsked{By: cmd.By}}, nil
	}
	return nil, refusal
}

// decideForeignCommit opens an operation for a VM that was failed over outside Ferry; when who typed it may decide, that
// is the press.
func decideForeignCommit(cmd Command, s Situation) ([]Fact, *Refusal) {
	rule, decides, refusal := s.mayCommit(cmd.By)
	if refusal == nil {
		refusal = Legal(StepCommit, s.Item)
	}
	if refusal != nil {
		return nil, refusal
	}
	target := Target{Item: s.Item, Phase: AwaitingCommit}
	plan := Plan{Rule: rule, CommitBy: rule}
	plan.Digest = digest(plan, []Target{target})
	facts := []Fact{Requested{Op: cmd.Op, Verb: VerbCommit, By: cmd.By, Reason: cmd.Reason, Plan: plan, Targets: []Target{target}}}
	if !decides {
		return facts, nil
	}
	facts = append(facts, Decided{Gate: ClassCommit, By: cmd.By, Approve: true})
	if rule.Approvals <= 1 {
		facts = append(facts, GateOpened{ClassCommit})
	}
	return facts, nil
}

// mayCommit finds the rule for the item's commit, and whether the actor decides it or may only ask.
func (s Situation) mayCommit(actor Actor) (rule Rule, decides bool, refusal *Refusal) {
	rule, ok := s.Policy.RuleFor(ClassCommit, s.Item)
	if ok && s.Policy.Decides(rule, actor) {
		return rule, true, nil
	}
	rule, refusal = s.mayAsk(ClassCommit, actor)
	return rule, false, refusal
}

// press records one approval, and opens the gate when it was the last one needed.
func press(op Operation, gate Class, cmd Command, now time.Time) ([]Fact, *Refusal) {
	if slices.ContainsFunc(op.Approvers(gate), func(a Actor) bool { return a.ID == cmd.By.ID }) {
		return nil, Refuse(TooLate, "It waits for another person.", "You have already approved %s.", op.ID)
	}
	decided := Decided{Gate: gate, By: cmd.By, Approve: true, Reason: cmd.Reason}
	if Evolve(op, Record{Fact: decided, At: now}).Approved(gate) {
		return []Fact{decided, GateOpened{gate}}, nil
	}
	return []Fact{decided}, nil
}

func decideApprove(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if refusal := undecided(op, s.Now); refusal != nil {
		return nil, refusal
	}
	if refusal := s.Policy.mayDecide(op, ClassFailover, cmd.By); refusal != nil {
		return nil, refusal
	}
	return press(op, ClassFailover, cmd, s.Now)
}

func decideDeny(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if refusal := undecided(op, s.Now); refusal != nil {
		return nil, refusal
	}
	if !s.Policy.Decides(op.Plan.Rule, cmd.By) {
		return nil, Refuse(NotAllowed, "Who asked may withdraw it: /failover withdraw "+string(op.ID)+".", "You may not deny %s.", op.ID)
	}
	return []Fact{
		Decided{Gate: ClassFailover, By: cmd.By, Reason: cmd.Reason},
		Finished{Phase: Denied, Note: "Denied by " + mention(cmd.By) + because(cmd.Reason) + ". Nothing was started."},
	}, nil
}

func decideWithdraw(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if refusal := undecided(op, s.Now); refusal != nil {
		return nil, refusal
	}
	if op.RequestedBy.ID != cmd.By.ID && !s.mayCancel(op, cmd.By) && !s.Policy.Decides(op.Plan.Rule, cmd.By) {
		return nil, Refuse(NotAllowed, "Ask "+mention(op.RequestedBy)+" to withdraw it, or an approver to deny it.", "You may not withdraw %s.", op.ID)
	}
	return []Fact{Finished{Phase: Cancelled, Note: "Withdrawn by " + mention(cmd.By) + because(cmd.Reason) + ". Nothing was started."}}, nil
}

func decideExpire(op Operation, s Situation) ([]Fact, *Refusal) {
	if op.Phase != AwaitingApproval || s.Now.Before(op.ExpiresAt) {
		return nil, nil
	}
	return []Fact{Finished{Phase: Expired, Note: "Nobody decided in time. Nothing was started.", Hint: "Ask again if it is still wanted."}}, nil
}

// undecided refuses unless the operation waits for its first approval.
func undecided(op Operation, now time.Time) *Refusal {
	id := string(op.ID)
	switch op.Phase {
	case AwaitingApproval:
		if !now.Before(op.ExpiresAt) {
			return Refuse(TooLate, "Ask again if it is still wanted.", "%s expired at %s without a decision.", op.ID, stamp(op.ExpiresAt))
		}
		return nil
	case AwaitingCommit:
		return Refuse(WrongState, "To make it final, type /failover commit "+id+"; to leave it as it is, /failover cancel "+id+".", "%s has been approved and now waits for its commit.", op.ID)
	case Running, NeedsAttention:
		return Refuse(TooLate, "Type /failover status "+id+" to see where it stands.", "%s was already approved%s.", op.ID, lastApproval(op))
	case Succeeded, Failed, Denied, Expired, Cancelled:
	}
	return over(op)
}

// over is the answer to whoever comes after the end.
func over(op Operation) *Refusal {
	return Refuse(TooLate, "Type /failover status "+string(op.ID)+" to see how it ended.", "%s is over: %s at %s.", op.ID, op.Phase.Words(), stamp(op.FinishedAt))
}

func notCommittable(op Operation) *Refusal {
	id := string(op.ID)
	switch op.Phase {
	case AwaitingApproval:
		return Refuse(WrongState, "An approver types /failover approve "+id+" first.", "%s has not been approved yet.", op.ID)
	case Running:
		if len(op.Approvers(ClassCommit)) > 0 {
			return Refuse(TooLate, "Type /failover status "+id+" to see where it stands.", "The commit of %s was already pressed%s.", op.ID, lastApproval(op))
		}
		return Refuse(WrongState, "Wait until the card asks for the commit.", "%s is still failing over.", op.ID)
	case NeedsAttention:
		return Refuse(WrongState, "Type /failover status "+id+" to see what is wrong.", "%s needs attention before anything can be committed.", op.ID)
	case AwaitingCommit, Succeeded, Failed, Denied, Expired, Cancelled:
	}
	return over(op)
}

func lastApproval(op Operation) string {
	for _, d := range slices.Backward(op.Decisions) {
		if d.Approve {
			return " by " + mention(d.By) + " at " + stamp(d.At)
		}
	}
	return ""
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + strings.TrimRight(reason, ".")
}

// mention names a person in plain text; surfaces that can mention do it from the id.
func mention(a Actor) string {
	if a.Name != "" {
		return a.Name
	}
	return a.ID
}

// Words is the phase as it stands in a sentence after "is" or "it".
func (p Phase) Words() string {
	switch p {
	case AwaitingApproval:
		return "awaiting approval"
	case AwaitingCommit:
		return "awaiting commit"
	case NeedsAttention:
		return "in need of attention"
	case Running, Succeeded, Failed, Denied, Expired, Cancelled:
	}
	return string(p)
}
