package render_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"ferry/bot/render"
	"ferry/failover"
)

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs from what is drawn (-want +got); run with UPDATE_GOLDEN=1 when it should:\n%s", path, diff)
	}
}

// wire is a message as Slack gets it, indented.
func wire(t *testing.T, m render.Message) string {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string]any{"text": m.Text, "blocks": m.Blocks}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// readable is a message beside its wire form, for the reviewer.
func readable(m render.Message) string {
	var out strings.Builder
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case *slack.HeaderBlock:
			out.WriteString("# " + b.Text.Text + "\n")
		case *slack.RichTextBlock:
			for _, e := range b.Elements {
				out.WriteString(readableElement(e) + "\n")
			}
		case *slack.ActionBlock:
			for _, e := range b.Elements.ElementSet {
				if menu, ok := e.(*slack.SelectBlockElement); ok {
					out.WriteString("[" + menu.Placeholder.Text + "]\n")
					for _, g := range menu.OptionGroups {
						out.WriteString("  " + g.Label.Text + "\n")
						for _, o := range g.Options {
							out.WriteString("    " + o.Text.Text + " = " + o.Value + "\n")
						}
					}
				}
				if button, ok := e.(*slack.ButtonBlockElement); ok {
					out.WriteString("[" + button.Text.Text + "] ")
					if button.Confirm != nil {
						out.WriteString("(asks: " + button.Confirm.Title.Text + " " + button.Confirm.Text.Text + ") ")
					}
				}
			}
			out.WriteString("\n")
		case *slack.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				if text, ok := e.(*slack.TextBlockObject); ok {
					out.WriteString("> " + text.Text + "\n")
				}
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

func readableElement(e slack.RichTextElement) string {
	var elements []slack.RichTextSectionElement
	switch e := e.(type) {
	case *slack.RichTextSection:
		elements = e.Elements
	case *slack.RichTextPreformatted:
		elements = e.Elements
	}
	var out strings.Builder
	for _, e := range elements {
		switch e := e.(type) {
		case *slack.RichTextSectionTextElement:
			if e.Style != nil && e.Style.Bold {
				out.WriteString("*" + e.Text + "*")
			} else {
				out.WriteString(e.Text)
			}
		case *slack.RichTextSectionUserElement:
			out.WriteString("@" + e.UserID)
		case *slack.RichTextSectionDateElement:
			out.WriteString("{" + *e.Fallback + "}")
		}
	}
	return out.String()
}

// TestCards draws every scenario for Slack (wire form and readable), for the terminal, and the notices that go with it.
func TestCards(t *testing.T) {
	all := scenarios()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			s := all[name]
			card := render.Card(s.op, s.now, false)
			golden(t, name+".json", wire(t, card))
			var text strings.Builder
			text.WriteString("=== Slack ===\n" + readable(card) + "=== fallback text ===\n" + card.Text + "\n\n=== terminal ===\n" + render.CardText(s.op, s.now))
			for _, n := range render.Notices(s.op, []string{"U0BEN", "U0CAS"}) {
				place := "channel"
				if n.Thread {
					place = "thread"
				}
				text.WriteString("\n=== notice " + n.Key + " (" + place + ") ===\n" + n.Message.Text + "\n")
			}
			golden(t, name+".txt", text.String())
		})
	}
}

// TestEveryPhaseHasAScenario keeps the goldens complete.
func TestEveryPhaseHasAScenario(t *testing.T) {
	seen := map[failover.Phase]bool{}
	for _, s := range scenarios() {
		seen[s.op.Phase] = true
	}
	for _, p := range phases() {
		if !seen[p] {
			t.Errorf("no scenario in phase %s", p)
		}
	}
}

func phases() []failover.Phase {
	return []failover.Phase{
		failover.AwaitingApproval, failover.Running, failover.AwaitingCommit, failover.NeedsAttention, failover.Succeeded,
		failover.Failed, failover.Denied, failover.Expired, failover.Cancelled,
	}
}
