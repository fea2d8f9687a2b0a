//go:build nightly

package render_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGoldensHaveSlacksTypes holds the golden files to Slack's own types for JavaScript, with the compiler that knows them: a field
// that is not there, or one too few, is found. npm gets both at the versions that testdata/types pins.
func TestGoldensHaveSlacksTypes(t *testing.T) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("no npm here")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/types")); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("npm cannot get the packages, offline perhaps: %v\n%s", err, out)
	}
	compile := func(source string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "golden.ts"), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		tsc := exec.CommandContext(t.Context(), filepath.Join(dir, "node_modules", ".bin", "tsc"), "--noEmit", "--strict", "golden.ts")
		tsc.Dir = dir
		out, err := tsc.CombinedOutput()
		if (err != nil) != (len(out) > 0) {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	source := typed(t)
	if found := compile(source); found != "" {
		t.Errorf("what is drawn has not the types of Slack:\n%s", found)
	}
	for right, wrong := range map[string]string{`"emoji": false`: `"emoji": "no"`, `"type": "header"`: `"type": "heading"`, `"style": "primary"`: `"style": "blue"`, `"alt_text"`: `"alt"`} {
		if planted := strings.Replace(source, right, wrong, 1); planted != source && compile(planted) == "" {
			t.Errorf("%s is not found", wrong)
		}
	}
}

// typed is a program that says of every golden file what type it has.
func typed(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	out.WriteString("import type { KnownBlock, HomeView, ModalView } from \"@slack/types\";\n")
	n := 0
	say := func(name, kind string, v any) {
		data, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		n++
		fmt.Fprintf(&out, "// %s\nexport const golden%d: %s = %s;\n", name, n, kind, data)
	}
	messages, views := goldens(t)
	for _, name := range slices.Sorted(maps.Keys(messages)) {
		for _, m := range messages[name] {
			say(name, "KnownBlock[]", m["blocks"])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(views)) {
		say(name, map[any]string{"modal": "ModalView", "home": "HomeView"}[views[name]["type"]], views[name])
	}
	return out.String()
}
