package bot_test

import (
	"testing"

	"ferry/bot"
	"ferry/failover"
)

// What is answered on bad days.
func TestAnswersOfAnEmergency(t *testing.T) {
	broken := func(o *failover.Operation) {
		o.Plan.BrokenGlass, o.Plan.Rule.Approvals = &failover.BrokenGlass{Wanted: 2, Reviewers: []string{"approver"}}, 0
	}
	atCommit := func(o *failover.Operation) { o.Phase = failover.AwaitingCommit }
	frozen := func(pattern string) func(*failover.Operation) {
		return func(o *failover.Operation) { o.Verb, o.Targets, o.Plan.Frozen = failover.VerbFreeze, nil, pattern }
	}
	alike := func(all ...failover.Alike) func(*failover.Operation) {
		return func(o *failover.Operation) { o.Targets[0].Item.Vault, o.Targets[0].Alike = "v", all }
	}
	near, twin := failover.Alike{Name: "vm-y", Vault: "v", Region: "west"}, failover.Alike{Name: "VM-X", Vault: "w", Twin: true}
	ask := failover.Command{Verb: failover.VerbFailover, Target: "vm-x"}
	const waits = "op-7f3kq2mz: failover of vm-x to its latest recovery point waits for approval by the role approver until 2026-11-23 12:15 UTC. See the card in the channel."
	for name, row := range map[string]struct {
		op   failover.Operation
		did  failover.Did
		want string
	}{
		"broken glass": {request(broken), failover.DidStart, "op-7f3kq2mz: failover of vm-x to its latest recovery point has started behind broken glass: 2 approvals were skipped. It is told in the channel, and an approver other than you has to review it. Follow it on the card in the channel."},
		"signed off":   {request(broken), failover.DidSignOff, "You have signed off the broken glass of op-7f3kq2mz. It is kept with your name."},
		"signed off before the commit": {
			request(broken, atCommit), failover.DidSignOff,
			"You have signed off the broken glass of op-7f3kq2mz. It is kept with your name. It still waits for its commit: /failover commit op-7f3kq2mz.",
		},
		"objected": {request(broken), failover.DidObject, "Your objection to the broken glass of op-7f3kq2mz is kept, with its reason, and told in the channel. It stops nothing: to stop what can still be stopped, type /failover cancel op-7f3kq2mz."},
		"frozen":   {request(frozen("*")), failover.DidRequest, "op-7f3kq2mz: new work on every VM is frozen. Running steps go on, and what is half-way can be brought to its end. To end it, type /failover unfreeze."},
		"frozen by pattern": {
			request(frozen("web-*")), failover.DidRequest,
			"op-7f3kq2mz: new work on web-* is frozen. Running steps go on, and what is half-way can be brought to its end. To end it, type /failover unfreeze web-*.",
		},
		"unfrozen": {request(frozen("web-*")), failover.DidCancel, "The freeze of web-* (op-7f3kq2mz) is over: new work may start again."},
		"alike":    {request(alike(near)), failover.DidRequest, waits + " vm-x (vault v) is one character away from vm-y (vault v, west)."},
		"twins":    {request(alike(twin)), failover.DidRequest, waits + " vm-x (vault v) has the same name as VM-X (vault w)."},
		"both":     {request(alike(twin, near)), failover.DidRequest, waits + " vm-x (vault v) has the same name as, or is one character away from, VM-X (vault w), vm-y (vault v, west)."},
	} {
		if got := bot.AnswerTo(ask, row.op, failover.Answer{Did: row.did}); got != row.want {
			t.Errorf("%s: %q\nwant %q", name, got, row.want)
		}
	}
}
