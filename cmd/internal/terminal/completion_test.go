package terminal_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ferry/cmd/internal/terminal"
)

// proposed are the words that a shell is given, without what is said about them.
func proposed(out string) []string {
	var words []string
	for line := range strings.Lines(out) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if !strings.HasPrefix(word, ":") { // what follows is for the shell's script
			words = append(words, word)
		}
	}
	return words
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	o := newOutside(t)
	o.up()
	if err := o.workspace.Type("ana", "#incident", "/failover vm-x latest"); err != nil {
		t.Fatal(err)
	}
	o.until("the approval is asked for", o.says("[ Approve ]"))
	id := string(o.open().ID)
	for line, want := range map[string][]string{
		"run vm-|":           {"vm-x", "vm-y"},
		"run VM-X|":          {"vm-x"},
		"run vm-x la|":       {"latest", "latest-processed", "latest-app"},
		"run vm-x v|":        {"vm-y"},
		"run vm-x vm-y |":    {"sql-01", "latest", "latest-processed", "latest-app"},
		"group |":            {"shop"},
		"group shop l|":      {"latest", "latest-processed", "latest-app"},
		"plan |":             nil,
		"failback g|":        {"group"},
		"failback group |":   {"shop"},
		"reprotect group s|": {"shop"},
		"forecast vm-x |":    {"sql-01", "vm-y"},
		"forecast p|":        {"plan"},
		"forecast group |":   {"shop"},
		"forecast plan |":    nil,
		"hold |":             {id},
		"skip |":             {id},
		"skip op-x sq|":      {"sql-01"},
		"retry op-x |":       {"sql-01", "vm-x", "vm-y"},
		"run vm-x latest |":  nil,
		"run vm-x --no|":     {"--no-shutdown"},
		"approve |":          {id},
		"approve vm|":        nil,
		"approve op- |":      nil,
		"watch op|":          {id},
		"report op|":         {id},
		"commit |":           {"sql-01", "vm-x", "vm-y", id},
		"change vm-x |":      {"latest", "latest-processed", "latest-app"},
		"incident o|":        {"over"},
		"freeze sq|":         {"sql-01"},
		"status -o |":        {"text", "json"},
		"deny op --reason |": nil,
		"list |":             nil,
		"--log-level |":      {"debug", "info", "warn", "error"},
		"appr|":              {"approve"},
	} {
		words := strings.Split(strings.TrimSuffix(line, "|"), " ")
		_, out, errs := o.ferry(append([]string{"__complete"}, words...)...)
		if diff := cmp.Diff(want, proposed(out)); diff != "" || strings.Contains(strings.ToLower(errs), "error") {
			t.Errorf("%s: %s %s", line, diff, errs)
		}
	}
	o.ferry("deny", id)
	for line, want := range map[string][]string{"watch op|": nil, "report op|": {id}} { // a report is of what is over, too
		_, out, _ := o.ferry(append([]string{"__complete"}, strings.Split(strings.TrimSuffix(line, "|"), " ")...)...)
		if diff := cmp.Diff(want, proposed(out)); diff != "" {
			t.Errorf("%s after the end: %s", line, diff)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if code, out, errs := o.ferry("completion", shell); code != 0 || !strings.Contains(out, "__complete") || errs != "" {
			t.Errorf("completion %s: exit %d %s", shell, code, errs)
		}
	}
}

// Who presses TAB is told nothing of what is wrong, and waits for a second at most.
func TestCompletionIsSilent(t *testing.T) {
	t.Parallel()
	hung, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hung.Close() })
	none := filepath.Join(t.TempDir(), "ferry.yaml")
	if err := os.WriteFile(none, fmt.Appendf(nil, "nats: {url: %q}\n", "nats://"+hung.Addr().String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, at := range [][]string{{"--data", t.TempDir()}, {"--config", filepath.Join(t.TempDir(), "none.yaml")}, {"--config", none}} {
		var out, errs bytes.Buffer
		began := time.Now()
		code := terminal.Run(t.Context(), slices.Concat(at, []string{"__complete", "commit", ""}), terminal.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		if code != 0 || len(proposed(out.String())) != 0 || strings.Count(errs.String(), "\n") > 1 {
			t.Errorf("%v: exit %d, %s, %s", at, code, out.String(), errs.String())
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%v: took %s", at, took)
		}
	}
}
