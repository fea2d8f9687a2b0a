// Package jetstream is Ferry's one door to NATS: the stream, its consumers and buckets as data, the journal with
// compare-and-set, the queues of the executor and the bot, the board of folded operations, and the request-reply services.
//
// It owns how a message gets stored for sure: a timeout says nothing, so a publish is retried with the same id and guard
// until the answer is definite. It refuses to decide anything: what is appended comes from failover, how it looks on the
// wire from events. A Client and everything made from it are safe for concurrent use.
package jetstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"ferry/events"
)

// Seam is where a test cuts a process: every store and acknowledgement runs inside one, under a stable name.
type Seam func(name string, do func() error) error

// Options say how to reach NATS and as whom.
type Options struct {
	URL       string                     // of the server; not used with InProcess
	Creds     string                     // credentials file; optional
	Seed      string                     // nkey seed of the identity; optional
	TLS       *tls.Config                // nil: as the server demands, with the system's certificates
	InProcess nats.InProcessConnProvider // an embedded server; optional
	Dial      Dial                       // replaces the network under URL; nil is the real one
	Name      string                     // role, for the server's logs and the reply inbox: bot, executor, cli
	Identity  string                     // of a terminal: the NAME of cli:NAME, which its key has to prove
	Replicas  int                        // of stream and buckets; 0 is 1
	Seam      Seam                       // nil: just do
	Log       *slog.Logger
}

// Dial opens a connection. nats.go hands no context on: whoever brings a Dial bounds it.
type Dial func(network, address string) (net.Conn, error)

// Dial implements nats.CustomDialer.
func (d Dial) Dial(network, address string) (net.Conn, error) { return d(network, address) }

// Client is one connection to NATS.
type Client struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	denials  *denials
	seam     Seam
	log      *slog.Logger
	replicas int

	mu     sync.Mutex
	opened jetstream.Stream // the handle; opening it is a request of its own

	lost *atomic.Pointer[time.Time] // when the connection was lost last; nil: never
}

// Connect opens the connection. It comes back by itself after an outage, for ever.
func Connect(o Options) (*Client, error) {
	denied, lost := &denials{}, &atomic.Pointer[time.Time]{}
	opts := []nats.Option{
		nats.Name("ferry-" + o.Name), nats.CustomInboxPrefix(Inbox(o.Name, o.Identity)),
		nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond),
		// While the server is away nothing is kept to be sent later: who gave up must not be surprised by it being stored.
		nats.ReconnectBufSize(-1),
		// A hung server is noticed after two missed pings; the defaults would take minutes.
		nats.PingInterval(5 * time.Second), nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { now := time.Now(); lost.Store(&now) }),
		// A refused permission looks like a timeout to the caller; the reason comes only here.
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			denied.heard(err, Inbox(o.Name, o.Identity))
			o.Log.Warn("nats", slog.String("role", o.Name), slog.Any("error", err))
		}),
	}
	if o.InProcess != nil {
		opts = append(opts, nats.InProcessServer(o.InProcess))
	}
	if o.Dial != nil {
		opts = append(opts, nats.SetCustomDialer(o.Dial))
	}
	if o.TLS != nil {
		opts = append(opts, nats.Secure(o.TLS))
	}
	if o.Creds != "" {
		opts = append(opts, nats.UserCredentials(o.Creds))
	}
	if o.Seed != "" {
		login, err := nkeyOption(o.Seed)
		if err != nil {
			return nil, err
		}
		opts = append(opts, login)
	}
	nc, err := nats.Connect(o.URL, opts...)
	if errors.Is(err, nats.ErrAuthorization) {
		err = fmt.Errorf("%w (%w)", &DeniedError{}, err)
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to NATS as %s: %w", o.Name, err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("opening JetStream: %w", err)
	}
	seam := o.Seam
	if seam == nil {
		seam = func(_ string, do func() error) error { return do() }
	}
	return &Client{nc: nc, js: js, denials: denied, seam: seam, log: o.Log, replicas: max(1, o.Replicas), lost: lost}, nil
}

var errSeed = errors.New("the nkey seed cannot be read")

func nkeyOption(seed string) (nats.Option, error) {
	pair, err := nkeys.FromSeed([]byte(seed))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSeed, err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSeed, err)
	}
	return nats.Nkey(public, pair.Sign), nil
}

// Away is why the server cannot be asked just now, nil when it can, and since when by the clock of this host; zero: not known.
func (c *Client) Away() (since time.Time, err error) {
	if err = c.connected(); err == nil {
		return since, nil
	}
	if at := c.lost.Load(); at != nil {
		since = *at
	}
	return since, err
}

// InTheClear reports whether the connection leaves this host without encryption.
func (c *Client) InTheClear() bool {
	at, err := url.Parse(c.nc.ConnectedUrl())
	if _, plain := c.nc.TLSConnectionState(); plain == nil || err != nil || at.Host == "" {
		return false
	}
	ip, err := netip.ParseAddr(at.Hostname())
	return at.Hostname() != "localhost" && (err != nil || !ip.IsLoopback())
}

// Close ends the connection when what was sent has arrived, which matters to whoever takes over. What was stored stays
// stored; what was not acknowledged comes again.
func (c *Client) Close() {
	if c.nc.IsConnected() {
		_ = c.nc.FlushTimeout(attemptTimeout) // nothing is lost without it, only later
	}
	c.nc.Close()
}

// stream gives the handle of the one stream.
func (c *Client) stream(ctx context.Context) (jetstream.Stream, error) {
	c.mu.Lock()
	opened := c.opened
	c.mu.Unlock()
	if opened != nil {
		return opened, nil
	}
	// Not under the lock: who has less time must not wait for somebody else's request.
	s, err := c.js.Stream(ctx, events.Stream)
	if err != nil {
		return nil, fmt.Errorf("opening stream %s: %w", events.Stream, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened = s
	return s, nil
}

// read turns a stored message into what events decodes.
func read(raw *jetstream.RawStreamMsg) events.Message {
	return events.Message{Subject: raw.Subject, Header: events.Header(raw.Header), Data: raw.Data, Seq: raw.Sequence}
}
