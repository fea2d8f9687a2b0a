package failover_test

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// Whatever somebody of another standing than a member asks is refused, whoever they are in the policy, and says what to do.
func TestOnlyMembersInGoodStandingAreServed(t *testing.T) {
	said := map[string]failover.Standing{}
	for _, standing := range []failover.Standing{
		failover.StandingGuest, failover.StandingBot, failover.StandingDeactivated, failover.StandingStranger, failover.StandingUnchecked,
		failover.StandingOtherWorkspace, failover.StandingOtherApp, failover.StandingSharedChannel, failover.StandingHiddenChannel, "from a newer version",
	} {
		t.Run(string(standing), func(t *testing.T) {
			as := func(a failover.Actor) failover.Actor {
				a.Standing = standing
				return a
			}
			b := newTable(t, 1)
			asked := b.command(failover.VerbFailover, as(ana))
			refusal := b.try(asked)
			if refusal == nil || refusal.Kind != failover.NotAllowed || refusal.Hint == "" || *refusal != *standing.Barred() {
				t.Fatalf("a request is answered with %v", refusal)
			}
			if other, twice := said[refusal.Message]; twice {
				t.Errorf("says the same as for %s", other)
			}
			said[refusal.Message] = standing
			if before := failover.Barred(asked, failover.Situation{Now: b.now, Policy: b.policy}); before == nil || *before != *refusal {
				t.Errorf("before Azure is read: %v", before)
			}
			if seen := b.policy.MayRead(as(ana), true); seen == nil || *seen != *refusal {
				t.Errorf("a read is answered with %v", seen)
			}
			requested(b)
			for _, verb := range []failover.Verb{failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw} {
				if refusal := b.try(b.command(verb, as(ben))); refusal == nil || refusal.Kind != failover.NotAllowed {
					t.Errorf("%s is answered with %v", verb, refusal)
				}
			}
			b.phase(failover.AwaitingApproval)
		})
	}
}

func TestGroups(t *testing.T) {
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	policy := failover.Policy{
		Roles:  map[string][]string{"operator": {"U1"}},
		Groups: map[string][]string{"operator": {"S1"}, "approver": {"S2", "S3"}},
	}
	read := failover.Membership{Groups: map[string][]string{"S1": {"U1", "U5"}, "S2": {"U2", "cli:local"}}, At: now.Add(-5 * time.Minute)}
	holders := func(p failover.Policy) string {
		return strings.Join(p.Roles["operator"], " ") + " | " + strings.Join(p.Roles["approver"], " ")
	}
	for _, c := range []struct {
		name    string
		members failover.Membership
		now     time.Time
		want    string
	}{
		{"young enough", read, now, "U1 U5 | U2"},
		{"a moment too old", read, now.Add(time.Nanosecond), "U1 | "},
		{"never read", failover.Membership{}, now, "U1 | "},
	} {
		if got := holders(policy.With(c.members, c.now)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	if got := holders(policy); got != "U1 | " {
		t.Errorf("the policy itself was changed: %q", got)
	}
}
