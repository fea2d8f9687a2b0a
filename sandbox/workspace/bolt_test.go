//go:build nightly

package workspace_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/workspace"
)

// The stand-in is not made for slack-go alone: an app on Slack's own framework for Node runs against it over Socket Mode.
func TestOfficialFramework(t *testing.T) {
	s := newSite(t, workspace.Options{Shortcuts: declared()})
	s.runBolt()
	check(t, s.Type("ana", incident, "/failover vm-x"))
	s.sees("ana", "echo: vm-x")
	s.clicks("Again")
	s.sees("ben", "again: vm-x by @ana")
	s.sees("ben", "done: vm-x")
	check(t, s.Type("ana", incident, "@ferry hello"))
	s.sees("ben", "mentioned by @ana")
	check(t, s.Shortcut("ana", incident, "show", workspace.Containing("done: vm-x")))
	s.sees("ana", "shown: done: vm-x")

	check(t, s.Type("ana", incident, "/failover form"))
	s.until("the form is open", func() bool { m, open := s.Modal("ana"); return open && m.Title == "Echo" })
	check(t, s.Fill("ana", "Server", "vm-y"))
	check(t, s.Fill("ana", "Text", "no"))
	check(t, s.Submit("ana"))
	s.until("the form is refused", func() bool {
		m, open := s.Modal("ana")
		return open && len(m.Fields) == 2 && m.Fields[0].Error == "Say yes."
	})
	check(t, s.Fill("ana", "Text", "yes"))
	check(t, s.Submit("ana"))
	s.sees("ben", "submitted: yes vm-y")
	if _, open := s.Modal("ana"); open {
		t.Error("the form is open after it was taken")
	}

	check(t, s.OpenHome("ana"))
	s.until("the Home tab is there", func() bool { return strings.Contains(s.homeOf("ana"), "welcome, tab home") })
	s.clicks("Refresh")
	s.until("the Home tab is another one", func() bool { return strings.Contains(s.homeOf("ana"), "refreshed, view of home") })

	for _, a := range s.Acks() {
		if a.AckedAt.IsZero() {
			t.Errorf("not acknowledged: %+v", a)
		}
	}
	for _, c := range s.Calls() {
		if c.Status != "ok" {
			t.Errorf("refused: %+v", c)
		}
	}
	if s.Disconnect("refresh_requested") != 1 {
		t.Error("nobody was told to reconnect")
	}
	s.until("the app is back", func() bool { return s.Connections() == 1 })
	check(t, s.Type("ben", incident, "/failover vm-z"))
	s.sees("ana", "echo: vm-z")
}

// runBolt installs the app with npm and returns once it is connected; it ends with the test.
func (s *site) runBolt() {
	s.Helper()
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			s.Skipf("no %s here: apt-get install nodejs npm", name)
		}
	}
	dir := s.TempDir()
	check(s.T, os.CopyFS(dir, os.DirFS("testdata/bolt")))
	ctx, cancel := context.WithTimeout(s.Context(), 5*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = dir
	began := time.Now()
	if said, err := install.CombinedOutput(); err != nil {
		s.Fatalf("npm ci: %v\n%s", err, said)
	}
	s.Logf("npm ci took %s", time.Since(began).Round(time.Millisecond))
	app := exec.CommandContext(s.Context(), "node", "app.js")
	app.Dir = dir
	app.Env = append(os.Environ(), "SLACK_API_URL="+s.URL+"/api/", "SLACK_BOT_TOKEN=xoxb-sandbox", "SLACK_APP_TOKEN=xapp-sandbox", "NO_PROXY=127.0.0.1")
	said, err := app.StdoutPipe()
	check(s.T, err)
	app.Stderr = os.Stderr
	check(s.T, app.Start())
	s.Cleanup(func() { _ = app.Wait() }) // the test's context has killed it by then
	lines := bufio.NewScanner(said)
	for lines.Scan() && lines.Text() != "ready" {
		s.Log(lines.Text())
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	s.until("the app is connected", func() bool { return s.Connections() == 1 })
}

// until waits for something to come true.
func (s *site) until(what string, holds func() bool) {
	s.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			s.Fatalf("waited in vain until %s; calls: %+v", what, s.Calls())
		}
	}
}

func (s *site) sees(viewer, text string) {
	s.Helper()
	s.until(viewer+" sees "+text, func() bool {
		for _, m := range s.Messages(incident, "U0"+strings.ToUpper(viewer)) {
			if strings.Contains(strings.Join(s.Render(m), "\n"), text) {
				return true
			}
		}
		return false
	})
}

func (s *site) clicks(label string) {
	s.Helper()
	if _, err := s.Click("ana", incident, label); err != nil {
		s.Fatal(err)
	}
}

func (s *site) homeOf(user string) string {
	h, _ := s.Home(user)
	return strings.Join(s.RenderHome(h), "\n")
}
