// Package pipe is a network in memory between clients and a server of one process.
//
// It owns the handing over of connections, and refuses to know what goes over them. Fake time (testing/synctest) passes only
// while every goroutine waits for something in its bubble, and a real network is not in it. A Listener is safe for concurrent use.
package pipe

import (
	"context"
	"net"
	"sync"
)

// Listener is a net.Listener that is reached by its Dial alone.
type Listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// Listen makes a listener.
func Listen() *Listener {
	return &Listener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Dial connects to the server, whatever the address; it is an http.Transport's DialContext. It waits until the server
// accepts, the listener is closed (net.ErrClosed), or ctx ends.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener; it may be called again.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener: an address of loopback, behind which nothing is.
func (l *Listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }
