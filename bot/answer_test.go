package bot_test

import (
	"strings"
	"testing"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// request is an operation as it was opened at noon.
func request(change ...func(*failover.Operation)) failover.Operation {
	rule := failover.Rule{May: []string{"operator"}, Approvals: 1, Approvers: []string{"approver"}}
	op := failover.Evolve(failover.Operation{}, failover.Record{At: noon(), Seq: 1, Command: "m", Fact: failover.Requested{
		Op: anOp, Verb: failover.VerbFailover, By: failover.Actor{ID: "U1", Name: "ana"}, ExpiresAt: noon().Add(15 * time.Minute),
		Plan:    failover.Plan{Point: failover.Point{Kind: failover.Latest}, Rule: rule, CommitBy: rule},
		Targets: []failover.Target{{Item: failover.Item{Key: "k", Name: "vm-x"}, Phase: failover.AwaitingApproval}},
	}})
	for _, c := range change {
		c(&op)
	}
	return op
}

func TestAnswerTo(t *testing.T) {
	ask := failover.Command{Verb: failover.VerbFailover, Target: "vm-x"}
	timed := ask
	timed.Point = failover.Point{Kind: failover.AtTime, Time: noon().Add(-time.Hour)}
	pinned := func(o *failover.Operation) {
		o.Plan.Point = failover.Point{Kind: failover.ByID, ID: "p"}
		o.Targets[0].Shown = &failover.RecoveryPoint{Time: noon().Add(-61 * time.Minute)}
	}
	two := func(o *failover.Operation) { o.Plan.Rule.Approvals = 2 }
	atCommit := func(o *failover.Operation) { o.Phase = failover.AwaitingCommit }
	foreign := func(o *failover.Operation) { o.Verb, o.Phase = failover.VerbCommit, failover.AwaitingCommit }
	changing := func(o *failover.Operation) {
		o.Phase, o.Plan.ChangeBy = failover.AwaitingCommit, o.Plan.Rule
		o.Change = &failover.Change{Point: failover.RecoveryPoint{Time: noon().Add(-time.Hour)}}
	}
	verb := func(v failover.Verb, doing failover.StepKind) func(*failover.Operation) {
		return func(o *failover.Operation) { o.Verb, o.Targets[0].Doing = v, doing }
	}
	declared := func(o *failover.Operation) {
		o.Verb, o.Targets, o.Plan.Point.Time = failover.VerbIncident, nil, noon().Add(-time.Hour)
	}
	did := func(d failover.Did) failover.Answer { return failover.Answer{Did: d} }
	no := func(k failover.RefusalKind) failover.Answer {
		return failover.Answer{Refused: failover.Refuse(k, "Type it whole.", "No VM.")}
	}
	for name, row := range map[string]struct {
		cmd  failover.Command
		op   failover.Operation
		a    failover.Answer
		want string
	}{
		"requested":        {ask, request(), did(failover.DidRequest), "op-7f3kq2mz: failover of vm-x to its latest recovery point waits for approval by the role approver until 2026-11-23 12:15 UTC. See the card in the channel."},
		"requested two":    {ask, request(two), did(failover.DidRequest), "op-7f3kq2mz: failover of vm-x to its latest recovery point waits for approval by 2 people with the role approver until 2026-11-23 12:15 UTC. See the card in the channel."},
		"requested time":   {timed, request(pinned), did(failover.DidRequest), "op-7f3kq2mz: failover of vm-x to its recovery point of 2026-11-23 10:59 UTC (the newest not later than 2026-11-23 11:00 UTC) waits for approval by the role approver until 2026-11-23 12:15 UTC. See the card in the channel."},
		"foreign commit":   {failover.Command{Verb: failover.VerbCommit}, request(foreign), did(failover.DidRequest), "op-7f3kq2mz: the commit of vm-x waits for the role approver. They press Commit on the card in the channel."},
		"started":          {ask, request(), did(failover.DidStart), "op-7f3kq2mz: failover of vm-x to its latest recovery point has started. Follow it on the card in the channel."},
		"approved":         {failover.Command{Verb: failover.VerbApprove}, request(), did(failover.DidOpenGate), "op-7f3kq2mz is approved, and failover of vm-x to its latest recovery point has started. Follow it on the card in the channel."},
		"committed":        {failover.Command{Verb: failover.VerbCommit}, request(), did(failover.DidOpenGate), "The commit of vm-x (op-7f3kq2mz) has started. Follow it on the card in the channel."},
		"one of two":       {failover.Command{Verb: failover.VerbApprove}, request(two), did(failover.DidApprove), "Your approval of op-7f3kq2mz counts. It still waits for 2 people with the role approver."},
		"commit asked":     {failover.Command{Verb: failover.VerbCommit}, request(atCommit), did(failover.DidAskCommit), "You may ask for the commit of op-7f3kq2mz but not decide it, so it waits for the role approver. They are told in the channel."},
		"denied":           {failover.Command{Verb: failover.VerbDeny}, request(), did(failover.DidDeny), "op-7f3kq2mz is denied. Nothing was started, and who asked is told."},
		"withdrawn":        {failover.Command{Verb: failover.VerbWithdraw}, request(), did(failover.DidCancel), "op-7f3kq2mz is withdrawn. Nothing was started."},
		"cancelled":        {failover.Command{Verb: failover.VerbCancel}, request(func(op *failover.Operation) { op.Hint = "What next." }), did(failover.DidCancel), "op-7f3kq2mz is ended. vm-x stays as it is in Azure. What next."},
		"expired":          {failover.Command{Verb: failover.VerbExpire}, request(), did(failover.DidExpire), "op-7f3kq2mz has expired. Nothing was started. Ask again if it is still wanted."},
		"change asked":     {failover.Command{Verb: failover.VerbChange}, request(changing), did(failover.DidAskChange), "You may ask for the change of the recovery point of vm-x to the one of 2026-11-23 11:00 UTC (op-7f3kq2mz) but not decide it, so it waits for the role approver. They are told in the channel."},
		"change pressed":   {failover.Command{Verb: failover.VerbChange}, request(changing), did(failover.DidOpenGate), "The change of the recovery point of vm-x to the one of 2026-11-23 11:00 UTC (op-7f3kq2mz) has started. Follow it on the card in the channel."},
		"change requested": {failover.Command{Verb: failover.VerbChange}, request(pinned, verb(failover.VerbChange, failover.StepChange)), did(failover.DidAskChange), "op-7f3kq2mz: change of the recovery point of vm-x to its recovery point of 2026-11-23 10:59 UTC waits for approval by the role approver until 2026-11-23 12:15 UTC. See the card in the channel."},
		"drill":            {failover.Command{Verb: failover.VerbTest}, request(verb(failover.VerbTest, failover.StepTest)), did(failover.DidStart), "op-7f3kq2mz: test failover of vm-x to its latest recovery point has started. Follow it on the card in the channel."},
		"clean-up":         {failover.Command{Verb: failover.VerbCleanup}, request(verb(failover.VerbCleanup, failover.StepCleanup)), did(failover.DidStart), "op-7f3kq2mz: clean-up of the test failover of vm-x has started. Follow it on the card in the channel."},
		"reprotect":        {failover.Command{Verb: failover.VerbReprotect}, request(verb(failover.VerbReprotect, failover.StepReprotect)), did(failover.DidRequest), "op-7f3kq2mz: reprotect of vm-x waits for approval by the role approver until 2026-11-23 12:15 UTC. See the card in the channel."},
		"reprotect waits":  {failover.Command{Verb: failover.VerbReprotect}, request(verb(failover.VerbReprotect, failover.StepReprotect)), did(failover.DidOpenGate), "op-7f3kq2mz is approved, and reprotect of vm-x has started. Follow it on the card in the channel."},
		"failback":         {failover.Command{Verb: failover.VerbFailback}, request(verb(failover.VerbFailback, failover.StepReprotect)), did(failover.DidRequest), "op-7f3kq2mz: failback of vm-x waits for approval by the role approver until 2026-11-23 12:15 UTC. See the card in the channel."},
		"fail back":        {failover.Command{Verb: failover.VerbApprove}, request(verb(failover.VerbFailback, failover.StepFailover)), did(failover.DidOpenGate), "The failover back of vm-x (op-7f3kq2mz) has started. Follow it on the card in the channel."},
		"it works":         {failover.Command{Verb: failover.VerbApprove}, request(verb(failover.VerbFailback, failover.StepCheck)), did(failover.DidOpenGate), "It is noted that vm-x works (op-7f3kq2mz). The commit is next; see the card in the channel."},
		"home":             {failover.Command{Verb: failover.VerbReprotect}, request(verb(failover.VerbFailback, failover.StepReprotectAgain)), did(failover.DidOpenGate), "The reprotect at home of vm-x (op-7f3kq2mz) has started. Follow it on the card in the channel."},
		"incident":         {failover.Command{Verb: failover.VerbIncident}, request(declared), did(failover.DidRequest), "op-7f3kq2mz: an incident since 2026-11-23 11:00 UTC is declared. Recovery points from after that need --force. To end it, type /failover incident over."},
		"incident over":    {failover.Command{Verb: failover.VerbIncident, Over: true}, request(declared), did(failover.DidCancel), "The incident op-7f3kq2mz is over."},
		"unknown":          {ask, request(), failover.Answer{}, "op-7f3kq2mz was decided. To see where it stands, type /failover status op-7f3kq2mz."},
		"refused":          {failover.Command{Verb: failover.VerbFailover, Target: "comit"}, failover.Operation{}, no(failover.WrongState), "No VM. Type it whole."},
		"unknown vm":       {ask, failover.Operation{}, no(failover.UnknownName), "No VM. Type it whole."},
		"unknown verb":     {failover.Command{Verb: failover.VerbFailover, Target: "comit"}, failover.Operation{}, no(failover.UnknownName), "No VM. Type it whole. Did you mean /failover commit vm-x?"},
		"commit unknown":   {failover.Command{Verb: failover.VerbCommit, Target: "comit"}, failover.Operation{}, no(failover.UnknownName), "No VM. Type it whole."},
	} {
		if got := bot.AnswerTo(row.cmd, row.op, row.a); got != row.want {
			t.Errorf("%s: %q\nwant %q", name, got, row.want)
		}
	}
}

// TestOpenAnswers: while nothing is decided nobody is told that nothing happened, and everybody what to do.
func TestOpenAnswers(t *testing.T) {
	for _, text := range []string{bot.NotConfirmed, bot.Stored(anOp)} {
		if !strings.Contains(text, "Do not repeat it") || strings.Contains(text, "othing was") {
			t.Errorf("%q", text)
		}
	}
	if !strings.Contains(bot.Stored(anOp), anOp) || !strings.Contains(bot.NotStored, "Ask again") || !strings.Contains(bot.NoExecutor, "No executor answers") {
		t.Error("an answer says too little")
	}
}

func TestHelp(t *testing.T) {
	overview, refusal := bot.Help("", nil)
	if refusal != nil {
		t.Fatal(refusal)
	}
	for _, r := range bot.Grammar() {
		if r.Available != strings.Contains(overview, r.Usage+"\n") || !strings.Contains(overview, r.Name) {
			t.Errorf("%s stands wrongly in the overview:\n%s", r.Name, overview)
		}
		page, refusal := bot.Help(strings.ToUpper(r.Name), nil)
		if refusal != nil || !strings.Contains(page, r.Usage) || !strings.Contains(page, r.Summary) {
			t.Errorf("the page of %s: %q, %v", r.Name, page, refusal)
		}
		if r.Available && !strings.Contains(page, "Open to: "+r.Who) {
			t.Errorf("the page of %s does not say who may:\n%s", r.Name, page)
		}
	}
	no := func(r bot.Record) *failover.Refusal {
		switch r.Name {
		case "approve", "deny":
			return failover.Refuse(failover.NotAllowed, "Ask somebody with the role approver.", "No rule lets you.")
		case "freeze":
			return failover.Refuse(failover.NotAllowed, "Ask ops.", "No rule lets you.")
		}
		return nil
	}
	some, _ := bot.Help("", no)
	if strings.Contains(some, "/failover approve") || strings.Contains(some, "/failover freeze") || !strings.Contains(some, "/failover withdraw OP\n") ||
		!strings.Contains(some, "\nLeft out, since no rule gives you the right: freeze (ask ops); approve, deny (ask somebody with the role approver).\n") {
		t.Errorf("filtered: %s", some)
	}
	if page, _ := bot.Help("deny", no); !strings.Contains(page, "Not to you. Ask somebody with the role approver.") {
		t.Errorf("page: %s", page)
	}
	if _, refusal := bot.Help("comit", nil); refusal == nil || !strings.Contains(refusal.Hint, "/failover help commit") {
		t.Errorf("help on a typo: %v", refusal)
	}
	if _, refusal := bot.Help("xyzzy", nil); refusal == nil || refusal.Hint == "" {
		t.Errorf("help on nothing: %v", refusal)
	}
}
