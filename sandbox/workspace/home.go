package workspace

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
)

// Home is what the app's Home tab of one person shows.
type Home struct {
	ViewID  string
	Hash    string
	Blocks  json.RawMessage
	Fields  []Field
	Buttons []Button
	// Notice is what Slack itself has to say, such as that a click was not acknowledged in time; else empty.
	Notice string
	Open   bool // the person looks at it, and not at a channel
}

// OpenHome lets a person (id or name) go to the Home tab of the app, which hears of it by app_home_opened. Until the person goes
// back with [Workspace.LeaveHome], or writes somewhere, [Workspace.Click], [Workspace.Choose] and [Workspace.Fill] mean
// what is there. The app of one organisation has no Home tab for people of another (inferred).
func (w *Workspace) OpenHome(user string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.findPerson(user)
	if err == nil && w.kindOf(p) == Stranger {
		err = fmt.Errorf("%s is of another organisation, and has no Home tab of the app", p.Name)
	}
	if err != nil {
		return err
	}
	w.atHome[p.ID] = true
	w.publishHome(p)
	event := reply{"user": p.ID, "channel": "D" + strings.TrimPrefix(p.ID, "U"), "tab": "home"}
	if v := w.homeOf(p); v.published() {
		event["view"] = w.wireView(v)
	}
	w.tellApp("app_home_opened", event, nil)
	return nil
}

// LeaveHome lets a person go back to the channel.
func (w *Workspace) LeaveHome(user string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.findPerson(user)
	if err == nil {
		w.leaveHome(p)
	}
	return err
}

func (w *Workspace) leaveHome(p Person) {
	if w.atHome[p.ID] {
		w.atHome[p.ID] = false
		w.publishHome(p)
	}
}

// looksHome is true for who acts in the Home tab.
func (w *Workspace) looksHome(user string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.findPerson(user)
	if err != nil {
		return false
	}
	v := w.front(p)
	return v != nil && v.home
}

// Home returns what the Home tab of a person (id or name) shows, whether or not it is open; it is false until the app has
// published something.
func (w *Workspace) Home(user string) (Home, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.findPerson(user)
	if err != nil {
		return Home{}, false
	}
	return w.home(p), w.homeOf(p).published()
}

func (w *Workspace) home(p Person) Home {
	v := w.homeOf(p)
	raw, err := encode(v.blocks())
	if err != nil {
		panic(err) // it came out of JSON
	}
	return Home{
		ViewID: v.id, Hash: v.hash, Blocks: raw, Fields: v.fields(), Buttons: buttonsIn(v.blocks()), Notice: v.notice, Open: w.atHome[p.ID],
	}
}

// homeOf is the view of a person's Home tab, empty and without a hash until it is published. It has one id for ever
// (inferred).
func (w *Workspace) homeOf(p Person) *view {
	if w.homes[p.ID] == nil {
		v := &view{person: p, id: "V" + rand.Text()[:10], home: true, content: node{"blocks": []any{}}, form: newForm()}
		v.root = v.id
		w.homes[p.ID] = v
	}
	return w.homes[p.ID]
}

func (v *view) published() bool { return v.hash != "" }

// viewsPublish is views.publish; without a hash the last one wins.
func (w *Workspace) viewsPublish(p params) (reply, error) {
	if w.opts.NoHome {
		return nil, apiError{code: "not_enabled"}
	}
	person, known := w.people[p["user_id"]]
	if !known {
		return nil, apiError{code: "invalid_arguments", details: []string{"invalid `user_id`"}}
	}
	content, err := acceptView(p["view"], checkHome)
	if err != nil {
		return nil, err
	}
	v := w.homeOf(person)
	if hash := p["hash"]; hash != "" && hash != v.hash {
		return nil, apiError{code: "hash_conflict"}
	}
	if err := w.claimed(content, v); err != nil {
		return nil, err
	}
	w.replace(v, content)
	return w.shown(v)
}

// publishHome tells subscribers that a Home tab was opened, left or changed.
func (w *Workspace) publishHome(p Person) {
	if len(w.subscribers) == 0 {
		return
	}
	h := w.home(p)
	w.tellAll(Change{Kind: HomeSeen, Person: p.ID, Home: &h, page: w.pageHome(p)})
}

// pageHome is what the page draws a person's Home tab from; without a hash nothing is published.
func (w *Workspace) pageHome(p Person) reply {
	v := w.homeOf(p)
	return reply{
		"id": v.id, "hash": v.hash, "blocks": v.content["blocks"], "state": v.form.states(controlsIn(v.blocks())),
		"notice": v.notice, "open": w.atHome[p.ID],
	}
}
