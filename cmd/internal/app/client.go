package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"ferry/config"
	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// Client is a terminal's way to ask: it may submit commands as itself and use the services, and nothing else.
type Client struct {
	nats     *jetstream.Client
	identity string
}

// ID is who asks, as in cli:local.
func (c *Client) ID() string { return "cli:" + c.identity }

// NewClient connects to the server that the configuration names, or to the embedded one of its data directory.
func NewClient(cfg config.Config, embedded bool, log *slog.Logger) (*Client, error) {
	client, err := connectAs(cfg, jetstream.RoleCLI, embedded, log)
	if err != nil {
		return nil, err
	}
	identity := cfg.NATS.Identity
	if embedded || cfg.NATS.URL == "" {
		identity = jetstream.LocalIdentity
	}
	return &Client{client, identity}, nil
}

// connectAs connects to the server that the configuration names, or to the embedded one of its data directory.
func connectAs(cfg config.Config, role string, embedded bool, log *slog.Logger) (*jetstream.Client, error) {
	o, err := natsOptions(cfg.NATS, role)
	if err != nil {
		return nil, err
	}
	o.Log = log
	if embedded || o.URL == "" {
		found, err := jetstream.ReadClientFile(cfg.DataDir, role)
		if err != nil {
			return nil, fmt.Errorf("%w; say --data DIR or --config FILE", err)
		}
		o.URL, o.Seed, o.Creds, o.TLS = found.URL, found.Seed, "", nil
		if role == jetstream.RoleCLI {
			o.Identity = jetstream.LocalIdentity
		}
	}
	client, err := jetstream.Connect(o)
	if err != nil && jetstream.Passing(err) {
		err = fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return client, err
}

// natsOptions say how an identity reaches the server that a configuration names.
func natsOptions(cfg config.NATS, role string) (jetstream.Options, error) {
	o := jetstream.Options{URL: cfg.URL, Creds: cfg.Creds, Seed: cfg.NKey.Reveal(), Name: role, Replicas: cfg.Replicas}
	if role == jetstream.RoleCLI {
		o.Identity = cfg.Identity
	}
	if cfg.TLS.IsZero() {
		return o, nil
	}
	o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: cfg.TLS.ServerName}
	if cfg.TLS.CA != "" {
		pem, err := os.ReadFile(cfg.TLS.CA)
		if err != nil {
			return o, fmt.Errorf("reading nats.tls.ca: %w", err)
		}
		o.TLS.RootCAs = x509.NewCertPool()
		if !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return o, fmt.Errorf("reading nats.tls.ca: no certificate stands in %s", cfg.TLS.CA)
		}
	}
	if cfg.TLS.Cert != "" {
		pair, err := tls.LoadX509KeyPair(cfg.TLS.Cert, cfg.TLS.Key)
		if err != nil {
			return o, fmt.Errorf("reading nats.tls.cert and key: %w", err)
		}
		o.TLS.Certificates = []tls.Certificate{pair}
	}
	return o, nil
}

// The ways in which nothing is known.
var (
	// ErrUnreachable says that no server listens: ferry is not up, or not there.
	ErrUnreachable = errors.New("no NATS server answers; is ferry up?")
	// ErrNoAnswer says that the server is there and no bot or executor is.
	ErrNoAnswer = jetstream.ErrNoAnswer
	// ErrNotConfirmed says that a command may be stored or not.
	ErrNotConfirmed = jetstream.ErrNotConfirmed
)

// DeniedError says that the server does not let an identity ask something.
type DeniedError = jetstream.DeniedError

// Close ends the connection.
func (c *Client) Close() { c.nats.Close() }

// Submit stores a command for sure, or says that this is not known.
func (c *Client) Submit(ctx context.Context, cmd failover.Command) error {
	err := c.nats.Submit(ctx, "cli-"+c.identity, cmd)
	if _, denied := errors.AsType[*jetstream.DeniedError](err); denied {
		return c.mayNotSpeak()
	}
	return err
}

// mayNotSpeak refuses what the server does not let this key ask.
func (c *Client) mayNotSpeak() error {
	return failover.Refuse(failover.NotAllowed, "nats.identity of the configuration has to be the NAME that the key was given out for (cli-NAME on the server); a viewer's key may only look.",
		"This key may not speak as %s.", c.ID())
}

// Watch waits a little for an operation to move, or for a command to be decided; false is not yet.
func (c *Client) Watch(ctx context.Context, req events.WatchRequest) (events.Watched, bool, error) {
	req.As = c.ID()
	return c.nats.Watch(ctx, req)
}

// Status asks for the operation that a reference means, or with "" for all that are open.
func (c *Client) Status(ctx context.Context, ref string) (failover.Found, error) {
	return c.nats.Status(ctx, ref)
}

// List asks for the replicated items and who holds them.
func (c *Client) List(ctx context.Context) (failover.Inventory, error) { return c.nats.List(ctx) }

// Points asks for the recovery points of a VM, newest first.
func (c *Client) Points(ctx context.Context, vm string) (failover.PointList, *failover.Refusal, error) {
	return c.nats.Points(ctx, events.PointsRequest{VM: vm})
}

// Jobs asks for what runs in the vaults and what has ended lately.
func (c *Client) Jobs(ctx context.Context) (failover.JobList, *failover.Refusal, error) {
	return c.nats.Jobs(ctx)
}

// Forecast asks how long a failover would take.
func (c *Client) Forecast(ctx context.Context, of failover.ForecastOf) (failover.Forecast, *failover.Refusal, error) {
	return c.nats.Forecast(ctx, of)
}

// Debt asks for what failovers and drills have left open.
func (c *Client) Debt(ctx context.Context) (failover.DebtList, error) { return c.nats.Debt(ctx) }

// Readiness asks what would not fail over now.
func (c *Client) Readiness(ctx context.Context) (failover.ReadinessList, error) {
	return c.nats.Readiness(ctx)
}

// Report asks for the story of an operation; false when there is none.
func (c *Client) Report(ctx context.Context, op failover.OpID) (failover.Report, bool, error) {
	return c.nats.Report(ctx, op)
}

// Newest asks for the newest operations in brief, newest first.
func (c *Client) Newest(ctx context.Context) ([]failover.Operation, error) { return c.nats.Newest(ctx) }
