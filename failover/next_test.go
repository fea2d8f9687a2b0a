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
	if _, ok := b.next(b.searched()).(failover.Wait); !ok {
		t.Fatalf("too early to act again, got %#v", b.next(b.searched()))
	}
	b.now = b.now.Add(time.Second)
	second := b.act(b.searched())
	if second.ClientRequestID == first.ClientRequestID || b.op.Targets[0].Step(failover.StepFailover).Attempt != 2 {
		t.Fatalf("a new attempt has its own request id: %+v", second)
	}
	b.now = b.now.Add(failover.ActAgainAfter)
	b.tell(b.searched())
	b.phase(failover.NeedsAttention)
}

func TestNoSecondAttemptWhenTheItemMoved(t *testing.T) {
	b, _ := dangling(t)
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
	b.fold(failover.StepDelayed{Target: b.item.Key, Kind: failover.StepFailover, Until: until}, "")
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
