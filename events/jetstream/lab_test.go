package jetstream_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
	"ferry/sandbox/replicas"
)

// The server's access-time ticker would be made in the first bubble and stop time in all others.
func TestMain(m *testing.M) {
	ats.Register()
	if dir := os.Getenv(victimDir); dir != "" {
		victim(dir)
	}
	os.Exit(m.Run())
}

const (
	opA = failover.OpID("op-aaaaaaaa")
	opB = failover.OpID("op-bbbbbbbb")
)

// lab is a NATS server without accounts, and its clients. It goes away and comes back on the same store.
type lab struct {
	*testing.T
	ctx      context.Context //nolint:containedctx // of one test
	dir      string
	url      string // of a cluster; "" is the server within the process
	replicas int
	server   atomic.Pointer[server.Server]
	proxy    *replicas.Proxy // between the server and its clients; nil for none
	azure    jetstream.Azure // of the executor that serves
	policy   failover.Policy // of the process that serves
}

// bubble runs a test in fake time on one server.
func bubble(t *testing.T, test func(*lab)) {
	t.Helper()
	bare(t, func(l *lab) {
		l.client("setup", nil)
		test(l)
	})
}

// bare runs a test in fake time on one server that has nothing yet.
func bare(t *testing.T, test func(*lab)) {
	t.Helper()
	dir := t.TempDir()
	forget()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{T: t, ctx: t.Context(), dir: dir, replicas: 1}
		l.start()
		t.Cleanup(l.stop)
		test(l)
	})
}

// proxied runs a test in fake time on one server that answers as a cluster does.
func proxied(t *testing.T, seed *rand.Rand, test func(*lab)) {
	t.Helper()
	dir := t.TempDir()
	forget()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{T: t, ctx: t.Context(), dir: dir, replicas: 1}
		l.start()
		t.Cleanup(func() { l.stop(); pass(time.Second) }) // the files of batches that were given up are flushed by and by
		l.client("setup", nil)
		l.proxy = replicas.New(replicas.Options{Dial: l.InProcessConn, Subjects: []string{"ferry.>", "$KV.>"}, Rand: seed})
		t.Cleanup(l.proxy.Close)
		test(l)
	})
}

// realTime says that a test runs in real time: it needs sockets.
func realTime(t *testing.T) {
	t.Helper()
	t.Parallel() // bubbles are serial, so none runs now
	forget()
}

// forget empties the pools: one that still holds a timer of an earlier bubble would stop whoever takes it.
func forget() {
	runtime.GC()
	runtime.GC()
}

func (l *lab) start() {
	l.Helper()
	s, err := server.NewServer(&server.Options{ServerName: "lab", DontListen: true, JetStream: true, StoreDir: l.dir, NoSigs: true, NoLog: true})
	if err != nil {
		l.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		l.Fatal("the server is not ready")
	}
	l.server.Store(s)
}

func (l *lab) stop() {
	if s := l.server.Swap(nil); s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// InProcessConn connects to the server of the moment.
func (l *lab) InProcessConn() (net.Conn, error) {
	if s := l.server.Load(); s != nil {
		return s.InProcessConn()
	}
	return nil, errors.New("the server is away")
}

// client connects, and makes sure that the stream is there.
func (l *lab) client(name string, seam jetstream.Seam) *jetstream.Client {
	l.Helper()
	c := l.connect(name, seam)
	if err := c.Ensure(l.ctx); err != nil {
		l.Fatal(err)
	}
	return c
}

func (l *lab) connect(name string, seam jetstream.Seam) *jetstream.Client {
	l.Helper()
	o := jetstream.Options{URL: l.url, Name: name, Replicas: l.replicas, Seam: seam, Log: logger(l.T)}
	switch {
	case l.proxy != nil:
		o.InProcess = l.proxy
	case l.url == "":
		o.InProcess = l
	}
	c, err := jetstream.Connect(o)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(c.Close)
	return c
}

func logger(t *testing.T) *slog.Logger {
	t.Helper()
	if testing.Verbose() {
		return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}

// stored lists the messages on the subjects, by an own connection.
func (l *lab) stored(filter string) []events.Message {
	l.Helper()
	var opts []nats.Option
	if l.url == "" {
		opts = append(opts, nats.InProcessServer(l))
	}
	nc, err := nats.Connect(l.url, opts...)
	if err != nil {
		l.Fatal(err)
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		l.Fatal(err)
	}
	stream, err := js.Stream(l.ctx, events.Stream)
	if err != nil {
		l.Fatal(err)
	}
	var found []events.Message
	for seq := uint64(1); ; {
		m, err := stream.GetMsg(l.ctx, seq, natsjs.WithGetMsgSubject(filter))
		if errors.Is(err, natsjs.ErrMsgNotFound) {
			return found
		}
		if err != nil {
			l.Fatal(err)
		}
		found = append(found, events.Message{Subject: m.Subject, Header: events.Header(m.Header), Data: m.Data, Seq: m.Sequence})
		seq = m.Sequence + 1
	}
}

// publish stores a message without a guard, as nobody but a test does.
func (l *lab) publish(c *jetstream.Client, m events.Message, err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
	if _, err := jetstream.RawConn(c).RequestMsgWithContext(l.ctx, &nats.Msg{Subject: m.Subject, Header: nats.Header(m.Header), Data: m.Data}); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) append(j *jetstream.Journal, op failover.Operation, b failover.Batch) failover.Operation {
	l.Helper()
	b.At = time.Now()
	op, err := j.Append(l.ctx, op, b)
	if err != nil {
		l.Fatal(err)
	}
	return op
}

func (l *lab) load(j *jetstream.Journal, id failover.OpID) failover.Operation {
	l.Helper()
	op, err := j.Load(l.ctx, id)
	if err != nil {
		l.Fatal(err)
	}
	return op
}

func (l *lab) holder(j *jetstream.Journal, key string) failover.Hold {
	l.Helper()
	hold, err := j.Holder(l.ctx, key)
	if err != nil {
		l.Fatal(err)
	}
	return hold
}

// loop runs something until the test ends, and reports an error of it.
func (l *lab) loop(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(l.ctx)
	var running sync.WaitGroup
	running.Go(func() {
		if err := run(ctx); err != nil && ctx.Err() == nil {
			l.Errorf("ended by itself: %v", err)
		}
	})
	stop = func() { cancel(); running.Wait() }
	l.Cleanup(stop)
	return stop
}

// pass lets fake time go by.
func pass(d time.Duration) { <-time.After(d) }

// requested opens an operation on one VM, and takes it.
func requested(id failover.OpID, hold failover.Hold) failover.Batch {
	hold.Op = id
	target := failover.Target{Item: failover.Item{Key: hold.Key, Name: "vm-" + hold.Key, Vault: "vault-dr"}, Phase: failover.AwaitingApproval}
	return failover.Batch{
		Command: "ask-" + string(id), Take: []failover.Hold{hold}, Drive: true,
		Facts: []failover.Fact{failover.Requested{Op: id, Verb: failover.VerbFailover, By: failover.Actor{ID: "U0ANA"}, Targets: []failover.Target{target}}, failover.GateOpened{Gate: failover.ClassFailover}},
	}
}

func claimed(by string) failover.Batch {
	return failover.Batch{Facts: []failover.Fact{failover.Claimed{Executor: by}}}
}

func command(messageID string) failover.Command {
	now := time.Now()
	return failover.Command{MessageID: messageID, Op: opA, Verb: failover.VerbApprove, By: failover.Actor{ID: "U0BEN"}, At: now, ValidUntil: now.Add(failover.CommandValidity)}
}

// losing is a seam that does what it is asked to and then loses the answer, the first n times.
func losing(name string, n int) jetstream.Seam {
	var mu sync.Mutex
	return func(at string, do func() error) error {
		err := do()
		mu.Lock()
		defer mu.Unlock()
		if at == name && n > 0 {
			n--
			return errors.New("the answer was lost")
		}
		return err
	}
}
