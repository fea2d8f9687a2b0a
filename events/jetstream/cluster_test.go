package jetstream_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
	"ferry/sandbox/replicas"
)

// A cluster of three checks guards and ids in another order and answers with other codes than one server does.
func TestJournalOnACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for elections; go test without -short plays it")
	}
	forget()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := replicas.StartCluster(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	for name, test := range journalTests() {
		t.Run(name, func(t *testing.T) { test(onCluster(t, c.URL())) })
	}
	t.Run("the leader changes", func(t *testing.T) { leaderChanges(onCluster(t, c.URL())) })
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

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); pass(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s", what)
		}
	}
}

// onCluster gives a test the cluster with an empty stream.
func onCluster(t *testing.T, url string) *lab {
	t.Helper()
	l := &lab{T: t, ctx: t.Context(), url: url, replicas: 3}
	nc, err := nats.Connect(url)
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
	if err := js.DeleteKeyValue(t.Context(), "ferry-audit"); err != nil && !errors.Is(err, natsjs.ErrBucketNotFound) {
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
