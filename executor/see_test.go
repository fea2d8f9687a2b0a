package executor

import (
	"testing"
	"time"

	"ferry/failover"
)

// endedJob is a failover that has just ended, how its VM is looked at among many, and the reading of its job.
func (b *bench) endedJob(fails bool) (view, failover.ReadJob) {
	b.Helper()
	e, _ := b.executor("one")
	item := *b.vault.items[failover.ItemKey("/vaults/v", "vm-x")]
	job, err := b.vault.accept(failover.Call{Kind: failover.StepFailover, Item: item, ClientRequestID: "x"}, fails)
	if err != nil {
		b.Fatal(err)
	}
	pass(jobLasts + time.Second)
	return view{Executor: e, item: item, since: e.now(), thin: true}, failover.ReadJob{ID: job.JobID}
}

// A job that the list shows no more is read whole together with its item, so that one slow answer is waited for and not two. What was
// seen of the item then is later than the end of the job.
func TestTheEndOfAJobIsSeenInOneLook(t *testing.T) {
	for _, fails := range []bool{false, true} {
		bubble(t, func(b *bench) {
			v, job := b.endedJob(fails)
			b.vault.late = 2 * time.Second
			begun, seen := v.now(), failover.Observation{}
			if err := v.see(b.Context(), &seen, job); err != nil {
				t.Fatal(err)
			}
			if took := v.now().Sub(begun); took != 4*time.Second { // the list, then these
				t.Errorf("it took %s", took)
			}
			if seen.LookedAt.Before(seen.JobAt) || seen.JobAt.Before(begun) || (seen.Item.State == failover.StateCommitPending) == fails {
				t.Errorf("seen %s at %s, the job at %s", seen.Item.State, seen.LookedAt, seen.JobAt)
			}
		})
	}
}

// When the item is not read, the end of the job is known all the same; the item is looked at again.
func TestTheEndOfAJobWithoutItsItem(t *testing.T) {
	bubble(t, func(b *bench) {
		v, job := b.endedJob(false)
		b.vault.gone = true
		seen := failover.Observation{}
		if err := v.see(b.Context(), &seen, job); err != nil || seen.Job.State != failover.JobSucceeded || !seen.LookedAt.IsZero() {
			t.Errorf("%v, %+v", err, seen)
		}
	})
}
