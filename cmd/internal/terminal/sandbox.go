package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"ferry/cmd/internal/app"
	"ferry/config"
	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// sandboxFlags are the flags of ferry sandbox.
type sandboxFlags struct {
	listen string
	speed  float64
	vms    int
	script string
}

func newSandbox(g *globals) *cobra.Command {
	f := sandboxFlags{}
	cmd := &cobra.Command{
		Use: "sandbox", Args: noArgs,
		Short: "Try Ferry with no account: a simulated vault and Slack workspace on this machine",
		Long: "Runs everything on this machine: an embedded NATS server, a simulated vault, a simulated Slack workspace, the bot\n" +
			"and the executor. People there: ana (operator), ben (approver), eve (neither).",
		Example: "  ferry sandbox\n  ferry sandbox --script docs/walkthrough.txt",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.script != "" && !cmd.Flags().Changed("listen") {
				f.listen = "127.0.0.1:0" // a script is read by nobody's browser, and may run beside another sandbox
			}
			return g.sandbox(cmd.Context(), f)
		},
	}
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:7070", "`ADDRESS` of the page")
	cmd.Flags().Float64Var(&f.speed, "speed", 60, "simulated seconds per second")
	cmd.Flags().IntVar(&f.vms, "vms", 12, "how many replicated VMs")
	cmd.Flags().StringVar(&f.script, "script", "", "run the lines of this `FILE` (- is standard input) and print the channel")
	return cmd
}

func (f sandboxFlags) check() error {
	if f.speed <= 0 || f.vms < 1 {
		return errors.New("--speed must be above 0 and --vms at least 1")
	}
	host, _, err := net.SplitHostPort(f.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w; say HOST:PORT, such as 127.0.0.1:7070", err)
	}
	if host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return fmt.Errorf("--listen %s: the sandbox asks nobody who they are, so it listens on this machine only, such as on 127.0.0.1:7070", f.listen)
	}
	return nil
}

// world is the simulated outside: what Ferry reaches by address and credential only.
type world struct {
	vault     *vault.Vault
	workspace *workspace.Workspace
	servers   []*http.Server
	serving   sync.WaitGroup
	page      string // address of the workspace's page
	azure     string // address of the vault
}

func (g *globals) sandbox(ctx context.Context, f sandboxFlags) (err error) {
	log, err := g.logger(slog.LevelWarn)
	if err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return exit(exitUsage, err)
	}
	script, err := readScript(f.script, g.io.In)
	if err != nil {
		return err
	}
	dir, remove, err := sandboxDir(g.data)
	if err != nil {
		return err
	}
	defer remove()
	w, err := newWorld(ctx, f, dir)
	if err != nil {
		return err
	}
	defer w.close()
	cfg, err := w.configure(dir)
	if err != nil {
		return err
	}
	o := app.Options{Config: *cfg, Roles: []app.Role{app.Bot, app.Executor}, Name: "sandbox", Version: version(), Log: log}
	ctx, end := context.WithCancel(ctx)
	defer end()
	played := make(chan error, 1)
	err = run(ctx, o, func() {
		if f.script == "" {
			w.greet(g.io.Out, dir)
			played <- nil
			return
		}
		go func() {
			defer end()
			played <- play(ctx, w, script, g.io.Out)
		}()
	})
	if err != nil {
		return err
	}
	return <-played
}

// sandboxDir is an empty directory for the run. One that was named stays; a temporary one goes with the run.
func sandboxDir(named string) (dir string, remove func(), err error) {
	if named == "" {
		dir, err = os.MkdirTemp("", "ferry-sandbox-")
		return dir, func() { _ = os.RemoveAll(dir) }, err
	}
	if err := os.MkdirAll(named, 0o700); err != nil {
		return "", nil, fmt.Errorf("making %s: %w", named, err)
	}
	entries, err := os.ReadDir(named)
	if err != nil {
		return "", nil, fmt.Errorf("reading %s: %w", named, err)
	}
	if len(entries) > 0 {
		return "", nil, exit(exitUsage, fmt.Errorf("%s is not empty: the simulated world is not kept, so a sandbox starts in a new directory", named))
	}
	dir, err = filepath.Abs(named)
	return dir, func() {}, err
}

func newWorld(ctx context.Context, f sandboxFlags, dir string) (*world, error) {
	w := &world{vault: vault.New(vault.Options{Speed: f.speed, VMs: f.vms, Sizes: map[string]string{"sql-01": sandboxSize, "sql-02": sandboxSize}})}
	w.workspace = workspace.New(workspace.Options{People: people(), Page: page(dir, w.vault.World()), Shortcuts: shortcuts()})
	var err error
	if w.azure, err = w.serve(ctx, "127.0.0.1:0", w.vault); err == nil {
		w.page, err = w.serve(ctx, f.listen, w.workspace)
	}
	if err != nil {
		w.close()
		return nil, exit(exitFailed, fmt.Errorf("%w; another sandbox? say --listen 127.0.0.1:0 for a free port", err))
	}
	w.vault.SetBaseURL(w.azure)
	w.workspace.SetBaseURL(w.page)
	return w, nil
}

// serve answers on an address of this machine and returns its URL.
func (w *world) serve(ctx context.Context, address string, h http.Handler) (string, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	w.servers = append(w.servers, s)
	w.serving.Go(func() { _ = s.Serve(l) }) // it ends with close
	return "http://" + l.Addr().String(), nil
}

func (w *world) close() {
	w.workspace.Close()
	for _, s := range w.servers {
		_ = s.Close()
	}
	w.serving.Wait()
}

// configure writes DIR/ferry.yaml, lets the identity endpoint be found, and reads the file as ferry up would.
func (w *world) configure(dir string) (*config.Config, error) {
	path := filepath.Join(dir, defaultConfig)
	if err := config.Write(path, w.configuration(dir)); err != nil {
		return nil, err
	}
	// What a managed identity finds in its environment on App Service.
	for name, value := range map[string]string{"IDENTITY_ENDPOINT": w.azure + "/identity/token", "IDENTITY_HEADER": "sandbox"} {
		if err := os.Setenv(name, value); err != nil {
			return nil, fmt.Errorf("setting %s: %w", name, err)
		}
	}
	cfg, _, err := config.Load(path, os.LookupEnv)
	return cfg, err
}

func (w *world) configuration(dir string) config.Config {
	c := config.Default()
	c.Slack.APIURL, c.Slack.TeamID, c.Slack.Channel = w.page+"/api/", "T0SANDBOX", "C0INCIDENT"
	c.Slack.BotToken, c.Slack.AppToken = config.NewSecret("xoxb-sandbox"), config.NewSecret("xapp-sandbox")
	c.DataDir = dir
	c.Azure.Endpoint, c.Azure.Credential = w.azure, "managed_identity"
	c.Azure.Vaults = []config.Vault{{SubscriptionID: "3f2b8c1e-7a54-4d0b-9c6e-2f1d5a7b9e30", ResourceGroup: "rg-dr", Name: "vault-dr"}}
	c.Azure.IsolatedNetworks, c.Azure.CacheStorage = []string{w.vault.DrillNetwork()}, w.vault.CacheAccounts()
	c.Azure.AlternativeSizes = map[string][]string{sandboxSize: {"Standard_E4as_v5", "Standard_D8s_v5"}}
	c.HTTP.Listen, c.Audit.Post = "", false // nobody would keep it
	c.Groups = groups()
	all, expires := config.Match{VM: []string{"*"}}, 15*time.Minute
	operator, approver := []string{"operator"}, []string{"approver"}
	c.Access = &config.Access{
		AnyoneMayRead: true,
		ConfirmAbove:  20,
		BreakGlass:    &config.BreakGlass{Role: "operator", ReasonRequired: true},
		Roles:         map[string]config.Role{"operator": {Users: []string{"U0ANA"}}, "approver": {Users: []string{"U0BEN", "cli:local"}}},
		Rules: []config.Rule{
			{Match: config.Match{VM: []string{"batch-*"}}, Verbs: []string{"failover", "commit"}, May: operator, Approvals: 1, Approvers: approver, Expires: 70 * time.Second, ConfirmName: true}, // to see it expire
			{Match: all, Verbs: []string{"failover", "commit", "change", "reprotect", "failback"}, May: operator, Approvals: 1, Approvers: approver, Expires: expires},
			{Match: all, Verbs: []string{"test", "cleanup", "cancel", "freeze"}, May: operator, Expires: expires},
		},
	}
	return c
}

// sandboxSize is that of the VMs which may be made in another one.
const sandboxSize = "Standard_E4s_v5"

// groups are those that can be played with.
func groups() map[string]config.Group {
	wave := func(pattern string) config.Wave { return config.Wave{VMs: []string{pattern}} }
	return map[string]config.Group{
		"checkout": {Waves: []config.Wave{wave("sql-*"), wave("app-*"), wave("web-*")}, OnFailure: "stop-wave"},
		"region": {Waves: []config.Wave{ // all that one rule is about
			{Name: "data", VMs: []string{"sql-*"}}, {Name: "services", VMs: []string{"app-*", "cache-*", "queue-*"}}, {Name: "web", VMs: []string{"web-*", "files-*", "vm-*"}},
		}, Canary: 1, Tolerate: 5, OnFailure: "stop-wave"},
	}
}

func (w *world) greet(out io.Writer, dir string) {
	fmt.Fprintf(out, "The sandbox is up: %s\n\n", w.page)
	// Where a managed identity is stands in the environment, on App Service as here.
	doctor := fmt.Sprintf("IDENTITY_ENDPOINT=%s/identity/token IDENTITY_HEADER=sandbox %s --config %s doctor", w.azure, called(), filepath.Join(dir, defaultConfig))
	fmt.Fprintf(out, "In another terminal:\n  %s\n\nEnd it with Ctrl-C.\n", strings.Join(append(commandLines(dir), doctor), "\n  "))
}

// readScript reads the whole script before anything starts, so that a wrong file name costs nothing.
func readScript(path string, in io.Reader) (string, error) {
	switch path {
	case "":
		return "", nil
	case "-":
		data, err := io.ReadAll(in)
		return string(data), err
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", exit(exitUsage, fmt.Errorf("there is no script %s", path))
	}
	return string(data), err
}
