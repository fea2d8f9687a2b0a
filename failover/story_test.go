package failover_test

import (
	"testing"
	"time"

	"ferry/failover"
)

// The people and the rule of every test here: ana may ask, ben and cleo decide.
var (
	ana  = failover.Actor{ID: "U0ANA", Name: "ana"}
	ben  = failover.Actor{ID: "U0BEN", Name: "ben"}
	cleo = failover.Actor{ID: "U0CLEO", Name: "cleo"}
	eve  = failover.Actor{ID: "U0EVE", Name: "eve"}

	start = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
)

func policy(approvals int) failover.Policy {
	return failover.Policy{
		ConfirmAbove: 20,
		Roles:        map[string][]string{"operator": {ana.ID}, "approver": {ben.ID, cleo.ID, ana.ID}},
		Rules: []failover.Rule{
			{Classes: decided(), May: []string{"operator"}, Approvals: approvals, Approvers: []string{"approver"}, Expires: 15 * time.Minute},
			{Classes: []failover.Class{failover.ClassTest, failover.ClassCleanup, failover.ClassCancel, failover.ClassFreeze}, May: []string{"operator"}},
		},
	}
}

// decided are the verb classes that need approvals in these tests.
func decided() []failover.Class {
	return []failover.Class{failover.ClassFailover, failover.ClassCommit, failover.ClassChange, failover.ClassReprotect, failover.ClassFailback}
}

func item(name, state string, allowed ...string) failover.Item {
	return failover.Item{ID: "/vaults/v/items/" + name, Key: failover.ItemKey("/vaults/v", name), Name: name, Vault: "v", ResourceGroup: "rg", From: "west", To: "north", State: state, TestState: "None", Allowed: allowed}
}

func protected() failover.Item {
	return item("vm-x", failover.StateProtected, "UnplannedFailover", "TestFailover")
}

// table plays one operation by hand: commands and facts in, the fold out.
type table struct {
	t      *testing.T
	op     failover.Operation
	now    time.Time
	seq    uint64
	policy failover.Policy
	item   failover.Item
	points []failover.RecoveryPoint
	holder failover.Operation
	asked  int

	networks []string
	reversal *failover.Reversal
	check    *failover.Check
	incident time.Time

	freezes   []failover.Freeze
	inventory []failover.Item
	past      []failover.Operation
	jobs      int
	opened    int                                             // gates
	called    failover.StepKind                               // that Azure has taken and not done
	moved     func(from, to failover.Phase, by failover.Fact) // told of every change of phase, when set
}

func newTable(t *testing.T, approvals int) *table {
	t.Helper()
	return &table{t: t, now: start, policy: policy(approvals), item: protected(), points: points(), networks: []string{isolated}, reversal: back()}
}

// points has the newest one neither first nor last, as Azure lists them.
func points() []failover.RecoveryPoint {
	return []failover.RecoveryPoint{
		{ID: "/p/11111111-1111-1111-1111-111111111111", Time: start.Add(-10 * time.Minute)},
		{ID: "/p/33333333-3333-3333-3333-333333333333", Time: start.Add(-42 * time.Second)},
		{ID: "/p/22222222-2222-2222-2222-222222222222", Time: start.Add(-65 * time.Minute), AppConsistent: true},
	}
}

func (b *table) command(verb failover.Verb, by failover.Actor) failover.Command {
	b.asked++
	id := failover.MessageID("test", string(verb), by.ID, string(rune('a'+b.asked)))
	return failover.Command{MessageID: id, Op: "op-aaaaaaaa", Verb: verb, By: by, Target: "vm-x", Shutdown: true, At: b.now, ValidUntil: b.now.Add(failover.CommandValidity)}
}

// try decides a command and folds what follows from it.
func (b *table) try(cmd failover.Command) *failover.Refusal {
	b.t.Helper()
	facts, refusal := failover.Decide(b.op, cmd, failover.Situation{
		Now: b.now, Policy: b.policy, Item: b.item, Points: b.points, Holder: b.holder,
		Networks: b.networks, Reversal: b.reversal, Check: b.check, Incident: b.incident,
		Freezes: b.freezes, Inventory: b.inventory, Past: b.past,
	})
	if refusal != nil && (refusal.Message == "" || refusal.Hint == "") {
		b.t.Fatalf("a refusal needs a message and a hint: %+v", refusal)
	}
	if no := b.policy.NoRight(cmd.Verb, cmd.By); refusal == nil && no != nil && cmd.Verb != failover.VerbExpire && cmd.Verb != failover.VerbWithdraw {
		b.t.Errorf("help hides %s from %s, who may: %v", cmd.Verb, cmd.By.Name, no)
	}
	for _, f := range facts {
		b.fold(f, cmd.MessageID)
	}
	return refusal
}

func (b *table) must(verb failover.Verb, by failover.Actor) {
	b.t.Helper()
	if refusal := b.try(b.command(verb, by)); refusal != nil {
		b.t.Fatalf("%s by %s: %v", verb, by.Name, refusal)
	}
}

func (b *table) fold(f failover.Fact, command string) {
	b.seq++
	if _, opens := f.(failover.GateOpened); opens {
		b.opened++
	}
	from := b.op.Phase
	b.op = failover.Evolve(b.op, failover.Record{Fact: f, At: b.now, Seq: b.seq, Command: command})
	if b.moved != nil && b.op.Phase != from {
		b.moved(from, b.op.Phase, f)
	}
}

func (b *table) next(seen failover.Observation) failover.Effect {
	if seen.PolicyAt.IsZero() { // whoever drives knows the policy of the moment
		seen.Policy, seen.PolicyAt = b.policy, b.now
	}
	_, e := next(b.op, map[string]failover.Observation{b.item.Key: seen}, b.now)
	return e
}

// looked is the item and its points as they are now.
func (b *table) looked() failover.Observation {
	return failover.Observation{Item: b.item, LookedAt: b.now, Points: b.points, PointsAt: b.now, Reversal: b.reversal, TurnedAt: b.now}
}

// act expects the next effect to be a call, stores the intent and returns the call.
func (b *table) act(seen failover.Observation) failover.Call {
	b.t.Helper()
	act, ok := b.next(seen).(failover.Act)
	if !ok {
		b.t.Fatalf("want a call, got %#v", b.next(seen))
	}
	b.fold(act.Intent, "")
	return act.Call
}

// tell expects facts and folds them.
func (b *table) tell(seen failover.Observation) []failover.Fact {
	b.t.Helper()
	tell, ok := b.next(seen).(failover.Tell)
	if !ok {
		b.t.Fatalf("want facts, got %#v", b.next(seen))
	}
	for _, f := range tell.Facts {
		b.fold(f, "")
	}
	return tell.Facts
}

func (b *table) phase(want failover.Phase) {
	b.t.Helper()
	if b.op.Phase != want {
		b.t.Fatalf("phase %s, want %s (%s)", b.op.Phase, want, b.op.Note)
	}
}

// running brings the operation to the point at which Azure has named the failover's job.
func (b *table) running() failover.Call {
	b.t.Helper()
	b.must(failover.VerbFailover, ana)
	b.must(failover.VerbApprove, ben)
	call := b.act(b.looked())
	b.fold(failover.StepAccepted{Target: b.item.Key, Kind: failover.StepFailover, JobID: "/jobs/1", Poll: 30 * time.Second}, "")
	return call
}

// failedOver brings it to the question for the commit.
func (b *table) failedOver() {
	b.t.Helper()
	b.running()
	b.now = b.now.Add(140 * time.Second)
	b.item.State, b.item.Allowed = failover.StateCommitPending, []string{"Commit", "ChangePit"}
	job := failover.Job{ID: "/jobs/1", State: failover.JobSucceeded, EndedAt: b.now, PointUsed: start}
	b.tell(failover.Observation{Job: job, JobAt: b.now, Item: b.item, LookedAt: b.now})
	b.phase(failover.AwaitingCommit)
}

func TestStory(t *testing.T) {
	b := newTable(t, 1)
	b.must(failover.VerbFailover, ana)
	b.phase(failover.AwaitingApproval)
	if shown := b.op.Targets[0].Shown; shown == nil || !shown.Time.Equal(start.Add(-42*time.Second)) {
		t.Fatalf("the newest point is shown, whatever the order: %+v", shown)
	}
	if e, ok := b.next(failover.Observation{}).(failover.Park); !ok {
		t.Fatalf("nothing is done before the approval, got %#v", e)
	}
	b.must(failover.VerbApprove, ben)
	b.phase(failover.Running)
	if look, ok := b.next(failover.Observation{}).(failover.Look); !ok || !look.Points {
		t.Fatal("it looks before it acts")
	}
	call := b.act(b.looked())
	if call.PointID != "" || !call.Shutdown || call.ClientRequestID == "" {
		t.Fatalf("Latest sends no point, and the source is shut down: %+v", call)
	}
	b.fold(failover.StepAccepted{Target: b.item.Key, Kind: failover.StepFailover, JobID: "/jobs/1", Poll: 30 * time.Second}, "")
	if read, ok := b.next(failover.Observation{}).(failover.ReadJob); !ok || read.ID != "/jobs/1" {
		t.Fatal("it follows the job that Azure named")
	}

	tasks := []failover.Task{{Name: "Start failover", State: "InProgress", StartedAt: b.now}}
	seen := failover.Observation{Job: failover.Job{ID: "/jobs/1", State: failover.JobInProgress, Tasks: tasks}, JobAt: b.now}
	b.tell(seen)
	if b.op.Targets[0].Progress != "Start failover" {
		t.Fatalf("progress %q", b.op.Targets[0].Progress)
	}
	if wait, ok := b.next(seen).(failover.Wait); !ok || !wait.Until.Equal(b.now.Add(30*time.Second)) {
		t.Fatalf("it polls at the pace of Retry-After, got %#v", b.next(seen))
	}

	b.now = b.now.Add(140 * time.Second)
	seen.Job.State, seen.Job.EndedAt, seen.Job.PointUsed, seen.JobAt = failover.JobSucceeded, b.now, start.Add(-5*time.Second), b.now
	if _, ok := b.next(seen).(failover.Look); !ok {
		t.Fatal("a job that succeeded is not yet an item that changed")
	}
	seen.Item, seen.LookedAt = b.item, b.now
	if wait, ok := b.next(seen).(failover.Wait); !ok {
		t.Fatalf("the item lags: look again later, got %#v", wait)
	}
	b.item.State, b.item.Allowed = failover.StateCommitPending, []string{"Commit"}
	seen.Item = b.item
	b.tell(seen)
	b.phase(failover.AwaitingCommit)
	rto, _ := b.op.RTO()
	rpo, _ := b.op.RPO()
	if rto != 140*time.Second || rpo != 5*time.Second {
		t.Fatalf("rto %s rpo %s", rto, rpo)
	}

	b.must(failover.VerbCommit, ben)
	b.phase(failover.Running)
	if call := b.act(b.looked()); call.Kind != failover.StepCommit {
		t.Fatalf("the press of Commit commits: %+v", call)
	}
	b.fold(failover.StepAccepted{Target: b.item.Key, Kind: failover.StepCommit, JobID: "/jobs/2"}, "")
	b.item.State = failover.StateCommitted
	b.tell(failover.Observation{Job: failover.Job{ID: "/jobs/2", State: failover.JobSucceeded}, JobAt: b.now, Item: b.item, LookedAt: b.now})
	b.tell(failover.Observation{})
	b.phase(failover.Succeeded)
}

func TestApprovalsNoneStartsAtOnce(t *testing.T) {
	b := newTable(t, 0)
	b.must(failover.VerbFailover, ana)
	b.phase(failover.Running)
	if answer := b.op.Answers[b.op.Asked]; answer.Did != failover.DidStart {
		t.Fatalf("answer %+v", answer)
	}
	b.does(failover.StepFailover, failsOver)
	if b.op.Approved(failover.ClassCommit) {
		t.Error("the commit is approved without a press")
	}
}

// Whatever stands in a journal has happened: no fact is too much for any operation.
func TestEvolveIsTotal(t *testing.T) {
	verbs := []failover.Verb{failover.VerbFailover, failover.VerbChange, failover.VerbCommit, failover.VerbTest, failover.VerbCleanup, failover.VerbReprotect, failover.VerbFailback, failover.VerbIncident, "never"}
	kinds := append(steps(), failover.StepReprotectAgain, failover.StepProbe, failover.StepCheck, failover.StepSurvey, "never", "")
	for _, verb := range verbs {
		for _, kind := range kinds {
			key := protected().Key
			facts := []failover.Fact{
				failover.Requested{Op: "op-aaaaaaaa", Verb: verb, Targets: []failover.Target{{Item: protected(), Check: &failover.Check{}}}},
				failover.StepDone{Target: key, Kind: kind},
				failover.StepFailed{Target: key, Kind: kind},
				failover.GateOpened{Step: kind},
				failover.StepStarted{Target: key, Kind: kind, Attempt: 1},
				failover.Observed{Target: key, Kind: kind},
				failover.StepDone{Target: key, Kind: kind},
				failover.Prepared{Target: key},
				failover.Checked{Target: key},
				failover.Surveyed{Target: key},
				failover.ChangeAsked{},
				failover.Reminded{},
				failover.StepDone{Target: key, Kind: kind, Outside: true},
				failover.Stuck{Target: key},
				failover.StepFailed{Target: "other", Kind: kind},
			}
			op := failover.Operation{}
			for i, f := range facts {
				op = failover.Evolve(op, failover.Record{Fact: f, At: start, Seq: uint64(i) + 1, Command: "m"})
				next(op, nil, start)
				failover.Noticed(op, []failover.Item{protected()})
				_ = failover.RemindAt(op)
				_ = op.Gate()
			}
			if op.Seq != uint64(len(facts)) {
				t.Errorf("%s of %s: sequence %d", kind, verb, op.Seq)
			}
		}
	}
}

// next is the first thing that is due now for any target, else the first time at which something will be.
func next(op failover.Operation, seen map[string]failover.Observation, now time.Time) (target string, e failover.Effect) {
	for _, due := range failover.Agenda(op, seen, nil, now) {
		wait, waits := due.Effect.(failover.Wait)
		if first, ok := e.(failover.Wait); !waits {
			return due.Target, due.Effect
		} else if !ok || wait.Until.Before(first.Until) {
			e = wait
		}
	}
	return "", e
}
