package world

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// natsServer is the NATS server that processes with one role each meet at. It goes away and comes back on the same store.
type natsServer struct {
	world *world

	mu     sync.Mutex
	server *server.Server // nil while it is down
	cut    bool           // the network to it
	conns  []net.Conn     // to it
}

// serveNATS gives the world a NATS server of its own; processes that start later use it.
func (w *world) serveNATS() {
	w.nats = &natsServer{world: w}
	w.nats.start()
}

func (n *natsServer) start() {
	n.world.t.Helper()
	s, err := server.NewServer(&server.Options{
		ServerName: "world", DontListen: true, JetStream: true, StoreDir: filepath.Join(n.world.dir, "server"), SyncAlways: true,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 1 << 30, NoSigs: true, NoLog: true,
	})
	if err != nil {
		n.world.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		n.world.t.Fatal("the NATS server is not ready")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server = s
}

// stop shuts the server down, in good order or when it is down already not at all.
func (n *natsServer) stop() {
	n.mu.Lock()
	s := n.server
	n.server, n.conns = nil, nil
	n.mu.Unlock()
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// setCut takes the network to the server away, and its connections with it, or brings it back.
func (n *natsServer) setCut(cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = cut
	if cut {
		for _, c := range n.conns {
			_ = c.Close() // the client comes back by itself
		}
		n.conns = nil
	}
}

func (n *natsServer) dial() (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server == nil || n.cut {
		return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	}
	c, err := n.server.InProcessConn()
	if err != nil {
		return nil, err
	}
	n.conns = append(n.conns, c)
	return c, nil
}
