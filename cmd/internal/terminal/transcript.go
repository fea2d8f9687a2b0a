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
	shown map[string][]string // of a message by its ts, of a modal and a Home tab by the person's id
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

// complete reports whether every message is printed as it is now.
func (t *transcript) complete() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.workspace.Messages(channel, workspace.Everyone) {
		if !slices.Equal(t.shown[m.TS], t.workspace.Render(m)) {
			return false
		}
	}
	return true
}

// has reports whether something was printed of a message, by its ts, or of a modal, by its person's id.
func (t *transcript) has(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shown[key] != nil
}

func (t *transcript) said(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintln(t.out, line)
}

func (t *transcript) change(c workspace.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	clock := c.At.UTC().Format("15:04:05")
	if c.Person != "" {
		t.viewed(clock, c)
		return
	}
	if c.Kind == workspace.PlaceSet { // Slack says it in a message too
		return
	}
	m := c.Message
	lines, before := t.workspace.Render(m), t.shown[m.TS]
	t.shown[m.TS] = lines
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
	case workspace.Viewed, workspace.HomeSeen, workspace.PlaceSet: // above
	}
}

// viewed prints a person's modal or open Home tab whenever something else stands in it.
func (t *transcript) viewed(clock string, c workspace.Change) {
	key, what := c.Person, "modal"
	var lines []string
	switch {
	case c.Modal != nil:
		lines = t.workspace.RenderModal(*c.Modal)
	case c.Home != nil:
		key, what = c.Person+" home", "Home tab"
		if c.Home.Open {
			lines = t.workspace.RenderHome(*c.Home)
		}
	}
	if slices.Equal(lines, t.shown[key]) {
		return
	}
	t.shown[key] = lines
	if lines == nil {
		fmt.Fprintf(t.out, "%s   (%s has no %s open any more)\n", clock, t.workspace.Name(c.Person), what)
		return
	}
	fmt.Fprintf(t.out, "%s a %s (only %s sees this)\n", clock, what, t.workspace.Name(c.Person))
	for _, line := range lines {
		fmt.Fprintf(t.out, "         | %s\n", line)
	}
}
