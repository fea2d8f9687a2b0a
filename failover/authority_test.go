package failover_test

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// Each row changes who may do what between the last press and the call. What was decided goes on when it would be decided so
// now, and lapses otherwise; then it says who lost what, and the rule of now decides anew.
func TestAuthorityAtTheCall(t *testing.T) {
	dropped := func(role string, id string) func(*table) {
		return func(b *table) {
			var left []string
			for _, other := range b.policy.Roles[role] {
				if other != id {
					left = append(left, other)
				}
			}
			b.policy.Roles[role] = left
		}
	}
	for _, row := range []struct {
		name      string
		reach     func(*table)
		change    func(*table)
		why       string // "" goes on
		approvals int    // that the rule wants when it is asked anew
	}{
		{name: "nothing changed", reach: approved},
		{name: "the approver lost the role", reach: approved, change: dropped("approver", ben.ID), why: "ben may not decide it any more (that takes the role approver)", approvals: 1},
		{name: "another approver did", reach: approved, change: dropped("approver", cleo.ID)},
		{name: "who asked lost the right", reach: approved, change: dropped("operator", ana.ID), why: "ana may not ask for it any more (that takes the role operator)", approvals: 1},
		{name: "both", reach: approved, change: func(b *table) { b.policy.Roles = nil }, why: "ana may not ask for it any more (that takes the role operator); ben may not decide it any more (that takes the role approver)", approvals: 1},
		{name: "the rule is gone", reach: approved, change: func(b *table) { b.policy.Rules = nil }, why: "no rule lets anybody fail over vm-x any more", approvals: 1},
		{name: "a rule before it wants more", reach: approved, change: func(b *table) {
			stricter := b.policy.Rules[0]
			stricter.Approvals = 2
			b.policy.Rules = append([]failover.Rule{stricter}, b.policy.Rules...)
		}, why: "the rule that applies now wants 2 approvals, and it has 1 approval", approvals: 2},
		{name: "it wants a terminal", reach: approved, change: func(b *table) { b.policy.Rules[0].TerminalApprovals = 1 }, why: "the rule that applies now wants 1 approval, 1 of them from a terminal, and it has 0 approvals", approvals: 1},
		{name: "it wants less", reach: approved, change: func(b *table) { b.policy.Rules[0].Approvals = 0 }},
		{name: "another role decides, which the approver has", reach: approved, change: func(b *table) {
			b.policy.Rules[0].Approvers, b.policy.Roles["lead"] = []string{"lead"}, []string{ben.ID}
		}},
		{name: "the approver turns out to be who asked", reach: approved, change: func(b *table) { b.policy.People = map[string][]string{"ana": {ana.ID, ben.ID}} }, why: "ben asked for it, and the rule lets nobody decide what they asked for", approvals: 1},
		{name: "the approver is deactivated", reach: approved, change: func(b *table) {
			b.policy = b.policy.With(failover.Membership{At: b.now, Standings: map[string]failover.Standing{ben.ID: failover.StandingDeactivated}}, b.now)
		}, why: "ben is no member in good standing any more (deactivated)", approvals: 1},
		{name: "who asked is deactivated", reach: approved, change: func(b *table) {
			b.policy = b.policy.With(failover.Membership{At: b.now, Standings: map[string]failover.Standing{ana.ID: failover.StandingDeactivated}}, b.now)
		}, why: "ana is no member in good standing any more (deactivated)", approvals: 1},
		{name: "commit: who pressed lost the role", reach: pressedCommit, change: dropped("approver", ben.ID), why: "ben may not decide it any more", approvals: 1},
		{name: "commit: half-way it is no matter what became of who asked", reach: pressedCommit, change: dropped("operator", ana.ID)},
		{name: "commit: the rule wants the name typed", reach: pressedCommit, change: func(b *table) { b.policy.Rules[0].ConfirmName = true }, why: "the rule that applies now wants the name of vm-x typed before its commit", approvals: 1},
		{name: "change: who pressed lost the role", reach: pressedChange, change: dropped("approver", ben.ID), why: "ben may not decide it any more (that takes the role approver)", approvals: 1},
		{name: "change: the rule is gone", reach: pressedChange, change: func(b *table) { b.policy.Rules = nil }, why: "no rule lets anybody change the recovery point of vm-x any more", approvals: 1},
		{name: "reprotect: who pressed lost the role", reach: pressedReprotect, change: dropped("approver", ben.ID), why: "ben may not decide it any more", approvals: 1},
		{name: "drill: it is no matter who approves, nobody does", reach: func(b *table) { b.must(failover.VerbTest, ana) }, change: dropped("approver", ben.ID)},
		{name: "commit: no press is no press, whatever the rule", reach: func(b *table) {
			b.failedOver()
			b.fold(failover.GateOpened{Gate: failover.ClassCommit, Step: failover.StepCommit}, "")
		}, change: func(b *table) { b.policy.Rules[0].Approvals = 0 }, why: "the rule that applies now wants 1 approval, and it has 0 approvals", approvals: 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newTable(t, 1)
			row.reach(b)
			if row.change != nil {
				row.change(b)
			}
			e := b.next(b.looked())
			if _, acts := e.(failover.Act); acts != (row.why == "") {
				t.Fatalf("next is %#v", e)
			} else if acts {
				return
			}
			waits, gate := failover.AwaitingApproval, failover.ClassOf(b.op.Verb)
			if doing := b.op.Targets[0].Doing; doing == failover.StepCommit || doing == failover.StepChange {
				waits, gate = failover.AwaitingCommit, failover.Class(doing)
			}
			step, token := b.op.Targets[0].Doing, b.op.Token(b.op.Targets[0].Doing)
			b.tell(b.looked())
			b.phase(waits)
			if got := b.op.Lapsed.Why; !strings.HasPrefix(got, row.why) {
				t.Errorf("says %q, want %q", got, row.why)
			}
			if got := b.op.GateRule(gate).Approvals; got != row.approvals {
				t.Errorf("asked anew it wants %d approvals, want %d", got, row.approvals)
			}
			if len(b.op.Approvers(gate)) != 0 || b.op.Token(step) == token {
				t.Error("what was pressed before still counts")
			}
		})
	}
}

func pressedChange(b *table) {
	b.failedOver()
	b.asks(ana, second)
	if refusal := b.try(b.changeButton(ben)); refusal != nil {
		b.t.Fatal(refusal)
	}
}

func pressedReprotect(b *table) {
	b.inNorth(failover.StateCommitted, "SwitchProtection")
	b.must(failover.VerbReprotect, ana)
	b.presses(ben)
}

func pressedCommit(b *table) {
	b.failedOver()
	b.must(failover.VerbCommit, ben)
}

// With no approvals needed there is nobody to ask anew: it ends, and nothing was started.
func TestAuthorityOfWhatStartedAtOnce(t *testing.T) {
	b := newTable(t, 0)
	requested(b)
	b.policy.Roles = nil
	b.tell(b.looked())
	b.phase(failover.Expired)
	if want := "ana may not ask for it any more (that takes the role operator). Nothing was started."; b.op.Note != want {
		t.Errorf("says %q, want %q", b.op.Note, want)
	}
}

// While nobody can tell who is in Slack's groups, a call waits for a minute: the bot may just be starting. What nobody could
// tell by then lapses.
func TestAuthorityWaitsForAFreshMembership(t *testing.T) {
	members := failover.Membership{Groups: map[string][]string{"S1": {ben.ID}}, At: start}
	lab := func() (b *table, seen func() failover.Observation) {
		b = newTable(t, 1)
		b.policy.Roles["approver"], b.policy.Groups = nil, map[string][]string{"approver": {"S1"}}
		base := b.policy
		b.policy = base.With(members, b.now)
		approved(b)
		b.now = b.now.Add(failover.MembershipLife + time.Second)
		unread := b.now
		return b, func() failover.Observation {
			o := b.looked()
			o.Policy, o.PolicyAt = base.With(members, b.now), b.now
			if o.Policy.Unread() {
				o.UnreadSince = unread
			}
			return o
		}
	}
	b, seen := lab()
	b.tell(seen()) // that it waits
	if got := b.op.Targets[0].Progress; !strings.HasPrefix(got, "waiting for a fresh word of who is in Slack's groups") {
		t.Errorf("says %q", got)
	}
	before := seen()
	if w, ok := b.next(before).(failover.Wait); !ok || !w.Until.Equal(b.now.Add(failover.LookEvery)) {
		t.Errorf("next is %#v", b.next(before))
	}
	b.now = b.now.Add(failover.LookEvery)
	if look, ok := b.next(before).(failover.Look); !ok || !look.Authority {
		t.Errorf("next is %#v", b.next(before))
	}
	members.At = b.now
	b.act(seen())

	members.At = start
	b, seen = lab()
	b.tell(seen())
	b.now = b.now.Add(failover.AuthorityWithin)
	b.tell(seen())
	b.phase(failover.AwaitingApproval)
	if want := "ben may not decide it any more (that takes the role approver); Slack's groups were last read at 2026-11-23 03:00 UTC and count as empty"; b.op.Lapsed.Why != want {
		t.Errorf("says %q, want %q", b.op.Lapsed.Why, want)
	}
}

// A call whose answer was lost is not made again for somebody who lost the right meanwhile, nor called off: a person looks.
func TestAuthorityLostAfterACall(t *testing.T) {
	b, _ := dangling(t)
	b.fold(failover.StepDelayed{Target: b.item.Key, Kind: failover.StepFailover, Until: b.now}, "")
	b.policy.Roles = nil
	b.tell(b.looked())
	b.phase(failover.AwaitingApproval)

	b, _ = dangling(t)
	b.fold(failover.StepUnknown{Target: b.item.Key, Kind: failover.StepFailover, Why: "reset"}, "")
	b.now = b.now.Add(failover.ActAgainAfter + time.Second)
	b.policy.Roles = nil
	b.tell(b.searched())
	b.phase(failover.NeedsAttention)
}

// Of several VMs each is asked about on its own, and a recovery plan for all that it moves.
func TestAuthorityOfARecoveryPlan(t *testing.T) {
	r := approvedShop(t)
	stricter := r.policy.Rules[0]
	stricter.Match.VM, stricter.Approvals = []string{"web"}, 2
	r.policy.Rules = append([]failover.Rule{stricter}, r.policy.Rules...)
	tell, ok := r.next().(failover.Tell)
	if !ok {
		t.Fatalf("next is %#v", r.next())
	}
	if f, ok := tell.Facts[0].(failover.Lapsed); !ok || f.Why != "sql and web fall under different rules now" {
		t.Errorf("says %+v", tell.Facts)
	}
}
