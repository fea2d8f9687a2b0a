package executor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// groups is what the bucket says of Slack's groups.
type groups struct {
	now   failover.Membership
	fresh time.Time // from when on the bot tells anew all the time; zero: never
	err   error
}

func (g *groups) Members(context.Context) (failover.Membership, error) {
	m := g.now
	if now := time.Now(); !g.fresh.IsZero() && !now.Before(g.fresh) {
		m.At = now
	}
	return m, g.err
}

// Who is in Slack's groups is read for each decision, and counts for five minutes. Who is named by id is not kept waiting.
func TestGroupsAreReadForEachDecision(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		g := &groups{now: failover.Membership{Groups: map[string][]string{"S1": {"U0DAN"}}, At: time.Now()}}
		e.Groups, e.Policy.Groups = g, map[string][]string{"operator": {"S1"}}
		dan := failover.Actor{ID: "U0DAN", Name: "dan"}
		asks := func(by failover.Actor) *failover.Refusal {
			cmd := b.command(failover.VerbFailover, by, "vm-x")
			r := b.decide(e, cmd)
			if r == nil {
				b.must(e, b.press(failover.VerbWithdraw, by, cmd.Op))
			}
			return r
		}
		refused := func(says string) {
			b.Helper()
			if r := asks(dan); r == nil || r.Kind != failover.NotAllowed || !strings.Contains(r.Message, says) {
				b.Errorf("got %v, want a refusal with %q", r, says)
			}
			if r := asks(ana); r != nil {
				b.Errorf("who is named by id is refused: %v", r)
			}
		}
		if r := asks(dan); r != nil {
			b.Fatal(r)
		}
		pause(b.Context(), failover.MembershipLife+time.Second)
		refused("Slack's groups were last read at 2000-01-01 00:00 UTC")
		g.now.At = time.Now()
		if r := asks(dan); r != nil {
			b.Error(r)
		}
		g.now.Groups["S1"] = nil
		refused("You may not fail over vm-x.")
		g.err = errors.New("away")
		refused("Slack's groups have not been read")
		e.Groups = nil
		refused("Slack's groups have not been read")
	})
}

// Whom the door found to be no member in good standing is refused before anything is looked up.
func TestNoMemberCausesNoReads(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		guest := ana
		guest.Standing = failover.StandingGuest
		for _, name := range []string{"vm-x", "vm-nowhere", ""} {
			if r := b.decide(e, b.command(failover.VerbFailover, guest, name)); r == nil || *r != *failover.StandingGuest.Barred() {
				b.Errorf("about %q: %v", name, r)
			}
		}
		if b.vault.reads != 0 || b.vault.lists != 0 {
			b.Errorf("%d lists, %d reads", b.vault.lists, b.vault.reads)
		}
	})
}

// Between the press and the call who may do what is read once more: whoever has lost a right by then sets nothing going.
func TestAuthorityIsReadBeforeTheCall(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		g := &groups{now: failover.Membership{Groups: map[string][]string{"S1": {ben.ID}}, At: time.Now()}}
		e.Groups, e.Policy.Groups, e.Policy.Roles["approver"] = g, map[string][]string{"approver": {"S1"}}, nil
		id := b.approved(e)
		g.now.Groups["S1"] = nil // ben leaves the group
		if err := b.drive(e, id); err != nil {
			b.Fatal(err)
		}
		op := b.phase(id, failover.AwaitingApproval)
		b.calls(0, 0)
		if op.Lapsed == nil || !strings.HasPrefix(op.Lapsed.Why, "ben may not decide it any more") {
			b.Errorf("says %+v", op.Lapsed)
		}
		g.now.Groups["S1"] = []string{ben.ID}
		b.must(e, b.press(failover.VerbApprove, ben, id))
		if err := b.drive(e, id); err != nil {
			b.Fatal(err)
		}
		b.phase(id, failover.AwaitingCommit)
		b.calls(1, 0)
	})
}

// The bot is away: the call waits for a minute for its word of who is in the groups, and no longer.
func TestAuthorityWaitsForTheBot(t *testing.T) {
	for name, back := range map[string]time.Duration{"comes back in time": 40 * time.Second, "stays away": time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(b *bench) {
				e, _ := b.executor("one")
				g := &groups{now: failover.Membership{Groups: map[string][]string{"S1": {ben.ID}}, At: time.Now()}}
				e.Groups, e.Policy.Groups, e.Policy.Roles["approver"] = g, map[string][]string{"approver": {"S1"}}, nil
				pause(b.Context(), failover.MembershipLife-time.Second)
				id := b.approved(e)
				pause(b.Context(), 2*time.Second)
				begun := time.Now()
				g.fresh = begun.Add(back)
				if err := b.drive(e, id); err != nil {
					b.Fatal(err)
				}
				if back < failover.AuthorityWithin {
					b.phase(id, failover.AwaitingCommit)
					b.calls(1, 0)
					return
				}
				b.phase(id, failover.AwaitingApproval)
				b.calls(0, 0)
				if took := time.Since(begun); took < failover.AuthorityWithin || took > failover.AuthorityWithin+failover.LookEvery {
					b.Errorf("waited for %s", took)
				}
			})
		})
	}
}
