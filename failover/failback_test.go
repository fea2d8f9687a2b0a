package failover_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"ferry/failover"
)

func TestWhereTheWayHomeBegins(t *testing.T) {
	rows := map[string]struct {
		change func(*failover.Item)
		first  failover.StepKind // else it is refused
		says   string
	}{
		"committed away":             {asItIs, failover.StepReprotect, ""},
		"replicated back":            {turns, failover.StepFailover, ""},
		"replicated, not told where": {func(i *failover.Item) { turns(i); i.Active = "" }, failover.StepFailover, ""},
		"committed, not told where":  {func(i *failover.Item) { i.Active = "" }, failover.StepReprotect, ""},
		"at home":                    {func(i *failover.Item) { *i = protected(); i.Home, i.Active = "west", "west" }, "", "is at home in west and protected"},
		"at home, not told where":    {func(i *failover.Item) { *i = protected(); i.Home = "west" }, "", "is at home in west and protected"},
		"home and committed":         {func(i *failover.Item) { i.From, i.To, i.Active = "north", "west", "west" }, "", "/failover reprotect vm-x"},
		"no home":                    {func(i *failover.Item) { i.Home = "" }, "", "does not say in which region"},
		"to a third region":          {func(i *failover.Item) { turns(i); i.To = "east" }, "", "from north to east, and it is at home in west"},
		"not committed":              {failsOver, "", "Commit it first"},
		"replicating back":           {func(i *failover.Item) { i.State = failover.StateReplicates }, "", "initial replication"},
		"a drill is open":            {func(i *failover.Item) { turns(i); drills(i) }, "", "/failover cleanup vm-x"},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			b := newTable(t, 1)
			b.inNorth(failover.StateCommitted, "SwitchProtection")
			r.change(&b.item)
			b.incident = start.Add(-24 * time.Hour) // the data from after it are those to bring home
			if r.first == "" {
				says(t, b.refused(b.command(failover.VerbFailback, ana)), r.says)
				return
			}
			b.must(failover.VerbFailback, ana)
			b.gate(r.first)
			b.phase(failover.AwaitingApproval)
		})
	}
	b := newTable(t, 1)
	b.inNorth(failover.StateCommitted, "SwitchProtection")
	cmd := b.command(failover.VerbFailback, ana)
	cmd.Point = failover.Point{Kind: failover.ByID, ID: first}
	says(t, b.refused(cmd), "has no recovery point to fail back to", "Leave the POINT out")
}

// The first gate is a request like any other. Those after it never end by the clock and cannot be taken back.
func TestGatesOfTheWayHome(t *testing.T) {
	ends := map[string]failover.Phase{}
	for name, end := range map[string]func(*table){
		"deny":     func(b *table) { b.must(failover.VerbDeny, ben) },
		"withdraw": func(b *table) { b.must(failover.VerbWithdraw, ana) },
		"expire": func(b *table) {
			b.now = failover.WakeAt(b.op)
			b.must(failover.VerbExpire, failover.Actor{ID: "ferry"})
		},
	} {
		b := newTable(t, 1)
		b.homing(failover.StepReprotect)
		end(b)
		ends[name] = b.op.Phase
	}
	if ends["deny"] != failover.Denied || ends["withdraw"] != failover.Cancelled || ends["expire"] != failover.Expired {
		t.Errorf("the first gate ends as %v", ends)
	}
	for name, reach := range map[string]func(*table){"check": atCheck, "home": atHome} {
		t.Run(name, func(t *testing.T) {
			b := newTable(t, 1)
			reach(b)
			b.now = b.now.Add(30 * 24 * time.Hour)
			if !failover.WakeAt(b.op).IsZero() {
				t.Error("it expires")
			}
			facts, refusal := failover.Decide(b.op, b.command(failover.VerbExpire, failover.Actor{ID: "ferry"}), failover.Situation{Now: b.now})
			if len(facts) != 0 || refusal != nil {
				t.Errorf("expired: %v %v", facts, refusal)
			}
			for verb, by := range map[failover.Verb]failover.Actor{failover.VerbDeny: ben, failover.VerbWithdraw: ana} {
				says(t, b.refused(b.command(verb, by)), "has begun", "/failover cancel op-aaaaaaaa")
			}
			says(t, b.refused(b.command(failover.VerbCommit, ben)), "/failover approve op-aaaaaaaa")
			b.must(failover.VerbCancel, ana)
			b.phase(failover.Cancelled)
			if b.op.Hint == "" {
				t.Error("nobody says how to go on")
			}
		})
	}
}

// A gate's button does not open another gate, and who typed before a gate was reached meant another.
func TestPressOfAnotherGate(t *testing.T) {
	b := newTable(t, 1)
	b.homing(failover.StepFailover)
	old, typed := b.button(ben), b.command(failover.VerbApprove, ben)
	b.now = b.now.Add(time.Second)
	b.presses(ben)
	b.now = b.now.Add(time.Minute)
	b.does(failover.StepFailover, failsOver)
	b.gate(failover.StepCheck)
	says(t, b.refused(old), "since that button was drawn")
	says(t, b.refused(typed), "since that was typed")
	b.must(failover.VerbApprove, ben) // typed now, it is the press
	b.tell(failover.Observation{})
	b.gate(failover.StepCommit)
	says(t, b.refused(b.command(failover.VerbApprove, ben)), "/failover commit op-aaaaaaaa")
	b.must(failover.VerbCommit, ben)
	b.does(failover.StepCommit, commits)
	b.reversal = &failover.Reversal{From: b.item.To, To: b.item.From}
	b.prepares()
	b.must(failover.VerbReprotect, ben)
	b.does(failover.StepReprotectAgain, turns)
}

// A later step that fails goes back to its gate, with the reason, and is read anew before it can be pressed again.
func TestFailedStepOfTheWayHome(t *testing.T) {
	t.Run("job", func(t *testing.T) {
		b := newTable(t, 1)
		turningBack(b)
		old := b.op.Targets[0].Item
		b.tell(failover.Observation{Job: failover.Job{ID: "/jobs/2", State: failover.JobFailed, Errors: []failover.Fault{{Message: "no quota"}}}, JobAt: b.now})
		b.phase(failover.AwaitingApproval)
		b.gate(failover.StepFailover)
		if f := b.op.Targets[0].Error; f == nil || f.Message != "no quota" || b.op.Targets[0].Item.ID != old.ID {
			t.Errorf("%+v", f)
		}
		says(t, b.refused(b.button(ben)), "has not been read yet")
		b.prepares()
		if f := b.op.Targets[0].Error; f == nil {
			t.Error("the reason is gone before somebody has seen it")
		}
		if n := len(b.op.Approvers(failover.ClassFailback)); n != 0 {
			t.Errorf("%d presses of the try before stand", n)
		}
		b.presses(ben)
		b.does(failover.StepFailover, failsOver)
		b.gate(failover.StepCheck)
	})
	t.Run("reprotect of something else", func(t *testing.T) {
		b := newTable(t, 1)
		atHome(b)
		old := b.button(ben)
		b.presses(ben)
		b.reversal = &failover.Reversal{From: "west", To: "north", FullCopy: true}
		b.tell(b.looked())
		b.gate(failover.StepReprotectAgain)
		b.phase(failover.AwaitingApproval)
		b.prepares()
		if !b.op.Targets[0].Reversal.FullCopy {
			t.Error("it shows what it would have used before")
		}
		says(t, b.refused(old), "since that button was drawn")
		b.presses(ben)
		b.does(failover.StepReprotectAgain, turns)
	})
	t.Run("commit", func(t *testing.T) {
		b := newTable(t, 1)
		atCheck(b)
		b.presses(ben)
		b.tell(failover.Observation{})
		b.presses(ben)
		b.act(b.looked())
		b.fold(failover.StepFailed{Target: b.item.Key, Kind: failover.StepCommit, Fault: failover.Fault{Message: "no"}}, "")
		b.phase(failover.AwaitingCommit)
		b.presses(ben)
		b.does(failover.StepCommit, commits)
	})
}

// What is wrong with the next step is told at its gate, for as long as it is wrong, and nobody can decide.
func TestGateThatCannotBeRead(t *testing.T) {
	b := newTable(t, 1)
	b.homing(failover.StepReprotect)
	b.presses(ben)
	b.does(failover.StepReprotect, turns)
	rows := map[string]func(){
		"A test failover of vm-x": func() { drills(&b.item) },
		"no recovery point":       func() { cleansUp(&b.item); b.points = nil },
		"is at home in west":      func() { b.points = points(); b.item.To = "east" },
	}
	for _, want := range []string{"A test failover of vm-x", "no recovery point", "is at home in west"} {
		rows[want]()
		b.now = b.now.Add(time.Minute)
		b.tell(b.looked())
		says(t, b.op.Targets[0].Progress, want)
		if _, ok := b.next(b.looked()).(failover.Wait); !ok {
			t.Errorf("told once, got %#v", b.next(b.looked()))
		}
		says(t, b.refused(b.button(ben)), "has not been read yet")
	}
	seen := failover.Observation{Silent: b.now.Add(-time.Minute), RetryAt: b.now.Add(time.Second), Refused: &failover.Fault{Message: "No mapping.", Action: "Make one."}}
	b.tell(seen)
	says(t, b.op.Targets[0].Progress, "No mapping. Make one.")
	b.item.To = "west"
	b.now = b.now.Add(time.Minute)
	b.prepares()
	b.presses(ben)
}

// Somebody does in the portal what a gate waits for: it closes, and the way goes on from there.
func TestPortalOnTheWayHome(t *testing.T) {
	t.Run("commit", func(t *testing.T) {
		b := newTable(t, 1)
		atCheck(b)
		b.presses(ben)
		b.tell(failover.Observation{})
		b.noticed(commits)
		b.phase(failover.AwaitingApproval)
		b.gate(failover.StepReprotectAgain)
		if !failover.HasWork(b.op) {
			t.Fatal("nobody reads what the next gate is about")
		}
		b.reversal = &failover.Reversal{From: "west", To: "north"}
		b.prepares()
		b.presses(ben)
		b.does(failover.StepReprotectAgain, turns)
	})
	t.Run("reprotect", func(t *testing.T) {
		b := newTable(t, 1)
		atHome(b)
		b.noticed(turns)
		b.phase(failover.Running)
		b.tell(failover.Observation{SurveyedAt: b.now})
		b.tell(failover.Observation{})
		b.phase(failover.Succeeded)
	})
	t.Run("reprotect before it was read", func(t *testing.T) {
		b := newTable(t, 1)
		atCheck(b)
		b.presses(ben)
		b.tell(failover.Observation{})
		b.presses(ben)
		b.does(failover.StepCommit, commits)
		turns(&b.item)
		b.tell(b.looked())
		b.phase(failover.Running)
		b.gate("")
	})
	t.Run("reprotect under the press", func(t *testing.T) {
		b := newTable(t, 1)
		atHome(b)
		b.presses(ben)
		turns(&b.item)
		if facts := b.tell(b.looked()); !facts[0].(failover.StepDone).Outside {
			t.Errorf("%+v", facts)
		}
	})
	t.Run("still at the first gate", func(t *testing.T) {
		b := newTable(t, 1)
		b.homing(failover.StepReprotect)
		turns(&b.item)
		if facts := failover.Noticed(b.op, []failover.Item{b.item}); len(facts) != 0 {
			t.Errorf("what nobody has approved is not begun: %+v", facts)
		}
	})
}

// Each gate needs the presses of N people of its own, none of them who asked; with none needed, one press of who may ask.
func TestPressesOfTheWayHome(t *testing.T) {
	b := newTable(t, 2)
	b.homing(failover.StepFailover)
	b.presses(ben)
	b.presses(cleo)
	b.does(failover.StepFailover, failsOver)
	says(t, b.refused(b.button(ana)), "You asked for it yourself")
	b.presses(cleo)
	b.gate(failover.StepCheck)
	says(t, b.refused(b.button(cleo)), "already approved")
	b.presses(ben)
	b.phase(failover.Running)

	b = newTable(t, 0)
	b.inNorth(failover.StateCommitted, "SwitchProtection")
	b.must(failover.VerbFailback, ana)
	b.phase(failover.Running) // it starts with the word
	b.does(failover.StepReprotect, turns)
	b.prepares()
	b.phase(failover.AwaitingApproval) // and waits for a press before each step after
	says(t, b.refused(b.button(ben)), "You may not decide")
	b.presses(ana)
	b.does(failover.StepFailover, failsOver)
	b.phase(failover.AwaitingApproval)
}

// A change at the commit of a failback: the VM starts anew, so it is asked again whether it works.
func TestChangeOnTheWayHome(t *testing.T) {
	b := newTable(t, 1)
	atCheck(b)
	b.refused(b.change(ben, first))
	b.presses(ben)
	b.tell(failover.Observation{})
	b.asks(ben, first)
	b.does(failover.StepChange, asItIs)
	b.phase(failover.AwaitingApproval)
	b.gate(failover.StepCheck)
	b.presses(ben)
	b.tell(failover.Observation{})
	b.gate(failover.StepCommit)
}

// Whatever people, Azure and the portal do: each call of the way home has an opened gate of its own behind it, and a gate
// that waits is either decidable, or somebody reads what it is about.
func TestFailbackModel(t *testing.T) {
	farthest := map[failover.StepKind]int{}
	rapid.Check(t, func(rt *rapid.T) {
		b := newTable(t, rapid.IntRange(0, 2).Draw(rt, "approvals"))
		b.inNorth(failover.StateCommitted, "SwitchProtection")
		b.must(failover.VerbFailback, ana)
		for _, by := range []failover.Actor{ben, cleo}[:b.op.Plan.Rule.Approvals] {
			b.presses(by)
		}
		b.does(failover.StepReprotect, turns)
		calls := 1
		for range rapid.IntRange(20, 200).Draw(rt, "steps") {
			b.now = b.now.Add(time.Duration(rapid.IntRange(0, 60).Draw(rt, "seconds")) * time.Second)
			switch rapid.IntRange(0, 9).Draw(rt, "who") {
			case 0, 1, 2:
				b.someone(rt)
			case 3:
				b.portal(rt)
			default:
				calls += b.azure(rt)
			}
			if calls > b.opened {
				rt.Fatalf("%d calls, %d gates opened", calls, b.opened)
			}
			b.sound(rt)
		}
		farthest[b.op.Targets[0].Doing]++
	})
	t.Logf("how far they came: %v", farthest)
}

// sound checks what holds in every moment.
func (b *table) sound(rt *rapid.T) {
	target := b.op.Targets[0]
	waits := b.op.Phase == failover.AwaitingApproval || b.op.Phase == failover.AwaitingCommit
	stage, pending := b.op.Pending()
	switch {
	case waits != pending, waits && (target.Phase != b.op.Phase || stage.Waits != b.op.Phase || stage.Step != target.Doing):
		rt.Fatalf("waits in %s for %+v: %+v", b.op.Phase, stage, target)
	case waits && b.op.WaitsSince.IsZero() != failover.HasWork(b.op):
		rt.Fatalf("nobody can decide and nobody reads: %+v", target)
	case b.op.Phase == failover.Running && !failover.HasWork(b.op):
		rt.Fatalf("runs without a driver: %+v", target)
	case b.op.Phase.Final() && !target.Phase.Final():
		rt.Fatalf("over, but not quite: %+v", target)
	}
}

// someone says something, with a button or typed.
func (b *table) someone(rt *rapid.T) {
	verbs := []failover.Verb{failover.VerbApprove, failover.VerbApprove, failover.VerbApprove, failover.VerbCommit, failover.VerbCommit, failover.VerbReprotect, failover.VerbChange, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel}
	cmd := b.command(rapid.SampledFrom(verbs).Draw(rt, "verb"), rapid.SampledFrom([]failover.Actor{ana, ben, cleo, eve}).Draw(rt, "by"))
	if cmd.Verb == failover.VerbCancel && rapid.IntRange(0, 19).Draw(rt, "seldom") != 7 {
		return
	}
	if rapid.Bool().Draw(rt, "button") {
		stage, _ := b.op.Pending()
		cmd.Seen = b.op.Token(stage.Step)
	}
	cmd.Point = failover.Point{Kind: failover.ByID, ID: rapid.SampledFrom([]string{first, second, third}).Draw(rt, "point")}
	_ = b.try(cmd)
}

// portal is somebody who does there what may be done next, and an executor that looks.
func (b *table) portal(rt *rapid.T) {
	if rapid.IntRange(0, 9).Draw(rt, "seldom") == 7 && b.item.JobID == "" {
		b.happens(map[string]failover.StepKind{failover.StateProtected: failover.StepFailover, failover.StateCommitPending: failover.StepCommit, failover.StateCommitted: failover.StepReprotect}[b.item.State])
	}
	for _, f := range failover.Noticed(b.op, []failover.Item{b.item}) {
		b.fold(f, "")
	}
}

// happens is what a step makes of the item.
func (b *table) happens(kind failover.StepKind) {
	switch {
	case kind == failover.StepFailover:
		failsOver(&b.item)
	case kind == failover.StepCommit:
		commits(&b.item)
	case kind.IsReprotect():
		turns(&b.item)
	}
}

// azure does the next thing and answers it; it returns the calls that were made and not put off.
func (b *table) azure(rt *rapid.T) int {
	b.reversal = &failover.Reversal{From: b.item.To, To: b.item.From}
	seen := b.looked()
	seen.SurveyedAt = b.now
	if rapid.Bool().Draw(rt, "job") {
		seen = b.ended()
		if seen.Job.State = rapid.SampledFrom([]failover.JobState{failover.JobSucceeded, failover.JobSucceeded, failover.JobFailed, failover.JobInProgress}).Draw(rt, "state"); seen.Job.State == failover.JobSucceeded {
			b.happens(b.called)
			b.called = ""
			seen.Item = b.item
		}
	}
	switch e := b.next(seen).(type) {
	case failover.Act:
		b.fold(e.Intent, "")
		switch rapid.IntRange(0, 5).Draw(rt, "answer") {
		case 0:
			b.fold(failover.StepDelayed{Target: b.item.Key, Kind: e.Call.Kind, Until: b.now}, "")
			return 0
		case 1:
			b.fold(failover.StepFailed{Target: b.item.Key, Kind: e.Call.Kind, Fault: failover.Fault{Message: "no"}}, "")
			return 1
		}
		b.called = e.Call.Kind
		b.accepted(e.Call.Kind)
		return 1
	case failover.Tell:
		for _, f := range e.Facts {
			b.fold(f, "")
		}
	case failover.Look, failover.Search, failover.ReadJob, failover.Wait, failover.Park, failover.Probe, failover.Survey:
	}
	return 0
}
