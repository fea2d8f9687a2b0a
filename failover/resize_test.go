package failover_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

const ownSize, nextSize, lastSize = "Standard_D4s_v5", "Standard_D4as_v5", "Standard_D8s_v5"

// scarce is a region without room for some sizes, and a vault that takes some.
type scarce struct {
	t       *testing.T
	op      failover.Operation
	item    failover.Item // as the vault has it
	seen    failover.Observation
	policy  failover.Policy
	now     time.Time
	roomFor string        // the size that a failover finds room for
	refuses string        // the size that the vault does not take
	loses   bool          // the answers to changes of size
	takes   time.Duration // a failover
	lags    time.Duration // the item, behind the end of its job
	busy    string        // the job that it still shows
	ended   time.Time     // that job
	calls   []string
}

// newScarce is a failover that has been approved, of one VM, or of several of which only the first is looked at.
func newScarce(t *testing.T, names ...string) *scarce {
	t.Helper()
	s := &scarce{t: t, now: start, policy: policy(1)}
	situation := failover.Situation{Now: start, Policy: policy(1), Points: points(), Sizes: map[string][]string{strings.ToUpper(ownSize): {nextSize, lastSize}}}
	situation.Policy.ConfirmAbove = 1000
	for _, name := range names {
		i := item(name, failover.StateProtected, "UnplannedFailover")
		i.Size = ownSize
		situation.Members = append(situation.Members, failover.Member{Item: i, Wave: 1})
	}
	s.item = situation.Members[0].Item
	cmd := failover.Command{MessageID: "m", Op: "op-aaaaaaaa", Verb: failover.VerbGroup, Row: true, Target: strings.Join(names, " "), By: ana, At: start, ValidUntil: start.Add(time.Minute)}
	situation.Fleet = &failover.Fleet{Waves: []failover.Wave{{}}, OnFailure: failover.GoOn}
	if len(names) == 1 {
		cmd.Verb, cmd.Row, situation.Item, situation.Members, situation.Fleet = failover.VerbFailover, false, s.item, nil, nil
	}
	facts, refusal := failover.Decide(failover.Operation{}, cmd, situation)
	if refusal != nil {
		t.Fatal(refusal)
	}
	gate := failover.GateOpened{Gate: failover.ClassFailover, Step: failover.StepFailover}
	s.tell(append(facts, failover.Decided{Gate: gate.Gate, Step: gate.Step, By: ben, Approve: true}, gate)...)
	return s
}

func (s *scarce) tell(facts ...failover.Fact) {
	s.op = failover.Fold(s.op, failover.Batch{At: s.now, Facts: facts})
}

func (s *scarce) target() *failover.Target { return &s.op.Targets[0] }

// plays drives the first VM until its phase is no longer running.
func (s *scarce) plays() string {
	s.t.Helper()
	return s.until(func() bool { return s.target().Phase != failover.Running || s.op.Phase.Final() })
}

// until drives the first VM until something is so, and returns the calls.
func (s *scarce) until(so func() bool) string {
	s.t.Helper()
	for range 400 {
		if so() {
			return strings.Join(s.calls, " ")
		}
		s.does(s.due())
	}
	s.t.Fatalf("it comes to no end: %v", s.calls)
	return ""
}

// due is what the driver has to do next for the first VM.
func (s *scarce) due() failover.Effect {
	for _, due := range failover.Agenda(s.op, map[string]failover.Observation{s.item.Key: s.seen}, nil, s.now) {
		if due.Target == s.item.Key || due.Target == "" {
			return due.Effect
		}
	}
	return failover.Wait{Until: s.now.Add(time.Minute)}
}

// is reports whether the newest step of a kind is in a state.
func (s *scarce) is(kind failover.StepKind, state failover.StepState) func() bool {
	return func() bool {
		step := s.target().Step(kind)
		return step != nil && step.State == state
	}
}

// begins reports whether a call for a step is due.
func (s *scarce) begins(kind failover.StepKind) func() bool {
	return func() bool {
		act, acts := s.due().(failover.Act)
		return acts && act.Intent.Kind == kind
	}
}

// looked is the item as Azure shows it now.
func (s *scarce) looked() failover.Item {
	item := s.item
	if s.now.Before(s.ended.Add(s.lags)) {
		item.JobID, item.Allowed = s.busy, nil
	}
	return item
}

func (s *scarce) does(effect failover.Effect) {
	key := s.item.Key
	switch do := effect.(type) {
	case failover.Look:
		s.seen.Item, s.seen.LookedAt, s.seen.Points, s.seen.PointsAt, s.seen.Policy, s.seen.PolicyAt = s.looked(), s.now, points(), s.now, s.policy, s.now
	case failover.Search:
		s.seen.Item, s.seen.LookedAt, s.seen.SearchedAt = s.looked(), s.now, s.now
	case failover.ReadJob:
		if strings.HasPrefix(do.ID, string(failover.StepFailover)) {
			s.now = s.now.Add(s.takes)
		}
		s.seen.Job, s.seen.JobAt = s.job(do.ID), s.now
	case failover.Tell:
		s.tell(do.Facts...)
	case failover.Wait:
		s.now = do.Until
	case failover.Act:
		s.tell(do.Intent)
		s.seen = failover.Observation{WatchedFrom: s.now}
		s.calls = append(s.calls, s.called(do))
		switch {
		case do.Call.Kind == failover.StepResize && do.Call.Size == s.refuses:
			s.tell(failover.StepFailed{Target: key, Kind: do.Call.Kind, Fault: failover.Fault{Message: "no such size"}})
		case do.Call.Kind == failover.StepResize && s.loses:
			s.tell(failover.StepUnknown{Target: key, Kind: do.Call.Kind, Why: "no answer in time"})
		default:
			if do.Call.Kind == failover.StepResize {
				s.item.Size = do.Call.Size
			}
			s.tell(failover.StepAccepted{Target: key, Kind: do.Call.Kind, JobID: fmt.Sprintf("%s of %s", do.Call.Kind, s.item.Size)})
		}
	case failover.Probe, failover.Survey, failover.Park:
		s.t.Fatalf("%T", do)
	}
}

// called is a call in a word: the size that is asked for, or in which the VM would be made.
func (s *scarce) called(do failover.Act) string {
	if do.Call.Kind == failover.StepResize {
		return "→" + strings.TrimPrefix(do.Call.Size, "Standard_")
	}
	return strings.TrimPrefix(do.Call.Item.Size, "Standard_")
}

func (s *scarce) job(id string) failover.Job {
	j := failover.Job{ID: id, State: failover.JobSucceeded, EndedAt: s.now}
	if s.busy != id {
		s.busy, s.ended = id, s.now
	}
	switch {
	case strings.HasPrefix(id, string(failover.StepResize)):
	case s.item.Size == s.roomFor:
		s.item.State, s.item.Allowed = failover.StateCommitPending, []string{"Commit"}
	default:
		j.State, j.Errors = failover.JobFailed, []failover.Fault{{Code: "28031", Message: "The VM could not be made.", Capacity: s.item.Size}}
	}
	return j
}

// Where there is no room for a VM's own size those that were approved are tried in their order, and its own again after a while.
func TestAlternativeSizes(t *testing.T) {
	t.Parallel()
	const round = "D4s_v5 →D4as_v5 D4as_v5 →D8s_v5 D8s_v5 →D4s_v5 "
	for name, c := range map[string]struct {
		roomFor, refuses string
		loses            bool
		want             string
		phase            failover.Phase
		other            string
		took             time.Duration // at least
	}{
		"own":                             {roomFor: ownSize, want: "D4s_v5", phase: failover.AwaitingCommit},
		"the first":                       {roomFor: nextSize, want: "D4s_v5 →D4as_v5 D4as_v5", phase: failover.AwaitingCommit, other: nextSize},
		"the second":                      {roomFor: lastSize, want: "D4s_v5 →D4as_v5 D4as_v5 →D8s_v5 D8s_v5", phase: failover.AwaitingCommit, other: lastSize},
		"the vault refuses one":           {roomFor: lastSize, refuses: nextSize, want: "D4s_v5 →D4as_v5 →D8s_v5 D8s_v5", phase: failover.AwaitingCommit, other: lastSize},
		"no answer":                       {roomFor: nextSize, loses: true, want: "D4s_v5 →D4as_v5 →D8s_v5 D4s_v5 →D4as_v5 →D8s_v5 D4s_v5 →D4as_v5 →D8s_v5 D4s_v5", phase: failover.Failed, took: 15 * time.Minute},
		"none, and the vault has its own": {want: round + round + round + "D4s_v5", phase: failover.Failed, took: 35 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, names := range [][]string{{"sql-1"}, {"sql-1", "sql-2"}} {
				s := newScarce(t, names...)
				s.roomFor, s.refuses, s.loses = c.roomFor, c.refuses, c.loses
				if got := s.plays(); got != c.want {
					t.Errorf("of %d: called %q\nwant %q", len(names), got, c.want)
				}
				last := s.target()
				if last.Phase != c.phase || last.OtherSize() != c.other || s.now.Sub(start) < c.took {
					t.Errorf("of %d: %s after %s, in another size: %q; want %s, %q: %+v", len(names), last.Phase, s.now.Sub(start), last.OtherSize(), c.phase, c.other, last.Error)
				}
			}
		})
	}
}

// What is approved names the sizes; a size of the vault's that is none of them voids it, and where none was approved nobody asks.
func TestSizesAreApproved(t *testing.T) {
	t.Parallel()
	s := newScarce(t, "sql-1")
	if diff := s.op.Plan.Sizes[ownSize]; !slices.Equal(diff, []string{nextSize, lastSize}) {
		t.Fatalf("approved: %v", s.op.Plan.Sizes)
	}
	s.item.Size = "Standard_M128s"
	if got := s.plays(); got != "" || s.target().Phase != failover.Failed || len(s.target().Changed) != 1 || s.target().Changed[0] != (failover.Difference{Field: "size", Approved: ownSize + " or " + nextSize + " or " + lastSize, Now: "Standard_M128s"}) {
		t.Errorf("called %q: %+v", got, s.target())
	}
	s = newScarce(t, "sql-1")
	s.item.Size, s.roomFor = lastSize, lastSize // somebody has chosen it at the portal
	if got := s.plays(); got != "D8s_v5" {
		t.Errorf("called %q", got)
	}
	s = newScarce(t, "sql-1")
	s.op.Plan.Sizes, s.item.Size, s.roomFor = nil, "Standard_M128s", "Standard_M128s"
	if got := s.plays(); got != "M128s" {
		t.Errorf("called %q", got)
	}
}

// A change of size is no failover that is under way: it is left out and stopped as before one; and on hold none begins.
func TestHoldBetweenSizes(t *testing.T) {
	t.Parallel()
	s := newScarce(t, "sql-1", "sql-2")
	s.until(s.is(failover.StepFailover, failover.StateDelayed))
	if got := s.target().Progress; !strings.Contains(got, "Azure has no capacity in north for "+ownSize) || !strings.Contains(got, "Tried again as "+nextSize) {
		t.Errorf("progress %q", got)
	}
	s.tell(failover.PutOnHold{By: ana})
	if due, parks := s.due().(failover.Park); !parks {
		t.Errorf("due on hold: %+v", due)
	}
	s.tell(failover.Skipped{Targets: []string{s.item.Key}, By: ana})
	if s.target().Phase != failover.Cancelled {
		t.Error(s.target().Phase)
	}
}

// A decision holds for an hour: what had no capacity for so long is over, and not unbegun. Where nobody had to approve it, nobody did.
func TestNoCapacityForAnHour(t *testing.T) {
	t.Parallel()
	for _, decided := range []string{"approval", "request"} {
		s := newScarce(t, "sql-1")
		s.takes = 10 * time.Minute
		if decided == "request" {
			s.policy, s.op.Plan.Rule.Approvals, s.op.Decisions = policy(0), 0, nil
		}
		s.plays()
		if f := s.target(); f.Phase != failover.Failed || !strings.Contains(f.Error.Message, "no capacity in north within an hour of the "+decided) || s.now.Sub(start) > 80*time.Minute {
			t.Errorf("%s after %s: %+v", f.Phase, s.now.Sub(start), f.Error)
		}
	}
}

// Who puts it on hold between two sizes and lets it go on again has the next size tried, as the card says.
func TestResumeBetweenSizes(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{"sql-1"}, {"sql-1", "sql-2"}} {
		s := newScarce(t, names...)
		s.roomFor = lastSize
		s.until(s.is(failover.StepFailover, failover.StateDelayed))
		s.now = s.now.Add(time.Minute)
		s.tell(failover.PutOnHold{By: ana}, failover.Resumed{By: ana})
		if got, want := s.plays(), "D4s_v5 →D4as_v5 D4as_v5 →D8s_v5 D8s_v5"; got != want {
			t.Errorf("of %d: called %q, want %q", len(names), got, want)
		}
	}
}

// A change of size that was kept waiting, and is not needed any more, is not taken for what goes on once the failover is called.
func TestFailoverBehindAChangeOfSize(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{"sql-1"}, {"sql-1", "sql-2"}} {
		s := newScarce(t, names...)
		s.until(s.begins(failover.StepResize))
		s.tell(s.due().(failover.Act).Intent, failover.StepDelayed{Target: s.item.Key, Kind: failover.StepResize, Until: s.now.Add(time.Minute)})
		s.item.Size = nextSize // somebody has named it at the portal
		s.until(func() bool { return s.target().Step(failover.StepFailover).Attempt == 2 })
		due := s.due()
		if _, reads := due.(failover.ReadJob); !reads && len(names) == 1 {
			t.Errorf("due is %T%+v while the failover runs", due, due)
		}
		if _, waits := due.(failover.Wait); !waits && len(names) == 2 { // one list tells of several
			t.Errorf("of several due is %T%+v while the failover runs", due, due)
		}
	}
}

// A size that the vault did not take is told of once: the pause after it is not begun anew by a failover that was stopped before its
// call, nor is it told again by an executor whose clock is behind.
func TestUntakenSizeIsToldOnce(t *testing.T) {
	t.Parallel()
	s := newScarce(t, "sql-1")
	s.loses = true
	s.until(func() bool { return len(s.calls) == 3 && s.begins(failover.StepFailover)() }) // after its pause, in its own size
	s.tell(s.due().(failover.Act).Intent, failover.StepDelayed{Target: s.item.Key, Kind: failover.StepFailover, Fault: failover.Fault{Message: "the call was not made: its executor was stopped before"}})
	if act, acts := s.due().(failover.Act); !acts || act.Intent.Attempt != 3 {
		t.Errorf("due is %+v after a call that was not made", s.due())
	}
	s = newScarce(t, "sql-1")
	s.refuses = nextSize
	s.until(s.begins(failover.StepResize))
	s.now = s.now.Add(2 * time.Second)
	s.until(s.is(failover.StepResize, failover.StateFailed))
	s.now = s.now.Add(-time.Second)
	s.does(s.due())
	if tell, again := s.due().(failover.Tell); again {
		t.Errorf("told again: %+v", tell)
	}
}

// A failover whose answer was lost may yet arrive: no size is changed behind it, whatever the vault names by then.
func TestNoChangeOfSizeBehindALostFailover(t *testing.T) {
	t.Parallel()
	s := newScarce(t, "sql-1")
	s.until(func() bool { return s.item.Size == nextSize && s.begins(failover.StepFailover)() })
	s.tell(s.due().(failover.Act).Intent, failover.StepUnknown{Target: s.item.Key, Kind: failover.StepFailover, Why: "no answer in time"})
	s.item.Size, s.seen = lastSize, failover.Observation{WatchedFrom: s.now}
	s.until(func() bool { _, acts := s.due().(failover.Act); return acts })
	if act := s.due().(failover.Act); act.Call.Kind != failover.StepFailover || !act.Again {
		t.Errorf("due is %s, again: %v", act.Call.Kind, act.Again)
	}
}

// Azure may show a job on the item for a while after its end; what is tried again at once is not turned away for that.
func TestItemBehindItsJob(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{"sql-1"}, {"sql-1", "sql-2"}} {
		s := newScarce(t, names...)
		s.roomFor, s.lags = nextSize, 45*time.Second
		if got, want := s.plays(), "D4s_v5 →D4as_v5 D4as_v5"; got != want || s.target().Phase != failover.AwaitingCommit {
			t.Errorf("of %d: called %q, want %q: %+v", len(names), got, want, s.target().Error)
		}
	}
}

// A freeze between two tries is no gate that closes, for something was started: one VM has failed, several are on hold. So it is
// with everything else that ends a decision.
func TestLapseBetweenSizes(t *testing.T) {
	t.Parallel()
	frozen := []failover.Freeze{{Op: "op-ffffffff", Pattern: failover.Everything, By: ben, Since: start}}
	for _, approvals := range []int{0, 1} {
		one, two := newScarce(t, "sql-1"), newScarce(t, "sql-1", "sql-2")
		for _, s := range []*scarce{one, two} {
			s.op.Plan.Rule.Approvals = approvals
			s.until(s.begins(failover.StepResize))
			s.does(failover.Halt(s.op, s.item.Key, s.due(), frozen, s.now))
		}
		if e := one.target().Error; one.target().Phase != failover.Failed || e == nil || !strings.Contains(e.Message, "no capacity in north, and another try was not begun: ben has frozen new work") {
			t.Errorf("one of %d approvals is %s: %+v", approvals, one.target().Phase, e)
		}
		if end, ends := one.due().(failover.Tell); !ends || strings.Contains(end.Facts[0].(failover.Finished).Note, "Nothing was started") {
			t.Errorf("one ends with %+v", end)
		}
		if two.op.OnHold == nil || two.op.Lapsed != nil {
			t.Errorf("several of %d approvals are on hold: %v, lapsed: %+v", approvals, two.op.OnHold, two.op.Lapsed)
		}
		if two.tell(failover.Resumed{By: ana}); two.plays() == "" || two.target().Phase == failover.Running {
			t.Errorf("several do not go on: %+v", two.target())
		}
	}
}

// While Azure does not show what it was asked for, a change of size that goes on is no failover that has failed.
func TestChangeOfSizeThatIsNotShown(t *testing.T) {
	t.Parallel()
	s := newScarce(t, "sql-1")
	s.until(s.is(failover.StepResize, failover.StateAccepted))
	s.seen = failover.Observation{Refused: &failover.Fault{Message: "forbidden"}, Silent: s.now, RetryAt: s.now.Add(failover.LookEvery)}
	if due, waits := s.due().(failover.Wait); !waits {
		t.Errorf("due is %+v", due)
	}
	s.now = s.now.Add(failover.SettleWithin)
	s.seen.RetryAt = s.now.Add(failover.LookEvery)
	if s.does(s.due()); s.target().Phase != failover.Running || !s.is(failover.StepResize, failover.StateFailed)() {
		t.Errorf("%s: %+v", s.target().Phase, s.target().Steps)
	}
}

// Who ends it between two tries is told what may have become of the VM, and not that it was never begun.
func TestCancelBetweenSizes(t *testing.T) {
	t.Parallel()
	for names, want := range map[string]string{
		"sql-1":       "The VM stays as it is in Azure. Azure has made no VM. To try it once more, ask again. Azure may have shut down sql-1: look first whether it runs.",
		"sql-1 sql-2": "What is done stays done: 1 failed or to be looked at, 1 not begun. To make a failover final later, type /failover commit VM.",
	} {
		s := newScarce(t, strings.Fields(names)...)
		s.op.Plan.Shutdown = true
		s.until(s.is(failover.StepResize, failover.StateAccepted))
		cmd := failover.Command{MessageID: "c", Op: s.op.ID, Verb: failover.VerbCancel, By: ana, At: s.now, ValidUntil: s.now.Add(time.Minute)}
		facts, refusal := failover.Decide(s.op, cmd, failover.Situation{Now: s.now, Policy: policy(1)})
		if refusal != nil {
			t.Fatal(refusal)
		}
		end := facts[0].(failover.Finished)
		if got := end.Note + " " + end.Hint; !strings.HasSuffix(got, want) {
			t.Errorf("of %s: %q, want %q", names, got, want)
		}
		if s.tell(facts...); s.target().UnsureSize() != nextSize || s.target().OtherSize() != "" {
			t.Errorf("of %s: unsure %q, other %q", names, s.target().UnsureSize(), s.target().OtherSize())
		}
	}
}

// A change of size is a job like others: it begins where there is room for one, and takes none while Azure keeps it waiting.
func TestRoomForChangesOfSize(t *testing.T) {
	t.Parallel()
	s := newScarce(t, "sql-1", "sql-2")
	due := func(room int) map[string]failover.Effect {
		all := map[string]failover.Effect{}
		for _, d := range failover.Agenda(s.op, map[string]failover.Observation{s.item.Key: s.seen}, func(string, int) int { return room }, s.now) {
			all[d.Target] = d.Effect
		}
		return all
	}
	s.until(func() bool { return s.item.Size == lastSize && s.begins(failover.StepResize)() }) // back to its own, in the pause
	if got, full := due(1)[s.item.Key], due(0)[s.item.Key]; got == nil || full != nil {
		t.Errorf("with room %+v is due, without %+v", got, full)
	}
	s.tell(due(1)[s.item.Key].(failover.Act).Intent, failover.StepDelayed{Target: s.item.Key, Kind: failover.StepResize, Until: s.now.Add(time.Minute)})
	if got := due(1)[s.op.Targets[1].Item.Key]; got == nil {
		t.Error("the other one has no turn while Azure keeps a change of size waiting")
	}
}
