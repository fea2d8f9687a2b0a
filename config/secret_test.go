package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"ferry/config"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const hush = "hush-hush"
	type hidden struct{ secret config.Secret } // fmt cannot call methods on an unexported field
	secret := config.NewSecret(hush)
	c := config.Default()
	c.Slack.BotToken, c.Slack.SigningSecrets = secret, config.Secrets{secret}
	values := map[string]any{
		"secret": secret, "pointer": &secret, "list": config.Secrets{secret},
		"config": c, "config pointer": &c, "hidden": hidden{secret}, "hidden pointer": &hidden{secret},
	}
	for name, value := range values {
		for what, show := range printers() {
			if out := show(t, value); strings.Contains(out, hush) || strings.Contains(out, fmt.Sprintf("%x", hush)) {
				t.Errorf("%s through %s leaks: %s", name, what, out)
			}
		}
	}
	for what, show := range printers() {
		if out := show(t, secret); !strings.Contains(out, "[redacted]") {
			t.Errorf("a secret through %s is %q", what, out)
		}
	}
}

// printers are the ways in which a value gets into a log, by name.
func printers() map[string]func(*testing.T, any) string {
	all := map[string]func(*testing.T, any) string{
		"json":      marshal(json.Marshal),
		"yaml":      marshal(func(v any) ([]byte, error) { return yaml.Marshal(v) }),
		"slog text": logged(func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) }),
		"slog json": logged(func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) }),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10s"} {
		all[verb] = func(_ *testing.T, v any) string { return fmt.Sprintf(verb, v) }
	}
	return all
}

func marshal(how func(any) ([]byte, error)) func(*testing.T, any) string {
	return func(t *testing.T, v any) string {
		t.Helper()
		data, err := how(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
}

func logged(handler func(*bytes.Buffer) slog.Handler) func(*testing.T, any) string {
	return func(_ *testing.T, v any) string {
		var b bytes.Buffer
		slog.New(handler(&b)).Info("x", slog.Any("v", v))
		return b.String()
	}
}

func TestSecretValues(t *testing.T) {
	t.Parallel()
	if s := config.NewSecret("a"); s.Reveal() != "a" || s.IsZero() {
		t.Errorf("Reveal = %q, IsZero = %v", s.Reveal(), s.IsZero())
	}
	if s := config.NewSecret(""); s.Reveal() != "" || !s.IsZero() || s != (config.Secret{}) {
		t.Error("an empty secret is not the zero Secret")
	}
	if !config.NewSecret("a").Equal(config.NewSecret("a")) || config.NewSecret("a").Equal(config.NewSecret("b")) {
		t.Error("Equal does not go by the value")
	}
}

func TestSigningSecretIsOneOrAList(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]int{"a": 1, "[a, b]": 2, "''": 0, "[]": 0, "[a]": 1} {
		text := strings.Replace(minimal, "slack: {", "slack: {signing_secret: "+written+", ", 1)
		c, _ := mustParse(t, text, env())
		if got := len(c.Slack.SigningSecrets); got != want {
			t.Errorf("%s gives %d secrets, want %d", written, got, want)
		}
	}
}
