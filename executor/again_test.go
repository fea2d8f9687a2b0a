package executor

import (
	"testing"

	"ferry/failover"
)

// The end of a freeze, or of an incident, that is delivered again ends no other one that was declared meanwhile, and gets no
// second answer when there is none: its executor died before it could say that it was done.
func TestAnEndDeliveredAgainEndsNothingElse(t *testing.T) {
	for name, row := range map[string]struct {
		begins, ends func(*bench) failover.Command
		key          string
	}{
		"a freeze": {
			func(b *bench) failover.Command {
				cmd := b.command(failover.VerbFreeze, ana, "")
				cmd.Reason = "storm"
				return cmd
			},
			func(b *bench) failover.Command { return b.command(failover.VerbUnfreeze, ana, "") },
			failover.FreezeKey(failover.Everything),
		},
		"an incident": {func(b *bench) failover.Command { return b.incident(0) }, (*bench).incidentOver, failover.IncidentKey()},
	} {
		for _, anew := range []bool{true, false} {
			bubble(t, func(b *bench) {
				e, n := b.executor("one")
				b.must(e, row.begins(b))
				end := row.ends(b)
				b.must(e, end)
				second := row.begins(b)
				if anew {
					b.must(e, second)
				}
				n.behind = map[failover.OpID]failover.Operation{} // the executor that gets it has not read its answer yet
				if err := e.decide(b.Context(), end); err != nil {
					t.Fatal(err)
				}
				if held := b.stream.holder(row.key).Op; anew != (held == second.Op) {
					t.Errorf("%s, declared anew: %t: held by %q", name, anew, held)
				}
				if n := b.stream.count(end.Op, "refused"); n != 0 {
					t.Errorf("%s, declared anew: %t: it was done, and is refused", name, anew)
				}
			})
		}
	}
}

// A commit by the VM's name that is delivered again commits nothing of the operation that has the VM by then.
func TestACommitDeliveredAgainIsNoOthers(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		first := b.failedOver(e)
		commit := b.command(failover.VerbCommit, ben, "vm-x")
		if err := e.decide(b.Context(), commit); err != nil {
			t.Fatal(err)
		}
		b.phase(first, failover.Running)
		cancel := b.press(failover.VerbCancel, ana, first)
		b.must(e, cancel)
		second := b.command(failover.VerbCommit, ana, "vm-x")
		b.must(e, second)
		b.phase(second.Op, failover.AwaitingCommit)
		commit.At = commit.At.Add(1) // by the clock of who typed it, which need not be ours
		n.behind = map[failover.OpID]failover.Operation{}
		if err := e.decide(b.Context(), commit); err != nil {
			t.Fatal(err)
		}
		b.phase(second.Op, failover.AwaitingCommit)
	})
}
