package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ferry/config"
)

const network = "/subscriptions/007/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-drill"

// full differs from the defaults in every field that can.
func full() config.Config {
	c := config.Default()
	c.Slack.APIURL = "http://127.0.0.1:1/api/"
	c.Slack.Listen = "127.0.0.1:2"
	c.Slack.BotToken, c.Slack.AppToken = config.NewSecret("xoxb-${x}"), config.NewSecret("xapp-$${y}: # z")
	c.Slack.SigningSecrets = config.Secrets{config.NewSecret("a"), config.NewSecret("b")}
	c.Slack.TeamID, c.Slack.Channel, c.Slack.NotifyApprovers = "T1", "C1", false
	c.NATS = config.NATS{
		URL: "nats://a:4222", NKey: config.NewSecret("SU${x}"), Identity: "ana", Replicas: 3,
		TLS: config.TLS{CA: "/ca", Cert: "/cert", Key: "/key", ServerName: "nats"},
	}
	c.DataDir = "/data"
	c.Azure = config.Azure{
		Endpoint: "http://127.0.0.1:3", Credential: "cli", IsolatedNetworks: []string{network},
		CacheStorage:     map[string]string{"northeurope": "/subscriptions/007/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/cacheneu"},
		AlternativeSizes: map[string][]string{"Standard_D4s_v5": {"Standard_D4as_v5", "Standard_D8s_v5"}},
		Vaults:           []config.Vault{{SubscriptionID: "007", ResourceGroup: "null", Name: "~"}},
	}
	c.Access = &config.Access{
		Roles: map[string]config.Role{"a.b": {Users: []string{"U1", "cli:x"}, Groups: []string{"S1"}}},
		Rules: []config.Rule{{
			Match: config.Match{VM: []string{"*", "a: b"}, Tag: []string{"true"}}, Verbs: []string{"test"}, May: []string{"a.b"},
			Approvals: 1, Approvers: []string{"a.b"}, SelfApproval: true, Expires: 90 * time.Second, ConfirmName: true, TerminalApprovals: 1,
		}, {Match: config.Match{VM: []string{"*"}}, Verbs: []string{"cancel"}, May: []string{}, Expires: time.Hour}},
		BreakGlass: &config.BreakGlass{Role: "a.b", Approvals: 2},
	}
	c.Groups = map[string]config.Group{
		"g": {Waves: []config.Wave{{VMs: []string{"x"}}, {VMs: []string{"y", "z"}}}, Concurrency: 1, Canary: 2, OnFailure: "continue"},
		"h": {Waves: []config.Wave{
			{Name: "db", VMs: []string{"v/sql-01"}}, {Tags: []string{"app=shop", "tier"}, After: []string{}}, {VMs: []string{"x"}, After: []string{"DB", "2"}},
		}, OnFailure: "stop-wave", Tolerate: 10},
	}
	c.Checks = map[string]config.Check{"t": {TCP: "h:1"}, "h": {HTTP: "https://h/"}, "n": {NATS: true}}
	c.Targets = config.Targets{RTO: time.Minute, RPO: time.Second}
	c.Drills = []any{map[string]any{"name": "d"}}
	c.Digest = config.Digest{Hour: "10:30", TimeZone: "Europe/Paris"}
	c.Audit = config.Audit{File: "/heads"}
	c.HTTP.Listen = ""
	return c
}

func TestWriteAndLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ferry.yaml")
	want := full()
	if err := config.Write(path, want); err != nil {
		t.Fatal(err)
	}
	got, _, err := config.Load(path, env())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode %v, want 0600", mode)
	}
	if err := config.Write(path, want); err == nil {
		t.Error("a second Write overwrote the file")
	}
}

func TestEncodeLeavesOutDefaults(t *testing.T) {
	t.Parallel()
	c, _ := mustParse(t, minimal, env())
	data, err := config.Encode(*c)
	if err != nil {
		t.Fatal(err)
	}
	for _, absent := range []string{"mode", "http", "digest", "expires", "endpoint", "targets"} {
		if strings.Contains(string(data), absent+":") {
			t.Errorf("%s is written:\n%s", absent, data)
		}
	}
}

func TestOddTextsComeBack(t *testing.T) {
	t.Parallel()
	texts := []string{
		"", "~", "null", "true", "0x10", "1_000", "09:00", "a: b", "a #b", "#a", "- a", "&a", "*a", "!a", "%a", "@a", "`a", "|", ">",
		"[a]", "{a}", "'", `"`, `\n`, "a\nb", "a\n", "\na", " a", "a ", "\t", "\r\n", "<<", "---", "...", "ä€🙂", "${A}", "$${A}", "$$$${", "$",
		"{{", "a,b", "? a", ": a", "\\", "a\\", "\u0085", "\u2028", "\x7f", "\x01",
	}
	for _, text := range texts {
		c := full()
		c.Azure.IsolatedNetworks = []string{network + text, network}
		c.Slack.TeamID = text
		c.Checks = map[string]config.Check{text + "k": {TCP: "h:1"}}
		data, err := config.Encode(c)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		got, _, err := config.Parse(data, "ferry.yaml", env())
		if err != nil {
			t.Errorf("%q: %v\n%s", text, err, data)
			continue
		}
		if diff := cmp.Diff(&c, got); diff != "" {
			t.Errorf("%q (-written +read):\n%s", text, diff)
		}
	}
}

func TestEncodeRefusesWhatItCannotEscape(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Slack.BotToken = config.NewSecret("file:hush")
	_, err := config.Encode(c)
	if err == nil || !strings.Contains(err.Error(), "slack.bot_token begins with file:") || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v", err)
	}
}

// What Parse accepts, Encode writes and Parse reads as the same values; and nothing makes it panic.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", minimal, config.Sample(), "a: &x [*x]", minimal + "groups: {g: {waves: [[a], {name: b, tags: [x], after: [1]}, {vms: [c], after: []}], tolerate: 5}}\n", "access: {roles: {a: {users: [U1]}}}\n", "slack: {channel: \"${A}$${\"}"} {
		f.Add(seed)
	}
	lookup := env("SLACK_BOT_TOKEN", "xoxb-bot", "SLACK_APP_TOKEN", "xapp-app", "SLACK_SIGNING_SECRET", "sign")
	f.Fuzz(func(t *testing.T, text string) {
		c, _, err := config.Parse([]byte(text), "ferry.yaml", lookup)
		if err != nil || len(c.Drills) > 0 { // drills are kept as the library reads them
			return
		}
		data, err := config.Encode(*c)
		if err != nil {
			t.Skip(err)
		}
		again, _, err := config.Parse(data, "ferry.yaml", lookup)
		if err != nil {
			t.Fatalf("%v\nencoded:\n%s", err, data)
		}
		if diff := cmp.Diff(c, again); diff != "" {
			t.Errorf("(-first +second):\n%s\nencoded:\n%s", diff, data)
		}
	})
}
