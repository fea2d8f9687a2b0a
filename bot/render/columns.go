package render

import (
	"strings"

	"github.com/mattn/go-runewidth"

	"ferry/bot"
)

// gap stands between two columns.
const gap = "  "

// fitted aligns rows on a screen so many characters wide; 0 is any width. An empty cell is a dash, so that columns can be counted.
// A cell that is too wide goes on in the next line, and where not even single words fit side by side each row becomes a list of
// its own. The last cell has room: it may be a line to type.
func fitted(rows [][]string, screen int) string {
	for _, row := range rows {
		for i := range row {
			room := 60
			if i == len(row)-1 {
				room = 200
			}
			if row[i] = clip(inert(row[i]), room); row[i] == "" {
				row[i] = "-"
			}
		}
	}
	widths, fit := columnWidths(rows, screen)
	var out strings.Builder
	for i, row := range rows {
		switch {
		case fit:
			writeRow(&out, row, widths)
		case i > 0:
			writeList(&out, rows[0], row)
		}
	}
	return out.String()
}

// columnWidths takes from the widest column that has several words until all of them fit; false when they do not.
func columnWidths(rows [][]string, screen int) (widths []int, fit bool) {
	total := len(gap) * (len(rows[0]) - 1)
	widths, least := make([]int, len(rows[0])), make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			more := max(0, cellWidth(cell)-widths[i])
			widths[i], total = widths[i]+more, total+more
			for _, word := range wordsOf(cell) {
				least[i] = max(least[i], cellWidth(word))
			}
		}
	}
	for ; screen > 0 && total > screen; total-- {
		widest := -1
		for i, w := range widths {
			if w > least[i] && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return nil, false
		}
		widths[widest]--
	}
	return widths, true
}

func writeRow(out *strings.Builder, row []string, widths []int) {
	cells, height := make([][]string, len(row)), 0
	for i, cell := range row {
		cells[i] = wrap(cell, widths[i])
		height = max(height, len(cells[i]))
	}
	for n := range height {
		padded := make([]string, len(row))
		for i, parts := range cells {
			if n < len(parts) {
				padded[i] = parts[n]
			}
			padded[i] += strings.Repeat(" ", widths[i]-cellWidth(padded[i]))
		}
		out.WriteString(strings.TrimRight(strings.Join(padded, gap), " ") + "\n")
	}
}

// writeList is a row for a screen that has no room for columns.
func writeList(out *strings.Builder, names, row []string) {
	widest := 0
	for _, name := range names {
		widest = max(widest, cellWidth(name))
	}
	for i, cell := range row {
		out.WriteString(names[i] + strings.Repeat(" ", widest-cellWidth(names[i])) + gap + cell + "\n")
	}
	out.WriteString("\n")
}

// wrap breaks a cell between words.
func wrap(cell string, width int) []string {
	lines := []string{""}
	for _, word := range wordsOf(cell) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case cellWidth(*last+" "+word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// wordsOf keeps the slash command and its verb together: a terminal says it in other words.
func wordsOf(cell string) []string {
	var words []string
	for word := range strings.SplitSeq(cell, " ") {
		if n := len(words); n > 0 && words[n-1] == bot.Command {
			words[n-1] += " " + word
			continue
		}
		words = append(words, word)
	}
	return words
}

// cellWidth counts what a terminal shows: letters of some scripts take two places. Which ones does not depend on the locale.
func cellWidth(text string) int {
	return (&runewidth.Condition{}).StringWidth(text)
}
