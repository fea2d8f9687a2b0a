package render_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
	"pgregory.net/rapid"

	"ferry/bot/render"
	"ferry/failover"
)

// Tables on screens of several widths: columns that wrap, then lists. Letters that take two places stay in their columns.
func TestTablesFitTheScreen(t *testing.T) {
	now := start()
	wide := item()
	wide.Name, wide.Vault, wide.Key = "数据库-01", "vault-eus", "k"
	inv := failover.Inventory{At: now, Items: []failover.Item{item(), wide}, Holders: map[string]failover.OpID{key: "op-7f3kq2mz"}}
	var out strings.Builder
	for _, screen := range []int{0, 100, 72, 50} {
		fmt.Fprintf(&out, "=== %d ===\n%s\n%s\n%s\n", screen, render.ListTable(inv, now, screen), render.StatusTable([]failover.Operation{halfway().op}, now, screen), render.DebtTable(debtList(), now, screen))
	}
	golden(t, "screens.txt", out.String())
}

// No screen leaves anything out, and none is too narrow as long as the longest word fits.
func TestTablesKeepEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := []failover.Operation{operationGen().Draw(t, "one"), operationGen().Draw(t, "two")}
		now, screen := sometime().Draw(t, "now"), rapid.IntRange(1, 250).Draw(t, "screen")
		text, whole := render.StatusTable(ops, now, screen), render.StatusTable(ops, now, 0)
		words := strings.Fields(text)
		longest := 0
		for _, word := range words {
			longest = max(longest, width(word))
		}
		for word := range strings.FieldsSeq(whole) {
			if word != "-" && !strings.Contains(text, word) {
				t.Fatalf("%q is lost on a screen of %d:\n%s\n%s", word, screen, text, whole)
			}
		}
		if strings.HasPrefix(text, "OPERATION  ") && strings.Contains(text, "\n\n") {
			return // a list: each value has its own line, and a terminal breaks it
		}
		for line := range strings.Lines(text) {
			if got := width(strings.TrimSuffix(line, "\n")); got > screen {
				t.Fatalf("%d places on a screen of %d: %q", got, screen, line)
			}
		}
	})
}

func width(text string) int { return (&runewidth.Condition{}).StringWidth(text) }
