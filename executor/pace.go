package executor

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"ferry/failover"
)

const (
	// beginsWithin is how long a job has to begin before it is looked at whether it waits in Azure's queue.
	beginsWithin = 20 * time.Second
	// spare is how many jobs are kept waiting in Azure's queue, of those that it works on: waiting there costs nothing, a
	// place that stays empty does.
	spare = 0.2
	// settles is how long a change of the limit takes to show in what waits.
	settles = 30 * time.Second
	// sightedFor is how long a job that was seen waiting counts, when nobody has looked since: it may have ended.
	sightedFor = 5 * time.Minute
	// drivenFor is how long what an operation has under way counts, when its driver does not ask again.
	drivenFor = 2 * time.Minute
	// paceFor is how long what was learned of a vault in which nothing goes on is believed.
	paceFor = time.Hour
	// roomy is more than any operation has VMs.
	roomy = 1 << 20
)

// pace learns how many jobs each vault works on at once, which Azure does not publish, from those that have to wait there.
// While none does it keeps nobody back, but for the calls that Azure Resource Manager takes. A pace is safe for concurrent use.
type pace struct {
	now     func() time.Time
	budgets func() []failover.Budget // nil: nothing is known of them
	// crowds tells from the journal how many jobs each vault, by lower-case id, has worked on at a time while others had to wait, since
	// a moment; nil: there is none.
	crowds func(since time.Time) map[string]int

	mu     sync.Mutex
	vaults map[string]*vaultPace // by lower-case id
}

// vaultPace is what was learned of a vault.
type vaultPace struct {
	limit   float64              // jobs of ours at a time; 0 is none that we know of
	stride  float64              // by which it grows next, as a share of itself
	changed time.Time            // the limit
	used    time.Time            // last
	waits   map[string]time.Time // jobs that wait in Azure's queue, by id: when that was seen
	driven  map[failover.OpID]driven
}

// driven is what an operation has under way in a vault.
type driven struct {
	jobs int
	at   time.Time
}

func newPace(now func() time.Time, site Site) *pace {
	p := &pace{now: now, vaults: map[string]*vaultPace{}}
	if b, ok := site.(Budgeted); ok {
		p.budgets = b.Budgets
	}
	return p
}

func (p *pace) vault(id string, now time.Time) *vaultPace {
	key := strings.ToLower(id)
	v := p.vaults[key]
	if v == nil || now.Sub(v.used) > paceFor {
		v = &vaultPace{waits: map[string]time.Time{}, driven: map[failover.OpID]driven{}}
		v.recall(p.crowdOf(key, now), now)
		p.vaults[key] = v
	}
	v.used = now
	return v
}

// crowdOf is how many jobs a vault was seen to work on at a time, as long as that is believed; 0 when nobody had to wait there.
func (p *pace) crowdOf(key string, now time.Time) int {
	if p.crowds == nil {
		return 0
	}
	return p.crowds(now.Add(-paceFor))[key]
}

// recall begins from what another process has learned, or this one before it was started anew: what is under way waits in Azure's
// queue as it did for them.
func (v *vaultPace) recall(working int, now time.Time) {
	if working > 0 {
		v.limit, v.changed = wanted(float64(working)), now
	}
}

// wanted is the limit for so many jobs that are worked on.
func wanted(working float64) float64 { return (1+spare)*working + 1 }

// room is how many VMs more an operation may begin a step on in a vault, given how many it has under way there. An operation that
// has none gets one, and each its share, so that a large one does not keep a small one waiting.
func (p *pace) room(op failover.OpID, vaultID string, underWay int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	v := p.vault(vaultID, now)
	v.forget(now)
	v.driven[op] = driven{underWay, now}
	total := 0
	for _, d := range v.driven {
		total += d.jobs
	}
	v.learn(total, now)
	room := roomy
	if limit := int(math.Ceil(v.limit)); limit > 0 {
		room = max(limit-total, limit/len(v.driven)-underWay)
	}
	room = min(room, p.writes(vaultID, now))
	if underWay == 0 {
		return max(room, 1)
	}
	return max(room, 0)
}

// forget leaves out the operations whose drivers ask no more.
func (v *vaultPace) forget(now time.Time) {
	maps.DeleteFunc(v.driven, func(_ failover.OpID, d driven) bool { return now.Sub(d.at) > drivenFor })
}

// learn compares how many jobs wait with how many are worked on. What it finds is a lower bound of what waits, so that the limit is
// too high rather than too low.
func (v *vaultPace) learn(underWay int, now time.Time) {
	if now.Sub(v.changed) < settles || float64(underWay) < 0.9*v.limit { // the limit is not what keeps others back
		return
	}
	maps.DeleteFunc(v.waits, func(_ string, at time.Time) bool { return now.Sub(at) > sightedFor })
	waiting := float64(len(v.waits))
	working := max(1, float64(underWay)-waiting)
	enough := wanted(working)
	switch {
	case waiting > 1.5*spare*working+2:
		if before := cmp.Or(v.limit, float64(underWay)); enough < before {
			v.limit, v.stride, v.changed = max(enough, 0.7*before), 0, now
		}
	case v.limit > 0 && waiting <= 0.5*spare*working:
		v.stride = min(1, max(0.05, 2*v.stride))
		v.limit, v.changed = v.limit*(1+v.stride)+1, now
	}
}

// writes is how many calls Azure Resource Manager takes now from a vault's share in its subscription.
func (p *pace) writes(vaultID string, now time.Time) int {
	if p.budgets == nil {
		return roomy
	}
	for _, b := range p.budgets() {
		if b.Kind == "writes" && strings.HasPrefix(strings.ToLower(vaultID), "/subscriptions/"+b.Subscription+"/") {
			if b.Closed > 0 {
				return 0
			}
			return int(math.Ceil((b.Left + b.PerSecond - float64(b.Waiting)) / float64(p.driven(b.Subscription, now))))
		}
	}
	return roomy
}

// driven is in how many vaults of a subscription something is under way, or is to begin.
func (p *pace) driven(subscription string, now time.Time) int {
	n := 0
	for id, v := range p.vaults {
		if v.forget(now); strings.HasPrefix(id, "/subscriptions/"+subscription+"/") && len(v.driven) > 0 {
			n++
		}
	}
	return max(1, n)
}

// saw takes in a job that was read whole and has not ended. When none of its tasks has started a while after it was accepted, it
// waits in Azure's queue.
func (p *pace) saw(vaultID string, job failover.Job, accepted, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.vault(vaultID, now)
	begun := slices.ContainsFunc(job.Tasks, func(t failover.Task) bool { return !t.StartedAt.IsZero() })
	switch id := strings.ToLower(job.ID); {
	case begun || job.Thin || !job.Running():
		delete(v.waits, id)
	case now.Sub(accepted) >= beginsWithin:
		v.waits[id] = now
	}
}

// again is after how long a job that waits is looked at again, the sooner the fewer there are; 0 when it does not wait.
func (p *pace) again(vaultID, job string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.vault(vaultID, p.now())
	if _, waits := v.waits[strings.ToLower(job)]; !waits {
		return 0
	}
	return min(max(settles, time.Duration(len(v.waits))*300*time.Millisecond), sightedFor/2)
}

// limits tells what was learned of the vaults and is believed yet, by lower-case id.
func (p *pace) limits() map[string]failover.VaultPace {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, all := p.now(), map[string]failover.VaultPace{}
	for id, v := range p.vaults {
		if now.Sub(v.used) <= paceFor {
			all[id] = failover.VaultPace{AtOnce: int(math.Ceil(v.limit))}
		}
	}
	return all
}
