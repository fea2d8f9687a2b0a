package failover

import (
	"cmp"
	"slices"
	"strings"
)

// Alike is another VM whose name is easily taken for a target's.
type Alike struct {
	Name   string `json:"name"`
	Vault  string `json:"vault"`
	Region string `json:"region,omitempty"` // where it runs
	// Twin says that the names are the same; else they differ by one character.
	Twin bool `json:"twin,omitempty"`
}

// alikeKept is how many of them are named; numbered fleets have many.
const alikeKept = 5

// alikeAmong is up to how many targets a mistaken name is looked for: who asks for more goes by lists, not by names.
const alikeAmong = 10

// pointOut notes which other VMs are easily taken for the targets. Those that go along are no mistake.
func (s Situation) pointOut(targets []Target) {
	if len(targets) > alikeAmong {
		return
	}
	for n := range targets {
		t := &targets[n]
		if t.Lead {
			continue
		}
		var all []Alike
		for _, i := range s.Inventory {
			among := slices.ContainsFunc(targets, func(o Target) bool { return o.Item.Key == i.Key })
			if among || !lookAlike(t.Item.Name, i.Name) {
				continue
			}
			all = append(all, Alike{Name: i.Name, Vault: i.Vault, Region: cmp.Or(i.Active, i.From), Twin: strings.EqualFold(i.Name, t.Item.Name)})
		}
		slices.SortFunc(all, func(a, b Alike) int {
			if a.Twin != b.Twin {
				return map[bool]int{true: -1, false: 1}[a.Twin]
			}
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Vault, b.Vault))
		})
		t.Alike, t.MoreAlike = all[:min(len(all), alikeKept)], max(0, len(all)-alikeKept)
	}
}

// lookAlike reports whether two names are the same, or differ by one character more, less, other, or by two neighbours
// swapped. Case tells nobody apart.
func lookAlike(a, b string) bool {
	if d := len(a) - len(b); d < -4 || d > 4 { // a character has four bytes at most
		return false
	}
	return Distance(strings.ToLower(a), strings.ToLower(b)) <= 1
}
