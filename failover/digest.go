package failover

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// digest is what an approval binds to: which items in which order and direction, which point selector, whether the
// source is shut down, and the rules. Health is shown and never voids, so it is not part of it.
func digest(plan Plan, targets []Target) string {
	plan.Digest = ""
	bound := []any{plan}
	for _, t := range targets {
		bound = append(bound, []string{t.Item.Key, t.Item.State, t.Item.From, t.Item.To})
		if t.Reversal != nil {
			bound = append(bound, t.Reversal.digest())
		}
	}
	data, err := json.Marshal(bound)
	if err != nil { // plain data always marshals
		panic(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// ShortDigest is the beginning of a plan's digest, as cards and status show it; empty when there is none.
func (p Plan) ShortDigest() string { return p.Digest[:min(len(p.Digest), 8)] }
