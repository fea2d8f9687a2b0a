package vault_test

import (
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// What happened is told with the time at which it did, also when nobody looked then.
func TestHistory(t *testing.T) {
	copying := map[string]time.Duration{"vm-x": 10 * time.Minute}
	bubble(t, vault.Options{VMs: 1, InitialReplication: copying}, func(w *world) {
		begun := time.Now()
		for _, operation := range []string{"unplannedFailover", "failoverCommit", "switchprotection"} {
			if err := w.vault.Portal("vm-x", operation); err != nil {
				t.Fatal(err)
			}
			pause(time.Hour)
		}
		want := []struct {
			state, primary string
			from, to       time.Duration
		}{
			{"Protected", "West Europe", 0, 0},
			{"UnplannedFailoverCommitPendingStatesBegin", "West Europe", failoverTakes, failoverTakes},
			{"UnplannedFailoverCommitted", "West Europe", time.Hour, time.Hour + 10*time.Minute},
			{"InitialReplicationInProgress", "North Europe", 2 * time.Hour, 2*time.Hour + 20*time.Minute},
			{"InitialReplicationRecoveryCompletionPending", "North Europe", 2*time.Hour + 10*time.Minute, 3 * time.Hour},
			{"Protected", "North Europe", 2*time.Hour + 10*time.Minute, 3 * time.Hour},
		}
		got := w.vault.History()
		if len(got) != len(want) {
			t.Fatalf("%d changes: %+v", len(got), got)
		}
		for i, c := range want {
			if at := got[i].At.Sub(begun); got[i].VM != "vm-x" || got[i].State != c.state || got[i].PrimaryRegion != c.primary || at < c.from || at > c.to {
				t.Errorf("%s: got %+v, want %+v", at, got[i], c)
			}
		}
	})
}
