package render

import (
	"strings"

	"github.com/slack-go/slack"
)

// Message is what Slack is sent. Text stands for the blocks where they cannot be shown (notifications, screen readers) and
// is escaped; send it with link names and unfurling off.
type Message struct {
	Text   string
	Blocks []slack.Block
}

// The bounds of a message, in characters. Slack refuses a message at about 13,200 over all its blocks.
const (
	maxBlocks   = 7200 // of the blocks of one message, as JSON
	maxText     = 700  // of a card's Text
	maxAnswer   = 5000 // of an answer's own text
	maxFallback = 1500 // of an answer's Text, before escaping
	maxStamps   = 10   // in a block that get the reader's own time
	maxHeader   = 150
	maxAside    = 2000
	maxButton   = 75
)

// Ephemeral is an answer of plain lines. Nothing in it is live.
func Ephemeral(text string) Message {
	text = clipLines(text, maxAnswer)
	return Message{Text: Escape(clipLines(text, maxFallback)), Blocks: []slack.Block{richText("answer", []line{{plain(text)}})}}
}

// Preformatted is a table or other text whose columns matter. What is too long is cut after a whole line, and says so.
func Preformatted(text string) Message {
	text = clipLines(text, maxAnswer)
	block := slack.NewRichTextBlock("table", &slack.RichTextPreformatted{
		Type:     slack.RTEPreformatted,
		Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement(text, nil)},
	})
	return Message{Text: Escape(clipLines(text, maxFallback)), Blocks: []slack.Block{block}}
}

// Escape makes a text inert where Slack reads markup: nobody is mentioned and nothing becomes a link.
func Escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
