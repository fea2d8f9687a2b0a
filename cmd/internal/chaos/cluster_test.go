package chaos_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"ferry/events"
)

// cluster is three nats-server processes that keep three copies.
type cluster struct {
	*kit
	nodes [3]*node
}

// node is one server: it comes back with the same name, ports and store.
type node struct {
	name, config, url string
	*proc
}

// cluster lays three servers out; none runs yet.
func (k *kit) cluster() *cluster {
	k.Helper()
	c := &cluster{kit: k}
	ports := k.ports(2 * len(c.nodes))
	var routes []string
	for i := range c.nodes {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", ports[i]))
	}
	for i := range c.nodes {
		n := &node{name: fmt.Sprintf("n%d", i+1), url: fmt.Sprintf("nats://127.0.0.1:%d", ports[len(c.nodes)+i])}
		n.config = filepath.Join(k.dir, n.name+".conf")
		text := fmt.Sprintf(serverConfig, n.name, ports[len(c.nodes)+i], filepath.Join(k.dir, n.name), ports[i], strings.Join(routes, ", "))
		if err := os.WriteFile(n.config, []byte(text), 0o600); err != nil {
			k.Fatal(err)
		}
		c.nodes[i] = n
	}
	return c
}

const serverConfig = `
server_name: %s
listen: "127.0.0.1:%d"
jetstream: {store_dir: %q, sync_interval: always, max_file_store: 4GB}
cluster: {name: chaos, listen: "127.0.0.1:%d", routes: [%s]}
`

// ports are free ones of this machine.
func (k *kit) ports(n int) []int {
	k.Helper()
	var ports []int
	for range n {
		var listen net.ListenConfig
		l, err := listen.Listen(k.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			k.Fatal(err)
		}
		defer func() { _ = l.Close() }() // when all are known
		address, _ := l.Addr().(*net.TCPAddr)
		ports = append(ports, address.Port)
	}
	return ports
}

func (c *cluster) start(i int) {
	c.Helper()
	n := c.nodes[i]
	n.proc = c.run(n.name, c.server, "-c", n.config)
}

// url names all servers, as nats.url does.
func (c *cluster) url() string {
	var urls []string
	for _, n := range c.nodes {
		urls = append(urls, n.url)
	}
	return strings.Join(urls, ",")
}

// connect is the judge's own way in.
func (c *cluster) connect() (*nats.Conn, natsjs.JetStream) {
	c.Helper()
	nc, err := nats.Connect(c.url(), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond), nats.RetryOnFailedConnect(true),
		nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2), nats.ReconnectBufSize(-1))
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(nc.Close)
	js, err := natsjs.New(nc)
	if err != nil {
		c.Fatal(err)
	}
	return nc, js
}

// state is what the cluster says about Ferry's stream.
func (c *cluster) state(js natsjs.JetStream) (leader int, whole bool) {
	s, err := js.Stream(c.Context(), events.Stream)
	if err != nil {
		return -1, false
	}
	info := s.CachedInfo().Cluster
	if info == nil {
		return -1, false
	}
	whole = len(info.Replicas) == len(c.nodes)-1
	for _, r := range info.Replicas {
		whole = whole && r.Current && !r.Offline
	}
	for i, n := range c.nodes {
		if n.name == info.Leader {
			return i, whole
		}
	}
	return -1, false
}
