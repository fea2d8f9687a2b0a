package vault

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// Spread draws durations from a log-normal distribution: most are near the median, and a few are much longer. What is drawn
// depends on the seed, the vault, the VM and how many the VM had before, and on nothing else: two runs in which the same is
// done in another order draw the same. The zero value draws nothing.
type Spread struct {
	Median, P95 time.Duration // simulated
	Seed        uint64
	// Own is the part of the variance that is the VM's, from 0 to 1: at 1 all of a VM's jobs take equally long, and what was
	// seen of it foretells what comes; at 0 nothing does.
	Own float64
}

// z95 is the 95th percentile of the standard normal distribution.
const z95 = 1.6448536269514722

// Draw is how long the VM's nth job takes, from 0; 0 when nothing is drawn.
func (s Spread) Draw(vault, vm string, nth int) time.Duration {
	if s.Median <= 0 {
		return 0
	}
	sigma := math.Log(max(1, float64(s.P95)/float64(s.Median))) / z95
	own := min(1, max(0, s.Own))
	z := math.Sqrt(own)*s.normal(vault, vm) + math.Sqrt(1-own)*s.normal(vault, vm, strconv.Itoa(nth))
	return scale(s.Median, math.Exp(sigma*z))
}

func (s Spread) normal(words ...string) float64 { return chance(s.Seed, words...).NormFloat64() }

// chance is a source of random numbers that depends on the seed and the words alone.
func chance(seed uint64, words ...string) *rand.Rand {
	h := fnv.New64a()
	for _, w := range words {
		_, _ = h.Write([]byte(w + "\x00")) // documented never to fail
	}
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// SetFailovers changes [Options].Failovers for the jobs of all vaults that are started from now on.
func (v *Vault) SetFailovers(s Spread) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, v := range v.vaults {
		v.options.Failovers = s
	}
}

// check refuses a spread that would draw nothing though it looks like one.
func (s Spread) check() error {
	switch {
	case s == Spread{}:
		return nil
	case s.Median <= 0 || s.P95 < s.Median:
		return fmt.Errorf("a median of %s with a 95th percentile of %s makes no sense", s.Median, s.P95)
	case s.Own < 0 || s.Own > 1:
		return fmt.Errorf("%v is no share", s.Own)
	}
	return nil
}

// draw stretches the tasks of a failover to what it takes.
func (v *Vault) draw(j *job) {
	if j.action.operation != opUnplannedFailover {
		return
	}
	takes := v.options.Failovers.Draw(v.options.VaultName, j.item.vm, j.item.drawn)
	j.item.drawn++
	if takes > 0 {
		j.stretch = float64(takes) / float64(j.end()-j.start)
	}
}
