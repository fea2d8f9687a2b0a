package failover

import (
	"slices"
	"time"
)

// AuditClass tells kinds of facts apart for who audits them.
type AuditClass string

// AuditBreakGlass marks what began with fewer approvals than its rule wants, and what came of the review.
const AuditBreakGlass AuditClass = "break_glass"

// BreakGlass is who may start in an emergency with fewer approvals than a rule wants. It skips approvals and nothing else:
// a freeze, a hold, the VM's state and a name to be typed count as ever.
type BreakGlass struct {
	Role           string `json:"role"`
	ReasonRequired bool   `json:"reason_required"`
	Approvals      int    `json:"approvals"` // that are still needed
}

// BrokenGlass is what a request skipped.
type BrokenGlass struct {
	By Actor `json:"by"`
	// Wanted is how many approvals the rule wants.
	Wanted int `json:"wanted"`
	// Reviewers are the roles of who may look at it afterwards.
	Reviewers []string `json:"reviewers"`
}

// GlassReview is the review of a broken glass, and how often people were reminded of it.
type GlassReview struct {
	By         Actor     `json:"by,omitzero"` // zero while nobody has looked
	At         time.Time `json:"at,omitzero"`
	Approve    bool      `json:"approve,omitempty"` // signed off; else objected to
	Reason     string    `json:"reason,omitempty"`
	RemindedAt time.Time `json:"reminded_at,omitzero"`
	Reminders  int       `json:"reminders,omitempty"`
}

// Skipped is how many approvals a broken glass has saved.
func (o Operation) Skipped() int {
	if o.Plan.BrokenGlass == nil {
		return 0
	}
	return o.Plan.BrokenGlass.Wanted - o.Plan.Rule.Approvals
}

// Unreviewed reports whether something began behind a broken glass that nobody else has looked at yet, also long after its end.
func (o Operation) Unreviewed() bool {
	return o.Plan.BrokenGlass != nil && o.Started() && o.Glass.By.ID == ""
}

// asksAnyway is the rule of a request that breaks the glass: fewer approvals, and who asks need not be among those who may.
func (s Situation) asksAnyway(class Class, cmd Command) (Rule, *Refusal) {
	rule, ok := s.Policy.RuleFor(class, s.Item)
	glass, name := s.Policy.BreakGlass, s.Item.Name
	switch without := "Ask without --break-glass, or "; {
	case class != ClassFailover:
		return rule, Refuse(BadUsage, "Ask without --break-glass.", "The glass is broken for a failover only, not to %s %s.", class.verb(), name).by(rule)
	case rule.Untold:
		return rule, untold(rule, name)
	case !ok || len(rule.May) == 0:
		return rule, Refuse(NotAllowed, "Break-glass skips approvals, not rules. Ask whoever keeps Ferry's configuration to add one under access.rules.", "No rule lets anybody %s %s.", class.verb(), name).by(rule)
	case glass == nil:
		return rule, Refuse(NotAllowed, without+"have access.break_glass configured.", "Nobody may break the glass here.").by(rule)
	case !s.Policy.mayBreak(cmd):
		return rule, s.Policy.lacking([]string{glass.Role}, without+"ask somebody with the role "+glass.Role+".", "You may not break the glass for %s.", name).by(rule)
	case glass.ReasonRequired && cmd.Reason == "":
		return rule, Refuse(BadUsage, "Type "+cmd.again()+" --break-glass --reason TEXT. The reason is posted in the channel, and kept.", "Breaking the glass for %s needs a reason.", name)
	case glass.Approvals >= rule.Approvals && s.Policy.May(rule, cmd.By):
		return rule, Refuse(BadUsage, "Type it again without --break-glass.", "There is no glass to break: %s needs no more approvals than break-glass does.", name)
	}
	return rule, nil
}

// again is what to type for the same failover.
func (c Command) again() string {
	text := "/failover "
	switch {
	case c.Row:
		text += "run "
	case c.Verb != VerbFailover:
		text += string(c.Verb) + " "
	}
	text += c.Target
	if c.Point.Kind != "" && c.Point.Kind != Latest {
		text += " " + c.Point.String()
	}
	if !c.Shutdown {
		text += " --no-shutdown"
	}
	return text
}

// behindGlass marks a plan as behind a broken glass, when the command asks for that.
func (s Situation) behindGlass(cmd Command, plan *Plan) {
	if !cmd.BreakGlass || s.Policy.BreakGlass == nil {
		return
	}
	broken := &BrokenGlass{By: cmd.By, Wanted: plan.Rule.Approvals, Reviewers: plan.Rule.Approvers}
	if len(broken.Reviewers) == 0 {
		broken.Reviewers = []string{s.Policy.BreakGlass.Role}
	}
	plan.BrokenGlass, plan.Rule = broken, s.Policy.BreakGlass.eased(plan.Rule)
}

// eased is a rule behind a broken glass.
func (g BreakGlass) eased(r Rule) Rule {
	r.Approvals = min(r.Approvals, g.Approvals)
	r.TerminalApprovals = min(r.TerminalApprovals, r.Approvals)
	return r
}

// mayBreak reports whether who gives a command may break the glass, and wants to.
func (p Policy) mayBreak(cmd Command) bool {
	return cmd.BreakGlass && p.BreakGlass != nil && p.holds([]string{p.BreakGlass.Role}, cmd.By)
}

// through is the rule of now for a gate that was opened behind a broken glass, and holds who broke it against it.
func (d *doubt) through(p Policy, op Operation, rule Rule) Rule {
	by := op.Plan.BrokenGlass.By
	switch glass := p.BreakGlass; {
	case glass == nil:
		d.say("nobody may break the glass any more")
	case p.standings[by.ID] != "":
		d.left(p, by)
	case !p.holds([]string{glass.Role}, by):
		d.lost(p, by, []string{glass.Role}, "break the glass")
	default:
		return glass.eased(rule)
	}
	d.over = true
	return rule
}

// decideReview is somebody's word on a broken glass: it was right, or it was not. It changes nothing of the operation itself.
func decideReview(op Operation, cmd Command, s Situation) ([]Fact, *Refusal) {
	if cmd.Seen != "" || cmd.At.Before(op.StartedAt) { // it was meant for the gate: who gave it has not looked at what began
		refusal := undecided(op, s.Now)
		refusal.Hint += " Look first, then, to review its broken glass, /failover approve " + string(op.ID) + "."
		return nil, refusal
	}
	approve := cmd.Verb == VerbApprove
	if refusal := s.Policy.mayReview(op, cmd.By); refusal != nil {
		return nil, refusal
	}
	if !approve && cmd.Reason == "" {
		return nil, Refuse(BadUsage, "Type /failover deny "+string(op.ID)+" --reason TEXT. To stop what can still be stopped, /failover cancel "+string(op.ID)+".", "An objection to the broken glass of %s needs a reason.", op.ID)
	}
	return []Fact{Reviewed{By: cmd.By, Approve: approve, Reason: cmd.Reason, Class: AuditBreakGlass}}, nil
}

// reviewed says who has reviewed a broken glass, for who comes second; empty when nobody has.
func (o Operation) reviewed() string {
	if o.Glass.By.ID == "" {
		return ""
	}
	word := map[bool]string{true: "signed off", false: "objected to"}[o.Glass.Approve]
	return " Its broken glass was " + word + " by " + mention(o.Glass.By) + " at " + stamp(o.Glass.At) + "."
}

// mayReview: an approver, and another person than who broke the glass.
func (p Policy) mayReview(op Operation, actor Actor) *Refusal {
	broken := op.Plan.BrokenGlass
	switch {
	case p.same(broken.By, actor):
		return Refuse(NotAllowed, "Ask another person with the role "+rolesInWords(broken.Reviewers)+" to type /failover approve "+string(op.ID)+".", "You broke the glass of %s yourself: its review needs somebody else.", op.ID)
	case !p.holds(broken.Reviewers, actor):
		return p.lacking(broken.Reviewers, "Ask somebody with the role "+rolesInWords(broken.Reviewers)+".", "You may not review the broken glass of %s.", op.ID)
	}
	return nil
}

// Reviewers lists whom to call for the review of a broken glass: groups, then who is named.
func (p Policy) Reviewers(op Operation) []string {
	if !op.Unreviewed() {
		return nil
	}
	ids := p.Callable(Rule{Approvals: 1, Approvers: op.Plan.BrokenGlass.Reviewers})
	return slices.DeleteFunc(ids, func(id string) bool { return p.same(op.Plan.BrokenGlass.By, Actor{ID: id}) })
}

// Reviews reports whether a broken glass waits for a review that an actor may give; like [Policy.Awaits], it is a hint.
func (p Policy) Reviews(op Operation, actor Actor) bool {
	return op.Unreviewed() && p.mayReview(op, actor) == nil
}

// reviewDebt is the debt of a broken glass.
func reviewDebt(op Operation) Debt {
	d := Debt{Kind: ReviewOpen, Since: op.StartedAt, Owner: op.Plan.BrokenGlass.By, Op: op.ID, Typed: string(op.ID)}
	for _, t := range op.Targets {
		if d.Name == "" {
			d.Name, d.Vault = t.Item.Name, t.Item.Vault
		}
	}
	return d
}

// ReviewRemindAt is when people have to be told again that a broken glass waits for its review; zero is never.
func ReviewRemindAt(op Operation) time.Time {
	if !op.Unreviewed() {
		return time.Time{}
	}
	return later(op.StartedAt, op.Glass.RemindedAt).Add(RemindEvery)
}

// UnreviewedYet says that a broken glass waits for its review, as a reminder.
func UnreviewedYet(op Operation) Reminded {
	return Reminded{About: RemindReview, Why: "the broken glass waits for its review since " + stamp(op.StartedAt)}
}
