package chaos_test

import (
	"errors"
	"io/fs"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ferry/config"
	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

const incident = "#incident"

// outside is the stand-ins, in this process, and the configuration of everybody who works with them.
type outside struct {
	*kit
	vault     *vault.Vault
	workspace *workspace.Workspace
	config    config.Config
}

// speed is how many simulated seconds pass in one: a failover takes a few seconds.
const speed = 120

func (k *kit) outside(vms int) *outside {
	k.Helper()
	return k.outsideOf(vault.Options{Speed: speed, VMs: vms})
}

func (k *kit) outsideOf(options vault.Options) *outside {
	k.Helper()
	o := &outside{kit: k, vault: vault.New(options), workspace: workspace.New(workspace.Options{})}
	azure, slack := httptest.NewServer(o.vault), httptest.NewServer(o.workspace)
	k.Cleanup(azure.Close)
	k.Cleanup(slack.Close)
	k.Cleanup(o.workspace.Close)
	k.Cleanup(k.end) // before those
	o.vault.SetBaseURL(azure.URL)
	o.workspace.SetBaseURL(slack.URL)
	k.env = append(k.env, "IDENTITY_HEADER=sandbox", "IDENTITY_ENDPOINT="+azure.URL+"/identity/token")
	c := config.Default()
	c.Slack.APIURL, c.Slack.TeamID, c.Slack.Channel = slack.URL+"/api/", "T0SANDBOX", "C0INCIDENT"
	c.Slack.BotToken, c.Slack.AppToken = config.NewSecret("xoxb-sandbox"), config.NewSecret("xapp-sandbox")
	c.Azure.Endpoint, c.Azure.Credential = azure.URL, "managed_identity"
	c.Azure.Vaults = []config.Vault{{SubscriptionID: "3f2b8c1e-7a54-4d0b-9c6e-2f1d5a7b9e30", ResourceGroup: "rg-dr", Name: "vault-dr"}}
	c.Azure.IsolatedNetworks, c.Azure.CacheStorage = []string{o.vault.DrillNetwork()}, o.vault.CacheAccounts()
	c.HTTP.Listen = ""
	c.DataDir = filepath.Join(k.dir, "data")
	all := config.Match{VM: []string{"*"}}
	c.Access = &config.Access{
		AnyoneMayRead: true,
		Roles:         map[string]config.Role{"operator": {Users: []string{"U0ANA"}}, "approver": {Users: []string{"U0BEN"}}},
		Rules: []config.Rule{
			{Match: all, Verbs: []string{"failover", "commit"}, May: []string{"operator"}, Approvals: 1, Approvers: []string{"approver"}, Expires: time.Hour},
			{Match: all, Verbs: []string{"test", "cleanup"}, May: []string{"operator"}, Expires: time.Hour},
		},
	}
	o.config = c
	return o
}

// start begins a process of Ferry: up, bot or executor.
func (o *outside) start(name, role string) *proc {
	o.Helper()
	return o.run(name, o.ferry, role, "--config", o.file(name))
}

// starved is the same for a process that cannot write a file of more than so many blocks of 512 bytes.
func (o *outside) starved(name, role, blocks string) *proc {
	o.Helper()
	return o.run(name, "/bin/sh", "-c", `ulimit -f "$0"; exec "$@"`, blocks, o.ferry, role, "--config", o.file(name))
}

// file is the configuration of a process, written with its first life.
func (o *outside) file(name string) string {
	o.Helper()
	path := filepath.Join(o.dir, name+".yaml")
	if err := config.Write(path, o.config); err != nil && !errors.Is(err, fs.ErrExist) {
		o.Fatal(err)
	}
	return path
}

// connected waits for a bot to hear from Slack.
func (o *outside) connected() {
	o.Helper()
	o.until("a bot is connected to Slack", time.Minute, func() bool { return o.workspace.Connections() > 0 })
}

func (o *outside) types(who, line string) {
	o.Helper()
	if err := o.workspace.Type(who, incident, line); err != nil {
		o.Fatal(err)
	}
}

func (o *outside) presses(who, label, vm string) {
	o.Helper()
	o.until(label+" can be pressed for "+vm, time.Minute, func() bool { return strings.Contains(o.card(vm), "[ "+label+" ]") })
	if _, err := o.workspace.Click(who, incident, label, workspace.Containing(vm)); err != nil {
		o.Fatal(err)
	}
}

// card is the newest card about a VM, as people read it.
func (o *outside) card(vm string) string {
	for _, m := range slices.Backward(o.workspace.Messages(incident, "")) {
		if text := strings.Join(o.workspace.Render(m), "\n"); strings.HasPrefix(text, "# ") && strings.Contains(text, vm) {
			return text
		}
	}
	return ""
}

// accepted counts the calls of a kind that started work in Azure.
func (o *outside) accepted(operation string) int {
	n := 0
	for _, c := range o.vault.Ledger() {
		if c.Accepted && c.Operation == operation {
			n++
		}
	}
	return n
}
