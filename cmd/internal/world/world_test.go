package world

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server/ats"

	"ferry/cmd/internal/app"
	"ferry/config"
	"ferry/sandbox/pipe"
	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// The server's access-time ticker would be made in the first bubble and stop time in all others. The store syncs each
// write, and no test here cuts the power: in memory nobody waits for a disk.
func TestMain(m *testing.M) {
	ats.Register()
	debug.SetGCPercent(400) // a world is small and soon gone
	const memory = "/dev/shm"
	if dir, err := os.Stat(memory); err == nil && dir.IsDir() && os.Getenv("TMPDIR") == "" {
		_ = os.Setenv("TMPDIR", memory)
	}
	os.Exit(m.Run())
}

const (
	azureHost = "127.0.0.1:8001"
	slackHost = "127.0.0.1:8002"
	natsHost  = "127.0.0.1:8003"
	incident  = "#incident"
)

// world is the outside, and the processes of Ferry in it: one with its own NATS server, or several around the world's.
type world struct {
	t         *testing.T
	vault     *vault.Vault
	workspace *workspace.Workspace
	hosts     map[string]*pipe.Listener
	servers   []*http.Server
	dir       string
	process   *process             // of a world with one
	nats      *natsServer          // of a world with several; nil: embedded
	wire      *wire                // of what is watched; may be nil
	configure func(*config.Config) // changes the configuration of the lives that follow; may be nil
	log       *slog.Logger
	mode      string                  // of Slack
	balancer  *balancer               // before the bots, over HTTP
	checks    map[string]config.Check // of the configuration
	groups    map[string]config.Group
	doors     map[string]*door // by host
	wrong     sync.Map         // by the name of a replica: how far the clock of its host is ahead
}

// long leaves a test of many simulated hours out of a -short run, as the race detector's: without -short it is always played.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("simulates many hours; go test without -short plays it")
	}
}

// explored leaves a test out of a -short run whose kind of trouble the exploration draws, which CI plays with the race
// detector for a minute.
func explored(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("the exploration draws such trouble; go test without -short plays it")
	}
}

// bubble runs a test in fake time with a world of its own, in which an initial replication takes minutes.
func bubble(t *testing.T, test func(*world)) {
	t.Helper()
	bubbleIn(t, quick(), test)
}

func bubbleIn(t *testing.T, options vault.Options, test func(*world)) {
	t.Helper()
	bubbleOf(t, options, modeOfSlack(), test)
}

func bubbleOf(t *testing.T, options vault.Options, mode string, test func(*world)) {
	t.Helper()
	t.Setenv("IDENTITY_ENDPOINT", "http://"+azureHost+"/identity/token")
	t.Setenv("IDENTITY_HEADER", identityHeader)
	dir := t.TempDir()
	// A pool that still holds a timer of an earlier bubble would stop this one.
	runtime.GC()
	runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, dir, options, mode)
		defer w.close()
		test(w)
	})
}

// realistic is the vault with the durations of the real world.
func realistic() vault.Options {
	return vault.Options{
		BaseURL: "http://" + azureHost, IdentityHeader: identityHeader, VMs: 3,
		Plans: []vault.Plan{{Name: "plan-shop", Boot: [][]string{{"vm-x"}, {"vm-y"}, {"sql-01"}}}},
	}
}

// quick is the same with initial replications of minutes, for all that is not about hours.
func quick() vault.Options {
	o := realistic()
	o.InitialReplication = map[string]time.Duration{"vm-x": 4 * time.Minute, "vm-y": 4 * time.Minute, "sql-01": 4 * time.Minute}
	return o
}

func newWorld(t *testing.T, dir string, options vault.Options, mode string) *world {
	t.Helper()
	w := &world{t: t, dir: dir, hosts: map[string]*pipe.Listener{}, log: overheard(t)}
	w.vault = vault.New(options)
	w.serve(azureHost, w.vault)
	w.mode, w.balancer = mode, &balancer{}
	w.workspace = workspace.New(workspace.Options{BaseURL: "http://" + slackHost, People: people(), RequestURLs: w.requestURLs()})
	w.serve(slackHost, w.workspace)
	return w
}

// people are those of the stand-in's own workspace, and two who have rights in explorations only.
func people() []workspace.Person {
	return []workspace.Person{
		{ID: "U0ANA", Name: "ana", RealName: "Ana Silva"},
		{ID: "U0BEN", Name: "ben", RealName: "Ben Okafor"},
		{ID: "U0EVE", Name: "eve", RealName: "Eve Lind"},
		{ID: "U0CAT", Name: "cat", RealName: "Cat Moreau"},
		{ID: "U0DAN", Name: "dan", RealName: "Dan Weiss"},
	}
}

func (w *world) serve(host string, h http.Handler) {
	l := pipe.Listen()
	w.hosts[host] = l
	s := &http.Server{Handler: w.doorOf(host, h), ReadHeaderTimeout: time.Minute}
	w.servers = append(w.servers, s)
	go func() { _ = s.Serve(l) }() // ends with close, which the bubble waits for
}

func (w *world) close() {
	if w.process != nil {
		w.stop()
	}
	w.keepsSecrets()
	w.workspace.Close()
	if w.nats != nil {
		w.nats.stop()
		if w.nats.proxy != nil {
			w.nats.proxy.Close()
		}
	}
	for _, s := range w.servers {
		_ = s.Close()
	}
}

// start gives Ferry a new life on the same data directory. It dies at the point, if one is given.
func (w *world) start(p *point) {
	w.t.Helper()
	w.process = w.newProcess("world", p, app.Bot, app.Executor)
	if err := w.process.start(); err != nil && !w.process.cut.happened() {
		w.t.Fatalf("starting: %v", err)
	}
}

// stop ends the process; after a cut nothing that it still does is seen.
func (w *world) stop() {
	w.process.stop()
	w.process = nil
}

// revive starts a new process when the old one was cut.
func (w *world) revive() {
	if w.process.cut.happened() {
		w.stop()
		w.start(nil)
	}
}

func (w *world) config() config.Config {
	c := config.Default()
	c.Slack.APIURL, c.Slack.Channel, c.Slack.TeamID = "http://"+slackHost+"/api/", "C0INCIDENT", "T0SANDBOX"
	c.Slack.BotToken, c.Slack.AppToken = config.NewSecret("xoxb-sandbox"), config.NewSecret("xapp-sandbox")
	if w.mode == config.ModeHTTP {
		c.Slack.Mode, c.Slack.AppToken = w.mode, config.Secret{}
		c.Slack.SigningSecrets = config.Secrets{config.NewSecret(signingSecret)}
	}
	c.DataDir, c.HTTP.Listen = w.dir, "" // a port would be a real one
	if w.nats != nil {
		c.NATS.URL = "nats://" + natsHost
	}
	c.Azure.Endpoint, c.Azure.Credential = "http://"+azureHost, "managed_identity"
	c.Azure.Vaults = []config.Vault{{SubscriptionID: "3f2b8c1e-7a54-4d0b-9c6e-2f1d5a7b9e30", ResourceGroup: "rg-dr", Name: "vault-dr"}}
	c.Azure.IsolatedNetworks, c.Azure.CacheStorage = []string{w.vault.DrillNetwork()}, w.vault.CacheAccounts()
	c.Checks, c.Groups, c.Audit.Post = w.checks, w.groups, false
	all := config.Match{VM: []string{"*"}}
	c.Access = &config.Access{
		AnyoneMayRead: true,
		Roles:         map[string]config.Role{"operator": {Users: []string{"U0ANA"}}, "approver": {Users: []string{"U0BEN"}}},
		Rules: []config.Rule{
			{Match: all, Verbs: []string{"failover", "commit", "change", "reprotect", "failback"}, May: []string{"operator"}, Approvals: 1, Approvers: []string{"approver"}, Expires: 15 * time.Minute},
			{Match: all, Verbs: []string{"test", "cleanup", "cancel", "freeze"}, May: []string{"operator"}},
		},
		ConfirmAbove: 20,
	}
	if w.configure != nil {
		w.configure(&c)
	}
	return c
}

func (w *world) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	if addr == natsHost && w.nats != nil {
		return w.nats.dial()
	}
	l, ok := w.hosts[addr]
	if !ok {
		return nil, &net.OpError{Op: "dial", Err: os.ErrNotExist}
	}
	return l.Dial(ctx, "", addr)
}

// pass lets fake time go by.
func pass(d time.Duration) { <-time.After(d) }

// until waits at most so long for something to be true, and says whether it is.
func (w *world) until(limit time.Duration, holds func() bool) bool {
	for end := time.Now().Add(limit); ; pass(time.Second) {
		synctest.Wait()
		if holds() {
			return true
		}
		if w.process != nil {
			w.revive()
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// card is the newest card that names the VM, as people read it.
func (w *world) card(vm string) string {
	for _, m := range slices.Backward(w.workspace.Messages(incident, "")) {
		if text := strings.Join(w.workspace.Render(m), "\n"); strings.HasPrefix(text, "# ") && strings.Contains(text, vm) {
			return text
		}
	}
	return ""
}

// cards counts the messages that show an operation.
func (w *world) cards() int {
	n := 0
	for _, m := range w.workspace.Messages(incident, "") {
		if strings.HasPrefix(strings.Join(w.workspace.Render(m), "\n"), "# ") {
			n++
		}
	}
	return n
}

// accepted counts the mutating calls of a kind that started work in Azure.
func (w *world) accepted(operation string) int {
	n := 0
	for _, c := range w.vault.Ledger() {
		if c.Accepted && c.Operation == operation {
			n++
		}
	}
	return n
}

// told is everything that a person sees.
func (w *world) told(person string) string {
	var all []string
	for _, m := range w.workspace.Messages(incident, person) {
		all = append(all, w.workspace.Render(m)...)
	}
	return strings.Join(all, "\n")
}
