package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/failover"
)

// Announcements is the bots' queue of facts to show. One bot at a time is served.
type Announcements struct {
	client   *Client
	journal  *Journal
	consumer jetstream.Consumer
	pin      atomic.Value // string: by which the server knows the one bot that it serves
}

// OpenAnnouncements opens the queue.
func (c *Client) OpenAnnouncements(ctx context.Context) (*Announcements, error) {
	consumer, err := c.js.Consumer(ctx, events.Stream, consumerAnnounce)
	if err != nil {
		return nil, fmt.Errorf("opening consumer %s: %w", consumerAnnounce, err)
	}
	return &Announcements{client: c, journal: NewJournal(c), consumer: consumer}, nil
}

// How long a fact is looked for that was delivered and that the answering server does not have yet.
const (
	lagTries = 20
	lagPause = 250 * time.Millisecond
)

var errLag = errors.New("the fact is not there to read yet")

// Announcement is an operation as it is at a fact, or later.
type Announcement struct {
	Operation failover.Operation
	msg       jetstream.Msg
	client    *Client
}

// Next waits for the next fact to show.
func (a *Announcements) Next(ctx context.Context) (Announcement, error) {
	for {
		m, err := a.client.pull(ctx, a.consumer, jetstream.FetchPriorityGroup(announceGroup))
		if ctx.Err() != nil {
			return Announcement{}, ctx.Err()
		}
		if errors.Is(err, nats.ErrConnectionClosed) {
			return Announcement{}, fmt.Errorf("consumer %s: %w", consumerAnnounce, err)
		}
		if err != nil {
			a.client.pause(ctx, consumerAnnounce, err)
			continue
		}
		a.pin.Store(m.Headers().Get("Nats-Pin-Id"))
		op, err := a.load(ctx, m)
		if err != nil { // not acknowledged: it comes again
			a.client.log.WarnContext(ctx, "reading an operation to show", slog.String("subject", m.Subject()), slog.Any("error", err))
			continue
		}
		return Announcement{Operation: op, msg: m, client: a.client}, nil
	}
}

// load reads the operation of a fact as it is with that fact. A member of the cluster that lags behind answers without it, and
// a card drawn from that would stay as it was.
func (a *Announcements) load(ctx context.Context, m jetstream.Msg) (failover.Operation, error) {
	told, err := m.Metadata()
	if err != nil {
		return failover.Operation{}, fmt.Errorf("a fact that is no message of the stream: %w", err)
	}
	for range lagTries {
		op, err := a.journal.Load(ctx, failover.OpID(events.LastToken(m.Subject())))
		if err != nil || op.Seq >= told.Sequence.Stream {
			return op, err
		}
		select {
		case <-time.After(lagPause):
		case <-ctx.Done():
			return op, ctx.Err()
		}
	}
	return failover.Operation{}, errLag
}

// HandOver lets another bot announce at once, rather than when this one has been silent for some time. It is for a bot that
// ends.
func (a *Announcements) HandOver(ctx context.Context) error {
	pin, _ := a.pin.Load().(string)
	if pin == "" || !a.client.nc.IsConnected() {
		return nil // somebody else announces, or nobody could be told
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	info, err := a.consumer.Info(ctx)
	if err != nil {
		return fmt.Errorf("handing %s over: %w", consumerAnnounce, err)
	}
	if !slices.ContainsFunc(info.PriorityGroups, func(g jetstream.PriorityGroupState) bool { return g.PinnedClientID == pin }) {
		return nil
	}
	stream, err := a.client.stream(ctx)
	if err == nil {
		err = stream.UnpinConsumer(ctx, consumerAnnounce, announceGroup)
	}
	if err != nil {
		return fmt.Errorf("handing %s over: %w", consumerAnnounce, err)
	}
	return nil
}

// Ack says that the operation is shown as it was at this fact, or later.
func (a Announcement) Ack(ctx context.Context) error { return doubleAck(ctx, a.msg) }
