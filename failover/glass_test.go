package failover_test

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// glass lets approvers break it without any approval.
func glass(b *table) *table {
	b.policy.BreakGlass = &failover.BreakGlass{Role: "approver", ReasonRequired: true}
	return b
}

func (b *table) breaks(by failover.Actor, reason string) failover.Command {
	cmd := b.command(failover.VerbFailover, by)
	cmd.BreakGlass, cmd.Reason = true, reason
	return cmd
}

func (b *table) saysNo(cmd failover.Command, kind failover.RefusalKind, want string) {
	b.t.Helper()
	r := b.try(cmd)
	if r == nil || r.Kind != kind || !strings.Contains(r.Message+" "+r.Hint, want) {
		b.t.Errorf("%s by %s: %+v, want %s with %q", cmd.Verb, cmd.By.Name, r, kind, want)
	}
}

func TestBreakGlass(t *testing.T) {
	b := glass(newTable(t, 2))
	b.saysNo(b.breaks(eve, "the region is down"), failover.NotAllowed, "role approver")
	b.saysNo(b.breaks(ben, ""), failover.BadUsage, "Type /failover vm-x --break-glass --reason TEXT.")
	if r := b.try(b.breaks(ben, "the region is down")); r != nil { // ben is not among those who may ask
		t.Fatal(r)
	}
	b.phase(failover.Running)
	if b.op.Skipped() != 2 || !b.op.Unreviewed() || b.op.Plan.BrokenGlass.By != ben {
		t.Errorf("%+v", b.op.Plan)
	}
	// The commit needs its two approvals as ever.
	if b.op.Plan.CommitBy.Approvals != 2 {
		t.Errorf("break-glass is for the start only: %+v", b.op.Plan.CommitBy)
	}
}

func TestBreakGlassSkipsApprovalsOnly(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*table)
		kind   failover.RefusalKind
		want   string
	}{
		"a freeze": {func(b *table) {
			b.freezes = []failover.Freeze{{Op: "op-ffffffff", Pattern: "*", By: ana, Since: start, Reason: "storm"}}
		}, failover.Frozen, "storm"},
		"another operation": {func(b *table) {
			b.holder = failover.Operation{ID: "op-bbbbbbbb", Phase: failover.Running, RequestedBy: ana, Reason: "drill first"}
		}, failover.Busy, "(drill first)"},
		"the state":      {func(b *table) { b.item.State = failover.StateCommitted }, failover.WrongState, "reprotect"},
		"no rule":        {func(b *table) { b.policy.Rules = nil }, failover.NotAllowed, "skips approvals, not rules"},
		"a denying rule": {func(b *table) { b.policy.Rules[0].May = nil }, failover.NotAllowed, "skips approvals, not rules"},
		"unknown tags":   {func(b *table) { b.policy.Rules[0].Match.Tag = []string{"tier=1"} }, failover.NotAllowed, "tags of vm-x are not known"},
		"none of it":     {func(b *table) { b.policy.BreakGlass = nil }, failover.NotAllowed, "Nobody may break the glass"},
	} {
		b := glass(newTable(t, 1))
		row.change(b)
		if r := b.try(b.breaks(ben, "the region is down")); r == nil || r.Kind != row.kind || !strings.Contains(r.Message+" "+r.Hint, row.want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	b := glass(newTable(t, 1)) // nothing is skipped for who needs no approval anyway
	b.policy.Rules[0].Approvals, b.policy.Rules[0].May = 0, []string{"approver"}
	b.saysNo(b.breaks(ben, "why not"), failover.BadUsage, "without --break-glass")
}

// Fewer approvals need not be none.
func TestBreakGlassWithAnApproval(t *testing.T) {
	b := glass(newTable(t, 2))
	b.policy.BreakGlass.Approvals = 1
	if r := b.try(b.breaks(ben, "the region is down")); r != nil {
		t.Fatal(r)
	}
	b.phase(failover.AwaitingApproval)
	if b.op.Unreviewed() {
		t.Error("nothing has begun: there is nothing to review")
	}
	b.saysNo(b.command(failover.VerbApprove, ben), failover.NotAllowed, "second person")
	b.must(failover.VerbApprove, cleo)
	b.phase(failover.Running)
	if !b.op.Unreviewed() {
		t.Error("an approval less is one less")
	}
}

// The review is somebody else's, whenever it comes: the same person is refused under any of their identities.
func TestReview(t *testing.T) {
	b := glass(newTable(t, 1))
	b.policy.Roles["approver"] = append(b.policy.Roles["approver"], "cli:ben")
	b.policy.People = map[string][]string{"ben": {ben.ID, "cli:ben"}}
	if r := b.try(b.breaks(ben, "the region is down")); r != nil {
		t.Fatal(r)
	}
	for _, verb := range []failover.Verb{failover.VerbApprove, failover.VerbDeny} {
		b.saysNo(b.command(verb, ben), failover.NotAllowed, "somebody else")
		b.saysNo(b.command(verb, failover.Actor{ID: "cli:ben"}), failover.NotAllowed, "somebody else")
		b.saysNo(b.command(verb, eve), failover.NotAllowed, "role approver")
	}
	b.saysNo(b.command(failover.VerbDeny, cleo), failover.BadUsage, "--reason TEXT")
	b.fold(failover.Finished{Phase: failover.Failed}, "") // long over
	b.now = b.now.Add(72 * time.Hour)
	list := failover.Debts(failover.Inventory{At: b.now}, []failover.Operation{b.op})
	if len(list.Debts) != 1 || list.Debts[0].Kind != failover.ReviewOpen || list.Debts[0].Owner.ID != ben.ID || list.Debts[0].Op != b.op.ID {
		t.Errorf("a review is owed until it is given: %+v", list.Debts)
	}
	if at := failover.ReviewRemindAt(b.op); at.IsZero() || at.After(b.now) {
		t.Errorf("reminded at %s", at)
	}
	b.must(failover.VerbApprove, cleo)
	b.phase(failover.Failed)
	if b.op.Unreviewed() || !b.op.Glass.Approve || b.op.Glass.By != cleo {
		t.Errorf("%+v", b.op.Glass)
	}
	if list := failover.Debts(failover.Inventory{At: b.now}, []failover.Operation{b.op}); len(list.Debts) != 0 {
		t.Errorf("%+v", list.Debts)
	}
	b.saysNo(b.command(failover.VerbApprove, cleo), failover.TooLate, "is over")
}

// A press that was meant for the start, and comes when another has opened it, is no review of the broken glass: nobody has
// looked at anything yet.
func TestALateApprovalIsNoReview(t *testing.T) {
	b := glass(newTable(t, 3))
	b.policy.BreakGlass.Approvals = 1
	b.policy.Roles["approver"] = append(b.policy.Roles["approver"], "U0DORA")
	if r := b.try(b.breaks(ben, "the region is down")); r != nil {
		t.Fatal(r)
	}
	dora := failover.Actor{ID: "U0DORA", Name: "dora"}
	typed, pressed := b.command(failover.VerbApprove, dora), b.command(failover.VerbApprove, dora)
	pressed.Seen = b.op.Token(failover.StepFailover)
	denied := b.command(failover.VerbDeny, dora)
	denied.Reason = "it is up"
	b.now = b.now.Add(time.Second)
	b.must(failover.VerbApprove, cleo)
	b.phase(failover.Running)
	b.now = b.now.Add(time.Second)
	for _, late := range []failover.Command{typed, pressed, denied} {
		b.saysNo(late, failover.TooLate, "was already approved by cleo at 2026-11-23 03:00 UTC. ")
	}
	b.saysNo(pressed, failover.TooLate, "to review its broken glass, /failover approve op-aaaaaaaa")
	if !b.op.Unreviewed() {
		t.Errorf("reviewed: %+v", b.op.Glass)
	}
	b.must(failover.VerbApprove, dora) // now she has seen it
	if b.op.Unreviewed() {
		t.Error("not reviewed")
	}
	b.saysNo(b.command(failover.VerbApprove, ana), failover.TooLate, "broken glass was signed off by dora at 2026-11-23 03:00 UTC")
}

func TestObjection(t *testing.T) {
	b := glass(newTable(t, 1))
	if r := b.try(b.breaks(ben, "the region is down")); r != nil {
		t.Fatal(r)
	}
	deny := b.command(failover.VerbDeny, cleo)
	deny.Reason = "it was not"
	if r := b.try(deny); r != nil {
		t.Fatal(r)
	}
	b.phase(failover.Running) // an objection stops nothing
	b.saysNo(b.command(failover.VerbApprove, cleo), failover.TooLate, "op-aaaaaaaa has already started. Its broken glass was objected to by cleo")
	if b.op.Unreviewed() || b.op.Glass.Approve || b.op.Glass.Reason != "it was not" || b.op.Answers[deny.MessageID].Did != failover.DidObject {
		t.Errorf("%+v %+v", b.op.Glass, b.op.Answers[deny.MessageID])
	}
}

// What is behind a broken glass can be told by its class alone.
func TestBreakGlassIsItsOwnClass(t *testing.T) {
	b := glass(newTable(t, 1))
	facts, r := failover.Decide(failover.Operation{}, b.breaks(ben, "the region is down"), failover.Situation{Now: b.now, Policy: b.policy, Item: b.item, Points: b.points})
	if r != nil {
		t.Fatal(r)
	}
	req, _ := facts[0].(failover.Requested)
	open, _ := facts[1].(failover.GateOpened)
	if req.Class != failover.AuditBreakGlass || open.Class != failover.AuditBreakGlass {
		t.Errorf("%+v", facts)
	}
}

// Just before the call the right to break the glass is asked for once more, and no approval that was not needed.
func TestBreakGlassStillHolds(t *testing.T) {
	b := glass(newTable(t, 2))
	if r := b.try(b.breaks(ben, "the region is down")); r != nil {
		t.Fatal(r)
	}
	if e, acts := b.next(b.looked()).(failover.Act); !acts {
		t.Fatalf("%#v", e)
	}
	for name, change := range map[string]func(*failover.Policy){
		"the role is another's": func(p *failover.Policy) { p.Roles["approver"] = []string{cleo.ID} },
		"there is none":         func(p *failover.Policy) { p.BreakGlass = nil },
		"it wants one approval": func(p *failover.Policy) { p.BreakGlass = &failover.BreakGlass{Role: "approver", Approvals: 1} },
	} {
		now := glass(newTable(t, 2))
		now.op = b.op
		change(&now.policy)
		tell, told := now.next(now.looked()).(failover.Tell)
		if !told {
			t.Errorf("%s: the call is made", name)
			continue
		}
		if end, over := tell.Facts[0].(failover.Finished); !over || end.Phase != failover.Expired {
			t.Errorf("%s: %#v", name, tell.Facts)
		}
	}
}

// With approvals behind a broken glass, too: nobody is asked again and again for what can never begin.
func TestBreakGlassThatIsLostEnds(t *testing.T) {
	b := glass(newTable(t, 2))
	b.policy.BreakGlass.Approvals = 1
	if r := b.try(b.breaks(ben, "the region is down")); r != nil {
		t.Fatal(r)
	}
	b.must(failover.VerbApprove, cleo)
	b.policy.BreakGlass = nil
	b.tell(b.looked())
	b.phase(failover.Expired)
	if want := "nobody may break the glass any more"; !strings.HasPrefix(b.op.Note, want) || b.op.Hint == "" {
		t.Errorf("says %q %q", b.op.Note, b.op.Hint)
	}
}

// Only the start of a failover can be hurried: a command that no surface of Ferry makes is refused as well.
func TestBreakGlassIsForFailovers(t *testing.T) {
	for verb, prepare := range map[failover.Verb]func(*table){
		failover.VerbTest:      func(*table) {},
		failover.VerbReprotect: func(b *table) { b.inNorth(failover.StateCommitted, "SwitchProtection") },
		failover.VerbFailback:  func(b *table) { b.inNorth(failover.StateCommitted, "SwitchProtection") },
	} {
		b := glass(newTable(t, 2))
		prepare(b)
		cmd := b.breaks(ben, "the region is down")
		cmd.Verb = verb
		b.saysNo(cmd, failover.BadUsage, "for a failover only")
	}
}
