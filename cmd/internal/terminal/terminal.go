// Package terminal is Ferry's command tree: the processes (up, bot, executor, sandbox), the same verbs as the slash command
// over NATS, and what they print.
//
// It owns exit codes, flags and output. It refuses to know the grammar of verbs (bot has the one parser), what is legal
// (the executor answers) and how parts are wired (app). A command runs in one goroutine; what it starts ends with it.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"ferry/cmd/internal/app"
	"ferry/config"
	"ferry/failover"
)

// The exit codes that scripts rely on.
const (
	exitDone     = 0 // done or accepted
	exitFailed   = 1
	exitUsage    = 2 // wrong usage or configuration
	exitRefused  = 3 // by policy or state
	exitNotKnown = 4 // asked, no answer yet
)

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// exitError is an error with the exit code that it means.
type exitError struct {
	code int
	err  error
}

// Error is what the error says; the code is not among it.
func (e *exitError) Error() string { return e.err.Error() }

// Unwrap is the error without its code.
func (e *exitError) Unwrap() error { return e.err }

func exit(code int, err error) error { return &exitError{code, err} }

// Main runs one command line and returns its exit code. The first signal asks the command to end, the second ends it.
func Main(args []string, io Streams) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		got := <-signals
		// From here on a signal ends the process at once. Only then is the first one told: nobody can be too quick.
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		cancel(fmt.Errorf("%s signal received", got))
	}()
	return Run(ctx, args, io)
}

// Run is Main without the signals.
func Run(ctx context.Context, args []string, io Streams) int {
	root := newRoot(io) //nolint:contextcheck // cobra hands ctx to the command that runs
	root.SetArgs(guardPoints(args))
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	code := exitCode(err)
	if text := err.Error(); text != "" {
		fmt.Fprintln(io.Err, "ferry: "+strings.TrimSuffix(text, "\n"))
	}
	return code
}

// exitCode is the one place where an error becomes a code.
func exitCode(err error) int {
	var exit *exitError
	var refusal *failover.Refusal
	var invalid *config.InvalidError
	var denied *app.DeniedError
	switch {
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &refusal):
		if refusal.Kind == failover.BadUsage {
			return exitUsage
		}
		return exitRefused
	case errors.As(err, &denied):
		return exitRefused
	case errors.As(err, &invalid), errors.Is(err, app.ErrLocked):
		return exitUsage
	case errors.Is(err, app.ErrNoAnswer), errors.Is(err, app.ErrNotConfirmed), errors.Is(err, app.ErrUnreachable):
		return exitNotKnown
	}
	return exitFailed
}

// globals are the flags of every command.
type globals struct {
	config, data, logFormat, logLevel string
	io                                Streams
}

func newRoot(io Streams) *cobra.Command {
	g := &globals{io: io}
	root := &cobra.Command{
		Use:   "ferry",
		Short: "Fail Azure VMs over from Slack, with approval, and prove it",
		Long: "Ferry fails Azure VMs over with Azure Site Recovery, from Slack or from here.\n\n" +
			"Try it without any account:  ferry sandbox",
		SilenceUsage: true, SilenceErrors: true, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(args)
		},
	}
	root.SetIn(io.In)
	root.SetOut(io.Out)
	root.SetErr(io.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return exit(exitUsage, fmt.Errorf("%w; %s --help shows what there is", err, cmd.CommandPath()))
	})
	flags := root.PersistentFlags()
	flags.StringVar(&g.config, "config", "", "configuration `FILE` (default ferry.yaml if it is there)")
	flags.StringVar(&g.data, "data", "", "talk to the embedded server of this data `DIR`")
	flags.StringVar(&g.logFormat, "log-format", "text", "text or json")
	flags.StringVar(&g.logLevel, "log-level", "", "debug, info, warn or error (default: info for processes, warn for verbs)")
	completeFlags(root, map[string][]string{"log-format": {"text", "json"}, "log-level": {"debug", "info", "warn", "error"}})
	root.AddCommand(newSandbox(g), newVersion(g), newInit(g), newManifest(g), newDoctor(g), newAudit(g), newWatch(g))
	root.AddCommand(newProcesses(g)...)
	root.AddCommand(newVerbs(g)...)
	return root
}

// silent is the level of a command that says itself what its user has to know of NATS.
const silent = "error"

// logger writes to the error stream, so that output can be piped.
func (g *globals) logger(standard slog.Level) (*slog.Logger, error) {
	level := standard
	if g.logLevel != "" {
		if err := level.UnmarshalText([]byte(g.logLevel)); err != nil {
			return nil, exit(exitUsage, fmt.Errorf("--log-level %q: say debug, info, warn or error", g.logLevel))
		}
	}
	opts := &slog.HandlerOptions{Level: level}
	switch g.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(g.io.Err, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(g.io.Err, opts)), nil
	}
	return nil, exit(exitUsage, fmt.Errorf("--log-format %q: say text or json", g.logFormat))
}
