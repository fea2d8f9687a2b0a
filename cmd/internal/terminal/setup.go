package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/cmd/internal/app"
	"ferry/config"
)

func newDoctor(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Args: noArgs, Short: "Check configuration, Slack, NATS and Azure; changes nothing",
		Long: "Checks the configuration, the Slack tokens, scopes and channel, the people and groups of the roles, the NATS server, and\n" +
			"the sign-in and rights on each vault. One line a check, with the fix; exit code 1 when one fails. It changes nothing.",
		RunE: func(cmd *cobra.Command, _ []string) error { return g.doctor(cmd.Context()) },
	}
}

func (g *globals) doctor(ctx context.Context) error {
	log, err := g.logger(slog.LevelWarn)
	if err != nil {
		return err
	}
	cfg, err := g.load(log)
	if err != nil {
		return err
	}
	fmt.Fprintln(g.io.Out, render.Check("ok", "Configuration", "complete", ""))
	found := app.Doctor(ctx, app.Options{Config: *cfg, Name: "doctor", Version: version(), Log: log})
	for _, f := range found {
		fmt.Fprintln(g.io.Out, render.Check(string(f.Level), f.Check, f.Said, f.Fix))
	}
	if err := app.Failed(found); err != nil {
		return exit(exitFailed, err)
	}
	return nil
}

// placeholder stands in a manifest for an address that is not known.
const placeholder = "https://ferry.example.com"

func newManifest(g *globals) *cobra.Command {
	var output, mode, public string
	cmd := &cobra.Command{
		Use: "manifest", Args: noArgs, Short: "Print the Slack app manifest for this configuration",
		Long: "Prints the manifest to create or update the Slack app with (api.slack.com/apps, From a manifest). The mode is that of the\n" +
			"configuration; while that is not complete yet, which it cannot be before the app is there, it is Socket Mode unless --mode says http.",
		Example: "  ferry manifest > manifest.json\n  ferry manifest --mode http --url https://ferry.example.com -o yaml",
		RunE: func(*cobra.Command, []string) error {
			at, err := g.slackAddress(mode, public)
			if err != nil {
				return err
			}
			return g.printManifest(app.Manifest(bot.Command, at), output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "json", "json or yaml")
	cmd.Flags().StringVar(&mode, "mode", "", "socket or http (default: slack.mode of the configuration)")
	cmd.Flags().StringVar(&public, "url", "", "the https `URL` at which Slack reaches slack.listen; in http mode")
	return cmd
}

// slackAddress is where Slack reaches the bot, empty for Socket Mode.
func (g *globals) slackAddress(mode, public string) (string, error) {
	if mode == "" {
		cfg, err := g.load(slog.New(slog.DiscardHandler))
		mode = config.ModeSocket
		if err == nil {
			mode = cfg.Slack.Mode
		} else if public != "" {
			mode = config.ModeHTTP
		}
	}
	at, err := url.Parse(public)
	switch {
	case mode != config.ModeSocket && mode != config.ModeHTTP:
		return "", exit(exitUsage, fmt.Errorf("--mode %q: say socket or http", mode))
	case mode == config.ModeSocket && public != "":
		return "", exit(exitUsage, errors.New("in Socket Mode Slack calls no address; leave --url out, or say --mode http"))
	case mode == config.ModeSocket:
		return "", nil
	case public == "":
		fmt.Fprintln(g.io.Err, "ferry: put the address at which Slack reaches slack.listen in the place of "+placeholder+", or say --url")
		return placeholder, nil
	case err != nil || at.Scheme != "https" || at.Host == "":
		return "", exit(exitUsage, fmt.Errorf("--url %q: say https://HOST; Slack calls nothing else", public))
	}
	return public, nil
}

func (g *globals) printManifest(manifest any, output string) error {
	write := func(v any) ([]byte, error) { return json.MarshalIndent(v, "", "  ") }
	switch output {
	case "json":
	case "yaml":
		write = func(v any) ([]byte, error) { return yaml.Marshal(v) }
	default:
		return exit(exitUsage, fmt.Errorf("-o %q: say json or yaml", output))
	}
	text, err := write(manifest)
	if err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	if text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	_, err = g.io.Out.Write(text)
	return err
}
