package render_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"ferry/bot"
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

// What stands below a card in a terminal can be typed as it stands, but for the words that stand for something.
func TestWhatIsTypedForAButton(t *testing.T) {
	all := scenarios()
	for _, of := range []map[string]story{emergencies(), fleetsOf[12]()} {
		maps.Copy(all, of)
	}
	typed := 0
	for name, s := range all {
		for l := range strings.Lines(render.CardText(s.op, s.now)) {
			label, line, found := strings.Cut(strings.TrimSpace(l), ": "+bot.Command+" ")
			if !found || strings.Contains(label, " ") && label != "Retry failed" && label != "Skip failed" && label != "Commit all" {
				continue
			}
			typed++
			line = strings.NewReplacer(" VM", " vm-x", "TEXT", "disk errors").Replace(line)
			if i, refusal := bot.Parse(line, s.now); refusal != nil || i.Op == "" && i.Ref == "" {
				t.Errorf("%s: %s is typed as %q: %v %+v", name, label, line, refusal, i)
			}
		}
	}
	if typed < 20 {
		t.Errorf("only %d lines were tried", typed)
	}
}

// How long each VM took stands behind it when it is up, also after the commit, which itself is of no interest.
func TestHowLongEachTook(t *testing.T) {
	for state, want := range map[string]string{"running": "vm-0001  2 web     up, not committed  4 min", "awaiting_commit": "vm-0003  2 web     up, not committed  12 min", "over": "vm-0001  2 web     committed  4 min"} {
		s := fleetsOf[12]()[state]
		if text := render.StatusText(s.op, s.now, 0, 0); !strings.Contains(text, want) {
			t.Errorf("%s: without %q:\n%s", state, want, text)
		}
	}
}
