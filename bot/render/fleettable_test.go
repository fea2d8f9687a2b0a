package render_test

import (
	"fmt"
	"strings"
	"testing"

	"ferry/bot/render"
	"ferry/failover"
)

// TestFleetTable draws what ferry status says of several VMs: into a pipe all of them, on a screen what fits, worst first.
func TestFleetTable(t *testing.T) {
	var out strings.Builder
	for _, of := range []struct {
		vms           int
		state         string
		width, height int
	}{{12, "awaiting_approval", 0, 0}, {12, "running", 0, 0}, {12, "over", 100, 40}, {1000, "on_hold", 120, 50}, {1000, "running", 80, 24}} {
		s := fleetsOf[of.vms]()[of.state]
		text := render.StatusText(s.op, s.now, of.width, of.height)
		fmt.Fprintf(&out, "=== %d VMs, %s, %d by %d ===\n%s\n", of.vms, of.state, of.width, of.height, text)
	}
	golden(t, "fleet_table.txt", out.String())
	s := fleetsOf[1000]()["on_hold"]
	if text := render.StatusText(s.op, s.now, 120, 0); strings.Count(text, "\n") < 1000 {
		t.Errorf("into a pipe go %d lines", strings.Count(text, "\n"))
	}
	if lines := render.Worst(s.op, s.now, 20); len(lines) != 20 || !strings.Contains(lines[0], "failed") || !strings.Contains(lines[19], "to begin") {
		t.Errorf("the worst are %q", lines)
	}
	if counts := render.Counts(s.op, s.now); !strings.Contains(counts, "14 failed") || render.Counts(failover.Operation{}, s.now) != "" {
		t.Errorf("counts %q", counts)
	}
}
