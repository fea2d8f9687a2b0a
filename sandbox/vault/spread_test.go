package vault_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

func spread() vault.Spread {
	return vault.Spread{Median: 5 * time.Minute, P95: 15 * time.Minute, Seed: 7, Own: 0.8}
}

func TestSpreadIsLogNormal(t *testing.T) {
	var all []time.Duration
	for _, it := range vault.New(vault.Options{VMs: 4000}).Items() {
		all = append(all, spread().Draw("vault-dr", it.Name, 0))
	}
	slices.Sort(all)
	for share, want := range map[float64]time.Duration{0.5: 5 * time.Minute, 0.95: 15 * time.Minute} {
		if got := all[int(share*4000)]; math.Abs(got.Minutes()/want.Minutes()-1) > 0.08 {
			t.Errorf("the quantile %v is %s, want about %s", share, got, want)
		}
	}
}

// What was seen of a VM foretells what comes, as far as the spread is its own.
func TestSpreadIsTheVMs(t *testing.T) {
	for own, want := range map[float64]float64{0: 0, 0.8: 0.8, 1: 1} {
		s := spread()
		s.Own = own
		var sumXY, sumXX float64
		for _, it := range vault.New(vault.Options{VMs: 4000}).Items() {
			x := math.Log(s.Draw("vault-dr", it.Name, 0).Minutes() / 5)
			sumXY += x * math.Log(s.Draw("vault-dr", it.Name, 1).Minutes()/5)
			sumXX += x * x
		}
		if got := sumXY / sumXX; math.Abs(got-want) > 0.06 {
			t.Errorf("with %v of its own the first job foretells the second by %.2f", own, got)
		}
	}
}

// A job takes what is drawn, with or without a shutdown, however long it waits, and whatever came before.
func TestFailoversTakeWhatIsDrawn(t *testing.T) {
	bubble(t, vault.Options{VMs: 3, JobsAtOnce: 1, Failovers: spread()}, func(w *world) {
		w.post(w.vm("vm-y").ID, "unplannedFailover", latest("Required"))
		w.post(w.vm("vm-x").ID, "unplannedFailover", latest("NotRequired"))
		pause(3 * time.Hour)
		for _, j := range w.vault.Jobs() {
			want := spread().Draw(vaultName, j.VM, 0)
			if got := j.End.Sub(j.Begun); (got - want).Abs() > time.Second {
				w.Errorf("%s took %s, want %s", j.VM, got, want)
			}
			if waited := j.Begun.After(j.Start); waited != (j.VM == "vm-x") {
				w.Errorf("%s was accepted at %s and began at %s", j.VM, j.Start, j.Begun)
			}
		}
		w.vault.SetFailovers(vault.Spread{})
		w.vault.SetJobsAtOnce(0)
		_, job := w.start("sql-01")
		pause(failoverTakes - shutdownTakes)
		if state, _ := w.jobState(job); state != "Succeeded" {
			w.Errorf("without a spread it is %s", state)
		}
	})
}

// A higher limit lets those that wait begin at once.
func TestLimitIsRaised(t *testing.T) {
	bubble(t, vault.Options{VMs: 3, JobsAtOnce: 1}, func(w *world) {
		for _, vm := range []string{"vm-x", "vm-y", "sql-01"} {
			w.start(vm)
		}
		pause(time.Second)
		w.vault.SetJobsAtOnce(2)
		begun := 0
		for _, j := range w.vault.Jobs() {
			if !j.Begun.IsZero() {
				begun++
			}
		}
		if begun != 2 {
			w.Errorf("%d jobs have begun", begun)
		}
	})
}

// start fails a VM over without a shutdown.
func (w *world) start(vm string) (answer, string) {
	w.Helper()
	got := w.post(w.vm(vm).ID, "unplannedFailover", latest("NotRequired"))
	return got, got.header.Get("X-Ms-Request-Id")
}
