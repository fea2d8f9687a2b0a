package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// lead says where the operation stands, who is waited for and what happens next.
func (c cardOf) lead() []line {
	if c.op.Newer {
		return []line{words("A newer version of Ferry goes on with it: what stands here is how it was before. Upgrade the bots and executors that still run the older version.")}
	}
	if c.op.Several() {
		return c.fleetLead()
	}
	switch c.op.Phase {
	case failover.AwaitingApproval:
		if c.op.Started() {
			return c.awaitingStep()
		}
		return c.awaitingApproval()
	case failover.Running:
		return c.running()
	case failover.AwaitingCommit:
		return c.awaitingCommit()
	case failover.NeedsAttention:
		return []line{words("Waits for a person to look at it. Ferry does nothing more by itself.")}
	case failover.Succeeded:
		return c.succeeded()
	case failover.Failed, failover.Denied, failover.Expired, failover.Cancelled:
	}
	return c.over()
}

func (c cardOf) awaitingApproval() []line {
	if c.expired() {
		return []line{words("The time to decide has passed. Nothing was started; ask again if it is still wanted.")}
	}
	l := words("Waits for approval by %s", c.say(bot.WaitsFor(c.op)))
	l = append(l, c.until()...)
	return append(c.lapsed(), append(l, plain(".")), words("When approved: %s", c.onApproval()))
}

// onApproval says what an approval sets going.
func (c cardOf) onApproval() string {
	vm, from, to := c.target(), c.from(), c.to()
	switch c.op.Verb {
	case failover.VerbTest:
		return fmt.Sprintf("a copy of %s starts in %s, in an isolated network. %s itself and its replication go on.", vm, to, vm)
	case failover.VerbCleanup:
		return fmt.Sprintf("Azure deletes the test VM of %s with its disks and network interfaces. %s itself is not touched.", vm, vm)
	case failover.VerbChange:
		return fmt.Sprintf("%s is started again in %s with the other data. What was written to it since the failover is lost.", vm, to)
	case failover.VerbReprotect:
		return fmt.Sprintf("%s goes on running in %s and is replicated to %s. What is left of it there is overwritten.", c.each(), to, from)
	case failover.VerbFailback:
		if c.first() == failover.StepReprotect {
			return fmt.Sprintf("the reprotect of %s starts, and nothing else. Each later step waits for its own button.", vm)
		}
		return fmt.Sprintf("%s is failed back to %s, and is down meanwhile. Each later step waits for its own button.", c.each(), to)
	case failover.VerbFailover, failover.VerbCommit, failover.VerbIncident, failover.VerbFreeze,
		failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire, failover.VerbPlan, failover.VerbGroup, failover.VerbHold, failover.VerbResume, failover.VerbSkip, failover.VerbRetry, failover.VerbUnfreeze:
	}
	if !c.op.Plan.Shutdown {
		return fmt.Sprintf("%s is started in %s without being shut down in %s first, so both may run.", c.each(), to, from)
	}
	return fmt.Sprintf("%s is shut down in %s and started in %s.", c.each(), from, to)
}

func (c cardOf) running() []line {
	if since := c.since(); !since.IsZero() {
		return append([]line{
			{plain("It is not known since "), moment(since, c.now), plain(" whether Azure took the call. Do not ask again.")},
			words("Waits for Azure; nobody has to act. Ferry looks every few seconds what became of the call before it does anything else."),
		}, c.afterUnknown()...)
	}
	if c.op.Verb == failover.VerbIncident {
		return c.incident()
	}
	if c.op.Verb == failover.VerbFreeze {
		return c.freezing()
	}
	lines := []line{words("%s", c.whatNext())}
	if c.op.OnHold != nil {
		lines = c.held()
	}
	progress := ""
	if i := slices.IndexFunc(c.op.Targets, func(t failover.Target) bool { return t.Lead || len(c.op.Targets) == 1 }); i >= 0 {
		progress = strings.TrimRight(c.say(c.op.Targets[i].Progress), ".")
	}
	switch begun := c.begun(); {
	case begun.IsZero() && progress != "":
		lines = append(lines, words("%s.", upper(progress)))
	case begun.IsZero():
	case progress != "":
		lines = append(lines, line{plain("Started "), moment(begun, c.now), plain(", running for " + duration(c.now.Sub(begun)) + ": " + progress + ".")})
	default:
		lines = append(lines, line{plain("Started "), moment(begun, c.now), plain(", running for " + duration(c.now.Sub(begun)) + ".")})
	}
	if at := c.protectedAt(); !at.IsZero() {
		lines = append(lines, line{plain("Expected to be protected at about "), moment(at, c.now), plain(", an estimate.")})
	}
	return lines
}

// afterUnknown says what Ferry does when Azure shows no trace of a call, when, and what a person may do.
func (c cardOf) afterUnknown() []line {
	for i := range c.op.Targets {
		t := &c.op.Targets[i]
		s := t.Step(t.Doing)
		if s == nil || s.State != failover.StateStarted || s.Unknown.IsZero() {
			continue
		}
		then := " or a little later, Ferry makes the call once more."
		if !t.CallsAgain(t.Doing) {
			then = " or a little later, a person has to look."
		}
		return []line{{
			plain("If Azure still shows nothing of it at "), moment(s.StartedAt.Add(failover.ActAgainAfter), c.now),
			plain(then + " Whoever wants to may look at " + c.name(t.Item.Name) + " in the portal meanwhile."),
		}}
	}
	return nil
}

// begun is when the step that runs was started; on the way home days may lie between the steps.
func (c cardOf) begun() time.Time {
	if c.op.Several() {
		return c.op.OpenedAt
	}
	for i := range c.op.Targets {
		t := &c.op.Targets[i]
		if s := t.Step(t.Doing); t.Phase == failover.Running && s != nil && !s.StartedAt.IsZero() {
			return s.StartedAt
		}
		if t.Phase == failover.Running && len(t.Steps) > 0 {
			return time.Time{}
		}
	}
	return c.op.StartedAt
}

// protectedAt is when a running reprotect may be done; zero when nothing is estimated, or the estimate is past.
func (c cardOf) protectedAt() time.Time {
	for _, t := range c.op.Targets {
		s := t.Step(t.Doing)
		if t.Phase != failover.Running || !t.Doing.IsReprotect() || t.Reversal == nil || s == nil || s.StartedAt.IsZero() {
			continue
		}
		if at := s.StartedAt.Add(t.Reversal.Estimate()); at.After(c.now) {
			return at.Round(time.Minute)
		}
	}
	return time.Time{}
}

// whatNext says what a running operation waits for and what comes after.
func (c cardOf) whatNext() string {
	const azure = "Waits for Azure; nobody has to act. "
	var doing failover.StepKind
	for _, t := range c.op.Targets {
		if t.Phase == failover.Running || doing == "" {
			doing = t.Doing
		}
	}
	switch doing {
	case failover.StepCommit:
		if c.op.Verb == failover.VerbFailback {
			return azure + "When it is done, " + c.target() + " is to be protected again."
		}
		return azure + "When it is done, the failover is final."
	case failover.StepChange:
		return azure + "When " + c.target() + " is up with the other data, it waits for the commit again."
	case failover.StepTest:
		return azure + "The VM itself and its replication go on meanwhile."
	case failover.StepCleanup:
		return azure + "When it is done, nothing of the drill is left."
	case failover.StepReprotect:
		if c.op.Verb == failover.VerbFailback {
			return azure + "This takes hours; when " + c.target() + " is protected, the failover back waits for its button."
		}
		return azure + "This takes hours; it is done when " + c.each() + " is protected."
	case failover.StepReprotectAgain:
		return azure + "This takes hours; when " + c.target() + " is protected as before, it is home."
	case failover.StepProbe, failover.StepCheck:
		return "Asks " + c.target() + " whether it works; nobody has to act."
	case failover.StepSurvey:
		return "Looks at what is left behind; nobody has to act."
	case failover.StepFailover, failover.StepResize:
	}
	if c.op.Verb == failover.VerbFailback {
		return azure + "When " + c.target() + " is up at home, somebody has to check it."
	}
	return azure + "When " + c.target() + " is up, it waits for the commit."
}

// awaitingStep is a gate on the way home.
func (c cardOf) awaitingStep() []line {
	gate, _ := c.op.Pending()
	lines := append(c.lapsed(), c.again()...)
	if isUnplanned(c.op) {
		why := "Ferry reads what the next step would do; nobody has to act yet."
		for _, t := range c.op.Targets {
			if t.Progress != "" {
				why = "The next step cannot be decided yet: " + c.say(t.Progress)
			}
		}
		return append(lines, words("%s", why))
	}
	what := ""
	switch gate.Step {
	case failover.StepFailover:
		what = fmt.Sprintf("%s runs in %s and is replicated to %s, so it can be failed back now. It is down meanwhile.", c.begins(), c.from(), c.to())
	case failover.StepCheck:
		what = fmt.Sprintf("%s has been failed back to %s. %s If it works, press It works; the commit comes after that.", c.begins(), c.to(), c.toCheck())
	case failover.StepReprotectAgain:
		what = fmt.Sprintf("%s runs at home in %s and is not protected. The reprotect replicates it to %s again, as before the failover.", c.begins(), c.to(), c.from())
	case failover.StepReprotect:
		what = fmt.Sprintf("%s runs in %s and is not replicated back yet.", c.begins(), c.to())
	case failover.StepCommit, failover.StepChange, failover.StepTest, failover.StepCleanup, failover.StepProbe, failover.StepSurvey, failover.StepResize:
	}
	if what != "" {
		lines = append(lines, words("%s", what))
	}
	return append(lines, words("Waits for %s to press %s. There is no hurry: it can go on days later. To leave it as it is, type %s cancel %s.",
		c.say(bot.WaitsFor(c.op)), bot.Press(c.op, gate.Step), bot.Command, c.op.ID))
}

// lapsed says why what was decided last was not begun.
func (c cardOf) lapsed() []line {
	if c.op.Lapsed == nil {
		return nil
	}
	return []line{words("Not started: %s. If it is still wanted, press %s again.", c.say(c.op.Lapsed.Why), pressAgain(c.op))}
}

// pressAgain is the button of the gate that was closed again.
func pressAgain(op failover.Operation) string {
	if op.Phase == failover.AwaitingApproval && !op.Started() {
		return "Approve"
	}
	return bot.Press(op, op.Lapsed.Step)
}

// again says that what was pressed last has failed.
func (c cardOf) again() []line {
	step := failedStep(c.op)
	if step == "" {
		return nil
	}
	if step == failover.StepChange {
		return []line{words("The %s failed; what is wrong stands below. Check %s and its data before anybody commits.", bot.StepNoun(c.op, step), c.target())}
	}
	return []line{words("The %s failed; what is wrong stands below. When it is mended, press %s again.", bot.StepNoun(c.op, step), bot.Press(c.op, step))}
}

func (c cardOf) incident() []line {
	return []line{
		{plain("An incident began at "), moment(c.op.Plan.Point.Time, c.now), plain(". Data written after that may be spoilt.")},
		words("Ferry takes recovery points from after that only with --force. To end it, type %s incident over.", bot.Command),
	}
}

func (c cardOf) awaitingCommit() []line {
	how := "has been failed over to " + c.to()
	if c.op.Verb == failover.VerbFailback {
		how = "has been failed back to " + c.to()
	}
	if c.op.Verb == failover.VerbCommit {
		how = "was failed over outside Ferry"
	}
	lines := append(append(c.lapsed(), c.again()...),
		words("%s %s and waits for %s to press Commit.", c.begins(), how, c.say(bot.WaitsFor(c.op))),
		words("%s The commit deletes all its recovery points and cannot be undone. To leave it as it is, type %s cancel %s.",
			c.toCheck(), bot.Command, c.op.ID))
	if ch := c.op.Change; ch != nil {
		lines = append(lines, line{
			c.person(ch.By), plain(" asks for another recovery point: "), moment(ch.Point.Time, c.now), plain(" instead of the one in use. It waits for "),
			plain(c.say(bot.ChangeWaitsFor(c.op)) + " to press Change point."),
		})
	}
	return lines
}

// toCheck says what a person has to make sure of before a commit, and what the automatic check has found.
func (c cardOf) toCheck() string {
	if c.op.Several() {
		return c.toCheckAll()
	}
	for _, t := range c.op.Targets {
		if n := len(t.Checked); n > 0 {
			switch t.Checked[n-1].Outcome {
			case failover.CheckPassed:
				return "Its check passed. Make sure yourself that " + c.target() + " works."
			case failover.CheckFailed:
				return "Its check failed. Find out why before anybody commits."
			case failover.CheckNoData:
				return "Its check got no answer, which is no pass. Look yourself whether " + c.target() + " works."
			}
		}
	}
	return "Check first that " + c.target() + " works."
}

// toCheckAll is that of several VMs: one check that did not pass is not made up for by the others.
func (c cardOf) toCheckAll() string {
	passed, missed := 0, []string(nil)
	for _, t := range c.op.Targets {
		switch n := len(t.Checked); {
		case n == 0 || t.Spot() != failover.SpotUp:
		case t.Checked[n-1].Outcome == failover.CheckPassed:
			passed++
		default:
			missed = append(missed, t.Item.Name)
		}
	}
	switch {
	case len(missed) > 0:
		return "Not every check passed: " + c.few(missed, 3) + ". Find out why before anybody commits."
	case passed > 0:
		return "Each check passed. Make sure yourself that what is up works."
	}
	return "Check first that what is up works."
}

// lastSegment of an ARM id is the name of the resource.
func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }
