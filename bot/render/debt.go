package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// debtsShown is how many debts a message lists; a terminal has them all. maxDebts bounds them in characters, as JSON.
const (
	debtsShown = 25
	maxDebts   = 12_000
)

// noDebt is the good news.
const noDebt = "Nothing is owed: no failover waits for its commit, none has left a VM without protection, no drill is open, and no broken glass waits for its review."

// DebtTable lists what is owed, oldest first, for a terminal.
func DebtTable(l failover.DebtList, now time.Time, screen int) string {
	if l.At.IsZero() && len(l.Debts) == 0 { // a review is owed whatever Azure says
		return notRead
	}
	text := noDebt + "\n"
	if len(l.Debts) > 0 {
		rows := [][]string{{"VM", "VAULT", "OWED", "SINCE (UTC)", "AGE", "ASKED BY", "OPERATION", "WHAT TO DO"}}
		for _, d := range l.Debts {
			rows = append(rows, []string{d.Name, d.Vault, bot.Owed(d), clock(d.Since, now), lasted(d.Since, now), ownerName(d), string(d.Op), bot.Settle(d)})
		}
		text = fitted(rows, screen)
	}
	return text + protecting(l) + asOf(l.At, now)
}

func ownerName(d failover.Debt) string {
	switch {
	case d.Owner.Name != "":
		return d.Owner.Name
	case d.Owner.ID != "":
		return d.Owner.ID
	}
	return "outside Ferry"
}

// protecting names the VMs that are on their way.
func protecting(l failover.DebtList) string {
	if len(l.Protecting) == 0 {
		return ""
	}
	return "Being protected, so nothing is owed: " + clip(inert(strings.Join(l.Protecting, ", ")), 400) + ".\n"
}

// Debts lists what is owed, oldest first, with who asked as a mention.
func Debts(l failover.DebtList, now time.Time) Message {
	if l.At.IsZero() && len(l.Debts) == 0 {
		return Ephemeral(notRead)
	}
	// Names from outside may need many characters more as JSON than they have: fewer lines then.
	for shown := min(len(owing(l.Debts)), debtsShown); ; shown /= 2 {
		lines := debtLines(l, shown, now)
		block := richText("debt", lines)
		if size([]slack.Block{block}) <= maxDebts || shown == 0 {
			return Message{Text: Escape(textOf(lines)), Blocks: []slack.Block{block}}
		}
	}
}

func debtLines(l failover.DebtList, shown int, now time.Time) []line {
	lines := []line{words(noDebt)}
	if len(l.Debts) > 0 {
		lines = []line{words("Left open, oldest first:")}
	}
	all := owing(l.Debts)
	for _, o := range all[:shown] {
		lines = append(lines, o.line(now))
	}
	if more := vmsOf(all[shown:]); more > 0 {
		lines = append(lines, words("and %d more: ferry debt in a terminal lists them all.", more))
	}
	for text := range strings.SplitSeq(strings.TrimSpace(protecting(l)+asOf(l.At, now)), "\n") {
		lines = append(lines, words("%s", text))
	}
	return lines
}

// owed is what is owed of one VM, or the same of several VMs of an operation, which one line settles.
type owed struct {
	failover.Debt // of the first of them
	names         []string
}

// owing puts together what one operation has left open of several VMs, where the first of them stands.
func owing(debts []failover.Debt) []owed {
	type cause struct {
		op   failover.OpID
		kind failover.DebtKind
		free bool // no job runs on it
	}
	of := func(d failover.Debt) cause { return cause{d.Op, d.Kind, d.Job == ""} }
	same := map[cause][]string{}
	for _, d := range debts {
		same[of(d)] = append(same[of(d)], d.Name)
	}
	var all []owed
	for _, d := range debts {
		c := of(d)
		names, known := same[c]
		switch several := c.free && c.op != "" && (c.kind == failover.Uncommitted || c.kind == failover.Unprotected); {
		case !several || known && len(names) < 3:
			all = append(all, owed{d, []string{d.Name}})
		case known:
			all = append(all, owed{d, names})
			delete(same, c)
		}
	}
	return all
}

func vmsOf(all []owed) int {
	n := 0
	for _, o := range all {
		n += len(o.names)
	}
	return n
}

func (o owed) line(now time.Time) line {
	d, small := o.Debt, details()[2]
	l := line{plain("• "), bold(orNot(small.name(d.Name))), plain(fmt.Sprintf(" (vault %s) %s", orNot(small.name(d.Vault)), bot.Owed(d)))}
	settle := bot.Settle(d)
	if n := len(o.names); n > 1 {
		settle = "type " + bot.Command + " reprotect " + string(d.Op)
		if d.Kind == failover.Uncommitted {
			settle = fmt.Sprintf("type %[1]s commit %[2]s; once %[2]s is over, %[1]s commit VM for each", bot.Command, d.Op)
		}
		l = line{plain("• "), bold(bot.VMs(n)), plain(" (" + cardOf{detail: small}.few(o.names, 3) + "), each " + bot.Owed(d))}
	}
	if d.Since.IsZero() {
		l = append(l, plain(", since when is not known"))
	} else {
		l = append(l, plain(" since "), moment(d.Since, now), plain(", "+duration(now.Sub(d.Since))))
	}
	if d.Owner == (failover.Actor{}) {
		l = append(l, plain("; done outside Ferry"))
	} else {
		l = append(l, plain("; asked by "), small.person(d.Owner))
	}
	if d.Op != "" {
		l = append(l, plain(" ("+string(d.Op)+")"))
	}
	return append(l, plain(". What to do: "+clip(inert(settle), 200)+"."))
}
