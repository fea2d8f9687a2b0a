package jetstream_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// A board that reads has what one with a consumer has: what was stored before, at once what is stored now, and in time what
// was stored while nobody said so.
func TestReadingBoard(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("bot", nil)
		j := jetstream.NewJournal(c)
		op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
		board := jetstream.NewReadingBoard(c)
		stop := l.loop(board.Run)
		defer stop()
		<-board.Ready()
		if got := board.Get(opA); got.Seq != op.Seq {
			t.Errorf("at first %d, stored %d", got.Seq, op.Seq)
		}
		began := time.Now()
		op = l.append(j, op, claimed("x"))
		if got, err := board.Moved(l.ctx, opA, op.Seq-1); err != nil || got.Executor != "x" || time.Since(began) > 100*time.Millisecond {
			t.Errorf("got %+v after %s, %v", got, time.Since(began), err)
		}
		l.stop()
		pass(time.Second)
		l.start()
		m, err := events.EncodeFact(opA, "z", failover.Record{Fact: failover.Claimed{Executor: "y"}, At: time.Now()})
		pass(2 * time.Second)
		l.publish(c, m, err) // by somebody who gives no hint
		if got, err := board.Moved(l.ctx, opA, op.Seq); err != nil || got.Executor != "y" {
			t.Errorf("got %+v, %v", got, err)
		}
		if err := board.CatchUp(l.ctx); err != nil {
			t.Error(err)
		}
	})
}

// A data directory from before there were accounts keeps its record.
func TestAStoreWithoutAccountsIsTakenOver(t *testing.T) {
	realTime(t)
	dir := t.TempDir()
	l := &lab{T: t, ctx: t.Context(), dir: filepath.Join(dir, "nats"), replicas: 1}
	l.start()
	c := l.client("before", nil)
	l.append(jetstream.NewJournal(c), failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
	c.Close()
	l.stop()
	_, executor := embedded(t, dir)
	if op, err := jetstream.NewJournal(executor).Load(t.Context(), opA); err != nil || !op.Exists() {
		t.Errorf("got %+v, %v", op, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "nats", "jetstream", "$G", "streams")); err == nil {
		t.Error("it is still there as well")
	}
}
