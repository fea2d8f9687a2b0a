package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"
)

// minQuery is how much must be typed into an external select before the bot is asked, unless it says otherwise (documented).
const minQuery = 3

// suggestion is one question for the options of an external select.
type suggestion struct {
	*interaction
	at      control
	form    *form
	refused error // before the bot is asked
	done    chan error
	offered node // the answer; valid once done has nil
}

// newSuggestion completes a payload that says where the select stands.
func newSuggestion(payload reply, f *form, e control, query string) *suggestion {
	payload["action_id"], payload["block_id"], payload["value"] = e.action, e.place.block, query
	s := &suggestion{at: e, form: f, done: make(chan error, 1)}
	s.interaction = &interaction{
		envelopeType: "interactive", payload: payload, what: fmt.Sprintf("The options of %q", e.label()),
		failed:   func(code string) { s.done <- fmt.Errorf("%s failed with the error %q", s.what, code) },
		answered: func(answer json.RawMessage) { s.done <- s.take(answer) },
	}
	least, ok := e.element.number("min_query_length")
	if !ok {
		least = minQuery
	}
	if float64(utf8.RuneCountInString(query)) < least {
		s.refused = fmt.Errorf("type at least %v characters to search %s", least, e.label())
	}
	return s
}

// take accepts what the bot offers.
func (s *suggestion) take(answer json.RawMessage) error {
	n := parseNode(answer) // an empty object is how some clients write no options
	c := &checker{}
	if n == nil {
		c.fail("", "missing required field: options")
	}
	if len(flat(n)) > maxOptions {
		c.fail("/options", "no more than %d items allowed", maxOptions)
	}
	c.options("/options", n.list("options"), plain)
	for i, g := range n.list("option_groups") {
		c.group(fmt.Sprint("/option_groups/", i), g)
	}
	if len(c.problems) > 0 {
		return fmt.Errorf("%s are not what Slack takes: %s", s.what, c.problems[0])
	}
	before := s.form.offered[s.at.place]
	s.form.offered[s.at.place] = flat(n)
	if strings.HasPrefix(s.at.element.text("type"), "multi_") { // what was found before can still be among the chosen
		s.form.offered[s.at.place] = append(flat(n), before...)
	}
	s.offered = n
	return nil
}

// suggestionIn is for a select of a modal; call it under the mutex.
func (w *Workspace) suggestionIn(v *view, e control, query string) *suggestion {
	payload := w.interactive("block_suggestion", v.person)
	payload["container"], payload["view"] = reply{"type": "view", "view_id": v.id}, w.wireView(v)
	return newSuggestion(payload, v.form, e, query)
}

// suggestionOn is for a select of a message.
func (w *Workspace) suggestionOn(p Person, c *channel, m *Message, e control, query string) *suggestion {
	w.mu.Lock()
	defer w.mu.Unlock()
	payload := w.interactive("block_suggestion", p)
	maps.Copy(payload, w.within(c, m))
	return newSuggestion(payload, w.formOf(p, c, m), e, query)
}

// suggest asks the bot and waits for its answer, 3 s at most.
func (w *Workspace) suggest(s *suggestion) (node, error) {
	if s.refused != nil {
		return nil, s.refused
	}
	if err := w.deliver(s.interaction); err != nil {
		return nil, err
	}
	select {
	case err := <-s.done:
		return s.offered, err
	case <-w.ended:
		return nil, errors.New("the workspace is closed")
	}
}
