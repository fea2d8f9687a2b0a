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
	now     time.Time
	roomFor string        // the size that a failover finds room for
	refuses string        // the size that the vault does not take
	loses   bool          // the answers to changes of size
	takes   time.Duration // a failover
	calls   []string
}

// newScarce is a failover that has been approved, of one VM, or of several of which only the first is looked at.
func newScarce(t *testing.T, names ...string) *scarce {
	t.Helper()
	s := &scarce{t: t, now: start}
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

// plays drives the first VM until its phase is no longer running, or nothing happens for an hour.
func (s *scarce) plays() string {
	s.t.Helper()
	for range 400 {
		if s.target().Phase != failover.Running || s.op.Phase.Final() {
			return strings.Join(s.calls, " ")
		}
		var effect failover.Effect = failover.Wait{Until: s.now.Add(time.Minute)}
		for _, due := range failover.Agenda(s.op, map[string]failover.Observation{s.item.Key: s.seen}, nil, s.now) {
			if due.Target == s.item.Key || due.Target == "" {
				effect = due.Effect
				break
			}
		}
		s.does(effect)
	}
	s.t.Fatalf("it comes to no end: %v", s.calls)
	return ""
}

func (s *scarce) does(effect failover.Effect) {
	key := s.item.Key
	switch do := effect.(type) {
	case failover.Look:
		s.seen.Item, s.seen.LookedAt, s.seen.Points, s.seen.PointsAt, s.seen.Policy, s.seen.PolicyAt = s.item, s.now, points(), s.now, policy(1), s.now
	case failover.Search:
		s.seen.Item, s.seen.LookedAt, s.seen.SearchedAt = s.item, s.now, s.now
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
	for s.target().Progress == "" || len(s.calls) == 0 || s.target().Step(failover.StepFailover).State != failover.StateDelayed {
		for _, due := range failover.Agenda(s.op, map[string]failover.Observation{s.item.Key: s.seen}, nil, s.now) {
			if due.Target == s.item.Key {
				s.does(due.Effect)
			}
		}
	}
	if got := s.target().Progress; !strings.Contains(got, "Azure has no capacity in north for "+ownSize) || !strings.Contains(got, "Tried again as "+nextSize) {
		t.Errorf("progress %q", got)
	}
	s.tell(failover.PutOnHold{By: ana})
	for _, due := range failover.Agenda(s.op, map[string]failover.Observation{s.item.Key: s.seen}, nil, s.now) {
		if due.Target == s.item.Key {
			t.Errorf("due on hold: %+v", due.Effect)
		}
	}
	s.tell(failover.Skipped{Targets: []string{s.item.Key}, By: ana})
	if s.target().Phase != failover.Cancelled {
		t.Error(s.target().Phase)
	}
}

// A decision holds for an hour: what had no capacity for so long is over, and not unbegun.
func TestNoCapacityForAnHour(t *testing.T) {
	t.Parallel()
	s := newScarce(t, "sql-1")
	s.takes = 10 * time.Minute
	s.plays()
	if f := s.target(); f.Phase != failover.Failed || !strings.Contains(f.Error.Message, "no capacity in north within an hour of the approval") || s.now.Sub(start) > 80*time.Minute {
		t.Errorf("%s after %s: %+v", f.Phase, s.now.Sub(start), f.Error)
	}
}
