//go:build nightly

package jetstream_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"ferry/events/jetstream"
)

// A cluster of three checks guards and ids in another order and answers with other codes than one server does.
func TestJournalOnACluster(t *testing.T) {
	for name, test := range journalTests() {
		t.Run(name, func(t *testing.T) { test(cluster(t)) })
	}
}

func cluster(t *testing.T) *lab {
	t.Helper()
	forget()
	var routes []*url.URL
	var ports []int
	for range 3 {
		var listen net.ListenConfig
		l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address, _ := l.Addr().(*net.TCPAddr)
		ports = append(ports, address.Port)
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: address.String()})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var servers []*server.Server
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "lab", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		servers = append(servers, s)
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	}
	ready := func() bool {
		return slices.ContainsFunc(servers, (*server.Server).JetStreamIsLeader) && !slices.ContainsFunc(servers, func(s *server.Server) bool { return !s.JetStreamIsCurrent() })
	}
	for end := time.Now().Add(30 * time.Second); !ready(); pass(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no cluster")
		}
	}
	var urls []string
	for _, s := range servers {
		urls = append(urls, s.ClientURL())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	l := &lab{T: t, ctx: ctx, url: strings.Join(urls, ","), replicas: 3}
	setup, err := jetstream.Connect(jetstream.Options{URL: l.url, Name: "setup", Replicas: 3, Log: logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer setup.Close()
	for err = setup.Ensure(ctx); err != nil; err = setup.Ensure(ctx) { // the leader does not know all the others yet
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		pass(100 * time.Millisecond)
	}
	return l
}
