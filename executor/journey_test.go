package executor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// kinds are the calls that Azure has accepted, in order.
func (b *bench) kinds() []failover.StepKind {
	b.vault.mu.Lock()
	defer b.vault.mu.Unlock()
	var kinds []failover.StepKind
	for _, c := range b.vault.accepted {
		kinds = append(kinds, c.Kind)
	}
	return kinds
}

func (b *bench) accepted(want ...failover.StepKind) {
	b.Helper()
	if got := b.kinds(); !slices.Equal(got, want) {
		b.Errorf("accepted %v, want %v", got, want)
	}
}

// asks submits a command on vm-x and returns the operation that it opens.
func (b *bench) asks(verb failover.Verb, by failover.Actor) failover.OpID {
	cmd := b.command(verb, by, "vm-x")
	b.stream.submit(cmd)
	return cmd.Op
}

// pressed submits the press of the button of the gate that waits, by ben.
func (b *bench) pressed(id failover.OpID) {
	b.Helper()
	b.stream.submit(b.button(id))
}

func (b *bench) button(id failover.OpID) failover.Command {
	b.Helper()
	op := b.stream.load(id)
	gate, waits := op.Pending()
	if !waits {
		b.Fatalf("no gate waits: %s %+v", op.Phase, op.Targets)
	}
	verb := failover.VerbApprove
	if gate.Gate == failover.ClassCommit {
		verb = failover.VerbCommit
	}
	cmd := b.press(verb, ben, id)
	cmd.Seen = op.Token(gate.Step)
	return cmd
}

// ready lets time pass until a gate can be decided, and nobody drives.
func (b *bench) ready(id failover.OpID, want failover.StepKind) failover.Operation {
	b.Helper()
	var op failover.Operation
	for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); pass(10 * time.Second) {
		op = b.stream.load(id)
		if gate, _ := op.Pending(); gate.Step == want && !op.WaitsSince.IsZero() {
			return op
		}
	}
	b.Fatalf("the gate of the %s is not reached: %s %+v", want, op.Phase, op.Targets)
	return op
}

// ended lets time pass until an operation is over.
func (b *bench) ended(id failover.OpID, want failover.Phase) failover.Operation {
	b.Helper()
	for end := time.Now().Add(24 * time.Hour); !b.stream.load(id).Phase.Final() && time.Now().Before(end); {
		pass(10 * time.Second)
	}
	return b.phase(id, want)
}

// follows submits a command that names an operation, and returns the operation that it opens.
func (b *bench) follows(verb failover.Verb, by failover.Actor, id failover.OpID) failover.OpID {
	cmd := b.press(verb, by, id)
	b.stream.submit(cmd)
	pass(time.Second)
	return failover.OpIDOf(cmd.MessageID, 0)
}

// Once around with two executors, each next operation asked for by the id of the one before.
func TestJourney(t *testing.T) {
	bubble(t, func(b *bench) {
		one, n := b.executor("one")
		two, _ := b.executor("two")
		stop1, stop2 := b.start(one), b.start(two)
		drill := b.asks(failover.VerbTest, ana)
		b.ended(drill, failover.Succeeded)
		b.ended(b.follows(failover.VerbCleanup, ana, drill), failover.Succeeded)

		away := b.asks(failover.VerbFailover, ana)
		b.ready(away, failover.StepFailover)
		b.pressed(away)
		b.ready(away, failover.StepCommit)
		change := b.command(failover.VerbChange, ben, "vm-x")
		change.Point = failover.Point{Kind: failover.ByID, ID: older}
		b.stream.submit(change)
		pass(10 * time.Second)
		if op := b.ready(away, failover.StepCommit); !strings.HasSuffix(op.Targets[0].Shown.ID, older) || !op.Targets[0].PointUsed.Equal(op.Targets[0].Shown.Time) {
			t.Errorf("it uses %+v", op.Targets[0])
		}
		b.pressed(away)
		b.ended(away, failover.Succeeded)

		back := b.follows(failover.VerbReprotect, ana, away)
		b.ready(back, failover.StepReprotect)
		b.pressed(back)
		begun := time.Now()
		pass(2 * time.Hour)
		if p := b.phase(back, failover.Running).Targets[0].Progress; p != "initial replication to west: 35 %" {
			t.Errorf("progress %q", p)
		}
		if b.ended(back, failover.Succeeded); time.Since(begun) < copies {
			t.Errorf("done after %s", time.Since(begun))
		}

		home := b.asks(failover.VerbFailback, ana)
		for _, gate := range []failover.StepKind{failover.StepFailover, failover.StepCheck, failover.StepCommit, failover.StepReprotectAgain} {
			b.ready(home, gate)
			b.holder(home)
			b.pressed(home)
		}
		if op := b.ended(home, failover.Succeeded); len(op.Targets[0].Leftovers) != 1 {
			t.Errorf("leftovers %+v", op.Targets[0].Leftovers)
		}
		b.holder("")
		b.accepted(failover.StepTest, failover.StepCleanup, failover.StepFailover, failover.StepChange, failover.StepCommit, failover.StepReprotect,
			failover.StepFailover, failover.StepCommit, failover.StepReprotectAgain)
		pass(time.Minute) // the inventory is read again
		if last := n.saved[len(n.saved)-1].Items; !slices.ContainsFunc(last, func(i failover.Item) bool { return i.Key == key && i.From == "west" }) {
			t.Errorf("%+v", last)
		}
		stop1()
		stop2()
	})
}

// committed puts vm-x where a failover has left it.
func (b *bench) committed() {
	b.vault.set("vm-x", func(i *failover.Item) { become(i, failover.StepFailover); become(i, failover.StepCommit) })
}

// goesHome takes a failback of a committed VM to its end, one executor after the other: each dies after it has stored so
// many batches. It returns how many batches were stored.
func (b *bench) goesHome(lives int) int {
	b.Helper()
	stored, executors := 0, 0
	var e *Executor
	next := func() {
		executors++
		left := lives
		var n *node
		e, n = b.executor(fmt.Sprint(executors))
		n.after = func(failover.Operation, failover.Batch) {
			stored++
			if left--; left == 0 {
				n.die()
			}
		}
	}
	next()
	// decide gives the command again until it is answered, as the queue does.
	decide := func(cmd failover.Command) {
		for err := e.decide(b.Context(), cmd); err != nil; err = e.decide(b.Context(), cmd) {
			if !errors.Is(err, errDead) {
				b.Fatal(err)
			}
			next()
		}
	}
	ask := b.command(failover.VerbFailback, ana, "vm-x")
	decide(ask)
	for range 1000 {
		op := b.stream.load(ask.Op)
		switch {
		case op.Phase.Final():
			return stored
		case failover.HasWork(op) || op.Executor != "" && !op.Parked:
			if err := b.drive(e, ask.Op); errors.Is(err, errDead) {
				next()
			} else if err != nil {
				b.Fatal(err)
			}
		default:
			b.holder(ask.Op)
			pass(time.Minute)
			decide(b.button(ask.Op))
		}
	}
	b.Fatal("it does not come home")
	return 0
}

// Whoever drives it dies after any of the facts, and again: the way home goes on, and nothing is done twice.
func TestFailbackSurvivesCrashes(t *testing.T) {
	home := []failover.StepKind{failover.StepReprotect, failover.StepFailover, failover.StepCommit, failover.StepReprotectAgain}
	total := 0
	bubble(t, func(b *bench) {
		b.committed()
		total = b.goesHome(-1)
		b.accepted(home...)
	})
	if total < 40 {
		t.Fatalf("only %d batches", total)
	}
	for lives := 2; lives <= total; lives += 1 + lives/20 {
		bubble(t, func(b *bench) {
			b.committed()
			b.goesHome(lives)
			b.accepted(home...)
			b.holder("")
			if t.Failed() {
				t.Logf("each executor died after %d batches", lives)
			}
		})
	}
}

// In the portal somebody commits, and later reprotects, what a failback waits for: each gate closes, and somebody drives on.
func TestPortalOnTheWayHome(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.committed()
		stop := b.start(e)
		id := b.asks(failover.VerbFailback, ana)
		for _, gate := range []failover.StepKind{failover.StepReprotect, failover.StepFailover, failover.StepCheck} {
			b.ready(id, gate)
			b.pressed(id)
		}
		b.ready(id, failover.StepCommit)
		b.vault.set("vm-x", func(i *failover.Item) { become(i, failover.StepCommit) })
		b.ready(id, failover.StepReprotectAgain)
		b.vault.set("vm-x", func(i *failover.Item) { become(i, failover.StepReprotect); replicate(i, copies) })
		op := b.ended(id, failover.Succeeded)
		b.accepted(failover.StepReprotect, failover.StepFailover)
		if len(op.Targets[0].Leftovers) != 1 {
			t.Error("nobody has looked what is left")
		}
		b.holder("")
		stop()
	})
}

// The gate of the last reprotect cannot be read, as something is missing: it is told, and goes on when it is there.
func TestGateThatCannotBeRead(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.committed()
		stop := b.start(e)
		id := b.asks(failover.VerbFailback, ana)
		for _, gate := range []failover.StepKind{failover.StepReprotect, failover.StepFailover, failover.StepCheck, failover.StepCommit} {
			b.ready(id, gate)
			if gate == failover.StepCommit {
				b.vault.change(func(v *vault) { v.missing = true })
			}
			b.pressed(id)
		}
		pass(10 * time.Minute)
		if p := b.phase(id, failover.AwaitingApproval).Targets[0].Progress; p != "No container mapping leads back. Create it." {
			t.Errorf("progress %q", p)
		}
		cancel := b.button(id)
		if r := b.decide(e, cancel); r == nil || !strings.Contains(r.Message, "has not been read yet") {
			t.Errorf("%v", r)
		}
		b.vault.change(func(v *vault) { v.missing = false })
		b.ready(id, failover.StepReprotectAgain)
		b.stream.submit(b.press(failover.VerbCancel, ana, id))
		b.ended(id, failover.Cancelled)
		b.holder("")
		pass(time.Minute)
		if m := b.stream.work(id); m.acked != 1 {
			t.Errorf("its work is left: %+v", m)
		}
		stop()
	})
}

// What a reprotect would use changes between the press and the call: it is not made.
func TestReprotectOfSomethingElse(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.committed()
		cmd := b.command(failover.VerbReprotect, ana, "vm-x")
		b.must(e, cmd)
		b.must(e, b.button(cmd.Op))
		b.vault.change(func(v *vault) { v.reversal.FullCopy = true })
		if err := b.drive(e, cmd.Op); err != nil {
			t.Fatal(err)
		}
		if op := b.phase(cmd.Op, failover.Failed); b.vault.sent() != 0 || op.Targets[0].Error.Action == "" {
			t.Errorf("%d calls, %+v", b.vault.sent(), op.Targets[0].Error)
		}
		b.holder("")
	})
}

// Somebody reprotects in the portal between the press and the call: that closes the gate, and none of ours is made.
func TestReprotectedUnderThePress(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.committed()
		cmd := b.command(failover.VerbFailback, ana, "vm-x")
		b.must(e, cmd)
		b.must(e, b.button(cmd.Op))
		b.vault.set("vm-x", func(i *failover.Item) { become(i, failover.StepReprotect); replicate(i, copies) })
		if err := b.drive(e, cmd.Op); err != nil {
			t.Fatal(err)
		}
		b.phase(cmd.Op, failover.AwaitingApproval)
		b.ready(cmd.Op, failover.StepFailover)
		b.accepted()
		cmd = b.command(failover.VerbReprotect, ana, "vm-x") // and a reprotect alone has nothing left to do
		if r := b.decide(e, cmd); r == nil || r.Kind != failover.Busy {
			t.Errorf("%v", r)
		}
	})
}

// The initial replication does not end. Nobody says done or failed; who has enough ends the watching.
func TestStuckReplication(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.committed()
		b.vault.stuck = true
		stop := b.start(e)
		id := b.asks(failover.VerbReprotect, ana)
		b.ready(id, failover.StepReprotect)
		b.pressed(id)
		pass(100 * time.Hour)
		b.phase(id, failover.Running)
		if n := b.stream.count(id, "observed"); n > 5 {
			t.Errorf("%d words about a replication that stands still", n)
		}
		b.stream.submit(b.press(failover.VerbCancel, ana, id))
		b.ended(id, failover.Cancelled)
		b.holder("")
		stop()
	})
}

// The answers to the calls are lost: each job is found again, and none is begun twice.
func TestLostAnswersOfTheNewCalls(t *testing.T) {
	for verb, kind := range map[failover.Verb]failover.StepKind{failover.VerbTest: failover.StepTest, failover.VerbCleanup: failover.StepCleanup, failover.VerbReprotect: failover.StepReprotect} {
		t.Run(string(verb), func(t *testing.T) {
			bubble(t, func(b *bench) {
				e, _ := b.executor("one")
				for _, done := range map[failover.StepKind][]failover.StepKind{failover.StepReprotect: {failover.StepFailover, failover.StepCommit}, failover.StepCleanup: {failover.StepTest}}[kind] {
					b.vault.set("vm-x", func(i *failover.Item) { become(i, done) })
				}
				b.vault.script = []reply{{err: lost(), arrives: time.Millisecond}}
				cmd := b.command(verb, ana, "vm-x")
				b.must(e, cmd)
				if verb == failover.VerbReprotect {
					b.must(e, b.button(cmd.Op))
				}
				if err := b.drive(e, cmd.Op); err != nil {
					t.Fatal(err)
				}
				op := b.phase(cmd.Op, failover.Succeeded)
				b.accepted(kind)
				if s := op.Targets[0].Step(kind); !s.Adopted || b.vault.sent() != 1 {
					t.Errorf("%d calls, %+v", b.vault.sent(), s)
				}
			})
		})
	}
}

func TestFailedDrill(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.vault.script = []reply{{fails: true}}
		cmd := b.command(failover.VerbTest, ana, "vm-x")
		b.must(e, cmd)
		if err := b.drive(e, cmd.Op); err != nil {
			t.Fatal(err)
		}
		if f := b.phase(cmd.Op, failover.Failed).Targets[0].Error; f.Cause != "quota" || f.Action != "raise it" {
			t.Errorf("%+v", f)
		}
		b.holder("")
	})
}
