package failover_test

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// People whose identities in Slack and at a terminal are told apart by their ids only.
var (
	benCLI  = failover.Actor{ID: "cli:ben", Name: "cli:ben"}
	cleoCLI = failover.Actor{ID: "cli:cleo", Name: "cli:cleo"}
	anaCLI  = failover.Actor{ID: "cli:ana", Name: "cli:ana"}
)

// quorum is a table on which two people approve, each with two identities; ana may approve, too.
func quorum(t *testing.T, approvals, terminals int) *table {
	t.Helper()
	b := newTable(t, approvals)
	for i := range b.policy.Rules {
		b.policy.Rules[i].TerminalApprovals = terminals
	}
	b.policy.People = map[string][]string{"ana": {ana.ID, anaCLI.ID}, "ben": {ben.ID, benCLI.ID}, "cleo": {cleo.ID, cleoCLI.ID}}
	b.policy.Roles["approver"] = []string{ben.ID, benCLI.ID, cleo.ID, cleoCLI.ID, ana.ID, anaCLI.ID}
	return b
}

// Each row is a sequence of presses on one request of ana's. "+" is one that counts, "!" the one that opens the gate, and
// all else is what a refused press is told.
func TestQuorum(t *testing.T) {
	type press struct {
		by   failover.Actor
		says string
	}
	for _, row := range []struct {
		name                 string
		approvals, terminals int
		presses              []press
	}{
		{"one approval", 1, 0, []press{{ben, "!"}}},
		{"two people", 2, 0, []press{{ben, "+"}, {cleo, "!"}}},
		{"the same identity twice", 2, 0, []press{{ben, "+"}, {ben, "You have already approved op-aaaaaaaa. It waits for another person."}, {cleo, "!"}}},
		{"the same person in Slack and at a terminal", 2, 0, []press{{ben, "+"}, {benCLI, "You have already approved op-aaaaaaaa, as ben: one person counts once."}, {cleoCLI, "!"}}},
		{"who asked, as themselves", 1, 0, []press{{ana, "You asked for it yourself"}, {ben, "!"}}},
		{"who asked, at a terminal", 1, 0, []press{{anaCLI, "You asked for it yourself"}, {ben, "!"}}},
		{"the only one by terminal, from Slack", 1, 1, []press{{ben, "has to come from a terminal. Type it in a terminal, or have somebody else do it there: ferry approve op-aaaaaaaa."}, {benCLI, "!"}}},
		{"one of two by terminal", 2, 1, []press{{ben, "+"}, {cleo, "has to come from a terminal"}, {cleoCLI, "!"}}},
		{"one of two by terminal, that one first", 2, 1, []press{{cleoCLI, "+"}, {cleo, "one person counts once"}, {ben, "!"}}},
		{"a person makes their own approval one by terminal", 2, 1, []press{{ben, "+"}, {benCLI, "+"}, {benCLI, "already approved"}, {cleo, "!"}}},
		{"both by terminal", 2, 2, []press{{ben, "has to come from a terminal"}, {benCLI, "+"}, {cleoCLI, "!"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := quorum(t, row.approvals, row.terminals)
			requested(b)
			for _, p := range row.presses {
				refusal := b.try(b.command(failover.VerbApprove, p.by))
				switch {
				case p.says == "+" || p.says == "!":
					if opened := b.op.Phase == failover.Running; refusal != nil || opened != (p.says == "!") {
						t.Fatalf("%s presses: %v, opened %v", p.by.ID, refusal, opened)
					}
				case refusal == nil || !strings.Contains(refusal.Error(), p.says):
					t.Fatalf("%s is told %v, want %q", p.by.ID, refusal, p.says)
				}
			}
			if by := b.op.Decisions[0].By; by.Person == "" {
				t.Errorf("it is not written down who %s is", by.ID)
			}
		})
	}
}

// At the commit and at a change the same people count.
func TestQuorumOfLaterGates(t *testing.T) {
	b := quorum(t, 1, 1)
	b.must(failover.VerbFailover, ana)
	b.must(failover.VerbApprove, benCLI)
	call := b.act(b.looked())
	b.fold(failover.StepAccepted{Target: b.item.Key, Kind: call.Kind, JobID: "/jobs/1"}, "")
	b.item = item("vm-x", failover.StateCommitPending, "Commit", "ChangePit")
	b.fold(failover.StepDone{Target: b.item.Key, Kind: failover.StepFailover, PointUsed: start}, "")
	b.phase(failover.AwaitingCommit)
	if refusal := b.try(b.command(failover.VerbCommit, ben)); refusal == nil || !strings.Contains(refusal.Hint, "ferry commit op-aaaaaaaa") {
		t.Errorf("a commit from Slack: %v", refusal)
	}
	if refusal := b.try(b.command(failover.VerbCommit, ana)); refusal != nil || b.op.Phase != failover.AwaitingCommit {
		t.Errorf("who asked only asks for the commit: %v, %s", refusal, b.op.Phase)
	}
	if refusal := b.try(b.command(failover.VerbWithdraw, anaCLI)); refusal == nil {
		t.Error("withdrawn after the start")
	}
	b.must(failover.VerbCommit, cleoCLI)
	b.phase(failover.Running)
}

// Who asked takes it back with any of their identities.
func TestThePersonWhoAskedWithdraws(t *testing.T) {
	b := quorum(t, 1, 0)
	requested(b)
	b.policy.Roles["approver"], b.policy.Roles["operator"] = []string{ben.ID}, nil
	b.must(failover.VerbWithdraw, anaCLI)
	b.phase(failover.Cancelled)
}

// A refusal for want of a fresh membership says so; who is named by id is not concerned.
func TestRefusedForWantOfAMembership(t *testing.T) {
	fresh := failover.Membership{Groups: map[string][]string{"S1": {"U0DAN"}, "S2": {"U0DEA"}}}
	dan, dea := failover.Actor{ID: "U0DAN", Name: "dan"}, failover.Actor{ID: "U0DEA", Name: "dea"}
	lab := func(read bool) *table {
		b := newTable(t, 1)
		b.policy.Groups = map[string][]string{"operator": {"S1"}, "approver": {"S2"}}
		b.policy.Roles = map[string][]string{"operator": {ana.ID}}
		fresh.At = b.now
		if !read {
			fresh.At = b.now.Add(-6 * time.Minute)
		}
		b.policy = b.policy.With(fresh, b.now)
		return b
	}
	b := lab(true)
	b.must(failover.VerbFailover, dan)
	b.must(failover.VerbApprove, dea)

	const says = "Slack's groups were last read at 2026-11-23 02:54 UTC, so that those of "
	b = lab(false)
	for name, refusal := range map[string]*failover.Refusal{
		"operator":           b.try(b.command(failover.VerbFailover, dan)),
		"approver, operator": b.policy.MayRead(dan, false),
	} {
		roles := strings.ReplaceAll(name, ", ", " or ")
		if refusal == nil || !strings.Contains(refusal.Message, says+roles+" have no members.") || !strings.HasPrefix(refusal.Hint, "Ask again in a minute. ") {
			t.Errorf("%s: %v", name, refusal)
		}
	}
	requested(b)
	for _, verb := range []failover.Verb{failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw} {
		if refusal := b.try(b.command(verb, dea)); refusal == nil || !strings.Contains(refusal.Message, says+"approver have no members") {
			t.Errorf("%s: %v", verb, refusal)
		}
	}
	if refusal := b.try(b.command(failover.VerbApprove, eve)); refusal == nil || strings.Contains(refusal.Message, "No rule lets") {
		t.Errorf("an empty group is told as a missing rule: %v", refusal)
	}
	b.phase(failover.AwaitingApproval)
}
