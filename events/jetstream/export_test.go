package jetstream

import "github.com/nats-io/nats.go"

// RawConn is the connection under a client: a test attacks with it.
func RawConn(c *Client) *nats.Conn { return c.nc }
