package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// later makes of a message what a version of the future might write in its place.
func later(m events.Message, err error) (events.Message, error) {
	m.Header["ce-type"] = []string{strings.TrimSuffix(m.Header.Get("ce-type"), "1") + "2"}
	return m, err
}

// A hold that this version cannot read holds: nobody here takes the VM.
func TestAHoldOfTheFutureHolds(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		j := jetstream.NewJournal(c)
		m, err := later(events.EncodeHold(failover.Hold{Key: "1", Op: opB}, "x", time.Now()))
		l.publish(c, m, err)
		if hold, err := j.Holder(l.ctx, "1"); !errors.Is(err, events.ErrNewer) {
			t.Errorf("held by %+v, %v", hold, err)
		}
		if _, err := j.Append(l.ctx, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"})); !errors.Is(err, failover.ErrConflict) {
			t.Errorf("taken: %v", err)
		}
	})
}

// What only a newer version reads waits for one, and is not handled here; a command for as long as it may be acted on.
func TestWorkOfTheFutureWaits(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		cmd := command("m1")
		m, err := later(events.EncodeCommand(events.SourceSlack, cmd))
		l.publish(c, m, err)
		m, err = later(events.EncodeDrive(opA, "d1", time.Now()))
		l.publish(c, m, err)
		h := &handled{began: time.Now()}
		l.commands(c, 1, func(context.Context, failover.Command) error { h.note(); return nil })
		l.loop(func(ctx context.Context) error {
			return c.Drives(ctx, 1, func(context.Context, failover.OpID, uint64) error { h.note(); return nil })
		})
		waiting := func(consumer string) int {
			l.Helper()
			info, err := jetstream.Raw(c).Consumer(l.ctx, events.Stream, consumer)
			if err != nil {
				t.Fatal(err)
			}
			return info.CachedInfo().NumAckPending
		}
		pass(9 * time.Minute)
		if n := len(h.times()); n != 0 || waiting("decide") != 1 || waiting("drive") != 1 {
			t.Errorf("handled %d times; %d commands and %d work messages wait", n, waiting("decide"), waiting("drive"))
		}
		pass(2 * time.Minute)
		if waiting("decide") != 0 || waiting("drive") != 1 {
			t.Errorf("%d commands and %d work messages wait", waiting("decide"), waiting("drive"))
		}
	})
}

// Whoever may ask for anything may store commands that only a newer version could read, and however many there are, what
// others ask is decided.
func TestCommandsOfTheFutureLeaveRoom(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		for i := range 1100 { // more than the server hands out at once
			cmd := command(fmt.Sprint("m", i))
			m, err := later(events.EncodeCommand(events.SourceSlack, cmd))
			l.publish(c, m, err)
		}
		l.submit(c, "freeze")
		h := &handled{began: time.Now()}
		l.commands(c, 4, func(context.Context, failover.Command) error { h.note(); return nil })
		pass(30 * time.Second)
		if n := len(h.times()); n != 1 {
			t.Errorf("handled %d times", n)
		}
	})
}

// The board shows an operation as it was before the fact that it cannot read, and says that it goes on.
func TestBoardStopsAtAFactOfTheFuture(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		j, b := jetstream.NewJournal(c), l.board(c)
		op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
		m, err := later(events.EncodeFact(opA, "x", failover.Record{Fact: failover.Parked{}, At: time.Now()}))
		l.publish(c, m, err)
		m, err = events.EncodeFact(opA, "y", failover.Record{Fact: failover.Finished{Phase: failover.Succeeded}, At: time.Now()})
		l.publish(c, m, err)
		l.append(j, failover.Operation{ID: opB}, requested(opB, failover.Hold{Key: "2"}))
		pass(time.Second)
		got := b.Get(opA)
		if got.Phase != op.Phase || got.Seq != op.Seq+3 || !got.Newer {
			t.Errorf("shows %+v", got)
		}
		if b.Get(opB).Phase != failover.Running {
			t.Errorf("does not follow others: %+v", b.Get(opB))
		}
	})
}
