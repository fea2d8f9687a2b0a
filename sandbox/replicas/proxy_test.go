package replicas_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"ferry/sandbox/replicas"
)

// The server's access-time ticker would be made in the first bubble and stop time in all others.
func TestMain(m *testing.M) {
	ats.Register()
	os.Exit(m.Run())
}

// lab is one server behind a proxy, and a client.
type lab struct {
	*testing.T
	proxy  *replicas.Proxy
	direct jetstream.JetStream // past the proxy
	js     jetstream.JetStream
}

func bubble(t *testing.T, seed *rand.Rand, test func(*lab)) {
	t.Helper()
	dir := t.TempDir()
	forget()
	synctest.Test(t, func(t *testing.T) {
		s, err := server.NewServer(&server.Options{ServerName: "one", DontListen: true, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		defer func() {
			s.Shutdown()
			s.WaitForShutdown()
			<-time.After(time.Second) // its files are flushed by and by
		}()
		if !s.ReadyForConnections(10 * time.Second) {
			t.Fatal("the server is not ready")
		}
		p := replicas.New(replicas.Options{Dial: s.InProcessConn, Subjects: []string{"e.>"}, Rand: seed})
		defer p.Close()
		l := &lab{T: t, proxy: p, direct: connect(t, s), js: connect(t, p)}
		if _, err := l.direct.CreateStream(l.Context(), jetstream.StreamConfig{Name: "E", Subjects: []string{"e.>"}, AllowAtomicPublish: true}); err != nil {
			t.Fatal(err)
		}
		test(l)
	})
}

// forget empties the pools: one that still holds a timer of an earlier bubble would stop whoever takes it.
func forget() {
	runtime.GC()
	runtime.GC()
}

func connect(t *testing.T, to nats.InProcessConnProvider) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(to), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// publish makes one attempt: the sequence, whether it was there already, and the error's code; 1 is no answer.
func (l *lab) publish(js jetstream.JetStream, subject, id string, guard uint64) (seq uint64, duplicate bool, code jetstream.ErrorCode) {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), 2*time.Second)
	defer cancel()
	ack, err := js.Publish(ctx, subject, []byte(id), jetstream.WithMsgID(id), jetstream.WithExpectLastSequencePerSubject(guard), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, false, codeOf(err)
	}
	return ack.Sequence, ack.Duplicate, 0
}

func codeOf(err error) jetstream.ErrorCode {
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		return api.ErrorCode
	}
	return 1
}

// commit publishes a batch of two messages, each guarded.
func (l *lab) commit(js jetstream.JetStream, id string) (seq uint64, code jetstream.ErrorCode) {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), 2*time.Second)
	defer cancel()
	b, err := jetstreamext.NewBatchPublisher(js, jetstreamext.BatchFlowControl{AckFirst: true, AckTimeout: 2 * time.Second})
	if err != nil {
		l.Fatal(err)
	}
	msg := func(n string) *nats.Msg {
		return &nats.Msg{Subject: "e." + id + n, Header: nats.Header{"Nats-Msg-Id": {id + n}}, Data: []byte(id)}
	}
	if err := b.AddMsg(msg("1"), jetstreamext.WithBatchExpectLastSequencePerSubject(0)); err != nil {
		return 0, codeOf(err)
	}
	ack, err := b.CommitMsg(ctx, msg("2"), jetstreamext.WithBatchExpectLastSequencePerSubject(0))
	if err != nil {
		return 0, codeOf(err)
	}
	return ack.Sequence, 0
}

// count is how many messages are stored.
func (l *lab) count() uint64 {
	l.Helper()
	s, err := l.direct.Stream(l.Context(), "E")
	if err != nil {
		l.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

func (l *lab) want(what string, got, want any) {
	l.Helper()
	if got != want {
		l.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// A repeat is found before its guard is checked; past the proxy it is the other way round.
func TestRepeats(t *testing.T) {
	bubble(t, nil, func(l *lab) {
		l.publish(l.js, "e.a", "x", 0)
		seq, duplicate, code := l.publish(l.js, "e.a", "x", 0)
		if seq != 1 || !duplicate || code != 0 {
			l.Errorf("a repeat got %d, %v, %d", seq, duplicate, code)
		}
		_, _, code = l.publish(l.direct, "e.a", "x", 0)
		l.want("the server's own answer", code, jetstream.ErrorCode(10071))
		l.want("stored", l.count(), uint64(1))
	})
}

func TestLostGuard(t *testing.T) {
	bubble(t, nil, func(l *lab) {
		l.publish(l.js, "e.a", "x", 0)
		_, _, code := l.publish(l.js, "e.a", "y", 0)
		l.want("a lost guard", code, jetstream.ErrorCode(10164))
	})
	told := map[jetstream.ErrorCode]int{}
	bubble(t, rand.New(rand.NewPCG(1, 2)), func(l *lab) {
		l.publish(l.js, "e.a", "x", 0)
		for range 200 {
			_, _, code := l.publish(l.js, "e.a", "y", 0)
			told[code]++
		}
	})
	if told[10164] < 170 || told[10071] == 0 || told[10164]+told[10071] != 200 {
		t.Errorf("losers were told %v", told)
	}
}

// What is stored without an answer is found by the repeat, a batch by its ids.
func TestLostAcks(t *testing.T) {
	bubble(t, nil, func(l *lab) {
		l.proxy.LoseAcks(2)
		_, _, code := l.publish(l.js, "e.a", "x", 0)
		l.want("the first attempt", code, jetstream.ErrorCode(1))
		seq, duplicate, _ := l.publish(l.js, "e.a", "x", 0)
		l.want("the repeat's sequence", seq, uint64(1))
		l.want("the repeat is one", duplicate, true)
		_, code = l.commit(l.js, "b")
		l.want("the batch", code, jetstream.ErrorCode(1))
		_, code = l.commit(l.js, "b")
		l.want("the batch again", code, jetstream.ErrorCode(10201))
		l.want("stored", l.count(), uint64(3))
		seq, duplicate, _ = l.publish(l.js, "e.b1", "b1", 0)
		l.want("a part of the batch", seq, uint64(2))
		l.want("is a repeat", duplicate, true)
		l.want("lost", l.proxy.Tally().LostAcks, 2)
	})
}

func TestNoLeader(t *testing.T) {
	bubble(t, rand.New(rand.NewPCG(1, 2)), func(l *lab) {
		began := time.Now()
		l.proxy.NoLeader(8 * time.Second)
		var code jetstream.ErrorCode = 1
		for ; code == 1; <-time.After(250 * time.Millisecond) {
			_, _, code = l.publish(l.js, "e.a", "x", 0)
		}
		if took := time.Since(began); code != 0 || took < 8*time.Second || took > 11*time.Second {
			l.Errorf("answered %d after %s", code, took)
		}
		if tally := l.proxy.Tally(); tally.Silent == 0 || tally.NoResponders == 0 {
			l.Errorf("want both kinds of no answer, played %+v", tally)
		}
		if !l.js.Conn().IsConnected() || l.js.Conn().Stats().Reconnects != 0 {
			l.Error("the connection did not stay alive")
		}
		l.want("stored", l.count(), uint64(1))
	})
}

// A consumer delivers nothing while nobody leads, and what was fetched is not acknowledged.
func TestNoLeaderDeliversNothing(t *testing.T) {
	bubble(t, nil, func(l *lab) {
		consumer, err := l.js.CreateConsumer(l.Context(), "E", jetstream.ConsumerConfig{Durable: "d", AckPolicy: jetstream.AckExplicitPolicy, AckWait: 5 * time.Second})
		if err != nil {
			l.Fatal(err)
		}
		l.publish(l.js, "e.a", "x", 0)
		m, err := consumer.Next()
		if err != nil {
			l.Fatal(err)
		}
		l.proxy.NoLeader(8 * time.Second)
		ctx, cancel := context.WithTimeout(l.Context(), 2*time.Second)
		defer cancel()
		if m.DoubleAck(ctx) == nil {
			l.Error("acknowledged by nobody")
		}
		l.publish(l.direct, "e.b", "y", 0)
		if _, err := consumer.Next(jetstream.FetchMaxWait(2 * time.Second)); err == nil {
			l.Error("delivered by nobody")
		}
		<-time.After(8 * time.Second)
		if again, err := consumer.Next(jetstream.FetchMaxWait(2 * time.Second)); err != nil || again.Subject() != "e.a" {
			l.Errorf("not delivered again: %v", err)
		}
	})
}

func TestBrokenBatch(t *testing.T) {
	bubble(t, nil, func(l *lab) {
		l.proxy.BreakBatches(1)
		_, code := l.commit(l.js, "b")
		l.want("a batch whose leader changed", code, jetstream.ErrorCode(10176))
		l.want("stored", l.count(), uint64(0))
		seq, code := l.commit(l.js, "b")
		if seq != 2 || code != 0 {
			l.Errorf("tried again: %d, %d", seq, code)
		}
	})
}

// A leader without a majority acknowledges nothing, knows what it took, and may lose it.
func TestCutOff(t *testing.T) {
	outcomes := map[uint64]bool{}
	for seed := range uint64(6) {
		bubble(t, rand.New(rand.NewPCG(seed, 0)), func(l *lab) {
			l.proxy.CutOff(8 * time.Second)
			for _, test := range []struct {
				id   string
				want jetstream.ErrorCode
			}{{"x", 1}, {"x", 10158}, {"y", 10164}} {
				_, _, code := l.publish(l.js, "e.a", test.id, 0)
				l.want(test.id, code, test.want)
			}
			_, code := l.commit(l.js, "b")
			l.want("a batch", code, jetstream.ErrorCode(1))
			_, code = l.commit(l.js, "b")
			l.want("a batch again", code, jetstream.ErrorCode(10158))
			l.want("stored", l.count(), uint64(0))
			<-time.After(10 * time.Second)
			outcomes[l.count()] = true
			_, _, code = l.publish(l.js, "e.a", "x", 0)
			l.want("in the end", code, jetstream.ErrorCode(0))
			l.want("stored once", l.count() == 1 || l.count() == 3, true)
		})
	}
	if !outcomes[0] || !outcomes[3] || len(outcomes) != 2 {
		t.Errorf("want all or nothing stored, both seen; got %v", outcomes)
	}
}

// What a leader took can be stored after its sender has died.
func TestTheDeadAreStored(t *testing.T) {
	bubble(t, nil, func(l *lab) {
		l.proxy.CutOff(4 * time.Second)
		l.publish(l.js, "e.a", "x", 0)
		l.js.Conn().Close()
		<-time.After(3 * time.Second)
		l.want("stored", l.count(), uint64(1))
	})
}

func TestStaleReads(t *testing.T) {
	bubble(t, nil, func(l *lab) {
		l.publish(l.js, "e.a", "x", 0)
		l.proxy.StaleReads(5 * time.Second)
		l.publish(l.js, "e.a", "y", 1)
		l.publish(l.js, "e.b", "z", 0)
		s, err := l.js.Stream(l.Context(), "E")
		if err != nil {
			l.Fatal(err)
		}
		m, err := s.GetLastMsgForSubject(l.Context(), "e.a")
		if err != nil || m.Sequence != 1 {
			l.Errorf("the last message is %+v, %v", m, err)
		}
		for subject, after := range map[string]uint64{"e.a": 1, "e.b": 0} {
			if _, err := s.GetMsg(l.Context(), after+1, jetstream.WithGetMsgSubject(subject)); !errors.Is(err, jetstream.ErrMsgNotFound) {
				l.Errorf("%s after %d: %v", subject, after, err)
			}
		}
		<-time.After(5 * time.Second)
		if m, err := s.GetLastMsgForSubject(l.Context(), "e.a"); err != nil || m.Sequence != 2 {
			l.Errorf("the last message is %+v, %v", m, err)
		}
	})
}

// The proxy goes away and comes back to a client like a server does, and works over a socket.
func TestConnections(t *testing.T) {
	forget()
	s, err := server.NewServer(&server.Options{ServerName: "one", DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server is not ready")
	}
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := replicas.New(replicas.Options{Dial: s.InProcessConn})
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			err = p.Serve(conn)
		}
		served <- err
	}()
	nc, err := nats.Connect("nats://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.Subscribe("hello", func(m *nats.Msg) { _ = m.Respond(append([]byte("hello "), m.Data...)) }); err != nil {
		t.Fatal(err)
	}
	m, err := nc.Request("hello", []byte("world"), 5*time.Second)
	if err != nil || string(m.Data) != "hello world" {
		t.Fatalf("got %v, %v", m, err)
	}
	_ = listener.Close()
	p.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := p.InProcessConn(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("connected to a closed proxy: %v", err)
	}
}
