package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/failover"
)

// pullFor is how long one request for a message waits at the server. It also keeps a pinned client pinned.
const pullFor = 5 * time.Second

// retryAfter is how long a message rests whose handling failed.
const retryAfter = time.Second

// leaveAlone is how long a message rests that only a newer version can read: one may be there during an upgrade.
const leaveAlone = 10 * time.Second

// tooLate reports whether a command that cannot be read would not be acted on any more if it could: it has come as often as
// it takes. The clock of this host may be wrong.
func tooLate(d delivery) bool { return d.times > uint64(failover.CommandValidity/leaveAlone) }

// asideAtOnce is how many commands of a newer version an executor leaves alone in the time that one may be acted on. Each of them
// is a place fewer for all others in the queue, and whoever may ask for anything can make up as many as they like.
const asideAtOnce = 50

// aside counts the commands that are left alone. Safe for use by several goroutines.
type aside struct {
	mu    sync.Mutex
	since time.Time
	n     int
}

// leave reports whether a command that only a newer version can read is to come again.
func (a *aside) leave(d delivery) bool {
	if d.times > 1 { // it has its place
		return !tooLate(d)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := time.Now(); now.Sub(a.since) > failover.CommandValidity {
		a.since, a.n = now, 0
	}
	a.n++
	return a.n <= asideAtOnce
}

// Commands hands each stored command to handle, at most slots at once, until ctx ends. A nil answer acknowledges it;
// an error brings it back. A message that is no command is acknowledged and reported: it will never become one.
func (c *Client) Commands(ctx context.Context, slots int, handle func(context.Context, failover.Command) error) error {
	var newer aside
	return c.work(ctx, consumerDecide, slots, func(ctx context.Context, d delivery) error {
		cmd, err := events.DecodeCommand(d.Message)
		if errors.Is(err, events.ErrNewer) && newer.leave(d) {
			return err
		}
		if err != nil {
			c.log.ErrorContext(ctx, "not a command", slog.String("subject", d.Subject), slog.Any("error", err))
			return nil
		}
		return handle(ctx, cmd)
	})
}

// Drives hands each operation that has work to handle, at most slots at once, until ctx ends. While handle runs the
// message is kept alive; when that fails for too long, another executor may have it and handle's context is cancelled.
// The number is the message's sequence. failover.ErrSuperseded leaves the message to whoever has it now.
func (c *Client) Drives(ctx context.Context, slots int, handle func(context.Context, failover.OpID, uint64) error) error {
	return c.work(ctx, consumerDrive, slots, func(ctx context.Context, d delivery) error {
		op, err := events.DecodeDrive(d.Message)
		if errors.Is(err, events.ErrNewer) {
			return err
		}
		if err != nil {
			c.log.ErrorContext(ctx, "not a work message", slog.String("subject", d.Subject), slog.Any("error", err))
			return nil
		}
		return handle(ctx, op, d.Seq)
	})
}

func (c *Client) work(ctx context.Context, name string, slots int, handle func(context.Context, delivery) error) error {
	err := Await(ctx, c.log, "consumer "+name, func(ctx context.Context) error {
		_, err := c.js.Consumer(ctx, events.Stream, name)
		return err
	})
	if err != nil {
		return err
	}
	free := make(chan struct{}, slots)
	var running sync.WaitGroup
	defer running.Wait()
	for ctx.Err() == nil {
		// One pull for each free slot: what is fetched ahead would run out of its time in our buffer.
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		d, err := c.deliver(ctx, name)
		if errors.Is(err, nats.ErrConnectionClosed) {
			return fmt.Errorf("consumer %s: %w", name, err)
		}
		if err != nil {
			<-free
			c.pause(ctx, name, err)
			continue
		}
		running.Go(func() {
			defer func() { <-free }()
			c.one(ctx, name, d, handle)
		})
	}
	return nil
}

func (c *Client) pull(ctx context.Context, consumer jetstream.Consumer, opts ...jetstream.FetchOpt) (jetstream.Msg, error) {
	if err := c.connected(); err != nil { // a request that cannot be sent leaves its subscription behind
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, pullFor)
	defer cancel()
	return consumer.Next(append(opts, jetstream.FetchContext(ctx))...)
}

// connected is why nothing can be asked just now.
func (c *Client) connected() error {
	switch {
	case c.nc.IsClosed():
		return nats.ErrConnectionClosed
	case !c.nc.IsConnected():
		return nats.ErrConnectionReconnecting
	}
	return nil
}

// pause waits after a pull that brought nothing because of trouble; an empty queue is none.
func (c *Client) pause(ctx context.Context, name string, err error) {
	if errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return
	}
	c.log.WarnContext(ctx, "no messages from NATS", slog.String("consumer", name), slog.Any("error", err))
	select {
	case <-ctx.Done():
	case <-time.After(retryAfter):
	}
}

func (c *Client) one(ctx context.Context, name string, d delivery, handle func(context.Context, delivery) error) {
	work, stop := context.WithCancelCause(ctx)
	var beating sync.WaitGroup
	beating.Go(func() { c.beat(work, stop, name, d) })
	err := handle(work, d)
	stop(nil)
	beating.Wait()
	// Whoever has a lost message now must not have it taken away: the server takes anybody's word about it.
	if errors.Is(err, failover.ErrSuperseded) || err != nil && errors.Is(context.Cause(work), errLost) {
		return
	}
	if err != nil {
		if ctx.Err() != nil {
			c.log.InfoContext(ctx, "handed over", slog.String("consumer", name), slog.String("subject", d.Subject))
		} else {
			c.log.WarnContext(ctx, "handling failed, it comes again", slog.String("consumer", name), slog.String("subject", d.Subject), slog.Any("error", err))
		}
		rest := retryAfter
		if errors.Is(err, events.ErrNewer) {
			rest = leaveAlone
		}
		err = c.seam(name+".nak", func() error { return d.nak(rest) })
	} else {
		err = c.seam(name+".ack", func() error { return d.ack(ctx) })
	}
	if err != nil {
		c.log.DebugContext(ctx, "not acknowledged, it comes again", slog.String("consumer", name), slog.String("subject", d.Subject), slog.Any("error", err))
	}
}

func doubleAck(ctx context.Context, m jetstream.Msg) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
	defer cancel()
	return m.DoubleAck(ctx)
}

// errLost is why work is stopped whose message could not be kept alive.
var errLost = errors.New("the message may be another's by now")

// beat tells the server that a message is being worked on, and stops the work when that cannot be told.
func (c *Client) beat(ctx context.Context, stop context.CancelCauseFunc, name string, d delivery) {
	told := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(ackWait / 3):
		}
		err := c.seam(name+".heartbeat", func() error {
			if err := c.connected(); err != nil {
				return err
			}
			return d.keep()
		})
		switch {
		case err == nil:
			told = time.Now()
		case time.Since(told) > ackWait/2:
			c.log.WarnContext(ctx, "lost the message being worked on", slog.String("consumer", name), slog.String("subject", d.Subject), slog.Any("error", err))
			stop(errLost)
			return
		}
	}
}

func fromMsg(m jetstream.Msg) events.Message {
	msg := events.Message{Subject: m.Subject(), Header: events.Header(m.Headers()), Data: m.Data()}
	if meta, err := m.Metadata(); err == nil {
		msg.Seq, msg.Stored = meta.Sequence.Stream, meta.Timestamp
	}
	return msg
}

// Submit stores a command; nil means that it is stored for sure. The same command may be submitted any number of times.
func (c *Client) Submit(ctx context.Context, source string, cmd failover.Command) error {
	m, err := events.EncodeCommand(source, cmd)
	if err != nil {
		return err
	}
	_, err = c.store(ctx, "command.store", []guarded{{msg: m}})
	return err
}
