package render_test

import (
	"maps"
	"slices"
	"time"

	"ferry/failover"
)

// start is when the story of every scenario begins.
func start() time.Time { return time.Date(2026, 11, 23, 12, 3, 52, 0, time.UTC) }

// story folds facts one by one, as a bot that follows the stream does.
type story struct {
	op  failover.Operation
	now time.Time
	seq uint64
}

func (s story) then(after time.Duration, facts ...failover.Fact) story {
	s.now = s.now.Add(after)
	for _, f := range facts {
		s.seq++
		s.op = failover.Evolve(s.op, failover.Record{Fact: f, At: s.now, Seq: s.seq})
	}
	return s
}

const key = "4f1c"

func ana() failover.Actor { return failover.Actor{ID: "U0ANA", Name: "ana"} }
func ben() failover.Actor { return failover.Actor{ID: "U0BEN", Name: "ben"} }

func item() failover.Item {
	return failover.Item{
		ID: "/Subscriptions/1/vm-x", Key: key, Name: "vm-x", Vault: "vault-neu", ResourceGroup: "rg-shop",
		From: "West Europe", To: "North Europe", Active: "West Europe", State: failover.StateProtected, Health: "Normal",
		RPO: 42 * time.Second, Allowed: []string{"UnplannedFailover", "TestFailover"},
	}
}

func rule() failover.Rule {
	return failover.Rule{May: []string{"operator"}, Approvals: 1, Approvers: []string{"approver"}, Expires: 15 * time.Minute}
}

func requested() failover.Requested {
	shown := failover.RecoveryPoint{ID: "p1", Time: start().Add(-42 * time.Second)}
	return failover.Requested{
		Op: "op-7f3kq2mz", Verb: failover.VerbFailover, By: ana(), Reason: "disk errors, INC-4711",
		Plan:      failover.Plan{Point: failover.Point{Kind: failover.Latest}, Shutdown: true, Rule: rule(), CommitBy: rule(), ChangeBy: rule(), Digest: "3f9ac01d5e7b2c48"},
		Expected:  failover.Expected{Seconds: 240},
		Targets:   []failover.Target{{Item: item(), Phase: failover.AwaitingApproval, Shown: &shown}},
		ExpiresAt: start().Add(15 * time.Minute),
	}
}

// tasks are those of an unplanned failover; the first n are done, the next one runs, each takes 20 s from start.
func tasks(from time.Time, n int) []failover.Task {
	names := []string{"Prerequisites check for failover", "Shut down the virtual machine", "Synchronizing the latest changes", "Start failover", "Start the replica virtual machine"}
	var all []failover.Task
	for i, name := range names {
		t := failover.Task{Name: name, State: "NotStarted"}
		begin := from.Add(time.Duration(i) * 20 * time.Second)
		if i < n {
			t.State, t.StartedAt, t.EndedAt = "Succeeded", begin, begin.Add(20*time.Second)
		} else if i == n {
			t.State, t.StartedAt = "InProgress", begin
		}
		all = append(all, t)
	}
	return all
}

func ask(req failover.Requested) story { return story{now: start()}.then(0, req) }

func approved() story {
	return ask(requested()).then(40*time.Second,
		failover.Decided{Gate: failover.ClassFailover, By: ben(), Approve: true},
		failover.GateOpened{Gate: failover.ClassFailover},
		failover.Claimed{Executor: "executor-1"},
		failover.StepStarted{Target: key, Kind: failover.StepFailover, Attempt: 1})
}

func accepted() story {
	return approved().then(2*time.Second, failover.StepAccepted{Target: key, Kind: failover.StepFailover, JobID: "/job/1"})
}

func halfway() story {
	s := accepted()
	return s.then(50*time.Second, failover.Observed{Target: key, Kind: failover.StepFailover, Tasks: tasks(s.now, 2)})
}

func failedOver() story {
	s := accepted()
	return s.then(100*time.Second,
		failover.StepDone{Target: key, Kind: failover.StepFailover, PointUsed: start().Add(-2 * time.Second), EndedAt: s.now.Add(99 * time.Second), Tasks: tasks(s.now, 5)},
		failover.Parked{})
}

func committing() story {
	return failedOver().then(5*time.Minute,
		failover.Decided{Gate: failover.ClassCommit, By: ben(), Approve: true},
		failover.GateOpened{Gate: failover.ClassCommit},
		failover.StepStarted{Target: key, Kind: failover.StepCommit, Attempt: 1})
}

// released is a request with its approval, before anything is called.
func released() story {
	return ask(requested()).then(40*time.Second, failover.Decided{Gate: failover.ClassFailover, By: ben(), Approve: true}, failover.GateOpened{Gate: failover.ClassFailover})
}

// stricter is the rule after somebody has tightened it.
func stricter() *failover.Rule {
	r := rule()
	r.Approvals, r.TerminalApprovals = 2, 1
	return &r
}

func quorumFault() failover.Fault {
	return failover.Fault{
		Code: "150097", Message: "The target has no capacity for Standard_D4s_v5",
		Cause: "The region North Europe has no capacity left for this size.", Action: "Choose another size for vm-x in Compute and Network, then fail over again.",
	}
}

// scenarios are every phase, and the states within one that read differently.
func scenarios() map[string]story {
	unhealthy := requested()
	unhealthy.Targets = slices.Clone(unhealthy.Targets)
	unhealthy.Targets[0].Item.Health = "Critical"
	unhealthy.Targets[0].Item.Errors = []failover.Fault{{Code: "153007", Message: "Replication of vm-x lags behind", Action: "Check the network of vm-x."}}
	unhealthy.Plan.Shutdown, unhealthy.By = false, failover.Actor{ID: "cli:local"}
	pinned := requested()
	pinned.Plan.Point = failover.Point{Kind: failover.ByID, ID: "6c2f0a52-0000-0000-0000-000000000001"}
	pinned.Targets = slices.Clone(pinned.Targets)
	pinned.Targets[0].Shown = &failover.RecoveryPoint{ID: "x", Time: start().Add(-26 * time.Hour), AppConsistent: true}
	outside := failover.Requested{
		Op: "op-7f3kq2mz", Verb: failover.VerbCommit, By: ana(), Plan: failover.Plan{Rule: rule(), CommitBy: rule()},
		Targets: []failover.Target{{Item: item(), Phase: failover.AwaitingCommit}},
	}
	all := map[string]story{
		"awaiting_approval":           ask(requested()),
		"awaiting_approval_unhealthy": ask(unhealthy),
		"awaiting_approval_pinned":    ask(pinned),
		"awaiting_approval_expired":   ask(requested()).then(16 * time.Minute),
		"running":                     halfway(),
		"running_unknown":             approved().then(30*time.Second, failover.StepUnknown{Target: key, Kind: failover.StepFailover, Why: "the connection was cut"}),
		"running_called_again": approved().then(30*time.Second, failover.StepUnknown{Target: key, Kind: failover.StepFailover, Why: "the connection was cut"}).
			then(3*time.Minute, failover.StepStarted{Target: key, Kind: failover.StepFailover, Attempt: 2, ClientRequestID: "2"}, failover.StepAccepted{Target: key, Kind: failover.StepFailover, JobID: "/job/2"}),
		"running_delayed": approved().then(time.Second, failover.StepDelayed{
			Target: key, Kind: failover.StepFailover, Until: start().Add(time.Minute), Fault: failover.Fault{Message: "too many requests."},
		}),
		"awaiting_commit":         failedOver(),
		"awaiting_commit_asked":   failedOver().then(time.Minute, failover.CommitAsked{By: ana()}),
		"awaiting_commit_outside": ask(outside),
		"awaiting_commit_failed":  committing().then(time.Minute, failover.StepFailed{Target: key, Kind: failover.StepCommit, Fault: failover.Fault{Message: "Another operation is in progress on the item", Action: "Wait for it."}}),
		"committing":              committing().then(2*time.Second, failover.StepAccepted{Target: key, Kind: failover.StepCommit, JobID: "/job/2"}),
		"needs_attention":         approved().then(4*time.Minute, failover.Stuck{Target: key, Why: "Azure gave no answer to the call and shows no job for it.", Hint: "Look at vm-x in the portal; then type /failover cancel op-7f3kq2mz and ask again."}),
		"succeeded": committing().then(20*time.Second,
			failover.StepDone{Target: key, Kind: failover.StepCommit, EndedAt: start().Add(8 * time.Minute)}, failover.Finished{Phase: failover.Succeeded}),
		"failed": halfway().then(time.Minute, failover.StepFailed{Target: key, Kind: failover.StepFailover, Fault: quorumFault()},
			failover.Finished{Phase: failover.Failed, Note: "The failover of vm-x failed.", Hint: "Azure may have shut down what failed: look first whether it runs. Mend the cause, then ask again."}),
		"failed_voided": released().then(time.Second, failover.StepFailed{
			Target: key, Kind: failover.StepFailover,
			Fault:   failover.Fault{Message: "The newest recovery point is now of 2026-11-23 11:58 UTC, older than the one of 2026-11-23 12:03 UTC that was approved.", Action: "Ask again: the approval was for newer data."},
			Changed: []failover.Difference{{Field: "recovery point", Approved: "of 2026-11-23 12:03 UTC", Now: "of 2026-11-23 11:58 UTC"}},
		}, failover.Finished{Phase: failover.Failed, Note: "Nothing was started.", Hint: "To have it approved as it is now, type /failover vm-x."}),
		"awaiting_approval_stricter": released().then(time.Second, failover.Lapsed{
			Step: failover.StepFailover, Why: "the rule that applies now wants 2 approvals, and it has 1 approval", ExpiresAt: start().Add(16 * time.Minute), Rule: stricter(),
			Changed: []failover.Difference{{Field: "approvals", Approved: "1", Now: "2"}, {Field: "approvals from a terminal", Approved: "0", Now: "1"}},
		}),
		"denied": ask(requested()).then(time.Minute, failover.Decided{Gate: failover.ClassFailover, By: ben(), Reason: "wrong VM"},
			failover.Finished{Phase: failover.Denied, Note: "Denied by ben: wrong VM. Nothing was started."}),
		"expired":   ask(requested()).then(15*time.Minute, failover.Finished{Phase: failover.Expired, Note: "Nobody decided in time. Nothing was started.", Hint: "Ask again if it is still wanted."}),
		"withdrawn": ask(requested()).then(time.Minute, failover.Finished{Phase: failover.Cancelled, Note: "Withdrawn by ana. Nothing was started."}),
		"cancelled": failedOver().then(time.Hour, failover.Finished{Phase: failover.Cancelled, Note: "Ended by ben. The VM stays as it is in Azure.", Hint: "To make a failover final later, type /failover commit VM."}),
	}
	for _, more := range []map[string]story{drills(), changes(), reprotects(), homeward(), rest(), emergencies(), sized()} {
		maps.Copy(all, more)
	}
	return all
}
