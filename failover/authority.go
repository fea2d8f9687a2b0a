package failover

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// AuthorityWithin is how long an act waits for a fresh word of who is in Slack's groups before its decision lapses.
const AuthorityWithin = time.Minute

// doubt is what stands against an act that was decided: who lost what since.
type doubt struct {
	why    []string
	unread bool  // it may only be that nobody knows who is in Slack's groups
	rule   *Rule // that decides now, where it is another than the one approved under
	over   bool  // no decision can make up for it: the right is gone with which the glass was broken
}

// doubts asks of a decision whether it would be the same now: whose presses opened the gate still decide by the rule that
// applies now, that rule has enough of them, and who asked may still ask. The last counts for the first step only: what is
// half-way goes on by the word of who decides, whatever became of who once asked for it.
func (p Policy) doubts(op Operation, kind StepKind, items []Item) (d doubt) {
	gate := op.stage(kind).Gate
	first := kind == op.stages()[0].Step
	var one Rule
	for i, item := range items {
		rule, ok := p.RuleFor(gate, item)
		switch {
		case !ok:
			d.say("no rule lets anybody %s %s any more", gate.verb(), item.Name)
			continue
		case rule.Untold:
			d.say("the tags of %s are not known any more, and %s goes by them", item.Name, rule.Name)
			continue
		case i > 0 && !rule.same(one):
			d.say("%s and %s fall under different rules now", items[0].Name, item.Name)
			continue
		}
		one = rule
		switch {
		case first && op.Plan.BrokenGlass != nil:
			rule = d.through(p, op, rule)
		case first:
			d.asker(p, op.RequestedBy, rule, op.Verb == VerbCommit)
		}
		if kind == StepChange && op.Change != nil {
			d.asker(p, op.Change.By, rule, true)
		}
		d.quorum(p, op, gate, rule, first)
		if kind == StepCommit && rule.ConfirmName && !op.GateRule(gate).ConfirmName {
			d.say("the rule that applies now wants the name of %s typed before its commit", item.Name)
		}
		if !rule.same(op.GateRule(gate)) {
			d.rule = &rule
		}
	}
	return d
}

// asker checks who asked; where a word of who decides is one, too, it is enough to be one of these.
func (d *doubt) asker(p Policy, a Actor, rule Rule, decider bool) {
	switch {
	case p.standings[a.ID] != "":
		d.left(p, a)
	case !p.May(rule, a) && !(decider && p.Decides(rule, a)):
		d.lost(p, a, rule.May, "ask for it")
	}
}

// quorum holds the presses of a gate against the rule of now.
func (d *doubt) quorum(p Policy, op Operation, gate Class, rule Rule, first bool) {
	var by []Actor
	given := op.Approvers(gate)
	for _, a := range given {
		switch {
		case p.standings[a.ID] != "":
			d.left(p, a)
		case !p.Decides(rule, a) && !(rule.Approvals == 0 && p.holds(rule.Approvers, a)): // a rule that wants less by now takes an approver's word, too
			d.lost(p, a, rule.deciders(), "decide it")
		case rule.Approvals > 0 && !rule.SelfApproval && op.Verb != VerbCommit && p.same(a, op.RequestedBy): // a wish or a foreign commit typed by who decides is their press
			d.say("%s asked for it, and the rule lets nobody decide what they asked for", mention(a))
		default:
			by = append(by, p.Named(a))
		}
	}
	need := rule.Approvals
	if !first || gate == ClassCommit {
		need = max(need, 1) // no gate of an open operation acts without a press
	}
	if lack := rule.lacks(need, by); lack.Approvals > 0 && len(by) == len(given) {
		d.say("the rule that applies now wants %s, and it has %s", approvals(need, rule.TerminalApprovals), approvals(need-lack.Approvals, 0))
	}
}

func (d *doubt) say(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(d.why, text) {
		d.why = append(d.why, text)
	}
}

// left is a person who is no member in good standing any more.
func (d *doubt) left(p Policy, a Actor) {
	d.say("%s is no member in good standing any more (%s)", mention(a), p.standings[a.ID])
}

// lost is a person without a right. While the groups of the roles are not known, it may be for that alone.
func (d *doubt) lost(p Policy, a Actor, roles []string, to string) {
	takes := ""
	if len(roles) > 0 {
		takes = " (that takes the role " + rolesInWords(roles) + ")"
	}
	d.say("%s may not %s any more%s", mention(a), to, takes)
	d.unread = d.unread || p.unread(roles) != ""
}

func approvals(n, terminals int) string {
	text := fmt.Sprintf("%d approvals", n)
	if n == 1 {
		text = "1 approval"
	}
	if terminals > 0 {
		text += fmt.Sprintf(", %d of them from a terminal", terminals)
	}
	return text
}

// words is the doubt without its full stop.
func (d doubt) words(p Policy) string {
	text := strings.Join(d.why, "; ")
	if d.unread {
		text += "; " + p.lastRead() + " and count as empty"
	}
	return text
}

// unknownGroups is what is told while an act waits for who is in Slack's groups.
const unknownGroups = "waiting for a fresh word of who is in Slack's groups"

// authorized stops an act whose decision would not be the same now; nil lets it go on. Where that may be for want of a fresh
// word of who is in Slack's groups alone, it waits for one a while.
func authorized(op Operation, t Target, kind StepKind, seen Observation, now time.Time) Effect {
	d := seen.Policy.doubts(op, kind, concerned(op, t, seen))
	switch {
	case len(d.why) == 0:
		return nil
	case len(t.Unanswered(kind)) > 0: // what was called must not be called again, and cannot be taken back
		return Tell{[]Fact{noTrace(op, t)}}
	case d.unread && now.Before(seen.UnreadSince.Add(AuthorityWithin)):
		if t.Progress != unknownGroups {
			return Tell{[]Fact{note(t, kind, unknownGroups)}}
		}
		if again := seen.PolicyAt.Add(LookEvery); now.Before(again) {
			return Wait{again}
		}
		return Look{Authority: true}
	}
	f := lapse(op, kind, d.words(seen.Policy), now)
	if _, anew := f.(Lapsed); anew && d.over {
		f = unbegun(d.words(seen.Policy))
	}
	if l, ok := f.(Lapsed); ok && d.rule != nil { // asked anew, it is for the rule of now to decide
		l.Rule, l.Changed = d.rule, op.GateRule(op.stage(kind).Gate).terms().Diff(d.rule.terms())
		l.Digest = digest(op.under(op.stage(kind).Gate, *d.rule).Plan, op.Targets)
		return Tell{[]Fact{l}}
	}
	return Tell{[]Fact{f}}
}

// under is the operation with another rule for a gate.
func (o Operation) under(gate Class, rule Rule) Operation {
	switch {
	case gate == ClassCommit:
		o.Plan.CommitBy = rule
		if o.Verb == VerbCommit {
			o.Plan.Rule = rule
		}
	case gate == ClassChange && o.Verb != VerbChange:
		o.Plan.ChangeBy = rule
	default:
		o.Plan.Rule = rule
	}
	return o
}

// concerned are the items of an act as they were seen: those of a whole plan when the call is one for all.
func concerned(op Operation, t Target, seen Observation) []Item {
	if !t.Lead {
		return []Item{seen.Item}
	}
	var items []Item
	for _, m := range op.Targets {
		if m.Led && m.Phase == Running {
			items = append(items, seen.Members[m.Item.Key])
		}
	}
	return items
}
