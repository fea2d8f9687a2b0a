//go:build linux

package terminal_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"

	"ferry/cmd/internal/terminal"
)

// screenful is what a terminal of its own is sent by one command line.
type screenful struct {
	t    *testing.T
	tty  *os.File
	mu   sync.Mutex
	sent bytes.Buffer
}

func newScreenful(t *testing.T, width, height uint16) *screenful {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo terminal here: ", err)
	}
	if err := pty.Setsize(ptmx, &pty.Winsize{Cols: width, Rows: height}); err != nil {
		t.Fatal(err)
	}
	s := &screenful{t: t, tty: tty}
	t.Cleanup(func() {
		_ = tty.Close()
		_ = ptmx.Close()
	})
	go func() { _, _ = io.Copy(s, ptmx) }()
	return s
}

// Write implements [io.Writer].
func (s *screenful) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent.Write(p)
}

func (s *screenful) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent.String()
}

// Bars, colours and width are a terminal's; a pipe, TERM=dumb and NO_COLOR are respected.
func TestOnATerminal(t *testing.T) {
	o := newOutside(t)
	o.up()
	if err := o.workspace.Type("ana", "#incident", "/failover vm-y"); err != nil {
		t.Fatal(err)
	}
	o.until("it runs", func() bool { return o.accepted()["unplannedFailover"] == 1 })
	watched := func(want string) string {
		s := newScreenful(t, 100, 30)
		ctx, cancel := context.WithCancel(t.Context())
		code := make(chan int, 1)
		go func() {
			code <- terminal.Run(ctx, []string{"--data", filepath.Join(o.dir, "data"), "watch"}, terminal.Streams{Out: s.tty, Err: s.tty})
		}()
		o.until("the terminal shows "+want, func() bool { return strings.Contains(s.text(), want) })
		cancel()
		if got := <-code; got != 0 {
			t.Errorf("exit %d", got)
		}
		o.until("it says that it goes on", func() bool { return strings.Contains(s.text(), "what is open goes on (1)") })
		return s.text()
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	if text := watched("\x1b[1A\x1b[J"); !strings.Contains(text, "\x1b[0m") {
		t.Errorf("a terminal has colours: %q", text)
	}
	t.Setenv("NO_COLOR", "1")
	if text := watched("\x1b[1A\x1b[J"); strings.Contains(text, "\x1b[0m") {
		t.Errorf("NO_COLOR: %q", text)
	}
	t.Setenv("TERM", "dumb")
	if text := watched(" op-"); strings.Contains(text, "\x1b") {
		t.Errorf("TERM=dumb: %q", text)
	}

	s := newScreenful(t, 50, 30)
	if code := terminal.Run(t.Context(), []string{"--data", filepath.Join(o.dir, "data"), "list"}, terminal.Streams{Out: s.tty, Err: s.tty}); code != 0 {
		t.Errorf("list: exit %d", code)
	}
	o.until("all is listed", func() bool { return strings.Contains(s.text(), "As of ") })
	for line := range strings.Lines(s.text()) {
		if len([]rune(strings.TrimSpace(line))) > 50 && !strings.HasPrefix(line, "As of") {
			t.Errorf("wider than the terminal: %q", line)
		}
	}
}
