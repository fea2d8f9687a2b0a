package failover

import (
	"maps"
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
	// Sizes are those in which VMs may be made instead of in their own, by that, as Compute names them.
	Sizes map[string][]string
	// Networks are the ARM ids of the isolated networks, the only ones that a drill may use.
	Networks []string
	// Reversal is what a reprotect of the VM would use and create; nil when it was not asked for.
	Reversal *Reversal
	// Check is how the VM is asked after a failover whether it works; nil when the configuration has none.
	Check *Check
	// Recovery is the recovery plan that the command names, and Members are its VMs, or those of the operation that it names.
	Recovery *RecoveryPlan
	Members  []Member
	// Fleet is how several VMs go, and Lost says why some that were meant are not among the members, a sentence each.
	Fleet *Fleet
	Lost  []string
	// Jumped says that the clock has jumped since a moment; nil and empty: it has not.
	Jumped func(since time.Time) string
	// Incident is when the declared incident began; zero when there is none.
	Incident time.Time
	// Freezes are those that hold.
	Freezes []Freeze
	// Inventory is every replicated item as it was last read, to tell names apart; empty when it is not known.
	Inventory []Item
	// Past are the operations that ever were, to tell how long one takes.
	Past []Operation
	// RTO is the promise of the configuration, 0 for none. Paces are what was learned of the vaults, by lower-case id, and Budgets
	// what Azure takes now, where that is known.
	RTO     time.Duration
	Paces   map[string]VaultPace
	Budgets []Budget
}

// Decide turns a command into the facts that it makes true, or refuses it. It is the only way from a wish to a fact:
// button, slash command and terminal all come here. A command that was decided before gives no facts and no refusal.
func Decide(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if _, again := op.Answers[cmd.MessageID]; again {
		return nil, nil
	}
	if refusal := cmd.By.Standing.Barred(); refusal != nil {
		return nil, refusal
	}
	if op.SentBefore(cmd.MessageID) {
		return nil, Refuse(TooLate, "Type /failover status "+string(op.ID)+" to see where it stands.", "This form was sent before: %s came of it and is %s. Nothing more was started.", op.ID, op.Phase.Words())
	}
	cmd.By = s.Policy.Named(cmd.By)
	if cmd.Late(s.Now) {
		hint := "Ask again; nothing was started."
		if cmd.ValidUntil.Before(cmd.StoredAt) {
			hint = "It was too old when it was stored already: nothing was started. Check the clock of the host that it came from, then ask again."
		}
		return nil, Refuse(TooLate, hint, "This request of %s came too late to be acted on.", stamp(cmd.At))
	}
	if onVM := ClassOf(cmd.Verb) != "" && ClassOf(cmd.Verb) != ClassCancel && (s.Item.Key != "" || len(s.Members) > 0 || cmd.Verb == VerbPlan); !op.Exists() && !onVM && cmd.Verb != VerbIncident && cmd.Verb != VerbFreeze && cmd.Verb != VerbUnfreeze {
		return nil, NoOperation(cmd.Op)
	}
	if op.Verb == VerbIncident && cmd.Verb != VerbIncident {
		return nil, Refuse(WrongState, "To end it, type /failover incident over.", "%s is a declared incident.", op.ID)
	}
	if op.Verb == VerbFreeze && cmd.Verb != VerbUnfreeze {
		return nil, Refuse(WrongState, "To end it, type "+Freeze{Pattern: op.Plan.Frozen}.Ends()+".", "%s is a freeze.", op.ID)
	}
	if cmd.Verb == VerbPlan {
		return decidePlan(cmd, s)
	}
	if len(s.Members) > 0 || cmd.Verb == VerbGroup {
		return decideSeveral(cmd, s)
	}
	switch cmd.Verb {
	case VerbFailover, VerbTest, VerbCleanup, VerbReprotect, VerbFailback:
		if op.Exists() {
			return decideAgain(op, cmd, s)
		}
		return decideAsk(cmd, s)
	case VerbChange:
		return decideChange(op, cmd, s)
	case VerbCommit:
		return decideCommit(op, cmd, s)
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
	case VerbIncident:
		return decideIncident(op, cmd, s)
	case VerbFreeze:
		return decideFreeze(cmd, s)
	case VerbUnfreeze:
		return decideUnfreeze(op, cmd, s)
	case VerbHold, VerbResume, VerbSkip, VerbRetry:
		return decideSteering(op, cmd, s)
	case VerbPlan, VerbGroup:
	}
	return nil, Refuse(BadUsage, "Type /failover help.", "Ferry does not know the verb %q.", cmd.Verb)
}

// decideAgain is a verb that opens operations, given to an open one: the press of its gate, if that is what it waits for.
func decideAgain(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if gate, waits := op.Pending(); waits && cmd.Verb == VerbReprotect && gate.Step.IsReprotect() {
		if refusal := op.together(cmd, "reprotected"); refusal != nil {
			return nil, refusal
		}
		return decideApprove(op, cmd, s)
	}
	return nil, Refuse(BadUsage, "Type /failover "+string(cmd.Verb)+" VM.", "To %s, name a VM: %s is an operation.", ClassOf(cmd.Verb).verb(), op.ID)
}

// Barred refuses a command on a VM as far as its giver's rights are certain before Azure is read: on the item when the
// name is resolved, else on all. Who has no right is told so even while Azure does not answer.
func Barred(cmd Command, s Situation) *Refusal {
	switch {
	case cmd.By.Standing != "":
		return cmd.By.Standing.Barred()
	case s.Item.Key != "" && (cmd.Verb == VerbCommit || cmd.Verb == VerbChange):
		_, _, refusal := s.mayPress(ClassOf(cmd.Verb), cmd.By)
		return refusal
	case s.Item.Key != "":
		_, refusal := s.mayBegin(ClassOf(cmd.Verb), cmd)
		if refusal == nil {
			refusal = s.thawed(firstStep(cmd.Verb), s.Item)
		}
		return refusal
	case !s.Policy.mayAnywhere(cmd.Verb, cmd.By) && !s.Policy.mayBreak(cmd):
		return s.Policy.lacking(slices.Collect(maps.Keys(s.Policy.Groups)), "Ask somebody who has the right in Ferry's configuration, under access.", "You may not %s %s.", ClassOf(cmd.Verb).verb(), cmd.Target)
	}
	return nil
}

// mayBegin finds the rule for the item and checks that the actor may ask, by that rule or by breaking the glass.
func (s Situation) mayBegin(class Class, cmd Command) (Rule, *Refusal) {
	if cmd.BreakGlass {
		return s.asksAnyway(class, cmd)
	}
	return s.mayAsk(class, cmd.By)
}

// mayAsk finds the rule for the item and checks that the actor may ask.
func (s Situation) mayAsk(class Class, actor Actor) (Rule, *Refusal) {
	rule, ok := s.Policy.RuleFor(class, s.Item)
	if !ok {
		return rule, Refuse(NotAllowed, "Ask whoever keeps Ferry's configuration to add one under access.rules.", "No rule lets anybody %s %s.", class.verb(), s.Item.Name).by(rule)
	}
	if rule.Untold {
		return rule, untold(rule, s.Item.Name)
	}
	if !s.Policy.May(rule, actor) {
		return rule, s.Policy.lacking(rule.May, askFor(rule.May), "You may not %s %s.", class.verb(), s.Item.Name).by(rule)
	}
	return rule, nil
}

// untold refuses what nobody can say to be anybody's right.
func untold(rule Rule, name string) *Refusal {
	return Refuse(NotAllowed, "Ask again when Ferry has read them, or have the rule changed under access.rules.", "The tags of %s are not known, and %s goes by them.", name, rule.Name).by(rule)
}

// free refuses when another operation holds the VM.
func (s Situation) free() *Refusal {
	h := s.Holder
	if h.Draft != nil {
		return Refuse(Busy, "Ask again in a moment.", "%s is being taken for %s, asked for by %s at %s.", s.Item.Name, h.ID, mention(h.Draft.Request.By), stamp(h.Draft.At))
	}
	if !h.Exists() {
		return nil
	}
	return Refuse(Busy, "Type /failover status "+string(h.ID)+" to see where it stands.",
		"%s is already under way: %s, asked for by %s at %s%s, is %s.", s.Item.Name, h.ID, mention(h.RequestedBy), stamp(h.RequestedAt), quoted(h.Reason), h.Phase.Words())
}

// outdated refuses a press of a button that stood for something else than what would happen now, and a word from before
// the gate was reached: it was meant for another.
func outdated(op Operation, step StepKind, cmd Command) *Refusal {
	before := (op.Started() || op.Lapses > 0) && cmd.At.Before(op.WaitsSince)
	switch {
	case cmd.Seen == "" && before:
		return Refuse(TooLate, "Look at the card as it is now, and type it again.", "%s has moved on since that was typed; nothing was done.", op.ID)
	case cmd.Seen == "" || cmd.Seen == op.Token(step):
		return nil
	}
	return Refuse(TooLate, "Look at the card as it is now, and press again.", "%s has moved on since that button was drawn; nothing was done.", op.ID)
}

// mayPress finds the rule for a gate on the item, and whether the actor decides it or may only ask.
func (s Situation) mayPress(class Class, actor Actor) (rule Rule, decides bool, refusal *Refusal) {
	rule, ok := s.Policy.RuleFor(class, s.Item)
	if ok && s.Policy.Decides(rule, actor) {
		return rule, true, nil
	}
	rule, refusal = s.mayAsk(class, actor)
	return rule, false, refusal
}

func decideApprove(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if op.Unreviewed() && op.Phase != AwaitingApproval {
		return decideReview(op, cmd, s)
	}
	if refusal := undecided(op, s.Now); refusal != nil {
		return nil, refusal
	}
	gate, _ := op.Pending()
	if refusal := outdated(op, gate.Step, cmd); refusal != nil {
		return nil, refusal
	}
	if slices.ContainsFunc(op.Targets, func(t Target) bool { return t.Unplanned }) {
		return nil, Refuse(WrongState, "Wait until the card shows it, then press.", "What the %s of %s would do has not been read yet.", gate.Step.noun(), op.ID)
	}
	if refusal := s.Policy.mayDecide(op, gate.Gate, cmd.By); refusal != nil {
		return nil, refusal
	}
	if refusal := s.thawed(gate.Step, itemsOf(op.Targets)...); refusal != nil {
		return nil, refusal
	}
	return s.press(op, gate, cmd)
}

func itemsOf(targets []Target) []Item {
	var items []Item
	for _, t := range targets {
		items = append(items, t.Item)
	}
	return items
}

func decideDeny(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if op.Unreviewed() && op.Phase != AwaitingApproval {
		return decideReview(op, cmd, s)
	}
	if refusal := undecided(op, s.Now); refusal != nil {
		return nil, refusal
	}
	gate, _ := op.Pending()
	if refusal := outdated(op, gate.Step, cmd); refusal != nil {
		return nil, refusal
	}
	if op.Started() {
		return nil, begunAlready(op)
	}
	if !s.Policy.Decides(op.Plan.Rule, cmd.By) {
		return nil, s.Policy.lacking(op.Plan.Rule.deciders(), "Who asked may withdraw it: /failover withdraw "+string(op.ID)+".", "You may not deny %s.", op.ID).by(op.Plan.Rule)
	}
	return []Fact{
		Decided{Gate: gate.Gate, Step: gate.Step, By: cmd.By, Reason: cmd.Reason, Rule: op.Plan.Rule.ref()},
		Finished{Phase: Denied, Note: "Denied by " + mention(cmd.By) + because(cmd.Reason) + ". Nothing was started."},
	}, nil
}

// begunAlready is the answer to who wants to take back what is half-way.
func begunAlready(op Operation) *Refusal {
	return Refuse(WrongState, "To leave it as it is, type /failover cancel "+string(op.ID)+".", "%s has begun; it cannot be taken back.", op.ID)
}

func decideWithdraw(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if refusal := undecided(op, s.Now); refusal != nil {
		return nil, refusal
	}
	if op.Started() {
		return nil, begunAlready(op)
	}
	if _, may := s.Policy.mayCancel(op, cmd.By); !may && !s.Policy.same(op.RequestedBy, cmd.By) && !s.Policy.Decides(op.Plan.Rule, cmd.By) {
		return nil, s.Policy.lacking(op.Plan.Rule.deciders(), "Ask "+mention(op.RequestedBy)+" to withdraw it, or an approver to deny it.", "You may not withdraw %s.", op.ID).by(op.Plan.Rule)
	}
	return []Fact{Finished{Phase: Cancelled, Note: "Withdrawn by " + mention(cmd.By) + because(cmd.Reason) + ". Nothing was started."}}, nil
}

func decideExpire(op Operation, s Situation) ([]Fact, *Refusal) {
	if op.Phase != AwaitingApproval || op.ExpiresAt.IsZero() || s.Now.Before(op.ExpiresAt) {
		return nil, nil
	}
	note := "Nobody decided in time. Nothing was started."
	if s.Jumped != nil && s.Jumped(op.WaitsSince) != "" {
		note += " " + s.Jumped(op.WaitsSince)
	}
	return []Fact{Finished{Phase: Expired, Note: note, Hint: "Ask again if it is still wanted."}}, nil
}

// undecided refuses unless the operation waits for its first approval.
func undecided(op Operation, now time.Time) *Refusal {
	id := string(op.ID)
	switch op.Phase {
	case AwaitingApproval:
		if !op.ExpiresAt.IsZero() && !now.Before(op.ExpiresAt) {
			return Refuse(TooLate, "Ask again if it is still wanted.", "%s expired at %s without a decision.", op.ID, stamp(op.ExpiresAt))
		}
		return nil
	case AwaitingCommit:
		return Refuse(WrongState, "To make it final, type /failover commit "+id+"; to leave it as it is, /failover cancel "+id+".", "%s has been approved and now waits for its commit.%s", op.ID, op.reviewed())
	case Running, NeedsAttention:
		return Refuse(TooLate, "Type /failover status "+id+" to see where it stands.", "%s %s.%s", op.ID, op.begun(), op.reviewed())
	case Succeeded, Failed, Denied, Expired, Cancelled:
	}
	return over(op)
}

// over is the answer to whoever comes after the end.
func over(op Operation) *Refusal {
	return Refuse(TooLate, "Type /failover status "+string(op.ID)+" to see how it ended.", "%s is over: %s at %s.%s", op.ID, op.Phase.Words(), stamp(op.FinishedAt), op.reviewed())
}

// begun says how it came that an operation runs.
func (o Operation) begun() string {
	if by := lastApproval(o); by != "" {
		return "was already approved" + by
	}
	return "has already started"
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

// quoted is a reason in the middle of a sentence.
func quoted(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + strings.TrimRight(reason, ".") + ")"
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
