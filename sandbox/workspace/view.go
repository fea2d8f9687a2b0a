package workspace

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Documented limits of views.
const (
	maxStack = 3
	maxView  = 250_000 // bytes
)

// view is one modal view that a person has open, or a Home tab.
type view struct {
	person  Person
	id      string
	root    string
	before  string // the id of the view below, empty at the bottom
	hash    string // another one after each change of the content
	content node   // as sent, with the ids that Slack generates; never written to
	form    *form
	errors  map[string]string // by block_id
	notice  string            // what Slack itself has to say
	busy    bool              // a submission is on its way
	home    bool              // it is a Home tab
}

func (v *view) blocks() []node { return v.content.list("blocks") }

func (v *view) flag(name string) bool {
	set, _ := v.content[name].(bool)
	return set
}

// onTop is the view that a person looks at, nil for none.
func (w *Workspace) onTop(p Person) *view {
	stack := w.modals[p.ID]
	if len(stack) == 0 {
		return nil
	}
	return stack[len(stack)-1]
}

// front is the view that a person acts in: the modal on top, or else the Home tab when that is open; nil for the channel.
func (w *Workspace) front(p Person) *view {
	if v := w.onTop(p); v != nil || !w.atHome[p.ID] {
		return v
	}
	return w.homeOf(p)
}

// where says in messages what view that is.
func (v *view) where() string {
	if v.home {
		return "the Home tab"
	}
	return "the modal"
}

// publishView tells subscribers that something else stands in a view.
func (w *Workspace) publishView(v *view) {
	if v.home {
		w.publishHome(v.person)
		return
	}
	w.publishModal(v.person)
}

func (w *Workspace) openViews() []*view {
	return slices.Concat(slices.Collect(maps.Values(w.modals))...)
}

// acceptView checks a view and fills in the ids that Slack generates.
func acceptView(raw string, problemsOf func(node) []string) (node, error) {
	if len(raw) > maxView {
		return nil, apiError{code: "view_too_large"}
	}
	content := parseNode(json.RawMessage(raw))
	if content == nil {
		return nil, invalidView("[ERROR] missing required field: view [json-pointer:]")
	}
	if problems := problemsOf(content); len(problems) > 0 {
		return nil, invalidView(problems...)
	}
	for _, b := range content.list("blocks") {
		fillIDs(b)
	}
	return content, nil
}

func invalidView(problems ...string) error {
	return apiError{code: "invalid_arguments", details: problems}
}

// claimed refuses an external_id that another open view has.
func (w *Workspace) claimed(content node, by *view) error {
	id := content.text("external_id")
	taken := func(v *view) bool { return v != by && v.content.text("external_id") == id }
	if id != "" && slices.ContainsFunc(slices.AppendSeq(w.openViews(), maps.Values(w.homes)), taken) {
		return apiError{code: "duplicate_external_id"}
	}
	return nil
}

// show puts a view on top of a person's stack.
func (w *Workspace) show(p Person, content node) *view {
	v := &view{person: p, id: "V" + rand.Text()[:10], content: content, hash: newHash(), form: newForm()}
	v.root = v.id
	if below := w.onTop(p); below != nil {
		v.root, v.before = below.root, below.id
	}
	w.modals[p.ID] = append(w.modals[p.ID], v)
	w.publishModal(p)
	return v
}

func newHash() string { return fmt.Sprintf("%d.%s", time.Now().Unix(), rand.Text()[:8]) }

// replace keeps what the person put into controls that stay where they are (inferred).
func (w *Workspace) replace(v *view, content node) {
	v.form.keep(controlsIn(v.blocks()), controlsIn(content.list("blocks")))
	v.content, v.hash, v.errors, v.notice = content, newHash(), nil, ""
	w.publishView(v)
}

// closeView takes a view away, and with it those that stand on it.
func (w *Workspace) closeView(v *view) {
	stack := w.modals[v.person.ID]
	if i := slices.Index(stack, v); i >= 0 {
		w.modals[v.person.ID] = stack[:i]
		w.publishModal(v.person)
	}
}

// viewsOpen is views.open; a modal that is open makes way (inferred).
func (w *Workspace) viewsOpen(p params) (reply, error) {
	content, err := acceptView(p["view"], checkModal)
	if err == nil {
		err = w.claimed(content, nil)
	}
	if err != nil {
		return nil, err
	}
	person, err := w.exchange(p["trigger_id"])
	if err != nil {
		return nil, err
	}
	w.modals[person.ID] = nil
	return w.shown(w.show(person, content))
}

// viewsPush is views.push, onto the modal that the person of the trigger has open.
func (w *Workspace) viewsPush(p params) (reply, error) {
	content, err := acceptView(p["view"], checkModal)
	if err == nil {
		err = w.claimed(content, nil)
	}
	if err != nil {
		return nil, err
	}
	person, err := w.exchange(p["trigger_id"])
	if err == nil {
		err = w.mayPush(person)
	}
	if err != nil {
		return nil, err
	}
	return w.shown(w.show(person, content))
}

func (w *Workspace) mayPush(p Person) error {
	switch len(w.modals[p.ID]) {
	case 0:
		return apiError{code: "not_found"}
	case maxStack:
		return apiError{code: "push_limit_reached"}
	default:
		return nil
	}
}

// viewsUpdate is views.update; without a hash the last one wins.
func (w *Workspace) viewsUpdate(p params) (reply, error) {
	content, err := acceptView(p["view"], checkModal)
	if err != nil {
		return nil, err
	}
	id, external := p["view_id"], p["external_id"]
	open := w.openViews()
	i := slices.IndexFunc(open, func(v *view) bool {
		return v.id == id || id == "" && external != "" && v.content.text("external_id") == external
	})
	if i < 0 {
		return nil, apiError{code: "not_found"}
	}
	v := open[i]
	if hash := p["hash"]; hash != "" && hash != v.hash {
		return nil, apiError{code: "hash_conflict"}
	}
	if err := w.claimed(content, v); err != nil {
		return nil, err
	}
	w.replace(v, content)
	return w.shown(v)
}

func (w *Workspace) shown(v *view) (reply, error) {
	return reply{"view": w.wireView(v)}, nil
}

// wireView is the view object of answers and payloads, as recorded.
func (w *Workspace) wireView(v *view) reply {
	wire := reply{
		"private_metadata": "", "callback_id": "", "external_id": "", "clear_on_close": false, "notify_on_close": false,
		"close": nil, "submit": nil, "previous_view_id": nil,
	}
	maps.Copy(wire, v.content)
	wire["id"], wire["team_id"], wire["hash"] = v.id, w.opts.TeamID, v.hash
	wire["root_view_id"], wire["app_id"], wire["bot_id"], wire["app_installed_team_id"] = v.root, w.opts.AppID, botID, w.opts.TeamID
	if v.before != "" {
		wire["previous_view_id"] = v.before
	}
	wire["state"] = reply{"values": v.form.states(controlsIn(v.blocks()))}
	return wire
}
