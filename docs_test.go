package ferry_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every fact that the subject declares is described for those who follow operations.
func TestEveryFactIsDescribed(t *testing.T) {
	source, docs := read(t, "failover/fact.go"), read(t, "docs/events.md")
	facts := regexp.MustCompile(`Type\(\) string \{ return "(\w+)" \}`).FindAllStringSubmatch(source, -1)
	if len(facts) < 10 {
		t.Fatalf("found only %d facts in failover/fact.go", len(facts))
	}
	for _, f := range facts {
		if !strings.Contains(docs, "| `"+f[1]+"` |") {
			t.Errorf("docs/events.md does not describe the fact %s", f[1])
		}
	}
}

// The pages that promise to be short are.
func TestPagesAreShort(t *testing.T) {
	for path, limit := range map[string]int{"docs/architecture.md": 200} {
		if n := strings.Count(read(t, path), "\n"); n > limit {
			t.Errorf("%s has %d lines, at most %d are wanted", path, n, limit)
		}
	}
}

// What a page names as `a/path` or `a/file.go` is there.
func TestPathsInPagesExist(t *testing.T) {
	paths := regexp.MustCompile("`((?:[a-z]+/)+[a-z_]*(?:\\.[a-z]+)?)`")
	for _, page := range []string{"README.md", "docs/architecture.md", "docs/events.md", "docs/reliability.md", "docs/security.md"} {
		for _, m := range paths.FindAllStringSubmatch(read(t, page), -1) {
			if _, err := os.Stat(m[1]); err != nil && m[1] != "application/json" {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
	}
}

// A test that a page calls as a witness is there, and so is each invariant of the exploration that it quotes.
func TestWitnessesExist(t *testing.T) {
	there, invariants := map[string]bool{}, read(t, "cmd/internal/world/invariants_test.go")
	for _, path := range sources(t) {
		if strings.HasSuffix(path, "_test.go") {
			for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(read(t, path), -1) {
				there[m[1]] = true
			}
		}
	}
	for _, page := range []string{"docs/reliability.md", "docs/security.md", "docs/adr/0010-accounts.md"} {
		for _, m := range regexp.MustCompile("`((?:Test|Fuzz)\\w+)`(?: \\(([^)]+)\\))?").FindAllStringSubmatch(read(t, page), -1) {
			if !there[m[1]] {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
			for _, name := range strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' }) {
				if page == "docs/reliability.md" && !strings.Contains(invariants, strings.TrimSpace(name)) {
					t.Errorf("%s quotes the invariant %q, which is not there", page, name)
				}
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
