package vault

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// host is what the vaults of one stand-in share: there is one resource manager, one clock and one ledger.
type host struct {
	mu     sync.Mutex // guards the whole world
	vaults []*Vault   // never changes after New; the first is the one of Options
	clock  clock
	late   []later  // soonest first
	faults []*armed // oldest first
	levels map[bucketKey]*level
	ledger []Call

	traffic Traffic
}

// Place is one more vault of the same stand-in. A zero field is what the first vault has.
type Place struct {
	SubscriptionID string
	ResourceGroup  string
	VaultName      string // must differ from the others of its resource group
	SourceRegion   string
	TargetRegion   string
	VMs            []string // friendly names, which may be taken in another vault, too
}

// add makes the vault of a place beside those that there are.
func (h *host) add(o Options, p Place) {
	o.SubscriptionID = cmp.Or(p.SubscriptionID, o.SubscriptionID)
	o.ResourceGroup = cmp.Or(p.ResourceGroup, o.ResourceGroup)
	o.VaultName = cmp.Or(p.VaultName, o.VaultName)
	v := &Vault{host: h, options: o}
	v.regions = [2]region{newRegion(cmp.Or(p.SourceRegion, o.SourceRegion), true), newRegion(cmp.Or(p.TargetRegion, o.TargetRegion), false)}
	for i := range v.regions {
		if r := &v.regions[i]; len(h.vaults) > 0 { // as the first vault's regions, but with containers of its own
			r.containerGUID = guid(o.SubscriptionID, o.ResourceGroup, o.VaultName, r.location, "container")
			r.group = strings.Replace(r.group, "workload", "workload-"+o.VaultName, 1)
		}
	}
	for _, name := range p.VMs {
		it := v.newItem(name, &v.regions[0], &v.regions[1])
		if len(h.vaults) > 0 {
			it.name = itemName(o.SubscriptionID, o.ResourceGroup, o.VaultName, name)
		}
		v.items = append(v.items, it)
	}
	v.addPlans(o.Plans)
	h.vaults = append(h.vaults, v)
}

// address finds the vault that a path names; the first stands for those that a path leaves open.
func (v *Vault) address(c *call) (*Vault, reply, bool) {
	subscription, group, name := c.value("subscription"), c.value("group"), c.value("vault")
	found := named(v.vaults, subscription, func(o Options) string { return o.SubscriptionID })
	if len(found) == 0 {
		return v, gatewayFailure(http.StatusNotFound, "SubscriptionNotFound", "The subscription '"+subscription+"' could not be found."), false
	}
	if found = named(found, group, func(o Options) string { return o.ResourceGroup }); len(found) == 0 {
		return v, gatewayFailure(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '"+group+"' could not be found."), false
	}
	if found = named(found, name, func(o Options) string { return o.VaultName }); len(found) == 0 {
		return v, gatewayFailure(http.StatusNotFound, "ResourceNotFound", "The Resource 'Microsoft.RecoveryServices/vaults/"+name+"' under resource group '"+group+"' was not found."), false
	}
	return found[0], reply{}, true
}

// named keeps the vaults that have the name, or all when the path has none.
func named(vaults []*Vault, want string, of func(Options) string) []*Vault {
	var kept []*Vault
	for _, v := range vaults {
		if want == "" || strings.EqualFold(want, of(v.options)) {
			kept = append(kept, v)
		}
	}
	return kept
}

// findVM takes a friendly name, or VAULT/NAME where there are twins; the first vault that has it wins.
func (v *Vault) findVM(vm string) (*Vault, *item) {
	at, name, twins := strings.Cut(vm, "/")
	if !twins {
		at, name = "", vm
	}
	for _, v := range named(v.vaults, at, func(o Options) string { return o.VaultName }) {
		if i := slices.IndexFunc(v.items, func(it *item) bool { return it.vm == name }); i >= 0 {
			return v, v.items[i]
		}
	}
	return v, nil
}

// settle brings the world up to now and returns now, in simulated time. Everything that reads the world calls it first.
func (h *host) settle() time.Duration {
	now := h.clock.now()
	for h.step(now) {
	}
	h.grow(now)
	return now
}

// step lets the first thing happen that is due by now, and reports whether there was one: what follows from it may be due, too.
func (h *host) step(now time.Duration) bool {
	v, it, end := h.firstToEnd()
	switch {
	case it != nil && end <= now && (len(h.late) == 0 || end <= h.late[0].due):
		h.grow(end)
		it.finish()
		v.beginWaiting(end)
		v.movePlans(end)
		return true
	case len(h.late) > 0 && h.late[0].due <= now:
		next := h.late[0]
		h.late = h.late[1:]
		h.grow(next.due)
		next.do(next.due)
		return true
	default:
		return false
	}
}

// firstToEnd finds the item whose job ends first; nil when none has one.
func (h *host) firstToEnd() (first *Vault, it *item, end time.Duration) {
	for _, v := range h.vaults {
		for _, candidate := range v.items {
			if candidate.job == nil {
				continue
			}
			if at := candidate.job.end(); it == nil || at < end {
				first, it, end = v, candidate, at
			}
		}
	}
	return first, it, end
}

func (h *host) grow(now time.Duration) {
	for _, v := range h.vaults {
		for _, it := range v.items {
			it.grow(now)
		}
	}
}
