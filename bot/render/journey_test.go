package render_test

import (
	"slices"
	"time"

	"ferry/failover"
)

const (
	group   = "/subscriptions/1/resourceGroups/rg-shop"
	network = "/subscriptions/1/resourceGroups/rg-net/providers/Microsoft.Network/virtualNetworks/"
	cache   = "/subscriptions/1/resourceGroups/rg-dr/providers/Microsoft.Storage/storageAccounts/"
)

// of is an item at some point of its journey.
func of(change func(*failover.Item)) failover.Item {
	i := item()
	i.Home, i.RPO, i.Allowed = "West Europe", 42*time.Second, []string{"UnplannedFailover", "TestFailover"}
	change(&i)
	return i
}

// committed is the item after its failover; turned after it is replicated back.
func committed() failover.Item {
	return of(func(i *failover.Item) {
		i.State, i.Active, i.RPO, i.Allowed = failover.StateCommitted, "North Europe", -1, []string{"SwitchProtection", "DisableProtection"}
	})
}

func turned() failover.Item {
	return of(func(i *failover.Item) {
		i.From, i.To, i.Active, i.RPO = "North Europe", "West Europe", "North Europe", 31*time.Second
	})
}

func reversal() *failover.Reversal {
	return &failover.Reversal{
		From: "North Europe", To: "West Europe", ResourceGroup: group, Network: network + "vnet-weu", AvailabilitySet: group + "/providers/Microsoft.Compute/availabilitySets/as-shop",
		Disks: []failover.ReversalDisk{
			{ID: "/d/os", Name: "vm-x-os", Bytes: 127 << 30, Type: "Premium_LRS", Cache: cache + "cacheneu"},
			{ID: "/d/data", Name: "vm-x-data", Bytes: 512 << 30, Type: "StandardSSD_LRS", Cache: cache + "cacheneu"},
		},
		Creates: []string{"replica disk vm-x-os-ASRReplica", "replica disk vm-x-data-ASRReplica"},
	}
}

// wish is a request on vm-x with everything that its approver has to see.
func wish(verb failover.Verb, i failover.Item, change ...func(*failover.Requested)) failover.Requested {
	r := failover.Requested{
		Op: "op-7f3kq2mz", Verb: verb, By: ana(), Plan: failover.Plan{Rule: rule(), CommitBy: rule(), ChangeBy: rule()},
		Targets: []failover.Target{{Item: i, Phase: failover.AwaitingApproval}}, ExpiresAt: start().Add(15 * time.Minute),
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func shows(age time.Duration) func(*failover.Requested) {
	return func(r *failover.Requested) {
		r.Targets[0].Shown = &failover.RecoveryPoint{ID: "p", Time: start().Add(-age)}
		r.Plan.Point = failover.Point{Kind: failover.Latest}
	}
}

func reverses(r *failover.Requested) { r.Targets[0].Reversal = reversal() }

func noApproval(r *failover.Requested) {
	r.Plan.Rule.Approvals, r.Plan.Rule.Approvers, r.ExpiresAt = 0, nil, time.Time{}
}

func drill(r *failover.Requested) { r.Plan.Network = network + "vnet-drill" }

// press is a decision that opens its gate and starts the step.
func (s story) press(after time.Duration, gate failover.Class, step failover.StepKind) story {
	return s.then(after, failover.Decided{Gate: gate, Step: step, By: ben(), Approve: true}, failover.GateOpened{Gate: gate, Step: step})
}

func (s story) calls(step failover.StepKind) story {
	return s.then(time.Second, failover.StepStarted{Target: key, Kind: step, Attempt: 1}, failover.StepAccepted{Target: key, Kind: step, JobID: "/job/" + string(step)})
}

func (s story) done(after time.Duration, step failover.StepKind) story {
	s.now = s.now.Add(after)
	return s.then(0, failover.StepDone{Target: key, Kind: step, EndedAt: s.now})
}

func (s story) ends(phase failover.Phase) story {
	return s.then(0, failover.Finished{Phase: phase})
}

func task(name, state string) failover.Task { return failover.Task{Name: name, State: state} }

// drills are a test failover and its clean-up.
func drills() map[string]story {
	warned := of(func(i *failover.Item) {
		i.Errors = []failover.Fault{{Code: "161011", Message: "No successful test failover."}, {Code: "153007", Message: "Replication of vm-x lags behind", Action: "Check the network of vm-x."}}
	})
	runs := ask(wish(failover.VerbTest, of(func(*failover.Item) {}), shows(42*time.Second), noApproval, drill)).
		then(0, failover.GateOpened{Gate: failover.ClassTest, Step: failover.StepTest}).calls(failover.StepTest)
	runs = runs.then(time.Minute, failover.Observed{Target: key, Kind: failover.StepTest, Tasks: []failover.Task{task("Prerequisites check for test failover", "Succeeded"), task("Create the test virtual machine", "InProgress")}})
	cleans := ask(wish(failover.VerbCleanup, of(func(i *failover.Item) {
		i.TestState, i.Allowed = "WaitingForCompletion", []string{"TestFailoverCleanup"}
	}), func(r *failover.Requested) {
		r.Plan.Notes = "web front answered, login worked"
	}))
	return map[string]story{
		"drill_asked":   ask(wish(failover.VerbTest, warned, shows(42*time.Second), drill)),
		"drill_running": runs,
		"drill_up":      runs.then(2*time.Minute, failover.Observed{Target: key, Kind: failover.StepTest, Tasks: []failover.Task{task("Prerequisites check for test failover", "Succeeded"), task("Create the test virtual machine", "Succeeded")}}).done(time.Minute, failover.StepTest).ends(failover.Succeeded),
		"drill_failed": runs.then(time.Minute, failover.StepFailed{Target: key, Kind: failover.StepTest, Fault: quorumFault()},
			failover.Finished{Phase: failover.Failed, Note: "The test failover of vm-x failed.", Hint: "Mend the cause, then ask again."}),
		"drill_reminded":  runs.done(3*time.Minute, failover.StepTest).ends(failover.Succeeded).then(25*time.Hour, failover.Reminded{Why: "the test VM is still there"}),
		"cleanup_asked":   cleans,
		"cleanup_running": cleans.press(time.Minute, failover.ClassCleanup, failover.StepCleanup).calls(failover.StepCleanup),
		"cleanup_done":    cleans.press(time.Minute, failover.ClassCleanup, failover.StepCleanup).calls(failover.StepCleanup).done(2*time.Minute, failover.StepCleanup).ends(failover.Succeeded),
	}
}

// changes are another recovery point before the commit.
func changes() map[string]story {
	other := failover.RecoveryPoint{ID: "p9", Time: start().Add(-time.Hour), AppConsistent: true}
	asked := failedOver().then(3*time.Minute, failover.ChangeAsked{By: ana(), Point: other})
	runs := asked.press(time.Minute, failover.ClassChange, failover.StepChange).calls(failover.StepChange)
	outside := of(func(i *failover.Item) {
		i.State, i.Allowed, i.LastFailover = failover.StateCommitPending, []string{"Commit", "ChangePit"}, start().Add(-20*time.Minute)
	})
	return map[string]story{
		"change_asked":   asked,
		"change_running": runs,
		"change_done":    runs.done(2*time.Minute, failover.StepChange),
		"change_failed":  runs.then(time.Minute, failover.StepFailed{Target: key, Kind: failover.StepChange, Fault: quorumFault()}),
		"change_outside": ask(wish(failover.VerbChange, outside, func(r *failover.Requested) {
			r.Plan.Point, r.Targets[0].Shown = failover.Point{Kind: failover.ByID, ID: "p9"}, &other
		})).then(0, failover.ChangeAsked{By: ana(), Point: other}),
	}
}

// reprotects are a replication back, with its hours.
func reprotects() map[string]story {
	asked := ask(wish(failover.VerbReprotect, committed(), reverses))
	full := ask(wish(failover.VerbReprotect, committed(), reverses, func(r *failover.Requested) {
		back := reversal()
		back.FullCopy, back.AvailabilitySet, back.Network, back.Zone = true, "", "", "2"
		r.Targets[0].Reversal, r.Reason = back, "home by Friday"
	}))
	runs := asked.press(time.Minute, failover.ClassReprotect, failover.StepReprotect).calls(failover.StepReprotect)
	job := []failover.Task{task("Switch the replication direction", "Succeeded"), task("Enable replication", "Succeeded")}
	copying := runs.then(9*time.Minute, failover.Observed{Target: key, Kind: failover.StepReprotect, Tasks: job, Note: "initial replication to West Europe: 42 %", JobEnded: true})
	several := ask(wish(failover.VerbReprotect, committed(), reverses, func(r *failover.Requested) {
		other := r.Targets[0]
		other.Item.Key, other.Item.Name = "77aa", "vm-y"
		r.Targets = append(r.Targets, other)
	}))
	half := several.press(time.Minute, failover.ClassReprotect, failover.StepReprotect).calls(failover.StepReprotect).
		then(9*time.Minute, failover.Observed{Target: key, Kind: failover.StepReprotect, Tasks: job, Note: "initial replication to West Europe: 42 %", JobEnded: true}).
		then(time.Second, failover.StepStarted{Target: "77aa", Kind: failover.StepReprotect, Attempt: 1}).
		then(time.Hour, failover.StepDone{Target: "77aa", Kind: failover.StepReprotect, EndedAt: start().Add(time.Hour)})
	return map[string]story{
		"reprotect_several":      several,
		"reprotect_several_half": half,
		"reprotect_several_done": half.done(time.Hour, failover.StepReprotect).ends(failover.Succeeded),
		"reprotect_asked":        asked,
		"reprotect_asked_all":    full,
		"reprotect_running":      runs,
		"reprotect_copying":      copying,
		"reprotect_done":         copying.done(2*time.Hour, failover.StepReprotect).ends(failover.Succeeded),
	}
}

// homeward is the way home at each of its gates.
func homeward() map[string]story {
	asked := ask(wish(failover.VerbFailback, committed(), reverses, func(r *failover.Requested) {
		r.Plan.First, r.Plan.Shutdown, r.Plan.Point = failover.StepReprotect, true, failover.Point{Kind: failover.Latest}
		r.Targets[0].Check = &failover.Check{Name: "shop", HTTP: "http://vm-x/healthz"}
	}))
	copying := asked.press(time.Minute, failover.ClassFailback, failover.StepReprotect).calls(failover.StepReprotect).
		then(9*time.Minute, failover.Observed{Target: key, Kind: failover.StepReprotect, Note: "initial replication to West Europe: 42 %", JobEnded: true})
	unread := copying.done(2*time.Hour, failover.StepReprotect)
	blocked := unread.then(time.Minute, failover.Observed{Target: key, Kind: failover.StepFailover, Note: "A job is already running on vm-x: DisableProtection. Wait for it, then ask again; /failover jobs shows it."})
	ready := unread.then(time.Minute, failover.Prepared{Target: key, Item: turned(), Shown: &failover.RecoveryPoint{ID: "p", Time: unread.now.Add(20 * time.Second)}, Digest: "d1"}, failover.Parked{})
	back := ready.press(26*time.Hour, failover.ClassFailback, failover.StepFailover).calls(failover.StepFailover)
	failed := back.then(3*time.Minute, failover.StepFailed{Target: key, Kind: failover.StepFailover, Fault: quorumFault()})
	mended := failed.then(20*time.Second, failover.Prepared{Target: key, Item: turned(), Shown: &failover.RecoveryPoint{ID: "p", Time: failed.now}, Digest: "d3"}, failover.Parked{})
	probing := back.then(4*time.Minute, failover.StepDone{Target: key, Kind: failover.StepFailover, PointUsed: back.now.Add(-25 * time.Second), EndedAt: back.now.Add(4 * time.Minute)})
	checked := func(o failover.CheckOutcome, detail string) story {
		s := probing.then(time.Minute)
		return s.then(0, failover.Checked{Target: key, Result: failover.CheckResult{Name: "shop", Outcome: o, Detail: detail, At: s.now}}, failover.StepDone{Target: key, Kind: failover.StepProbe, EndedAt: s.now})
	}
	check := checked(failover.CheckPassed, "200 OK")
	commit := check.press(10*time.Minute, failover.ClassFailback, failover.StepCheck).done(0, failover.StepCheck)
	final := commit.press(time.Minute, failover.ClassCommit, failover.StepCommit).calls(failover.StepCommit).done(20*time.Second, failover.StepCommit)
	atHome := of(func(i *failover.Item) {
		i.From, i.To, i.Active, i.State = "North Europe", "West Europe", "West Europe", failover.StateCommitted
		i.Allowed, i.RPO = []string{"SwitchProtection", "DisableProtection"}, -1
	})
	again := final.then(20*time.Second, failover.Prepared{Target: key, Item: atHome, Reversal: &failover.Reversal{
		From: "West Europe", To: "North Europe", ResourceGroup: group + "-dr", Network: network + "vnet-neu", Disks: reversal().Disks, Creates: reversal().Creates,
	}, Digest: "d2"}, failover.Parked{})
	protected := again.press(time.Hour, failover.ClassFailback, failover.StepReprotectAgain).calls(failover.StepReprotectAgain).done(3*time.Hour, failover.StepReprotectAgain)
	left := []failover.Leftover{{Kind: "virtual machine", Name: "vm-x"}, {Kind: "disk", Name: "vm-x-os-neu"}, {Kind: "network interface", Name: "vm-x-nic"}, {Kind: "cache storage account", Name: "cacheneu"}}
	return map[string]story{
		"failback_asked":        asked,
		"failback_copying":      copying,
		"failback_preparing":    unread,
		"failback_blocked":      blocked,
		"failback_ready":        ready,
		"failback_running":      back,
		"failback_failed":       failed,
		"failback_pressable":    mended,
		"failback_reminded":     ready.then(48*time.Hour, failover.Reminded{Why: "the failover waits"}),
		"failback_asking":       probing,
		"failback_check":        check,
		"failback_check_failed": checked(failover.CheckFailed, "connection refused"),
		"failback_check_silent": checked(failover.CheckNoData, "no answer within 5 s"),
		"failback_commit":       commit,
		"failback_again":        again,
		"failback_home":         protected.then(0, failover.Surveyed{Target: key, Leftovers: left}, failover.StepDone{Target: key, Kind: failover.StepSurvey}).ends(failover.Succeeded),
		"failback_home_unread": protected.then(0, failover.Surveyed{Target: key, Note: "What is left in North Europe could not be read: look there for the VM, its network interfaces and disks."},
			failover.StepDone{Target: key, Kind: failover.StepSurvey}).ends(failover.Succeeded),
		"failback_left": ready.then(time.Hour, failover.Finished{Phase: failover.Cancelled, Note: "Ended by ana. The VM stays as it is in Azure.", Hint: "To go on later, type /failover failback vm-x."}),
	}
}

// rest is what belongs to no VM, and what somebody did outside Ferry.
func rest() map[string]story {
	declared := ask(failover.Requested{Op: "op-7f3kq2mz", Verb: failover.VerbIncident, By: ana(), Reason: "ransomware on the file share", Plan: failover.Plan{Point: failover.Point{Kind: failover.AtTime, Time: start().Add(-20 * time.Minute)}, Rule: rule()}})
	forced := requested()
	forced.Plan.Forced = true
	checked := failedOver()
	checked.op.Targets = slices.Clone(checked.op.Targets)
	checked.op.Targets[0].Checked = []failover.CheckResult{{Name: "shop", Outcome: failover.CheckFailed, Detail: "connection refused", At: checked.now}}
	late := func(s story, gate failover.Class) story {
		s = s.then(40*time.Second, failover.Decided{Gate: gate, By: ben(), Approve: true}, failover.GateOpened{Gate: gate})
		why := "No executor began it within 10 minutes of the approval at " + s.now.Format("15:04 UTC")
		return s.then(6*time.Hour, failover.Claimed{Executor: "executor-1"}, failover.Lapsed{Step: failover.StepKind(gate), Why: why, ExpiresAt: s.now.Add(6*time.Hour + 15*time.Minute)})
	}
	return map[string]story{
		"awaiting_approval_lapsed":     late(ask(requested()), failover.ClassFailover),
		"awaiting_commit_lapsed":       late(failedOver(), failover.ClassCommit),
		"incident_declared":            declared,
		"incident_over":                declared.then(4*time.Hour, failover.Finished{Phase: failover.Succeeded, Note: "Ended by ben: all clear."}),
		"awaiting_approval_forced":     ask(forced),
		"awaiting_commit_check_failed": checked,
		"succeeded_outside": failedOver().then(time.Hour, failover.StepDone{Target: key, Kind: failover.StepCommit, Outside: true},
			failover.Finished{Phase: failover.Succeeded, Note: "Committed outside Ferry."}),
	}
}
