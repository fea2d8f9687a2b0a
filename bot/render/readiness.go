package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// reasonsShown is how many reasons a message tells of, and namesShown how many VMs of each; a terminal has them all. maxReadiness
// bounds them in characters, as JSON.
const (
	reasonsShown = 25
	namesShown   = 6
	maxReadiness = 12_000
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

// reason is a concern with the VMs that have it.
type reason struct {
	failover.Concern
	vms []failover.ReadyItem
}

// reasonsOf are the concerns, each once: those that stand in the way first, then those of the most VMs. What is equal but for the
// name of the VM is one, and says VM for it.
func reasonsOf(l failover.ReadinessList) []reason {
	var all []reason
	at := map[failover.Concern]int{}
	for _, i := range l.Items {
		for _, c := range i.Concerns {
			key := c
			if i.Typed != "" {
				key.Why, key.Next = strings.ReplaceAll(c.Why, i.Typed, "VM"), strings.ReplaceAll(c.Next, i.Typed, "VM")
			}
			n, known := at[key]
			if !known {
				n, at[key] = len(all), len(all)
				all = append(all, reason{Concern: c})
			}
			r := &all[n]
			if last := len(r.vms) - 1; last >= 0 && r.vms[last].Name == i.Name && r.vms[last].Vault == i.Vault {
				continue // Azure says it twice
			}
			if r.vms = append(r.vms, i); len(r.vms) > 1 {
				r.Concern = key
			}
		}
	}
	slices.SortStableFunc(all, func(a, b reason) int { return cmp.Or(a.rank()-b.rank(), len(b.vms)-len(a.vms)) })
	return all
}

func (r reason) rank() int {
	if r.Blocks() {
		return 0
	}
	return 1
}

// word is what a VM is for this reason alone.
func (r reason) word() string {
	if r.Blocks() {
		return readinessWord(failover.NotReady)
	}
	return readinessWord(failover.ReadyWithWarning)
}

// names are the VMs that have it, as many as are asked for.
func (r reason) names(n int, d detail) string {
	var names []string
	for _, i := range r.vms[:min(n, len(r.vms))] {
		names = append(names, orNot(d.name(orElse(i.Typed, i.Name))))
	}
	text := strings.Join(names, ", ")
	if more := len(r.vms) - n; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// line is a reason in a message; next is left out where there is no room for it.
func (r reason) line(d detail, next bool) line {
	text := ": " + d.say(sentence(r.Why))
	if next {
		text += " " + d.say(r.Next)
	}
	if len(r.vms) == 1 {
		i := r.vms[0]
		return line{plain("• "), bold(orNot(d.name(i.Name))), plain(fmt.Sprintf(" (vault %s) %s%s", orNot(d.name(i.Vault)), r.word(), text))}
	}
	return line{plain("• "), bold(fmt.Sprintf("%d VMs", len(r.vms))), plain(fmt.Sprintf(" (%s) %s%s", r.names(namesShown, d), r.word(), text))}
}

// ReadinessTable says of every replicated VM whether it would fail over now, worst first, and then why not, for a terminal.
func ReadinessTable(l failover.ReadinessList, now time.Time, screen int) string {
	switch {
	case l.At.IsZero():
		return notRead
	case len(l.Items) == 0:
		return noVM + "\n" + asOf(l.At, now)
	}
	rows := [][]string{{"VM", "VAULT", "READINESS", "DATA AGE", "LAST DRILL (UTC)"}}
	for _, i := range l.Items {
		age := ""
		if i.DataAge >= 0 {
			age = duration(time.Duration(i.DataAge) * time.Second)
		}
		rows = append(rows, []string{i.Name, i.Vault, readinessWord(i.Readiness), age, clock(i.LastTest, now)})
	}
	var out strings.Builder
	out.WriteString(readinessHead(l) + "\n" + fitted(rows, screen))
	for _, r := range reasonsOf(l) {
		d, who := details()[0], ""
		if len(r.vms) > 1 {
			who = fmt.Sprintf("%d VMs: ", len(r.vms))
		}
		text := fmt.Sprintf("%s (%s%s): %s %s", upper(r.word()), who, r.names(len(r.vms), d), d.say(sentence(r.Why)), d.say(r.Next))
		out.WriteString(strings.Join(wrap(text, cmp.Or(screen, math.MaxInt)), "\n") + "\n")
	}
	out.WriteString(strings.Join(readinessFoot(l, now), "\n") + "\n")
	return out.String()
}

// Readiness says what would not fail over now, and why, worst first.
func Readiness(l failover.ReadinessList, now time.Time) Message {
	switch {
	case l.At.IsZero():
		return Ephemeral(notRead)
	case len(l.Items) == 0:
		return Ephemeral(noVM + "\n" + asOf(l.At, now))
	}
	all := reasonsOf(l)
	// Names and Azure's messages may need many characters more as JSON than they have: fewer lines then.
	for shown := min(len(all), reasonsShown); ; shown /= 2 {
		lines := []line{{bold(readinessHead(l))}}
		for _, r := range all[:shown] {
			lines = append(lines, r.line(details()[1], true))
		}
		if more := len(all) - shown; more > 0 {
			lines = append(lines, words("and %d more reasons: ferry readiness in a terminal lists them all.", more))
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
