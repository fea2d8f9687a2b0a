package vault

import (
	"slices"
	"time"
)

// StateChange is the moment at which a VM's item came into a protectionState.
type StateChange struct {
	At            time.Time // UTC; when it happened, however much later anybody looked
	Vault         string
	VM            string // friendly name
	State         string // protectionState
	PrimaryRegion string // display name, as the item has it from then on
}

// History returns every change of a protectionState since the vault was made, the state at its making first, oldest first. It
// judges what a client said of a VM at some moment.
func (v *Vault) History() []StateChange {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.settle()
	var all []StateChange
	for _, v := range v.vaults {
		for _, it := range v.items {
			for _, s := range it.history {
				all = append(all, StateChange{v.clock.wall(s.at), v.options.VaultName, it.vm, s.state, s.primary})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y StateChange) int { return x.At.Compare(y.At) })
	return all
}

// stood is a state that an item came into.
type stood struct {
	at             time.Duration
	state, primary string
}

// remember notes the state that the item has come into.
func (it *item) remember(at time.Duration) {
	now := stood{at, it.protectionState, it.primary.name}
	if n := len(it.history); n > 0 && it.history[n-1].state == now.state && it.history[n-1].primary == now.primary {
		return
	}
	it.history = append(it.history, now)
}
