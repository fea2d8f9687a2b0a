package vault

import "maps"

// Traffic counts the requests that reached the resource manager.
type Traffic struct {
	Reads, Writes, Deletes int            // refused ones, too
	Throttled              int            // answered 429, by a bucket or by a fault
	Of                     map[string]int // by what faults call the request
}

// Traffic returns the requests since the vaults were made.
func (v *Vault) Traffic() Traffic {
	v.mu.Lock()
	defer v.mu.Unlock()
	t := v.traffic
	t.Of = maps.Clone(t.Of)
	return t
}

func (t *Traffic) count(c *call) {
	switch c.kind() {
	case "write":
		t.Writes++
	case "delete":
		t.Deletes++
	default:
		t.Reads++
	}
	if t.Of == nil {
		t.Of = map[string]int{}
	}
	t.Of[c.route.operation]++
}
