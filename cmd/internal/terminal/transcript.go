package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"ferry/sandbox/workspace"
)

// transcript prints a channel as text while things happen in it: new messages whole, of an edit the lines that changed.
type transcript struct {
	workspace *workspace.Workspace
	cancel    func()
	printing  sync.WaitGroup

	mu    sync.Mutex // one writer at a time; guards shown too
	out   io.Writer
	shown map[string][]string // ts -> lines
}

func transcribe(w *workspace.Workspace, out io.Writer) *transcript {
	t := &transcript{workspace: w, out: out, shown: map[string][]string{}}
	changes, cancel := w.Subscribe()
	t.cancel = cancel
	t.printing.Go(func() {
		for c := range changes {
			t.change(c)
		}
	})
	return t
}

// stop ends the printing.
func (t *transcript) stop() {
	t.cancel()
	t.printing.Wait()
}

func (t *transcript) said(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintln(t.out, line)
}

func (t *transcript) change(c workspace.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := c.Message
	lines, before := t.workspace.Render(m), t.shown[m.TS]
	t.shown[m.TS] = lines
	clock := c.At.UTC().Format("15:04:05")
	switch c.Kind {
	case workspace.Edited:
		for _, line := range lines {
			if strings.TrimSpace(line) != "" && !slices.Contains(before, line) {
				fmt.Fprintf(t.out, "%s   ~ %s\n", clock, line)
			}
		}
	case workspace.Deleted:
		fmt.Fprintf(t.out, "%s   (a message was deleted)\n", clock)
	case workspace.Posted, workspace.Ephemeral:
		whom := ""
		if m.EphemeralFor != "" {
			whom = " (only " + t.workspace.Name(m.EphemeralFor) + " sees this)"
		}
		fmt.Fprintf(t.out, "%s %s%s\n", clock, t.workspace.Name(m.User), whom)
		for _, line := range lines {
			fmt.Fprintf(t.out, "         | %s\n", line)
		}
	}
}
