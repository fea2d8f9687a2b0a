package failover_test

import (
	"slices"
	"strings"
	"testing"

	"ferry/failover"
)

// Each row changes one thing between the approval and the call. Nothing is called; what was approved and what is there now
// stand side by side. What is shown and does not bind changes nothing.
func TestWhatVoidsAnApproval(t *testing.T) {
	const state = failover.StateProtected
	reprotect := func(b *table) {
		b.inNorth(failover.StateCommitted, "SwitchProtection")
		b.must(failover.VerbReprotect, ana)
		b.presses(ben)
		copied := *back()
		copied.Disks = slices.Clone(copied.Disks)
		b.reversal = &copied
	}
	reversal := func(change func(*failover.Reversal)) func(*table) {
		return func(b *table) { change(b.reversal) }
	}
	explicit := func(b *table) {
		cmd := b.command(failover.VerbFailover, ana)
		cmd.Point = failover.Point{Kind: failover.ByID, ID: second}
		if refusal := b.try(cmd); refusal != nil {
			b.t.Fatal(refusal)
		}
		b.must(failover.VerbApprove, ben)
	}
	drill := func(b *table) { b.must(failover.VerbTest, ana) }
	cleanup := func(b *table) {
		b.item.TestState, b.item.Allowed = "TestFailoverCompleted", []string{"TestFailoverCleanup"}
		b.must(failover.VerbCleanup, ana)
	}
	change := func(b *table) {
		b.failedOver()
		b.asks(ben, second) // which is the press
	}
	commit := func(b *table) {
		b.failedOver()
		b.fold(failover.StepDone{Target: b.item.Key, Kind: failover.StepChange, Point: "p1", Outside: true}, "")
		b.item.Point = "p1"
		b.must(failover.VerbCommit, ben)
	}
	diff := func(field, approved, now string) []failover.Difference {
		return []failover.Difference{{Field: field, Approved: approved, Now: now}}
	}
	const shown, explicitly = "of 2026-11-23 02:59 UTC", "of 2026-11-23 01:55 UTC, application-consistent"
	for _, row := range []struct {
		name          string
		reach, change func(*table)
		want          []failover.Difference // nil: it goes on
		phase         failover.Phase        // after the difference was told
	}{
		{name: "state", reach: approved, change: func(b *table) { b.item.State = failover.StateCommitPending }, want: diff("state", state, failover.StateCommitPending)},
		{name: "direction", reach: approved, change: func(b *table) { b.item.From, b.item.To = "north", "west" }, want: diff("direction", "west to north", "north to west")},
		{name: "an older point than the one shown", reach: approved, change: func(b *table) { b.points = b.points[:1] }, want: diff("recovery point", shown, "of 2026-11-23 02:50 UTC")},
		{name: "a newer point than the one shown", reach: approved, change: func(b *table) {
			b.points = append(b.points, failover.RecoveryPoint{ID: "/p/4", Time: start})
		}},
		{name: "no point at all", reach: approved, change: func(b *table) { b.points = nil }, want: diff("recovery point", shown, "none")},
		{name: "the explicit point is gone", reach: explicit, change: func(b *table) { b.points = b.points[:2] }, want: diff("recovery point", explicitly, "none")},
		{name: "a drill is open", reach: approved, change: func(b *table) { b.item.TestState = "TestFailoverCompleted" }, want: diff("test failover", "none", "open")},
		{name: "health", reach: approved, change: func(b *table) { b.item.Health, b.item.RPO = "Critical", 1e12 }},
		{name: "drill: state", reach: drill, change: func(b *table) { b.item.State = failover.StateCommitted }, want: diff("state", state, failover.StateCommitted)},
		{name: "clean-up: there is nothing", reach: cleanup, change: func(b *table) { b.item.TestState = "None" }, want: diff("test failover", "open", "none")},
		{name: "clean-up: state", reach: cleanup, change: func(b *table) { b.item.State = failover.StateCommitPending }, want: diff("state", state, failover.StateCommitPending)},
		{name: "change: the point is gone", reach: change, change: func(b *table) { b.points = b.points[:2] }, want: diff("recovery point", explicitly, "none"), phase: failover.AwaitingCommit},
		{name: "change: state", reach: change, change: func(b *table) { b.item.State = failover.StateProtected }, want: diff("state", failover.StateCommitPending, failover.StateProtected), phase: failover.AwaitingCommit},
		{name: "commit: other data", reach: commit, change: func(b *table) { b.item.Point = "p2" }, want: diff("recovery point in use", "as the card shows it", "another, p2"), phase: failover.AwaitingCommit},
		{name: "commit: state", reach: commit, change: func(b *table) { b.item.State = failover.StateProtected }, want: diff("state", failover.StateCommitPending, failover.StateProtected), phase: failover.AwaitingCommit},
		{name: "reprotect: state", reach: reprotect, change: func(b *table) { b.item.State = failover.StateReplicates }, want: diff("state", failover.StateCommitted, failover.StateReplicates)},
		{name: "reprotect: direction", reach: reprotect, change: reversal(func(r *failover.Reversal) { r.To = "south" }), want: diff("direction", "north to west", "north to south")},
		{name: "reprotect: container", reach: reprotect, change: reversal(func(r *failover.Reversal) { r.Container = "/c/other" }), want: diff("container", "/c/west", "/c/other")},
		{name: "reprotect: policy", reach: reprotect, change: reversal(func(r *failover.Reversal) { r.Policy = "/p" }), want: diff("replication policy", "none", "/p")},
		{name: "reprotect: resource group", reach: reprotect, change: reversal(func(r *failover.Reversal) { r.ResourceGroup = "rg2" }), want: diff("resource group", "rg", "rg2")},
		{name: "reprotect: network", reach: reprotect, change: reversal(func(r *failover.Reversal) { r.Network = "/n" }), want: diff("network", "none", "/n")},
		{name: "reprotect: availability set", reach: reprotect, change: reversal(func(r *failover.Reversal) { r.AvailabilitySet = "/a" }), want: diff("availability set", "none", "/a")},
		{name: "reprotect: zone", reach: reprotect, change: reversal(func(r *failover.Reversal) { r.Zone = "2" }), want: diff("zone", "none", "2")},
		{name: "reprotect: full copy", reach: reprotect, change: reversal(func(r *failover.Reversal) { r.FullCopy = true }), want: diff("full copy", "no", "yes")},
		{name: "reprotect: what it creates", reach: reprotect, change: reversal(func(r *failover.Reversal) { r.Creates = []string{"a disk"} }), want: diff("creates", "none", "a disk")},
		{name: "reprotect: a disk more", reach: reprotect, change: reversal(func(r *failover.Reversal) {
			r.Disks = append(r.Disks, failover.ReversalDisk{ID: "/d/data", Name: "data"})
		}), want: diff("disk data", "none", "/d/data, 0 bytes, type , by ")},
		{name: "reprotect: another cache", reach: reprotect, change: reversal(func(r *failover.Reversal) { r.Disks[0].Cache = "/s" }), want: diff("disk os", "/d/os, 68719476736 bytes, type , by ", "/d/os, 68719476736 bytes, type , by /s")},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newTable(t, 1)
			row.reach(b)
			row.change(b)
			e := b.next(b.looked())
			if act, acts := e.(failover.Act); acts != (row.want == nil) {
				t.Fatalf("next is %#v %#v", e, act.Call)
			} else if acts {
				return
			}
			b.tell(b.looked())
			if got := b.op.Targets[0].Changed; !slices.Equal(got, row.want) {
				t.Errorf("shows %q\nwant  %q", got, row.want)
			}
			if f := b.op.Targets[0].Error; f == nil || f.Action == "" {
				t.Errorf("does not say what to do: %+v", f)
			}
			if row.phase == "" { // the first step: nothing was started, and the request has to be made anew
				row.phase = failover.Failed
				b.tell(failover.Observation{})
				if b.op.Note != "Nothing was started." || !strings.HasPrefix(b.op.Hint, "To have it approved as it is now, type /failover ") {
					t.Errorf("ends with %q %q", b.op.Note, b.op.Hint)
				}
			}
			b.phase(row.phase)
		})
	}
}

// A rule that wants more shows what it wants now.
func TestDifferenceOfARule(t *testing.T) {
	b := newTable(t, 1)
	approved(b)
	r := &b.policy.Rules[0]
	r.Approvals, r.TerminalApprovals, r.Approvers, r.May, r.SelfApproval = 2, 1, []string{"lead"}, []string{"operator", "lead"}, true
	b.tell(b.looked())
	b.phase(failover.AwaitingApproval)
	want := []failover.Difference{
		{Field: "approvals", Approved: "1", Now: "2"},
		{Field: "approvals from a terminal", Approved: "0", Now: "1"},
		{Field: "who approves", Approved: "approver", Now: "lead"},
		{Field: "who asks may approve", Approved: "no", Now: "yes"},
		{Field: "who may ask", Approved: "operator", Now: "operator, lead"},
	}
	if got := b.op.Lapsed.Changed; !slices.Equal(got, want) {
		t.Errorf("shows %q\nwant  %q", got, want)
	}
}

// A recovery plan is approved with its VMs, their order, their states and their direction.
func TestDifferenceOfARecoveryPlan(t *testing.T) {
	web := failover.ItemKey("/vaults/v", "web")
	for name, row := range map[string]struct {
		change func(*running)
		want   failover.Difference
	}{
		"order": {func(r *running) { slices.Reverse(r.seen.Recovery.Groups) }, failover.Difference{Field: "VMs of the plan, in order", Approved: "sql, app, web", Now: "app, web, sql"}},
		"state": {func(r *running) {
			i := r.seen.Members[web]
			i.State = failover.StateCommitPending
			r.seen.Members[web] = i
		}, failover.Difference{Field: "state of web", Approved: failover.StateProtected, Now: failover.StateCommitPending}},
		"direction": {func(r *running) {
			i := r.seen.Members[web]
			i.From, i.To = i.To, i.From
			r.seen.Members[web] = i
		}, failover.Difference{Field: "direction of web", Approved: "west to north", Now: "north to west"}},
	} {
		r := approvedShop(t)
		row.change(r)
		tell, ok := r.next().(failover.Tell)
		if !ok {
			t.Fatalf("%s: %#v", name, r.next())
		}
		if f, ok := tell.Facts[0].(failover.StepFailed); !ok || !slices.Equal(f.Changed, []failover.Difference{row.want}) {
			t.Errorf("%s: shows %+v", name, tell.Facts[0])
		}
	}
}
