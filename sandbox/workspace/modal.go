package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Modal is the view that a person has in front of the channel.
type Modal struct {
	ViewID string
	Depth  int // of the stack, 1 to 3
	Title  string
	Submit string // the label of the button, empty without one
	Close  string // the label of the button
	Blocks json.RawMessage
	Fields []Field
	// Notice is what Slack itself has to say, such as that a submission was not answered in time; else empty.
	Notice string
	Busy   bool // a submission is on its way to the bot
}

// Field is a control with a value in a modal or Home tab.
type Field struct {
	Label    string
	Type     string // of the element, such as static_select
	BlockID  string
	ActionID string
	Optional bool
	Value    string   // the text, or the texts of the chosen options, separated by commas
	Options  []string // the texts of what can be chosen now
	Error    string   // of the last submission, empty for none
}

// ErrNoModal is returned to who acts in a modal and has none open (any more).
var ErrNoModal = errors.New("no modal is open")

// trouble is Slack's wording when a submission is not answered in time, or not with what it takes.
const trouble = "We had some trouble connecting. Try again?"

// Modal returns what a person (id or name) has open; it is false when that is the channel.
func (w *Workspace) Modal(user string) (Modal, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, _, err := w.find(user, w.opts.Channel.ID)
	v := w.onTop(p)
	if err != nil || v == nil {
		return Modal{}, false
	}
	return w.modal(v), true
}

func (w *Workspace) modal(v *view) Modal {
	raw, err := encode(v.blocks())
	if err != nil {
		panic(err) // it came out of JSON
	}
	m := Modal{
		ViewID: v.id, Depth: len(w.modals[v.person.ID]), Title: v.content.child("title").text("text"),
		Submit: v.content.child("submit").text("text"), Close: "Close", Blocks: raw, Notice: v.notice, Busy: v.busy,
	}
	if v.content.has("close") {
		m.Close = v.content.child("close").text("text")
	}
	m.Fields = v.fields()
	return m
}

func (v *view) fields() []Field {
	var fields []Field
	for _, c := range controlsIn(v.blocks()) {
		if key := stateKey(c.element.text("type")); key != "" {
			fields = append(fields, v.field(c, key))
		}
	}
	return fields
}

func (v *view) field(c control, key string) Field {
	optional, _ := c.block["optional"].(bool)
	values := v.form.of(c)
	if strings.HasPrefix(key, "selected_option") {
		for i, value := range values {
			if o, ok := v.form.option(c, value); ok {
				values = append(append(values[:i:i], o.child("text").text("text")), values[i+1:]...)
			}
		}
	}
	return Field{
		Label: c.label(), Type: c.element.text("type"), BlockID: c.place.block, ActionID: c.action, Optional: optional || !c.asks(),
		Value: strings.Join(values, ", "), Options: labels(v.form.options(c)), Error: v.errors[c.place.block],
	}
}

// Fill lets a person put a text, a date or options into a field of the modal or Home tab, in place of what is there; no value empties it.
// The field is named by its label, block_id or action_id, an option by its text or value; an external select is searched for
// it first. Where the bot wants to hear of it before the form is sent, it is told.
func (w *Workspace) Fill(user, field string, values ...string) error {
	v, c, err := w.fieldOf(user, field)
	if err != nil {
		return err
	}
	for _, value := range values {
		if err := w.offer(v, c, value); err != nil {
			return err
		}
	}
	i, err := w.filled(v, c, values)
	if i == nil {
		return err
	}
	return w.deliver(i)
}

func (w *Workspace) fieldOf(user, name string) (*view, control, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, err := w.viewOf(user, "")
	if err != nil {
		return nil, control{}, err
	}
	var there []string
	for _, c := range controlsIn(v.blocks()) {
		if stateKey(c.element.text("type")) == "" {
			continue
		}
		if c.called(name) {
			return v, c, nil
		}
		there = append(there, fmt.Sprintf("%q", c.label()))
	}
	return nil, control{}, fmt.Errorf("no field %q in %s; there are: %s", name, v.where(), strings.Join(there, " "))
}

// viewOf is what a person acts in; a client that names its view must not mean an older one.
func (w *Workspace) viewOf(user, id string) (*view, error) {
	p, _, err := w.find(user, w.opts.Channel.ID)
	if err != nil {
		return nil, err
	}
	v := w.front(p)
	if v == nil || id != "" && v.id != id {
		return nil, fmt.Errorf("%s: %w", p.Name, ErrNoModal)
	}
	return v, nil
}

// modalOf is viewOf for what is done to modals alone.
func (w *Workspace) modalOf(user, id string) (*view, error) {
	v, err := w.viewOf(user, id)
	if err == nil && v.home {
		return nil, fmt.Errorf("%s: %w", v.person.Name, ErrNoModal)
	}
	return v, err
}

// offer searches an external select for an option that is not there yet.
func (w *Workspace) offer(v *view, c control, option string) error {
	if !strings.HasSuffix(c.element.text("type"), "external_select") {
		return nil
	}
	w.mu.Lock()
	_, known := v.form.option(c, option)
	s := w.suggestionIn(v, c, option)
	w.mu.Unlock()
	if known {
		return nil
	}
	_, err := w.suggest(s)
	return err
}

// filled is nil when the bot need not hear of it.
func (w *Workspace) filled(v *view, c control, values []string) (*interaction, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := v.form.put(c, values); err != nil {
		return nil, err
	}
	delete(v.errors, c.place.block)
	w.publishView(v)
	if !c.dispatches() {
		return nil, nil
	}
	return w.actedIn(v, c), nil
}

// Search lets a person type into an external select of the modal or Home tab, and returns the texts of what the bot offers.
func (w *Workspace) Search(user, field, query string) ([]string, error) {
	v, c, err := w.fieldOf(user, field)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	s := w.suggestionIn(v, c, query)
	w.mu.Unlock()
	offered, err := w.suggest(s)
	return labels(flat(offered)), err
}

// troubled keeps the modal and what was typed, and says that there was no answer.
func (w *Workspace) troubled(v *view) func(code string) {
	return func(string) {
		v.busy, v.notice = false, trouble
		w.publishView(v)
	}
}

// Dismiss lets a person close the view on top, or all of them where the bot asked for that. The bot hears of it when it
// asked to.
func (w *Workspace) Dismiss(user string) error {
	return w.dismiss(user, "")
}

func (w *Workspace) dismiss(user, viewID string) error {
	told, err := w.dismissed(user, viewID)
	for _, i := range told {
		err = errors.Join(err, w.deliver(i))
	}
	return err
}

// dismissed tells of each view that goes and wants it (that there is one payload for each is inferred).
func (w *Workspace) dismissed(user, viewID string) ([]*interaction, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, err := w.modalOf(user, viewID)
	if err != nil {
		return nil, err
	}
	stack := w.modals[v.person.ID]
	gone, cleared := []*view{v}, v.flag("clear_on_close")
	if cleared {
		gone = stack
	}
	w.closeView(gone[0])
	var told []*interaction
	for _, v := range gone {
		if !v.flag("notify_on_close") {
			continue
		}
		payload := w.interactive("view_closed", v.person)
		payload["view"], payload["is_cleared"], payload["response_urls"] = w.wireView(v), cleared, []reply{}
		told = append(told, &interaction{envelopeType: "interactive", payload: payload, what: "Closing the modal"})
	}
	return told, nil
}
