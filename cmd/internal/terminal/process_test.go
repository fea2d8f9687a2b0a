package terminal_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/cmd/internal/terminal"
	"ferry/config"
	"ferry/events"
	"ferry/sandbox/confidential"
	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// TestMain lets the test binary be ferry itself, so that a test can kill it. A ferry that tells a secret ends at once.
func TestMain(m *testing.M) {
	if os.Getenv("FERRY_CHILD") != "" {
		tell := func(secret, text string) {
			fmt.Fprintf(os.Stderr, "a secret is told, %s: %s\n", secret, text)
			os.Exit(97)
		}
		out, errs := confidential.Listen(os.Stdout, tell), confidential.Listen(os.Stderr, tell)
		os.Exit(terminal.Main(os.Args[1:], terminal.Streams{In: os.Stdin, Out: out, Err: errs}))
	}
	// They wait for simulated worlds rather than for a core; -parallel says otherwise.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// outside is the stand-ins, in this process, and a ferry.yaml that names them.
type outside struct {
	t         *testing.T
	vault     *vault.Vault
	workspace *workspace.Workspace
	azure     string
	dir       string
	config    string
}

func newOutside(t *testing.T) *outside {
	t.Helper()
	return newOutsideWith(t, vault.Options{Speed: 40, VMs: 3}, access)
}

func newOutsideWith(t *testing.T, options vault.Options, access string) *outside {
	t.Helper()
	o := &outside{t: t, dir: t.TempDir()}
	o.vault = vault.New(options)
	o.workspace = workspace.New(workspace.Options{})
	azure, slack := httptest.NewServer(o.vault), httptest.NewServer(o.workspace)
	t.Cleanup(azure.Close)
	t.Cleanup(slack.Close)
	t.Cleanup(o.workspace.Close)
	o.vault.SetBaseURL(azure.URL)
	o.workspace.SetBaseURL(slack.URL)
	o.azure = azure.URL
	o.config = filepath.Join(o.dir, "ferry.yaml")
	file := fmt.Sprintf(yaml, slack.URL, filepath.Join(o.dir, "data"), azure.URL, o.vault.DrillNetwork()) + access
	for region, account := range o.vault.CacheAccounts() {
		file = strings.Replace(file, "cache_storage: {", fmt.Sprintf("cache_storage: {%s: %q, ", region, account), 1)
	}
	if err := os.WriteFile(o.config, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

const yaml = `
slack: {api_url: "%s/api/", bot_token: xoxb-sandbox, app_token: xapp-sandbox, team_id: T0SANDBOX, channel: C0INCIDENT}
data_dir: %s
azure:
  endpoint: %s
  credential: managed_identity
  vaults: [{subscription_id: 3f2b8c1e-7a54-4d0b-9c6e-2f1d5a7b9e30, resource_group: rg-dr, name: vault-dr}]
  isolated_networks: [%s]
  cache_storage: {}
groups: {shop: {waves: [[sql-01], ["vm-*"]]}}
http: {listen: ""}
`

// access makes cli:local an approver, as most tests of the terminal's verbs need it.
const access = `
access:
  roles:
    operator: {users: [U0ANA]}
    approver: {users: [U0BEN, "cli:local"]}
  rules:
    - {match: {vm: ["vm-x"]}, verbs: [failover, commit], may: [operator], approvals: 1, approvers: [approver]}
    - {match: {vm: ["vm-x"]}, verbs: [reprotect], may: [approver], approvals: 1, approvers: [operator]}
    - {match: {vm: ["*"]}, verbs: [failover, commit], may: [operator], approvals: 0}
`

// up starts ferry up as a process of its own and waits until it hears from Slack.
func (o *outside) up() *exec.Cmd {
	o.t.Helper()
	connected := o.workspace.Connections()
	cmd := o.begin()
	o.until("ferry up is connected to Slack", func() bool { return o.workspace.Connections() > connected })
	return cmd
}

// command is ferry up, to be started as a process of its own.
func (o *outside) command() *exec.Cmd {
	cmd := exec.CommandContext(o.t.Context(), os.Args[0], "up", "--config", o.config)
	cmd.Env = append(os.Environ(), "FERRY_CHILD=1", "IDENTITY_ENDPOINT="+o.azure+"/identity/token", "IDENTITY_HEADER=sandbox")
	cmd.Stdout, cmd.Stderr = o.t.Output(), o.t.Output()
	return cmd
}

// begin starts it, until the test ends.
func (o *outside) begin() *exec.Cmd {
	o.t.Helper()
	cmd := o.command()
	if err := cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// until looks at each change in the channel, and at least ten times a second.
func (o *outside) until(what string, holds func() bool) {
	o.t.Helper()
	limit := time.After(60 * time.Second)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			o.t.Fatalf("waited in vain until %s; the channel:\n%s", what, o.channel())
		}
	}
}

func (o *outside) channel() string {
	var all []string
	for _, m := range o.workspace.Messages("#incident", workspace.Everyone) {
		all = append(all, o.workspace.Render(m)...)
	}
	return strings.Join(all, "\n")
}

func (o *outside) says(text string) func() bool {
	return func() bool { return strings.Contains(o.channel(), text) }
}

func (o *outside) accepted() map[string]int {
	n := map[string]int{}
	for _, c := range o.vault.Ledger() {
		if c.Accepted {
			n[c.Operation]++
		}
	}
	return n
}

// ferry runs one command line of the terminal against the running process.
func (o *outside) ferry(args ...string) (code int, out, errs string) {
	o.t.Helper()
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(o.t.Context(), time.Minute)
	defer cancel()
	code = terminal.Run(ctx, append([]string{"--data", filepath.Join(o.dir, "data")}, args...), terminal.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	return code, stdout.String(), stderr.String()
}

func (o *outside) open() events.Status {
	o.t.Helper()
	_, out, errs := o.ferry("status", "-o", "json")
	var all struct{ Operations []events.Status }
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all.Operations) != 1 {
		o.t.Fatalf("want one open operation: %v %s %s", err, out, errs)
	}
	return all.Operations[0]
}

// kill -9 while Azure works on the failover, and again before the end: the next process adopts the job and goes on. Who watches
// finds it again, at its new address.
func TestKill(t *testing.T) {
	t.Parallel()
	o := newOutside(t)
	up := o.up()
	if err := o.workspace.Type("ana", "#incident", "/failover vm-x latest"); err != nil {
		t.Fatal(err)
	}
	o.until("the approval is asked for", o.says("[ Approve ]"))
	if _, err := o.workspace.Click("ben", "#incident", "Approve"); err != nil {
		t.Fatal(err)
	}
	o.until("Azure has the call", func() bool { return o.accepted()["unplannedFailover"] == 1 })
	watched := o.watches("vm-x")
	if err := up.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = up.Wait()
	o.until("Slack has seen it go", func() bool { return o.workspace.Connections() == 0 }) // o.up waits for one more
	o.up()
	o.until("the commit is asked for", o.says("[ Commit ]"))
	if _, err := o.workspace.Click("ben", "#incident", "Commit"); err != nil {
		t.Fatal(err)
	}
	o.until("it is committed", o.says(": committed"))
	if n := o.accepted(); n["unplannedFailover"] != 1 || n["failoverCommit"] != 1 {
		t.Fatalf("accepted calls: %v", n)
	}
	if code, out, errs := watched(); code != 0 || !strings.Contains(out, "succeeded") || !strings.Contains(errs, "keeps asking") || !strings.Contains(errs, "there are answers again") {
		t.Fatalf("watch: exit %d\n%s\n%s", code, out, errs)
	}
}

// watches follows an operation beside the test, and gives how that has ended. It returns when the first line is there.
func (o *outside) watches(ref string) (ended func() (code int, out, errs string)) {
	o.t.Helper()
	out, in := io.Pipe()
	var stdout, stderr bytes.Buffer
	first, read := make(chan struct{}), make(chan struct{})
	go func() {
		lines := bufio.NewReader(out)
		line, _ := lines.ReadString('\n')
		stdout.WriteString(line)
		close(first)
		_, _ = io.Copy(&stdout, lines)
		close(read)
	}()
	result := make(chan int, 1)
	go func() {
		result <- terminal.Run(o.t.Context(), []string{"--data", filepath.Join(o.dir, "data"), "watch", ref}, terminal.Streams{Out: in, Err: &stderr})
		_ = in.Close()
	}()
	<-first
	return func() (int, string, string) {
		got := <-result
		<-read
		return got, stdout.String(), stderr.String()
	}
}

// The terminal is under the same rules as Slack.
func TestTerminal(t *testing.T) {
	t.Parallel()
	o := newOutside(t)
	o.up()
	if err := o.workspace.Type("ana", "#incident", "/failover vm-x latest"); err != nil {
		t.Fatal(err)
	}
	o.until("the approval is asked for", o.says("[ Approve ]"))
	op := o.open()
	if op.Phase != "awaiting_approval" || op.RequestedBy != "U0ANA" || op.Targets[0].Name != "vm-x" {
		t.Fatalf("%+v", op)
	}
	id := string(op.ID)

	if code, out, errs := o.ferry("commit", id); code != 3 || !strings.Contains(errs, "ferry approve "+id) {
		t.Fatalf("commit before the approval: %d %s %s", code, out, errs)
	}
	if code, out, errs := o.ferry("run", "vm-x"); code != 3 || !strings.Contains(errs, "You may not fail over vm-x") {
		t.Fatalf("cli:local is no operator: %d %s %s", code, out, errs)
	}
	if code, out, errs := o.ferry("approve", "op-aaaaaaaa", "-o", "json"); code != 3 || !strings.Contains(out, `"refused"`) {
		t.Fatalf("an operation that is not there: %d %s %s", code, out, errs)
	}
	if code, out, errs := o.ferry("approve", id); code != 0 || !strings.Contains(out, id) {
		t.Fatalf("approve: %d %s %s", code, out, errs)
	}
	o.until("the commit is asked for", o.says("[ Commit ]"))
	code, out, errs := o.ferry("commit", "vm-x", "--wait", "-o", "json")
	var end events.Status
	if err := json.Unmarshal([]byte(out), &end); err != nil || code != 0 || end.Phase != "succeeded" || end.RTOSeconds == nil || end.RPOSeconds == nil || end.FinishedAt == nil {
		t.Fatalf("commit --wait: %d %v %s %s", code, err, out, errs)
	}
	if gates := end.Approvals; len(gates) != 2 || gates[0].Gate != "failover" || gates[0].By != "cli:local" || gates[1].Gate != "commit" {
		t.Fatalf("approvals %+v", gates)
	}
	o.until("the card says so", o.says(": committed"))
	if code, out, errs := o.ferry("watch", id); code != 0 || !strings.Contains(out, id+" succeeded") || !strings.Contains(out, "Failover of vm-x: committed") || errs != "" {
		t.Fatalf("watch of what is over: %d %s %s", code, out, errs)
	}
	if code, out, _ := o.ferry("list"); code != 0 || !strings.Contains(out, "vm-x") {
		t.Fatalf("list: %d %s", code, out)
	}
	if code, out, _ := o.ferry("status", id); code != 0 || !strings.Contains(out, "committed") {
		t.Fatalf("status: %d %s", code, out)
	}
	if code, out, errs := o.ferry("reprotect", id); code != 0 || !strings.Contains(out, "waits for approval") || !strings.Contains(out, "+ New: replica disk") || strings.Contains(out, "/failover") {
		t.Fatalf("reprotect does not show what it would use: %d %s %s", code, out, errs)
	}
	if n := o.accepted(); n["unplannedFailover"] != 1 || n["failoverCommit"] != 1 || n["switchprotection"] != 0 {
		t.Fatalf("accepted calls: %v", n)
	}
}

// What is wrong is said before anything is started, with the exit code that scripts rely on.
func TestUsage(t *testing.T) {
	empty := t.TempDir()
	rows := []struct {
		args []string
		code int
		says string
	}{
		{[]string{"version"}, 0, "ferry "},
		{[]string{"--help"}, 0, "ferry sandbox"},
		{[]string{"vm-x", "latest"}, 2, "ferry run vm-x latest"},
		{[]string{"comit", "vm-x"}, 2, "ferry commit vm-x"},
		{[]string{"run", "--help"}, 0, "ferry run vm-x latest-app --reason \"disk errors\""},
		{[]string{"--data", empty, "run", "vm-x", "-20m"}, 2, "no ferry has run"},
		{[]string{"run", "vm-x", "20m"}, 2, "no recovery point"},
		{[]string{"approve"}, 2, "op-"},
		{[]string{"approve", "vm-x"}, 2, "op-"},
		{[]string{"run", "vm-x", "--raeson", "x"}, 2, `There is no flag "--raeson". Did you mean --reason?`},
		{[]string{"run", "vm-x", "--wiat"}, 2, "unknown flag: --wiat; did you mean --wait?"},
		{[]string{"run", "vm-x", "-x"}, 2, "unknown shorthand flag"},
		{[]string{"plan"}, 2, "ferry plan plan-shop latest-processed --reason \"region is down\"."},
		{[]string{"cleanup", "--help"}, 0, "--notes TEXT    what the drill showed"},
		{[]string{"failback", "--help"}, 0, "A recovery point is latest, "},
		{[]string{"change", "vm-x"}, 2, "ferry change vm-x -20m"},
		{[]string{"handover"}, 3, "not available yet"},
		{[]string{"status", "-o", "xml"}, 2, "text or json"},
		{[]string{"watch", "-o", "xml"}, 2, "text or json"},
		{[]string{"watch", "op-aaaaaaaa", "vm-x"}, 2, "one operation or none"},
		{[]string{"--data", empty, "watch"}, 2, "no ferry has run"},
		{[]string{"--data", empty, "status"}, 2, "no ferry has run"},
		{[]string{"up", "--config", filepath.Join(empty, "none.yaml")}, 2, "none.yaml"},
		{[]string{"doctor", "--config", filepath.Join(empty, "none.yaml")}, 2, "none.yaml"},
		{[]string{"up", "now"}, 2, "takes no arguments"},
		{[]string{"sandbox", "--speed", "0"}, 2, "--speed"},
		{[]string{"sandbox", "--script", "no-such-file"}, 2, "no script"},
		{[]string{"--log-level", "loud", "up"}, 2, "--log-level"},
	}
	for _, r := range rows {
		t.Run(strings.Join(r.args, " "), func(t *testing.T) {
			var out bytes.Buffer
			code := terminal.Run(t.Context(), r.args, terminal.Streams{In: strings.NewReader(""), Out: &out, Err: &out})
			if code != r.code || !strings.Contains(out.String(), r.says) {
				t.Fatalf("exit %d, want %d, and %q in:\n%s", code, r.code, r.says, out.String())
			}
		})
	}
}

func TestInitWritesOnceOnly(t *testing.T) {
	t.Chdir(t.TempDir())
	discard := terminal.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}
	if code := terminal.Run(t.Context(), []string{"init"}, discard); code != 0 {
		t.Fatalf("exit %d", code)
	}
	if code := terminal.Run(t.Context(), []string{"init"}, discard); code != 2 {
		t.Fatalf("a second init overwrites nothing: exit %d", code)
	}
	if _, _, err := config.Load("ferry.yaml", func(string) (string, bool) { return "xoxb-1", true }); err == nil {
		t.Fatal("the sample says which fields of the vault are empty")
	}
}
