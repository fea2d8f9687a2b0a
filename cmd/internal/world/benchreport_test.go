package world

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	fakeBegin = "<!-- bench-fleet fake time: begin -->"
	fakeEnd   = "<!-- bench-fleet fake time: end -->"
	pastBegin = "<!-- bench-fleet history: begin -->"
	pastEnd   = "<!-- bench-fleet history: end -->"
)

// benchTable is all that was measured in fake time.
func benchTable(runs []run, took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Played by `make bench-fleet` on %s with %d cores, %s/%s and %s, in %s.\n\n",
		time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), took.Round(time.Second))
	b.WriteString("| VMs | C | faults | by | makespan | × T* | as they come | left | begun again | 429 | writes per VM | reads per VM | reads per VM and minute | known, p95 | on the card, p95 | posts, edits a minute | facts, bytes per VM | CPU |\n")
	b.WriteString("|" + strings.Repeat("---|", 18) + "\n")
	for _, r := range runs {
		cells := []string{
			fmt.Sprint(r.vms), fmt.Sprint(r.limit), yesNo(r.faults), r.by, r.makespan.Round(time.Second).String(), fmt.Sprintf("%.2f", r.ratio()), fmt.Sprintf("%.2f", r.blind()),
			r.remain(), fmt.Sprint(max(0, r.rounds-1)), fmt.Sprintf("%.2f %%", r.throttled()),
			fmt.Sprintf("%.2f", r.per(r.traffic.Writes)), fmt.Sprintf("%.1f", r.per(r.traffic.Reads)), fmt.Sprintf("%.2f", r.perMinute()),
			p95(r.known), p95(r.shown), r.messages(), r.journal(), r.cpu.Round(10 * time.Millisecond).String(),
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	return b.String()
}

func (r run) per(n int) float64 { return float64(n) / float64(r.vms) }

func (r run) messages() string {
	if r.posts == 0 {
		return "-"
	}
	return fmt.Sprintf("%d, %d", r.posts, r.edits)
}

func (r run) journal() string {
	if r.facts == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f, %.0f", r.per(r.facts), r.per(r.bytes))
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// target is what Ferry has to keep to, in the runs that it is about.
type target struct {
	what  string
	about func(run) bool
	value func(run) float64
	most  float64
	unit  string
}

func allTargets() []target {
	every := func(run) bool { return true }
	calm, ill := func(r run) bool { return !r.faults }, func(r run) bool { return r.faults }
	thousand := func(r run) bool { return r.vms == 1000 }
	seconds := func(of func(run) []time.Duration) func(run) float64 {
		return func(r run) float64 { return quantile(of(r), 95).Seconds() }
	}
	return []target{
		{"makespan without faults", calm, run.ratio, 1.10, "× T*"},
		{"makespan with faults", ill, run.ratio, 1.4, "× T*"},
		{"429", every, run.throttled, 1, "%"},
		{"reads per VM and minute, 1,000 VMs", thousand, run.perMinute, 0.5, ""},
		{"job's end until it is known, p95, without faults", calm, seconds(func(r run) []time.Duration { return r.known }), 15, "s"},
		{"job's end until the card says so, p95, without faults", calm, seconds(func(r run) []time.Duration { return r.shown }), 15, "s"},
		{"job's end until the card says so, p95, with faults", ill, seconds(func(r run) []time.Duration { return r.shown }), 15, "s"},
		{"edits in the fullest minute", every, func(r run) float64 { return float64(r.edits) }, 20, ""},
	}
}

// verdicts says of each whether the worst run of Ferry keeps to it.
func verdicts(runs []run) string {
	ours := slices.DeleteFunc(slices.Clone(runs), func(r run) bool { return r.by != ferryRun })
	if len(ours) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| target | at most | worst of Ferry's runs | where | |\n|---|---|---|---|---|\n")
	for _, t := range allTargets() {
		worst, where := -1.0, ""
		for _, r := range ours {
			if v := t.value(r); t.about(r) && v > worst {
				worst, where = v, fmt.Sprintf("%d VMs, C %d%s", r.vms, r.limit, map[bool]string{true: ", faults"}[r.faults])
			}
		}
		verdict := "met"
		if worst > t.most {
			verdict = "**missed**"
		}
		if worst >= 0 {
			fmt.Fprintf(&b, "| %s | %g %s | %.2f %s | %s | %s |\n", t.what, t.most, t.unit, worst, t.unit, where, verdict)
		}
	}
	return b.String()
}

// writeSection puts a section between its marks in docs/benchmarks/fleet.md.
func writeSection(t *testing.T, begin, end, text string) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "docs", "benchmarks", "fleet.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, opened := strings.Cut(string(page), begin)
	_, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		t.Fatalf("%s has no place for %s", path, begin)
	}
	if err := os.WriteFile(path, []byte(before+begin+"\n"+text+end+after), 0o600); err != nil {
		t.Fatal(err)
	}
}
