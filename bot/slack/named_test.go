package slack_test

import (
	"testing"
	"time"

	"ferry/failover"
)

// namedCommit waits for a commit whose rule wants the name, behind broken glass that nobody has reviewed.
func namedCommit(more ...failover.Fact) failover.Operation {
	asked := requested()
	asked.Plan.CommitBy.ConfirmName, asked.Plan.BrokenGlass = true, &failover.BrokenGlass{By: asked.By, Wanted: 1, Reviewers: []string{"approver"}}
	facts := append([]failover.Fact{asked}, story()[1:5]...)
	return operation("op-aaaaaaaa", 1, append(facts, more...)...)
}

func (l *lab) stands(op failover.Operation) {
	l.reads.op = &op
	l.shownCard(op)
}

// The name is typed into a form; another one is told at the field, and nothing is stored.
func TestCommitAsksForTheName(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.stands(namedCommit())
		l.clicked("U0BEN", "Commit")
		l.wantForm("U0BEN", "Commit vm-x", "type vm-x")
		l.filled("U0BEN", "Name", "vm-y")
		l.submitted("U0BEN")
		l.wantForm("U0BEN", "Commit vm-x")
		if got := l.commands.all(); len(got) != 0 {
			t.Fatalf("stored %+v", got)
		}
		l.filled("U0BEN", "Name", " VM-X ")
		l.submitted("U0BEN")
		got := l.commands.all()
		if len(got) != 1 || got[0].Verb != failover.VerbCommit || got[0].Op != "op-aaaaaaaa" || got[0].Confirm != "VM-X" || got[0].Seen == "" || got[0].By.ID != "U0BEN" {
			t.Errorf("stored %+v", got)
		}
	})
}

// An objection needs its reason.
func TestObjectionAsksForAReason(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.stands(namedCommit())
		l.clicked("U0BEN", "Object")
		l.wantForm("U0BEN", "Broken glass", "It stops nothing")
		l.filled("U0BEN", "Reason", "  ")
		l.submitted("U0BEN")
		if got := l.commands.all(); len(got) != 0 {
			t.Fatalf("stored %+v", got)
		}
		l.filled("U0BEN", "Reason", "there was time to ask")
		l.submitted("U0BEN")
		if got := l.commands.all(); len(got) != 1 || got[0].Verb != failover.VerbDeny || got[0].Op != "op-aaaaaaaa" || got[0].Reason != "there was time to ask" {
			t.Errorf("stored %+v", got)
		}
	})
}

// Whoever presses when it is over is told where things stand.
func TestNamedFormThatComesTooLate(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.stands(namedCommit())
		over := namedCommit(failover.Finished{Phase: failover.Cancelled, Note: "Ended by ben."})
		over.Glass.By = failover.Actor{ID: "U0CAS"}
		l.reads.op = &over
		for _, label := range []string{"Commit", "Object"} {
			l.clicked("U0BEN", label)
			pass(time.Second)
			if m, ok := l.Modal("U0BEN"); !ok || m.Submit != "" || len(l.commands.all()) != 0 {
				t.Errorf("%s: %+v", label, m)
			}
			l.wantForm("U0BEN", "Ended by ben.")
			if err := l.Dismiss("U0BEN"); err != nil {
				t.Fatal(err)
			}
		}
	})
}
