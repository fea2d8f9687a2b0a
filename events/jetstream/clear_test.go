package jetstream_test

import (
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"ferry/events/jetstream"
)

// What leaves this host without encryption is known, what stays on loopback is no matter.
func TestInTheClear(t *testing.T) {
	realTime(t)
	for host, want := range map[string]bool{"127.0.0.1": false, elsewhere(t): true} {
		s, err := server.NewServer(&server.Options{Host: host, Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(s.Shutdown)
		if !s.ReadyForConnections(10 * time.Second) {
			t.Fatal("the server is not ready")
		}
		if got := connect(t, jetstream.Options{URL: s.ClientURL(), Name: jetstream.RoleBot}).InTheClear(); got != want {
			t.Errorf("%s: in the clear: %v", s.ClientURL(), got)
		}
	}
}

// elsewhere is an address of this host that others can reach.
func elsewhere(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	t.Skip("this host has no address but loopback")
	return ""
}
