package jetstream

import (
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// RawConn is the connection under a client: a test attacks with it.
func RawConn(c *Client) *nats.Conn { return c.nc }

// Raw is JetStream under a client.
func Raw(c *Client) jetstream.JetStream { return c.js }
