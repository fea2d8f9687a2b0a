package workspace_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"ferry/sandbox/workspace"
)

// site is a workspace on a real port, as a browser meets it.
type site struct {
	*testing.T
	*workspace.Workspace
	*httptest.Server
}

func newSite(t *testing.T, o workspace.Options) *site {
	t.Helper()
	w := workspace.New(o)
	s := &site{t, w, httptest.NewServer(w)}
	w.SetBaseURL(s.URL)
	t.Cleanup(func() {
		w.Close()
		s.Server.Close()
	})
	return s
}

// ask sends a request with pairs of headers; Host is one of them.
func (s *site) ask(method, path, body string, headers ...string) (status int, header http.Header, text string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.URL+path, strings.NewReader(body))
	check(s.T, err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := s.Client().Do(r)
	check(s.T, err)
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	check(s.T, err)
	return answer.StatusCode, answer.Header, string(read)
}

// post is what the bot does: a message over the Web API.
func (s *site) post(text, blocks string) string {
	s.Helper()
	form := url.Values{"token": {"xoxb-sandbox"}, "channel": {incident}, "text": {text}, "blocks": {blocks}}
	_, _, body := s.ask(http.MethodPost, "/api/chat.postMessage", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	var posted struct {
		OK bool   `json:"ok"`
		TS string `json:"ts"`
	}
	if err := json.Unmarshal([]byte(body), &posted); err != nil || !posted.OK {
		s.Fatalf("%s %v", body, err)
	}
	return posted.TS
}

func TestPageIsSealed(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspace.Options{Page: workspace.Page{World: http.NotFoundHandler()}})
	for path, kind := range map[string]string{
		"/": "text/html", "/page/main.js": "text/javascript", "/page/style.css": "text/css", "/page/modal.js": "text/javascript", "/page/home.js": "text/javascript", "/client/about": "application/json", "/world/state": "text/plain",
	} {
		_, header, text := s.ask(http.MethodGet, path, "")
		policy := header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %s: %q", path, want, policy)
			}
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Referrer-Policy") != "no-referrer" || !strings.HasPrefix(header.Get("Content-Type"), kind) {
			t.Errorf("%s: %v", path, header)
		}
		if strings.Contains(text, "innerHTML") || strings.Contains(text, "<script>") || strings.Contains(text, " style=") {
			t.Errorf("%s: markup from text, or what the policy forbids", path)
		}
	}
}

func TestForeignPagesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspace.Options{})
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	rows := []struct {
		name, method, path string
		headers            []string
		status             int
	}{
		{"the page itself", http.MethodPost, "/client/type", []string{"Origin", s.URL, "Sec-Fetch-Site", "same-origin"}, 200},
		{"no browser", http.MethodPost, "/client/type", nil, 200},
		{"another name of this machine", http.MethodGet, "/", []string{"Host", "localhost" + port}, 200},
		{"the address of IPv6", http.MethodGet, "/", []string{"Host", "[::1]" + port}, 200},
		{"another site", http.MethodPost, "/client/type", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"another origin in an old browser", http.MethodPost, "/client/type", []string{"Origin", "https://evil.example"}, 403},
		{"another port of this machine", http.MethodPost, "/client/type", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"the Web API from another site", http.MethodPost, "/api/auth.test", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a name that points here", http.MethodGet, "/client/about", []string{"Host", "evil.example" + port}, 403},
		{"a name like this machine's", http.MethodGet, "/client/about", []string{"Host", "localhost.evil.example"}, 403},
		{"the Web API under a name that points here", http.MethodPost, "/api/auth.test", []string{"Host", "evil.example"}, 403},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			status, _, text := s.ask(row.method, row.path, `{"as": "U0ANA", "text": "x"}`, row.headers...)
			if status != row.status {
				t.Errorf("%d %s, want %d", status, text, row.status)
			}
		})
	}
}

// events reads what one person's page is told, event by event.
func (s *site) events(person string) func() (event, data string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.URL+"/client/events?as="+person, nil)
	check(s.T, err)
	answer, err := s.Client().Do(r)
	check(s.T, err)
	s.Cleanup(func() { _ = answer.Body.Close() })
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		s.Fatalf("a stream of %s", kind)
	}
	lines := bufio.NewScanner(answer.Body)
	return func() (event, data string) {
		s.Helper()
		for lines.Scan() {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); {
			case name == "event":
				event = value
			case name == "data":
				data = value
			case event != "status" && event != "place" && (event != "modal" || data != "{}") && (event != "home" || strings.Contains(data, `"open":true`)):
				return event, data
			}
		}
		s.Fatalf("the stream ended: %v", lines.Err())
		return "", ""
	}
}

func TestEventsAreOnePersonsView(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspace.Options{})
	ts := s.post("first", "")
	check(t, s.Type("ana", incident, "hello <b>"))
	eve, ana := s.events("U0EVE"), s.events("U0ANA")
	for _, next := range []func() (string, string){eve, ana} {
		if event, data := next(); event != "channel" || !strings.Contains(data, ts) || !strings.Contains(data, "hello &lt;b&gt;") {
			t.Errorf("at first %s %s", event, data)
		}
	}
	if err := s.Type("ana", incident, "/failover vm-x"); !errors.Is(err, workspace.ErrDispatchFailed) {
		t.Fatal(err)
	}
	s.post("last", "")
	if event, data := ana(); event != "message" || !strings.Contains(data, "dispatch_failed") || !strings.Contains(data, `"is_ephemeral":true`) {
		t.Errorf("ana is told %s %s", event, data)
	}
	if event, data := eve(); event != "message" || !strings.Contains(data, "last") {
		t.Errorf("eve is told %s %s, which is not hers", event, data)
	}
	form := url.Values{"token": {"xoxb-sandbox"}, "channel": {incident}, "ts": {ts}}
	s.ask(http.MethodPost, "/api/chat.delete", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	if event, data := eve(); event != "deleted" || !strings.Contains(data, ts) {
		t.Errorf("eve is told %s %s", event, data)
	}
	for _, nobody := range []string{"", "*", "U0FERRY", "USLACKBOT"} {
		if status, _, _ := s.ask(http.MethodGet, "/client/events?as="+url.QueryEscape(nobody), ""); status != http.StatusNotFound {
			t.Errorf("%q may listen: %d", nobody, status)
		}
	}
}

func TestPageActs(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspace.Options{})
	ts := s.post("card", `[{"type": "actions", "block_id": "b", "elements": [{"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}]}]`)
	for _, row := range []struct{ path, body, says string }{
		{"/client/type", `{"as": "U0ANA", "text": "hi"}`, `"ok":true`},
		{"/client/type", `{"as": "U0NOBODY", "text": "hi"}`, `no person`},
		{"/client/press", `{"as": "U0BEN", "ts": "` + ts + `", "block_id": "b", "action_id": "go"}`, `dispatch_failed`}, // no bot is there
		{"/client/press", `{"as": "U0BEN", "ts": "` + ts + `", "block_id": "older", "action_id": "go"}`, `dispatch_failed`},
		{"/client/press", `{"as": "U0BEN", "ts": "` + ts + `", "block_id": "b", "action_id": "stop"}`, `is gone`},
		{"/client/press", `{"as": "U0BEN", "ts": "1.000000", "block_id": "b", "action_id": "go"}`, `is gone`},
		{"/client/press", `{"who": "U0BEN"}`, `not what is asked for`},
		{"/client/type", `{"as": "U0ANA", "text": "hi", "thread": "` + ts + `"}`, `"ok":true`},
		{"/client/type", `{"as": "U0ANA", "text": "hi", "thread": "1.000000"}`, `could reply to`},
		{"/client/press", `{"as": "U0BEN", "view": "V1", "block_id": "b", "action_id": "go"}`, `no modal is open`},
		{"/client/search", `{"as": "U0BEN", "view": "V1", "block_id": "b", "action_id": "go", "query": "x"}`, `no modal is open`},
		{"/client/search", `{"as": "U0BEN", "ts": "` + ts + `", "block_id": "b", "action_id": "stop", "query": "x"}`, `is gone`},
		{"/client/submit", `{"as": "U0BEN", "view": "V1", "held": []}`, `no modal is open`},
		{"/client/dismiss", `{"as": "U0BEN"}`, `say which view`},
		{"/client/dismiss", `{"as": "U0BEN", "view": "V1"}`, `no modal is open`},
		{"/client/home", `{"as": "U0NOBODY", "open": true}`, `no person`},
		{"/client/home", `{"as": "U0BEN", "open": true}`, `"ok":true`},
		{"/client/outage", `{"seconds": 100000}`, `an outage takes`},
		{"/client/outage", `{"seconds": 60}`, `"ok":true`},
	} {
		if _, _, text := s.ask(http.MethodPost, row.path, row.body); !strings.Contains(text, row.says) {
			t.Errorf("%s %s: %s, want %s", row.path, row.body, text, row.says)
		}
	}
	if status, _, _ := s.ask(http.MethodPost, "/api/auth.test", "token=xoxb-sandbox"); status != http.StatusServiceUnavailable {
		t.Errorf("Slack in an outage: %d", status)
	}
	if status, _, _ := s.ask(http.MethodGet, "/client/about", ""); status != http.StatusOK {
		t.Errorf("the page in an outage: %d", status)
	}
}

// One connection carries the channel and the world, each event whole, and nothing of the world outlives it.
func TestWorldComesWithTheChannel(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	begin := make(chan struct{})
	world := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		defer close(left)
		if r.URL.Path != "/states" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		rw.Header().Set("Content-Type", "text/event-stream")
		<-begin
		for range 100 {
			_, _ = io.WriteString(rw, "event: state\ndata: {}\n\n")
			check(t, http.NewResponseController(rw).Flush())
		}
		<-r.Context().Done()
	})
	s := newSite(t, workspace.Options{Page: workspace.Page{World: world}})
	next := s.events("U0ANA")
	if event, _ := next(); event != "channel" {
		t.Errorf("first %s", event)
	}
	close(begin)
	for range 20 {
		check(t, s.Type("ana", incident, "hello"))
	}
	got := map[string]int{}
	for range 120 {
		event, data := next()
		got[event]++
		if !json.Valid([]byte(data)) {
			t.Fatalf("%s: %s", event, data)
		}
	}
	if got["state"] != 100 || got["message"] != 20 {
		t.Errorf("got %v", got)
	}
	s.Workspace.Close()
	<-left
}
