package vault

import "regexp"

// groupPattern is the ARM id of a resource group.
var groupPattern = regexp.MustCompile(`(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+$`)

// mapped reports whether a container mapping leads from one region to the other.
func (v *Vault) mapped(from, _ *region) bool { return !from.unmapped }

// SetMapped adds or removes the container mapping that starts in the target region: without it no VM can be reprotected.
func (v *Vault) SetMapped(mapped bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.settle()
	v.regions[1].unmapped = !mapped
}
