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
	now failover.Membership
	err error
}

func (g *groups) Members(context.Context) (failover.Membership, error) { return g.now, g.err }

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
