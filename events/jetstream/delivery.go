package jetstream

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"ferry/events"
)

// delivery is a message that a consumer has handed out for work.
type delivery struct {
	events.Message
	times uint64 // how often it was delivered, this time counted; a server that was killed forgets
	reply string // where the server hears what becomes of it
	nc    *nats.Conn
}

// deliver asks a consumer for one message, until pullFor or ctx ends. What was delivered says its reply subject: the client
// library goes by a header, which anybody may write who may ask for something, and then never acknowledges the message.
func (c *Client) deliver(ctx context.Context, consumer string) (delivery, error) {
	if err := c.connected(); err != nil {
		return delivery{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, pullFor)
	defer cancel()
	request, err := json.Marshal(map[string]any{"batch": 1, "expires": pullFor * 9 / 10})
	if err != nil {
		return delivery{}, fmt.Errorf("asking for a message: %w", err)
	}
	inbox, answers := c.nc.NewInbox(), make(chan *nats.Msg, 1)
	sub, err := c.nc.ChanSubscribe(inbox, answers)
	if err != nil {
		return delivery{}, err
	}
	defer func() { _ = sub.Unsubscribe() }() // ends with the connection anyway
	if err := c.nc.PublishRequest("$JS.API.CONSUMER.MSG.NEXT."+events.Stream+"."+consumer, inbox, request); err != nil {
		return delivery{}, err
	}
	select {
	case m := <-answers:
		return c.delivered(m)
	case <-ctx.Done():
		return delivery{}, ctx.Err()
	}
}

// delivered tells a message from the server's word that there is none.
func (c *Client) delivered(m *nats.Msg) (delivery, error) {
	meta, err := m.Metadata()
	if err == nil {
		msg := events.Message{Subject: m.Subject, Header: events.Header(m.Header), Data: m.Data, Seq: meta.Sequence.Stream, Stored: meta.Timestamp}
		return delivery{Message: msg, times: meta.NumDelivered, reply: m.Reply, nc: c.nc}, nil
	}
	switch status := m.Header.Get("Status"); status {
	case "404", "408":
		return delivery{}, nats.ErrTimeout
	default:
		return delivery{}, fmt.Errorf("nats: %s %s", status, m.Header.Get("Description"))
	}
}

// ack is done when the server has confirmed it.
func (d delivery) ack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
	defer cancel()
	_, err := d.nc.RequestWithContext(ctx, d.reply, []byte("+ACK"))
	return err
}

// nak has it delivered again after a time.
func (d delivery) nak(after time.Duration) error {
	return d.nc.Publish(d.reply, fmt.Appendf(nil, `-NAK {"delay": %d}`, after.Nanoseconds()))
}

// keep tells the server that it is being worked on.
func (d delivery) keep() error { return d.nc.Publish(d.reply, []byte("+WPI")) }
