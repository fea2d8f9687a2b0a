package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// maxFile bounds a configuration and each file that it takes a value from.
const maxFile = 1 << 20

// Warning is a line for the log about something that is written in the file and has no effect.
type Warning string

// LookupEnv finds an environment variable, like os.LookupEnv.
type LookupEnv func(name string) (value string, ok bool)

// Load reads a file. Errors are an [*InvalidError] for what is written in it, or come from reading it.
func Load(path string, env LookupEnv) (*Config, []Warning, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read the configuration: %w", err)
	}
	return Parse(data, path, env)
}

// Parse reads the content of a file. The name appears in errors, and file:PATH values are relative to its folder.
// A variable that is not set is no error where the mode of Slack leaves its key unused.
func Parse(data []byte, name string, env LookupEnv) (*Config, []Warning, error) {
	d, c, err := decode(data, name, env)
	if err != nil {
		return nil, nil, err
	}
	d.forgive(func(path string) bool { return !c.uses(path) })
	d.report(checkWritten(d))
	d.report(check(c))
	if err := invalid(d.problems); err != nil {
		return nil, nil, err
	}
	return c, reserved(c), nil
}

// LoadClient reads no more of a file than a program needs that only asks over NATS: NATS and DataDir. The other
// sections need not be complete, and the variables and files that they name may be out of reach, as they are for
// somebody at a terminal; what is there has still to be written correctly.
func LoadClient(path string, env LookupEnv) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	d, c, err := decode(data, path, env)
	if err != nil {
		return nil, err
	}
	d.forgive(func(path string) bool { return path != "data_dir" && !strings.HasPrefix(path, "nats.") })
	d.report(checkClient(c))
	if err := invalid(d.problems); err != nil {
		return nil, err
	}
	client := Default()
	client.NATS, client.DataDir = c.NATS, c.DataDir
	return &client, nil
}

// FromEnv is the configuration where no file is given: defaults, SLACK_BOT_TOKEN, SLACK_APP_TOKEN,
// SLACK_SIGNING_SECRET, SLACK_API_URL, NATS_URL and NATS_CREDS. It is enough to ask over NATS. It does not pass
// [Config.Validate], since the environment cannot say who may do what.
func FromEnv(env LookupEnv) *Config {
	c := Default()
	texts := map[string]*string{"SLACK_API_URL": &c.Slack.APIURL, "NATS_URL": &c.NATS.URL, "NATS_CREDS": &c.NATS.Creds}
	for name, into := range texts {
		if value, _ := env(name); value != "" {
			*into = value
		}
	}
	secret := func(name string) Secret { value, _ := env(name); return NewSecret(value) }
	c.Slack.BotToken, c.Slack.AppToken = secret("SLACK_BOT_TOKEN"), secret("SLACK_APP_TOKEN")
	if s := secret("SLACK_SIGNING_SECRET"); !s.IsZero() {
		c.Slack.SigningSecrets = Secrets{s}
	}
	return &c
}

// Validate checks what a bot or an executor needs before it starts, and returns an [*InvalidError] with every problem.
// [Load] and [Parse] have called it.
func (c *Config) Validate() error { return invalid(check(c)) }

// uses reports whether the mode of Slack reads a key.
func (c *Config) uses(path string) bool {
	switch {
	case path == "slack.app_token":
		return c.Slack.Mode != ModeHTTP
	case strings.HasPrefix(path, "slack.signing_secret"):
		return c.Slack.Mode != ModeSocket
	}
	return true
}

// decode fills a tree as far as it can and keeps the problems in the decoder; an error means there is no tree.
func decode(data []byte, name string, env LookupEnv) (*decoder, *Config, error) {
	root, err := parse(data, name)
	if err != nil {
		return nil, nil, err
	}
	d := newDecoder(name, source{env: env, dir: filepath.Dir(name)})
	into := fresh(reflect.TypeFor[Config]())
	if root != nil {
		d.value(root, "", into)
	}
	return d, into.Addr().Interface().(*Config), nil
}

// forgive drops the problems of values that could not be fetched, where the path says that nobody needs them.
func (d *decoder) forgive(unneeded func(path string) bool) {
	d.problems = slices.DeleteFunc(d.problems, func(p Problem) bool {
		_, unreachable := errors.AsType[*sourceError](p.Cause)
		return unreachable && unneeded(p.Path)
	})
}

// report adds problems of a later check, placed in the file, and drops those that follow from an earlier one: a value
// that could not be read is not also missing, and a section with such a value in it is not also empty.
func (d *decoder) report(found []Problem) {
	earlier := slices.Clone(d.problems)
	for _, p := range found {
		follows := slices.ContainsFunc(earlier, func(e Problem) bool { return within(p.Path, e.Path) || within(e.Path, p.Path) })
		if follows {
			continue
		}
		d.problems = append(d.problems, d.placed(p))
	}
}

// within reports whether a path is another or lies inside it.
func within(path, other string) bool {
	rest, ok := strings.CutPrefix(path, other)
	return ok && other != "" && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
