package executor

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"ferry/failover"
)

var (
	ana = failover.Actor{ID: "U0ANA", Name: "ana"}
	ben = failover.Actor{ID: "U0BEN", Name: "ben"}
	eve = failover.Actor{ID: "U0EVE", Name: "eve"}

	key = failover.ItemKey("/vaults/v", "vm-x")
)

// bench is one stream, one vault and any number of executors, in fake time.
type bench struct {
	*testing.T
	stream *stream
	vault  *vault
	asked  int
}

func bubble(t *testing.T, test func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(&bench{T: t, stream: newStream(), vault: newVault("vm-x", "vm-y")}) })
}

func policy(approvals int) failover.Policy {
	return failover.Policy{
		ConfirmAbove: 20,
		Roles:        map[string][]string{"operator": {ana.ID}, "approver": {ben.ID}},
		Rules: []failover.Rule{
			{Classes: []failover.Class{failover.ClassFailover, failover.ClassCommit, failover.ClassChange, failover.ClassReprotect, failover.ClassFailback}, May: []string{"operator"}, Approvals: approvals, Approvers: []string{"approver"}, Expires: 15 * time.Minute},
			{Classes: []failover.Class{failover.ClassCancel, failover.ClassTest, failover.ClassCleanup, failover.ClassFreeze}, May: []string{"operator"}},
		},
	}
}

// executor makes an executor and its view of the stream. It does nothing yet.
func (b *bench) executor(name string) (*Executor, *node) {
	n := &node{stream: b.stream}
	return New(Options{Name: name, Journal: n, Queue: n, Board: n, Shelf: n, Site: b.vault, Policy: policy(1), Networks: []string{"/networks/drill"}, Log: slog.New(slog.DiscardHandler)}), n
}

// start runs an executor until stop is called, which returns what Run did.
func (b *bench) start(e *Executor) (stop func()) {
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	return func() {
		b.Helper()
		cancel()
		if err := <-done; err != nil {
			b.Errorf("Run: %v", err)
		}
	}
}

func (b *bench) command(verb failover.Verb, by failover.Actor, target string) failover.Command {
	b.asked++
	id := failover.MessageID("test", by.ID, string(rune('a'+b.asked)))
	return failover.Command{MessageID: id, Op: failover.OpIDOf(id, 0), Verb: verb, By: by, Target: target, At: time.Now(), ValidUntil: time.Now().Add(failover.CommandValidity)}
}

// press is a command that names an operation.
func (b *bench) press(verb failover.Verb, by failover.Actor, id failover.OpID) failover.Command {
	cmd := b.command(verb, by, "")
	cmd.Op = id
	return cmd
}

// must decides a command, which has to be accepted.
func (b *bench) must(e *Executor, cmd failover.Command) {
	b.Helper()
	if r := b.decide(e, cmd); r != nil {
		b.Fatalf("%s by %s: %v", cmd.Verb, cmd.By.Name, r)
	}
}

func (b *bench) decide(e *Executor, cmd failover.Command) *failover.Refusal {
	b.Helper()
	if err := e.decide(b.Context(), cmd); err != nil {
		b.Fatalf("%s by %s: %v", cmd.Verb, cmd.By.Name, err)
	}
	return b.stream.load(cmd.Op).Answers[cmd.MessageID].Refused
}

// approved brings a failover of vm-x to where a driver is wanted.
func (b *bench) approved(e *Executor) failover.OpID {
	b.Helper()
	cmd := b.command(failover.VerbFailover, ana, "vm-x")
	b.must(e, cmd)
	b.must(e, b.press(failover.VerbApprove, ben, cmd.Op))
	return cmd.Op
}

// drive takes an operation as far as it goes, on its newest work message.
func (b *bench) drive(e *Executor, id failover.OpID) error {
	return e.drive(b.Context(), id, b.stream.work(id).seq)
}

// failedOver brings vm-x to the question for the commit, parked.
func (b *bench) failedOver(e *Executor) failover.OpID {
	b.Helper()
	id := b.approved(e)
	if err := b.drive(e, id); err != nil {
		b.Fatal(err)
	}
	b.stream.acknowledge(id)
	b.phase(id, failover.AwaitingCommit)
	return id
}

func (b *bench) phase(id failover.OpID, want failover.Phase) failover.Operation {
	b.Helper()
	op := b.stream.load(id)
	if op.Phase != want {
		b.Fatalf("phase %q, want %q: %q %+v", op.Phase, want, op.Note, op.Targets)
	}
	return op
}

// until lets time pass until an operation is in a phase.
func (b *bench) until(id failover.OpID, want failover.Phase) failover.Operation {
	b.Helper()
	for end := time.Now().Add(time.Hour); b.stream.load(id).Phase != want && time.Now().Before(end); {
		pass(time.Second)
	}
	return b.phase(id, want)
}

// calls checks how many calls of each kind Azure has accepted.
func (b *bench) calls(failovers, commits int) {
	b.Helper()
	if f, c := b.vault.taken(failover.StepFailover), b.vault.taken(failover.StepCommit); f != failovers || c != commits {
		b.Errorf("%d failovers and %d commits accepted, want %d and %d", f, c, failovers, commits)
	}
}

func (b *bench) holder(want failover.OpID) {
	b.Helper()
	if h := b.stream.holder(key); h.Op != want {
		b.Errorf("vm-x is held by %q, want %q", h.Op, want)
	}
}

// pass lets fake time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// Two executors, three people's words, one failover and one commit; each word is stored before anybody acts on it.
func TestStory(t *testing.T) {
	bubble(t, func(b *bench) {
		one, n := b.executor("one")
		two, _ := b.executor("two")
		stop1, stop2 := b.start(one), b.start(two)
		ask := b.command(failover.VerbFailover, ana, "VM-X")
		b.stream.submit(ask)
		b.until(ask.Op, failover.AwaitingApproval)
		b.holder(ask.Op)
		b.stream.submit(b.press(failover.VerbApprove, ben, ask.Op))
		b.until(ask.Op, failover.AwaitingCommit)
		pass(time.Hour)
		b.calls(1, 0)
		b.stream.submit(b.command(failover.VerbCommit, ben, "vm-x"))
		op := b.until(ask.Op, failover.Succeeded)
		b.calls(1, 1)
		b.holder("")
		if rto, ok := op.RTO(); !ok || rto < jobLasts {
			t.Errorf("rto %v %v", rto, ok)
		}
		pass(time.Minute)
		for _, m := range b.stream.queue {
			if m.acked != 1 {
				t.Errorf("a message is left: %+v", m)
			}
		}
		stop1()
		stop2()
		if n.alive() != nil {
			t.Error("nobody died")
		}
	})
}

// Run ends with its context, whatever the reason, with work in flight, and leaves nothing behind: the bubble would say so.
func TestRunStops(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.vault.change(func(v *vault) { v.late = 5 * time.Second })
		ctx, cancel := context.WithCancelCause(b.Context())
		done := make(chan error)
		go func() { done <- e.Run(ctx) }()
		pass(time.Minute)
		b.phase(id, failover.Running)
		cancel(errors.New("terminated signal received"))
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("being told to stop is no failure: %v", err)
			}
		case <-time.After(time.Second):
			t.Error("still running")
		}
		if m := b.stream.work(id); m.acked != 0 || m.nak != 1 {
			t.Errorf("its work is for the next executor: %+v", m)
		}
	})
}

type brokenQueue struct{ *node }

func (brokenQueue) Drives(context.Context, int, func(context.Context, failover.OpID, uint64) error) error {
	return errDead
}

func TestRunSaysWhatBroke(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		e.Queue = brokenQueue{n}
		if err := e.Run(b.Context()); !errors.Is(err, errDead) {
			t.Errorf("got %v", err)
		}
	})
}
