package terminal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"ferry/cmd/internal/app"
	"ferry/config"
)

// defaultConfig is read when it is there and --config is not given.
const defaultConfig = "ferry.yaml"

// drainWithin is how long a process may take to end: a call in flight may take 30 s, and is recorded then.
const drainWithin = 40 * time.Second

func newProcesses(g *globals) []*cobra.Command {
	process := func(name, short string, roles ...app.Role) *cobra.Command {
		return &cobra.Command{Use: name, Short: short, Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return g.up(cmd.Context(), roles)
		}}
	}
	return []*cobra.Command{
		process("up", "Run bot and executor in one process", app.Bot, app.Executor),
		process("bot", "Run a bot against nats.url; any number of them", app.Bot),
		process("executor", "Run an executor against nats.url; any number of them", app.Executor),
	}
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return exit(exitUsage, fmt.Errorf("%s takes no arguments, and got %q; see %s --help", cmd.Name(), args[0], cmd.CommandPath()))
}

// up runs the roles until it is asked to end.
func (g *globals) up(ctx context.Context, roles []app.Role) error {
	log, err := g.logger(slog.LevelInfo)
	if err != nil {
		return err
	}
	cfg, err := g.load(log)
	if err != nil {
		return err
	}
	if len(roles) == 1 && cfg.NATS.URL == "" {
		return exit(exitUsage, errors.New("one role alone needs nats.url in the configuration; ferry up runs both with an embedded server"))
	}
	return run(ctx, app.Options{Config: *cfg, Roles: roles, Name: processName(), Version: version(), Log: log}, func() {
		log.InfoContext(ctx, "ferry is up", slog.Any("roles", roles), slog.String("data_dir", cfg.DataDir), slog.String("channel", cfg.Slack.Channel))
	})
}

// load reads the configuration of a process and prints its warnings.
func (g *globals) load(log *slog.Logger) (*config.Config, error) {
	path := g.config
	if path == "" {
		path = defaultConfig
	}
	cfg, warnings, err := config.Load(path, os.LookupEnv)
	if errors.Is(err, fs.ErrNotExist) && g.config == "" {
		return nil, exit(exitUsage, fmt.Errorf("there is no %s here; write one with ferry init, or try ferry sandbox", path))
	}
	if err != nil {
		return nil, exit(exitUsage, err)
	}
	for _, w := range warnings {
		log.Warn("configuration", slog.String("warning", string(w)))
	}
	if g.data != "" {
		cfg.DataDir = g.data
	}
	return cfg, nil
}

// run starts an App, waits for the end of ctx or of a part, and drains.
func run(ctx context.Context, o app.Options, ready func()) (err error) {
	a := app.New(o)
	if err := a.Start(ctx); err != nil {
		if ctx.Err() != nil {
			o.Log.InfoContext(ctx, "ended before it was up", slog.Any("why", context.Cause(ctx)))
			return nil
		}
		return err
	}
	defer func() {
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
		defer cancel()
		err = errors.Join(err, a.Stop(drain))
	}()
	if a.Ready(ctx) == nil {
		ready()
	}
	select {
	case <-ctx.Done():
		o.Log.InfoContext(ctx, "ending: no new work; what is in flight is recorded, all else handed over", slog.Any("why", context.Cause(ctx)))
		return nil
	case err := <-a.Failed():
		o.Log.ErrorContext(ctx, "ending", slog.Any("error", err))
		return err
	}
}

func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

func newVersion(g *globals) *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print version, commit and Go version", Args: noArgs, RunE: func(*cobra.Command, []string) error {
		_, err := fmt.Fprintf(g.io.Out, "ferry %s (commit %s, %s)\n", version(), commit(), runtime.Version())
		return err
	}}
}

// version is the module's, as the Go tool stamped it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "development"
	}
	return info.Main.Version
}

func commit() string {
	info, ok := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if ok && s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "unknown"
}

func newInit(g *globals) *cobra.Command {
	return &cobra.Command{Use: "init", Short: "Write a commented ferry.yaml; never overwrites", Args: noArgs, RunE: func(*cobra.Command, []string) error {
		path := g.config
		if path == "" {
			path = defaultConfig
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return exit(exitUsage, fmt.Errorf("%s is there already; it is not overwritten", path))
		}
		if err != nil {
			return fmt.Errorf("writing the configuration: %w", err)
		}
		_, err = f.WriteString(config.Sample())
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
		_, err = fmt.Fprintf(g.io.Out, "Wrote %s. Make the Slack app from what ferry manifest prints, fill in the Slack channel, the vault and who may do what, check it with ferry doctor, then: ferry up\n", path)
		return err
	}}
}
