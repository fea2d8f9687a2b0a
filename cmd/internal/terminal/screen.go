package terminal

import (
	"os"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/cupwriter"

	"ferry/failover"
)

// size is how wide and high the terminal is, in characters; 0 for a file or a pipe, which take any.
func (g *globals) size() (width, height int) {
	out := cupwriter.New(g.io.Out, false)
	if !out.IsTerminal() {
		return 0, 0
	}
	width, height, err := out.GetTermSize()
	if err != nil {
		return 0, 0
	}
	return width, height
}

// screen is the width of it.
func (g *globals) screen() int {
	width, _ := g.size()
	return width
}

// moves reports whether lines can be drawn anew in their place.
func (g *globals) moves() bool {
	return g.screen() > 0 && os.Getenv("TERM") != "dumb"
}

// coloured reports whether colours may be used: on a terminal that knows them, unless NO_COLOR (no-color.org) says not to.
func (g *globals) coloured() bool { return g.moves() && os.Getenv("NO_COLOR") == "" }

// paint colours the words for a phase. They say the same without.
func paint(words string, p failover.Phase) string {
	colour := "36" // cyan
	switch p {
	case failover.Succeeded:
		colour = "32" // green
	case failover.AwaitingApproval, failover.AwaitingCommit:
		colour = "33" // yellow
	case failover.NeedsAttention, failover.Failed:
		colour = "1;31" // bold red
	case failover.Denied, failover.Expired, failover.Cancelled:
		return words
	case failover.Running:
	}
	return "\x1b[" + colour + "m" + words + "\x1b[0m"
}

// shorten cuts a line that is wider than its room, which may be none.
func shorten(text string, room int) string {
	if room <= 0 {
		return ""
	}
	return (&runewidth.Condition{}).Truncate(text, room, "…")
}

func widthOf(text string) int { return (&runewidth.Condition{}).StringWidth(text) }

// bar shows a part of a whole.
func bar(part float64, width int) string {
	done := int(part * float64(width))
	return "[" + strings.Repeat("#", done) + strings.Repeat(".", width-done) + "]"
}
