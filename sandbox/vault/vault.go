// Package vault is a stand-in for Azure Recovery Services vaults, one or several: Azure Resource Manager, Site Recovery from
// Azure to Azure, and the managed identity endpoint of App Service, over HTTP and nothing else.
//
// It owns the simulated world behind that wire: replicated VMs, recovery points, jobs, and the faults that a test arms.
// It refuses to know who calls: it shares no type with any client, because a stand-in that shares our types shares our
// misunderstandings. Shapes are those of traffic recorded in 2023 and 2025; what was never recorded says "guessed".
//
// Concurrency: every exported method and the handler may be called from any goroutine; one mutex guards the world. There
// are no goroutines and no timers: each access first derives what has happened since the last one from [time.Now], so the
// stand-in works in a synctest bubble. Only a handler told to be [Slow] and the stream of [Vault.World] sleep, and never
// under the mutex.
package vault

import (
	"cmp"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// Options describes the simulated vault. Every zero field has a default.
type Options struct {
	// BaseURL is the absolute URL under which clients reach the stand-in, without a slash at the end. It stands in the
	// poll URLs. Empty means plain HTTP on the host that the client named.
	BaseURL string
	// Speed divides every simulated duration and the Retry-After of an accepted call; 1 by default. See [Vault.SetSpeed].
	Speed float64
	// VMs is how many replicated VMs there are, 12 by default. The first is always vm-x.
	VMs int

	SubscriptionID string // a fixed GUID by default
	ResourceGroup  string // "rg-dr" by default
	VaultName      string // "vault-dr" by default
	SourceRegion   string // display name, "West Europe" by default
	TargetRegion   string // display name, "North Europe" by default
	// More are other vaults behind the same resource manager.
	More []Place

	// IdentityHeader is the secret that the identity endpoint expects in X-IDENTITY-HEADER, "sandbox" by default.
	IdentityHeader string
	// ConflictStatus and ConflictCode answer an operation that the item does not allow now. Azure's own answer was never
	// recorded, so a client should be tested with several; 409 and OperationNotAllowed by default.
	ConflictStatus int
	ConflictCode   string
	// Operator gives clients no more than the built-in role Site Recovery Operator; see [Vault.SetOperator].
	Operator bool
	// JobsAtOnce is how many jobs of a vault work at the same time; the others are accepted and wait. Azure documents no such
	// limit, and none is the default.
	JobsAtOnce int
	// Failovers is how long jobs of a failover take, 140 s with a shutdown and 84 s without one by default. See [Vault.SetFailovers].
	Failovers Spread
	// PageSize is how many entries a list of items or of jobs has in one page; all by default, as recorded.
	PageSize int
	// Buckets are the resource manager's limits.
	Buckets Buckets

	// InitialReplication is how long a VM's initial replication takes after a reprotect, by name. By default it depends on the
	// disks: 47 minutes for 127 GiB.
	InitialReplication map[string]time.Duration
	// RecoveryNames are VMs that a failover gives another name, the new one by the old.
	RecoveryNames map[string]string
	// CrashConsistentOnly leaves out the application-consistent points, as Azure's default policy does.
	CrashConsistentOnly bool
	// Groups are the multi-VM consistency groups of the first vault: names of VMs by name of the group. There are none by
	// default.
	Groups map[string][]string
	// Tags are those of VMs by name; a VM that is not named has the tag workload with its name. See [Vault.SetTags].
	Tags map[string]map[string]string
	// Sizes are those of VMs by name; a VM that is not named is a Standard_D2s_v5.
	Sizes map[string]string
	// Plans are recovery plans. By default the first vault has plan-shop, three waves of its VMs; empty is none.
	Plans   []Plan
	Guesses Guesses
}

func (o Options) withDefaults() Options {
	o.VMs = cmp.Or(o.VMs, 12)
	if o.Plans == nil {
		o.Plans = defaultPlans(o.VMs)
	}
	o.SubscriptionID = cmp.Or(o.SubscriptionID, "3f2b8c1e-7a54-4d0b-9c6e-2f1d5a7b9e30")
	o.ResourceGroup = cmp.Or(o.ResourceGroup, "rg-dr")
	o.VaultName = cmp.Or(o.VaultName, "vault-dr")
	o.SourceRegion = cmp.Or(o.SourceRegion, "West Europe")
	o.TargetRegion = cmp.Or(o.TargetRegion, "North Europe")
	o.IdentityHeader = cmp.Or(o.IdentityHeader, "sandbox")
	o.ConflictStatus = cmp.Or(o.ConflictStatus, http.StatusConflict)
	o.ConflictCode = cmp.Or(o.ConflictCode, "OperationNotAllowed")
	o.Buckets = o.Buckets.withDefaults()
	return o
}

// Vault is the stand-in, an [http.Handler]. Make it with [New].
type Vault struct {
	mux *http.ServeMux // of the first vault, which serves for all; never changes after New

	*host // its mutex guards everything below, too

	options Options
	regions [2]region
	items   []*item
	jobs    []*job // oldest first
	queue   []*job // that wait, oldest first
	plans   []*plan

	spellings int // of ids so far
}

// New returns a vault in which every VM is protected and has a day of recovery points, with those of [Options].More beside
// it. What it exports is about all of them.
func New(o Options) *Vault {
	o = o.withDefaults()
	h := &host{clock: newClock(o.Speed), levels: map[bucketKey]*level{}}
	h.add(o, Place{VMs: vmNames(o.VMs)})
	for _, p := range o.More {
		h.add(o, p)
	}
	h.vaults[0].mux = h.vaults[0].newMux()
	return h.vaults[0]
}

// SetBaseURL changes [Options].BaseURL, for callers that know their port only after listening. Poll URLs already handed
// out keep the old one.
func (v *Vault) SetBaseURL(url string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, v := range v.vaults {
		v.options.BaseURL = url
	}
}

// Speed returns how many simulated seconds pass in one of the machine's.
func (v *Vault) Speed() float64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.clock.speed()
}

// SetSpeed changes the speed from now on: a running job keeps what it has done and does the rest at the new speed, and no
// time already shown changes. A speed that is not positive means 1. It ends a [Vault.Pause].
func (v *Vault) SetSpeed(speed float64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clock.set(speed, false)
}

// Pause lets the simulated world stand still until [Vault.Resume] or [Vault.SetSpeed]: calls are answered, and no job gets
// on. [Vault.Speed] stays what it was.
func (v *Vault) Pause() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clock.set(v.clock.speed(), true)
}

// Resume ends a [Vault.Pause].
func (v *Vault) Resume() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clock.set(v.clock.speed(), false)
}

// guid returns the same random-looking GUID for the same words, so that a restarted sandbox keeps its identities.
func guid(words ...string) string {
	id := uuid.NameSpaceURL
	for _, w := range words {
		id = uuid.NewSHA1(id, []byte(w))
	}
	return id.String()
}
