package render

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ferry/failover"
)

// maxPage is how many characters of a list a page has.
const maxPage = 4000

// StatusPage is a page, from 1, of what a terminal shows of an operation on many VMs, with buttons to the next one and to the whole
// list. False: all of it fits into one answer, or there is no such page.
func StatusPage(op failover.Operation, page int, now time.Time) (Message, bool) {
	pages := pagesOf(FleetText(op, now))
	if !op.Several() || len(pages) < 2 || page < 1 || page > len(pages) {
		return Message{}, false
	}
	m := Preformatted(pages[page-1])
	said := fmt.Sprintf("Page %d of %d of %s.", page, len(pages), op.ID)
	m.Text = Escape(said) + "\n" + m.Text
	d := draft{id: op.ID, seq: op.Seq, foot: line{plain(said)}}
	if page < len(pages) {
		d.buttons = append(d.buttons, button{action: ActionPage, label: "Next page", token: strconv.Itoa(page + 1)})
	}
	d.buttons = append(d.buttons, cardOf{op: op}.showAll()...)
	m.Blocks = append(m.Blocks, d.blocks()...)
	return m, true
}

// PageOf is the page that a button asks for.
func PageOf(action, seen string) (int, bool) {
	page, err := strconv.Atoi(seen)
	return page, action == ActionPage && err == nil
}

// pagesOf cuts a text after whole lines.
func pagesOf(text string) []string {
	var pages []string
	var page strings.Builder
	size := 0
	for l := range strings.Lines(text) {
		n := len([]rune(l))
		if size > 0 && size+n > maxPage {
			pages = append(pages, page.String())
			page.Reset()
			size = 0
		}
		page.WriteString(l)
		size += n
	}
	return append(pages, page.String())
}
