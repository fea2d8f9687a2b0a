package executor

import (
	"testing"
	"time"

	"ferry/failover"
)

// A job that the list shows no more is read whole together with its item, so that one slow answer is waited for and not two. What was
// seen of the item then is later than the end of the job.
func TestTheEndOfAJobIsSeenInOneLook(t *testing.T) {
	for _, fails := range []bool{false, true} {
		bubble(t, func(b *bench) {
			e, _ := b.executor("one")
			item := *b.vault.items[failover.ItemKey("/vaults/v", "vm-x")]
			job, err := b.vault.accept(failover.Call{Kind: failover.StepFailover, Item: item, ClientRequestID: "x"}, fails)
			if err != nil {
				t.Fatal(err)
			}
			pass(jobLasts + time.Second)
			b.vault.late = 2 * time.Second
			begun, seen := e.now(), failover.Observation{}
			v := view{Executor: e, item: item, since: begun, thin: true}
			if err := v.see(b.Context(), &seen, failover.ReadJob{ID: job.JobID}); err != nil {
				t.Fatal(err)
			}
			if took := e.now().Sub(begun); took != 4*time.Second { // the list, then these
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
		e, _ := b.executor("one")
		item := *b.vault.items[failover.ItemKey("/vaults/v", "vm-x")]
		job, err := b.vault.accept(failover.Call{Kind: failover.StepFailover, Item: item, ClientRequestID: "x"}, false)
		if err != nil {
			t.Fatal(err)
		}
		pass(jobLasts + time.Second)
		b.vault.gone = true
		seen := failover.Observation{}
		v := view{Executor: e, item: item, since: e.now(), thin: true}
		if err := v.see(b.Context(), &seen, failover.ReadJob{ID: job.JobID}); err != nil || seen.Job.State != failover.JobSucceeded || !seen.LookedAt.IsZero() {
			t.Errorf("%v, %+v", err, seen)
		}
	})
}
