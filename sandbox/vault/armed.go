package vault

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// armed is a fault that waits for what it hits.
type armed struct {
	Fault
	until time.Duration
	draws *rand.Rand    // of requests
	left  map[*item]int // times for each VM that was drawn, of a share of jobs
}

// Fault arms f. Of several that fit a request, the one armed first is used first.
func (v *Vault) Fault(f Fault) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f.Kind == BrownOut {
		f.Times, f.For = Always, cmp.Or(f.For, 10*time.Minute)
	}
	if f.Times != Always {
		f.Times = max(1, f.Times)
	}
	until := forever
	if f.For > 0 {
		until = v.settle() + f.For
	}
	v.faults = append(v.faults, &armed{Fault: f, until: until, draws: chance(f.Seed, string(f.Kind)), left: map[*item]int{}})
}

// ClearFaults disarms every fault that was not used up. What already went wrong stays.
func (v *Vault) ClearFaults() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.faults = nil
}

// mark is what a fault may hit.
type mark struct {
	operations []string // its name and its classes
	item       *item    // nil when no VM is named
	ofJob      bool
}

// takeFault uses up the first fault armed for the mark; without one it returns the zero Fault.
func (v *Vault) takeFault(m mark, now time.Duration) Fault {
	v.disarm(now)
	for i, f := range v.faults {
		if !v.hits(f, m) || !v.drawn(f, m) {
			continue
		}
		if f.Times != Always && !f.sharesJobs() {
			f.Times--
		}
		if f.Times == 0 {
			v.faults = slices.Delete(v.faults, i, i+1)
		}
		return f.acute()
	}
	return Fault{}
}

// disarm drops faults whose time is over.
func (v *Vault) disarm(now time.Duration) {
	v.faults = slices.DeleteFunc(v.faults, func(f *armed) bool { return now >= f.until })
}

func (v *Vault) hits(f *armed, m mark) bool {
	switch {
	case f.Kind.hitsJob() != m.ofJob, f.Kind == Stuck && m.operations[0] != opSwitchProtection:
		return false
	case f.Kind == JobNoCapacity && m.operations[0] == opUpdate: // which makes no VM
		return false
	case f.Operation != "" && !slices.Contains(m.operations, f.Operation):
		return false
	case f.Size != "" && (m.item == nil || !strings.EqualFold(f.Size, m.item.size)):
		return false
	default:
		return v.hitsVM(f.Fault, m.item)
	}
}

func (v *Vault) hitsVM(f Fault, it *item) bool {
	if f.VM == "" || it == nil && f.Kind == PortalFirst {
		return true
	}
	return it != nil && (f.VM == it.vm || strings.EqualFold(f.VM, v.options.VaultName+"/"+it.vm))
}

// sharesJobs reports whether the fault draws VMs, each of which has its times.
func (f *armed) sharesJobs() bool { return f.Share > 0 && f.Kind.hitsJob() }

// drawn decides by [Fault].Share.
func (v *Vault) drawn(f *armed, m mark) bool {
	switch {
	case f.Share <= 0:
		return true
	case !f.sharesJobs():
		return f.draws.Float64() < f.Share
	case m.item == nil || chance(f.Seed, v.options.VaultName, m.item.vm, "fault").Float64() >= f.Share:
		return false
	}
	left, known := f.left[m.item]
	if !known {
		left = f.Times
	}
	if left == 0 {
		return false
	}
	if left != Always {
		left--
	}
	f.left[m.item] = left
	return true
}

// acute is what a fault does to one request.
func (f *armed) acute() Fault {
	one := f.Fault
	if f.Kind != BrownOut {
		return one
	}
	switch ill := f.draws.Float64(); {
	case ill < 0.5:
		one.Kind = ServerError
	case ill < 0.65:
		one.Kind = LostAnswer
	case ill < 0.75:
		one.Kind, one.Delay = Slow, cmp.Or(f.Delay, time.Minute)
	default:
		return Fault{}
	}
	return one
}
