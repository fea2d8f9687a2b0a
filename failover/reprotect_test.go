package failover_test

import (
	"testing"
	"time"

	"ferry/failover"
)

func TestReprotectAsksFirst(t *testing.T) {
	rows := map[string]struct {
		change func(*table)
		says   []string
	}{
		"not failed over": {func(b *table) { b.item = protected() }, []string{"nothing to reprotect"}},
		"not committed":   {func(b *table) { failsOver(&b.item) }, []string{"waits for its commit", "/failover commit vm-x"}},
		"replicating":     {func(b *table) { b.item.State = failover.StateReplicates }, []string{"initial replication", "/failover list"}},
		"a job runs":      {func(b *table) { b.item.JobID, b.item.Scenario = "/jobs/9", "Commit" }, []string{"A job is already running"}},
		"not offered":     {func(b *table) { b.item.Allowed = nil }, []string{"does not offer SwitchProtection"}},
		"not readable":    {func(b *table) { b.reversal = nil }, []string{"could not be read", "Nothing was started"}},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			b := newTable(t, 1)
			b.inNorth(failover.StateCommitted, "SwitchProtection")
			r.change(b)
			says(t, b.refused(b.command(failover.VerbReprotect, ana)), r.says...)
		})
	}
}

// What it would use has changed since the approval: nothing is started.
func TestReprotectOfSomethingElse(t *testing.T) {
	rows := map[string]func(*failover.Reversal){
		"container": func(r *failover.Reversal) { r.Container = "/c/other" },
		"a disk":    func(r *failover.Reversal) { r.Disks = append(r.Disks, failover.ReversalDisk{ID: "/d/data"}) },
		"full copy": func(r *failover.Reversal) { r.FullCopy = true },
	}
	for name, change := range rows {
		t.Run(name, func(t *testing.T) {
			b := newTable(t, 1)
			b.inNorth(failover.StateCommitted, "SwitchProtection")
			b.must(failover.VerbReprotect, ana)
			b.presses(ben)
			b.reversal = back()
			change(b.reversal)
			b.tell(b.looked())
			b.tell(failover.Observation{})
			b.phase(failover.Failed)
			if f := b.op.Targets[0].Error; f == nil || f.Action == "" || b.op.Note != "Nothing was started." {
				t.Errorf("%+v, %q", f, b.op.Note)
			}
		})
	}
}

// The job is over in minutes and the replication in hours: it is done when the item is protected the other way round, and
// until then it can be left alone.
func TestReprotectFollowsTheItem(t *testing.T) {
	b := newTable(t, 1)
	b.calls(failover.StepReprotect)
	b.accepted(failover.StepReprotect)
	b.item.From, b.item.To, b.item.ID = "north", "west", "/elsewhere"
	steps := []struct {
		state   string
		percent int
		told    string
	}{
		{failover.StateEnabling, 0, "replication is being set up"},
		{failover.StateReplicates, 0, "initial replication to west: 0 %"},
		{failover.StateReplicates, 61, "initial replication to west: 60 %"},
		{failover.StateFirstPoint, 100, "waiting for the first recovery point"},
	}
	for _, s := range steps {
		b.now = b.now.Add(90 * time.Minute) // far longer than an item may lag behind another job
		b.item.State, b.item.Replicated = s.state, s.percent
		b.tell(b.ended())
		says(t, b.op.Targets[0].Progress, s.told)
		if wait, ok := b.next(b.ended()).(failover.Wait); !ok || !wait.Until.Equal(b.now.Add(time.Minute)) {
			t.Errorf("%s is told once and looked at every minute, got %#v", s.told, b.next(b.ended()))
		}
	}
	b.item.State, b.item.From, b.item.To = failover.StateProtected, "west", "north"
	if _, ok := b.next(b.ended()).(failover.Tell); ok {
		t.Error("protected as before is not protected in the other direction")
	}
	b.item.From, b.item.To = "north", "west"
	b.now = b.now.Add(time.Minute)
	seen := b.ended()
	seen.Job.EndedAt = start
	b.tell(seen)
	b.tell(failover.Observation{})
	b.phase(failover.Succeeded)
	if s := b.op.Targets[0].Step(failover.StepReprotect); !s.EndedAt.Equal(b.now) {
		t.Errorf("it ended at %s, want when it was protected", s.EndedAt)
	}
}

// The item stays committed although the job is over: a person has to look.
func TestReprotectThatDoesNotBegin(t *testing.T) {
	b := newTable(t, 1)
	b.calls(failover.StepReprotect)
	b.accepted(failover.StepReprotect)
	seen := b.ended()
	b.now = b.now.Add(failover.SettleWithin + time.Second)
	seen.LookedAt = b.now
	b.tell(seen)
	b.phase(failover.NeedsAttention)
}

// During the replication only Ferry's watching ends, also while Azure does not answer just then.
func TestCancelOfTheReplication(t *testing.T) {
	for _, silent := range []bool{false, true} {
		b := newTable(t, 1)
		b.calls(failover.StepReprotect)
		b.accepted(failover.StepReprotect)
		b.fold(failover.Observed{Target: b.item.Key, Kind: failover.StepReprotect, Note: "initial replication of the metadata"}, "")
		b.refused(b.command(failover.VerbCancel, ana)) // a word of Azure's job is not the replication
		b.item.State = failover.StateReplicates
		b.tell(b.ended())
		if silent {
			seen := b.ended()
			seen.Silent, seen.RetryAt = b.now.Add(-time.Hour), b.now.Add(time.Minute)
			b.tell(seen)
		}
		b.must(failover.VerbCancel, ana)
		b.phase(failover.Cancelled)
		says(t, b.op.Hint, "A replication that has begun goes on in Azure")
	}
}

// The job of a lost call is not shown, but the item has turned round: that is what was wanted.
func TestReprotectWithoutAJob(t *testing.T) {
	b := newTable(t, 1)
	b.calls(failover.StepReprotect)
	b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepReprotect, Why: "reset"}, "")
	turns(&b.item)
	b.tell(b.searched())
	b.tell(failover.Observation{})
	b.phase(failover.Succeeded)
	if b.op.Targets[0].Step(failover.StepReprotect).Warning == "" {
		t.Error("that no job is shown is not told")
	}
}

// Typed for the VM by who decides, `reprotect` is the press of the gate that waits; by who asked it is none.
func TestTypedReprotectIsThePress(t *testing.T) {
	b := newTable(t, 1)
	b.inNorth(failover.StateCommitted, "SwitchProtection")
	b.must(failover.VerbReprotect, ana)
	says(t, b.refused(b.command(failover.VerbReprotect, ana)), "second person")
	says(t, b.refused(b.command(failover.VerbTest, ana)), "name a VM")
	b.must(failover.VerbReprotect, ben)
	b.phase(failover.Running)
	says(t, b.refused(b.command(failover.VerbReprotect, ben)), "name a VM")
}
