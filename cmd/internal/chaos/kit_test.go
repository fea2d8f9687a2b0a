package chaos_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ferry/sandbox/confidential"
)

// kit is the programs under test and a directory for what they leave.
type kit struct {
	*testing.T
	ferry, server string // paths of the binaries
	dir           string
	env           []string // of every process, beside this one's

	mu    sync.Mutex
	procs []*proc
}

// build makes the programs from this source and from the version of nats-server that go.mod names.
func build(t *testing.T) *kit {
	t.Helper()
	dir := t.TempDir()
	k := &kit{T: t, dir: dir, ferry: filepath.Join(dir, "ferry"), server: filepath.Join(dir, "nats-server")}
	for path, pkg := range map[string]string{k.ferry: "ferry/cmd/ferry", k.server: "github.com/nats-io/nats-server/v2"} {
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", pkg, err, out)
		}
	}
	return k
}

// within is the same kit for a subtest, with a directory of its own, which FERRY_CHAOS_KEEP keeps.
func (k *kit) within(t *testing.T) *kit {
	t.Helper()
	sub := &kit{T: t, ferry: k.ferry, server: k.server, dir: t.TempDir()}
	if keep := os.Getenv("FERRY_CHAOS_KEEP"); keep != "" {
		sub.dir = filepath.Join(keep, filepath.Base(t.Name()))
		if err := os.MkdirAll(sub.dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return sub
}

// end ends every process. When the test has failed, their last words are shown.
func (k *kit) end() {
	k.mu.Lock()
	procs := slices.Clone(k.procs)
	k.mu.Unlock()
	for _, p := range procs {
		_ = p.cmd.Process.Signal(syscall.SIGKILL) // a frozen process, too
		<-p.done
	}
	for _, p := range procs {
		if k.Failed() {
			k.Logf("%s, pid %d, last words:\n%s", p.name, p.pid(), p.said.tail(25))
		}
	}
}

// proc is one life of a process.
type proc struct {
	kit  *kit
	name string
	cmd  *exec.Cmd
	said *words
	done chan struct{} // closed when it has ended and cmd knows how
}

// run starts a program; what it says is appended to NAME.log.
func (k *kit) run(name, program string, args ...string) *proc {
	k.Helper()
	file, err := os.OpenFile(filepath.Join(k.dir, name+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		k.Fatal(err)
	}
	p := &proc{kit: k, name: name, said: &words{file: file, grown: make(chan struct{})}, done: make(chan struct{})}
	p.cmd = exec.CommandContext(context.WithoutCancel(k.Context()), program, args...)
	p.cmd.Env = append(os.Environ(), k.env...)
	heard := confidential.Listen(p.said, func(secret, text string) { k.Errorf("%s tells a secret, %s: %s", name, secret, text) })
	p.cmd.Stdout, p.cmd.Stderr = heard, heard
	if err := p.cmd.Start(); err != nil {
		k.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		_ = file.Close()
		close(p.done)
	}()
	k.mu.Lock()
	k.procs = append(k.procs, p)
	k.mu.Unlock()
	return p
}

func (p *proc) pid() int { return p.cmd.Process.Pid }

func (p *proc) signal(s syscall.Signal) {
	p.kit.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.kit.Fatalf("%s: %v", p.name, err)
	}
}

// kill ends it as a power cut would, and waits until it is gone.
func (p *proc) kill() {
	p.kit.Helper()
	p.signal(syscall.SIGKILL)
	<-p.done
}

// exits waits for the end and returns the exit code; -1 is a signal's.
func (p *proc) exits(within time.Duration) int {
	p.kit.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		p.kit.Fatalf("%s has not ended within %s", p.name, within)
	}
	return p.cmd.ProcessState.ExitCode()
}

// says waits until the process has said all of it in one line.
func (p *proc) says(texts ...string) {
	p.kit.Helper()
	limit := time.After(time.Minute)
	for {
		lines, grown := p.said.all()
		if slices.ContainsFunc(lines, func(line string) bool {
			return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) })
		}) {
			return
		}
		select {
		case <-grown:
		case <-p.done:
			if again, _ := p.said.all(); len(again) == len(lines) {
				p.kit.Fatalf("%s ended and never said %q", p.name, texts)
			}
		case <-limit:
			p.kit.Fatalf("%s never said %q", p.name, texts)
		}
	}
}

// words is what a process says, line by line.
type words struct {
	file io.Writer

	mu    sync.Mutex
	lines []string
	rest  string
	grown chan struct{} // closed and replaced with every line
}

func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := strings.Split(w.rest+string(b), "\n")
	w.rest = lines[len(lines)-1]
	if len(lines) > 1 {
		w.lines = append(w.lines, lines[:len(lines)-1]...)
		close(w.grown)
		w.grown = make(chan struct{})
	}
	return w.file.Write(b)
}

func (w *words) all() ([]string, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.lines), w.grown
}

func (w *words) tail(n int) string {
	lines, _ := w.all()
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// until looks twenty times a second whether something holds.
func (k *kit) until(what string, within time.Duration, holds func() bool) {
	k.Helper()
	if !holdsWithin(within, holds) {
		k.Fatalf("waited in vain for %s until %s", within, what)
	}
}

func holdsWithin(within time.Duration, holds func() bool) bool {
	limit := time.After(within)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			return false
		}
	}
	return true
}
