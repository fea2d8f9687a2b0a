package terminal_test

import (
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"ferry/sandbox/workspace"
)

// posting gives the outside a workspace that posts to an address, and the configuration the mode for that.
func (o *outside) posting(address string) {
	o.t.Helper()
	const secret = "canary-signing-secret"
	base := "http://" + address + "/slack/"
	o.workspace = workspace.New(workspace.Options{RequestURLs: workspace.RequestURLs{
		Commands: base + "commands", Interactions: base + "interactions", Events: base + "events", SigningSecret: secret,
	}})
	slack := httptest.NewServer(o.workspace)
	o.t.Cleanup(slack.Close)
	o.t.Cleanup(o.workspace.Close)
	o.workspace.SetBaseURL(slack.URL)
	file, err := os.ReadFile(o.config)
	if err != nil {
		o.t.Fatal(err)
	}
	section := fmt.Sprintf("slack: {mode: http, listen: %q, signing_secret: %s, api_url: %q, bot_token: xoxb-sandbox, channel: C0INCIDENT}", address, secret, slack.URL+"/api/")
	file = regexp.MustCompile(`(?m)^slack: .*$`).ReplaceAll(file, []byte(section))
	if err := os.WriteFile(o.config, file, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// The program as it is started, on a port of this machine: Slack is answered, nobody else is, and a second one says what is wrong.
func TestUpOverHTTP(t *testing.T) {
	t.Parallel()
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	o := newOutside(t)
	o.posting(address)
	o.begin()
	o.until("the port is open", func() bool { return o.workspace.VerifyEvents() == nil })
	if err := o.workspace.Type("ana", "#incident", "/failover vm-x latest"); err != nil {
		t.Fatal(err)
	}
	o.until("the approval is asked for", o.says("[ Approve ]"))
	o.workspace.FaultRequests(workspace.RequestFault{Forge: true}, 1)
	_, _ = o.workspace.Click("ben", "#incident", "Approve")
	o.until("ben is told that it failed", o.says("dispatch_failed"))
	if _, err := o.workspace.Click("ben", "#incident", "Approve"); err != nil {
		t.Fatal(err)
	}
	o.until("Azure has the call", func() bool { return o.accepted()["unplannedFailover"] == 1 })

	other := newOutside(t)
	other.posting(address)
	out := &strings.Builder{}
	second := other.command()
	second.Stdout, second.Stderr = out, out
	if err := second.Run(); err == nil || !strings.Contains(out.String(), "slack.listen") {
		t.Errorf("a second one on the port: %v %s", err, out)
	}
}
