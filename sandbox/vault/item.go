package vault

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
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
	job               *job          // nil when idle
	drawn             int           // durations of failovers so far
	seeding           *seeding      // nil outside of an initial replication
	seedTime          time.Duration // of the next one, 0 for what its disks take

	source, replica *machine          // the VM that is replicated; the one failed over to, or nil
	leftover        *machine          // the VM that a failback leaves behind, or nil
	size            string            // of the VM, and of what a failover makes of it
	recoveryName    string            // of the VM that a failover makes
	group           string            // multi-VM consistency group, empty for none
	stopped         bool              // a cancelled failover ended the replication for good
	crashOnly       bool              // no application-consistent points
	recoveryGroup   string            // ARM id of the resource group on the recovery side
	recoveryNetwork string            // ARM id of the virtual network there
	cache           map[string]string // staging account by lower-case disk id
	set             *updateInput      // by the last update, nil before one
	drill           *drill            // nil when none is open
	tested          *time.Duration    // the last successful drill, or nil

	replicated []span  // oldest first; none after a commit, which deletes all recovery points
	madePoints []point // made by a failover to the latest data; may lie in the future
	stoppedRPO rpo     // as it was when replication stopped

	history []stood // oldest first

	failoverPoint *point // the point in use since the last failover
	failedOver    time.Duration
}

func (v *Vault) newItem(vm string, primary, recovery *region) *item {
	it := &item{
		vm: vm, name: itemName(vm),
		primary: primary, recovery: recovery, protectionState: stateProtected,
		replicated:    []span{{from: math.MinInt64, open: true}},
		source:        &machine{name: vm, group: v.resourceGroupID(primary.group), region: primary, network: v.networkID(primary), disks: disksOf(vm), running: true, size: cmp.Or(v.options.Sizes[vm], vmSize)},
		recoveryGroup: v.resourceGroupID(recovery.group), recoveryNetwork: v.networkID(recovery), cache: map[string]string{},
		recoveryName: cmp.Or(v.options.RecoveryNames[vm], vm), group: v.options.groupOf(vm), crashOnly: v.options.CrashConsistentOnly,
		seedTime: v.options.InitialReplication[vm], size: cmp.Or(v.options.Sizes[vm], vmSize),
	}
	for _, id := range it.source.diskIDs() {
		it.cache[strings.ToLower(id)] = v.cacheID(primary)
	}
	it.remember(0)
	it.source.tags = map[string]string{"workload": vm}
	if tags, ok := v.options.Tags[vm]; ok {
		it.source.tags = maps.Clone(tags)
	}
	return it
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
	stateSeeding       = "InitialReplicationInProgress"
	stateFirstPoint    = "InitialReplicationRecoveryCompletionPending"
	stateEnabling      = "UnprotectedStatesBegin"
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
	case stateSeeding:
		return stateFacts{"Initial replication is in progress", "Primary", []string{"DisableProtection"}}
	case stateFirstPoint:
		return stateFacts{"Waiting for first recovery point", "Primary", []string{"DisableProtection"}}
	case stateEnabling:
		return stateFacts{"Enabling protection", "Primary", []string{"DisableProtection"}}
	case stateProtected:
		return stateFacts{"Protected", "Primary", []string{"UnplannedFailover", "DisableProtection", "TestFailover"}}
	default: // guessed; see [Vault.Show]
		return stateFacts{protectionState, "Primary", []string{"DisableProtection"}}
	}
}

// Show puts a VM's item into a protectionState, such as UnprotectedStatesBegin, to which nothing here leads, or one that
// nobody has recorded. It stays until an operation takes it further. The VM is a name, or VAULT/NAME where there are twins.
func (v *Vault) Show(vm, protectionState string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.settle()
	_, it := v.findVM(vm)
	if it == nil {
		return fmt.Errorf("no VM %q", vm)
	}
	it.protectionState, it.seeding = protectionState, nil
	it.remember(now)
	return nil
}

// allowed lists allowedOperations. That they shrink while a job runs is known; to what is guessed.
func (v *Vault) allowed(it *item) []string {
	words, guesses := factsOf(it.protectionState).allowed, v.options.Guesses
	switch {
	case it.job != nil:
		return []string{"DisableProtection"}
	case it.drill != nil && guesses.DrillKeepsFailover:
		return append(words, "TestFailoverCleanup")
	case it.drill != nil:
		return []string{"DisableProtection", "TestFailoverCleanup"}
	case it.protectionState == stateCommitPending && guesses.SwitchCommits:
		return append(words, "SwitchProtection")
	default:
		return words
	}
}

// allows reports whether the item may be asked now. What has no word is guessed to need an idle item that is not failed over.
func (v *Vault) allows(it *item, a action) bool {
	if a.word == "" {
		return it.job == nil && it.replica == nil
	}
	return slices.Contains(v.allowed(it), a.word)
}

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
	case j.cancelled != nil:
		it.cancelledJob(j)
	case j.failure == nil:
		it.protectionState = cmp.Or(j.action.to, it.protectionState)
		j.action.done(it, j)
		it.remember(j.end())
	case j.action.stopsReplication && !it.primary.down && !it.recovery.down:
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
