package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// APICall is one entry of the ledger of Web API calls.
type APICall struct {
	Method  string // such as chat.postMessage
	At      time.Time
	Channel string // the channel and message concerned, where there are any
	TS      string
	// Status is "ok", Slack's error string, or "http 503" and the like for an injected failure. A lost answer is ok.
	Status string
}

// Calls returns every Web API call so far, the refused ones too, oldest first. In an [Workspace.Outage] none arrives.
func (w *Workspace) Calls() []APICall {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

// reply is a JSON object that goes out.
type reply map[string]any

// params are the arguments of a call; what was not a string in a JSON body stays JSON.
type params map[string]string

type method struct {
	handle   func(params) (reply, error)
	limit    rate
	appToken bool   // instead of the bot's
	scope    string // that the bot's token needs
}

// webMethods is the Web API; the limits are Slack's published tiers.
func (w *Workspace) webMethods() map[string]method {
	return map[string]method{
		"apps.connections.open":        {handle: w.connectionsOpen, limit: tier(50), appToken: true},
		"auth.test":                    {handle: w.authTest, limit: tier(600)},
		"chat.delete":                  {handle: w.chatDelete, limit: tier(50), scope: "chat:write"},
		"chat.getPermalink":            {handle: w.chatGetPermalink, limit: tier(600)},
		"chat.postEphemeral":           {handle: w.chatPostEphemeral, limit: tier(100), scope: "chat:write"},
		"chat.postMessage":             {handle: w.chatPostMessage, limit: rate{perMinute: 60, burst: 4, perChannel: true}, scope: "chat:write"},
		"chat.update":                  {handle: w.chatUpdate, limit: tier(50), scope: "chat:write"},
		"conversations.history":        {handle: w.conversationsHistory, limit: tier(50)},
		"conversations.info":           {handle: w.conversationsInfo, limit: tier(50)},
		"conversations.replies":        {handle: w.conversationsReplies, limit: tier(50)},
		"conversations.setTopic":       {handle: w.conversationsSetTopic, limit: tier(20)},
		"files.completeUploadExternal": {handle: w.filesCompleteUpload, limit: tier(100), scope: "files:write"},
		"files.getUploadURLExternal":   {handle: w.filesGetUploadURL, limit: tier(100), scope: "files:write"},
		"pins.add":                     {handle: w.pinsAdd, limit: tier(20), scope: "pins:write"},
		"pins.list":                    {handle: w.pinsList, limit: tier(20), scope: "pins:read"},
		"pins.remove":                  {handle: w.pinsRemove, limit: tier(20), scope: "pins:write"},
		"usergroups.list":              {handle: w.usergroupsList, limit: tier(20), scope: "usergroups:read"},
		"usergroups.users.list":        {handle: w.usergroupsUsersList, limit: tier(20), scope: "usergroups:read"},
		"users.info":                   {handle: w.usersInfo, limit: tier(100), scope: "users:read"},
		"views.open":                   {handle: w.viewsOpen, limit: tier(100)},
		"views.publish":                {handle: w.viewsPublish, limit: tier(100)},
		"views.push":                   {handle: w.viewsPush, limit: tier(100)},
		"views.update":                 {handle: w.viewsUpdate, limit: tier(100)},
	}
}

// apiError is an answer with "ok": false.
type apiError struct {
	code             string
	details          []string // response_metadata.messages
	needed, provided string   // of missing_scope
}

func (e apiError) Error() string { return e.code }

func failed(err error) reply {
	var e apiError
	if !errors.As(err, &e) {
		e.code = "internal_error"
	}
	r := reply{"ok": false, "error": e.code}
	if len(e.details) > 0 {
		r["response_metadata"] = reply{"messages": e.details}
	}
	if e.needed != "" {
		r["needed"], r["provided"] = e.needed, e.provided
	}
	return r
}

// answer is what goes back over HTTP.
type answer struct {
	status     int
	retryAfter int // seconds
	body       reply
	lost       bool     // it does not
	scopes     []string // of the token, in a header
}

func (w *Workspace) serveAPI(rw http.ResponseWriter, r *http.Request) {
	var a answer
	p, err := readParams(rw, r)
	if err != nil {
		a = answer{status: http.StatusOK, body: failed(err)}
	} else {
		a = w.call(r.PathValue("method"), bearer(r), p)
	}
	if a.lost {
		panic(http.ErrAbortHandler) // the documented way to break a connection without an answer
	}
	if a.scopes != nil {
		rw.Header().Set("X-OAuth-Scopes", strings.Join(a.scopes, ","))
	}
	if a.retryAfter > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(a.retryAfter))
	}
	writeJSON(rw, a.status, a.body)
}

func writeJSON(rw http.ResponseWriter, status int, body reply) {
	raw, err := encode(body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = rw.Write(raw) // a client that is gone needs no answer
}

func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

// readParams takes a query, a form or a JSON object, as Slack does.
func readParams(rw http.ResponseWriter, r *http.Request) (params, error) {
	r.Body = http.MaxBytesReader(rw, r.Body, maxBody)
	p := params{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return p, p.readJSON(r.Body)
	}
	if err := r.ParseMultipartForm(maxBody); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return nil, apiError{code: "invalid_form_data"}
	}
	for name := range r.Form {
		p[name] = r.Form.Get(name)
	}
	return p, nil
}

func (p params) readJSON(body io.Reader) error {
	var raw map[string]json.RawMessage
	err := json.NewDecoder(body).Decode(&raw)
	if err != nil && !errors.Is(err, io.EOF) {
		return apiError{code: "invalid_json"}
	}
	for name, value := range raw {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		p[name] = text
	}
	return nil
}

// call carries one call out and keeps the ledger.
func (w *Workspace) call(name, bearer string, p params) answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := APICall{Method: name, At: time.Now(), Channel: p["channel"], TS: p["ts"], Status: "ok"}
	failure, fails := w.nextFailure(name)
	a := answer{status: failure.status}
	switch {
	case failure.code != "":
		a.body = failed(apiError{code: failure.code})
		entry.note(a.body)
	case failure.status > 0:
		entry.Status = fmt.Sprint("http ", failure.status)
		a.body = reply{"ok": false, "error": "service_unavailable"}
	default:
		a = w.perform(name, bearer, p)
		a.lost = fails
		entry.note(a.body)
	}
	if a.status == http.StatusTooManyRequests {
		a.retryAfter = max(a.retryAfter, 1)
	}
	w.calls = append(w.calls, entry)
	return a
}

func (c *APICall) note(body reply) {
	if code, isError := body["error"].(string); isError {
		c.Status = code
	}
	for _, field := range []string{"ts", "message_ts"} {
		if ts, ok := body[field].(string); ok {
			c.TS = ts
		}
	}
}

// perform checks in Slack's order: method, token, rate, scope, arguments.
func (w *Workspace) perform(name, bearer string, p params) answer {
	m, known := w.methods[name]
	if !known {
		return answer{status: http.StatusOK, body: failed(apiError{code: "unknown_method"})}
	}
	if err := w.authorize(m, bearer, p["token"]); err != nil {
		return answer{status: http.StatusOK, body: failed(err)}
	}
	if wait := w.throttle(name, m.limit, p["channel"]); wait > 0 {
		return answer{status: http.StatusTooManyRequests, retryAfter: wait, body: failed(apiError{code: "ratelimited"})}
	}
	a := answer{status: http.StatusOK}
	if !m.appToken {
		a.scopes = w.scopes()
	}
	err := w.permits(m.scope)
	if err == nil {
		a.body, err = m.handle(p)
	}
	if err != nil {
		a.body = failed(err)
		return a
	}
	a.body["ok"] = true
	return a
}

// authorize accepts the bot's token as a bearer or a parameter, the app's only as a bearer (documented).
func (w *Workspace) authorize(m method, bearer, parameter string) error {
	token, want, other := bearer, w.opts.BotToken, w.opts.AppToken
	if m.appToken {
		want, other = other, want
	} else if token == "" {
		token = parameter
	}
	switch token {
	case want:
		return nil
	case "":
		return apiError{code: "not_authed"}
	case other:
		return apiError{code: "not_allowed_token_type"}
	default:
		return apiError{code: "invalid_auth"}
	}
}
