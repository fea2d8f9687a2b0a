package app

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ferry/config"
	"ferry/events/jetstream"
	"ferry/failover"
)

// A key speaks as the name that it was given out for, and says at once when it may not.
func TestAKeySpeaksForItsNameOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	embedded, err := jetstream.StartEmbedded(dir, true, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = embedded.Stop() })
	o := embedded.Options(jetstream.RoleExecutor)
	o.Log = slog.New(slog.DiscardHandler)
	executor, err := jetstream.Connect(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(executor.Close)
	if err := executor.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	file, err := jetstream.ReadClientFile(dir, jetstream.RoleCLI)
	if err != nil {
		t.Fatal(err)
	}
	as := func(identity string) *Client {
		c := config.Default()
		c.NATS.URL, c.NATS.NKey, c.NATS.Identity = file.URL, config.NewSecret(file.Seed), identity
		client, err := NewClient(c, false, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		return client
	}
	if err := as("local").Submit(t.Context(), aCommand()); err != nil {
		t.Error(err)
	}
	began := time.Now()
	refusal, ok := errors.AsType[*failover.Refusal](as("ben").Submit(t.Context(), aCommand()))
	if !ok || refusal.Kind != failover.NotAllowed || !strings.Contains(refusal.Message, "may not speak as cli:ben") || time.Since(began) > time.Second {
		t.Errorf("after %s: %+v", time.Since(began), refusal)
	}
	if _, err := as("ben").Status(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "nats.identity has to be") {
		t.Errorf("its reads: %v", err)
	}
}

// A certificate that is not there, or is none, is said with its key.
func TestTLSOfTheConfiguration(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]config.TLS{
		"reading nats.tls.ca: open": {CA: "nowhere.pem"},
		"no certificate stands in":  {CA: "identity_test.go"},
		"nats.tls.cert and key":     {Cert: "identity_test.go", Key: "identity_test.go"},
	} {
		cfg := config.Default()
		cfg.NATS.URL, cfg.NATS.TLS = "nats://127.0.0.1:1", c
		if _, err := NewClient(cfg, false, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func aCommand() failover.Command {
	now := time.Now()
	return failover.Command{MessageID: "m1", Op: "op-aaaaaaaa", Verb: failover.VerbApprove, By: failover.Actor{ID: "U0BEN"}, At: now, ValidUntil: now.Add(time.Minute)}
}
