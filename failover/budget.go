package failover

import "time"

// Budget is how many requests of one kind Azure would still take from Ferry in one subscription.
type Budget struct {
	Subscription string  `json:"subscription"` // in lower case; empty for what lies in none
	Kind         string  `json:"kind"`         // "reads", "writes" (a POST is one) or "deletes"
	Left         float64 `json:"left"`
	Size         float64 `json:"size"` // how many there are at most
	PerSecond    float64 `json:"per_second"`
	// Closed is how long Azure takes none, because it has answered 429; 0 is open.
	Closed  time.Duration `json:"closed,omitempty"`
	Waiting int           `json:"waiting,omitempty"` // requests that wait for their turn
}

// VaultPace is what was learned of how many jobs a vault works on at once, which Azure does not publish.
type VaultPace struct {
	AtOnce int `json:"at_once,omitempty"` // how many are kept under way there; 0: nothing is known to limit it
}
