package terminal_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ferry/bot"
)

const readme = "../../../README.md"

// shell finds the commands of the README's sh blocks.
var shell = regexp.MustCompile("(?s)```sh\n(.*?)```")

func commands(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, block := range shell.FindAllStringSubmatch(string(data), -1) {
		all = append(all, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	return all
}

// Every command of the README is run here, but for the test command, which runs this test.
func TestREADMECommands(t *testing.T) {
	t.Parallel()
	o := newOutside(t)
	o.up()
	for _, command := range commands(t) {
		args, ours := strings.CutPrefix(strings.Replace(command, "go run ./cmd/ferry", "ferry", 1), "ferry ")
		switch {
		case command == "go test ./...":
		case !ours:
			t.Errorf("nobody runs %q", command)
		case args == "up": // o.up did, against stand-ins
		case args == "sandbox":
			if base, _ := sandboxed(t, "127.0.0.1:0"); !strings.HasPrefix(base, "http://127.0.0.1:") {
				t.Errorf("ferry sandbox says it is at %q", base)
			}
		case args == "init":
			runs(t, "init")
		case strings.HasPrefix(args, "sandbox --script"): // TestREADMETranscript does
		default:
			if code, out, errs := o.ferry(strings.Fields(args)...); code != 0 {
				t.Errorf("%s: exit %d\n%s%s", command, code, out, errs)
			}
		}
	}
}

// runs runs a command that ends well, as a process of its own in an empty folder, and returns what it printed.
func runs(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "FERRY_CHILD=1")
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("ferry %v: %v\n%s%s", args, err, out.String(), errs.String())
	}
	return out.String()
}

// volatile is what differs from run to run: times, ids, durations.
var volatile = regexp.MustCompile(`\d\d:\d\d(:\d\d)?|op-[a-z2-7]{8}|plan [0-9a-f]{8}|\bin \d+m\d+s|\d+ (s|min)\b`)

// The transcript in the README is what the script prints, but for times and ids; UPDATE_GOLDEN=1 writes it anew.
func TestREADMETranscript(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs("../../../docs/walkthrough.txt")
	if err != nil {
		t.Fatal(err)
	}
	printed := runs(t, "sandbox", "--script", script)
	said := part(t, "transcript", "```text\n"+printed+"```\n")
	now := strings.Split(volatile.ReplaceAllString(printed, "*"), "\n")
	for line := range strings.Lines(volatile.ReplaceAllString(said, "*")) {
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(line, "```") && !slices.Contains(now, line) {
			t.Errorf("the README has a line that the script no longer prints: %s", line)
		}
	}
	for _, line := range now {
		if strings.HasPrefix(line, "> ") && !strings.Contains(said, line) {
			t.Errorf("the README lacks the script's line: %s", line)
		}
	}
}

// The command table is the grammar's; UPDATE_GOLDEN=1 writes it anew.
func TestREADMETable(t *testing.T) {
	var table strings.Builder
	table.WriteString("| type | to | who may |\n|---|---|---|\n")
	var later []string
	for _, r := range bot.Grammar() {
		if !r.Available {
			later = append(later, "`"+r.Name+"`")
			continue
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", strings.ReplaceAll(strings.TrimPrefix(r.Usage, bot.Command+" "), "|", `\|`), r.Summary, r.Who)
	}
	fmt.Fprintf(&table, "\nNot available yet, and answered so: %s.\n", strings.Join(later, ", "))
	if got := part(t, "commands", table.String()); got != table.String() {
		t.Errorf("the README's command table is not the grammar's:\n%s", got)
	}
}

// part reads a generated part of the README, or writes it anew.
func part(t *testing.T, name, want string) string {
	t.Helper()
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	marked := regexp.MustCompile(`(?s)(<!-- ` + name + `:[^\n]*-->\n)(.*?)(<!-- end -->)`)
	found := marked.FindStringSubmatchIndex(string(data))
	if found == nil {
		t.Fatalf("the README has no part %s", name)
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		updated := string(data[:found[4]]) + want + string(data[found[5]:])
		if err := os.WriteFile(readme, []byte(updated), 0o644); err != nil {
			t.Fatal(err)
		}
		return want
	}
	return string(data[found[4]:found[5]])
}
