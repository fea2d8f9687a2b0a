package render

import "fmt"

// Head is the rolling hash of the record of all that happened.
type Head struct {
	Messages uint64 // that it is of
	Text     string // as it is published
}

// Line is what is posted once a day.
func (h Head) Line() string {
	return fmt.Sprintf("Audit: %d messages, head `%s`. To hold the record to it later: `ferry audit verify --head %s`", h.Messages, h.Text, h.Text)
}
