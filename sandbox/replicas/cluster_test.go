package replicas_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"ferry/sandbox/replicas"
)

// Every probe is answered by a real cluster of three as by one server behind the proxy.
func TestTheProxyAnswersAsAClusterDoes(t *testing.T) {
	forget()
	cluster := probe(t, startCluster(t), func(js jetstream.JetStream) error {
		_, err := js.Conn().Request("$JS.API.STREAM.LEADER.STEPDOWN.E", nil, 2*time.Second)
		return err
	})
	var played map[string]string
	bubble(t, nil, func(l *lab) {
		played = probe(t, l.js, func(jetstream.JetStream) error {
			l.proxy.NoLeader(time.Second)
			return nil
		})
	})
	for name, want := range cluster {
		t.Logf("%-40s %s", name, want)
		if got := played[name]; got != want {
			t.Errorf("%s: the proxy says %q, the cluster %q", name, got, want)
		}
	}
}

// probe asks everything, each on its own subject. What a cluster leaves to chance is told as one.
func probe(t *testing.T, js jetstream.JetStream, elect func(jetstream.JetStream) error) map[string]string {
	t.Helper()
	l := &lab{T: t, js: js}
	single := func(subject, id string, guard uint64) string {
		seq, duplicate, code := l.publish(js, subject, id, guard)
		return told(seq, duplicate, code)
	}
	first, _, _ := l.publish(js, "e.p1", "p1", 0)
	said := map[string]string{"a first message": fmt.Sprint(first > 0)}
	said["a repeat"] = strings.ReplaceAll(single("e.p1", "p1", 0), fmt.Sprint(first), "the first's sequence")
	said["a repeat with another guard"] = strings.ReplaceAll(single("e.p1", "p1", 77), fmt.Sprint(first), "the first's sequence")
	said["a repeat on another subject"] = strings.ReplaceAll(single("e.other", "p1", 0), fmt.Sprint(first), "the first's sequence")
	said["a stale guard"] = single("e.p1", "late", 0)
	said["a guard of what is not there"] = single("e.p2", "p2", 5)
	batch, code := l.commit(js, "b")
	said["a batch"] = told(batch-first, false, code)
	_, code = l.commit(js, "b")
	said["a batch again"] = told(0, false, code)
	said["a part of a batch alone"] = strings.ReplaceAll(single("e.b1", "b1", 0), fmt.Sprint(batch-1), "its sequence in the batch")
	l.publish(js, "e.taken2", "taken", 0)
	_, code = l.commit(js, "taken")
	said["a batch whose second guard is lost"] = told(0, false, code)
	said["the first message of such a batch"] = fmt.Sprint(strings.HasPrefix(single("e.taken1", "taken1", 0), "stored"))
	said["a race"] = l.race(js)
	said["a leader change within a batch"] = l.split(js, elect)
	return said
}

// told is an answer in words. A cluster tells a lost guard in two ways, by chance.
func told(seq uint64, duplicate bool, code jetstream.ErrorCode) string {
	switch {
	case code == 10071 || code == 10164:
		return "a lost guard"
	case code != 0:
		return fmt.Sprintf("error %d", code)
	case duplicate:
		return fmt.Sprintf("a duplicate of %d", seq)
	}
	return fmt.Sprintf("stored at %d", seq)
}

func (l *lab) race(js jetstream.JetStream) string {
	l.Helper()
	var mu sync.Mutex
	var writing sync.WaitGroup
	answers := map[string]int{}
	for w := range 16 {
		writing.Go(func() {
			_, duplicate, code := l.publish(js, "e.race", fmt.Sprintf("race%d", w), 0)
			mu.Lock()
			defer mu.Unlock()
			answers[told(0, duplicate, code)]++
		})
	}
	writing.Wait()
	return fmt.Sprint(answers)
}

// split has the leader change after the first message of a batch.
func (l *lab) split(js jetstream.JetStream, elect func(jetstream.JetStream) error) string {
	l.Helper()
	b, err := jetstreamext.NewBatchPublisher(js, jetstreamext.BatchFlowControl{AckFirst: true, AckTimeout: 2 * time.Second})
	if err != nil {
		l.Fatal(err)
	}
	if err := b.Add("e.s1", nil); err != nil {
		l.Fatal(err)
	}
	if err := elect(js); err != nil {
		l.Fatal(err)
	}
	for range 100 { // until somebody answers
		ctx, cancel := context.WithTimeout(l.Context(), time.Second)
		msg := &nats.Msg{Subject: "e.s2", Header: nats.Header{}}
		_, err = b.CommitMsg(ctx, msg)
		cancel()
		if code := codeOf(err); err == nil || code != 1 {
			return told(0, false, code)
		}
		<-time.After(100 * time.Millisecond)
	}
	return "no answer"
}

// startCluster makes a stream with three replicas on a real cluster.
func startCluster(t *testing.T) jetstream.JetStream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cluster, err := replicas.StartCluster(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Stop)
	nc, err := nats.Connect(cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "a stream of three", func() bool { // the leader does not know all the others yet
		_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "E", Subjects: []string{"e.>"}, Replicas: 3, AllowAtomicPublish: true})
		return err == nil
	})
	until(t, "a leader that is heard", func() bool {
		_, err := js.Publish(t.Context(), "e.hello", nil)
		return err == nil
	})
	return js
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s", what)
		}
	}
}
