package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// Documented limits of a response_url.
const (
	responseUses = 5
	responseLife = 30 * time.Minute
)

const (
	inChannel = "in_channel"
	maxBody   = 1 << 20 // bytes of any request; inferred
)

// hook is one response_url.
type hook struct {
	person   Person
	channel  *channel
	original string // ts of the message acted on; of a slash command the first answer through this URL (inferred)
	uses     int
	expires  time.Time
}

// response is what a bot posts to a response_url, or sends in the ack of a slash command. It has no metadata: clients send
// an empty one with every response.
type response struct {
	Text            string          `json:"text"`
	Blocks          json.RawMessage `json:"blocks"`
	ResponseType    string          `json:"response_type"`
	ThreadTS        string          `json:"thread_ts"`
	ReplaceOriginal bool            `json:"replace_original"`
	DeleteOriginal  bool            `json:"delete_original"`
}

// deadURLError is why a response_url does not work (any more); Slack answers 404.
type deadURLError string

func (e deadURLError) Error() string { return string(e) }

// newHook returns a response_url; kind is "commands", "actions" or "app".
func (w *Workspace) newHook(kind string, p Person, c *channel, original string) string {
	key := uuid.NewString()
	w.hooks[key] = &hook{person: p, channel: c, original: original, expires: time.Now().Add(responseLife)}
	return fmt.Sprintf("%s/%s/%s/%s", w.baseURL, kind, w.opts.TeamID, key)
}

func (w *Workspace) serveResponseURL(rw http.ResponseWriter, r *http.Request) {
	var body response
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxBody)).Decode(&body); err != nil {
		writeJSON(rw, http.StatusBadRequest, failed(apiError{code: "invalid_payload"}))
		return
	}
	err := w.useHook(r.PathValue("key"), body)
	var gone deadURLError
	switch {
	case err == nil:
		writeJSON(rw, http.StatusOK, reply{"ok": true})
	case errors.As(err, &gone):
		writeJSON(rw, http.StatusNotFound, failed(apiError{code: string(gone)}))
	default:
		writeJSON(rw, http.StatusBadRequest, failed(err))
	}
}

func (w *Workspace) useHook(key string, r response) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hooks[key]
	switch {
	case h == nil:
		return deadURLError("no_such_url")
	case time.Now().After(h.expires):
		return deadURLError("expired_url")
	case h.uses == responseUses:
		return deadURLError("used_url")
	}
	original := h.channel.message(h.original)
	if r.DeleteOriginal {
		h.uses++
		w.remove(h.channel, original) // nothing is there to remove when it was deleted before
		return nil
	}
	content, err := r.content()
	if err != nil {
		return err
	}
	h.uses++
	if r.ReplaceOriginal && original != nil {
		content.Metadata = original.Metadata
		w.edit(h.channel, original, content)
		return nil
	}
	answer := w.respond(h.channel, h.person, r, content)
	if h.original == "" {
		h.original = answer.TS
	}
	return nil
}

// content is the visible part, checked by the rules for messages.
func (r response) content() (Message, error) {
	return newContent(params{"text": r.Text, "blocks": string(r.Blocks)})
}

// respond posts a new answer: to the one person unless it says in_channel.
func (w *Workspace) respond(c *channel, p Person, r response, content Message) *Message {
	content.User, content.ThreadTS = botUserID, r.ThreadTS
	if r.ResponseType != inChannel {
		content.EphemeralFor = p.ID
	}
	return w.post(c, content)
}
