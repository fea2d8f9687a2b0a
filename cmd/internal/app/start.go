package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"

	"ferry/bot/slack"
	"ferry/config"
	"ferry/events/jetstream"
	"ferry/executor"
	"ferry/executor/azure"
	"ferry/failover"
)

// httpTimeout bounds one request to Slack or Azure.
const httpTimeout = 30 * time.Second

// dialWithin bounds one attempt to reach NATS.
const dialWithin = 2 * time.Second

// Start brings every part up. It waits for NATS as long as ctx and [App.Stop] let it. When a part fails, what was started is
// stopped again.
func (a *App) Start(ctx context.Context) error {
	a.starting.Lock()
	defer a.starting.Unlock()
	if a.started {
		return a.result
	}
	a.started = true
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-a.ctx.Done():
			cancel()
		case <-limited.Done():
		}
	}()
	err := a.start(limited)
	if a.ctx.Err() != nil {
		err = errors.Join(ErrStopped, err)
	}
	if err != nil {
		err = errors.Join(err, a.end(context.WithoutCancel(ctx)))
	}
	a.result = err
	return err
}

func (a *App) start(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	a.serveHealth(ctx)
	if err := a.serveNATS(); err != nil {
		return err
	}
	clients := map[Role]*jetstream.Client{}
	for _, role := range a.opts.Roles {
		client, err := a.connect(ctx, string(role))
		if err != nil {
			return err
		}
		a.onStop("connection of the "+string(role), func(context.Context) error { client.Close(); return nil })
		clients[role] = client
		a.health.connected(role, client)
	}
	a.auditor = clients[Executor]
	first, err := a.setUp(ctx, clients)
	if err != nil {
		return err
	}
	clock := jetstream.NewClock(first, a.opts.Now)
	clock.Set(ctx)
	a.health.tells(clock.Now)
	a.loop("clock", clock.Run)
	board := newBoard(first, clients[Executor] != nil)
	a.loop("board", board.Run)
	a.waits = append(a.waits, board.Ready())
	var azure jetstream.Azure
	if client := clients[Executor]; client != nil {
		e, err := a.startExecutor(client, board, clock)
		if err != nil {
			return err
		}
		azure = e
		a.loop("audit", func(ctx context.Context) error { return client.KeepAudit(ctx, board.Changes) })
		if path := a.opts.Config.Audit.File; path != "" {
			a.loop("audit.file", func(ctx context.Context) error {
				return writeHeads(ctx, path, daily(a.opts.Config.Digest), clock.Now, heads{client}, a.opts.Log)
			})
		}
	}
	reads := make(chan struct{})
	a.loop("reads", func(ctx context.Context) error {
		from := jetstream.Sources{Board: board, Azure: azure, Policy: policy(a.opts.Config), RPO: a.opts.Config.Targets.RPO, RTO: a.opts.Config.Targets.RTO}
		return first.Serve(ctx, from, semver(a.opts.Version), func() { close(reads) })
	})
	a.waits = append(a.waits, reads)
	if client := clients[Bot]; client != nil {
		return a.startBot(ctx, client, board, clock)
	}
	return nil
}

// newBoard makes the board of a process. A bot alone has no right to make a consumer for it.
func newBoard(c *jetstream.Client, executor bool) *jetstream.Board {
	if executor {
		return jetstream.NewBoard(c)
	}
	return jetstream.NewReadingBoard(c)
}

// serveNATS starts the embedded server unless the configuration names another one.
func (a *App) serveNATS() error {
	if a.opts.Config.NATS.URL != "" {
		return nil
	}
	embedded, err := jetstream.StartEmbedded(a.opts.Config.DataDir, !a.opts.Unreachable, a.opts.Log)
	if err != nil {
		return err
	}
	a.embedded = embedded
	a.onStop("embedded NATS server", func(context.Context) error { return embedded.Stop() })
	a.loop("embedded NATS server", embedded.Watch)
	return nil
}

func (a *App) connect(ctx context.Context, role string) (client *jetstream.Client, err error) {
	o, err := a.natsAs(role)
	if err != nil {
		return nil, err
	}
	err = jetstream.Await(ctx, a.opts.Log, "a connection", func(context.Context) (err error) {
		client, err = jetstream.Connect(o)
		return err
	})
	if err == nil && client.InTheClear() {
		a.opts.Log.WarnContext(ctx, "NATS is reached without encryption: whoever is on the way can read and change what is said", slog.String("hint", "see nats.tls and deploy/nats"))
	}
	return client, err
}

// natsAs is how a role of this process reaches the server.
func (a *App) natsAs(role string) (jetstream.Options, error) {
	o, err := natsOptions(a.opts.Config.NATS, role)
	if err != nil {
		return o, err
	}
	if a.embedded != nil {
		o = a.embedded.Options(role)
	}
	o.Replicas, o.Seam, o.Log = a.opts.Config.NATS.Replicas, a.opts.Seam, a.opts.Log
	if a.opts.Dial != nil {
		o.Dial = a.dialNATS
	}
	return o, nil
}

// setUp makes sure that stream, consumers and buckets are there, and gives the client that may read them all. An executor
// makes what is missing; a bot alone waits for one to do it.
func (a *App) setUp(ctx context.Context, clients map[Role]*jetstream.Client) (*jetstream.Client, error) {
	if executor := clients[Executor]; executor != nil {
		return executor, jetstream.Await(ctx, a.opts.Log, "its stream, consumers and buckets", executor.Ensure)
	}
	bot := clients[Bot]
	return bot, jetstream.Await(ctx, a.opts.Log, "an executor to set up stream, consumers and buckets", bot.Present)
}

// dialNATS is asked for as long as the process lives, with every reconnection.
func (a *App) dialNATS(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(a.ctx, dialWithin)
	defer cancel()
	return a.opts.Dial(ctx, network, address)
}

func (a *App) startExecutor(client *jetstream.Client, board *jetstream.Board, clock *jetstream.Clock) (*executor.Executor, error) {
	site, err := a.site()
	if err != nil {
		return nil, err
	}
	e := executor.New(executor.Options{
		Name: a.opts.Name, Journal: jetstream.NewJournal(client), Queue: client, Board: board, Shelf: client, Site: site,
		Policy: policy(a.opts.Config), Fleets: fleets(a.opts.Config), Sizes: a.opts.Config.Azure.AlternativeSizes, RTO: a.opts.Config.Targets.RTO, Groups: client, Seam: a.opts.Seam, Log: a.opts.Log, Clock: clock,
		Networks: a.opts.Config.Azure.IsolatedNetworks, Checks: checks(a.opts.Config), CheckNames: sortedKeys(a.opts.Config.Checks), Prober: a.prober(client),
	})
	a.loop("executor", e.Run)
	return e, nil
}

// prober asks over the network that everything else uses; a VM gets no token.
func (a *App) prober(client *jetstream.Client) prober {
	p := prober{http: a.httpClient(), dial: a.opts.Dial, request: client.Ask}
	p.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // a page to sign in at is no pass
	if p.dial == nil {
		p.dial = (&net.Dialer{}).DialContext
	}
	return p
}

func (a *App) site() (executor.Site, error) {
	cfg := a.opts.Config.Azure
	client := a.httpClient()
	// A token goes only where it was meant to go.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	credential, err := azure.NewCredential(cfg.Credential, cfg.Endpoint, client)
	if err != nil {
		return nil, fmt.Errorf("signing in to Azure: %w", err)
	}
	var vaults []azure.Vault
	for _, v := range cfg.Vaults {
		vaults = append(vaults, azure.Vault{SubscriptionID: v.SubscriptionID, ResourceGroup: v.ResourceGroup, Name: v.Name})
	}
	return azure.New(azure.Options{
		Endpoint: cfg.Endpoint, Vaults: vaults, Caches: cfg.CacheStorage, Resizes: len(cfg.AlternativeSizes) > 0, Credential: credential, Transport: client, Version: a.opts.Version, Log: a.opts.Log,
		Tags: byTags(a.opts.Config),
	})
}

func (a *App) httpClient() *http.Client {
	transport, _ := http.DefaultTransport.(*http.Transport)
	transport = transport.Clone()
	if a.opts.Dial != nil {
		transport.DialContext, transport.Proxy = a.opts.Dial, nil
	}
	a.onStop("idle HTTP connections", func(context.Context) error { transport.CloseIdleConnections(); return nil })
	return &http.Client{Transport: transport, Timeout: httpTimeout}
}

func (a *App) startBot(ctx context.Context, client *jetstream.Client, board *jetstream.Board, clock *jetstream.Clock) error {
	var announcements *jetstream.Announcements
	var messages *jetstream.Messages
	err := jetstream.Await(ctx, a.opts.Log, "what it announces", func(ctx context.Context) (err error) {
		if announcements, err = client.OpenAnnouncements(ctx); err != nil {
			return err
		}
		messages, err = client.OpenMessages(ctx)
		return err
	})
	if err != nil {
		return err
	}
	a.onStop("announcing", func(ctx context.Context) error {
		if err := announcements.HandOver(ctx); err != nil {
			a.opts.Log.InfoContext(ctx, "another bot announces after some seconds only", slog.Any("error", err))
		}
		return nil
	})
	cfg := a.opts.Config.Slack
	dialer := *websocket.DefaultDialer
	dialer.NetDialContext = a.opts.Dial
	listener, err := a.listen(ctx, cfg)
	if err != nil {
		return err
	}
	o := slack.Options{
		Listener: listener, SigningSecrets: revealed(cfg.SigningSecrets),
		BotToken: cfg.BotToken.Reveal(), AppToken: cfg.AppToken.Reveal(), APIURL: cfg.APIURL, TeamID: cfg.TeamID, Channel: cfg.Channel, Topic: cfg.Topic,
		Approvers: approvers(cfg, policy(a.opts.Config)), MayRead: mayRead(context.WithoutCancel(ctx), a.opts.Config, client, clock.Now),
		Policy:   policyNow(context.WithoutCancel(ctx), a.opts.Config, client, clock.Now),
		Networks: a.opts.Config.Azure.IsolatedNetworks, Commands: commands{client, board}, Reads: reads{client}, Feed: feed{announcements}, Refs: refs{messages},
		Groups: groupsOf(a.opts.Config.Access), Members: client,
		HTTPClient: a.httpClient(), Dialer: &dialer, Log: a.opts.Log, Seam: a.opts.Seam, Now: clock.Now,
	}
	o.Homes = &homes{client: client, board: board, policy: o.Policy, rpo: a.opts.Config.Targets.RPO, name: a.opts.Name, version: a.opts.Version}
	if a.opts.Config.Audit.Post {
		o.Heads, o.Daily = heads{client}, daily(a.opts.Config.Digest)
	}
	b, err := slack.New(o)
	if err != nil {
		return err
	}
	a.health.has(b)
	a.loop("Slack", b.Run)
	a.waits = append(a.waits, b.Connected())
	return nil
}

// listen opens the port that Slack posts to, in mode http.
func (a *App) listen(ctx context.Context, cfg config.Slack) (net.Listener, error) {
	if cfg.Mode != config.ModeHTTP {
		return nil, nil
	}
	listen := a.opts.Listen
	if listen == nil {
		listen = new(net.ListenConfig).Listen
	}
	l, err := listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening for Slack at slack.listen: %w", err)
	}
	a.onStop("the port of slack.listen", func(context.Context) error { _ = l.Close(); return nil }) // the bot has, if it came to run
	return l, nil
}

func revealed(secrets config.Secrets) []string {
	var texts []string
	for _, s := range secrets {
		texts = append(texts, s.Reveal())
	}
	return texts
}

// approvers gives the Slack users and user groups that may decide the gate that an operation waits at, or that decided about one which
// needs attention; of one that was put on hold by itself those that may let it go on or cancel it. A group stands for its members.
func approvers(cfg config.Slack, p failover.Policy) func(failover.Operation) []string {
	return func(op failover.Operation) []string {
		held := op.Phase == failover.Running && op.OnHold != nil && op.OnHold.By.ID == ""
		if !cfg.NotifyApprovers || op.Gate() == "" && !op.Unreviewed() && op.Phase != failover.NeedsAttention && !held {
			return nil
		}
		if ids := p.Steerers(op); held && len(ids) > 0 {
			ids = append(ids, slices.DeleteFunc(p.Reviewers(op), func(id string) bool { return slices.Contains(ids, id) })...)
			return slices.DeleteFunc(ids, func(id string) bool { return !isSlackID(id) })
		}
		if op.Gate() == "" && op.Unreviewed() {
			return slices.DeleteFunc(p.Reviewers(op), func(id string) bool { return !isSlackID(id) })
		}
		ids := p.Callable(op.GateRule(op.Gate()))
		if op.Change != nil {
			ids = append(ids, slices.DeleteFunc(p.Callable(op.Plan.ChangeBy), func(id string) bool { return slices.Contains(ids, id) })...)
		}
		return slices.DeleteFunc(ids, func(id string) bool { return !isSlackID(id) })
	}
}
