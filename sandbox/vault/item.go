package vault

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// item is a replicated VM ("replication protected item").
type item struct {
	vm                string // friendlyName
	name              string // opaque last segment of the ARM id
	primary, recovery *region
	protectionState   string
	job               *job // nil when idle

	replicated []span  // oldest first; none after a commit, which deletes all recovery points
	madePoints []point // made by a failover to the latest data; may lie in the future
	stoppedRPO rpo     // as it was when replication stopped

	failoverPoint *point // the point in use since the last failover
	failedOver    time.Duration
}

func newItem(vm string, primary, recovery *region) *item {
	return &item{
		vm: vm, name: itemName(vm),
		primary: primary, recovery: recovery, protectionState: stateProtected,
		replicated: []span{{from: math.MinInt64, open: true}},
	}
}

// itemName makes a name as recorded ones are: 43 characters of URL-safe base64, which is what a SHA-256 gives.
func itemName(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "/")))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// vmNames names n VMs: a small estate, then numbers.
func vmNames(n int) []string {
	names := []string{
		"vm-x", "vm-y", "sql-01", "sql-02", "app-01", "app-02",
		"web-01", "web-02", "cache-01", "queue-01", "batch-01", "files-01",
	}
	for i := len(names) + 1; i <= n; i++ {
		names = append(names, fmt.Sprintf("vm-%03d", i))
	}
	return names[:max(0, n)]
}

const (
	stateProtected     = "Protected"
	stateCommitPending = "UnplannedFailoverCommitPendingStatesBegin"
	stateCommitted     = "UnplannedFailoverCommitted"
)

// stateFacts is what an idle item shows in one protectionState.
type stateFacts struct {
	description    string
	activeLocation string
	allowed        []string // allowedOperations
}

// factsOf is the documented table of A2A states.
func factsOf(protectionState string) stateFacts {
	switch protectionState {
	case stateCommitPending:
		return stateFacts{"Failover completed", "Recovery", []string{"CompleteMigration", "Commit", "DisableProtection", "ChangePit"}}
	case stateCommitted:
		return stateFacts{"Failover committed", "Recovery", []string{"CompleteMigration", "DisableProtection", "SwitchProtection"}}
	default:
		return stateFacts{"Protected", "Primary", []string{"UnplannedFailover", "DisableProtection", "TestFailover"}}
	}
}

// allowed lists allowedOperations. That they shrink while a job runs is known; to what is guessed.
func (it *item) allowed() []string {
	if it.job != nil {
		return []string{"DisableProtection"}
	}
	return factsOf(it.protectionState).allowed
}

func (it *item) allows(a action) bool { return slices.Contains(it.allowed(), a.word) }

// stopReplication happens the moment a failover starts, or before it when the source region is down.
func (it *item) stopReplication(now time.Duration) {
	if !it.replicating() {
		return
	}
	it.stoppedRPO = it.rpo(now)
	last := &it.replicated[len(it.replicated)-1]
	last.to, last.open = now, false
}

func (it *item) replicating() bool {
	return len(it.replicated) > 0 && it.replicated[len(it.replicated)-1].open
}

// rpo says how much would be lost: what the newest point was at some moment.
type rpo struct{ newest, asOf time.Duration }

func (it *item) rpo(now time.Duration) rpo {
	if !it.replicating() {
		return it.stoppedRPO
	}
	p, _ := it.newestPoint(now)
	return rpo{newest: p.at, asOf: now}
}

// finish applies the end of the running job.
func (it *item) finish() {
	j := it.job
	it.job = nil
	switch {
	case j.failure == nil:
		it.protectionState = j.action.to
		j.action.done(it, j)
	case j.action.stopsReplication && !it.primary.down:
		// Replication starts again after a failed failover (guessed).
		it.replicated = append(it.replicated, span{from: j.end(), open: true})
	}
}

// pointName reports the point's name when the ARM id is a recovery point of this item. The id may name the container or
// give its internal GUID, as failoverRecoveryPointId does.
func (v *Vault) pointName(it *item, id string) (string, bool) {
	cut := strings.LastIndexByte(id, '/') + 1
	prefix, name := id[:cut], id[cut:]
	own := strings.EqualFold(prefix, v.pointID(it, it.primary.container, "")) ||
		strings.EqualFold(prefix, v.pointID(it, it.primary.containerGUID, ""))
	return name, own && name != ""
}
