package jetstream_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// keep keeps the audit until stopped.
func (l *lab) keep(c *jetstream.Client) (stop func()) {
	board := jetstream.NewBoard(c)
	following := l.loop(board.Run)
	keeping := l.loop(func(ctx context.Context) error { return c.KeepAudit(ctx, board.Changes) })
	return func() { keeping(); following() }
}

// fill stores n facts of an operation.
func (l *lab) fill(j *jetstream.Journal, n int) {
	l.Helper()
	op := l.load(j, opA)
	for i := range n {
		op = l.append(j, op, claimed(fmt.Sprint("x", i)))
	}
}

func (l *lab) verify(c *jetstream.Client) events.Verdict {
	l.Helper()
	v, err := c.VerifyAudit(l.ctx)
	if err != nil {
		l.Fatal(err)
	}
	return v
}

// Several executors keep one audit, also over a restart and over full pages, and all that is stored is in it.
func TestAuditIsKept(t *testing.T) {
	bubble(t, func(l *lab) {
		a, b := l.client("a", nil), l.client("b", nil)
		stop := l.keep(a)
		l.keep(b)
		j := jetstream.NewJournal(a)
		l.submit(a, "m1")
		l.fill(j, 700)
		pass(3 * time.Second)
		stop()
		l.fill(j, 800)
		pass(3 * time.Second)
		v := l.verify(a)
		if v.Err() != nil || v.Head.Seq != 1501 || v.Last != 1501 || v.At.IsZero() {
			t.Errorf("%+v", v)
		}
		fresh := l.client("c", nil)
		l.keep(fresh)
		l.fill(j, 1)
		pass(3 * time.Second)
		if again := l.verify(fresh); again.Err() != nil || again.Head.Seq != 1502 || again.Head == v.Head {
			t.Errorf("%+v", again)
		}
	})
}

// What was stored while nobody kept the audit is verified once it is kept, and is nothing wrong before.
func TestAuditBehind(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		l.fill(jetstream.NewJournal(c), 3)
		if v := l.verify(c); v.Err() != nil || v.Head.Seq != 0 || v.Last != 3 {
			t.Errorf("%+v", v)
		}
		l.keep(c)
		pass(3 * time.Second)
		if v := l.verify(c); v.Err() != nil || v.Head.Seq != 3 {
			t.Errorf("%+v", v)
		}
	})
}

// The places that are tampered with have 1,500 messages: one full page and a part of another.
func TestAuditFindsDamage(t *testing.T) {
	if testing.Short() {
		t.Skip("writes many messages; go test without -short plays it")
	}
	const messages = 1500
	tests := map[string]struct {
		harm func(l *lab, store string) // while the server is down, on the stream's folder
		want events.Verdict
	}{
		"nothing":                            {func(*lab, string) {}, events.Verdict{}},
		"a byte of a message was flipped":    {func(l *lab, store string) { l.flip(store, "x699") }, events.Verdict{Wrong: 700, What: events.Missing}},
		"the store is older than its head":   {func(l *lab, store string) { l.older(store) }, events.Verdict{Wrong: 1001, What: events.Truncated}},
		"the store is older and was gone on": {func(l *lab, store string) { l.older(store); defer l.stop(); l.goOn(600) }, events.Verdict{Wrong: 1001, What: events.Changed}},
		"all is gone and was written anew": {func(l *lab, _ string) {
			l.start()
			l.remake()
			l.stop()
			defer l.stop()
			l.goOn(messages)
		}, events.Verdict{Wrong: 1, What: events.Changed}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				store := filepath.Join(l.dir, "jetstream", "$G", "streams", events.Stream)
				c := l.client("a", nil)
				stop, j := l.keep(c), jetstream.NewJournal(c)
				l.fill(j, 1000)
				pass(3 * time.Second)
				l.stop()
				if err := os.CopyFS(store+".older", os.DirFS(store)); err != nil {
					t.Fatal(err)
				}
				l.start()
				pass(time.Second)
				l.fill(j, messages-1000)
				pass(3 * time.Second)
				stop()
				c.Close()
				l.stop()
				test.harm(l, store)
				l.start()
				v := l.verify(l.client("auditor", nil))
				if v.Wrong != test.want.Wrong || v.What != test.want.What || v.Head.Seq != messages || (v.Err() == nil) != (test.want.What == "") {
					t.Errorf("found %+v, want %+v", v, test.want)
				}
			})
		})
	}
}

// flip changes one byte of the message that says something.
func (l *lab) flip(store, says string) {
	l.Helper()
	blocks, err := filepath.Glob(filepath.Join(store, "msgs", "*.blk"))
	if err != nil || len(blocks) == 0 {
		l.Fatal("no blocks", err)
	}
	for _, block := range blocks {
		data, err := os.ReadFile(block)
		if err != nil {
			l.Fatal(err)
		}
		at := bytes.Index(data, []byte(`"`+says+`"`))
		if at < 0 {
			continue
		}
		data[at+1] ^= 1
		if err := os.WriteFile(block, data, 0o600); err != nil {
			l.Fatal(err)
		}
		return
	}
	l.Fatalf("nothing says %s", says)
}

// older puts the copy of the store back that was made after 1,000 messages.
func (l *lab) older(store string) {
	l.Helper()
	if err := os.RemoveAll(store); err != nil {
		l.Fatal(err)
	}
	if err := os.Rename(store+".older", store); err != nil {
		l.Fatal(err)
	}
}

// remake is somebody who controls the server: the stream is another, and empty. No executor makes it so.
func (l *lab) remake() {
	l.Helper()
	c, _ := l.errors()
	defer c.Close()
	js := jetstream.Raw(c)
	stream, err := js.Stream(l.ctx, events.Stream)
	if err == nil {
		err = js.DeleteStream(l.ctx, events.Stream)
	}
	if err == nil {
		_, err = js.CreateStream(l.ctx, stream.CachedInfo().Config)
	}
	if err != nil {
		l.Fatal(err)
	}
}

// goOn stores more without keeping the audit.
func (l *lab) goOn(n int) {
	l.Helper()
	l.start()
	c := l.client("later", nil)
	l.fill(jetstream.NewJournal(c), n)
	c.Close()
}

// An executor that finds the stream damaged keeps nothing more of it, and goes on: it must not cover up what is wrong.
func TestAuditDoesNotCoverUp(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		stop := l.keep(c)
		l.fill(jetstream.NewJournal(c), 20)
		pass(3 * time.Second)
		head := l.verify(c).Head
		stop()
		c.Close()
		l.remake()
		c = l.client("b", nil)
		l.keep(c)
		l.fill(jetstream.NewJournal(c), 5)
		pass(3 * time.Minute)
		if v := l.verify(c); v.Head != head || v.Err() == nil {
			t.Errorf("%+v", v)
		}
	})
}

// A leader that is cut off shows an old end of the stream for up to twenty seconds. However much happens meanwhile, damage is
// what is seen for longer.
func TestAuditTakesItsTimeToCallItDamage(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		stop := l.keep(c)
		l.fill(jetstream.NewJournal(c), 20)
		pass(3 * time.Second)
		stop()
		c.Close()
		l.remake()
		c, log := l.errors()
		busy := make(chan struct{})
		close(busy)
		stop = l.loop(func(ctx context.Context) error { return c.KeepAudit(ctx, func() <-chan struct{} { return busy }) })
		pass(25 * time.Second)
		stop()
		if log.Len() > 0 {
			t.Errorf("after 25 s: %s", log)
		}
		stop = l.loop(func(ctx context.Context) error { return c.KeepAudit(ctx, func() <-chan struct{} { return busy }) })
		pass(2 * time.Minute)
		stop()
		if n := bytes.Count(log.Bytes(), []byte("the stream is not what it was")); n == 0 {
			t.Error("it is never told")
		}
	})
}

// A stream that is another is told of when nothing happens on it, and when it is longer than what is kept: nothing of it is
// taken for what follows.
func TestAuditOfAnotherStream(t *testing.T) {
	for name, more := range map[string]int{"idle": 0, "longer": 30} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				l.fill(jetstream.NewJournal(l.client("a", nil)), 20)
				c, log := l.errors()
				stop := l.loop(func(ctx context.Context) error { return c.KeepAudit(ctx, func() <-chan struct{} { return nil }) })
				pass(3 * time.Second)
				head := l.verify(c).Head
				l.remake()
				l.fill(jetstream.NewJournal(l.client("b", nil)), more)
				pass(10 * time.Minute)
				stop()
				if now := l.verify(c).Head; now != head || head.Seq != 20 {
					t.Errorf("kept %+v, and then %+v", head, now)
				}
				if !bytes.Contains(log.Bytes(), []byte("the stream is not what it was")) {
					t.Error("it is never told")
				}
			})
		})
	}
}

// errors is a client and what it logs as an error. Stop what runs before reading that.
func (l *lab) errors() (*jetstream.Client, *bytes.Buffer) {
	l.Helper()
	var log bytes.Buffer
	c, err := jetstream.Connect(jetstream.Options{InProcess: l, Name: "errors", Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(c.Close)
	return c, &log
}

// The head does not depend on who keeps it: it can be recomputed from an export.
func TestAuditHeadFromAnExport(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		l.keep(c)
		l.submit(c, "m1", "m2")
		l.fill(jetstream.NewJournal(c), 5)
		pass(3 * time.Second)
		chain := events.Chain{}
		stream, err := jetstream.Raw(c).Stream(l.ctx, events.Stream)
		if err != nil {
			t.Fatal(err)
		}
		for seq := range uint64(7) {
			m, err := stream.GetMsg(l.ctx, seq+1)
			if err != nil {
				t.Fatal(err)
			}
			chain = chain.Add(events.Message{Subject: m.Subject, Header: events.Header(m.Header), Data: m.Data, Seq: m.Sequence}, m.Time)
		}
		if v := l.verify(c); v.Head != chain {
			t.Errorf("kept %s, computed %s", v.Head, chain)
		}
	})
}

// Whoever may ask for something may have a message stored whose headers nobody can read. It belongs to the record like any other.
func TestAuditOfWhatCannotBeRead(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		l.keep(c)
		for _, header := range []string{"NATS/1.0\r\nno header\r\n\r\n", "nothing", "NATS/1.0 4\r\n\r\n", "\xff\r\n"} {
			l.publishRaw("ferry.command.cli-eve.op-aaaaaaaa", header)
		}
		l.fill(jetstream.NewJournal(c), 1)
		pass(3 * time.Second)
		if v := l.verify(c); v.Err() != nil || v.Head.Seq != 5 || v.Last != 5 {
			t.Errorf("%+v", v)
		}
		var file bytes.Buffer
		if err := c.ExportAudit(l.ctx, &file, ""); err != nil {
			t.Fatal(err)
		}
		if found, err := events.VerifyExport(&file, l.verify(c).Head); err != nil || found.Messages != 5 {
			t.Errorf("%+v, %v", found, err)
		}
	})
}

// A leader that is cut off answers one keeper that another was first, without end: it is asked again by and by.
func TestAuditAtALeaderThatIsCutOff(t *testing.T) {
	proxied(t, nil, func(l *lab) {
		a, b := l.client("a", nil), l.client("b", nil)
		l.keep(a)
		l.keep(b)
		j := jetstream.NewJournal(a)
		l.submit(a, "m1")
		pass(5 * time.Second)
		l.fill(j, 3)
		l.proxy.CutOff(8 * time.Second)
		pass(30 * time.Second)
		l.fill(j, 1)
		pass(5 * time.Second)
		if v := l.verify(a); v.Err() != nil || v.Head.Seq != v.Last {
			t.Errorf("%+v", v)
		}
	})
}

// Whoever can write to the store and to the bucket can write another history that verifies. A head that was kept elsewhere
// shows it, and several show since when.
func TestARewrittenRecordShowsAgainstAHeadKeptElsewhere(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		stop, j := l.keep(c), jetstream.NewJournal(c)
		var heads []events.Chain
		for range 3 {
			l.fill(j, 10)
			pass(3 * time.Second)
			heads = append(heads, l.verify(c).Head)
		}
		copied := l.stored(">")
		stop()
		c.Close()
		l.stop()
		if err := os.RemoveAll(filepath.Join(l.dir, "jetstream")); err != nil {
			t.Fatal(err)
		}
		l.start()
		c = l.client("forger", nil)
		for _, m := range copied {
			if m.Seq > 25 {
				break
			}
			l.publish(c, m, nil)
		}
		l.keep(c)
		pass(10 * time.Second)
		if v := l.verify(c); v.Err() != nil || v.Head.Seq != 25 {
			t.Fatalf("alone: %+v", v)
		}
		for name, test := range map[string]struct {
			known []events.Chain
			wrong uint64
			what  events.Damage
		}{
			"the head of message 20": {heads[1:2], 1, events.Rewritten},
			"the head of message 30": {heads[2:], 26, events.Truncated},
			"all heads":              {heads, 1, events.Rewritten},
			"the heads of now":       {[]events.Chain{l.verify(c).Head}, 0, ""},
		} {
			v, err := c.VerifyAudit(l.ctx, test.known...)
			if err != nil || v.Wrong != test.wrong || v.What != test.what || (v.Err() == nil) != (test.what == "") {
				t.Errorf("%s: %+v, %v", name, v, err)
			}
		}
	})
}

// What was the same up to a head that was kept elsewhere is told from what was changed after it.
func TestARewrittenEndIsLocatedBetweenHeads(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		l.keep(c)
		l.fill(jetstream.NewJournal(c), 10)
		pass(3 * time.Second)
		first := l.verify(c).Head
		l.fill(jetstream.NewJournal(c), 10)
		pass(3 * time.Second)
		then := l.verify(c).Head
		then.Sum[0]++ // what it would have been with other messages
		v, err := c.VerifyAudit(l.ctx, then, first)
		if err != nil || v.Wrong != 11 || v.Until != 20 || v.What != events.Rewritten {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

// An export is the stream as it is, and verifies without it; of one operation it has the commands, the holds and the work.
func TestExportOfTheStream(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		l.keep(c)
		j := jetstream.NewJournal(c)
		l.submit(c, "ask-op-aaaaaaaa", "m2")
		op := l.append(j, failover.Operation{ID: opB}, requested(opB, failover.Hold{Key: "1"}))
		l.append(j, op, claimed("x"))
		l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "2"}))
		pass(3 * time.Second)
		for name, want := range map[failover.OpID]int{"": 11, opA: 6, opB: 5} {
			var file bytes.Buffer
			if err := c.ExportAudit(l.ctx, &file, name); err != nil {
				t.Fatal(err)
			}
			found, err := events.VerifyExport(&file)
			if err != nil || found.Messages != want || found.Head != l.verify(c).Head {
				t.Errorf("%q: %+v, %v", name, found, err)
			}
		}
	})
}
