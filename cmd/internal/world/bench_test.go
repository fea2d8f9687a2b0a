package world

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// trial is a fleet to fail over, and the world in which that is done.
type trial struct {
	vms    int
	limit  int // jobs that the vault works on at a time, which nobody is told
	faults bool
	nth    int // how often the VMs were failed over before
}

// trials are those of a kind of run: make bench-fleet plays all of them, a test the first. A wave of fewer VMs than the vault has
// places is not held up by them, so that small fleets are played with one limit.
func trials() []trial {
	var all []trial
	for _, b := range []trial{{vms: 10, limit: 100}, {vms: 100, limit: 100}, {vms: 300, limit: 100}, {vms: 1000, limit: 100}, {vms: 1000, limit: 300}} {
		ill := b
		ill.faults = true
		all = append(all, b, ill)
	}
	return all
}

const (
	benchWaves = 3
	benchVault = "vault-dr"
	// The brown-out begins when the first wave is under way.
	brownOutAt = 5 * time.Minute
)

// jobs are the durations of failovers.
func (trial) jobs() vault.Spread {
	return vault.Spread{Median: 5 * time.Minute, P95: 15 * time.Minute, Seed: 1, Own: 0.8}
}

func (b trial) options() vault.Options {
	o := realistic()
	o.VMs, o.JobsAtOnce, o.Failovers, o.Plans = b.vms, b.limit, b.jobs(), []vault.Plan{}
	o.InitialReplication = map[string]time.Duration{}
	for _, vm := range slices.Concat(b.waves()...) {
		o.InitialReplication[vm] = 4 * time.Minute
	}
	return o
}

// waves are the names of the VMs, in the order in which they go.
func (b trial) waves() [][]string {
	var names []string
	for _, item := range vault.New(vault.Options{VMs: b.vms}).Items() {
		names = append(names, item.Name)
	}
	return slices.Collect(slices.Chunk(names, (b.vms+benchWaves-1)/benchWaves))
}

// bound is the time that nobody can beat: of each wave the longest of what the calls take with full buckets, its longest job,
// and all its jobs in the places that the vault has.
func (b trial) bound() time.Duration {
	var sum time.Duration
	for _, wave := range b.waves() {
		var longest, all time.Duration
		for _, vm := range wave {
			d := b.jobs().Draw(benchVault, vm, b.nth)
			longest, all = max(longest, d), all+d
		}
		issue := time.Duration(max(0, len(wave)-200)) * time.Second / 10
		sum += max(issue, longest, all/time.Duration(b.limit))
	}
	return sum
}

// asTheyCome is the time of who fills each place of the vault at once and knows no duration: of a wave the VMs begin in the order of
// their names.
func (b trial) asTheyCome() time.Duration {
	var sum time.Duration
	for _, wave := range b.waves() {
		places, end := make([]time.Duration, b.limit), time.Duration(0)
		for _, vm := range wave {
			slices.Sort(places)
			places[0] += b.jobs().Draw(benchVault, vm, b.nth)
			end = max(end, places[0])
		}
		sum += end
	}
	return sum
}

// spoil arms what goes wrong: 3 % of the VMs fail once, 1 % always, and Azure is ill for ten minutes. The seeds draw these shares
// of the smaller fleets, too.
func (b trial) spoil(v *vault.Vault) {
	if !b.faults {
		return
	}
	v.Fault(vault.Fault{Kind: vault.JobFails, Operation: "unplannedFailover", Share: 0.03, Seed: 228})
	v.Fault(vault.Fault{Kind: vault.JobFails, Operation: "unplannedFailover", Share: 0.01, Seed: 52, Times: vault.Always, Code: "28031"})
	time.AfterFunc(brownOutAt, func() { v.Fault(vault.Fault{Kind: vault.BrownOut, Seed: 3}) })
}

// run is what was measured of a trial.
type run struct {
	trial
	by       string
	makespan time.Duration
	left     int // VMs that are not failed over in the end
	unsure   int // those of them that Ferry calls for no more, because an earlier call may still arrive
	rounds   int // how often somebody had to begin again with those that had failed
	twice    int // failovers that were asked for again while one ran
	traffic  vault.Traffic
	known    []time.Duration // from the true end of a job until it is known
	shown    []time.Duration // until a card says so
	posts    int             // of messages, in the fullest minute
	edits    int             // the same
	facts    int
	bytes    int // of the facts
	cpu      time.Duration
}

func (r run) ratio() float64 { return r.makespan.Seconds() / r.bound().Seconds() }

// blind is the ratio of who begins them as they come.
func (r run) blind() float64 { return r.asTheyCome().Seconds() / r.bound().Seconds() }

// perMinute is the reads per VM and minute.
func (r run) perMinute() float64 {
	return float64(r.traffic.Reads) / float64(r.vms) / r.makespan.Minutes()
}

func (r run) throttled() float64 {
	return 100 * float64(r.traffic.Throttled) / float64(max(1, r.traffic.Reads+r.traffic.Writes))
}

func (r run) String() string {
	return fmt.Sprintf("%s, %d VMs, C %d, faults %v: %s is %.2f times the bound, %s left, %d rounds, %d twice, 429 %.2f %%, writes %.2f, reads %.1f per VM, %.2f a minute, known %s, shown %s, CPU %s",
		r.by, r.vms, r.limit, r.faults, r.makespan.Round(time.Second), r.ratio(), r.remain(), r.rounds, r.twice, r.throttled(),
		r.per(r.traffic.Writes), r.per(r.traffic.Reads), r.perMinute(), p95(r.known), p95(r.shown), r.cpu.Round(time.Millisecond))
}

// remain are the VMs that are left, and in brackets those that a person has to look at.
func (r run) remain() string {
	if r.unsure == 0 {
		return fmt.Sprint(r.left)
	}
	return fmt.Sprintf("%d (%d)", r.left, r.unsure)
}

func p95(all []time.Duration) string {
	if len(all) == 0 {
		return "-"
	}
	return quantile(all, 95).Round(100 * time.Millisecond).String()
}

func quantile(all []time.Duration, percent int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(all))[min(len(all)-1, len(all)*percent/100)]
}

// cpuTime is what this process has used: Ferry, the stand-ins and the server.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// judge fills in what the vault knows.
func (r *run) judge(v *vault.Vault) {
	for _, item := range v.Items() {
		if item.Active != "Recovery" {
			r.left++
		}
	}
	for _, c := range v.Ledger() {
		if !c.Accepted && c.Status == 409 {
			r.twice++
		}
	}
}

// ways are those in which a fleet is failed over.
func ways() []func(*world, trial) run {
	return []func(*world, trial) run{byScript, byPollers, byFerry}
}

// The names of Ferry's runs.
const (
	ferryRun   = "**Ferry**"
	ferryAgain = "**Ferry**, which has failed them over before"
)

// minus is the traffic since an earlier moment.
func minus(now, before vault.Traffic) vault.Traffic {
	now.Reads, now.Writes, now.Throttled = now.Reads-before.Reads, now.Writes-before.Writes, now.Throttled-before.Throttled
	for what, n := range before.Of {
		now.Of[what] -= n
	}
	return now
}

// play measures one way of failing the trial's fleet over.
func (b trial) play(t *testing.T, by func(*world, trial) run) (r run) {
	t.Helper()
	bubbleIn(t, b.options(), func(w *world) {
		before := cpuTime()
		r = by(w, b)
		r.judge(w.vault)
		r.cpu = cpuTime() - before
		t.Log(r)
	})
	return r
}

// TestBenchFleet plays the smallest trial of each way; make bench-fleet plays all and writes docs/benchmarks/fleet.md.
func TestBenchFleet(t *testing.T) {
	long(t)
	all, begun := trials()[:1], time.Now()
	if os.Getenv("FERRY_BENCH") != "" {
		all = trials()
	}
	var runs []run
	for _, b := range all {
		for i, by := range ways() {
			if i == 0 && b.limit != trials()[0].limit {
				continue // one after another asks for one place
			}
			runs = append(runs, b.play(t, by))
		}
	}
	if os.Getenv("FERRY_BENCH") != "" && !t.Failed() {
		writeSection(t, fakeBegin, fakeEnd, benchTable(runs, time.Since(begun))+"\n"+verdicts(runs))
	}
}

// TestBenchFleetAgain fails a fleet over that feels the vault's limit, and once more when Ferry knows how long its VMs take. Of 1,000
// VMs the first time is in the other table.
func TestBenchFleetAgain(t *testing.T) {
	long(t)
	all, begun := []trial{{vms: 12, limit: 2}}, time.Now()
	if os.Getenv("FERRY_BENCH") != "" {
		all = []trial{{vms: 300, limit: 30}, {vms: 1000, limit: 100}}
	} else if !nightly {
		t.Skip("make bench-fleet")
	}
	var runs []run
	for i, b := range all {
		if i == 0 {
			runs = append(runs, b.play(t, byFerry))
		}
		runs = append(runs, b.play(t, byFerryAgain))
	}
	if os.Getenv("FERRY_BENCH") != "" && !t.Failed() {
		writeSection(t, pastBegin, pastEnd, benchTable(runs, time.Since(begun)))
	}
}
