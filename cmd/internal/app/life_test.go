package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"

	"ferry/config"
)

// idle is a process that nobody outside answers.
func idle(t *testing.T) *App {
	t.Helper()
	c := config.Default()
	c.DataDir, c.HTTP.Listen = t.TempDir(), ""
	c.Slack.APIURL, c.Slack.TeamID, c.Slack.Channel = "http://slack.test/api/", "T0SANDBOX", "C0INCIDENT"
	c.Slack.BotToken, c.Slack.AppToken = config.NewSecret("xoxb-sandbox"), config.NewSecret("xapp-sandbox")
	c.Azure.Endpoint, c.Azure.Credential = "https://azure.test", "managed_identity"
	c.Azure.Vaults = []config.Vault{{SubscriptionID: "s", ResourceGroup: "g", Name: "v"}}
	away := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("away") }
	return New(Options{Config: c, Roles: []Role{Bot, Executor}, Name: "test", Log: slog.New(slog.DiscardHandler), Dial: away, Unreachable: true})
}

func TestOneLife(t *testing.T) {
	t.Parallel()
	a := idle(t)
	for range 2 {
		if err := a.Start(t.Context()); err != nil {
			t.Fatalf("starting: %v", err)
		}
	}
	for range 2 {
		if err := a.Stop(t.Context()); err != nil {
			t.Fatalf("stopping: %v", err)
		}
	}
	again := idleOn(t, a.opts.Config.DataDir) // is free again
	if err := again.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := idleOn(t, a.opts.Config.DataDir).Start(t.Context()); !errors.Is(err, ErrLocked) {
		t.Errorf("a second one on the directory: %v", err)
	}
	if err := again.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func idleOn(t *testing.T, dir string) *App {
	t.Helper()
	a := idle(t)
	a.opts.Config.DataDir = dir
	return a
}

func TestStopFirst(t *testing.T) {
	t.Parallel()
	a := idle(t)
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := a.Start(t.Context()); !errors.Is(err, ErrStopped) {
			t.Errorf("started after its end: %v", err)
		}
	}
}

// A process that waits for NATS ends when it is told to.
func TestStopWhileWaiting(t *testing.T) {
	t.Parallel()
	waiting := make(chan struct{}, 16)
	a := idle(t)
	a.opts.Config.NATS.URL = "nats://127.0.0.1:1" // nobody listens there
	a.opts.Log = slog.New(signalling{slog.DiscardHandler, waiting})
	started := make(chan error, 1)
	go func() { started <- a.Start(t.Context()) }()
	<-waiting
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-started; !errors.Is(err, ErrStopped) {
		t.Errorf("the start that was cut short: %v", err)
	}
}

// signalling tells of every line.
type signalling struct {
	slog.Handler
	told chan struct{}
}

func (s signalling) Enabled(context.Context, slog.Level) bool { return true }

func (s signalling) Handle(context.Context, slog.Record) error {
	s.told <- struct{}{}
	return nil
}
