package terminal_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ferry/sandbox/workspace"
)

// doctor runs ferry doctor as a process of its own and returns its lines and its exit code.
func doctor(t *testing.T, config string, identity ...string) (lines []string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "doctor", "--config", config)
	cmd.Env = append(append(os.Environ(), "FERRY_CHILD=1"), identity...)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n"), cmd.ProcessState.ExitCode()
}

// identityOf is where a managed identity is found that the simulated vault accepts.
func identityOf(azure string) []string {
	return []string{"IDENTITY_ENDPOINT=" + azure + "/identity/token", "IDENTITY_HEADER=sandbox"}
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	o := newOutside(t)
	lines, code := doctor(t, o.config, identityOf(o.azure)...)
	if code != 0 || len(lines) < 8 {
		t.Errorf("exit %d:\n%s", code, strings.Join(lines, "\n"))
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, "ok ") {
			t.Errorf("not ok: %s", line)
		}
	}
	if err := o.workspace.Share("incident", workspace.Shared); err != nil {
		t.Fatal(err)
	}
	lines, code = doctor(t, o.config)
	failed := map[string]bool{}
	for _, line := range lines {
		if strings.HasPrefix(line, "failed ") {
			failed[strings.Split(line, ":")[0]] = true
			if !strings.Contains(line, "; fix: ") {
				t.Errorf("no fix: %s", line)
			}
		}
	}
	if code != 1 || len(failed) != 2 || !failed["failed   Slack channel"] || !failed["failed   Azure vault vault-dr"] {
		t.Errorf("with a shared channel and no identity: exit %d:\n%s", code, strings.Join(lines, "\n"))
	}
	if calls := o.accepted(); len(calls) > 0 {
		t.Errorf("it changed something: %v", calls)
	}
}

// The sandbox says how to call doctor on it, and it finds nothing wrong.
func TestDoctorOfTheSandbox(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "world")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "sandbox", "--listen", "127.0.0.1:0", "--data", dir)
	cmd.Env = append(os.Environ(), "FERRY_CHILD=1")
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	lines := bufio.NewScanner(out)
	var said []string
	for lines.Scan() && !strings.HasSuffix(lines.Text(), " doctor") {
		said = append(said, lines.Text())
	}
	words := strings.Fields(lines.Text())
	if len(words) < 3 {
		t.Fatalf("the sandbox does not say how: %q", said)
	}
	found, code := doctor(t, filepath.Join(dir, "ferry.yaml"), words[:2]...)
	if code != 0 || !strings.Contains(strings.Join(found, "\n"), "and answers") {
		t.Errorf("exit %d:\n%s", code, strings.Join(found, "\n"))
	}
}

// Before there is an app there are no tokens, so that the manifest needs no complete configuration.
func TestManifest(t *testing.T) {
	t.Parallel()
	o := newOutside(t)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"manifest", "--config", o.config}, 0, `"socket_mode_enabled": true`},
		{[]string{"manifest", "--config", o.config, "-o", "yaml"}, 0, "socket_mode_enabled: true"},
		{[]string{"manifest", "--config", "nowhere.yaml"}, 0, `"socket_mode_enabled": true`},
		{[]string{"manifest", "--mode", "http", "--url", "https://ferry.test"}, 0, `"request_url": "https://ferry.test/slack/events"`},
		{[]string{"manifest", "--mode", "http"}, 0, "say --url"},
		{[]string{"manifest", "--mode", "http", "--url", "http://ferry.test"}, 2, "https://HOST"},
		{[]string{"manifest", "--mode", "socket", "--url", "https://ferry.test"}, 2, "calls no address"},
		{[]string{"manifest", "--mode", "pigeon"}, 2, "socket or http"},
		{[]string{"manifest", "-o", "xml"}, 2, "json or yaml"},
	} {
		code, out, errs := o.ferry(c.args...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%v: exit %d, %s %s", c.args, code, out, errs)
		}
		if code == 0 && c.args[len(c.args)-1] != "yaml" && !json.Valid([]byte(out)) {
			t.Errorf("%v: no JSON: %s", c.args, out)
		}
	}
}
