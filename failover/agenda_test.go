package failover_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// groupRun is a group of the configuration that has been approved, and what its driver has just seen.
type groupRun struct {
	t    *testing.T
	op   failover.Operation
	seen map[string]failover.Observation
	now  time.Time
}

func approvedGroup(t *testing.T, g failover.Group, names ...string) *groupRun {
	t.Helper()
	var items []failover.Item
	for _, name := range names {
		items = append(items, item(name, failover.StateProtected, "UnplannedFailover"))
	}
	gathered, refusal := g.Gather(items)
	if refusal != nil {
		t.Fatal(refusal)
	}
	f := &groupRun{t: t, seen: map[string]failover.Observation{}, now: start}
	s := failover.Situation{Now: start, Policy: policy(1), Fleet: &gathered.Fleet, Lost: gathered.Lost}
	for i, item := range gathered.Items {
		s.Members = append(s.Members, failover.Member{Item: item, Wave: gathered.Waves[i]})
	}
	s.Policy.ConfirmAbove = 1000
	cmd := failover.Command{MessageID: "m", Op: "op-aaaaaaaa", Verb: failover.VerbGroup, Target: g.Name, By: ana, At: start, ValidUntil: start.Add(time.Minute), Shutdown: true}
	facts, refusal := failover.Decide(failover.Operation{}, cmd, s)
	if refusal != nil {
		t.Fatal(refusal)
	}
	gate := failover.GateOpened{Gate: failover.ClassFailover, Step: failover.StepFailover}
	facts = append(facts, failover.Decided{Gate: gate.Gate, Step: gate.Step, By: ben, Approve: true}, gate)
	f.op = failover.Fold(failover.Operation{}, failover.Batch{At: start, Facts: facts})
	return f
}

// begins lets begin what may, and names it in the order of the calls.
func (f *groupRun) begins(room failover.Room) string {
	f.t.Helper()
	var names []string
	for {
		for _, t := range f.op.Targets { // just looked at
			f.seen[t.Item.Key] = failover.Observation{Item: t.Item, LookedAt: f.now, Points: points(), PointsAt: f.now, Policy: policy(1), PolicyAt: f.now, Busy: t.Phase == failover.Running && t.Step(t.Doing) != nil && t.Step(t.Doing).State == failover.StateAccepted}
		}
		var facts []failover.Fact
		for _, due := range failover.Agenda(f.op, f.seen, room, f.now) {
			switch do := due.Effect.(type) {
			case failover.Act:
				names = append(names, do.Call.Item.Name)
				facts = append(facts, do.Intent, failover.StepAccepted{Target: due.Target, Kind: do.Intent.Kind, JobID: "job-" + do.Call.Item.Name})
			case failover.Tell:
				facts = append(facts, do.Facts...)
			case failover.Look, failover.Probe, failover.Survey, failover.Search, failover.ReadJob, failover.Wait, failover.Park:
			}
		}
		if len(facts) == 0 {
			return strings.Join(names, " ")
		}
		f.tell(facts...)
	}
}

func (f *groupRun) tell(facts ...failover.Fact) {
	f.op = failover.Fold(f.op, failover.Batch{At: f.now, Facts: facts})
}

func (f *groupRun) key(name string) string {
	return f.op.Targets[slices.IndexFunc(f.op.Targets, func(t failover.Target) bool { return t.Item.Name == name })].Item.Key
}

func (f *groupRun) ends(names string) {
	for name := range strings.FieldsSeq(names) {
		f.tell(failover.StepDone{Target: f.key(name), Kind: failover.StepFailover, EndedAt: f.now})
	}
}

func (f *groupRun) fails(name string) {
	f.tell(failover.StepFailed{Target: f.key(name), Kind: failover.StepFailover, Fault: failover.Fault{Message: "no quota"}})
}

func (f *groupRun) wants(got, want string) {
	f.t.Helper()
	if got != want {
		f.t.Errorf("got %q, want %q", got, want)
	}
}

func threeWaves() failover.Group {
	return failover.Group{Name: "shop", OnFailure: failover.StopWave, Waves: []failover.GroupWave{
		{Name: "data", VMs: []string{"sql-*"}}, {Name: "app", VMs: []string{"app-*"}}, {Name: "web", VMs: []string{"web-*"}},
	}}
}

// goingOn are the same waves, where a failure holds up nobody.
func goingOn() failover.Group {
	g := threeWaves()
	g.OnFailure = failover.GoOn
	return g
}

// A wave begins when those before it are over, and all of it at once.
func TestWavesGoInOrder(t *testing.T) {
	t.Parallel()
	f := approvedGroup(t, threeWaves(), "web-1", "app-1", "sql-1", "sql-2")
	f.wants(f.begins(nil), "sql-1 sql-2")
	f.ends("sql-1")
	f.wants(f.begins(nil), "")
	f.ends("sql-2")
	f.wants(f.begins(nil), "app-1")
	f.ends("app-1")
	f.wants(f.begins(nil), "web-1")
	f.ends("web-1")
	f.wants(string(f.op.Phase), "awaiting_commit")
}

// What a wave does not wait for begins at once.
func TestWavesThatDoNotDepend(t *testing.T) {
	t.Parallel()
	g := threeWaves()
	g.Waves[1].After = []int{}
	f := approvedGroup(t, g, "web-1", "app-1", "sql-1")
	f.wants(f.begins(nil), "sql-1 app-1")
	f.ends("sql-1")
	f.wants(f.begins(nil), "")
	f.ends("app-1")
	f.wants(f.begins(nil), "web-1")
}

// The canary goes alone before all others, and its failure stops whatever the group says.
func TestCanary(t *testing.T) {
	t.Parallel()
	g := threeWaves()
	g.Canary, g.OnFailure = 1, failover.GoOn
	f := approvedGroup(t, g, "web-1", "app-1", "sql-1", "sql-2")
	f.wants(f.begins(nil), "sql-1")
	f.fails("sql-1")
	f.wants(f.begins(nil), "")
	if f.op.OnHold == nil || !strings.Contains(f.op.OnHold.Why, "the canary failed: sql-1") {
		t.Errorf("on hold: %+v", f.op.OnHold)
	}
	f.tell(failover.Retried{Targets: []string{f.key("sql-1")}, By: ana})
	f.wants(f.begins(nil), "sql-1")
	f.ends("sql-1")
	f.wants(f.begins(nil), "sql-2")
}

// More failures than are tolerated let nothing new begin; what runs goes on, and who resumes knows of the failures.
func TestStopWave(t *testing.T) {
	t.Parallel()
	g := threeWaves()
	g.Tolerate = 34
	f := approvedGroup(t, g, "web-1", "app-1", "sql-1", "sql-2", "sql-3")
	f.wants(f.begins(nil), "sql-1 sql-2 sql-3")
	f.fails("sql-1")
	f.wants(f.begins(nil), "")
	if f.op.OnHold != nil {
		t.Errorf("one of three is tolerated: %+v", f.op.OnHold)
	}
	f.fails("sql-2")
	f.wants(f.begins(nil), "")
	if f.op.OnHold == nil || f.op.Phase != failover.Running {
		t.Fatalf("%s, on hold: %+v", f.op.Phase, f.op.OnHold)
	}
	f.ends("sql-3")
	if failover.HasWork(f.op) {
		t.Error("nothing is left to do before somebody resumes")
	}
	f.tell(failover.Resumed{By: ana})
	f.wants(f.begins(nil), "app-1")
}

// So many at a time as the group and the vault have room for, the longest first.
func TestRoom(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 6 {
		names = append(names, fmt.Sprintf("sql-%d", i))
	}
	g := threeWaves()
	g.Concurrency = 4
	f := approvedGroup(t, g, names...)
	for i := range f.op.Targets {
		f.op.Targets[i].Expected = 100 + i
	}
	room := func(_ string, underWay int) int { return 3 - underWay }
	f.wants(f.begins(room), "sql-5 sql-4 sql-3")
	f.wants(f.begins(nil), "sql-2")
	f.ends("sql-3 sql-4 sql-5")
	f.wants(f.begins(room), "sql-1 sql-0")
}

// A VM that needs a person, one that is left out and one that failed do not keep the others from their commit.
func TestOneDoesNotStrandTheOthers(t *testing.T) {
	t.Parallel()
	f := approvedGroup(t, goingOn(), "sql-1", "sql-2", "sql-3", "sql-4")
	f.begins(nil)
	f.tell(failover.Stuck{Target: f.key("sql-1"), Why: "?", Hint: "!"})
	f.fails("sql-2")
	f.wants(string(f.op.Phase), "running")
	f.ends("sql-3 sql-4")
	f.wants(string(f.op.Phase), "awaiting_commit")
	f.tell(failover.Skipped{Targets: []string{f.key("sql-4")}, By: ana})
	f.wants(string(f.op.Phase), "awaiting_commit")
	f.tell(failover.GateOpened{Gate: failover.ClassCommit, Step: failover.StepCommit})
	f.tell(failover.StepDone{Target: f.key("sql-3"), Kind: failover.StepCommit, EndedAt: f.now})
	f.wants(string(f.op.Phase), "needs_attention")
	f.tell(failover.Skipped{Targets: []string{f.key("sql-1")}, By: ana})
	f.begins(nil)
	f.wants(string(f.op.Phase), "failed")
	f.wants(f.op.Note, "1 of 4 failed: sql-2. Done: sql-3. Left out: sql-1, sql-4.")
	f.wants(f.op.Hint, "Azure may have shut down what failed: look first whether it runs. Mend the cause, then ask again.")
}

// Committed in the portal, all that can be: the end says what failed all the same, and cancelling says how far each is.
func TestSeveralEndInThePortalOrByAPerson(t *testing.T) {
	t.Parallel()
	f := newGroup(t, goingOn())
	facts := failover.Noticed(f.op, committed(f.op))
	f.tell(facts...)
	f.wants(string(f.op.Phase), "failed")
	f = newGroup(t, goingOn())
	cancelled, refusal := failover.Decide(f.op, failover.Command{MessageID: "c", Op: f.op.ID, Verb: failover.VerbCancel, By: ana, At: f.now, ValidUntil: f.now.Add(time.Minute)}, failover.Situation{Now: f.now, Policy: policy(1)})
	if refusal != nil {
		t.Fatal(refusal)
	}
	f.tell(cancelled...)
	f.wants(f.op.Note, "Ended by ana. What is done stays done: 2 half-way, 1 failed or to be looked at.")
}

// newGroup is one of three VMs of which one has failed and two wait for their commit.
func newGroup(t *testing.T, g failover.Group) *groupRun {
	t.Helper()
	f := approvedGroup(t, g, "sql-1", "sql-2", "sql-3")
	f.begins(nil)
	f.fails("sql-1")
	f.ends("sql-2 sql-3")
	return f
}

func committed(op failover.Operation) []failover.Item {
	var items []failover.Item
	for _, t := range op.Targets {
		t.Item.State = failover.StateCommitted
		items = append(items, t.Item)
	}
	return items
}

// A region that is short of capacity gets its first waves first: later ones, though they wait for nobody, begin when those are
// through; each is tried four times.
func TestCapacity(t *testing.T) {
	t.Parallel()
	g := threeWaves()
	g.Waves[1].After, g.Waves[2].After, g.Concurrency = []int{}, []int{}, 1
	f := approvedGroup(t, g, "sql-1", "app-1", "web-1")
	for tries := 1; ; tries++ {
		f.wants(f.begins(nil), "sql-1")
		key := f.key("sql-1")
		look := failover.Observation{Item: f.op.Targets[0].Item, LookedAt: f.now, JobAt: f.now, Job: failover.Job{
			ID: "job-sql-1", State: failover.JobFailed, EndedAt: f.now, Errors: []failover.Fault{{Code: "28031", Message: "The VM could not be made.", Capacity: "Standard_E8s_v5"}},
		}}
		for _, due := range failover.Agenda(f.op, map[string]failover.Observation{key: look}, nil, f.now) {
			if tell, ok := due.Effect.(failover.Tell); ok && due.Target == key {
				f.tell(tell.Facts...)
			}
		}
		if tries == 4 {
			break
		}
		if got := f.op.Targets[0].Progress; !strings.Contains(got, "no capacity in north for Standard_E8s_v5") || !strings.Contains(got, "Tried again at") {
			t.Fatalf("try %d: %q", tries, got)
		}
		f.wants(f.begins(nil), "")
		f.now = f.now.Add(5 * time.Minute << (tries - 1))
	}
	f.wants(string(f.op.Targets[0].Phase), "failed")
}

// Who retries a VM of a wave that goes before takes its turn from one that waits for capacity; neither waits for the other.
func TestCapacityBehindARetry(t *testing.T) {
	t.Parallel()
	g := threeWaves()
	g.Waves[0].After, g.Waves[1].After, g.Tolerate = []int{2}, []int{}, 100 // the data after the app
	f := approvedGroup(t, g, "sql-1", "app-1")
	f.wants(f.begins(nil), "app-1")
	f.fails("app-1")
	f.wants(f.begins(nil), "sql-1")
	f.tell(failover.StepDelayed{Target: f.key("sql-1"), Kind: failover.StepFailover, Until: f.now.Add(5 * time.Minute), Fault: failover.Fault{Capacity: "Standard_E8s_v5"}})
	f.tell(failover.Retried{Targets: []string{f.key("app-1")}, By: ana})
	f.wants(f.begins(nil), "app-1")
}

// A VM that says that it does not work is a failure to the waves behind it, though it was failed over.
func TestHealthBetweenWaves(t *testing.T) {
	t.Parallel()
	f := approvedGroup(t, threeWaves(), "sql-1", "app-1")
	f.op.Targets[0].Check = &failover.Check{Name: "sql-1"}
	f.begins(nil)
	f.tell(failover.StepDone{Target: f.key("sql-1"), Kind: failover.StepFailover, EndedAt: f.now})
	for _, due := range failover.Agenda(f.op, nil, nil, f.now) {
		if _, asks := due.Effect.(failover.Probe); !asks || due.Target != f.key("sql-1") {
			t.Errorf("due while the VM is asked: %+v", due)
		}
	}
	f.tell(failover.Checked{Target: f.key("sql-1"), Result: failover.CheckResult{Outcome: failover.CheckFailed}}, failover.StepDone{Target: f.key("sql-1"), Kind: failover.StepProbe})
	f.wants(f.begins(nil), "")
	if f.op.OnHold == nil {
		t.Error("it goes on behind a VM that does not work")
	}
	f.tell(failover.Resumed{By: ana})
	f.wants(f.begins(nil), "app-1")
}

// Where a failure holds up nobody, another try does not either; where it does, the waves behind wait for it.
func TestAnotherTryAndTheWavesBehind(t *testing.T) {
	t.Parallel()
	for how, want := range map[failover.OnFailure]string{failover.GoOn: "sql-1 app-1", failover.StopWave: "sql-1"} {
		g := threeWaves()
		g.OnFailure, g.Tolerate = how, 50
		f := approvedGroup(t, g, "sql-1", "sql-2", "app-1", "web-1")
		f.wants(f.begins(nil), "sql-1 sql-2")
		f.fails("sql-1")
		f.tell(failover.Retried{Targets: []string{f.key("sql-1")}, By: ana})
		f.ends("sql-2")
		f.wants(f.begins(nil), want)
	}
}

// One press leaves out all that failed or needs a person, and not the last VM of the operation; an old press does nothing.
func TestSkipFailed(t *testing.T) {
	t.Parallel()
	f := newGroup(t, goingOn())
	press := failover.Command{MessageID: "s", Op: f.op.ID, Verb: failover.VerbSkip, By: ana, Seen: f.op.SteerToken(failover.VerbSkip), At: f.now, ValidUntil: f.now.Add(time.Minute)}
	s := failover.Situation{Now: f.now, Policy: policy(1)}
	if !f.op.May(failover.VerbSkip, f.now) {
		t.Error("the button is not drawn")
	}
	facts, refusal := failover.Decide(f.op, press, s)
	if refusal != nil {
		t.Fatal(refusal)
	}
	f.tell(facts...)
	if t1 := f.op.Targets[0]; t1.Skipped == nil || f.op.Phase != failover.AwaitingCommit {
		t.Errorf("%+v in %s", t1, f.op.Phase)
	}
	press.MessageID = "again"
	if _, refusal = failover.Decide(f.op, press, s); refusal == nil || refusal.Kind != failover.TooLate {
		t.Errorf("an old press: %+v", refusal)
	}
	f = newGroup(t, goingOn())
	for _, name := range []string{"sql-2", "sql-3"} {
		f.tell(failover.Stuck{Target: f.key(name), Why: "?", Hint: "!"})
	}
	if f.op.May(failover.VerbSkip, f.now) {
		t.Error("nothing would be left")
	}
}

// Who does the wrong thing with an operation on several VMs is told what to do instead.
func TestSteeredWrongly(t *testing.T) {
	t.Parallel()
	f := newGroup(t, goingOn())
	s := failover.Situation{Now: f.now, Policy: policy(1)}
	wrong := func(op failover.Operation, verb failover.Verb, target, want string) {
		t.Helper()
		cmd := failover.Command{MessageID: "w", Op: op.ID, Verb: verb, Target: target, By: ana, At: f.now, ValidUntil: f.now.Add(time.Minute)}
		if _, refusal := failover.Decide(op, cmd, s); refusal == nil || !strings.Contains(refusal.Error(), want) {
			t.Errorf("%s %s: %v, want %q", verb, target, refusal, want)
		}
	}
	held := f.op
	held.Phase, held.OnHold = failover.Running, &failover.OnHold{At: f.now}
	wrong(held, failover.VerbCommit, "", "is on hold. To let it go on, type /failover resume "+string(f.op.ID))
	wrong(held, failover.VerbSkip, "nobody-knows", "/failover status "+string(f.op.ID)+" to see its VMs")
	waits := f.op
	waits.Phase = failover.AwaitingCommit
	said := func(verb failover.Verb, by failover.Actor, target, want string) {
		t.Helper()
		cmd := failover.Command{MessageID: "w", Op: waits.ID, Verb: verb, Target: target, By: by, At: f.now, ValidUntil: f.now.Add(time.Minute)}
		if _, refusal := failover.Decide(waits, cmd, s); refusal == nil || refusal.Error() != want {
			t.Errorf("%s: %v, want %q", verb, refusal, want)
		}
	}
	id := string(waits.ID)
	waits.Targets = slices.Clone(waits.Targets)
	waits.Targets[0].Phase, waits.Targets[1].Phase = failover.Cancelled, failover.Succeeded
	said(failover.VerbCommit, ben, "sql-1", "sql-1 is one of "+fmt.Sprint(len(waits.Targets))+" VMs of "+id+", which are committed together. Type /failover commit "+id+" for all of them. To leave one out first, type /failover skip "+id+" VM.")
	said(failover.VerbResume, eve, "", "You may not resume "+id+". Ask somebody with the role operator.")
	said(failover.VerbCancel, eve, "", "You may not cancel "+id+". Ask somebody with the role operator.")
	said(failover.VerbSkip, ana, waits.Targets[0].Item.Name, waits.Targets[0].Item.Name+" has been left out of "+id+" already. Type /failover status "+id+" to see the others.")
	said(failover.VerbSkip, ana, waits.Targets[1].Item.Name, waits.Targets[1].Item.Name+" has come through "+id+" already, so there is nothing of it to leave out. Type /failover status "+id+" to see the others.")
	begun := waits
	for _, phase := range []failover.Phase{failover.Running, failover.NeedsAttention} {
		begun.Phase = phase
		wrong(begun, failover.VerbChange, "", "is changed of one alone. To take another for one of its VMs, wait until the card asks for the commit; then type /failover cancel")
	}
	begun.Phase, begun.StartedAt = failover.AwaitingApproval, time.Time{}
	wrong(begun, failover.VerbChange, "", "is changed of one alone. To fail them over to another, type /failover withdraw "+id)
	wrong(waits, failover.VerbChange, "", "is about several VMs, and the recovery point is changed of one alone. To take another for one of its VMs, type /failover cancel")
}
