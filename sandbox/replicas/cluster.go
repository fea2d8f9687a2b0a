package replicas

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Cluster is three real servers in this process, on loopback and in real time: what a [Proxy] is compared with.
type Cluster struct{ servers []*server.Server }

// StartCluster starts the servers, with their stores below dir, and waits until they have found each other or ctx ends.
// Whoever makes a stream then still tries for a moment: the leader does not know all the others yet.
func StartCluster(ctx context.Context, dir string) (*Cluster, error) {
	c := &Cluster{}
	ports, err := freePorts(ctx, 3)
	if err != nil {
		return nil, err
	}
	var routes []*url.URL
	for _, port := range ports {
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	for i, port := range ports {
		name := fmt.Sprintf("n%d", i)
		s, err := server.NewServer(&server.Options{
			ServerName: name, Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: filepath.Join(dir, name), NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "lab", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			c.Stop()
			return nil, fmt.Errorf("configuring server %s: %w", name, err)
		}
		s.Start()
		c.servers = append(c.servers, s)
	}
	for !c.formed() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			c.Stop()
			return nil, fmt.Errorf("the servers have not found each other: %w", ctx.Err())
		}
	}
	return c, nil
}

func (c *Cluster) formed() bool {
	return slices.ContainsFunc(c.servers, (*server.Server).JetStreamIsLeader) &&
		!slices.ContainsFunc(c.servers, func(s *server.Server) bool { return !s.JetStreamIsCurrent() })
}

// URL lists the addresses of all servers.
func (c *Cluster) URL() string {
	var urls []string
	for _, s := range c.servers {
		urls = append(urls, s.ClientURL())
	}
	return strings.Join(urls, ",")
}

// Stop ends the servers.
func (c *Cluster) Stop() {
	for _, s := range c.servers {
		s.Shutdown()
	}
	for _, s := range c.servers {
		s.WaitForShutdown()
	}
}

// freePorts finds ports of loopback that nobody listens on, all at once so that they differ.
func freePorts(ctx context.Context, n int) (ports []int, err error) {
	var config net.ListenConfig
	for range n {
		l, listening := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if listening != nil {
			return nil, errors.Join(err, fmt.Errorf("looking for a port: %w", listening))
		}
		defer func() { err = errors.Join(err, l.Close()) }()
		address, _ := l.Addr().(*net.TCPAddr)
		ports = append(ports, address.Port)
	}
	return ports, nil
}
