package render_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ferry/bot/render"
	"ferry/failover"
)

// fleetOf asks for the failover of a group: one canary, a third of the others as web, the rest as data after them.
func fleetOf(vms int) failover.Requested {
	req := requested()
	req.Plan.Fleet = &failover.Fleet{
		Name: "checkout", Concurrency: max(4, vms/10), Tolerate: 5,
		Waves: []failover.Wave{{Name: "canary", Canary: true}, {Name: "web", After: []int{1}}, {Name: "data", After: []int{1, 2}}},
	}
	req.Plan.LeftOut = "vm-old has no recovery point."
	req.Targets = nil
	for n := range vms {
		i := item()
		i.Key, i.Name = fmt.Sprintf("k%04d", n), fmt.Sprintf("vm-%04d", n)
		t := failover.Target{Item: i, Phase: failover.AwaitingApproval, Wave: 3, Expected: 240 + n%60}
		switch {
		case n == 0:
			t.Wave = 1
		case n <= vms/3:
			t.Wave = 2
		}
		req.Targets = append(req.Targets, t)
	}
	s := failover.Situation{RTO: time.Hour}
	req.Expected = s.Forecast(failover.VerbFailover, req.Plan, req.Targets).Expected
	return req
}

// begun is such an operation after its approval.
func begun(vms int) story {
	return ask(fleetOf(vms)).then(40*time.Second,
		failover.Decided{Gate: failover.ClassFailover, By: ben(), Approve: true}, failover.GateOpened{Gate: failover.ClassFailover, Step: failover.StepFailover},
		failover.Claimed{Executor: "executor-1"})
}

// together folds many facts of one moment at once: of 1,000 VMs that is quicker.
func (s story) together(facts []failover.Fact) story {
	s.seq += uint64(len(facts))
	s.op = failover.Fold(s.op, failover.Batch{At: s.now, Facts: facts})
	s.op.Seq = s.seq
	return s
}

// started has the VMs from one to another begin, moved has them come up, but for those that fail.
func (s story) started(from, to int, kind failover.StepKind) story {
	var facts []failover.Fact
	for n := from; n < to; n++ {
		if t := s.op.Targets[n]; t.Phase == failover.Running {
			facts = append(facts, failover.StepStarted{Target: t.Item.Key, Kind: kind, Attempt: 1}, failover.StepAccepted{Target: t.Item.Key, Kind: kind, JobID: "/job/" + t.Item.Key})
		}
	}
	return s.together(facts)
}

func (s story) moved(from, to int, kind failover.StepKind, fails func(n int) bool) story {
	var facts []failover.Fact
	for n := from; n < to; n++ {
		switch t := s.op.Targets[n]; {
		case t.Phase != failover.Running:
		case fails(n):
			facts = append(facts, failover.StepFailed{Target: t.Item.Key, Kind: kind, Fault: quorumFault()})
		default:
			facts = append(facts, failover.StepDone{Target: t.Item.Key, Kind: kind, PointUsed: start().Add(-2 * time.Second), EndedAt: s.now})
		}
	}
	return s.together(facts)
}

func none(int) bool              { return false }
func every(n int) func(int) bool { return func(i int) bool { return i%n == 5 } }

// wave2 runs: the canary is up, some of the second wave are.
func wave2(vms int) story {
	s := begun(vms).started(0, 1, failover.StepFailover).then(3*time.Minute).moved(0, 1, failover.StepFailover, none)
	third := vms / 3
	s = s.started(1, third/2+1, failover.StepFailover).then(4*time.Minute).moved(1, third/4+1, failover.StepFailover, none)
	return s.then(time.Minute)
}

// fleets are the states of an operation on several VMs that read differently.
func fleets(vms int) map[string]story {
	third := vms / 3
	held := wave2(vms).moved(third/4+1, third/2+1, failover.StepFailover, func(n int) bool { return n%6 == 2 }).
		then(time.Second, failover.PutOnHold{Why: "more than 5 % of wave 2 (web) have failed"}).then(2 * time.Minute)
	up := wave2(vms).moved(third/4+1, third/2+1, failover.StepFailover, none).started(third/2+1, vms, failover.StepFailover).
		then(12*time.Minute).moved(third/2+1, vms, failover.StepFailover, every(11)).then(time.Minute, failover.Parked{})
	over := up.then(5*time.Minute, failover.Decided{Gate: failover.ClassCommit, By: ben(), Approve: true}, failover.GateOpened{Gate: failover.ClassCommit, Step: failover.StepCommit})
	over = over.started(0, vms, failover.StepCommit).moved(0, vms, failover.StepCommit, none)
	over = over.then(10*time.Second, failover.Finished{Phase: failover.Failed, Note: "Some failed: vm-0005 and others.", Hint: "Azure may have shut down what failed: look first whether it runs. Mend the cause, then ask again."})
	return map[string]story{"awaiting_approval": ask(fleetOf(vms)), "running": wave2(vms), "on_hold": held, "awaiting_commit": up, "over": over}
}

// fleetsOf are those of 12 or 1,000 VMs, folded once.
var fleetsOf = map[int]func() map[string]story{
	12: sync.OnceValue(func() map[string]story { return fleets(12) }), 1000: sync.OnceValue(func() map[string]story { return fleets(1000) }),
}

// TestFleetCards draws each of them, of 12 VMs and of 1,000.
func TestFleetCards(t *testing.T) {
	for _, vms := range []int{12, 1000} {
		all := fleetsOf[vms]()
		for _, state := range slices.Sorted(maps.Keys(all)) {
			name := fmt.Sprintf("fleet%d_%s", vms, state)
			t.Run(name, func(t *testing.T) {
				s := all[state]
				card := render.Card(s.op, s.now, false)
				golden(t, name+".json", wire(t, card))
				var text strings.Builder
				text.WriteString("=== Slack ===\n" + readable(card) + "=== fallback text ===\n" + card.Text + "\n")
				if vms < 100 {
					text.WriteString("\n=== terminal ===\n" + render.CardText(s.op, s.now))
				}
				for _, n := range render.Notices(s.op, []string{"U0BEN", "U0CAS"}) {
					text.WriteString("\n=== notice " + n.Key + " ===\n" + n.Message.Text + "\n")
				}
				golden(t, name+".txt", text.String())
			})
		}
	}
}

// What an incident commander has to know stands in the first 400 characters of what is read aloud, and of what is seen.
func TestFiveSeconds(t *testing.T) {
	for _, vms := range []int{12, 1000} {
		all := fleetsOf[vms]()
		for state, want := range map[string][]string{
			"awaiting_approval": {"awaiting approval", "Waits for approval by", "Takes: about", "19 times in 20 at most", "the target of 1 h is"},
			"running":           {"running, wave 2 of 3", " up in North Europe", " running", " to begin", "All up at about", "19 times in 20 before", "Held back by", "nobody has to act"},
			"on_hold":           {"on hold", " up in North Europe", " failed", " to begin", "more than 5 % of wave 2 (web) have failed", "Waits for somebody who may cancel", "Resume", "Retry failed"},
			"awaiting_commit":   {"awaiting commit", " up in North Europe", " failed", "Waits for the role approver to press Commit all"},
			"over":              {"over,", "committed", " failed", "What came up was up after 20 min (RTO); the target of 1 h 0 min is", "the forecast was"},
		} {
			card := render.Card(all[state].op, all[state].now, false)
			said := []rune(card.Text)
			first := string(said[:min(len(said), 400)])
			for _, needed := range want {
				if !strings.Contains(first, needed) {
					t.Errorf("%d VMs, %s: %q is not said at first: %s", vms, state, needed, first)
				}
			}
		}
	}
}

// Names, reasons and faults that want to be more than text, of 1,000 VMs in up to 40 waves, fit and stay text.
func TestFleetLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := operationGen().Draw(t, "operation")
		targets := rapid.SliceOfN(targetGen(), 2, 6).Draw(t, "targets")
		waves := rapid.IntRange(1, 40).Draw(t, "waves")
		f := &failover.Fleet{Name: hostile().Draw(t, "group"), Concurrency: rapid.IntRange(0, 9).Draw(t, "at a time"), Tolerate: 7}
		for n := range waves {
			f.Waves = append(f.Waves, failover.Wave{Name: hostile().Draw(t, "wave"), After: slices.Repeat([]int{n}, min(n, 9))})
		}
		one.Plan.Fleet, one.Plan.LeftOut, one.Plan.Recovery, one.Targets = f, hostile().Draw(t, "left out"), nil, nil
		one.Expected = failover.Expected{Seconds: 240, P95: 600, Limit: failover.LimitVault, About: hostile().Draw(t, "vault"), RTO: 60}
		if rapid.Bool().Draw(t, "held") {
			one.OnHold = &failover.OnHold{By: someone().Draw(t, "holder"), Why: hostile().Draw(t, "why held"), At: sometime().Draw(t, "held at")}
		}
		for n := range rapid.SampledFrom([]int{2, 2, 24, 24, 25, 25, 25, 1000}).Draw(t, "VMs") {
			target := targets[n%len(targets)]
			target.Item.Key, target.Wave = fmt.Sprint(n), n%waves+1
			one.Targets = append(one.Targets, target)
		}
		now := sometime().Draw(t, "now")
		card := render.Card(one, now, true)
		checkMessage(t, card, 8000-len([]rune(unescaped(card.Text))))
		for _, n := range render.Notices(one, []string{"S0123456789ABCDEFGHIJ", "U0BEN"}) {
			checkMessage(t, n.Message, 2000)
			if shown := []rune(unescaped(n.Message.Text)); len(shown) > 300 {
				t.Fatalf("notice %s has %d characters", n.Key, len(shown))
			}
		}
	})
}

// However many VMs fail one after another, people are called once for each thing that needs them.
func TestFleetCallsOnce(t *testing.T) {
	s := fleetsOf[1000]()["on_hold"]
	keys := map[string]bool{}
	tell := func(s story) {
		for _, n := range render.Notices(s.op, []string{"U0BEN"}) {
			keys[n.Key] = true
		}
	}
	going := s.then(time.Second, failover.Resumed{By: ben()}).started(400, 500, failover.StepFailover)
	for n := 400; n < 500; n += 10 {
		going = going.moved(n, n+10, failover.StepFailover, func(int) bool { return true })
		tell(going)
	}
	tell(s)
	tell(fleetsOf[1000]()["over"])
	if want := []string{"failed", "hold_20261123T121233", "some_failed"}; !slices.Equal(slices.Sorted(maps.Keys(keys)), want) {
		t.Errorf("called for %v, want %v", slices.Sorted(maps.Keys(keys)), want)
	}
}

// A card of 1,000 VMs is drawn up to 20 times a minute.
func BenchmarkFleetCard(b *testing.B) {
	s := fleetsOf[1000]()["running"]
	for b.Loop() {
		render.Card(s.op, s.now, false)
	}
}

// What a forecast says, of a group, of one VM, and of a group of which nothing is ready.
func TestForecastText(t *testing.T) {
	req := fleetOf(1000)
	group := failover.Forecast{What: "group checkout", VMs: 1000, Waves: 3, Expected: req.Expected, Own: 12, LeftOut: "vm-old has no <!channel> recovery point."}
	group.Of = 12
	one := failover.Situation{RTO: 10 * time.Minute}.Forecast(failover.VerbFailover, failover.Plan{}, req.Targets[:1])
	one.What = "vm-0000"
	text := ""
	for _, f := range []failover.Forecast{group, one, {What: "group shop", LeftOut: "No VM is protected."}} {
		text += render.ForecastText(f) + "\n"
	}
	golden(t, "forecasts.txt", text)
}

// A page of the status of 1,000 VMs; of 12 there are none.
func TestStatusPage(t *testing.T) {
	s := fleetsOf[1000]()["running"]
	page, ok := render.StatusPage(s.op, 2, s.now)
	if !ok {
		t.Fatal("there is no second page")
	}
	golden(t, "fleet_page.json", wire(t, page))
	for _, none := range []int{-1, 0, 99} {
		if _, ok := render.StatusPage(s.op, none, s.now); ok {
			t.Errorf("there is a page %d", none)
		}
	}
	few := fleetsOf[12]()["running"]
	if _, ok := render.StatusPage(few.op, 1, few.now); ok {
		t.Error("12 VMs need pages")
	}
}

// Where there is little room, an operation on 1,000 VMs takes a line, or what its card begins with: the table of what is open, and
// the Home of who waits for it and of who has to decide.
func TestFleetElsewhere(t *testing.T) {
	var text strings.Builder
	for _, state := range []string{"awaiting_approval", "running", "on_hold", "awaiting_commit", "over"} {
		s := fleetsOf[1000]()[state]
		text.WriteString("=== " + state + ": open ===\n" + render.StatusTable([]failover.Operation{s.op}, s.now, 0))
		part, known := render.Progress(s.op, s.now)
		fmt.Fprintf(&text, "=== progress: %.2f %v, %s ===\n", part, known, render.Lasting(s.op, s.now))
		view := render.Home(render.Overview{Operations: []failover.Operation{s.op}, Policy: roles("U0BEN"), Health: well()}, ben(), nil, s.now)
		if blocks := view.Blocks.BlockSet; len(blocks) > 100 || len(wire(t, render.Message{Text: "x", Blocks: blocks})) > 40_000 {
			t.Errorf("%s: %d blocks in the Home tab", state, len(blocks))
		}
		text.WriteString("=== home of ben ===\n" + readable(render.Message{Blocks: view.Blocks.BlockSet}))
	}
	golden(t, "fleet_elsewhere.txt", text.String())
}

// The report of 1,000 VMs tells how many came through, of what the others failed, and what had been forecast.
func TestFleetReport(t *testing.T) {
	s := fleetsOf[1000]()["over"]
	m := render.Report(failover.Report{Operation: s.op, TargetRTO: 3600, TargetRPO: 900}, render.AllParts(), s.now)
	golden(t, "fleet_report.txt", readable(m))
	for _, part := range []string{"924 of 1,000 committed", "Wave 3 data", "76 failed", "Up after (RTO):* 20 min", "Forecast:* 1 h", "held back by"} {
		if !strings.Contains(readable(m), part) {
			t.Errorf("the report lacks %q", part)
		}
	}
}

// What a card and its notices say fits one VM as it fits several, and what came of it.
func TestFleetWords(t *testing.T) {
	all := fleetsOf[12]()
	checked := func(outcome ...failover.CheckOutcome) story {
		s := all["awaiting_commit"]
		for n, o := range outcome {
			s = s.then(time.Second, failover.Checked{Target: s.op.Targets[n].Item.Key, Result: failover.CheckResult{Outcome: o}})
		}
		return s
	}
	home := all["over"]
	home.op.Verb = failover.VerbFailback
	skipped := wave2(12).then(time.Second, failover.Finished{Phase: failover.Succeeded})
	for n := range skipped.op.Targets {
		skipped.op.Targets[n].Phase = failover.Cancelled
	}
	skipped.op.Targets[0].Phase = failover.Succeeded
	one := all["awaiting_commit"]
	one.op.Targets = slices.Clone(one.op.Targets)
	for n := range one.op.Targets[1:] {
		one.op.Targets[n+1].Phase = failover.Cancelled
	}
	committing := all["awaiting_commit"].then(time.Minute, failover.Decided{Gate: failover.ClassCommit, By: ben(), Approve: true},
		failover.GateOpened{Gate: failover.ClassCommit, Step: failover.StepCommit}).started(0, 12, failover.StepCommit)
	person := all["running"].then(time.Second, failover.PutOnHold{By: ben()})
	gate := all["awaiting_commit"] // on the way home it is checked before the commit
	gate.op.Verb, gate.op.Phase, gate.op.Targets = failover.VerbFailback, failover.AwaitingApproval, slices.Clone(gate.op.Targets)
	for n := range gate.op.Targets {
		gate.op.Targets[n].Phase, gate.op.Targets[n].Doing = failover.AwaitingApproval, failover.StepCheck
	}
	asks := all["awaiting_commit"].then(time.Second, failover.CommitAsked{By: ana()})
	whole := all["over"]
	whole.op.Phase, whole.op.Targets = failover.Succeeded, slices.Clone(whole.op.Targets)
	for n := range whole.op.Targets {
		whole.op.Targets[n].Phase = failover.Succeeded
	}
	for name, row := range map[string]struct {
		s    story
		want string
	}{
		"the button of a commit that was asked for": {asks, "asks for the commit of group checkout (12 VMs) (op-7f3kq2mz). Press Commit all on its card."},
		"all are final":                         {whole, "They are not protected until they are reprotected."},
		"a check failed behind one that passed": {checked(failover.CheckPassed, failover.CheckFailed), "Not every check passed: vm-0001. Find out why"},
		"each check passed":                     {checked(failover.CheckPassed, failover.CheckPassed), "Each check passed."},
		"what to type for one of a way home":    {home, "ask again, such as /failover failback vm-0005."},
		"nothing failed":                        {skipped, "Its card names those that were skipped."},
		"one is up":                             {one, "1 of group checkout (12 VMs) is up and waits for the commit (op-7f3kq2mz). Check it, then"},
		"commits have no waves":                 {committing, "(12 VMs): running\n"},
		"a hold before anything failed":         {person, "press Resume to let it go on."},
	} {
		said := render.CardText(row.s.op, row.s.now)
		for _, n := range render.Notices(row.s.op, []string{"U0BEN"}) {
			said += n.Message.Text + "\n"
		}
		if !strings.Contains(said, row.want) {
			t.Errorf("%s: %q is not said:\n%s", name, row.want, said)
		}
	}
	if said := render.CardText(gate.op, gate.now); strings.Contains(said, "takes about") || strings.Contains(said, "Goes:") || !strings.Contains(said, "vm-0001: waiting for a decision\n") {
		t.Errorf("what is told of the first step is told at a later gate:\n%s", said)
	}
}

// The end that is told lies ahead, also when it is near.
func TestFleetEndsAhead(t *testing.T) {
	s := fleetsOf[12]()["running"]
	s.op.Targets = slices.Clone(s.op.Targets)
	for n := range s.op.Targets {
		s.op.Targets[n].Expected = 1
	}
	now := s.now.Truncate(time.Minute).Add(5 * time.Second)
	if said := render.CardText(s.op, now); !strings.Contains(said, "All up at about 12:12:20 UTC (in 13 s)") {
		t.Errorf("at %s: %s", now.Format("15:04:05"), said)
	}
}
