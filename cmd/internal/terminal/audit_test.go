package terminal_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// record is the path of an export, with what it takes to look into it.
type record struct {
	t    *testing.T
	path string
}

// A story with refusals, a person in Slack, one at a terminal and calls to Azure: the export says who did what, by whose
// approval, under which rule, as docs/audit.md shows how to ask it.
func TestAuditOfAStory(t *testing.T) {
	t.Parallel()
	o := newOutside(t)
	o.up()
	if code, out, errs := o.ferry("audit", "verify"); code != 0 || out != "The record is whole: nothing has been recorded yet.\n" {
		t.Errorf("before anything was asked: %d %s %s", code, out, errs)
	}
	if err := o.workspace.Type("eve", "#incident", "/failover vm-x latest"); err != nil {
		t.Fatal(err)
	}
	if err := o.workspace.Type("ana", "#incident", "/failover vm-x latest"); err != nil {
		t.Fatal(err)
	}
	o.until("the approval is asked for", o.says("[ Approve ]"))
	id := string(o.open().ID)
	o.ferry("run", "vm-x") // refused: cli:local is no operator
	if code, _, errs := o.ferry("approve", id); code != 0 {
		t.Fatal(errs)
	}
	o.until("the commit is asked for", o.says("[ Commit ]"))
	if code, _, errs := o.ferry("commit", "vm-x", "--wait"); code != 0 {
		t.Fatal(errs)
	}
	code, out, errs := o.ferry("audit", "verify")
	if code != 0 || !strings.Contains(out, "The record is whole: ") {
		t.Fatalf("verify: %d %s %s", code, out, errs)
	}

	r := record{t, filepath.Join(o.dir, "record.jsonl")}
	part := record{t, filepath.Join(o.dir, "part.jsonl")}
	r.export(o)
	part.export(o, "--operation", id)
	if code, out, errs := o.ferry("audit", "verify", "--file", r.path); code != 0 || !strings.Contains(out, "The export is whole") {
		t.Errorf("verify --file: %d %s %s", code, out, errs)
	}
	if code, out, errs := o.ferry("audit", "verify", "--file", part.path); code != 0 || !strings.Contains(out, "A part cannot show") {
		t.Errorf("verify --file of a part: %d %s %s", code, out, errs)
	}
	r.showsDamage(o)
	r.answers()
	if len(part.read()) >= len(r.read()) || !strings.Contains(part.read(), "ferry.fact.step_started.v1") || !strings.Contains(part.read(), "ferry.command.cli-local.") {
		t.Error("the part is none")
	}
}

func (r record) export(o *outside, args ...string) {
	r.t.Helper()
	code, out, errs := o.ferry(append([]string{"audit", "export"}, args...)...)
	if code != 0 {
		r.t.Fatalf("export: %d %s", code, errs)
	}
	if err := os.WriteFile(r.path, []byte(out), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r record) read() string {
	r.t.Helper()
	data, err := os.ReadFile(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(data)
}

// showsDamage changes a byte, takes a line out, and holds the record to a head of another one.
func (r record) showsDamage(o *outside) {
	r.t.Helper()
	whole := r.read()
	lines := strings.SplitAfter(whole, "\n")
	harmed := filepath.Join(o.dir, "harmed.jsonl")
	for name, content := range map[string]string{
		"line 3: changed": lines[0] + lines[1] + strings.Replace(lines[2], "vm-x", "vm-y", 1) + strings.Join(lines[3:], ""),
		"line 2: missing": lines[0] + strings.Join(lines[2:], ""),
		"is cut off":      strings.Join(lines[:4], ""),
	} {
		if err := os.WriteFile(harmed, []byte(content), 0o600); err != nil {
			r.t.Fatal(err)
		}
		if code, _, errs := o.ferry("audit", "verify", "--file", harmed); code != 1 || !strings.Contains(errs, name) {
			r.t.Errorf("%s: exit %d: %s", name, code, errs)
		}
	}
	other := "3:" + strings.Repeat("00", 32)
	if code, _, errs := o.ferry("audit", "verify", "--head", other); code != 1 || !strings.Contains(errs, "one of the messages 1 to 3 was changed") {
		r.t.Errorf("another head: exit %d: %s", code, errs)
	}
	heads := filepath.Join(o.dir, "heads.txt")
	if err := os.WriteFile(heads, []byte("2026-11-25 09:00 UTC  999999:"+strings.Repeat("00", 32)+"\n"), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if code, _, errs := o.ferry("audit", "verify", "--head-file", heads); code != 1 || !strings.Contains(errs, "is truncated") {
		r.t.Errorf("a head of later: exit %d: %s", code, errs)
	}
	if code, out, errs := o.ferry("audit", "export", "--operation", "op-zzzzzzzz"); code != 3 || out != "" || !strings.Contains(errs, "nothing is recorded about op-zzzzzzzz") {
		r.t.Errorf("an operation that never was: exit %d: %s%s", code, out, errs)
	}
	// Heads that cannot be read are not passed over.
	for name, content := range map[string]string{"no-head.txt": "\n", "long.txt": strings.Repeat("x", 1<<17)} {
		if err := os.WriteFile(filepath.Join(o.dir, name), []byte(content), 0o600); err != nil {
			r.t.Fatal(err)
		}
		if code, _, errs := o.ferry("audit", "verify", "--head-file", filepath.Join(o.dir, name)); code != 2 || !strings.Contains(errs, "--head-file") {
			r.t.Errorf("%s: exit %d: %s", name, code, errs)
		}
	}
	if _, _, errs := o.ferry("audit", "verify", "x"); !strings.Contains(errs, "see ferry audit verify --help") {
		r.t.Error(errs)
	}
	for _, args := range [][]string{{"verify", "--head", "x"}, {"verify", "--head", "0:" + strings.Repeat("ff", 32)}, {"export", "--operation", "vm-x"}, {"verify", "--file", "nowhere"}} {
		if code, _, _ := o.ferry(append([]string{"audit"}, args...)...); code != 2 {
			r.t.Errorf("%v: exit %d", args, code)
		}
	}
	o.dir = filepath.Join(o.dir, "elsewhere")
	if code, _, _ := o.ferry("audit", "verify"); code != 2 {
		r.t.Errorf("no such data directory: exit %d", code)
	}
	o.dir = filepath.Dir(o.dir)
}

// answers asks the record what docs/audit.md asks it.
func (r record) answers() {
	r.t.Helper()
	jq, err := exec.LookPath("jq")
	if err != nil {
		r.t.Log("without jq the examples are not run")
		return
	}
	page, err := os.ReadFile("../../../docs/audit.md")
	if err != nil {
		r.t.Fatal(err)
	}
	examples := regexp.MustCompile(`(?m)^jq -r '(.*)' record\.jsonl$`).FindAllSubmatch(page, -1)
	want := [][]string{
		{`U0EVE\s+failover\s+vm-x`, `U0ANA\s+failover\s+vm-x`, `cli:local\s+failover\s+vm-x`, `cli:local\s+approve`, `cli:local\s+commit`},
		{`U0EVE\s+failover\s+You may not fail over vm-x`, `cli:local\s+failover\s+You may not fail over vm-x`},
		{`failover\s+U0ANA\s+cli:local\s+\S+`, `commit\s+U0ANA\s+cli:local\s+\S+`},
		{`cli:local\s+true\s+\S+`},
	}
	if len(examples) != len(want) {
		r.t.Fatalf("%d examples, %d answers", len(examples), len(want))
	}
	for i, example := range examples {
		var said bytes.Buffer
		cmd := exec.CommandContext(r.t.Context(), jq, "-r", string(example[1]), r.path)
		cmd.Stdout, cmd.Stderr = &said, r.t.Output()
		if err := cmd.Run(); err != nil {
			r.t.Errorf("%s: %v", example[1], err)
		}
		for _, line := range want[i] {
			if !regexp.MustCompile(line).MatchString(said.String()) {
				r.t.Errorf("%s\nwant %s, got\n%s", example[1], line, said.String())
			}
		}
	}
}
