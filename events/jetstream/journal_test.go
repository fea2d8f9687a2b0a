package jetstream_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// journalTests hold on one server and on a cluster, which answer differently when a guard is lost or an id repeated.
func journalTests() map[string]func(*lab) {
	return map[string]func(*lab){
		"a lost guard is a conflict":                   lostGuard,
		"no kind of fact goes without a guard":         everyFactGuarded,
		"a batch with a taken hold stores nothing":     takenHold,
		"the holder's own release lets others take":    release,
		"a lost answer to one message":                 lostAnswer,
		"a lost answer to one message, and a follow":   lostAnswerAndFollow,
		"a lost answer to a batch":                     lostBatchAnswer,
		"a lost answer to a batch, and a follow":       lostBatchAnswerAndFollow,
		"a lost answer to a command":                   lostCommandAnswer,
		"two journals race":                            race,
		"batches race for one hold":                    raceForHold,
		"what a server stored for somebody is no word": foreign,
		"an end lets go with its last fact or not":     endsAsOne,
		"a batch is whole or not there":                wholeBatches,
	}
}

func TestJournal(t *testing.T) {
	for name, test := range journalTests() {
		t.Run(name, func(t *testing.T) {
			t.Run("one server", func(t *testing.T) { bubble(t, test) })
			t.Run("as a cluster answers", func(t *testing.T) { proxied(t, nil, test) })
		})
	}
}

func lostGuard(l *lab) {
	j := jetstream.NewJournal(l.client("a", nil))
	first := l.append(j, failover.Operation{ID: opA}, claimed("one"))
	if _, err := j.Append(l.ctx, failover.Operation{ID: opA}, claimed("two")); !errors.Is(err, failover.ErrConflict) {
		l.Errorf("got %v, want a conflict", err)
	}
	second := l.append(j, first, claimed("three"))
	if _, err := j.Append(l.ctx, first, claimed("four")); !errors.Is(err, failover.ErrConflict) {
		l.Errorf("got %v, want a conflict", err)
	}
	if got := l.load(jetstream.NewJournal(l.client("b", nil)), opA); got.Executor != "three" || got.Seq != second.Seq || got.Epoch != second.Seq {
		l.Errorf("stored is %+v", got)
	}
}

// An intent that is stored without its guard would let two drivers call, so no kind of fact may be an exception.
func everyFactGuarded(l *lab) {
	j := jetstream.NewJournal(l.client("a", nil))
	l.append(j, failover.Operation{ID: opA}, claimed("one"))
	for _, f := range []failover.Fact{
		failover.Requested{},
		failover.Decided{},
		failover.CommitAsked{},
		failover.GateOpened{},
		failover.Claimed{},
		failover.Parked{},
		failover.StepStarted{},
		failover.StepAccepted{},
		failover.StepUnknown{},
		failover.StepDelayed{},
		failover.Observed{},
		failover.StepDone{},
		failover.StepFailed{},
		failover.Stuck{},
		failover.Finished{},
		failover.Refused{},
	} {
		stale := failover.Batch{At: time.Now(), Facts: []failover.Fact{f}}
		if _, err := j.Append(l.ctx, failover.Operation{ID: opA}, stale); !errors.Is(err, failover.ErrConflict) {
			l.Errorf("%s on a stale sequence: %v, want a conflict", f.Type(), err)
		}
	}
}

func takenHold(l *lab) {
	j := jetstream.NewJournal(l.client("a", nil))
	op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
	if hold := l.holder(j, "1"); hold.Op != opA || op.Phase != failover.Running || op.Seq == 0 {
		l.Fatalf("holds %+v, %+v", hold, op)
	}
	if _, err := j.Append(l.ctx, failover.Operation{ID: opB}, requested(opB, failover.Hold{Key: "1"})); !errors.Is(err, failover.ErrConflict) {
		l.Errorf("got %v, want a conflict", err)
	}
	if op := l.load(j, opB); op.Exists() || op.Seq != 0 {
		l.Errorf("a part of the batch is stored: %+v", op)
	}
	if n := len(l.stored(events.DriveSubject(opB))); n != 0 {
		l.Errorf("%d work messages of a batch that lost", n)
	}
}

func release(l *lab) {
	j := jetstream.NewJournal(l.client("a", nil))
	op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
	hold := l.holder(j, "1")
	l.append(j, op, failover.Batch{Facts: []failover.Fact{failover.Finished{Phase: failover.Failed}}, Release: []failover.Hold{{Key: "1", Seq: hold.Seq}}})
	free := l.holder(j, "1")
	if free.Op != "" || free.Seq <= hold.Seq {
		l.Fatalf("held by %+v", free)
	}
	l.append(j, failover.Operation{ID: opB}, requested(opB, free))
	if hold := l.holder(j, "1"); hold.Op != opB {
		l.Errorf("held by %+v", hold)
	}
}

// endsAsOne: when letting go of one of its VMs loses, the operation has not ended either.
func endsAsOne(l *lab) {
	j := jetstream.NewJournal(l.client("a", nil))
	batch := requested(opA, failover.Hold{Key: "1"})
	batch.Take = append(batch.Take, failover.Hold{Key: "2", Op: opA})
	op := l.append(j, failover.Operation{ID: opA}, batch)
	end := failover.Batch{At: time.Now(), Facts: []failover.Fact{failover.Finished{Phase: failover.Failed}}}
	end.Release = []failover.Hold{{Key: "1", Seq: l.holder(j, "1").Seq}, {Key: "2", Seq: 1}}
	if _, err := j.Append(l.ctx, op, end); !errors.Is(err, failover.ErrConflict) {
		l.Errorf("got %v, want a conflict", err)
	}
	if got := l.load(j, opA); got.Seq != op.Seq || l.holder(j, "1").Op != opA || l.holder(j, "2").Op != opA {
		l.Errorf("a part of the end is stored: %+v", got)
	}
	end.Release[1].Seq = l.holder(j, "2").Seq
	op = l.append(j, op, end)
	if op.Phase != failover.Failed || l.holder(j, "1").Op != "" || l.holder(j, "2").Op != "" {
		l.Errorf("did not end: %+v", op)
	}
}

// wholeBatches: consumers may see the first part of a batch earlier than the rest; who reads the board or folds never does.
func wholeBatches(l *lab) {
	c := l.client("a", nil)
	writer, reader, board := jetstream.NewJournal(c), jetstream.NewJournal(l.client("b", nil)), l.board(c)
	var ids []failover.OpID
	for i := range 20 {
		ids = append(ids, failover.OpIDOf("whole", i))
	}
	var writing sync.WaitGroup
	writing.Go(func() {
		for _, id := range ids {
			l.append(writer, failover.Operation{ID: id}, requested(id, failover.Hold{Key: string(id)}))
		}
	})
	for _, id := range ids {
		for whole := false; !whole; {
			changes := board.Changes()
			seen, read := board.Get(id), l.load(reader, id)
			if seen.Exists() && seen.Phase != failover.Running || read.Exists() && read.Phase != failover.Running {
				l.Fatalf("half a batch: %s on the board, %s read", seen.Phase, read.Phase)
			}
			if whole = seen.Exists() && read.Exists(); !whole {
				select {
				case <-changes:
				case <-time.After(10 * time.Millisecond):
				}
			}
		}
	}
	writing.Wait()
}

func lostAnswer(l *lab) {
	j := jetstream.NewJournal(l.client("a", losing("journal.append", 1)))
	op := l.append(j, failover.Operation{ID: opA}, claimed("one"))
	l.once(j, op, 1)
}

// once says that an append was stored one time and that the journal knows where.
func (l *lab) once(j *jetstream.Journal, op failover.Operation, n int) {
	l.Helper()
	stored := l.stored(events.OpSubject(op.ID))
	if len(stored) != n || op.Seq != stored[len(stored)-1].Seq {
		l.Fatalf("%d stored, want %d; at sequence %d", len(stored), n, op.Seq)
	}
	l.append(j, op, claimed("next")) // its sequence is a good guard
}

// followed is a seam under which somebody else appends behind ours before its answer is lost.
func followed(l *lab, id failover.OpID) jetstream.Seam {
	other := jetstream.NewJournal(l.client("other", nil))
	lost := false
	return func(name string, do func() error) error {
		err := do()
		if lost || name != "journal.append" {
			return err
		}
		lost = true
		l.append(other, l.load(other, id), claimed("other"))
		return errors.New("the answer was lost")
	}
}

func lostAnswerAndFollow(l *lab) {
	j := jetstream.NewJournal(l.client("a", followed(l, opA)))
	op := l.append(j, failover.Operation{ID: opA}, claimed("one"))
	if stored := l.stored(events.OpSubject(opA)); len(stored) != 2 || op.Seq != stored[0].Seq || op.Executor != "one" {
		l.Errorf("%d stored; ours at %d by %s", len(stored), op.Seq, op.Executor)
	}
	if got := l.load(j, opA); got.Executor != "other" {
		l.Errorf("driven by %s", got.Executor)
	}
}

func lostBatchAnswer(l *lab) {
	j := jetstream.NewJournal(l.client("a", losing("journal.append", 2)))
	op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
	if n, m := len(l.stored(events.TargetSubject("1"))), len(l.stored(events.DriveSubject(opA))); n != 1 || m != 1 {
		l.Errorf("%d holds and %d work messages", n, m)
	}
	l.once(j, op, 2)
}

func lostBatchAnswerAndFollow(l *lab) {
	j := jetstream.NewJournal(l.client("a", followed(l, opA)))
	op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
	if stored := l.stored(events.OpSubject(opA)); len(stored) != 3 || op.Seq != stored[1].Seq {
		l.Errorf("%d stored; ours ends at %d", len(stored), op.Seq)
	}
}

func lostCommandAnswer(l *lab) {
	c := l.client("a", losing("command.store", 2))
	if err := c.Submit(l.ctx, events.SourceSlack, command("m1")); err != nil {
		l.Fatal(err)
	}
	if n := len(l.stored(events.CommandSubjects)); n != 1 {
		l.Errorf("stored %d times", n)
	}
}

// race: many writers, each with the guard that it read, have one winner for each sequence.
func race(l *lab) {
	const writers, rounds = 16, 12
	journals := []*jetstream.Journal{jetstream.NewJournal(l.client("a", nil)), jetstream.NewJournal(l.client("b", nil))}
	op := l.append(journals[0], failover.Operation{ID: opA}, claimed("start"))
	for round := range rounds {
		var mu sync.Mutex
		var won []failover.Operation
		var writing sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				next, err := journals[w%2].Append(l.ctx, op, failover.Batch{At: time.Now(), Facts: claimed(fmt.Sprintf("%d.%d", round, w)).Facts})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won = append(won, next)
				case !errors.Is(err, failover.ErrConflict):
					l.Errorf("round %d: %v", round, err)
				}
			})
		}
		writing.Wait()
		if len(won) != 1 {
			l.Fatalf("round %d has %d winners", round, len(won))
		}
		op = won[0]
		if got := l.load(journals[round%2], opA); got.Executor != op.Executor || got.Epoch != op.Epoch {
			l.Fatalf("round %d: %s won and %s is stored", round, op.Executor, got.Executor)
		}
	}
	l.once(journals[0], op, rounds+1)
}

// raceForHold: operations that want the same VM at the same time.
func raceForHold(l *lab) {
	const writers = 16
	journal := jetstream.NewJournal(l.client("a", nil))
	var mu sync.Mutex
	var won []failover.OpID
	var writing sync.WaitGroup
	for w := range writers {
		id := failover.OpIDOf("ask", w)
		writing.Go(func() {
			_, err := journal.Append(l.ctx, failover.Operation{ID: id}, requested(id, failover.Hold{Key: "1"}))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won = append(won, id)
			case !errors.Is(err, failover.ErrConflict):
				l.Error(err)
			}
		})
	}
	writing.Wait()
	if len(won) != 1 || l.holder(journal, "1").Op != won[0] || len(l.stored(events.OpSubjects)) != 2 {
		l.Errorf("won by %v, held by %v, %d facts", won, l.holder(journal, "1"), len(l.stored(events.OpSubjects)))
	}
}

// foreign: a server's answer to a request lands on whatever subject the request names for it, also on ours.
func foreign(l *lab) {
	c := l.client("a", nil)
	j := jetstream.NewJournal(c)
	op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
	for i, subject := range []string{events.TargetSubject("1"), events.OpSubject(opA), events.TargetSubject("2")} {
		m, err := events.EncodeCommand("cli-local", command(fmt.Sprintf("attack-%d", i)))
		if err != nil {
			l.Fatal(err)
		}
		conn := jetstream.RawConn(c)
		if err := conn.PublishRequest(m.Subject, subject, m.Data); err != nil {
			l.Fatal(err)
		}
		if err := conn.FlushTimeout(5 * time.Second); err != nil {
			l.Fatal(err)
		}
	}
	for range 100 {
		if len(l.stored(events.TargetSubject("2"))) > 0 {
			break
		}
		pass(20 * time.Millisecond)
	}
	if m := l.stored(events.TargetSubject("1")); len(m) != 2 || !strings.Contains(string(m[1].Data), `"stream"`) {
		l.Fatalf("the attack does not work any more: %+v", m)
	}
	hold := l.holder(j, "1")
	if hold.Op != opA {
		l.Errorf("let go: %+v", hold)
	}
	if _, err := j.Append(l.ctx, failover.Operation{ID: opB}, requested(opB, failover.Hold{Key: "1"})); !errors.Is(err, failover.ErrConflict) {
		l.Errorf("taken twice: %v", err)
	}
	if hold := l.holder(j, "2"); hold.Op != "" || hold.Seq == 0 {
		l.Errorf("taken by nobody: %+v", hold)
	}
	got := l.load(j, opA)
	if got.Seq <= op.Seq || got.Phase != op.Phase {
		l.Errorf("folds to %+v", got)
	}
	l.append(j, got, failover.Batch{Facts: []failover.Fact{failover.Finished{Phase: failover.Failed}}, Release: []failover.Hold{{Key: "1", Seq: hold.Seq}}})
	if hold := l.holder(j, "1"); hold.Op != "" {
		l.Errorf("not let go: %+v", hold)
	}
}

func TestLoadReadsWhatIsNew(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("reader", nil)
		reader, writer := jetstream.NewJournal(c), jetstream.NewJournal(l.client("writer", nil))
		var op failover.Operation
		op.ID = opA
		for range 20 {
			op = l.append(writer, op, claimed("x"))
		}
		l.load(reader, opA)
		op = l.append(writer, op, claimed("y"))
		before := jetstream.RawConn(c).Stats().OutMsgs
		if got := l.load(reader, opA); got.Executor != "y" || got.Seq != op.Seq {
			t.Errorf("got %+v", got)
		}
		if n := jetstream.RawConn(c).Stats().OutMsgs - before; n != 2 { // the new fact, and that there is none after it
			t.Errorf("one new fact cost %d requests", n)
		}
	})
}

func TestLoadStopsAtAFactOfTheFuture(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		j := jetstream.NewJournal(c)
		l.append(j, failover.Operation{ID: opA}, claimed("x"))
		m, err := events.EncodeFact(opA, "later", failover.Record{Fact: failover.Parked{}, At: time.Now()})
		m.Header["ce-type"] = []string{"ferry.fact.teleported.v1"}
		l.publish(c, m, err)
		if op, err := j.Load(l.ctx, opA); err == nil {
			t.Errorf("folded over it: %+v", op)
		}
	})
}

func TestAppendNothing(t *testing.T) {
	bubble(t, func(l *lab) {
		j := jetstream.NewJournal(l.client("a", nil))
		op := l.append(j, failover.Operation{ID: opA, Seq: 7}, failover.Batch{})
		if op.Seq != 7 || len(l.stored(">")) != 0 {
			t.Errorf("got %+v", op)
		}
	})
}

func TestAppendLeavesTheBatchAlone(t *testing.T) {
	bubble(t, func(l *lab) {
		j := jetstream.NewJournal(l.client("a", nil))
		takes := append(make([]failover.Hold, 0, 2), failover.Hold{Key: "1", Op: opA})
		spare := append(takes, failover.Hold{Key: "not to be touched"}) //nolint:gocritic // the same array on purpose
		b := claimed("x")
		b.Take, b.Release = takes, []failover.Hold{{Key: "2"}}
		l.append(j, failover.Operation{ID: opA}, b)
		if spare[1].Key != "not to be touched" {
			t.Errorf("wrote %q into the caller's array", spare[1].Key)
		}
	})
}

// What a server says about itself is no answer about the message; what it says about the message is.
func TestDefiniteAnswers(t *testing.T) {
	tests := map[string]struct {
		err   error
		tries int
	}{
		"a timeout":                     {errors.New("timeout"), 2},
		"stored right now":              {&natsjs.APIError{Code: 409, ErrorCode: 10158}, 2},
		"the leader changed in a batch": {&natsjs.APIError{Code: 400, ErrorCode: 10176}, 2},
		"too many batches":              {&natsjs.APIError{Code: 429, ErrorCode: 10210}, 2},
		"no room":                       {&natsjs.APIError{Code: 503, ErrorCode: 10077}, 2},
		"no such stream":                {&natsjs.APIError{Code: 404, ErrorCode: 10059}, 1},
		"cut":                           {cut{}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				tries := 0
				c := l.client("a", func(name string, do func() error) error {
					if name != "command.store" {
						return do()
					}
					if tries++; tries == 1 {
						return test.err
					}
					return do()
				})
				err := c.Submit(l.ctx, events.SourceSlack, command("m1"))
				if tries != test.tries || (err == nil) != (test.tries == 2) {
					t.Errorf("tried %d times: %v", tries, err)
				}
			})
		})
	}
}

type cut struct{}

func (cut) Error() string { return "the process is dead" }
func (cut) Cut() bool     { return true }

func TestTooLargeIsDefinite(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		began := time.Now()
		cmd := command("m1")
		cmd.Reason = strings.Repeat("x", 2<<20)
		err := c.Submit(l.ctx, events.SourceSlack, cmd)
		if err == nil || errors.Is(err, jetstream.ErrNotConfirmed) || time.Since(began) > time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

func TestServerAway(t *testing.T) {
	tests := map[string]struct {
		back  time.Duration // 0: it stays away
		batch bool
	}{
		"a command, back after 8 s": {8 * time.Second, false},
		"a batch, back after 8 s":   {8 * time.Second, true},
		"a command, away for good":  {0, false},
		"a batch, away for good":    {0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				c := l.client("a", nil)
				j := jetstream.NewJournal(c)
				l.stop()
				if test.back > 0 {
					time.AfterFunc(test.back, l.start)
				}
				began := time.Now()
				var err error
				if test.batch {
					_, err = j.Append(l.ctx, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
				} else {
					err = c.Submit(l.ctx, events.SourceSlack, command("m1"))
				}
				took := time.Since(began)
				if test.back == 0 && (!errors.Is(err, jetstream.ErrNotConfirmed) || took < 29*time.Second || took > 33*time.Second) {
					t.Errorf("after %s: %v", took, err)
				}
				if test.back > 0 && (err != nil || took > test.back+5*time.Second) {
					t.Errorf("after %s: %v", took, err)
				}
			})
		})
	}
}

// Who gave up and said so must not be surprised by its message being stored after all.
func TestNothingIsSentLater(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		l.stop()
		if err := c.Submit(l.ctx, events.SourceSlack, command("m1")); !errors.Is(err, jetstream.ErrNotConfirmed) {
			t.Fatalf("got %v", err)
		}
		l.start()
		pass(10 * time.Second)
		if !jetstream.RawConn(c).IsConnected() {
			t.Fatal("not connected again")
		}
		if n := len(l.stored(events.CommandSubjects)); n != 0 {
			t.Errorf("%d stored later", n)
		}
	})
}

func TestClosedIsNotTriedAgain(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		c.Close()
		began := time.Now()
		if err := c.Submit(l.ctx, events.SourceSlack, command("m1")); !errors.Is(err, jetstream.ErrNotConfirmed) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestTheSameCommandIsStoredOnce(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		for i := range 4 {
			if err := c.Submit(l.ctx, events.SourceSlack, command("m1")); err != nil {
				t.Fatal(err)
			}
			if i == 1 { // the ids are remembered in the store
				l.stop()
				l.start()
				pass(time.Second)
			}
		}
		if err := c.Submit(l.ctx, events.SourceSlack, command("m2")); err != nil {
			t.Fatal(err)
		}
		if n := len(l.stored(events.CommandSubjects)); n != 2 {
			t.Errorf("%d stored, want 2", n)
		}
	})
}
