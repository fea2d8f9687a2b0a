package chaos_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	beginMark = "<!-- chaos:begin -->"
	endMark   = "<!-- chaos:end -->"
)

// report is what was measured, as a section of docs/reliability.md.
func report(seed uint64, took time.Duration, forms ...figures) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nMeasured by `make chaos` on %s with %d cores, %s/%s and %s, in %.0f minutes, seed %d: the built binary and real\n`nats-server` processes that sync every write, people who go on working, and a simulated Azure in which %d s pass in one.\n\n",
		beginMark, time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), took.Minutes(), seed, speed)
	line := func(name string, of func(f figures) string) {
		fmt.Fprintf(&b, "| %s |", name)
		for _, f := range forms {
			fmt.Fprintf(&b, " %s |", of(f))
		}
		b.WriteString("\n")
	}
	line("", func(f figures) string { return f.name })
	b.WriteString("|" + strings.Repeat("---|", len(forms)+1) + "\n")
	line("killed, frozen and restarted", func(f figures) string { return f.hits() })
	number := func(name string, of func(f figures) int) {
		line(name, func(f figures) string { return fmt.Sprint(of(f)) })
	}
	number("operations", func(f figures) int { return f.operations })
	number("commands acknowledged", func(f figures) int { return f.commands })
	number("calls that started work in Azure", func(f figures) int { return f.calls })
	number("**accepted twice for one intent**", func(f figures) int { return f.duplicates })
	number("**lost: acknowledged and not decided, or begun and not ended**", func(f figures) int { return f.lost })
	number("jobs found again after a lost answer", func(f figures) int { return f.adopted })
	number("calls made again after three minutes without a trace", func(f figures) int { return f.again })
	number("operations that a person had to look at", func(f figures) int { return f.attention })
	number("cards", func(f figures) int { return f.cards })
	number("messages in the stream, all read back", func(f figures) int { return f.messages })
	line("until the next executor drives: median / 95 % / longest", func(f figures) string { return percentiles(f.takeover) })
	line("until a card moves or a command is decided", func(f figures) string { return percentiles(f.gap) })
	line("without a leader that writes, after its loss", func(f figures) string { return percentiles(f.leaderGap) })
	b.WriteString(footnote + endMark)
	return b.String()
}

const footnote = `
Each call that the simulated Azure accepted has an intent of its own in the stream, each acknowledged command its decision. An
executor is missed after 10 s of silence, and the command that it was deciding comes again then, too. The election of a leader
takes 4 to 9 s; who is connected to a frozen server notices that after 10 to 15 s, and only then hears of the new leader. Cards
beyond one per operation are those that a crash left unnoted; they say that they continue another.
`

// hits lists what was done to whom, and how often.
func (f figures) hits() string {
	var all []string
	sum := 0
	for _, what := range slices.Sorted(maps.Keys(f.faults)) {
		all = append(all, fmt.Sprintf("%d × %s", f.faults[what], what))
		sum += f.faults[what]
	}
	return fmt.Sprintf("%d: %s", sum, strings.Join(all, ", "))
}

// write puts a section, with its marks, into its place in a page of docs.
func write(t *testing.T, page, begin, end, text string) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "docs", page)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, opened := strings.Cut(string(data), begin)
	_, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		t.Fatalf("%s has no place for %s", path, begin)
	}
	if err := os.WriteFile(path, []byte(before+text+after), 0o600); err != nil {
		t.Fatal(err)
	}
}
