package failover

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Resolve finds the one item that a typed name means: a VM name without case, or vault/name. Nothing near is ever taken
// for it; an unknown or ambiguous name is refused with the near ones.
func Resolve(items []Item, typed string) (Item, *Refusal) {
	vault, name, qualified := strings.Cut(typed, "/")
	if !qualified {
		vault, name = "", typed
	}
	hits := slices.DeleteFunc(slices.Clone(items), func(i Item) bool {
		return !strings.EqualFold(i.Name, name) || vault != "" && !strings.EqualFold(i.Vault, vault)
	})
	switch len(hits) {
	case 1:
		return hits[0], nil
	case 0:
		return Item{}, unknownName(items, typed, name)
	}
	return Item{}, Refuse(UnknownName, "Say which with vault/name: "+list(hits, true)+".", "There are %d VMs called %s.", len(hits), name)
}

// ResolvePlan finds the one recovery plan that a typed name means: its name without case, or vault/name.
func ResolvePlan(plans []RecoveryPlan, typed string) (RecoveryPlan, *Refusal) {
	vault, name, qualified := strings.Cut(typed, "/")
	if !qualified {
		vault, name = "", typed
	}
	hits := slices.DeleteFunc(slices.Clone(plans), func(p RecoveryPlan) bool {
		return !strings.EqualFold(p.Name, name) || vault != "" && !strings.EqualFold(p.Vault, vault)
	})
	if len(hits) == 1 {
		return hits[0], nil
	}
	named := func(of []RecoveryPlan) string {
		var names []string
		for _, p := range of {
			names = append(names, p.Vault+"/"+p.Name)
		}
		return strings.Join(names, ", ")
	}
	if len(hits) > 1 {
		return RecoveryPlan{}, Refuse(UnknownName, "Say which: "+named(hits)+".", "There are %d recovery plans called %s.", len(hits), name)
	}
	hint := "There is none in the configured vaults."
	if near := Near(name, plans, func(p RecoveryPlan) string { return p.Name }, 3); len(near) > 0 {
		hint = "Near names: " + named(near) + ". Nothing was started; type the whole name."
	} else if len(plans) > 0 {
		hint = "There are: " + named(plans[:min(len(plans), 10)]) + "."
	}
	return RecoveryPlan{}, Refuse(UnknownName, hint, "No recovery plan is called %q.", typed)
}

// PlanMeant answers who typed the name of a recovery plan where a VM belongs, as far as an operation tells of that plan: the
// newest one is what they mean. Nil when no operation does.
func PlanMeant(verb Verb, typed string, ops []Operation) *Refusal {
	_, name, qualified := strings.Cut(typed, "/")
	if !qualified {
		name = typed
	}
	for _, op := range slices.Backward(ops) {
		p := op.Plan.Recovery
		if p == nil || !strings.EqualFold(p.Name, name) || qualified && !strings.EqualFold(p.Vault+"/"+p.Name, typed) {
			continue
		}
		hint := "Type the name of one of its VMs."
		if verb == VerbCommit || verb == VerbReprotect {
			hint = "For all its VMs, type /failover " + string(verb) + " " + string(op.ID) + "; for one, type its name."
		}
		return Refuse(UnknownName, hint, "%s is a recovery plan, not a VM; its newest failover is %s.", p.Name, op.ID)
	}
	return nil
}

func unknownName(items []Item, typed, name string) *Refusal {
	near := Near(name, items, func(i Item) string { return i.Name }, 3)
	if len(near) == 0 {
		return Refuse(UnknownName, "Type /failover list to see every replicated VM.", "No replicated VM is called %q.", typed)
	}
	hint := "Near names: " + list(near, false) + ". Nothing was started; type the whole name."
	if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) { // else the name that is near looks the same
		hint = fmt.Sprintf("What was typed has letters outside ASCII: %+q. ", name) + hint
	}
	return Refuse(UnknownName, hint, "No replicated VM is called %q.", typed)
}

func list(items []Item, qualified bool) string {
	var names []string
	for _, i := range items {
		name := i.Name
		if qualified {
			name = i.Vault + "/" + i.Name
		}
		names = append(names, name+" (vault "+i.Vault+", resource group "+i.ResourceGroup+")")
	}
	return strings.Join(names, ", ")
}

// Near returns at most n candidates whose name is near a word, nearest first: one edit in three letters, or a shared prefix.
func Near[T any](word string, from []T, name func(T) string, n int) []T {
	type scored struct {
		v T
		d int
	}
	word = strings.ToLower(word)
	var hits []scored
	for _, v := range from {
		candidate := strings.ToLower(name(v))
		d := Distance(word, candidate)
		prefix := len(word) >= 2 && strings.HasPrefix(candidate, word)
		if d <= max(1, len(word)/3) || prefix {
			hits = append(hits, scored{v, d})
		}
	}
	slices.SortStableFunc(hits, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.d, b.d), strings.Compare(name(a.v), name(b.v)))
	})
	var near []T
	for _, h := range hits[:min(n, len(hits))] {
		near = append(near, h.v)
	}
	return near
}

// Distance counts the edits between two words: insert, delete, replace, or swap two neighbours (optimal string alignment).
func Distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := range s {
		row := make([]int, len(t)+1)
		row[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(t)]
}
