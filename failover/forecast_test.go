package failover_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"ferry/failover"
)

// fleet is what a group of VMs would be decided on, in so many waves, each after the one before.
func fleet(vms, waves, concurrency int) failover.Situation {
	s := failover.Situation{Now: start, Policy: policy(1), RTO: time.Hour, Fleet: &failover.Fleet{Name: "shop", Concurrency: concurrency}}
	for w := range waves {
		wave := failover.Wave{}
		if w > 0 {
			wave.After = []int{w}
		}
		s.Fleet.Waves = append(s.Fleet.Waves, wave)
	}
	for n := range vms {
		i := item(fmt.Sprintf("vm-%04d", n), failover.StateProtected, "UnplannedFailover")
		i.VaultID = "/Vaults/V"
		s.Members = append(s.Members, failover.Member{Item: i, Wave: n*waves/vms + 1})
	}
	return s
}

// asked is the operation that comes of it.
func asked(tb testing.TB, s failover.Situation) failover.Operation {
	tb.Helper()
	cmd := failover.Command{MessageID: "m", Op: "op-aaaaaaaa", Verb: failover.VerbGroup, Target: "shop", Confirm: "shop", By: ana, At: start, ValidUntil: start.Add(time.Minute)}
	facts, refusal := failover.Decide(failover.Operation{}, cmd, s)
	if refusal != nil {
		tb.Fatal(refusal)
	}
	return failover.Fold(failover.Operation{}, failover.Batch{At: start, Facts: facts})
}

// past is an operation in which the VMs of a situation were failed over, each in its time.
func past(s failover.Situation, took func(n int) time.Duration) failover.Operation {
	op := failover.Operation{Verb: failover.VerbFailover}
	for n, m := range s.Members {
		op.Targets = append(op.Targets, failover.Target{Item: m.Item, Steps: []failover.Step{{Kind: failover.StepFailover, State: failover.StateDone, StartedAt: start, EndedAt: start.Add(took(n))}}})
	}
	return op
}

// What holds an operation back is named: the limit without which it would be over soonest.
func TestForecastNamesTheLimit(t *testing.T) {
	t.Parallel()
	odd := fleet(3, 1, 0)
	odd.Past = []failover.Operation{past(odd, func(n int) time.Duration { return time.Duration(1+40*(n/2)) * time.Minute })}
	vault := fleet(300, 1, 200)
	vault.Paces = map[string]failover.VaultPace{"/vaults/v": {AtOnce: 20}, "/vaults/elsewhere": {AtOnce: 1}}
	alike := fleet(300, 1, 20)
	alike.Paces = map[string]failover.VaultPace{"/vaults/v": {AtOnce: 20}}
	others := fleet(200, 1, 0)
	others.Past = []failover.Operation{past(others, func(int) time.Duration { return 20 * time.Second })}
	others.Budgets = []failover.Budget{{Kind: "reads", PerSecond: 1}, {Kind: "writes", Left: 3, PerSecond: 2}}
	quick := fleet(1000, 1, 0)
	quick.Past = []failover.Operation{past(quick, func(int) time.Duration { return 20 * time.Second })}
	for name, row := range map[string]struct {
		s     failover.Situation
		limit failover.Limit
		about string
		room  int
		words string
	}{
		"one VM":              {fleet(1, 1, 0), failover.LimitSlowest, "vm-0000", 0, "vm-0000, which takes longest"},
		"all alike":           {fleet(12, 1, 0), failover.LimitSlowest, "", 0, "the VM that takes longest"},
		"one is slow":         {odd, failover.LimitSlowest, "vm-0002", 0, "vm-0002, which takes longest"},
		"group":               {fleet(300, 1, 20), failover.LimitConcurrency, "", 20, "the group's concurrency, 20 VMs at a time"},
		"vault":               {vault, failover.LimitVault, "v", 20, "the vault v, which takes about 20 VMs at a time as Ferry has learned"},
		"group and vault":     {alike, failover.LimitConcurrency, "", 20, "the group's concurrency, 20 VMs at a time"},
		"waves":               {fleet(12, 6, 0), failover.LimitWaves, "", 0, "the waves, which wait for each other"},
		"short, and so many":  {quick, failover.LimitWrites, "", 10, "Azure Resource Manager, which takes 10 calls a second of one principal"},
		"others are at it":    {others, failover.LimitWrites, "", 2, "Azure Resource Manager, which takes 2 calls a second of one principal"},
		"waves by themselves": {fleet(300, 3, 20), failover.LimitConcurrency, "", 20, "the group's concurrency, 20 VMs at a time"},
	} {
		e := asked(t, row.s).Expected
		if e.Limit != row.limit || e.About != row.about || e.Room != row.room || e.Words() != row.words {
			t.Errorf("%s: %s (%s, %d): %q", name, e.Limit, e.About, e.Room, e.Words())
		}
		if e.P95 <= e.Seconds || e.RTO != 3600 {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// A forecast lies where it can be worked out by hand: no sooner than the work divided by how much goes at a time, no sooner than
// the waves' longest one after another, and not much later.
func TestForecastIsNearTheBound(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ vms, waves, concurrency int }{{12, 1, 0}, {12, 3, 0}, {100, 3, 10}, {1000, 3, 100}, {1000, 1, 1000}} {
		s := fleet(row.vms, row.waves, row.concurrency)
		once := past(s, func(n int) time.Duration { return 5*time.Minute + time.Duration(n%7)*time.Second })
		s.Past = []failover.Operation{once, once} // enough of them to tell how far apart they lie
		e := asked(t, s).Expected
		bound := float64(row.waves) * 300
		if row.concurrency > 0 {
			bound = max(bound, float64(row.vms)*300/float64(row.concurrency))
		}
		// What they took lies close together here, so that the longest is hardly longer, and no wave waits long for its last.
		if got := float64(e.Seconds); got < bound || got > 1.4*bound+100 || e.Of != 2*row.vms {
			t.Errorf("%+v: %v s, the bound is %v: %+v", row, got, bound, e)
		}
	}
}

// The VM's own history goes before that of all, and that before the default; the time in which a job waited is none of it.
func TestForecastLearns(t *testing.T) {
	t.Parallel()
	s := fleet(3, 1, 0)
	before := fleet(2, 1, 0)
	slow := past(before, func(n int) time.Duration { return time.Duration(n+2) * 10 * time.Minute })
	slow.Targets[0].Steps[0].Tasks = []failover.Task{{Name: "Failover", StartedAt: start.Add(15 * time.Minute)}}
	s.Past = []failover.Operation{slow}
	op := asked(t, s)
	for n, want := range []int{300, 1800, 1800} { // the third has none: it is like the median of all
		if got := op.Targets[n].Expected; got != want {
			t.Errorf("%s: %d s, want %d", op.Targets[n].Item.Name, got, want)
		}
	}
	if e := op.Expected; !e.Shared || e.Of != 2 || e.About != "" {
		t.Errorf("%+v", e)
	}
	if again := asked(t, s).Expected; !reflect.DeepEqual(again, op.Expected) {
		t.Errorf("not the same again: %+v, then %+v", op.Expected, again)
	}
}

// How many jobs a vault works on at a time is learned from an operation in which some had to wait there: the others took as long as
// they did because of that, and the next time as many will wait.
func TestForecastLearnsTheVault(t *testing.T) {
	t.Parallel()
	s := fleet(60, 1, 0)
	crowd := past(s, func(n int) time.Duration { return time.Duration(1+n/10) * 5 * time.Minute })
	for n := range crowd.Targets { // ten at a time, 5 min each
		step := &crowd.Targets[n].Steps[0]
		step.Tasks = []failover.Task{{Name: "Failover", StartedAt: start.Add(time.Duration(n/10) * 5 * time.Minute)}}
	}
	s.Past = []failover.Operation{crowd}
	e := asked(t, s).Expected
	if e.Limit != failover.LimitVault || e.Room != 10 || e.Vaults["v"] != 10 || e.Seconds < 30*60 || e.Seconds > 40*60 {
		t.Errorf("%+v: six rounds of 5 min are 30 min", e)
	}
	s.Paces = map[string]failover.VaultPace{"/vaults/v": {AtOnce: 30}} // what is seen just now goes before
	if e = asked(t, s).Expected; e.Vaults["v"] != 30 || e.Seconds > 20*60 {
		t.Errorf("%+v", e)
	}
}

// A target is not promised by what nobody knows: how many VMs a vault takes at a time, where it would get more than it has had.
func TestForecastSaysWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	before := func(s failover.Situation, vms int, queued bool) failover.Situation {
		op := past(fleet(vms, 1, 0), func(int) time.Duration { return 5 * time.Minute })
		for n := range op.Targets {
			begun := start.Add(time.Second)
			if queued && n%2 == 0 {
				begun = start.Add(time.Minute)
			}
			op.Targets[n].Steps[0].Tasks = []failover.Task{{Name: "Failover", StartedAt: begun}}
		}
		s.Past = []failover.Operation{op}
		return s
	}
	paced := fleet(1000, 1, 0)
	paced.Paces = map[string]failover.VaultPace{"/vaults/v": {AtOnce: 100}}
	for name, row := range map[string]struct {
		s       failover.Situation
		unknown bool
	}{
		"one":                              {fleet(1, 1, 0), false},
		"ten":                              {fleet(10, 1, 0), false},
		"a thousand":                       {fleet(1000, 1, 0), true},
		"in small waves":                   {fleet(60, 3, 0), false},
		"few at a time":                    {fleet(60, 1, 10), false},
		"learned by an executor":           {paced, false},
		"as many went together before":     {before(fleet(300, 1, 0), 300, false), false},
		"fewer went together before":       {before(fleet(1000, 1, 0), 300, false), true},
		"some of those before had to wait": {before(fleet(300, 1, 0), 300, true), false},
	} {
		row.s.RTO = 2 * time.Hour
		want := map[bool]failover.Promise{true: failover.PromiseLikely, false: failover.PromiseKept}[row.unknown]
		if e := asked(t, row.s).Expected; len(e.Unlearned) > 0 != row.unknown || e.Promise() != want {
			t.Errorf("%s: unlearned %v, %s: %+v", name, e.Unlearned, e.Promise(), e)
		}
	}
}

// While it runs the end is told from where it stands: what is done counts no more, and what has taken long already takes longer.
func TestOutlook(t *testing.T) {
	t.Parallel()
	s := fleet(40, 2, 10)
	op := asked(t, s)
	if _, _, ok := op.Outlook(start); ok {
		t.Error("nothing runs yet")
	}
	op = failover.Fold(op, failover.Batch{At: start, Facts: []failover.Fact{failover.GateOpened{Gate: failover.ClassFailover, Step: failover.StepFailover}}})
	fresh, atMost, ok := op.Outlook(start)
	if !ok || atMost <= fresh || fresh.Seconds() < 0.8*float64(op.Expected.Seconds) || fresh.Seconds() > 1.2*float64(op.Expected.Seconds) {
		t.Errorf("at first %s, at most %s; forecast %+v", fresh, atMost, op.Expected)
	}
	now := start
	for n := range 30 {
		key := op.Targets[n].Item.Key
		op = failover.Fold(op, failover.Batch{At: now, Facts: []failover.Fact{
			failover.StepStarted{Target: key, Kind: failover.StepFailover, Attempt: 1}, failover.StepAccepted{Target: key, Kind: failover.StepFailover, JobID: "j"},
		}})
		if n < 20 {
			op = failover.Fold(op, failover.Batch{At: now.Add(4 * time.Minute), Facts: []failover.Fact{failover.StepDone{Target: key, Kind: failover.StepFailover, EndedAt: now.Add(4 * time.Minute)}}})
		}
	}
	half, _, _ := op.Outlook(now.Add(4 * time.Minute))
	late, _, _ := op.Outlook(now.Add(40 * time.Minute)) // the ten that run have taken ten times as long as usual
	if half >= fresh || late <= 4*time.Minute {
		t.Errorf("fresh %s, half way %s, late %s", fresh, half, late)
	}
}

// A forecast for 1,000 VMs is for people who wait for an answer: it takes less than 20 ms.
func BenchmarkForecast(b *testing.B) {
	s := fleet(1000, 3, 100)
	s.Paces = map[string]failover.VaultPace{"/vaults/v": {AtOnce: 300}}
	op := asked(b, s)
	op = failover.Fold(op, failover.Batch{At: start, Facts: []failover.Fact{failover.GateOpened{Gate: failover.ClassFailover, Step: failover.StepFailover}}})
	b.Run("asked", func(b *testing.B) {
		for b.Loop() {
			s.Forecast(failover.VerbFailover, failover.Plan{Fleet: s.Fleet}, op.Targets)
		}
	})
	b.Run("running", func(b *testing.B) {
		for b.Loop() {
			op.Outlook(start)
		}
	})
}
