package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"ferry/config"
	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// probed is a process that is asked for its health, with the stand-ins and a NATS server of its own.
type probed struct {
	*testing.T
	app       *App
	workspace *workspace.Workspace
	nats      *server.Server
	log       *lines
}

func newProbed(t *testing.T) *probed {
	t.Helper()
	v := vault.New(vault.Options{Speed: 40, VMs: 3})
	p := &probed{T: t, workspace: workspace.New(workspace.Options{}), log: &lines{}}
	azure, slack := httptest.NewServer(v), httptest.NewServer(p.workspace)
	t.Cleanup(azure.Close)
	t.Cleanup(slack.Close)
	t.Cleanup(p.workspace.Close)
	v.SetBaseURL(azure.URL)
	p.workspace.SetBaseURL(slack.URL)
	t.Setenv("IDENTITY_ENDPOINT", azure.URL+"/identity/token")
	t.Setenv("IDENTITY_HEADER", "sandbox")
	var err error
	if p.nats, err = server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	p.nats.Start()
	t.Cleanup(func() { p.nats.Shutdown(); p.nats.WaitForShutdown() })
	if !p.nats.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not come up")
	}
	p.app = idle(t)
	o := &p.app.opts
	o.Dial, o.Log = nil, slog.New(slog.NewTextHandler(p.log, nil))
	o.Config.HTTP.Listen, o.Config.NATS.URL = "127.0.0.1:0", p.nats.ClientURL()
	o.Config.Slack.APIURL, o.Config.Azure.Endpoint = slack.URL+"/api/", azure.URL
	o.Config.Azure.Vaults = []config.Vault{{SubscriptionID: "3f2b8c1e-7a54-4d0b-9c6e-2f1d5a7b9e30", ResourceGroup: "rg-dr", Name: "vault-dr"}}
	return p
}

func (p *probed) start() {
	p.Helper()
	if err := p.app.Start(p.Context()); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = p.app.Stop(context.WithoutCancel(p.Context())) })
}

// get asks as a probe does.
func (p *probed) get(path string) (status int, text string) {
	p.Helper()
	address := regexp.MustCompile(`address=(\S+) paths`).FindStringSubmatch(p.log.text())
	if address == nil {
		p.Fatalf("no port is told:\n%s", p.log.text())
	}
	r, err := http.NewRequestWithContext(p.Context(), http.MethodGet, "http://"+address[1]+path, http.NoBody)
	if err != nil {
		p.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		p.Fatal(err)
	}
	for _, secret := range []string{"xoxb-", "xapp-", "ticket"} {
		if strings.Contains(string(body), secret) {
			p.Fatalf("a secret is told: %s", body)
		}
	}
	return answer.StatusCode, string(body)
}

// until asks until the answer is as wanted.
func (p *probed) until(status int, want string) {
	p.Helper()
	limit := time.After(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	pattern := regexp.MustCompile(want)
	for {
		got, text := p.get("/readyz")
		if got == status && pattern.MatchString(text) {
			if alive, _ := p.get("/healthz"); alive != http.StatusOK {
				p.Fatalf("/healthz: %d", alive)
			}
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			p.Fatalf("want %d and %s, have %d:\n%s", status, want, got, text)
		}
	}
}

const at = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`

const allWell = `^NATS for the bot: ok: connected\nSlack: ok: connected since ` + at + `\nNATS for the executor: ok: connected\nAzure: ok: last read at ` + at + `\n$`

// One process through what happens to it: it is ready, Slack refuses it for good, NATS goes.
func TestHealth(t *testing.T) {
	p := newProbed(t)
	p.start()
	p.until(http.StatusOK, allWell)
	if status, text := p.get("/metrics"); status != http.StatusNotFound || !strings.Contains(text, "not available yet") {
		t.Errorf("/metrics: %d %s", status, text)
	}

	p.workspace.RefuseNext("apps.connections.open", "token_expired", 1000)
	p.workspace.Disconnect("link_disabled")
	p.until(http.StatusServiceUnavailable, `\nSlack: not ready: not connected since `+at+`: .*\(token_expired\): .*install the app again and set slack\.app_token\n`)
	if !strings.Contains(p.log.text(), "token_expired") {
		t.Errorf("the log does not say so:\n%s", p.log.text())
	}

	p.nats.Shutdown()
	p.until(http.StatusServiceUnavailable, `(?s)^NATS for the bot: not ready: not connected since `+at+`: .*\nAzure: not ready: .* not known`)
	if err := p.app.Stop(t.Context()); err != nil {
		t.Log("stopping without NATS:", err)
	}
}

// A process that still waits for NATS says so.
func TestHealthBeforeNATS(t *testing.T) {
	p := newProbed(t)
	p.nats.Shutdown()
	told := make(chan struct{}, 64)
	p.app.opts.Log = slog.New(slog.NewTextHandler(io.MultiWriter(p.log, signal(told)), nil))
	started := make(chan error, 1)
	go func() { started <- p.app.Start(t.Context()) }()
	<-told
	p.until(http.StatusServiceUnavailable, `^NATS for the bot: not ready: not connected since the start at `+at+`; see the log\nSlack: not ready: not connected yet: the bot waits for NATS\n`)
	if err := p.app.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-started; !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
}

// A second process on the host, or anything else on the port: Ferry starts without, and one line says what to set.
func TestHealthPortIsTaken(t *testing.T) {
	p := newProbed(t)
	other, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	p.app.opts.Config.HTTP.Listen = other.Addr().String()
	p.start()
	if err := p.app.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if log := p.log.text(); strings.Count(log, "set http.listen to another address") != 1 {
		t.Errorf("the log:\n%s", log)
	}
}

// lines keeps what is logged.
type lines struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// signal tells of every write, while there is room.
type signal chan struct{}

func (s signal) Write(b []byte) (int, error) {
	select {
	case s <- struct{}{}:
	default:
	}
	return len(b), nil
}
