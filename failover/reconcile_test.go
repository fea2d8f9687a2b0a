package failover_test

import (
	"testing"

	"ferry/failover"
)

// A reprotect has a job inside its job that carries the same id: it is not taken for the call's, unless it is all there is.
func TestInnerJobIsNotTakenForTheCalls(t *testing.T) {
	for _, test := range []struct {
		found []string // scenarios
		want  string
	}{
		{[]string{"EnableDr", "SwitchReplicationGroupProtection"}, "/jobs/1"},
		{[]string{"SwitchReplicationGroupProtection", "EnableDr"}, "/jobs/0"},
		{[]string{"EnableDr"}, "/jobs/0"},
	} {
		b, call := dangling(t)
		var found []failover.Job
		for i, scenario := range test.found {
			found = append(found, failover.Job{ID: "/jobs/" + string(rune('0'+i)), Scenario: scenario, ActivityID: call.ClientRequestID + " ActivityId: x"})
		}
		b.tell(b.searched(found...))
		if s := b.op.Targets[0].Step(failover.StepFailover); s.JobID != test.want || !s.Adopted {
			t.Errorf("%v: adopted %q, want %s", test.found, s.JobID, test.want)
		}
	}
}
