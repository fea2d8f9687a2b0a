package render

import (
	"cmp"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// maxOptions is how many options Slack takes.
const maxOptions = 100

// found is a VM that a search has found.
type found struct {
	typed  string // what to type for it
	whyNot string // it cannot be taken now; empty when it can
	item   failover.Item
	rank   int // lower is nearer to what was typed
}

// VMOptions are the VMs whose names have what somebody types into the field of a form, at most 100: those that the verb can be
// asked for first. Of the others each says why not. Nothing near is ever chosen by itself.
func VMOptions(inv failover.Inventory, verb failover.Verb, query string) []*slack.OptionBlockObject {
	query = strings.ToLower(inert(query))
	all := named(inv)
	var hits []found
	for _, f := range all {
		if f.rank = rankOf(f, query); f.rank >= 0 {
			hits = append(hits, f)
		}
	}
	if len(hits) == 0 {
		hits = failover.Near(query, all, func(f found) string { return f.item.Name }, 10)
	}
	for i := range hits {
		hits[i].whyNot = whyNot(inv, verb, hits[i].item)
	}
	slices.SortStableFunc(hits, func(a, b found) int {
		return cmp.Or(exactly(a)-exactly(b), barred(a)-barred(b), a.rank-b.rank, strings.Compare(strings.ToLower(a.typed), strings.ToLower(b.typed)))
	})
	options := []*slack.OptionBlockObject{}
	for _, f := range hits[:min(len(hits), maxOptions)] {
		says := "vault " + orNot(inert(f.item.Vault)) + ", " + stateWords(f.item)
		if f.item.RPO >= 0 {
			says += ", data " + duration(f.item.RPO) + " old"
		}
		if f.whyNot != "" {
			says = "not now: " + f.whyNot
		}
		options = append(options, slack.NewOptionBlockObject(f.typed, label(inert(f.typed)), label(inert(says))))
	}
	return options
}

// named are the VMs that can be picked, each as one types it: with the vault where there are twins.
func named(inv failover.Inventory) []found {
	twins := map[string]int{}
	for _, i := range inv.Items {
		twins[strings.ToLower(i.Name)]++
	}
	var all []found
	for _, i := range inv.Items {
		typed := i.Name
		if twins[strings.ToLower(i.Name)] > 1 {
			typed = i.Vault + "/" + i.Name
		}
		if typed == inert(typed) && typed != "" && len(typed) <= maxValue {
			all = append(all, found{typed: typed, item: i})
		}
	}
	return all
}

// rankOf is how near a name is to what was typed: the same, beginning with it, having it; -1 for none of these.
func rankOf(f found, query string) int {
	name := strings.ToLower(f.item.Name)
	switch full := strings.ToLower(f.item.Vault) + "/" + name; {
	case query != "" && (name == query || full == query):
		return 0
	case strings.HasPrefix(name, query), strings.HasPrefix(full, query) && strings.Contains(query, "/"):
		return 1
	case strings.Contains(full, query):
		return 2
	}
	return -1
}

func exactly(f found) int {
	if f.rank == 0 {
		return 0
	}
	return 1
}

func barred(f found) int {
	if f.whyNot == "" {
		return 0
	}
	return 1
}

// whyNot says why a verb cannot be asked for on a VM now, as far as the inventory tells.
func whyNot(inv failover.Inventory, verb failover.Verb, i failover.Item) string {
	if op := inv.Holders[i.Key]; op != "" {
		return "already under way: " + string(op) + ", " + bot.Noun(inv.Open[op].Verb)
	}
	for _, f := range inv.Freezes {
		if f.Stops(i) {
			return "frozen by " + orElse(f.By.Name, f.By.ID)
		}
	}
	if no := failover.Legal(stepOf(verb), i); no != nil {
		return no.Message
	}
	return ""
}
