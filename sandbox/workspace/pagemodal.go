package workspace

import (
	"errors"
	"maps"
	"net/http"
)

// pageModal is what the page draws a person's modal from; without an id there is none.
func (w *Workspace) pageModal(p Person) reply {
	v := w.onTop(p)
	if v == nil {
		return reply{}
	}
	content := v.content
	return reply{
		"id": v.id, "hash": v.hash, "depth": len(w.modals[p.ID]), "title": content["title"], "submit": content["submit"],
		"close": content["close"], "blocks": content["blocks"], "state": v.form.states(controlsIn(v.blocks())),
		"errors": maps.Clone(v.errors), "notice": v.notice, "busy": v.busy,
	}
}

// used is what a person does with one element on the page: in the message with this ts, or in the view with this id.
type used struct {
	As       string   `json:"as"`
	TS       string   `json:"ts"`
	View     string   `json:"view"`
	BlockID  string   `json:"block_id"`
	ActionID string   `json:"action_id"`
	Values   []string `json:"values"`
	Held     []entry  `json:"held"`  // the rest of the view's form
	Query    string   `json:"query"` // what is typed into an external select
}

// servePress lets the person named press a button or choose in a menu.
func (w *Workspace) servePress(rw http.ResponseWriter, r *http.Request) {
	var in used
	if !readPosted(rw, r, &in) {
		return
	}
	if in.View == "" {
		answerPosted(rw, w.Press(in.As, w.opts.Channel.ID, in.TS, in.BlockID, in.ActionID, in.Values...))
		return
	}
	i, err := w.usedIn(in)
	if err == nil {
		err = w.deliver(i)
	}
	answerPosted(rw, err)
}

func (w *Workspace) usedIn(in used) (*interaction, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, c, err := w.pointedIn(in)
	if err != nil {
		return nil, err
	}
	if err := v.hold(in.Held); err != nil {
		return nil, err
	}
	if stateKey(c.element.text("type")) != "" {
		if err := v.form.put(c, in.Values); err != nil {
			return nil, err
		}
	}
	return w.actedIn(v, c), nil
}

func (w *Workspace) pointedIn(in used) (*view, control, error) {
	v, err := w.viewOf(in.As, in.View)
	if err != nil {
		return nil, control{}, err
	}
	c, ok := pointed(controlsIn(v.blocks()), place{in.BlockID, in.ActionID})
	if !ok {
		return nil, control{}, ErrGone
	}
	return v, c, nil
}

// serveSearch answers the options that the bot has for what the person named typed.
func (w *Workspace) serveSearch(rw http.ResponseWriter, r *http.Request) {
	var in used
	if !readPosted(rw, r, &in) {
		return
	}
	s, err := w.asked(in)
	var offered node
	if err == nil {
		offered, err = w.suggest(s)
	}
	if err != nil {
		answerPosted(rw, err)
		return
	}
	writeJSON(rw, http.StatusOK, reply{"ok": true, "options": offered["options"], "option_groups": offered["option_groups"]})
}

func (w *Workspace) asked(in used) (*suggestion, error) {
	if in.View == "" {
		p, c, m, e, err := w.pointedOn(in)
		if err != nil {
			return nil, err
		}
		return w.suggestionOn(p, c, m, e, in.Query), nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	v, c, err := w.pointedIn(in)
	if err != nil {
		return nil, err
	}
	return w.suggestionIn(v, c, in.Query), nil
}

func (w *Workspace) pointedOn(in used) (Person, *channel, *Message, control, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, c, err := w.find(in.As, w.opts.Channel.ID)
	if err != nil {
		return p, c, nil, control{}, err
	}
	m := c.message(in.TS)
	if m == nil || !m.visibleTo(p.ID) {
		return p, c, nil, control{}, ErrGone
	}
	e, ok := pointed(controlsIn(parseBlocks(m.Blocks)), place{in.BlockID, in.ActionID})
	if !ok {
		return p, c, nil, control{}, ErrGone
	}
	return p, c, m, e, nil
}

// posted is what the page says when a person sends or closes a modal.
type posted struct {
	As   string  `json:"as"`
	View string  `json:"view"`
	Held []entry `json:"held"`
}

// serveSubmit sends the modal of the person named. What is wrong with a field stands at the field, and needs no answer.
func (w *Workspace) serveSubmit(rw http.ResponseWriter, r *http.Request) {
	var in posted
	if !readPosted(rw, r, &in) {
		return
	}
	err := w.submit(in.As, in.View, in.Held)
	if _, incomplete := errors.AsType[incompleteError](err); incomplete {
		err = nil
	}
	answerPosted(rw, err)
}

// serveDismiss closes the modal of the person named.
func (w *Workspace) serveDismiss(rw http.ResponseWriter, r *http.Request) {
	var in posted
	if !readPosted(rw, r, &in) {
		return
	}
	if in.View == "" {
		answerPosted(rw, errors.New("say which view"))
		return
	}
	answerPosted(rw, w.dismiss(in.As, in.View))
}
