package failover_test

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// dangling is an operation whose driver died between the intent and the answer.
func dangling(t *testing.T) (*table, failover.Call) {
	t.Helper()
	b := newTable(t, 1)
	approved(b)
	return b, b.act(b.looked())
}

func (b *table) searched(found ...failover.Job) failover.Observation {
	seen := b.looked()
	seen.Found, seen.SearchedAt = found, b.now
	return seen
}

func TestDanglingIntentIsSearchedForFirst(t *testing.T) {
	b, call := dangling(t)
	if s, ok := b.next(failover.Observation{}).(failover.Search); !ok || !s.Since.Equal(b.now) {
		t.Fatalf("it never acts again before looking, got %#v", b.next(failover.Observation{}))
	}
	foreign := failover.Job{ID: "/jobs/7", ActivityID: "someone else"}
	ours := failover.Job{ID: "/jobs/8", ActivityID: strings.ToUpper(call.ClientRequestID) + " ActivityId: x"}
	b.tell(b.searched(foreign, ours))
	if s := b.op.Targets[0].Step(failover.StepFailover); s.JobID != "/jobs/8" || !s.Adopted {
		t.Fatalf("adopts the job with our id: %+v", s)
	}
}

func TestSingleForeignLookingJobIsAdoptedWithANote(t *testing.T) {
	b, _ := dangling(t)
	b.tell(b.searched(failover.Job{ID: "/jobs/7"}))
	if s := b.op.Targets[0].Step(failover.StepFailover); s.JobID != "/jobs/7" || s.Warning == "" {
		t.Fatalf("%+v", s)
	}
}

func TestSeveralJobsAreForAPerson(t *testing.T) {
	b, _ := dangling(t)
	b.tell(b.searched(failover.Job{ID: "/jobs/7"}, failover.Job{ID: "/jobs/8"}))
	b.phase(failover.NeedsAttention)
}

// A call of which Azure shows nothing is made again once, and only after the time in which it may still arrive.
func TestSecondAttempt(t *testing.T) {
	b, first := dangling(t)
	b.now = b.now.Add(failover.ActAgainAfter - time.Second)
	b.tell(b.searched())
	if s := b.op.Targets[0].Step(failover.StepFailover); !s.Unknown.Equal(b.now) {
		t.Fatalf("who takes over says that it is not known: %+v", s)
	}
	if _, ok := b.next(b.searched()).(failover.Wait); !ok {
		t.Fatalf("too early to act again, got %#v", b.next(b.searched()))
	}
	b.now = b.now.Add(time.Second)
	second := b.act(b.searched())
	if second.ClientRequestID == first.ClientRequestID || b.op.Targets[0].Step(failover.StepFailover).Attempt != 2 {
		t.Fatalf("a new attempt has its own request id: %+v", second)
	}
	b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepFailover, Why: "reset"}, "")
	b.now = b.now.Add(failover.ActAgainAfter)
	b.tell(b.searched())
	b.phase(failover.NeedsAttention)
}

func TestNoSecondAttemptWhenTheItemMoved(t *testing.T) {
	b, _ := dangling(t)
	b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepFailover, Why: "reset"}, "")
	b.now = b.now.Add(failover.ActAgainAfter)
	b.item.State = failover.StateCommitPending
	b.tell(b.searched())
	b.phase(failover.NeedsAttention)
}

func TestLostAnswerIsUnknownNotFailed(t *testing.T) {
	b, _ := dangling(t)
	b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepFailover, Why: "connection reset"}, "")
	b.phase(failover.Running)
	if s := b.op.Targets[0].Step(failover.StepFailover); !s.Unknown.Equal(b.now) {
		t.Fatalf("says since when: %+v", s)
	}
	if _, ok := b.next(failover.Observation{}).(failover.Search); !ok {
		t.Fatal("it looks what became of it")
	}
}

func TestThrottledCallIsMadeAgainWhenAzureSays(t *testing.T) {
	b, _ := dangling(t)
	until := b.now.Add(90 * time.Second)
	said := failover.Fault{Code: "SubscriptionRequestsThrottled", Message: "Number of requests for subscription '1' and actor '2' exceeded the limit."}
	b.fold(failover.StepDelayed{Target: b.item.Key, Kind: failover.StepFailover, Until: until, Fault: said}, "")
	if p := b.op.Targets[0].Progress; p != "Azure asks to wait until "+until.UTC().Format("2006-01-02 15:04:05 UTC") {
		t.Fatalf("its progress is %q", p)
	}
	if w, ok := b.next(b.looked()).(failover.Wait); !ok || !w.Until.Equal(until) {
		t.Fatalf("got %#v", b.next(b.looked()))
	}
	b.now = until
	b.act(b.looked())
}

// What was approved has to hold when it is done: otherwise nothing is started.
func TestDriftVoids(t *testing.T) {
	rows := map[string]func(*table){
		"state":           func(b *table) { b.item.State = "InitialReplicationInProgress" },
		"a job runs":      func(b *table) { b.item.JobID, b.item.Scenario = "/jobs/9", "TestFailover" },
		"not offered":     func(b *table) { b.item.Allowed = nil },
		"older data only": func(b *table) { b.points = b.points[:1] },
		"no points":       func(b *table) { b.points = nil },
		"turned round":    func(b *table) { b.item.From, b.item.To = b.item.To, b.item.From },
	}
	for name, change := range rows {
		t.Run(name, func(t *testing.T) {
			b := newTable(t, 1)
			approved(b)
			change(b)
			b.tell(b.looked())
			b.tell(failover.Observation{})
			b.phase(failover.Failed)
			if b.op.Note != "Nothing was started." || b.op.Targets[0].Error == nil {
				t.Fatalf("%q %+v", b.op.Note, b.op.Targets[0].Error)
			}
		})
	}
}

func TestFailedJobSaysWhyAndWhatToDo(t *testing.T) {
	b := newTable(t, 1)
	b.running()
	fault := failover.Fault{Code: "28031", Message: "no quota", Cause: "quota", Action: "raise it"}
	b.tell(failover.Observation{Job: failover.Job{ID: "/jobs/1", State: failover.JobFailed, Errors: []failover.Fault{fault}}, JobAt: b.now})
	b.tell(failover.Observation{})
	b.phase(failover.Failed)
	if *b.op.Targets[0].Error != fault {
		t.Fatalf("%+v", b.op.Targets[0].Error)
	}
	if b.op.Note != "The failover of vm-x failed." || !strings.HasPrefix(b.op.Hint, "Azure may have shut down what failed") {
		t.Errorf("%q %q", b.op.Note, b.op.Hint)
	}
}

// Two calls were lost, one of them has arrived, and its job fails: Azure would take the other one now. That is no end.
func TestAFailureIsNoEndWhileAnotherCallMayArrive(t *testing.T) {
	for name, arrived := range map[string]int{"the first": 0, "the second": 1} {
		b, call := dangling(t)
		calls := []failover.Call{call}
		b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepFailover, Why: "reset"}, "")
		b.now = b.now.Add(failover.ActAgainAfter)
		calls = append(calls, b.act(b.searched()))
		b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepFailover, Why: "reset"}, "")
		b.tell(b.searched(failover.Job{ID: "/jobs/8", ActivityID: calls[arrived].ClientRequestID}))
		fault := failover.Fault{Code: "28031", Message: "There is no VM.", Cause: "There is no quota.", Action: "Raise it."}
		b.tell(failover.Observation{Job: failover.Job{ID: "/jobs/8", State: failover.JobFailed, Errors: []failover.Fault{fault}}, JobAt: b.now})
		b.phase(failover.NeedsAttention)
		want := "The failover failed: 28031 There is no VM. There is no quota. Raise it. Another call for it is not accounted for and may still arrive."
		if got := b.op.Targets[0].Error; got.Message != want || !strings.Contains(got.Action, "/failover cancel op-aaaaaaaa") {
			t.Errorf("%s: %+v", name, got)
		}
		b.must(failover.VerbCancel, ana)
	}
}

// A call that Azure surely did not take is accounted for.
func TestAThrottledCallDoesNotArrive(t *testing.T) {
	b, call := dangling(t)
	b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepFailover, Why: "reset"}, "")
	b.now = b.now.Add(failover.ActAgainAfter)
	b.act(b.searched())
	b.fold(failover.StepDelayed{Target: b.item.Key, Kind: failover.StepFailover, Until: b.now}, "")
	b.tell(b.searched(failover.Job{ID: "/jobs/8", ActivityID: call.ClientRequestID}))
	b.tell(failover.Observation{Job: failover.Job{ID: "/jobs/8", State: failover.JobFailed}, JobAt: b.now})
	b.tell(failover.Observation{})
	b.phase(failover.Failed)
}

func TestFailedCommitCanBePressedAgain(t *testing.T) {
	b := newTable(t, 1)
	b.failedOver()
	b.must(failover.VerbCommit, ben)
	b.act(b.looked())
	b.fold(failover.StepFailed{Target: b.item.Key, Kind: failover.StepCommit, Fault: failover.Fault{Message: "no"}}, "")
	b.phase(failover.AwaitingCommit)
	if b.op.Approved(failover.ClassCommit) {
		t.Fatal("the next try needs a new press")
	}
	b.must(failover.VerbCommit, ben)
	b.phase(failover.Running)
	if call := b.act(b.looked()); call.Kind != failover.StepCommit {
		t.Fatalf("%+v", call)
	}
}

func TestCommitMadeInThePortal(t *testing.T) {
	b := newTable(t, 1)
	b.failedOver()
	if facts := failover.Noticed(b.op, []failover.Item{b.item}); facts != nil {
		t.Fatalf("nothing happened yet: %v", facts)
	}
	b.item.State = failover.StateCommitted
	for _, f := range failover.Noticed(b.op, []failover.Item{b.item}) {
		b.fold(f, "")
	}
	b.phase(failover.Succeeded)
	if !strings.Contains(b.op.Note, "outside Ferry") {
		t.Fatalf("note %q", b.op.Note)
	}
}

func TestWarningsOfASucceededJobAreKept(t *testing.T) {
	b := newTable(t, 1)
	b.running()
	b.item.State = failover.StateCommitPending
	job := failover.Job{ID: "/jobs/1", State: failover.JobSucceeded, Description: "PartiallySucceeded", Errors: []failover.Fault{{Message: "The NIC was left out.", Action: "Add it."}}}
	b.tell(failover.Observation{Job: job, JobAt: b.now, Item: b.item, LookedAt: b.now})
	if s := b.op.Targets[0].Step(failover.StepFailover); s.Warning != "The NIC was left out. Add it." {
		t.Fatalf("warning %q", s.Warning)
	}
}

func TestJobSucceededButTheItemStays(t *testing.T) {
	b := newTable(t, 1)
	b.running()
	job := failover.Observation{Job: failover.Job{ID: "/jobs/1", State: failover.JobSucceeded}, JobAt: b.now}
	b.now = b.now.Add(failover.SettleWithin + time.Second)
	job.Item, job.LookedAt = b.item, b.now
	b.tell(job)
	b.phase(failover.NeedsAttention)
}

// The first call's answer was lost, the second is turned away: that may be the echo of the first, which arrived late.
func TestLateArrivalOfTheFirstCall(t *testing.T) {
	b, first := dangling(t)
	b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepFailover, Why: "reset"}, "")
	b.now = b.now.Add(failover.ActAgainAfter)
	act, ok := b.next(b.searched()).(failover.Act)
	if !ok || !act.Again {
		t.Fatalf("want a call that says it is the second, got %#v", act)
	}
	b.fold(act.Intent, "")
	b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepFailover, Why: "refused"}, "")
	if s, ok := b.next(failover.Observation{}).(failover.Search); !ok || !s.Since.Equal(start) {
		t.Fatalf("it looks for jobs since the first call, got %#v", s)
	}
	b.tell(b.searched(failover.Job{ID: "/jobs/8", ActivityID: first.ClientRequestID + " ActivityId: x"}, failover.Job{ID: "/jobs/9"}))
	if s := b.op.Targets[0].Step(failover.StepFailover); s.JobID != "/jobs/8" {
		t.Fatalf("adopts the job of the first call: %+v", s)
	}
}

// What was approved does not hold any more, and an earlier call may have arrived: nobody knows that it failed.
func TestDriftAfterALostAnswer(t *testing.T) {
	b, _ := dangling(t)
	b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepFailover, Why: "reset"}, "")
	b.now, b.points = b.now.Add(failover.ActAgainAfter), b.points[:1]
	b.tell(b.searched())
	b.phase(failover.NeedsAttention)
}

// Azure names a day as its pace: a person is not left alone that long.
func TestPaceIsBounded(t *testing.T) {
	b, _ := dangling(t)
	b.fold(failover.StepAccepted{Target: b.item.Key, Kind: failover.StepFailover, JobID: "/jobs/1", Poll: 24 * time.Hour}, "")
	seen := failover.Observation{Job: failover.Job{ID: "/jobs/1", State: failover.JobInProgress}, JobAt: b.now}
	b.tell(seen)
	if w, ok := b.next(seen).(failover.Wait); !ok || !w.Until.Equal(b.now.Add(time.Minute)) {
		t.Fatalf("got %#v", b.next(seen))
	}
}

// The job has ended and Azure is silent since: how the item is now is not known, so nothing is said about it.
func TestSilenceWhileTheItemLags(t *testing.T) {
	b := newTable(t, 1)
	b.running()
	seen := failover.Observation{Job: failover.Job{ID: "/jobs/1", State: failover.JobSucceeded}, JobAt: b.now, Item: b.item, LookedAt: b.now, Silent: b.now}
	b.now = b.now.Add(failover.SettleWithin + time.Second)
	if _, ok := b.next(seen).(failover.Look); !ok {
		t.Fatalf("got %#v", b.next(seen))
	}
}

// A throttled second call leaves open what became of the first: it is looked for before a third.
func TestThrottledAfterALostAnswer(t *testing.T) {
	b, first := dangling(t)
	b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepFailover, Why: "reset"}, "")
	b.now = b.now.Add(failover.ActAgainAfter)
	b.act(b.searched())
	b.fold(failover.StepDelayed{Target: b.item.Key, Kind: failover.StepFailover, Until: b.now.Add(time.Minute)}, "")
	b.now = b.now.Add(time.Minute)
	b.item.JobID = "/jobs/8"
	if _, ok := b.next(b.looked()).(failover.Search); !ok {
		t.Fatalf("got %#v", b.next(b.looked()))
	}
	b.tell(b.searched(failover.Job{ID: "/jobs/8", ActivityID: first.ClientRequestID}))
	if s := b.op.Targets[0].Step(failover.StepFailover); s.JobID != "/jobs/8" || s.State != failover.StateAccepted {
		t.Fatalf("%+v", s)
	}
}

// A job that surely is something else is not taken for the call's, nor one that the operation knows from before.
func TestJobsOfOtherKindsAreNotAdopted(t *testing.T) {
	b := newTable(t, 1)
	committing(b)
	b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepCommit, Why: "reset"}, "")
	seen := b.searched(failover.Job{ID: "/jobs/3", Scenario: "TestFailoverCleanup"}, failover.Job{ID: "/JOBS/1"})
	if w, ok := b.next(seen).(failover.Wait); !ok {
		t.Fatalf("want to wait for a trace, got %#v", w)
	}
	seen.Found = append(seen.Found, failover.Job{ID: "/jobs/4", Scenario: "CommitFailover"})
	b.tell(seen)
	if s := b.op.Targets[0].Step(failover.StepCommit); s.JobID != "/jobs/4" {
		t.Fatalf("%+v", s)
	}
}

// The same moment in another form is no news: telling it again and again would fill the journal.
func TestSameTasksInAnotherZoneAreNoNews(t *testing.T) {
	b := newTable(t, 1)
	b.running()
	tasks := []failover.Task{{Name: "Start failover", State: "InProgress", StartedAt: b.now}}
	seen := failover.Observation{Job: failover.Job{ID: "/jobs/1", State: failover.JobInProgress, Tasks: tasks}, JobAt: b.now}
	b.tell(seen)
	seen.Job.Tasks = []failover.Task{{Name: "Start failover", State: "InProgress", StartedAt: b.now.In(time.FixedZone("CET", 3600))}}
	if _, ok := b.next(seen).(failover.Wait); !ok {
		t.Fatalf("got %#v", b.next(seen))
	}
}

// A job that ended in a state never seen before is judged by the item.
func TestJobOfAnUnknownState(t *testing.T) {
	b := newTable(t, 1)
	b.running()
	job := failover.Job{ID: "/jobs/1", State: failover.JobOther, Description: "Odd"}
	b.tell(failover.Observation{Job: job, JobAt: b.now})
	if p := b.op.Targets[0].Progress; p != "Azure reports the job as Odd; look at it in the portal" {
		t.Fatalf("progress %q", p)
	}
	job.EndedAt, b.item.State = b.now, failover.StateCommitPending
	b.tell(failover.Observation{Job: job, JobAt: b.now, Item: b.item, LookedAt: b.now})
	b.phase(failover.AwaitingCommit)
	if s := b.op.Targets[0].Step(failover.StepFailover); s.Warning != "Azure reports Odd." {
		t.Fatalf("warning %q", s.Warning)
	}
}

func TestSuspendedJobIsNamed(t *testing.T) {
	b := newTable(t, 1)
	b.running()
	b.tell(failover.Observation{Job: failover.Job{ID: "/jobs/1", State: failover.JobSuspended}, JobAt: b.now})
	if p := b.op.Targets[0].Progress; p != "Azure reports the job as Suspended; look at it in the portal" {
		t.Fatalf("progress %q", p)
	}
}

// Azure answers, and refuses: before the call that is the end with its cause, after it a person has to look in the end.
func TestReadingRefused(t *testing.T) {
	gone := &failover.Fault{Code: "404", Message: "vm-x is gone", Action: "Look at it in the vault."}
	b := newTable(t, 1)
	approved(b)
	refused := failover.Observation{Silent: b.now, RetryAt: b.now.Add(10 * time.Second), Refused: gone}
	b.tell(refused)
	b.tell(failover.Observation{})
	b.phase(failover.Failed)
	if *b.op.Targets[0].Error != *gone || b.op.Note != "Nothing was started." {
		t.Fatalf("%q %+v", b.op.Note, b.op.Targets[0].Error)
	}

	b = newTable(t, 1)
	b.running()
	b.now = b.now.Add(time.Minute)
	refused.RetryAt = b.now.Add(10 * time.Second)
	b.tell(refused)
	if p := b.op.Targets[0].Progress; !strings.Contains(p, "refuses to show it since 2026-11-23 03:00 UTC: vm-x is gone") {
		t.Fatalf("progress %q", p)
	}
	if _, ok := b.next(refused).(failover.Wait); !ok {
		t.Fatal("told once")
	}
	b.now = start.Add(failover.SettleWithin)
	refused.RetryAt = b.now.Add(10 * time.Second)
	b.tell(refused)
	b.phase(failover.NeedsAttention)
}

// Silence is told before the first call, too, and so is its end.
func TestSilenceBeforeTheCall(t *testing.T) {
	b := newTable(t, 1)
	approved(b)
	b.now = b.now.Add(time.Minute)
	b.tell(failover.Observation{Silent: start, RetryAt: b.now.Add(10 * time.Second)})
	if p := b.op.Targets[0].Progress; p != "Azure does not answer since 2026-11-23 03:00 UTC; what was decided holds until 2026-11-23 04:00 UTC; Ferry keeps asking" {
		t.Fatalf("progress %q", p)
	}
	b.tell(b.looked())
	if p := b.op.Targets[0].Progress; p != "Azure answers again" {
		t.Fatalf("progress %q", p)
	}
	b.act(b.looked())
}

// The commit was made in the portal while the press was on its way: nobody says that Ferry did it.
func TestCommitMadeInThePortalBeforeTheCall(t *testing.T) {
	b := newTable(t, 1)
	justPressed := func() { b.failedOver(); b.must(failover.VerbCommit, ben) }
	justPressed()
	b.item.State = failover.StateCommitted
	b.tell(b.looked())
	b.tell(failover.Observation{})
	b.phase(failover.Succeeded)
	if b.op.Note != "Committed outside Ferry." {
		t.Fatalf("note %q", b.op.Note)
	}
}

// Against an Azure that stands still, a driver reads, tells and waits: never does it turn without a wait between.
func TestNextNeverSpins(t *testing.T) {
	const hours, most = 6 * time.Hour, 12
	jobs := []failover.Job{{}, {State: failover.JobNotStarted}, {State: failover.JobInProgress}, {State: failover.JobSucceeded}, {State: failover.JobSuspended}, {State: failover.JobOther, Description: "Odd"}, {State: failover.JobOther, EndedAt: start}}
	for _, reach := range []func(*table){approved, called, committing, func(b *table) { b.running() }, func(b *table) {
		called(b)
		b.fold(failover.StepDelayed{Target: b.item.Key, Kind: failover.StepFailover, Until: start.Add(time.Hour)}, "")
	}} {
		for _, job := range jobs {
			for _, breaks := range []time.Duration{0, time.Minute, 3 * time.Minute, hours} {
				b := newTable(t, 1)
				reach(b)
				f := frozen{table: b, job: job, breaks: start.Add(breaks)}
				for since := 0; b.op.Phase == failover.Running && b.now.Before(start.Add(hours)); since++ {
					if since > most {
						t.Fatalf("%d effects without a wait: job %+v, %#v", since, job, b.op.Targets[0])
					}
					if f.step() {
						since = 0
					}
				}
				if f.facts > 40 {
					t.Errorf("%d facts for one standing still: job %+v, silent after %s", f.facts, job, breaks)
				}
			}
		}
	}
}

// frozen is a driver whose Azure always shows the same, and from some time on does not answer.
type frozen struct {
	*table
	job    failover.Job
	breaks time.Time
	seen   failover.Observation
	facts  int
}

// step does what is next, in no time but for waits, of which it reports true.
func (f *frozen) step() bool {
	f.t.Helper()
	switch e := f.next(f.seen).(type) {
	case failover.Wait:
		if !e.Until.After(f.now) {
			f.t.Fatalf("waits for a time that has passed: %#v", f.op.Targets[0])
		}
		f.now = e.Until
		return true
	case failover.Tell:
		f.facts += len(e.Facts)
		for _, fact := range e.Facts {
			f.fold(fact, "")
		}
	case failover.Act:
		f.facts += 2
		f.fold(e.Intent, "")
		f.fold(failover.StepDelayed{Target: e.Intent.Target, Kind: e.Intent.Kind, Until: f.now.Add(time.Hour)}, "")
		f.seen = failover.Observation{}
	case failover.Look, failover.Search, failover.ReadJob, failover.Probe, failover.Survey:
		f.read(e)
	case failover.Park:
		f.t.Fatal("parked while it runs")
	}
	return false
}

func (f *frozen) read(e failover.Effect) {
	if !f.now.Before(f.breaks) {
		f.seen.RetryAt = f.now.Add(failover.LookEvery)
		if f.seen.Silent.IsZero() {
			f.seen.Silent = f.now
		}
		return
	}
	switch e := e.(type) {
	case failover.Look:
		f.seen.Item, f.seen.LookedAt = f.item, f.now
		if e.Points {
			f.seen.Points, f.seen.PointsAt = f.points, f.now
		}
	case failover.Search:
		f.seen.Item, f.seen.LookedAt, f.seen.SearchedAt = f.item, f.now, f.now
	case failover.ReadJob:
		f.seen.Job, f.seen.JobAt = f.job, f.now
		f.seen.Job.ID = e.ID
	case failover.Act, failover.Tell, failover.Wait, failover.Park, failover.Probe, failover.Survey:
	}
}

func TestSilentAzureIsToldOnce(t *testing.T) {
	b := newTable(t, 1)
	b.running()
	seen := failover.Observation{Silent: b.now, RetryAt: b.now.Add(10 * time.Second)}
	if _, ok := b.next(seen).(failover.Wait); !ok {
		t.Fatal("a short silence is not told")
	}
	b.now = b.now.Add(time.Minute)
	seen.RetryAt = b.now.Add(10 * time.Second)
	b.tell(seen)
	if !strings.Contains(b.op.Targets[0].Progress, "does not answer since") {
		t.Fatalf("progress %q", b.op.Targets[0].Progress)
	}
	if _, ok := b.next(seen).(failover.Wait); !ok {
		t.Fatal("told once")
	}
}
