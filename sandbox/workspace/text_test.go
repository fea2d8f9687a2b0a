package workspace_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"ferry/sandbox/workspace"
)

// TestRender compares testdata/*.json with the .txt beside it; UPDATE_GOLDEN=1 writes those.
func TestRender(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	check(t, err)
	if len(files) == 0 {
		t.Fatal("no testdata")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			check(t, err)
			golden := strings.TrimSuffix(file, ".json") + ".txt"
			got := renderAtEpoch(t, workspace.Message{Blocks: raw})
			if os.Getenv("UPDATE_GOLDEN") != "" {
				check(t, os.WriteFile(golden, []byte(got), 0o600))
			}
			want, err := os.ReadFile(golden)
			check(t, err)
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// renderAtEpoch renders in a bubble, where now is midnight UTC 2000-01-01.
func renderAtEpoch(t *testing.T, m workspace.Message) string {
	t.Helper()
	var text string
	synctest.Test(t, func(*testing.T) {
		w := workspace.New(workspace.Options{})
		defer w.Close()
		text = strings.Join(w.Render(m), "\n") + "\n"
	})
	return text
}

func TestRenderText(t *testing.T) {
	tests := map[string]string{
		"plain *bold* &lt;x&gt; &amp;amp;":                       "plain *bold* <x> &amp;",
		"<@U0ANA> <@U0ANA|other> <@U0GONE>":                      "@ana @ana @U0GONE",
		"<#C0INCIDENT> <!here> <!subteam^S0OPS|@ops>":            "#incident @here @ops",
		"<!subteam^S0OPS>":                                       "@S0OPS",
		"<https://a.test/?a=1&amp;b=2|runbook> <https://a.test>": "runbook (https://a.test/?a=1&b=2) https://a.test",
		"<!date^946684800^{date_short} {time_secs}|then>":        "Jan 1, 2000 00:00:00",
		"<!date^946598400^{date_pretty} at {time}|then>":         "yesterday at 00:00",
		"<!date^946684860^{ago}|then>":                           "in 1 minute",
		"<!date^946685699^{ago}|then>":                           "in 15 minutes",
		"<!date^946688399^{ago}|then>":                           "in 1 hour",
		"<!date^946684777^{ago}|then>":                           "23 seconds ago",
		"<!date^946670400^{ago}|then>":                           "4 hours ago",
		"<!date^946512000^{ago}|then>":                           "2 days ago",
		"<!date^946684800^{date_num}^https://a.test|then>":       "2000-01-01 (https://a.test)",
		"<!date^946684800^{century}|then &amp; there>":           "then & there",
		"<!date^00000000^{_}|*literal*>":                         "*literal*",
		"\x1b[2Jcleared\nnext\tcolumn":                           "\uFFFD[2Jcleared\nnext\tcolumn",
		"a < b, unclosed":                                        "a < b, unclosed",
	}
	for text, want := range tests {
		if got := renderAtEpoch(t, workspace.Message{Text: text}); got != want+"\n" {
			t.Errorf("%s\n got %s want %s", text, got, want)
		}
	}
}
