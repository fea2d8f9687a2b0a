package executor

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

const paceVault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"

// azureSim is a vault that works on so many jobs at once, in the order in which they came, behind a bucket of writes; and the
// drivers of operations, as far as the pace goes: they see ends by the list, and read a job whole now and then.
type azureSim struct {
	now    time.Time
	atOnce int
	// atOnceAt changes atOnce as time goes by; nil: it stays
	atOnceAt func(since time.Duration) int
	tokens   float64
	queue    []*simJob
	work     []*simJob
	pace     *pace
	reads    int
	done     []*simJob
	atSecond func(second int) // called while time goes by
	idle     float64          // places that stayed empty while VMs had yet to begin, in seconds
	most     int              // jobs that waited at a time
}

type simJob struct {
	id                    string
	took                  time.Duration
	accepted, began, ends time.Time
	read                  time.Time
	op                    *simOp
}

// simOp is an operation whose VMs take so long each, the longest first.
type simOp struct {
	id    failover.OpID
	from  time.Duration
	yet   []time.Duration
	known []*simJob // under way, as far as its driver knows
	ended time.Time
}

// durations are log-normal with a median of 5 minutes, of which 5 % take longer than 15.
func durations(n int, seed uint64) []time.Duration {
	draw := rand.New(rand.NewPCG(seed, 1))
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = time.Duration(float64(5*time.Minute) * math.Exp(draw.NormFloat64()*math.Log(3)/1.645))
	}
	slices.SortFunc(all, func(a, b time.Duration) int { return int(b - a) })
	return all
}

func newSim(atOnce int) *azureSim {
	s := &azureSim{now: time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC), atOnce: atOnce, tokens: 200}
	s.pace = newPace(func() time.Time { return s.now }, nil)
	s.pace.budgets = func() []failover.Budget {
		return []failover.Budget{{Subscription: "s", Kind: "writes", Left: s.tokens, PerSecond: 10}}
	}
	return s
}

// play goes second by second until all is over, and returns how long that took. Without a pace all that can begin begins.
func (s *azureSim) play(paced bool, ops ...*simOp) time.Duration {
	start := s.now
	for left := 1; left > 0; s.now = s.now.Add(time.Second) {
		s.tokens = min(200, s.tokens+10)
		if s.atOnceAt != nil {
			s.atOnce = s.atOnceAt(s.now.Sub(start))
		}
		s.advance()
		if s.atSecond != nil {
			s.atSecond(int(s.now.Sub(start).Seconds()))
		}
		left = 0
		for _, op := range ops {
			if s.now.Sub(start) >= op.from {
				s.drive(op, paced)
			}
			left += len(op.yet) + len(op.known)
		}
		s.most = max(s.most, len(s.queue))
		if len(ops[0].yet) > 0 && s.now.Sub(start) > time.Minute {
			s.idle += float64(max(0, s.atOnce-len(s.work)))
		}
	}
	return s.now.Sub(start)
}

func (s *azureSim) advance() {
	s.work = slices.DeleteFunc(s.work, func(j *simJob) bool {
		over := !j.ends.After(s.now)
		if over {
			s.done = append(s.done, j)
		}
		return over
	})
	for len(s.queue) > 0 && len(s.work) < s.atOnce {
		j := s.queue[0]
		s.queue = s.queue[1:]
		j.began, j.ends = s.now, s.now.Add(j.took)
		s.work = append(s.work, j)
	}
}

func (s *azureSim) drive(op *simOp, paced bool) {
	if s.now.Unix()%10 == 0 { // the list of jobs
		op.known = slices.DeleteFunc(op.known, func(j *simJob) bool { return !j.ends.IsZero() && !j.ends.After(s.now) })
	}
	room := int(s.tokens)
	if paced {
		room = min(room, s.pace.room(op.id, paceVault, len(op.known)))
	}
	for range min(room, len(op.yet)) {
		j := &simJob{id: fmt.Sprint(op.id, len(op.yet)), took: op.yet[0], accepted: s.now, op: op}
		op.yet, op.known, s.queue = op.yet[1:], append(op.known, j), append(s.queue, j)
		s.tokens--
	}
	if len(op.yet)+len(op.known) == 0 && op.ended.IsZero() {
		op.ended = s.now
	}
	running := len(op.known)
	if !paced {
		return
	}
	for _, j := range op.known {
		due := j.accepted.Add(beginsWithin)
		if !j.read.IsZero() {
			due = j.read.Add(cmp.Or(s.pace.again(paceVault, j.id), time.Duration(running)*time.Second))
		}
		if s.now.Before(due) || !j.ends.IsZero() && !j.ends.After(s.now) {
			continue
		}
		j.read = s.now
		s.reads++
		s.pace.saw(paceVault, failover.Job{ID: j.id, State: failover.JobInProgress, Tasks: []failover.Task{{StartedAt: j.began}}}, j.accepted, s.now)
	}
}

// However many jobs a vault works on, it has always as many: the end comes as soon as if all had been called at once, and Azure's
// queue stays short.
func TestPaceLearnsWhatAVaultTakes(t *testing.T) {
	for seed, c := range []struct{ vms, atOnce int }{{1000, 100}, {1000, 300}, {300, 100}, {1000, 5000}} {
		if testing.Short() && seed > 0 {
			break
		}
		all := durations(c.vms, uint64(seed))
		sum := time.Duration(0)
		for _, d := range all {
			sum += d
		}
		issue := time.Duration(max(0, c.vms-200)) * 100 * time.Millisecond
		bound := max(issue, all[0], sum/time.Duration(c.atOnce))
		free, s := newSim(c.atOnce), newSim(c.atOnce)
		unpaced := free.play(false, &simOp{id: "a", yet: slices.Clone(all)})
		took := s.play(true, &simOp{id: "a", yet: all})
		learned := s.pace.limits()[strings.ToLower(paceVault)].AtOnce
		t.Logf("%d VMs, %d at once: %s, %.3f of the bound, %.3f of all called at once; at most %d queued, else %d; %.2f reads per VM and minute; learned %d",
			c.vms, c.atOnce, took, took.Seconds()/bound.Seconds(), took.Seconds()/unpaced.Seconds(), s.most, free.most, float64(s.reads)/float64(c.vms)/took.Minutes(), learned)
		if took.Seconds() > 1.03*unpaced.Seconds() {
			t.Errorf("%s, all at once %s", took, unpaced)
		}
		if crowded := c.vms > 2*c.atOnce; crowded && (learned < c.atOnce || learned > 2*c.atOnce) || c.atOnce > c.vms && learned != 0 {
			t.Errorf("learned %d of %d", learned, c.atOnce)
		}
	}
}

// journal is what an operation tells of the jobs: those that ended, and those that run and were read.
func (s *azureSim) journal() []failover.Operation {
	op := failover.Operation{ID: "a"}
	for _, j := range slices.Concat(s.done, s.work, s.queue) {
		step := failover.Step{Kind: failover.StepFailover, State: failover.StateAccepted, StartedAt: j.accepted}
		if !j.ends.IsZero() && !j.ends.After(s.now) {
			step.State, step.EndedAt = failover.StateDone, j.ends
		}
		if !j.read.IsZero() || !step.EndedAt.IsZero() {
			step.Tasks = []failover.Task{{StartedAt: j.began}}
		}
		op.Targets = append(op.Targets, failover.Target{Item: failover.Item{VaultID: strings.ToUpper(paceVault)}, Steps: []failover.Step{step}})
	}
	return []failover.Operation{op}
}

// An executor that is started anew in the middle of a large operation knows from the journal how many jobs the vault works on, so
// that it does not begin all that is left at once. What was learned longer ago than a process would remember it counts no more.
func TestPaceOutlivesARestart(t *testing.T) {
	const atOnce, restart = 100, 30 * 60
	for _, told := range []bool{true, false} {
		s := newSim(atOnce)
		before := 0
		s.atSecond = func(second int) {
			if second != restart {
				return
			}
			before, s.most = len(s.queue), 0
			journal := s.journal()
			for _, j := range slices.Concat(s.work, s.queue) {
				j.read = time.Time{} // by who goes on with it
			}
			budgets := s.pace.budgets
			s.pace = newPace(func() time.Time { return s.now }, nil)
			s.pace.budgets = budgets
			if told {
				s.pace.crowds = func(since time.Time) map[string]int { return failover.CrowdsSince(journal, since, s.now) }
			}
		}
		took := s.play(true, &simOp{id: "a", yet: durations(1000, 3)})
		t.Logf("told of the journal: %v; %s; %d were queued, at most %d after", told, took, before, s.most)
		if told && s.most > before+atOnce/2 {
			t.Errorf("%d jobs waited in a vault that works on %d, %d before", s.most, atOnce, before)
		}
		if !told && s.most < before+atOnce { // else this shows nothing
			t.Errorf("without the journal only %d waited, %d before", s.most, before)
		}
		if crowds := failover.CrowdsSince(s.journal(), s.now.Add(time.Second), s.now); len(crowds) != 0 {
			t.Errorf("what ended before counts: %v", crowds)
		}
	}
}

// What a vault takes changes while an operation is under way: it is followed down and up.
func TestPaceFollowsAChange(t *testing.T) {
	if testing.Short() {
		t.Skip("another thousand VMs; go test without -short plays them")
	}
	s := newSim(150)
	s.atOnceAt = func(since time.Duration) int {
		if since > 15*time.Minute && since < 45*time.Minute {
			return 50
		}
		return 150
	}
	free := newSim(150)
	free.atOnceAt = s.atOnceAt
	unpaced := free.play(false, &simOp{id: "a", yet: durations(1000, 7)})
	took := s.play(true, &simOp{id: "a", yet: durations(1000, 7)})
	t.Logf("%s, all called at once %s; places stayed empty for %.1f %% of the time", took, unpaced, 100*s.idle/took.Seconds()/150)
	if took.Seconds() > 1.05*unpaced.Seconds() {
		t.Errorf("%s, all at once %s", took, unpaced)
	}
}

// A small operation does not wait until a large one in the same vault is through.
func TestPaceSharesAVault(t *testing.T) {
	s := newSim(100)
	large := &simOp{id: "a", yet: durations(1000, 8)}
	small := &simOp{id: "b", yet: slices.Repeat([]time.Duration{5 * time.Minute}, 20), from: 45 * time.Minute}
	begun := s.now.Add(small.from)
	took := s.play(true, large, small)
	t.Logf("the large one took %s, the small one %s, each of its VMs 5 min", took, small.ended.Sub(begun))
	if late := small.ended.Sub(begun) - 5*time.Minute; late > 200*time.Second {
		t.Errorf("the small one is through %s later than alone", late)
	}
}

// The vaults of one subscription share what Azure Resource Manager takes; those of another do not.
func TestPaceSharesTheWrites(t *testing.T) {
	s := newSim(100)
	elsewhere := strings.Replace(paceVault, "/s/", "/other/", 1)
	for range 2 { // the first round does not know yet who else asks
		for i := range 4 {
			s.pace.room("a", paceVault+fmt.Sprint(i), 1)
		}
	}
	if got := s.pace.room("a", paceVault+"0", 1); got != 53 { // (200 + 10) / 4
		t.Errorf("a vault of four may begin %d", got)
	}
	s.now = s.now.Add(drivenFor)
	s.pace.room("a", paceVault+"1", 1)
	s.now = s.now.Add(time.Second)
	if got := s.pace.room("a", paceVault+"0", 1); got != 105 {
		t.Errorf("a vault of two in which something goes on yet may begin %d", got)
	}
	if got := s.pace.room("a", elsewhere, 1); got != roomy {
		t.Errorf("a vault of another subscription may begin %d", got)
	}
	s.tokens = -9
	if first, more := s.pace.room("b", paceVault, 0), s.pace.room("b", paceVault, 1); first != 1 || more != 1 {
		t.Errorf("may begin %d, then %d", first, more)
	}
	s.tokens = -50
	if first, more := s.pace.room("b", paceVault, 0), s.pace.room("b", paceVault, 1); first != 1 || more != 0 {
		t.Errorf("may begin %d, then %d", first, more)
	}
}

// What was learned of a vault is not believed for longer than it is acted on.
func TestPaceForgets(t *testing.T) {
	s := newSim(10)
	s.play(true, &simOp{id: "a", yet: durations(100, 9)})
	learned := func() int { return s.pace.limits()[strings.ToLower(paceVault)].AtOnce }
	if learned() == 0 {
		t.Fatal("nothing was learned")
	}
	s.now = s.now.Add(paceFor + time.Second)
	if got := learned(); got != 0 {
		t.Errorf("%d at once are believed after %s", got, paceFor)
	}
	if got := s.pace.room("b", paceVault, 20); got != 210 {
		t.Errorf("may begin %d", got)
	}
}

// told is a board on which operations stand.
type told struct {
	Board
	ops []failover.Operation
}

func (b told) All() []failover.Operation { return b.ops }

// What is believed at the start comes from the board of the executor.
func TestPaceBeginsFromTheBoard(t *testing.T) {
	s := newSim(10)
	s.play(true, &simOp{id: "a", yet: durations(60, 5)})
	for age, want := range map[time.Duration]int{0: 13, paceFor + 24*time.Hour: 0} {
		now := s.now.Add(age)
		e := New(Options{Board: told{ops: s.journal()}, Clock: clockAt{now: now}})
		e.pace.room("b", paceVault, 0)
		if got := e.pace.limits()[strings.ToLower(paceVault)].AtOnce; got != want {
			t.Errorf("%s later it begins with %d, want %d", age, got, want)
		}
	}
}

type clockAt struct {
	hostClock
	now time.Time
}

func (c clockAt) Now() time.Time { return c.now }

// A change of size that has just begun does not wait in Azure's queue, however long ago the failover before it was called.
func TestPaceOfAChangeOfSize(t *testing.T) {
	t.Parallel()
	now := time.Now()
	job := failover.Job{ID: paceVault + "/replicationJobs/2", State: failover.JobInProgress}
	e := &Executor{Options: Options{Clock: hostClock{}}, pace: newPace(time.Now, nil)}
	d := &driver{Executor: e, seen: map[string]failover.Observation{}, errands: newErrands(), op: failover.Operation{Targets: []failover.Target{{
		Item: failover.Item{Key: "k", VaultID: paceVault}, Phase: failover.Running, Doing: failover.StepFailover, Steps: []failover.Step{
			{Kind: failover.StepFailover, State: failover.StateDelayed, JobID: paceVault + "/replicationJobs/1", StartedAt: now.Add(-5 * time.Minute)},
			{Kind: failover.StepResize, State: failover.StateAccepted, JobID: job.ID, StartedAt: now.Add(-time.Second)},
		},
	}}}}
	d.note(t.Context(), result{target: "k", seen: failover.Observation{Job: job}, job: true}, nil)
	if again := e.pace.again(paceVault, job.ID); again != 0 {
		t.Errorf("it is taken for one that waits: looked at again after %s", again)
	}
}
