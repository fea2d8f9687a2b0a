package render

import (
	"fmt"
	"strings"

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
	some := n.make("some_failed", nil, fmt.Sprintf("Of %s the first have failed (%s), and the others go on. Its card says how many, and why.", n.target(), n.op.ID))
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
	return fmt.Sprintf("%s of %s are up and wait for the commit (%s).%s Check them, then press Commit all on the card.", bot.Number(up), n.target(), n.op.ID, n.fleetFailed())
}

// fleetOver is the end of which not all is well.
func (n noticeOf) fleetOver(done int) string {
	return strings.TrimSpace(fmt.Sprintf("The %s of %s is over (%s): %s %s.%s What failed, and what to do about it, stands on its card.",
		bot.Noun(n.op.Verb), n.target(), n.op.ID, bot.Number(done), succeededWords(n.op.Verb), n.fleetFailed()))
}
