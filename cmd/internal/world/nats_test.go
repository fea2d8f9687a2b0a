package world

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"ferry/sandbox/replicas"
)

// natsServer is the NATS server that processes with one role each meet at. It goes away and comes back on the same store.
type natsServer struct {
	world *world
	dir   string
	proxy *replicas.Proxy // answers as a cluster of three would; nil: one server as it is
	turn  chan struct{}   // holds one: whoever starts or stops the server has it; waiting for a mutex would hold up fake time

	mu     sync.Mutex
	server *server.Server // nil while it is down
	cut    bool           // the network to it
	conns  []net.Conn     // to it
}

// serveNATS gives the world a NATS server of its own; processes that start later use it.
func (w *world) serveNATS() {
	w.nats = newNATS(w, "server")
	w.nats.start()
}

// replicate puts a proxy into the path of connections that are made from then on; seed decides what a cluster leaves to chance.
func (n *natsServer) replicate(seed uint64) {
	n.proxy = replicas.New(replicas.Options{
		Dial: func() (net.Conn, error) { return past{n}.InProcessConn() }, Subjects: []string{"ferry.>", "$KV.>"}, Rand: rand.New(rand.NewPCG(seed, seed)),
	})
}

// past is the way to the server past the network and the proxy.
type past struct{ server *natsServer }

func (p past) InProcessConn() (net.Conn, error) {
	if s := p.server.now(); s != nil {
		return s.InProcessConn()
	}
	return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
}

func newNATS(w *world, dir string) *natsServer {
	return &natsServer{world: w, dir: filepath.Join(w.dir, dir), turn: make(chan struct{}, 1)}
}

func (n *natsServer) start() {
	n.turn <- struct{}{}
	defer func() { <-n.turn }()
	if n.now() != nil {
		return
	}
	withoutAccounts(n.dir)
	s, err := server.NewServer(&server.Options{
		ServerName: "world", DontListen: true, JetStream: true, StoreDir: n.dir, SyncAlways: true,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 1 << 30, NoSigs: true, NoLog: true,
	})
	if err != nil {
		panic(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		panic("the NATS server is not ready")
	}
	n.set(s)
}

// withoutAccounts lets a server without accounts find what the embedded one has stored in one; that takes it back.
func withoutAccounts(store string) {
	_ = os.Rename(filepath.Join(store, "jetstream", "FERRY"), filepath.Join(store, "jetstream", "$G")) // not there: nothing was stored
}

// stop shuts the server down in good order; connections end.
func (n *natsServer) stop() {
	n.turn <- struct{}{}
	defer func() { <-n.turn }()
	s := n.now()
	n.set(nil)
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}

func (n *natsServer) now() *server.Server {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server
}

func (n *natsServer) set(s *server.Server) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server, n.conns = s, nil
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
	down, open := n.server == nil || n.cut, past{n}.InProcessConn
	n.mu.Unlock()
	if down {
		return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	}
	if n.proxy != nil {
		open = n.proxy.InProcessConn
	}
	c, err := open()
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, c)
	return c, nil
}
