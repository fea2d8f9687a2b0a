package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// unreadyShown is how many VMs a message tells of, and concernsShown how many concerns of each; a terminal has them all.
// maxReadiness bounds them in characters, as JSON.
const (
	unreadyShown  = 25
	concernsShown = 3
	maxReadiness  = 12_000
)

// noVM is said where nothing is replicated.
const noVM = "No VM is replicated in the configured vaults. Check azure.vaults in ferry.yaml."

// readinessHead counts.
func readinessHead(l failover.ReadinessList) string {
	not, warned, ready := l.Count(failover.NotReady), l.Count(failover.ReadyWithWarning), l.Count(failover.Ready)
	return fmt.Sprintf("Not ready to fail over: %d of %d. With a warning: %d. Ready: %d.", not, len(l.Items), warned, ready)
}

// readinessFoot says what the judgement rests on, a line each.
func readinessFoot(l failover.ReadinessList, now time.Time) []string {
	var text []string
	if !l.Incident.IsZero() {
		text = append(text, "An incident since "+bot.Stamp(l.Incident)+" is declared: recovery points from after it need --force.")
	}
	return append(text, "Not looked at: "+strings.Join(failover.NotLookedAt(), ", ")+".", strings.TrimSpace(asOf(l.At, now)))
}

// readinessWord is a readiness as it stands in a table.
func readinessWord(r failover.Readiness) string {
	switch r {
	case failover.NotReady:
		return "not ready"
	case failover.ReadyWithWarning:
		return "warning"
	case failover.Ready:
	}
	return "ready"
}

// ReadinessTable says of every replicated VM whether it would fail over now, worst first, for a terminal: a row for each reason.
func ReadinessTable(l failover.ReadinessList, now time.Time, screen int) string {
	switch {
	case l.At.IsZero():
		return notRead
	case len(l.Items) == 0:
		return noVM + "\n" + asOf(l.At, now)
	}
	rows := [][]string{{"VM", "VAULT", "READINESS", "DATA AGE", "LAST DRILL (UTC)", "WHY, AND WHAT TO DO"}}
	for _, i := range l.Items {
		age := ""
		if i.DataAge >= 0 {
			age = duration(time.Duration(i.DataAge) * time.Second)
		}
		row := func(why string) []string {
			return []string{i.Name, i.Vault, readinessWord(i.Readiness), age, clock(i.LastTest, now), why}
		}
		for _, c := range i.Concerns {
			rows = append(rows, row(c.Why+" "+c.Next))
		}
		if len(i.Concerns) == 0 {
			rows = append(rows, row(""))
		}
	}
	return readinessHead(l) + "\n" + fitted(rows, screen) + strings.Join(readinessFoot(l, now), "\n") + "\n"
}

// Readiness says what would not fail over now, and why, worst first.
func Readiness(l failover.ReadinessList, now time.Time) Message {
	switch {
	case l.At.IsZero():
		return Ephemeral(notRead)
	case len(l.Items) == 0:
		return Ephemeral(noVM + "\n" + asOf(l.At, now))
	}
	unready := l.Count(failover.NotReady) + l.Count(failover.ReadyWithWarning)
	// Names and Azure's messages may need many characters more as JSON than they have: fewer lines then.
	for shown := min(unready, unreadyShown); ; shown /= 2 {
		lines := []line{{bold(readinessHead(l))}}
		lines = append(lines, unreadyLines(l, shown)...)
		if more := unready - shown; more > 0 {
			lines = append(lines, words("and %d more: ferry readiness in a terminal lists them all.", more))
		}
		for _, text := range readinessFoot(l, now) {
			lines = append(lines, words("%s", text))
		}
		block := richText("readiness", lines)
		if size([]slack.Block{block}) <= maxReadiness || shown == 0 {
			return Message{Text: Escape(clipLines(textOf(lines), maxFallback)), Blocks: []slack.Block{block}}
		}
	}
}

// unreadyLines tells of the worst VMs, a line each.
func unreadyLines(l failover.ReadinessList, shown int) []line {
	small := details()[1]
	var lines []line
	for _, i := range l.Items[:shown] {
		one := line{plain("• "), bold(orNot(small.name(i.Name))), plain(fmt.Sprintf(" (vault %s) %s:", orNot(small.name(i.Vault)), readinessWord(i.Readiness)))}
		for _, c := range i.Concerns[:min(len(i.Concerns), concernsShown)] {
			one = append(one, plain(" "+small.say(sentence(c.Why))+" "+small.say(c.Next)))
		}
		if more := len(i.Concerns) - concernsShown; more > 0 {
			one = append(one, plain(fmt.Sprintf(" And %d more.", more)))
		}
		lines = append(lines, one)
	}
	return lines
}
