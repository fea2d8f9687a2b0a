package render

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// The roles of a card's parts, in order.
const (
	roleLead    = "lead"
	roleTrouble = "trouble"
	roleWay     = "way"
	roleWhat    = "what"
	roleSteps   = "steps"
)

// Card is the one live message of an operation, drawn anew after every fact. now is when it is drawn; continued says that
// an earlier card may exist which is no longer edited. It has fewer than 8,000 characters whatever the operation holds:
// outside text is cut first.
func Card(op failover.Operation, now time.Time, continued bool) Message {
	var d draft
	var blocks []slack.Block
	for _, level := range details() {
		d = newCard(op, now, continued, level)
		if blocks = d.blocks(); size(blocks) <= maxBlocks {
			break
		}
	}
	return Message{Text: d.fallback(), Blocks: blocks}
}

// fallback is the title, the lead and what is wrong: state, target and who is waited for.
func (d draft) fallback() string {
	said := []string{d.title + "."}
	for _, p := range d.parts {
		for _, l := range p.lines {
			if p.role == roleLead || p.role == roleTrouble {
				said = append(said, l.terminal())
			}
		}
	}
	return Escape(clip(strings.Join(said, " "), maxText))
}

func newCard(op failover.Operation, now time.Time, continued bool, level detail) draft {
	c := cardOf{op, now, level}
	foot := line{plain(string(op.ID) + c.digest() + " · as of "), stamp(now)}
	if continued {
		foot = append(line{plain("Continued here: an earlier card of this operation is no longer updated. ")}, foot...)
	}
	d := draft{
		id: op.ID, seq: op.Seq, title: c.title(), buttons: c.buttons(), background: c.background(), foot: foot,
		parts: []part{{roleLead, slices.Concat(c.lead(), c.frozen(), c.glass())}, {roleTrouble, c.trouble()}, {roleWay, c.way()}, {roleWhat, c.what()}, {roleSteps, c.steps()}},
	}
	if op.Several() {
		d.parts = c.fleet()
	}
	return d
}

// cardOf is what a card is drawn from.
type cardOf struct {
	op  failover.Operation
	now time.Time
	detail
}

func (c cardOf) title() string {
	switch {
	case c.op.Verb == failover.VerbIncident:
		return "Incident: " + c.state()
	case c.op.Plan.BrokenGlass != nil:
		return upper(bot.Noun(c.op.Verb)) + " of " + c.target() + " behind broken glass: " + c.state()
	}
	return upper(bot.Noun(c.op.Verb)) + " of " + c.target() + ": " + c.state()
}

// upper begins a sentence.
func upper(text string) string {
	_, rest := utf8.DecodeRuneInString(text)
	return strings.ToUpper(text[:rest]) + text[rest:]
}

// target names the VM, or how many there are.
func (c cardOf) target() string { return c.name(bot.Targets(c.op)) }

// each names the VM, or every one of several, where something is said of each.
func (c cardOf) each() string {
	if len(c.op.Targets) > 1 && c.op.Plan.Recovery == nil {
		return "each of the " + bot.VMs(len(c.op.Targets))
	}
	return c.target()
}

// begins names what a sentence begins with: the name of a VM stays as it is.
func (c cardOf) begins() string {
	if len(c.op.Targets) > 1 {
		return upper(c.each())
	}
	return c.target()
}

// state is the phase in the words of the title.
func (c cardOf) state() string {
	if c.op.Phase == failover.Running && !c.op.Several() && !c.since().IsZero() {
		return "outcome not known"
	}
	if c.op.Several() {
		return c.fleetState()
	}
	return stateOf(c.op)
}

// stateOf is where an operation stands, in the words of its verb.
func stateOf(op failover.Operation) string {
	switch {
	case op.Phase == failover.Running && op.OnHold != nil:
		return "on hold"
	case op.Phase == failover.Succeeded:
		return succeededWords(op.Verb)
	case op.Verb == failover.VerbIncident && op.Phase == failover.Running:
		return "declared"
	case op.Verb == failover.VerbFreeze && op.Phase == failover.Running:
		return "new work is stopped"
	case op.Phase == failover.AwaitingCommit && op.Verb == failover.VerbCommit:
		return "waiting for a decision"
	case op.Phase == failover.AwaitingApproval && op.Started():
		return gateWords(op)
	}
	return phaseWords(op.Phase)
}

// gateWords is what the next gate on the way home is about.
func gateWords(op failover.Operation) string {
	gate, _ := op.Pending()
	switch {
	case failedStep(op) != "":
		return "a step failed"
	case isUnplanned(op):
		return "the next step is being prepared"
	case gate.Step == failover.StepCheck:
		return "to be checked"
	case gate.Step.IsReprotect():
		return "ready to reprotect"
	}
	return "ready to fail back"
}

func succeededWords(verb failover.Verb) string {
	switch verb {
	case failover.VerbCommit:
		return "done"
	case failover.VerbTest:
		return "the test VM is up"
	case failover.VerbCleanup:
		return "cleaned up"
	case failover.VerbReprotect:
		return "protected"
	case failover.VerbFailback:
		return "home again"
	case failover.VerbIncident, failover.VerbFreeze:
		return "over"
	case failover.VerbFailover, failover.VerbChange, failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire, failover.VerbPlan, failover.VerbGroup, failover.VerbHold, failover.VerbResume, failover.VerbSkip, failover.VerbRetry, failover.VerbUnfreeze:
	}
	return "committed"
}

// phaseWords is a phase as titles and tables print it.
func phaseWords(p failover.Phase) string {
	switch p {
	case failover.AwaitingApproval:
		return "awaiting approval"
	case failover.AwaitingCommit:
		return "awaiting commit"
	case failover.NeedsAttention:
		return "needs attention"
	case failover.Succeeded:
		return "committed"
	case failover.Expired:
		return "expired"
	case failover.Running, failover.Failed, failover.Denied, failover.Cancelled:
	}
	return clip(inert(string(p)), 40)
}

// since is from when the outcome of a call is not known; zero when all are.
func (c cardOf) since() time.Time {
	for _, t := range c.op.Targets {
		for _, s := range slices.Backward(t.Unanswered(t.Doing)) {
			if !s.Unknown.IsZero() {
				return s.Unknown
			}
		}
	}
	return time.Time{}
}

// expired: the clock passed, though no fact says so yet. Its buttons would only be refused.
func (c cardOf) expired() bool {
	return !c.op.ExpiresAt.IsZero() && !c.now.Before(c.op.ExpiresAt)
}

// to is the region that the operation moves to, and from the one that it leaves, as far as it is one.
func (c cardOf) to() string {
	if !c.oneWay() || c.op.Targets[0].Item.To == "" {
		return "the other region"
	}
	return c.name(c.op.Targets[0].Item.To)
}

// oneWay: what the first target says of the direction holds for all.
func (c cardOf) oneWay() bool {
	return len(c.op.Targets) > 0 && !slices.ContainsFunc(c.op.Targets, func(t failover.Target) bool {
		first := c.op.Targets[0].Item
		return t.Item.From != first.From || t.Item.To != first.To
	})
}

func (c cardOf) from() string {
	if !c.oneWay() || c.op.Targets[0].Item.From == "" {
		return "the other region"
	}
	return c.name(c.op.Targets[0].Item.From)
}

func orNot(text string) string {
	if text == "" {
		return "(not known)"
	}
	return text
}

func sentence(text string) string {
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".?!") || strings.HasSuffix(text, "…") {
		return text
	}
	return text + "."
}
