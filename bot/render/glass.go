package render

import (
	"fmt"
	"strings"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// glass says for good that something began with fewer approvals than its rule wants, and what came of the review.
func (c cardOf) glass() []line {
	broken := c.op.Plan.BrokenGlass
	if broken == nil {
		return nil
	}
	l := line{bold("! Broken glass: "), c.person(broken.By), plain(" asked for it with --break-glass, and " + bot.Skipped(c.op) + ".")}
	return append([]line{l}, c.reviewed()...)
}

func (c cardOf) reviewed() []line {
	g := c.op.Glass
	switch {
	case c.op.Unreviewed():
		return []line{words("Its review waits for somebody else with the role %s: press Sign off or Object, or type %s approve %s, also when it is over.",
			c.say(strings.Join(c.op.Plan.BrokenGlass.Reviewers, " or ")), bot.Command, c.op.ID)}
	case g.By.ID == "":
		return nil
	}
	label := "Objected to by"
	if g.Approve {
		label = "Signed off by"
	}
	l := labelled(label, c.person(g.By), plain(" at "), moment(g.At, c.now))
	if g.Reason != "" {
		l = append(l, plain(": "+c.say(g.Reason)))
	}
	return []line{l}
}

// frozen says which freezes keep the gate from opening that the operation waits at.
func (c cardOf) frozen() []line {
	var lines []line
	for _, f := range c.op.Frozen[:min(len(c.op.Frozen), 3)] {
		lines = append(lines, line{
			bold("! Frozen: "), c.person(f.By), plain(" has frozen new work on " + c.name(f.Over()) + " since "), moment(f.Since, c.now),
			plain(fmt.Sprintf(" (%s): %s. Nobody can let this begin before it ends; to end it, type %s.", f.Op, c.say(f.Reason), c.name(f.Ends()))),
		})
	}
	return lines
}

// freezing is a freeze itself.
func (c cardOf) freezing() []line {
	f := failover.Freeze{Pattern: c.op.Plan.Frozen}
	return []line{
		words("New work on %s is stopped. Running steps go on; what is half-way can be committed, cleaned up or cancelled. Break-glass does not pass it.", c.name(f.Over())),
		words("To end it, type %s.", c.name(f.Ends())),
	}
}

// alike points out the VMs that are easily taken for a target.
func (c cardOf) alike(t failover.Target) []line {
	text := bot.Alike(t)
	if _, waits := c.op.Pending(); !waits || text == "" { // for who decides
		return nil
	}
	return []line{{bold("! Names look alike: "), plain(c.say(text))}}
}

// bound is what else an approver has to know before the decision: what is lost, and what stays so.
func (c cardOf) bound() []line {
	gate, waits := c.op.Pending()
	if !waits || c.op.Phase != failover.AwaitingApproval || isUnplanned(c.op) {
		return nil
	}
	var lines []line
	if text := c.loss(gate.Step); text != "" {
		lines = append(lines, labelled("Expected data loss", plain(text)))
	}
	if text := c.undone(gate.Step); text != "" {
		lines = append(lines, labelled("Cannot be undone", plain(text)))
	}
	return lines
}

// takes is how long the step takes that an approval lets begin.
func (c cardOf) takes() []line {
	e := c.op.Expected
	if e.Seconds <= 0 || c.op.Started() || c.op.Several() { // of several it stands further up
		return nil
	}
	from := "a default, from runs in Microsoft's documentation; Ferry has not done it yet"
	switch {
	case e.Shared:
		from = fmt.Sprintf("the median of %d earlier ones of other VMs; Ferry has not done it yet", e.Of)
	case e.Of > 0:
		from = fmt.Sprintf("the median of its last %d", e.Of)
	}
	return []line{labelled("Takes about", plain(duration(e.Took())+" ("+from+")"))}
}

// loss is what data a failover of one VM costs, as far as it can be said before.
func (c cardOf) loss(step failover.StepKind) string {
	if step != failover.StepFailover || len(c.op.Targets) != 1 || c.op.Targets[0].Shown == nil {
		return ""
	}
	t := c.op.Targets[0]
	at := c.op.RequestedAt
	if c.op.Started() {
		at = c.now
	}
	age := duration(at.Sub(t.Shown.Time))
	switch kind := c.op.Plan.Point.Kind; {
	case kind != failover.Latest && kind != "":
		return "all that was written since the recovery point, " + age + " when asked and growing"
	case t.Item.RPO >= 0:
		return "what has not arrived in " + c.to() + ": " + duration(t.Item.RPO) + " of data, as Azure reports it"
	}
	return "at most " + age + " of data; Azure does not report what has arrived"
}

// undone is what cannot be taken back once a step has begun.
func (c cardOf) undone(step failover.StepKind) string {
	switch step {
	case failover.StepFailover:
		return "a failover that runs cannot be stopped; data that it loses stays lost"
	case failover.StepChange:
		return "what was written since the failover is lost"
	case failover.StepCleanup:
		return "the test VM with its disks is deleted"
	case failover.StepReprotect, failover.StepReprotectAgain:
		return "the old disks in " + c.from() + " are overwritten"
	case failover.StepTest:
		return "nothing: the VM and its replication are not touched"
	case failover.StepCommit, failover.StepCheck, failover.StepProbe, failover.StepSurvey, failover.StepResize:
	}
	return ""
}

// until says when a request expires: for everybody, by the reader's own clock, and how long that is.
func (c cardOf) until() line {
	at := c.op.ExpiresAt
	if at.IsZero() {
		return nil
	}
	return line{
		plain(" until " + at.UTC().Format("15:04:05 UTC") + " ("), left(at, c.now), plain(")"),
	}
}

// left is a time by the reader's own clock and how long it is until then, which Slack counts by itself.
func left(at, now time.Time) span {
	return span{kind: spanLeft, at: at, text: "in " + duration(at.Sub(now))}
}

// digest names what an approval is bound to, short: the same stands in the record and in the terminal's status.
func (c cardOf) digest() string {
	if c.op.Plan.Digest == "" || c.op.Verb.Declares() {
		return ""
	}
	return " · plan " + c.op.Plan.ShortDigest()
}
