package render

import (
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// Notice is a short new message that must notify, since edits of the card never do.
type Notice struct {
	Key     string // once per operation
	Message Message
	Thread  bool // belongs into the card's thread; else into the channel
	// At is since when it holds, and Late the message for who hears of it long after that.
	At   time.Time
	Late Message
}

// Notices are what should be notified of an operation as it stands. The caller sends each key once per operation, so a key
// changes when the same has to be told again: "approval"; "gate_STEP" for a gate on the way home; "commit"; "commit_asked";
// "change_TIME" for another recovery point that somebody asked for; "STEP_failed_N" when a press has failed for the Nth
// time; "lapsed_N" when what was decided was not begun in time; "reminder_N"; "attention", "failed", "done"; "break_glass" and "review_N" for a broken
// glass, "reviewed" for its review; "expiry_N" before a request expires; "freeze"; "hold_TIME" when Ferry put several VMs on hold,
// "some_failed" when the first of several failed and the others go on. approvers are the ids of the Slack users and user
// groups that may decide now, or should look; they are mentioned where somebody has to, and nobody else is: who asked is named. No notice has more than 300 characters beside its reader's own times.
func Notices(op failover.Operation, approvers []string) []Notice {
	n := noticeOf{op, approvers}
	return slices.Concat(n.glass(), n.freeze(), n.expiring(), n.lapsed(), n.standing(), n.fleet(), n.reminder())
}

// standing are the notices of where an operation stands.
func (n noticeOf) standing() []Notice {
	op := n.op
	switch op.Phase {
	case failover.AwaitingApproval:
		if op.Started() {
			return n.step()
		}
		return []Notice{n.make("approval", n.mentions(), n.approval())}
	case failover.AwaitingCommit:
		return n.commit()
	case failover.NeedsAttention:
		return []Notice{n.make("attention", append(n.mentions(), n.asked()...), fmt.Sprintf("%s needs attention (%s): %s Ferry does nothing more by itself. See its card.", n.target(), op.ID, n.why()))}
	case failover.Failed:
		if done := op.Tallies()[0][failover.SpotDone]; op.Several() && done > 0 {
			return []Notice{n.make("failed", n.asked(), n.fleetOver(done))}
		}
		return []Notice{n.make("failed", n.asked(), fmt.Sprintf("The %s of %s failed (%s): %s See its card.", bot.Noun(op.Verb), n.target(), op.ID, n.why()))}
	case failover.Succeeded:
		return []Notice{n.make("done", n.asked(), n.succeeded())}
	case failover.Denied, failover.Expired, failover.Cancelled:
		ended := n.make("done", n.asked(), fmt.Sprintf("The %s of %s is over: %s (%s). %s", bot.Noun(op.Verb), n.target(), phaseWords(op.Phase), op.ID, sentence(clip(inert(op.Note), 100))))
		ended.Thread = true
		return []Notice{ended}
	case failover.Running:
	}
	return nil
}

// lapsed asks again for what was decided and not begun in time.
func (n noticeOf) lapsed() []Notice {
	if n.op.Lapsed == nil || isUnplanned(n.op) {
		return nil
	}
	text := fmt.Sprintf("The %s of %s was not started (%s): %s. If it is still wanted, press %s again on its card.",
		bot.StepNoun(n.op, n.op.Lapsed.Step), n.target(), n.op.ID, inert(n.op.Lapsed.Why), pressAgain(n.op))
	return []Notice{n.make(fmt.Sprintf("lapsed_%d", n.op.Lapses), n.mentions(), text)}
}

// reminder tells again what waits for long: a gate those who decide it, a drill who asked for it.
func (n noticeOf) reminder() []Notice {
	op, key := n.op, fmt.Sprintf("reminder_%d", n.op.Reminders)
	gate, waits := op.Pending()
	switch {
	case op.Reminders == 0:
	case waits && !op.RemindedAt.Before(op.WaitsSince):
		text := fmt.Sprintf("Reminder: %s waits for the %s since %s (%s). Press %s on its card.",
			n.target(), bot.StepNoun(op, gate.Step), bot.Stamp(op.WaitsSince), op.ID, bot.Press(op, gate.Step))
		return []Notice{n.make(key, n.mentions(), text)}
	case op.Verb == failover.VerbTest && op.Phase.Final():
		text := fmt.Sprintf("Reminder: the test VM of %s is still there, since %s (%s). When it is not needed any more, type %s cleanup %s.",
			n.target(), bot.Stamp(op.FinishedAt), op.ID, bot.Command, n.target())
		return []Notice{n.make(key, n.asker(), text)}
	}
	return nil
}

type noticeOf struct {
	op        failover.Operation
	approvers []string
}

// The bounds of a notice, in characters.
const (
	maxNotice   = 300
	maxMentions = 6
)

func (n noticeOf) make(key string, who line, text string) Notice {
	return n.of(n.since(), key, who, text)
}

// of makes a notice of what holds since a time.
func (n noticeOf) of(at time.Time, key string, who line, text string) Notice {
	room := maxNotice - len([]rune(mrkdwn(who)))
	told := "This is of " + bot.Stamp(at) + ". "
	message := func(text string) Message {
		l := append(slices.Clone(who), plain(clip(text, room)))
		d := draft{id: n.op.ID, seq: n.op.Seq}
		return Message{Text: mrkdwn(l), Blocks: []slack.Block{richText(d.blockID(key), []line{l})}}
	}
	return Notice{Key: key, Message: message(text), At: at, Late: message(told + text)}
}

// since is when the operation came to where it stands.
func (n noticeOf) since() time.Time {
	switch {
	case n.op.Phase.Final() && n.op.RemindedAt.Before(n.op.FinishedAt):
		return n.op.FinishedAt
	case !n.op.WaitsSince.IsZero() && n.op.RemindedAt.Before(n.op.WaitsSince) && n.op.Change == nil && len(n.op.CommitAskedBy) == 0:
		return n.op.WaitsSince
	}
	return n.op.At
}

// mentions are the people who may decide, as many as stay readable.
func (n noticeOf) mentions() line {
	var l line
	for _, id := range n.approvers {
		kind := spanPerson
		if isGroupID(id) {
			kind = spanGroup
		}
		if (kind == spanGroup || isUserID(id)) && len(l) < 2*maxMentions {
			l = append(l, span{kind: kind, id: id, text: id}, plain(" "))
		}
	}
	return l
}

// asker mentions who asked, where that is somebody in Slack: only where they alone can do what is left.
func (n noticeOf) asker() line {
	if !isUserID(n.op.RequestedBy.ID) {
		return nil
	}
	return line{{kind: spanPerson, id: n.op.RequestedBy.ID, text: n.op.RequestedBy.ID}, plain(" ")}
}

// asked names who asked, where that is somebody in Slack, and calls nobody.
func (n noticeOf) asked() line {
	if !isUserID(n.op.RequestedBy.ID) {
		return nil
	}
	return words("%s: ", n.by(n.op.RequestedBy))
}

func (n noticeOf) target() string { return clip(inert(bot.Targets(n.op)), 50) }

func (n noticeOf) by(a failover.Actor) string {
	if a.Name != "" {
		return clip(inert(a.Name), 30)
	}
	return clip(inert(a.ID), 30)
}

func (n noticeOf) approval() string {
	until := ""
	if !n.op.ExpiresAt.IsZero() {
		until = " until " + bot.Stamp(n.op.ExpiresAt)
	}
	return fmt.Sprintf("Approval needed%s: %s asks for the %s (%s). Approve or deny it on its card.", until, n.by(n.op.RequestedBy), clip(inert(bot.What(n.op)), 110), n.op.ID)
}

// commit asks for the press; what was typed or failed since is told once more.
func (n noticeOf) commit() []Notice {
	op := n.op
	how := "has been failed over"
	switch {
	case op.Verb == failover.VerbCommit:
		how = "was failed over outside Ferry"
	case op.Verb == failover.VerbFailback:
		how = "has been checked after the failover back"
	case len(op.Targets) == 1 && op.Targets[0].Item.To != "":
		how += " to " + clip(inert(op.Targets[0].Item.To), 30)
	}
	check := n.check() + ", then press Commit on its card."
	if op.Verb == failover.VerbFailback { // a person has just done so
		check = "Press Commit on its card."
	}
	if op.Several() && op.Verb == failover.VerbFailover {
		return append([]Notice{n.make(n.commitKey(), n.mentions(), n.fleetUp())}, n.asksFor()...)
	}
	text := fmt.Sprintf("%s %s and waits for the commit (%s). %s%s", clip(cardOf{op: op, detail: details()[0]}.begins(), 50), how, op.ID, n.pointUsed(), check)
	all := []Notice{n.make(n.commitKey(), n.mentions(), text)}
	return append(all, n.asksFor()...)
}

// asksFor tells of what was typed since the gate was reached, and of what failed.
func (n noticeOf) asksFor() []Notice {
	op := n.op
	var all []Notice
	if by := op.CommitAskedBy; len(by) > 0 {
		key := "commit_asked"
		if again := spent(op, failover.StepCommit); again > 0 {
			key += fmt.Sprintf("_%d", again)
		}
		all = append(all, n.make(key, n.mentions(), fmt.Sprintf("%s asks for the commit of %s (%s). Press %s on its card.", n.by(by[len(by)-1]), n.target(), op.ID, cardOf{op: op}.commitLabel())))
	}
	if ch := op.Change; ch != nil {
		key := "change_" + ch.At.UTC().Format("20060102T150405")
		all = append(all, n.make(key, n.mentions(), fmt.Sprintf("%s asks for another recovery point for %s (%s): %s. Press Change point on its card.", n.by(ch.By), n.target(), op.ID, bot.Stamp(ch.Point.Time))))
	}
	return append(all, n.failed()...)
}

// commitKey is another one after each change of the point: what there is to check is another VM.
func (n noticeOf) commitKey() string {
	for i := range n.op.Targets {
		if s := n.op.Targets[i].Step(failover.StepChange); s != nil && s.State == failover.StateDone {
			return "commit_" + s.EndedAt.UTC().Format("20060102T150405")
		}
	}
	return "commit"
}

// check is what to do before the commit, in the light of what the VM said when it was asked.
func (n noticeOf) check() string {
	if warning := (cardOf{op: n.op}).checkWarning(); warning != "" {
		return warning + " Look at the VM"
	}
	return "Check it"
}

// step asks for the press of the next gate on the way home, and tells once more when the step failed.
func (n noticeOf) step() []Notice {
	gate, _ := n.op.Pending()
	if isUnplanned(n.op) {
		return n.failed()
	}
	text := fmt.Sprintf("%s is ready for the %s (%s). Press %s on its card; there is no hurry.", n.target(), bot.StepNoun(n.op, gate.Step), n.op.ID, bot.Press(n.op, gate.Step))
	if gate.Step == failover.StepCheck {
		text = fmt.Sprintf("%s has been failed back (%s). %s. If it works, press It works on its card.", n.target(), n.op.ID, n.check())
	}
	return append([]Notice{n.make("gate_"+string(gate.Step), n.mentions(), text)}, n.failed()...)
}

// failed tells that what was pressed last has failed.
func (n noticeOf) failed() []Notice {
	step := failedStep(n.op)
	if step == "" {
		return nil
	}
	next := "It can be pressed again."
	if step == failover.StepChange {
		next = "Check the data before anybody commits."
	}
	key := fmt.Sprintf("%s_failed_%d", step, spent(n.op, step))
	return []Notice{n.make(key, n.mentions(), fmt.Sprintf("The %s of %s failed (%s): %s %s", bot.StepNoun(n.op, step), n.target(), n.op.ID, n.why(), next))}
}

// spent counts the decisions that have let a step begin. Older facts do not name it.
func spent(op failover.Operation, step failover.StepKind) int {
	n := 0
	for _, d := range op.Decisions {
		if d.Spent && (d.Step == step || d.Step == "" && d.Gate == failover.Class(step)) {
			n++
		}
	}
	return n
}

func (n noticeOf) pointUsed() string {
	if len(n.op.Targets) != 1 || n.op.Targets[0].PointUsed.IsZero() {
		return ""
	}
	text := "Recovery point used: " + fullStamp(n.op.Targets[0].PointUsed)
	if rpo, ok := n.op.RPO(); ok {
		text += ", " + duration(rpo) + " before the failover"
	}
	return text + ". "
}

// why is the first error, short.
func (n noticeOf) why() string {
	for _, t := range n.op.Targets {
		if t.Error != nil {
			return sentence(clip(inert(t.Error.Message), 110))
		}
	}
	return sentence(clip(inert(n.op.Note), 110))
}

func (n noticeOf) succeeded() string {
	id := string(n.op.ID)
	switch n.op.Verb {
	case failover.VerbTest:
		return fmt.Sprintf("The test VM of %s is up (%s). Look at it, then press Clean up on its card.", n.target(), id)
	case failover.VerbCleanup:
		return fmt.Sprintf("Nothing of the test failover of %s is left (%s).", n.target(), id)
	case failover.VerbReprotect:
		return fmt.Sprintf("%s is protected again (%s) and can be failed over.", cardOf{op: n.op, detail: details()[0]}.begins(), id)
	case failover.VerbFailback:
		return fmt.Sprintf("%s is home again and protected as before (%s).%s", n.target(), id, n.left())
	case failover.VerbIncident:
		return fmt.Sprintf("The incident is over (%s).", id)
	case failover.VerbFreeze:
		return fmt.Sprintf("The freeze of %s is over (%s). New work may start again.", n.target(), id)
	case failover.VerbFailover, failover.VerbCommit, failover.VerbChange, failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire, failover.VerbPlan, failover.VerbGroup, failover.VerbHold, failover.VerbResume, failover.VerbSkip, failover.VerbRetry, failover.VerbUnfreeze:
	}
	c := cardOf{op: n.op, detail: details()[0]}
	if done := n.op.Tallies()[0][failover.SpotDone]; n.op.Several() && done < len(n.op.Targets) {
		return n.fleetOver(done)
	}
	text := fmt.Sprintf("The failover of %s is final (%s).", n.target(), n.op.ID)
	if m := c.measures(); m != "" {
		text += " " + m
	}
	if len(n.op.Targets) > 1 {
		return text + " They are not protected until they are reprotected."
	}
	return text + " It is not protected until it is reprotected."
}

// left says that somebody has to look at what a failback left behind.
func (n noticeOf) left() string {
	for _, t := range n.op.Targets {
		if len(t.Leftovers) > 0 || t.LeftoversNote != "" {
			return " What is left behind and costs money stands on its card."
		}
	}
	return ""
}
