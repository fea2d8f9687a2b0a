package bot_test

import (
	"strings"
	"testing"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// many is a request for three VMs of a group, as it was opened at noon; the changes are made to the operation.
func many(change ...func(*failover.Operation)) failover.Operation {
	return request(append([]func(*failover.Operation){func(o *failover.Operation) {
		o.Plan.Fleet = &failover.Fleet{Name: "checkout", Waves: []failover.Wave{{}, {After: []int{1}}}}
		o.Targets = nil
		for i, name := range []string{"sql-01", "app-01", "app-02"} {
			o.Targets = append(o.Targets, failover.Target{Item: failover.Item{Key: name, Name: name, Vault: "v"}, Phase: failover.AwaitingApproval, Wave: min(i, 1) + 1})
		}
	}}, change...)...)
}

// under way: the first VM runs, the others have yet to begin.
func underWay(o *failover.Operation) {
	o.Phase = failover.Running
	for i := range o.Targets {
		o.Targets[i].Phase, o.Targets[i].Doing = failover.Running, failover.StepFailover
	}
	o.Targets[0].Steps = []failover.Step{{Kind: failover.StepFailover, Attempt: 1, State: failover.StateAccepted}}
}

func failedOne(o *failover.Operation) {
	underWay(o)
	o.Targets[0].Phase, o.Targets[0].Steps[0].State = failover.Failed, failover.StateFailed
}

// What people are told who ask for several VMs at once, and steer what they asked for.
func TestAnswersAboutMany(t *testing.T) {
	row := func(o *failover.Operation) { o.Plan.Fleet = &failover.Fleet{Waves: []failover.Wave{{}}} }
	leftOut := func(o *failover.Operation) { o.Plan.LeftOut = "web-01 is held by op-aaaaaaaa." }
	held := func(o *failover.Operation) { o.OnHold = &failover.OnHold{At: noon()} }
	up := func(o *failover.Operation) {
		o.Phase = failover.AwaitingCommit
		for i := range o.Targets {
			o.Targets[i].Phase = failover.AwaitingCommit
		}
		o.Targets[2].Phase = failover.Cancelled
	}
	committing := func(o *failover.Operation) {
		up(o)
		for i := range o.Targets[:2] {
			o.Targets[i].Phase, o.Targets[i].Doing = failover.Running, failover.StepCommit
		}
	}
	at := func(o *failover.Operation) {
		o.Plan.Point = failover.Point{Kind: failover.AtTime, Time: noon().Add(-time.Hour)}
	}
	group := failover.Command{Verb: failover.VerbGroup, Target: "checkout"}
	timed := group
	timed.Point = failover.Point{Kind: failover.AtTime, Time: noon().Add(-time.Hour)}
	steer := func(v failover.Verb, vm string) failover.Command {
		return failover.Command{Verb: v, Op: anOp, Target: vm}
	}
	for name, row := range map[string]struct {
		cmd  failover.Command
		op   failover.Operation
		did  failover.Did
		want string // behind "op-7f3kq2mz"
	}{
		"a group":           {group, many(leftOut), failover.DidRequest, "to their latest recovery points waits for approval by the role approver until 2026-11-23 12:15 UTC. They go in 2 waves. Left out: web-01 is held by op-aaaaaaaa. See the card in the channel."},
		"a group of a time": {timed, many(at), failover.DidStart, "to their newest recovery points not later than 2026-11-23 11:00 UTC has started. They go in 2 waves. Follow it on the card in the channel."},
		"a row":             {failover.Command{Verb: failover.VerbGroup, Row: true, Target: "sql-01 app-01 app-02"}, many(row), failover.DidRequest, "failover of 3 VMs to their latest recovery points waits for approval by the role approver until 2026-11-23 12:15 UTC. VMs: sql-01, app-01, app-02. See the card in the channel."},
		"hold":              {steer(failover.VerbHold, ""), many(underWay, held), failover.DidHold, "is on hold: 1 VM is under way and goes on, 2 have yet to begin. To let it go on, type /failover resume op-7f3kq2mz."},
		"hold of one":       {steer(failover.VerbHold, ""), request(held), failover.DidHold, "is on hold: what Azure has begun goes on, and nothing more begins. To let it go on, type /failover resume op-7f3kq2mz."},
		"resume":            {steer(failover.VerbResume, ""), many(underWay), failover.DidResume, "goes on with 2 VMs that have yet to begin."},
		"resume, failed":    {steer(failover.VerbResume, ""), many(failedOne), failover.DidResume, "goes on with 2 VMs that have yet to begin. sql-01 failed and holds the others back no more; to try again, type /failover retry op-7f3kq2mz."},
		"skip":              {steer(failover.VerbSkip, "v/APP-02"), many(underWay, func(o *failover.Operation) { o.Targets[2].Phase = failover.Cancelled }), failover.DidSkip, "app-02 is left out of op-7f3kq2mz and stays as it is in Azure. 2 VMs are left in it."},
		"skip what is up": {steer(failover.VerbSkip, "app-02"), many(up, func(o *failover.Operation) {
			o.Targets[2].Steps = []failover.Step{{Kind: failover.StepFailover, Attempt: 1, State: failover.StateDone}}
		}), failover.DidSkip, "app-02 is left out of op-7f3kq2mz and stays failed over, not committed; once op-7f3kq2mz is over, /failover commit app-02 makes that final. 2 VMs are left"},
		"skip the last": {steer(failover.VerbSkip, "app-02"), many(up), failover.DidSkip, "app-02 is left out of op-7f3kq2mz and stays as it is in Azure. 2 VMs are left in it. It now waits for its commit by the role approver."},
		"retry":         {steer(failover.VerbRetry, ""), many(underWay), failover.DidRetry, "What failed of op-7f3kq2mz is tried once more. Follow it on the card in the channel."},
		"retry on hold": {steer(failover.VerbRetry, "sql-01"), many(underWay, held), failover.DidRetry, "sql-01 is tried once more in op-7f3kq2mz. The operation is on hold, so it begins when somebody types /failover resume op-7f3kq2mz."},
		"commit":        {steer(failover.VerbCommit, ""), many(committing), failover.DidOpenGate, "The commit of 2 of "},
		"cancel":        {steer(failover.VerbCancel, ""), many(up), failover.DidCancel, "op-7f3kq2mz is ended. Its VMs stay as they are in Azure."},
	} {
		got := bot.AnswerTo(row.cmd, row.op, failover.Answer{Did: row.did})
		if !strings.Contains(got, row.want) || !strings.Contains(got, anOp) {
			t.Errorf("%s: %q\nwant in it %q", name, got, row.want)
		}
	}
}

// Who names a group, or a VM, where the id of an operation belongs is told that id, and which word is still lacking.
func TestMeantTheOperationOfAGroup(t *testing.T) {
	op := many(underWay)
	for typed, want := range map[string]string{
		"hold checkout":         "Type /failover hold op-7f3kq2mz.",
		"hold group checkout":   "Type /failover hold op-7f3kq2mz.",
		"skip checkout app-02":  "Type /failover skip op-7f3kq2mz VM.",
		"skip app-02 checkout":  "Type /failover skip op-7f3kq2mz app-02.",
		"retry checkout":        "Type /failover retry op-7f3kq2mz.",
		"report group checkout": "Type /failover report op-7f3kq2mz.",
	} {
		intent, refusal := bot.Parse(typed, noon())
		if refusal == nil {
			t.Fatalf("%q is not refused: %+v", typed, intent)
		}
		if got := bot.Meant(intent, refusal, []failover.Operation{op}); got.Hint != want {
			t.Errorf("%q: %v, want %q", typed, got, want)
		}
	}
}

// One VM that is left of a group goes in no waves.
func TestNoWavesOfOne(t *testing.T) {
	one := many(func(o *failover.Operation) { o.Targets, o.Plan.LeftOut = o.Targets[:1], "web-01 is held." })
	got := bot.AnswerTo(failover.Command{Verb: failover.VerbGroup, Target: "checkout"}, one, failover.Answer{Did: failover.DidRequest})
	if strings.Contains(got, "waves") || !strings.Contains(got, "Left out: web-01 is held.") {
		t.Error(got)
	}
}
