package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// size is how much of it is played. The seed decides who is hit, how and after how long; what the processes are doing
// just then it cannot.
type size struct {
	worlds, kills int // of ferry up: so many side by side, killed so often each
	rounds        int // in the cluster
	vms, atOnce   int
	brief         bool // drills only, and no long pauses
}

// TestChaos is its short form, for CI. make chaos plays the full one and writes docs/reliability.md.
func TestChaos(t *testing.T) {
	sizes := map[string]size{
		"short": {worlds: 1, kills: 10, rounds: 1, vms: 60, atOnce: 6, brief: true},
		"full":  {worlds: 4, kills: 50, rounds: 115, vms: 400, atOnce: 4},
	}
	how, ok := sizes[os.Getenv("FERRY_CHAOS")]
	if !ok {
		t.Skip("played when asked for: make chaos, or .ci/run chaos for the short form")
	}
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("FERRY_CHAOS_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("FERRY_CHAOS_SEED=%d", seed)
	k := build(t)
	begin := time.Now()
	all := make([]figures, how.worlds+1)
	t.Run("forms", func(t *testing.T) {
		for i := range how.worlds {
			t.Run(fmt.Sprintf("embedded-%d", i+1), func(t *testing.T) {
				t.Parallel()
				all[i] = embedded(k.within(t), how, rand.New(rand.NewPCG(seed, uint64(i))))
			})
		}
		t.Run("cluster", func(t *testing.T) {
			t.Parallel()
			all[how.worlds] = clustered(k.within(t), how, rand.New(rand.NewPCG(seed, 99)))
		})
	})
	one, three := together("`ferry up`, embedded server", all[:how.worlds]), all[how.worlds]
	text := report(seed, time.Since(begin), one, three)
	t.Log(text)
	partly := slices.ContainsFunc(all, func(f figures) bool { return f.name == "" }) // with -run
	if os.Getenv("FERRY_CHAOS") == "full" && !t.Failed() && !partly {
		write(t, "reliability.md", beginMark, endMark, text)
	}
}

// embedded kills ferry up again and again while people work.
func embedded(k *kit, how size, chance *rand.Rand) figures {
	o := k.outside(how.vms)
	p := o.people(how)
	up := o.start("up", "up")
	o.connected()
	done := make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() { p.work(done) })
	var faults []fault
	for range how.kills {
		p.moment(chance, 12*time.Second)
		select {
		case <-up.done:
			k.Fatalf("ferry up ended by itself with %d", up.exits(time.Second))
		default:
		}
		faults = append(faults, fault{at: time.Now(), what: "kill -9 of ferry up", pid: up.pid(), driver: true})
		up.kill()
		up = o.start("up", "up")
		if chance.IntN(10) > 0 { // or else while it starts
			o.connected()
		}
	}
	close(done)
	working.Wait()
	o.settled("up")
	up.signal(syscall.SIGTERM)
	if code := up.exits(time.Minute); code != 0 {
		k.Errorf("ferry up ended with %d", code)
	}
	return p.judge("embedded", o.embedded(), faults)
}

// moment waits for some time, or for a short time after something has happened: what hurts is between two steps.
func (p *people) moment(chance *rand.Rand, longest time.Duration) {
	if p.how.brief {
		longest = time.Second
	}
	wait := time.Duration(chance.Int64N(int64(longest)))
	if chance.IntN(2) == 0 {
		select {
		case <-p.events: // an old one
		default:
		}
		select {
		case <-p.events:
		case <-time.After(longest):
		}
		wait = time.Duration(chance.Int64N(int64(250 * time.Millisecond)))
	}
	<-time.After(wait)
}

// together adds up what several worlds came to.
func together(name string, all []figures) figures {
	sum := figures{name: name, faults: map[string]int{}}
	for _, f := range all {
		for what, n := range f.faults {
			sum.faults[what] += n
		}
		sum.operations, sum.commands, sum.calls = sum.operations+f.operations, sum.commands+f.commands, sum.calls+f.calls
		sum.duplicates, sum.lost, sum.cards = sum.duplicates+f.duplicates, sum.lost+f.lost, sum.cards+f.cards
		sum.attention, sum.adopted, sum.again = sum.attention+f.attention, sum.adopted+f.adopted, sum.again+f.again
		sum.messages += f.messages
		sum.takeover, sum.gap = append(sum.takeover, f.takeover...), append(sum.gap, f.gap...)
	}
	return sum
}
