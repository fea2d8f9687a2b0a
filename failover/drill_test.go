package failover_test

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// A drill may use a network that the configuration lists as isolated, and no other.
func TestIsolatedNetwork(t *testing.T) {
	const second, twin = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/other", "/subscriptions/s/resourceGroups/rg2/providers/Microsoft.Network/virtualNetworks/VNET-drill"
	rows := []struct {
		name     string
		networks []string
		typed    string
		want     string // the network; else
		kind     failover.RefusalKind
		says     string
	}{
		{name: "none configured", kind: failover.NotAllowed, says: "azure.isolated_networks"},
		{name: "none configured, one typed", typed: isolated, kind: failover.NotAllowed, says: "azure.isolated_networks"},
		{name: "the only one", networks: []string{isolated}, want: isolated},
		{name: "by name", networks: []string{second, isolated}, typed: "Vnet-Drill", want: isolated},
		{name: "by ARM id", networks: []string{twin, isolated}, typed: strings.ToUpper(isolated), want: isolated},
		{name: "several", networks: []string{second, isolated}, kind: failover.BadUsage, says: "--network NAME: other, vnet-drill"},
		{name: "another", networks: []string{isolated}, typed: "prod", kind: failover.NotAllowed, says: "one of: vnet-drill"},
		{name: "another ARM id of the same name", networks: []string{isolated}, typed: twin, kind: failover.NotAllowed, says: "one of: vnet-drill"},
		{name: "twins by name", networks: []string{twin, isolated}, typed: "vnet-drill", kind: failover.BadUsage, says: "ARM id"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			b := newTable(t, 1)
			b.networks = r.networks
			cmd := b.command(failover.VerbTest, ana)
			cmd.Network = r.typed
			refusal := b.try(cmd)
			if r.want == "" {
				if refusal == nil || refusal.Kind != r.kind {
					t.Fatalf("got %v", refusal)
				}
				says(t, refusal.Error(), r.says)
				return
			}
			if refusal != nil {
				t.Fatal(refusal)
			}
			if call := b.does(failover.StepTest, drills); call.Network != r.want || call.Shutdown || call.PointID != "" {
				t.Errorf("call %+v, want the network %s", call, r.want)
			}
		})
	}
}

func TestDrillAndCleanUp(t *testing.T) {
	b := newTable(t, 1)
	b.incident = b.now.Add(-time.Hour) // a drill loses no data
	b.check = &failover.Check{Name: "vm-x", TCP: "vm-x:22"}
	b.must(failover.VerbTest, ana)
	b.phase(failover.Running) // approvals: 0 starts at once
	b.does(failover.StepTest, drills)
	b.tell(failover.Observation{})
	b.phase(failover.Succeeded)
	for verb, by := range map[failover.Verb]failover.Actor{failover.VerbTest: ana, failover.VerbFailover: ana} {
		b.op = failover.Operation{}
		says(t, b.refused(b.command(verb, by)), "A test failover of vm-x has not been cleaned up.", "/failover cleanup vm-x")
	}
	cmd := b.command(failover.VerbCleanup, ana)
	cmd.Notes = "web front answered"
	if refusal := b.try(cmd); refusal != nil {
		t.Fatal(refusal)
	}
	if call := b.does(failover.StepCleanup, cleansUp); call.Notes != cmd.Notes {
		t.Errorf("the notes go with the call: %+v", call)
	}
	b.tell(failover.Observation{})
	b.phase(failover.Succeeded)
	b.op = failover.Operation{}
	says(t, b.refused(b.command(failover.VerbCleanup, ana)), "There is no test failover of vm-x", "/failover test vm-x")
}

// The job is over and the item does not show it: neither a drill nor its clean-up is done by the job's word alone.
func TestDrillIsDoneByTheItem(t *testing.T) {
	for _, kind := range []failover.StepKind{failover.StepTest, failover.StepCleanup} {
		b := newTable(t, 1)
		if kind == failover.StepCleanup {
			drills(&b.item)
		}
		b.must(failover.Verb(kind), ana)
		b.act(b.looked())
		b.accepted(kind)
		if wait, ok := b.next(b.ended()).(failover.Wait); !ok {
			t.Errorf("%s: the item lags, got %#v", kind, wait)
		}
		seen := b.ended()
		b.now = b.now.Add(failover.SettleWithin + time.Second)
		seen.LookedAt = b.now
		b.tell(seen)
		b.phase(failover.NeedsAttention)
	}
}

func TestFailedDrillSaysWhy(t *testing.T) {
	b := newTable(t, 1)
	b.must(failover.VerbTest, ana)
	b.act(b.looked())
	b.accepted(failover.StepTest)
	why := failover.Fault{Code: "28031", Message: "no quota", Cause: "quota", Action: "raise it"}
	b.tell(failover.Observation{Job: failover.Job{ID: "/jobs/1", State: failover.JobFailed, Errors: []failover.Fault{why}}, JobAt: b.now})
	b.tell(failover.Observation{})
	b.phase(failover.Failed)
	if *b.op.Targets[0].Error != why {
		t.Errorf("%+v", b.op.Targets[0].Error)
	}
}

// The answer to a call of each new kind is lost: its job is found by its id, and only jobs that can be it are taken without.
func TestLostAnswersAreFound(t *testing.T) {
	scenarios := map[failover.StepKind]string{
		failover.StepTest: "TestFailover", failover.StepCleanup: "TestFailoverCleanup", failover.StepReprotect: "SwitchReplicationGroupProtection", failover.StepChange: "NeverRecorded",
		failover.StepReprotectAgain: "SwitchReplicationGroupProtection",
	}
	for kind, scenario := range scenarios {
		for _, carries := range []bool{true, false} {
			b := newTable(t, 1)
			call := b.calls(kind)
			ours := failover.Job{ID: "/jobs/9", Scenario: scenario, State: failover.JobInProgress}
			if carries {
				ours.ActivityID = strings.ToUpper(call.ClientRequestID) + " ActivityId: x"
			}
			b.tell(b.searched(failover.Job{ID: "/jobs/8", Scenario: "CommitFailover"}, ours))
			if s := b.op.Targets[0].Step(kind); s.JobID != "/jobs/9" || !s.Adopted || (s.Warning == "") != carries {
				t.Errorf("%s: %+v", kind, s)
			}
		}
	}
}

// calls brings a step to where the call was made, and its answer is not known.
func (b *table) calls(kind failover.StepKind) failover.Call {
	b.t.Helper()
	switch kind {
	case failover.StepCleanup:
		drills(&b.item)
		b.must(failover.VerbCleanup, ana)
	case failover.StepReprotect:
		b.inNorth(failover.StateCommitted, "SwitchProtection")
		b.must(failover.VerbReprotect, ana)
		b.presses(ben)
	case failover.StepChange:
		changing(b)
	case failover.StepCommit:
		b.failedOver()
		b.must(failover.VerbCommit, ben)
	case failover.StepFailover:
		approved(b)
	case failover.StepTest:
		b.must(failover.VerbTest, ana)
	case failover.StepReprotectAgain:
		atHome(b)
		b.presses(ben)
	case failover.StepProbe, failover.StepCheck, failover.StepSurvey, failover.StepResize:
		b.t.Fatalf("a %s calls nothing", kind)
	}
	return b.act(b.looked())
}

// Before Azure has taken the call, cancel wins or loses against the intent. After it, each step says what can be done.
func TestCancelOfEachStep(t *testing.T) {
	under := map[failover.StepKind]string{
		failover.StepFailover:  "not known yet whether Azure took the call",
		failover.StepTest:      "clean it up: /failover cleanup vm-x",
		failover.StepCleanup:   "A clean-up that is under way cannot be stopped.",
		failover.StepReprotect: "A reprotect that is under way cannot be stopped.",
		failover.StepChange:    "A change of the recovery point that is under way cannot be stopped.",
		failover.StepCommit:    "A commit that is under way cannot be stopped.",
	}
	for kind, said := range under {
		t.Run(string(kind), func(t *testing.T) {
			b := newTable(t, 1)
			call := b.calls(kind)
			says(t, b.refused(b.command(failover.VerbCancel, ana)), said)
			b.accepted(kind)
			b.refused(b.command(failover.VerbCancel, ana))

			b = newTable(t, 1)
			b.calls(kind)
			b.fold(failover.StepDelayed{Target: call.Item.Key, Kind: kind, Until: b.now.Add(time.Minute)}, "")
			b.must(failover.VerbCancel, ana)
			b.phase(failover.Cancelled)
			if _, parked := b.next(b.looked()).(failover.Park); !parked {
				t.Errorf("it goes on: %#v", b.next(b.looked()))
			}
		})
	}
}
