package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// Status answers what was asked for with a reference: one operation whole, or with "" a table of all that are open; and the
// jobs outside Ferry that are in the way. A table fits a screen so many characters wide; 0 is any width.
func Status(found failover.Found, ref string, now time.Time, screen int) string {
	return StatusOn(found, ref, now, screen, 0)
}

// StatusOn is [Status] on a screen so many lines high, which the VMs of a large operation do not all fit on; 0 is any.
func StatusOn(found failover.Found, ref string, now time.Time, screen, height int) string {
	var foreign strings.Builder
	for _, i := range found.Foreign {
		fmt.Fprintf(&foreign, "Outside Ferry: a job (%s) runs on %s, vault %s. Ferry starts nothing on it until the job has ended.\n", bot.Scenario(inert(i.Scenario)), inert(i.Name), inert(i.Vault))
	}
	stopped := frozen(found.Freezes)
	if ref != "" && len(found.Operations) == 0 && found.Idle != nil {
		return stopped + idle(*found.Idle, foreign.Len()+len(stopped) > 0) + foreign.String()
	}
	if ref != "" && len(found.Operations) == 0 && foreign.Len()+len(stopped) > 0 {
		return stopped + fmt.Sprintf("Ferry has no operation under %q.\n", inert(ref)) + foreign.String()
	}
	if ref != "" && len(found.Operations) == 0 {
		return stopped + bot.RefusalText(found.NoOperation(ref)) + "\n" + foreign.String()
	}
	return stopped + status(found.Operations, ref, now, screen, height) + foreign.String()
}

func status(ops []failover.Operation, ref string, now time.Time, screen, height int) string {
	switch {
	case ref == "":
		return frozen(failover.Freezes(ops)) + StatusTable(ops, now, screen)
	case !ops[0].Exists(): // an id under which commands were refused and nothing else
		return fmt.Sprintf("Nothing was started under %s: what was asked was refused.\n", ops[0].ID)
	}
	return StatusText(ops[0], now, screen, height)
}

// idle says how a VM is that nothing is open on and, unless something else says what is in the way, what could be typed.
func idle(i failover.Item, inTheWay bool) string {
	text := "Nothing is open on " + inert(i.Name) + " (vault " + orNot(inert(i.Vault)) + "): " + stateWords(i) + ", runs in " + orNot(inert(i.Active))
	if i.RPO >= 0 {
		text += ", data " + duration(i.RPO) + " old"
	}
	if i.Health != "" {
		text += ", health " + inert(i.Health)
	}
	if !inTheWay {
		text += ". " + bot.Next(i)
	}
	return sentence(text) + "\n"
}

// StatusTable lists operations, what needs a person first.
func StatusTable(ops []failover.Operation, now time.Time, screen int) string {
	if len(ops) == 0 {
		return "No operation is open. To see the VMs, type " + bot.Command + " list.\n"
	}
	ops = slices.Clone(ops)
	slices.SortFunc(ops, func(a, b failover.Operation) int {
		return cmp.Or(urgency(a.Phase)-urgency(b.Phase), a.RequestedAt.Compare(b.RequestedAt), strings.Compare(string(a.ID), string(b.ID)))
	})
	rows := [][]string{{"OPERATION", "VERB", "TARGET", "STATE", "WAITS FOR", "ASKED BY", "AGE", "REASON"}}
	for _, op := range ops {
		by := op.RequestedBy.Name
		if by == "" {
			by = op.RequestedBy.ID
		}
		rows = append(rows, []string{
			string(op.ID), string(op.Verb), bot.Targets(op), stateOf(op), bot.WaitsFor(op), by,
			duration(now.Sub(op.RequestedAt)), op.Reason,
		})
	}
	return fitted(rows, screen)
}

// notRead is the answer before the first reading of Azure.
const notRead = "Azure has not been read yet. Ask again in a minute; if it stays so, look at the executor's log.\n"

// ListTable lists every replicated VM of the inventory, by vault and name, and how old the reading is.
func ListTable(inv failover.Inventory, now time.Time, screen int) string {
	if inv.At.IsZero() {
		return frozen(inv.Freezes) + notRead
	}
	if len(inv.Items) == 0 {
		return frozen(inv.Freezes) + "No VM is replicated in the configured vaults. Check azure.vaults in ferry.yaml.\n" + asOf(inv.At, now)
	}
	items := slices.Clone(inv.Items)
	slices.SortFunc(items, func(a, b failover.Item) int {
		return cmp.Or(strings.Compare(a.Vault, b.Vault), strings.Compare(a.Name, b.Name), strings.Compare(a.Key, b.Key))
	})
	rows := [][]string{{"VM", "VAULT", "STATE", "RUNS IN", "DATA AGE", "HEALTH", "OPERATION"}}
	for _, i := range items {
		age := "-"
		if i.RPO >= 0 {
			age = duration(i.RPO)
		}
		holder := holding(inv, inv.Holders[i.Key], now)
		if slices.Contains(inv.Foreign, i.Key) {
			holder = strings.TrimSpace(holder + " outside Ferry: " + bot.Scenario(i.Scenario))
		}
		rows = append(rows, []string{i.Name, i.Vault, stateWords(i), i.Active, age, i.Health, holder})
	}
	return frozen(inv.Freezes) + groups(inv.Groups, screen) + fitted(rows, screen) + asOf(inv.At, now)
}

// groups says which groups one command may fail over, in front of a list that may be cut.
func groups(lines []failover.GroupLine, screen int) string {
	var names []string
	for _, g := range lines {
		names = append(names, inert(g.Name)+" ("+g.Words()+")")
	}
	if names == nil {
		return ""
	}
	text := "Groups: " + strings.Join(names, ", ") + ". To fail one over, type " + bot.Command + " group NAME."
	if screen > 0 {
		text = strings.Join(wrap(text, screen), "\n")
	}
	return text + "\n"
}

// Frozen says what is frozen by some operations, with an empty line after it; empty when nothing is.
func Frozen(ops []failover.Operation) string {
	if text := frozen(failover.Freezes(ops)); text != "" {
		return text + "\n"
	}
	return ""
}

// holding is an operation that holds a VM: who asked, since when, and why.
func holding(inv failover.Inventory, op failover.OpID, now time.Time) string {
	h, known := inv.Open[op]
	if !known {
		return string(op)
	}
	return bot.Held(op, h, duration(now.Sub(h.Since)))
}

// frozen says who has frozen what, a line each.
func frozen(freezes []failover.Freeze) string {
	var out strings.Builder
	for _, f := range freezes {
		fmt.Fprintf(&out, "Frozen: %s. To end it, type %s.\n", clip(inert(f.Words()), 300), inert(f.Ends()))
	}
	return out.String()
}

// oldReading is when a reading is older than it is while Azure answers and an executor runs.
const oldReading = 3 * time.Minute

// asOf says how old what is shown is.
func asOf(at, now time.Time) string {
	if at.IsZero() {
		return notRead
	}
	text := "As of " + at.UTC().Format("15:04:05 UTC") + ", " + duration(now.Sub(at)) + " ago."
	if now.Sub(at) > oldReading {
		text += " Nothing newer could be read; if it stays so, look at the executor's log."
	}
	return text + "\n"
}

// stateWords is the protection state; the two that come with a failover have long names in Azure.
func stateWords(i failover.Item) string {
	switch i.State {
	case failover.StateCommitPending:
		return "waits for commit"
	case failover.StateCommitted:
		return "committed, not protected"
	}
	return i.State
}
