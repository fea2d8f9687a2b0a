package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"ferry/config"
	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// Identity is the NATS identity of a terminal: whoever may read the data directory, or holds the credentials file.
const Identity = "local"

// Client is a terminal's way to ask: it may submit commands as itself and use the services, and nothing else.
type Client struct{ nats *jetstream.Client }

// NewClient connects to the server that the configuration names, or to the embedded one of its data directory.
func NewClient(cfg config.Config, embedded bool, log *slog.Logger) (*Client, error) {
	client, err := connectAs(cfg, jetstream.RoleCLI, embedded, log)
	if err != nil {
		return nil, err
	}
	return &Client{client}, nil
}

// connectAs connects to the server that the configuration names, or to the embedded one of its data directory.
func connectAs(cfg config.Config, role string, embedded bool, log *slog.Logger) (*jetstream.Client, error) {
	o := jetstream.Options{URL: cfg.NATS.URL, Creds: cfg.NATS.Creds, Name: role, Log: log}
	if role == jetstream.RoleCLI {
		o.Identity = Identity
	}
	if embedded || o.URL == "" {
		found, err := jetstream.ReadClientFile(cfg.DataDir, role)
		if err != nil {
			return nil, fmt.Errorf("%w; say --data DIR or --config FILE", err)
		}
		o.URL, o.Seed, o.Creds = found.URL, found.Seed, ""
	}
	client, err := jetstream.Connect(o)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return client, nil
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

// Close ends the connection.
func (c *Client) Close() { c.nats.Close() }

// Submit stores a command for sure, or says that this is not known.
func (c *Client) Submit(ctx context.Context, cmd failover.Command) error {
	return c.nats.Submit(ctx, "cli-"+Identity, cmd)
}

// Watch waits a little for an operation to move, or for a command to be decided; false is not yet.
func (c *Client) Watch(ctx context.Context, req events.WatchRequest) (events.Watched, bool, error) {
	req.As = "cli:" + Identity
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

// Debt asks for what failovers and drills have left open.
func (c *Client) Debt(ctx context.Context) (failover.DebtList, error) { return c.nats.Debt(ctx) }
