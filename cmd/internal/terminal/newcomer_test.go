//go:build unix

package terminal_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// What a person takes for it, in the keystroke-level model of Card, Moran and Newell (1980), and when reading every word.
const (
	perKey   = 280 * time.Millisecond  // an average typist
	perClick = 1100 * time.Millisecond // to point
	perStep  = 1350 * time.Millisecond // to make up one's mind
	perWord  = 250 * time.Millisecond  // 240 words a minute
)

// step is one thing that a newcomer does, and what then happens.
type step struct {
	does         string
	keys, clicks int
	words        int           // that are new on the page
	took         time.Duration // the machine
}

func (s step) hands() time.Duration {
	return perStep + time.Duration(s.keys)*perKey + time.Duration(s.clicks)*perClick
}

// newcomer has git, Go and a browser, and has never seen Ferry.
type newcomer struct {
	*testing.T
	clone string
	page  *tab // once it is open
	steps []step
}

// does one step and notes it.
func (n *newcomer) does(what string, keys, clicks int, do func()) {
	n.Helper()
	before, begin := n.words(), time.Now()
	do()
	took := time.Since(begin)
	n.steps = append(n.steps, step{what, keys, clicks, max(0, n.words()-before), took})
}

func (n *newcomer) words() int {
	if n.page == nil {
		return 0
	}
	return len(strings.Fields(n.page.text()))
}

func (n *newcomer) command(dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(n.Context(), args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOCACHE="+filepath.Join(filepath.Dir(n.clone), "cache")) // a first build builds all
	cmd.Stdout, cmd.Stderr = n.Output(), n.Output()
	return cmd
}

func (n *newcomer) runs(dir string, args ...string) {
	n.Helper()
	if err := n.command(dir, args...).Run(); err != nil {
		n.Fatalf("%v: %v", args, err)
	}
}

// sandbox is go run ./cmd/ferry sandbox, on a free port so that it meets no other one; it returns the address.
func (n *newcomer) sandbox() string {
	n.Helper()
	cmd := n.command(n.clone, "go", "run", "./cmd/ferry", "sandbox", "--listen", "127.0.0.1:0")
	out, in := io.Pipe()
	cmd.Stdout = in
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		n.Fatal(err)
	}
	n.Cleanup(sync.OnceFunc(func() {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil { // Ctrl-C reaches all that run in a terminal
			n.Error(err)
		}
		_ = cmd.Wait()
	}))
	return address(n.T, out)
}

// From git clone to the committed VM, as the README and the page say it. Nothing here knows more than they do.
func TestNewcomer(t *testing.T) {
	if os.Getenv("FERRY_NEWCOMER") == "" {
		t.Skip("measured when asked for: make newcomer")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	newTab := newBrowser(t)
	n := &newcomer{T: t, clone: filepath.Join(t.TempDir(), "ferry")}
	n.does("`git clone`, `cd ferry`", len("git clone ADDRESS\rcd ferry\r"), 0, func() { n.runs(filepath.Dir(n.clone), "git", "clone", "--quiet", root, n.clone) })
	const command = "go run ./cmd/ferry sandbox"
	begin := time.Now()
	n.runs(n.clone, "go", "build", "./cmd/ferry")
	built := time.Since(begin)
	var base string
	n.does("`"+command+"` prints an address", len(command+"\r"), 0, func() { base = n.sandbox() })
	n.does("open it", 0, 1, func() { n.page = open(t, newTab, base, 1280, 800) })
	p := n.page
	hint := eval[string](p, `document.querySelector("#guide .now").innerText`)
	const said = "/failover vm-x latest"
	if !strings.Contains(hint, "Type "+said) {
		t.Fatalf("the first hint is %q", hint)
	}
	n.does("hint 1, type `"+said+"`: the card is there", len(said+"\r"), 1, func() {
		p.types(said + "\r")
		p.sees("Failover of vm-x: awaiting approval")
	})
	n.does("hint 2, switch to ben", 0, 1, func() {
		p.presses("Switch")
		p.until("this is ben", `document.querySelector(".person:has(:checked)").innerText.endsWith("ben")`)
	})
	n.does("hint 3, press Approve: the VM runs in the other region", 0, 1, func() {
		p.presses("Approve")
		p.sees("Failover of vm-x: awaiting commit")
	})
	n.does("press Commit", 0, 1, func() {
		p.presses("Commit")
		p.until("it asks first", `document.querySelector(".confirm[open]") !== null`)
	})
	n.does("press Commit in the question: committed", 0, 1, func() {
		p.presses("Commit")
		p.sees("Failover of vm-x: committed")
	})
	n.write(filepath.Join(root, "docs", "newcomer.md"), built)
}

// write makes the page of what was measured, and fails when it took too long.
func (n *newcomer) write(path string, built time.Duration) {
	n.Helper()
	var table strings.Builder
	var sum step
	var hands time.Duration
	for i, s := range n.steps {
		fmt.Fprintf(&table, "| %d | %s | %d | %d | %.1f | %.1f | %d |\n", i+1, s.does, s.keys, s.clicks, s.took.Seconds(), s.hands().Seconds(), s.words)
		sum.keys, sum.clicks, sum.words, sum.took = sum.keys+s.keys, sum.clicks+s.clicks, sum.words+s.words, sum.took+s.took
		hands += s.hands()
	}
	total := sum.took + hands
	fmt.Fprintf(&table, "| | **together** | %d | %d | %.1f | %.1f | %d |\n", sum.keys, sum.clicks, sum.took.Seconds(), hands.Seconds(), sum.words)
	text := fmt.Sprintf(newcomerPage, time.Now().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(),
		built.Seconds(), table.String(), total.Seconds(), (time.Duration(sum.words) * perWord).Seconds())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		n.Fatal(err)
	}
	if total > time.Minute {
		n.Errorf("it took %s:\n%s", total, table.String())
	}
}

const newcomerPage = `# A newcomer's first minute

Measured by ` + "`make newcomer`" + ` on %s, with %d cores, %s/%s and %s: it clones the repository into an empty directory, builds
with an empty build cache, starts the sandbox and drives a real browser through what README and page say. The first build took
%.0f s (modules downloaded before) and does not count.

| | step | keys | clicks | machine, s | hands, s | new words |
|---|---|---|---|---|---|---|
%s
From ` + "`git clone`" + ` to the committed VM: **%.0f s**, by a person who does not stop to read. Hands are an estimate by the keystroke-level
model: 0.28 s for a key, 1.1 s for a click, 1.35 s to make up one's mind. Reading every new word at 240 words a minute takes %.0f s more.
`
