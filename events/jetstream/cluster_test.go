package jetstream_test

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// A cluster of three checks guards and ids in another order and answers with other codes than one server does.
func TestJournalOnACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for elections; go test without -short plays it")
	}
	c := startCluster(t)
	for name, test := range journalTests() {
		t.Run(name, func(t *testing.T) { test(c.lab(t)) })
	}
	t.Run("the leader changes", func(t *testing.T) { leaderChanges(c.lab(t)) })
}

// leaderChanges: what is appended while the leader steps down is stored once.
func leaderChanges(l *lab) {
	conn := jetstream.RawConn(l.client("operator", nil))
	changes := 0 // wanted
	j := jetstream.NewJournal(l.client("a", func(name string, do func() error) error {
		if name != "journal.append" || changes == 0 {
			return do()
		}
		changes--
		var stepping sync.WaitGroup
		stepping.Go(func() { _, _ = conn.Request("$JS.API.STREAM.LEADER.STEPDOWN."+events.Stream, nil, time.Second) })
		defer stepping.Wait()
		return do()
	}))
	changes = 1
	op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
	changes = 1
	l.append(j, op, claimed("one"))
	until(l.T, "leader that answers reads", func() bool {
		got, err := j.Load(l.ctx, opA)
		return err == nil && got.Executor == "one"
	})
	if n := len(l.stored(events.OpSubject(opA))); n != 3 {
		l.Errorf("%d facts stored, want 3", n)
	}
}

// cluster are three servers on loopback, in real time.
type cluster struct {
	servers []*server.Server
	url     string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	forget()
	var routes []*url.URL
	var ports []int
	for range 3 {
		port := freePort(t)
		ports = append(ports, port)
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	c := &cluster{}
	var urls []string
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "lab", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		c.servers = append(c.servers, s)
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	}
	until(t, "a cluster", func() bool {
		return slices.ContainsFunc(c.servers, (*server.Server).JetStreamIsLeader) && !slices.ContainsFunc(c.servers, func(s *server.Server) bool { return !s.JetStreamIsCurrent() })
	})
	for _, s := range c.servers {
		urls = append(urls, s.ClientURL())
	}
	c.url = strings.Join(urls, ",")
	return c
}

func freePort(t *testing.T) int {
	t.Helper()
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	address, _ := l.Addr().(*net.TCPAddr)
	return address.Port
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); pass(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s", what)
		}
	}
}

// lab gives a test the cluster with an empty stream.
func (c *cluster) lab(t *testing.T) *lab {
	t.Helper()
	l := &lab{T: t, ctx: t.Context(), url: c.url, replicas: 3}
	nc, err := nats.Connect(c.url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), events.Stream); err != nil && !errors.Is(err, natsjs.ErrStreamNotFound) {
		t.Fatal(err)
	}
	setup, err := jetstream.Connect(jetstream.Options{URL: l.url, Name: "setup", Replicas: 3, Log: logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer setup.Close()
	until(t, "stream of three", func() bool { return setup.Ensure(t.Context()) == nil }) // the leader does not know all the others yet
	until(t, "leader that is heard", func() bool {
		_, err := jetstream.RawConn(setup).Request("$JS.API.STREAM.MSG.GET."+events.Stream, []byte(`{"seq":1}`), time.Second)
		return err == nil
	})
	return l
}
