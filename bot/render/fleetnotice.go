package render

import (
	"fmt"

	"ferry/bot"
	"ferry/failover"
)

// fleet are the notices of an operation on several VMs while it runs: one when Ferry stops by itself, and one, in the thread, when
// the first VM fails. None is about a VM of its own.
func (n noticeOf) fleet() []Notice {
	if !n.op.Several() || n.op.Phase != failover.Running {
		return nil
	}
	failed := n.fleetFailed()
	if h := n.op.OnHold; h != nil {
		if h.By.ID != "" { // who did it knows
			return nil
		}
		text := fmt.Sprintf("The %s of %s is on hold (%s): %s%s What runs goes on. Press Resume or Retry failed on its card.",
			bot.Noun(n.op.Verb), n.target(), n.op.ID, sentence(clip(inert(h.Why), 90)), failed)
		return []Notice{n.of(h.At, "hold_"+h.At.UTC().Format("20060102T150405"), n.mentions(), text)}
	}
	if failed == "" {
		return nil
	}
	some := n.make("some_failed", nil, fmt.Sprintf("At least one VM of the %s of %s has failed (%s), and the others go on. Its card says how many, and why.", bot.Noun(n.op.Verb), n.target(), n.op.ID))
	some.Thread = true
	return []Notice{some}
}

// fleetFailed counts what failed, as a sentence with a blank before it; empty when nothing has.
func (n noticeOf) fleetFailed() string {
	tally := n.op.Tallies()[0]
	if failed := tally[failover.SpotFailed] + tally[failover.SpotAttention]; failed > 0 {
		return fmt.Sprintf(" %s of %s failed.", bot.Number(failed), bot.Number(tally.All()))
	}
	return ""
}

// fleetUp asks for the commit of those that are up.
func (n noticeOf) fleetUp() string {
	up := n.op.Tallies()[0][failover.SpotUp]
	are, them := "are up and wait", "them"
	if up == 1 {
		are, them = "is up and waits", "it"
	}
	return fmt.Sprintf("%s of %s %s for the commit (%s).%s Check %s, then press Commit all on the card.", bot.Number(up), n.target(), are, n.op.ID, n.fleetFailed(), them)
}

// fleetOver is the end of which not all is well.
func (n noticeOf) fleetOver(done int) string {
	failed, on := n.fleetFailed(), " What failed, and what to do about it, stands on its card."
	if failed == "" { // left out by somebody
		on = " Its card names those that were skipped."
	}
	return fmt.Sprintf("The %s of %s is over (%s): %s %s.%s%s", bot.Noun(n.op.Verb), n.target(), n.op.ID, bot.Number(done), succeededWords(n.op.Verb), failed, on)
}
