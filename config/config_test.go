package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ferry/config"
)

// minimal is the smallest file that loads.
const minimal = `
slack: {channel: C1, bot_token: xoxb-1, app_token: xapp-1}
azure:
  vaults: [{subscription_id: s, resource_group: rg, name: v}]
access:
  roles: {operator: {users: [U1]}, approver: {users: [U2, U3]}}
  rules:
    - {match: {vm: ["*"]}, verbs: [failover], may: [operator], approvals: 1, approvers: [approver]}
`

// filledSample is the sample as somebody leaves it who follows its comments.
func filledSample(t *testing.T) string {
	t.Helper()
	const empty = `{subscription_id: "", resource_group: "", name: ""}`
	if !strings.Contains(config.Sample(), empty) {
		t.Fatal("the sample's vault is not empty")
	}
	return strings.Replace(config.Sample(), empty, `{subscription_id: sub, resource_group: rg, name: vault}`, 1)
}

func env(pairs ...string) config.LookupEnv {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func tokens() config.LookupEnv {
	return env("SLACK_BOT_TOKEN", "xoxb-bot", "SLACK_APP_TOKEN", "xapp-app", "SLACK_SIGNING_SECRET", "sign")
}

func mustParse(t *testing.T, text string, lookup config.LookupEnv) (*config.Config, []config.Warning) {
	t.Helper()
	c, warnings, err := config.Parse([]byte(text), "ferry.yaml", lookup)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return c, warnings
}

func TestSampleLoads(t *testing.T) {
	t.Parallel()
	c, warnings := mustParse(t, filledSample(t), tokens())
	if got := c.Slack.BotToken.Reveal(); got != "xoxb-bot" {
		t.Errorf("bot token = %q", got)
	}
	want := []config.Rule{
		{
			Match: config.Match{VM: []string{"prod-*"}}, Verbs: []string{"failover", "commit", "change", "reprotect", "failback"},
			May: []string{"operator"}, Approvals: 1, Approvers: []string{"approver"}, Expires: 15 * time.Minute,
		},
		{
			Match: config.Match{VM: []string{"*"}}, Verbs: []string{"test", "cleanup", "cancel", "freeze"},
			May: []string{"operator"}, Expires: 15 * time.Minute,
		},
	}
	if diff := cmp.Diff(want, c.Access.Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	wantGroup := config.Group{
		Waves:       []config.Wave{{VMs: []string{"sql-01", "sql-02"}}, {VMs: []string{"app-01", "app-02"}}, {VMs: []string{"web-*"}}},
		Concurrency: 20, OnFailure: "stop-wave",
	}
	if diff := cmp.Diff(wantGroup, c.Groups["checkout"]); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
	if len(warnings) > 0 {
		t.Errorf("warnings: %q", warnings)
	}
}

// The sample shows the defaults, so the sections that need no filling in equal those of an empty file.
func TestSampleShowsTheDefaults(t *testing.T) {
	t.Parallel()
	c, _ := mustParse(t, filledSample(t), tokens())
	want := config.Default()
	for name, pair := range map[string][2]any{
		"slack.mode":       {want.Slack.Mode, c.Slack.Mode},
		"slack.listen":     {want.Slack.Listen, c.Slack.Listen},
		"slack.api_url":    {want.Slack.APIURL, c.Slack.APIURL},
		"slack.notify":     {want.Slack.NotifyApprovers, c.Slack.NotifyApprovers},
		"slack.topic":      {want.Slack.Topic, c.Slack.Topic},
		"nats":             {want.NATS, c.NATS},
		"data_dir":         {want.DataDir, c.DataDir},
		"azure.endpoint":   {want.Azure.Endpoint, c.Azure.Endpoint},
		"azure.credential": {want.Azure.Credential, c.Azure.Credential},
		"targets":          {want.Targets, c.Targets},
		"digest":           {want.Digest, c.Digest},
		"audit":            {want.Audit, c.Audit},
		"http":             {want.HTTP, c.HTTP},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s (-default +sample):\n%s", name, diff)
		}
	}
	written, _ := mustParse(t, minimal, env())
	if !written.Access.AnyoneMayRead || written.Access.ConfirmAbove != 20 {
		t.Errorf("access defaults = %+v", written.Access)
	}
}

func TestLiteralSampleNamesTheVaultsFields(t *testing.T) {
	t.Parallel()
	_, _, err := config.Parse([]byte(config.Sample()), "ferry.yaml", tokens())
	want := strings.Join([]string{
		"ferry.yaml:24:8: azure.vaults[0].subscription_id: empty; write the subscription's id",
		"ferry.yaml:24:29: azure.vaults[0].resource_group: empty; write the vault's resource group",
		"ferry.yaml:24:49: azure.vaults[0].name: empty; write the vault's name",
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestMinimalLoadsWithoutWarning(t *testing.T) {
	t.Parallel()
	c, warnings := mustParse(t, minimal, env())
	if len(warnings) != 0 {
		t.Errorf("warnings = %q", warnings)
	}
	if got := c.Access.Rules[0].Expires; got != 15*time.Minute {
		t.Errorf("expires = %v, want 15m", got)
	}
}

func TestNoAccessSection(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing\n", "access:\n"} {
		_, _, err := config.Parse([]byte(text), "ferry.yaml", env())
		if err == nil || !strings.Contains(err.Error(), "ferry refuses to start without an access section") {
			t.Errorf("Parse(%q) = %v", text, err)
		}
	}
}

func TestHTTPModeNeedsASigningSecretAndNoAppToken(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"signing_secret: s, ":           "",
		"signing_secret: [s, t], ":      "",
		"":                              "slack.signing_secret: empty, and mode http takes nothing that is not signed",
		"signing_secret: '', ":          "slack.signing_secret",
		"signing_secret: [], ":          "slack.signing_secret: empty",
		"signing_secret: [s, ''], ":     "slack.signing_secret[1]: empty",
		"signing_secret: xoxb-1, ":      "slack.signing_secret[0]: this is a token",
		"signing_secret: \"${NONE}\", ": "NONE is not set",
	} {
		text := strings.NewReplacer("slack: {", "slack: {mode: http, "+written, "app_token: xapp-1", "team_id: T1").Replace(minimal)
		_, _, err := config.Parse([]byte(text), "ferry.yaml", env())
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q: %v, want %q in it", written, err, want)
		}
	}
}

func TestVariableOfAnotherModeMayBeUnset(t *testing.T) {
	t.Parallel()
	onlySocket := env("SLACK_BOT_TOKEN", "xoxb-bot", "SLACK_APP_TOKEN", "xapp-app")
	c, _ := mustParse(t, filledSample(t), onlySocket)
	if len(c.Slack.SigningSecrets) != 0 {
		t.Errorf("signing secrets = %v", c.Slack.SigningSecrets)
	}
	_, _, err := config.Parse([]byte(filledSample(t)), "ferry.yaml", env("SLACK_BOT_TOKEN", "xoxb-bot"))
	if err == nil || !strings.Contains(err.Error(), "SLACK_APP_TOKEN is not set") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one problem that names SLACK_APP_TOKEN", err)
	}
}

func TestLoadTakesFilesRelativeToItself(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), "xoxb-from-file\n")
	text := strings.Replace(minimal, "xoxb-1", "file:token", 1)
	text = strings.Replace(text, "xapp-1", `"file:${SECRETS}/app"`, 1)
	write(t, filepath.Join(dir, "ferry.yaml"), text)
	write(t, filepath.Join(dir, "app"), "xapp-from-file\r\n\n")

	c, _, err := config.Load(filepath.Join(dir, "ferry.yaml"), env("SECRETS", dir))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Slack.BotToken.Reveal(); got != "xoxb-from-file" {
		t.Errorf("bot token = %q", got)
	}
	if got := c.Slack.AppToken.Reveal(); got != "xapp-from-file" {
		t.Errorf("app token = %q", got)
	}
}

func TestLoadNamesAMissingFile(t *testing.T) {
	t.Parallel()
	_, _, err := config.Load(filepath.Join(t.TempDir(), "absent.yaml"), env())
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestLoadClientNeedsOnlyNATS(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ferry.yaml")
	write(t, path, "slack: {bot_token: \"${UNSET}\", app_token: file:absent}\nnats: {url: \"nats://${HOST}:4222\"}\ndata_dir: d\n")
	c, err := config.LoadClient(path, env("HOST", "n1"))
	if err != nil {
		t.Fatal(err)
	}
	if c.NATS.URL != "nats://n1:4222" || c.DataDir != "d" {
		t.Errorf("got %+v", c)
	}
	if _, err := config.LoadClient(path, env()); err == nil || !strings.Contains(err.Error(), "nats.url") {
		t.Errorf("with HOST unset: %v", err)
	}
	write(t, path, "nats: {url: \"http://n1\", replicas: 2}\nslak: {}\n")
	_, err = config.LoadClient(path, env())
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want problems with nats.url, nats.replicas and slak", err)
	}
}

func TestFromEnv(t *testing.T) {
	t.Parallel()
	c := config.FromEnv(env("SLACK_BOT_TOKEN", "b", "SLACK_APP_TOKEN", "a", "SLACK_SIGNING_SECRET", "s",
		"SLACK_API_URL", "http://127.0.0.1:1/api/", "NATS_URL", "nats://n", "NATS_CREDS", "c"))
	want := config.Default()
	want.Slack.BotToken, want.Slack.AppToken = config.NewSecret("b"), config.NewSecret("a")
	want.Slack.SigningSecrets = config.Secrets{config.NewSecret("s")}
	want.Slack.APIURL = "http://127.0.0.1:1/api/"
	want.NATS.URL, want.NATS.Creds = "nats://n", "c"
	if diff := cmp.Diff(&want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "without an access section") {
		t.Errorf("Validate = %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A wave is a list of its VMs, or says more; what waits for what is the same by name and by number.
func TestWaves(t *testing.T) {
	t.Parallel()
	c, _ := mustParse(t, minimal+`
groups:
  shop:
    waves:
    - [sql-01, "vault-a/sql-02"]
    - {name: app, vms: ["app-*"], tags: ["app=shop"]}
    - name: files
      vms: [files-01]
      after: []
    - {vms: ["web-*"], after: [APP, 3]}
    tolerate: 10
`, env())
	g := c.Groups["shop"]
	if g.Concurrency != 0 || g.Canary != 0 || g.OnFailure != "stop-wave" || g.Tolerate != 10 || len(g.Waves) != 4 {
		t.Errorf("the group is %+v", g)
	}
	for n, want := range [][]int{nil, {1}, nil, {2, 3}} {
		if diff := cmp.Diff(want, g.Before(n+1)); diff != "" {
			t.Errorf("wave %d waits for (-want +got):\n%s", n+1, diff)
		}
	}
	if diff := cmp.Diff(config.Wave{Name: "app", VMs: []string{"app-*"}, Tags: []string{"app=shop"}}, g.Waves[1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
