package app

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"ferry/config"
	"ferry/events/jetstream"
	"ferry/failover"
)

// serverOf is a NATS server on this machine.
func serverOf(t *testing.T, o *server.Options) string {
	t.Helper()
	o.Host, o.Port, o.NoSigs, o.NoLog = "127.0.0.1", -1, true, true
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not come up")
	}
	return s.ClientURL()
}

// serve answers reads of an empty stream until the test is over.
func serve(t *testing.T, c *jetstream.Client) {
	t.Helper()
	serving := make(chan struct{})
	go func() {
		_ = c.Serve(t.Context(), jetstream.Sources{Board: jetstream.NewBoard(c)}, "0.0.0", func() { close(serving) })
	}()
	<-serving
}

// With a server of its own doctor says whether it is reached, set up, and open to this identity.
func TestDoctorOfNATS(t *testing.T) {
	t.Parallel()
	a := idle(t)
	a.opts.Dial = nil
	says := func(url, want string) {
		t.Helper()
		a.opts.Config.NATS.URL = url
		found := a.examineNATS(t.Context())
		if len(found) != 1 || !strings.HasPrefix(string(found[0].Level)+": "+found[0].Said, want) {
			t.Errorf("found %+v, want %q", found, want)
		}
	}
	says("", "ok: an embedded server with its store in ")
	says("nats://127.0.0.1:1", "failed: connecting to NATS")
	url := serverOf(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
	says(url, "warning: the server answers an executor, and something is not set up yet")
	client, err := jetstream.Connect(jetstream.Options{URL: url, Name: "executor", Log: a.opts.Log})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	says(url, "ok: the stream, its consumers and buckets are there")
	says(serverOf(t, &server.Options{}), "failed: the server is there, and does not let this identity read")

	a.opts.Config.NATS.Identity = "ana"
	says(url, "warning: the key is that of cli:ana, and nobody answers")
	serve(t, client)
	says(url, "ok: the key is that of cli:ana, and it is answered")
	dir := t.TempDir()
	embedded, err := jetstream.StartEmbedded(dir, true, a.opts.Log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = embedded.Stop() })
	file, err := jetstream.ReadClientFile(dir, jetstream.RoleCLI)
	if err != nil {
		t.Fatal(err)
	}
	a.opts.Config.NATS.NKey = config.NewSecret(file.Seed)
	began := time.Now()
	says(file.URL, "failed: the server is there, and does not let this identity read") // it is the key of cli:local
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a key of another name is found out after %s", took)
	}
}

// Rules that go by tags need them read: doctor says where they are not known, and fails where none is.
func TestDoctorOfTags(t *testing.T) {
	t.Parallel()
	known, unknown := failover.Item{Name: "vm-x", Tags: map[string]string{}}, failover.Item{Name: "vm-y"}
	for want, items := range map[string][]failover.Item{
		"ok: read; ": {known, known},
		"warning: of 1 of 2 VMs no tags are known, such as vm-y": {known, unknown},
		"failed: of 1 of 1 VMs no tags are known":                {unknown},
	} {
		if f := tagsOf(items, "vault-dr"); !strings.HasPrefix(string(f.Level)+": "+f.Said, want) {
			t.Errorf("found %+v, want %q", f, want)
		}
	}
}

// Slack's address may be another in a test or behind a proxy; what goes there in the clear is warned of.
func TestDoctorOfSlacksAddress(t *testing.T) {
	t.Parallel()
	a := idle(t)
	a.opts.Config.Access = &config.Access{}
	for address, warned := range map[string]bool{
		"https://slack.com/api/": false, "http://127.0.0.1:7070/api/": false, "http://localhost/api/": false, "http://[::1]/api/": false,
		"http://slack.test/api/": true, "http://10.0.0.1/api/": true,
	} {
		a.opts.Config.Slack.APIURL = address
		a.opts.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no network here") }
		if found := a.examineSlack(t.Context()); strings.Contains(found[len(found)-1].Said, "without encryption") != warned {
			t.Errorf("%s: %+v", address, found)
		}
	}
}
