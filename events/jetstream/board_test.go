package jetstream_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// board follows the stream until the test ends.
func (l *lab) board(c *jetstream.Client) *jetstream.Board {
	b := jetstream.NewBoard(c)
	l.loop(b.Run)
	return b
}

func closed(c <-chan struct{}) bool {
	synctest.Wait()
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestBoardIsReady(t *testing.T) {
	for name, n := range map[string]int{"an empty stream": 0, "one fact": 1, "more than one pull": 1200} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				c := l.client("a", nil)
				j := jetstream.NewJournal(c)
				op := failover.Operation{ID: opA}
				for range n {
					op = l.append(j, op, claimed("x"))
				}
				l.submit(c, "m1") // not a fact: not waited for
				b := l.board(c)
				pass(5 * time.Second)
				if !closed(b.Ready()) || b.Get(opA).Seq != op.Seq {
					t.Errorf("ready %v, at sequence %d of %d", closed(b.Ready()), b.Get(opA).Seq, op.Seq)
				}
				l.append(j, op, claimed("y")) // and does not end when one more comes
				pass(time.Second)
			})
		})
	}
}

// What ends the stream may be a part of a request that is still being written, or was left so: who catches up does not wait
// for the rest.
func TestBoardCatchesUpWithAPart(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		l.append(jetstream.NewJournal(c), failover.Operation{ID: opA}, failover.Batch{Facts: claimed("x").Facts, More: true})
		b := jetstream.NewBoard(c)
		var caught atomic.Bool
		l.loop(func(ctx context.Context) error {
			err := b.CatchUp(ctx)
			caught.Store(err == nil)
			return err
		})
		pass(time.Second)
		l.loop(b.Run)
		pass(time.Second)
		if !caught.Load() {
			t.Error("it waits for a fact that may never come")
		}
	})
}

// A consumer may see the first part of a batch before the rest: a decision is told when it is whole, and so is the operation.
func TestBoardWaitsForTheWholeBatch(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		b := l.board(c)
		facts := []failover.Fact{
			failover.Requested{Op: opA, Verb: failover.VerbFailover},
			failover.GateOpened{Gate: failover.ClassFailover},
		}
		part, err := events.EncodeFact(opA, "1", failover.Record{Fact: facts[0], At: time.Now(), Command: "m1", More: true})
		l.publish(c, part, err)
		pass(time.Second)
		waiting, cancel := context.WithTimeout(l.ctx, time.Second)
		defer cancel()
		if op, _, err := b.Decision(waiting, "m1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("decided by a part: %+v, %v", op, err)
		}
		if b.Answered("m1") || b.Get(opA).Exists() || len(b.Open()) != 0 {
			t.Errorf("shows a part: %+v", b.Get(opA))
		}
		rest, err := events.EncodeFact(opA, "2", failover.Record{Fact: facts[1], At: time.Now(), Command: "m1"})
		l.publish(c, rest, err)
		op, answer, err := b.Decision(l.ctx, "m1")
		if err != nil || op.ID != opA || op.Phase != failover.Running || answer.Did != failover.DidStart || !b.Answered("m1") {
			t.Errorf("got %+v, %+v, %v", op, answer, err)
		}
	})
}

// Who has to know that nothing was decided waits until the board has read all that is stored, also what it cannot read.
func TestBoardCatchesUp(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		b, j := l.board(c), jetstream.NewJournal(c)
		if err := b.CatchUp(l.ctx); err != nil {
			t.Fatal(err)
		}
		batch := requested(opA, failover.Hold{Key: "1"})
		batch.Command = "m1"
		l.append(j, failover.Operation{ID: opA}, batch)
		if err := b.CatchUp(l.ctx); err != nil || !b.Answered("m1") {
			t.Errorf("%v, answered %t", err, b.Answered("m1"))
		}
		newer, err := events.EncodeFact(opB, "9", failover.Record{Fact: failover.Parked{}, At: time.Now()})
		newer.Header["ce-type"] = []string{"ferry.fact.from_tomorrow.v1"}
		l.publish(c, newer, err)
		limited, cancel := context.WithTimeout(l.ctx, time.Second)
		defer cancel()
		if err := b.CatchUp(limited); err != nil {
			t.Error(err)
		}
	})
}

func TestBoardTellsWhatMoved(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		b, j := l.board(c), jetstream.NewJournal(c)
		op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
		if got, err := b.Moved(l.ctx, opA, 0); err != nil || got.Seq != op.Seq {
			t.Fatalf("got %+v, %v", got, err)
		}
		changes := b.Changes()
		time.AfterFunc(3*time.Second, func() { l.append(j, op, claimed("x")) })
		began := time.Now()
		got, err := b.Moved(l.ctx, opA, op.Seq)
		if err != nil || got.Executor != "x" || time.Since(began) != 3*time.Second || !closed(changes) {
			t.Errorf("after %s: %+v, %v", time.Since(began), got, err)
		}
		limited, cancel := context.WithTimeout(l.ctx, time.Second)
		defer cancel()
		if _, err := b.Moved(limited, opA, got.Seq); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestBoardFinds(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		b, j := l.board(c), jetstream.NewJournal(c)
		old := l.append(j, failover.Operation{ID: opB}, requested(opB, failover.Hold{Key: "1"}))
		pass(time.Minute)
		l.append(j, old, failover.Batch{Facts: []failover.Fact{failover.Finished{Phase: failover.Failed}}, Release: []failover.Hold{{Key: "1", Seq: l.holder(j, "1").Seq}}})
		l.append(j, failover.Operation{ID: opA}, requested(opA, l.holder(j, "1")))
		pass(time.Second)
		for ref, want := range map[string]failover.OpID{
			string(failover.OpIDOf("ask-"+string(opB), 0)): opB, // what the person was told before it was decided
			"vm-1": opA, "VM-1": opA, "vault-dr/vm-1": opA, "other/vm-1": "", "vm-2": "", "op-bbbbbbbb": opB, "OP-AAAAAAAA": opA, "op-cccccccc": "", "": "",
		} {
			got := b.Find(ref)
			if len(got) == 0 && want != "" || len(got) > 0 && got[0].ID != want || len(got) > 1 {
				t.Errorf("%q finds %+v, want %q", ref, got, want)
			}
		}
		if open := b.Open(); len(open) != 1 || open[0].ID != opA {
			t.Errorf("open are %+v", open)
		}
		if holders := (failover.Inventory{}).HoldBy(b.Open()).Holders; len(holders) != 1 || holders["1"] != opA {
			t.Errorf("held are %v", holders)
		}
	})
}

// The consumer of a board lives in the server's memory: after a restart it is made anew where it was.
func TestBoardFollowsAcrossARestart(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		b, j := l.board(c), jetstream.NewJournal(c)
		op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
		<-b.Ready() // a board that was never up is another story
		for _, away := range []time.Duration{0, time.Second, 10 * time.Minute} {
			l.stop()
			pass(away)
			l.start()
			pass(30 * time.Second)
			op = l.append(j, op, claimed("x"))
			pass(time.Second)
			if got := b.Get(opA); got.Seq != op.Seq {
				t.Fatalf("at %d of %d after %s", got.Seq, op.Seq, away)
			}
		}
	})
}

func TestBoardSaysThatItIsCutOff(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		ended := make(chan error, 1)
		go func() { ended <- jetstream.NewBoard(c).Run(l.ctx) }()
		pass(time.Second)
		c.Close()
		if err := <-ended; err == nil {
			t.Error("ended without an error")
		}
	})
}

// A process ends although the consumer that it follows facts with is just being made anew, at any moment of it.
func TestBoardEndsWhileNobodyLeads(t *testing.T) {
	for away := range 30 {
		proxied(t, rand.New(rand.NewPCG(1, 2)), func(l *lab) {
			c := l.client("a", nil)
			ctx, cancel := context.WithCancel(l.ctx)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- jetstream.NewBoard(c).Run(ctx) }()
			pass(time.Second)
			l.stop()
			l.start()
			l.proxy.NoLeader(time.Minute)
			pass(time.Duration(away) * time.Second)
			cancel()
			select {
			case err := <-ended:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("after %d s: %v", away, err)
				}
			case <-time.After(15 * time.Second):
				t.Errorf("after %d s: it does not end", away)
			}
		})
	}
}
