package workspace

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// maxOutage bounds an outage that a person starts on the page.
const maxOutage = 10 * time.Minute

// serveAbout tells the page who and what is there. None of it changes.
func (w *Workspace) serveAbout(rw http.ResponseWriter, _ *http.Request) {
	people := []reply{}
	for _, p := range append(bots(), w.opts.People...) {
		people = append(people, reply{
			"id": p.ID, "name": p.Name, "real_name": p.RealName, "title": p.Title, "is_app": p.ID == botUserID,
			"can_act": p.ID != botUserID && p.ID != slackbotID,
		})
	}
	shortcuts := []reply{}
	for _, s := range w.opts.Shortcuts {
		shortcuts = append(shortcuts, reply{"name": s.Name, "callback_id": s.CallbackID, "type": s.Type})
	}
	o := w.opts
	writeJSON(rw, http.StatusOK, reply{
		"channel": reply{"id": o.Channel.ID, "name": o.Channel.Name}, "command": o.SlashCommand, "shortcuts": shortcuts, "people": people,
		"verbs": o.Page.Verbs, "groups": o.Page.Groups, "hints": o.Page.Hints, "terminal": o.Page.Terminal, "world": o.Page.World != nil,
	})
}

// serveType lets the person named write into the channel, or into the thread of the message with this ts.
func (w *Workspace) serveType(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		As     string `json:"as"`
		Text   string `json:"text"`
		Thread string `json:"thread"`
	}
	if readPosted(rw, r, &in) {
		answerPosted(rw, w.write(in.As, w.opts.Channel.ID, in.Thread, in.Text))
	}
}

// serveShortcut lets the person named use a shortcut, on the message with this ts if there is one.
func (w *Workspace) serveShortcut(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		As         string `json:"as"`
		CallbackID string `json:"callback_id"`
		TS         string `json:"ts"`
	}
	if readPosted(rw, r, &in) {
		answerPosted(rw, w.Shortcut(in.As, w.opts.Channel.ID, in.CallbackID, OnMessage(in.TS)))
	}
}

// serveHome lets the person named open the Home tab, or go back to the channel.
func (w *Workspace) serveHome(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		As   string `json:"as"`
		Open bool   `json:"open"`
	}
	if !readPosted(rw, r, &in) {
		return
	}
	act := w.LeaveHome
	if in.Open {
		act = w.OpenHome
	}
	answerPosted(rw, act(in.As))
}

// serveOutage takes Slack away from the bot; 0 seconds bring it back.
func (w *Workspace) serveOutage(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		Seconds int `json:"seconds"`
	}
	if !readPosted(rw, r, &in) {
		return
	}
	d := time.Duration(in.Seconds) * time.Second
	if d < 0 || d > maxOutage {
		answerPosted(rw, fmt.Errorf("an outage takes up to %s", maxOutage))
		return
	}
	w.Outage(d)
	answerPosted(rw, nil)
}

func readPosted(rw http.ResponseWriter, r *http.Request, in any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(in); err != nil {
		http.Error(rw, "the body is not what is asked for: "+err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

// answerPosted answers 200 in any case, as Slack does: a refusal is no broken request.
func answerPosted(rw http.ResponseWriter, err error) {
	if err != nil {
		writeJSON(rw, http.StatusOK, reply{"ok": false, "error": err.Error()})
		return
	}
	writeJSON(rw, http.StatusOK, reply{"ok": true})
}
