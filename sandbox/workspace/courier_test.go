package workspace_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"ferry/sandbox/pipe"
	"ferry/sandbox/workspace"
)

const signingSecret = "8f742231b10e8888abcd99yyyzzz85a5"

// post is a request as an app gets it.
type post struct {
	path, kind string
	header     http.Header
	body       string
}

// backend is what answers a workspace that posts.
type backend struct {
	t      *testing.T
	answer func(w http.ResponseWriter, r *http.Request, n int) // to the nth request; nil: 200 alone
	mu     sync.Mutex
	hits   int // requests, the unsigned ones too
	got    []post
}

// ServeHTTP checks each signature with slack-go, which is not ours.
func (a *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Error(err)
	}
	a.mu.Lock()
	a.hits++
	a.mu.Unlock()
	v, err := slack.NewSecretsVerifier(r.Header, signingSecret)
	if err == nil {
		_, _ = v.Write(body)
		err = v.Ensure()
	}
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	a.mu.Lock()
	a.got = append(a.got, post{r.URL.Path, r.Header.Get("Content-Type"), r.Header, string(body)})
	n := len(a.got)
	a.mu.Unlock()
	if a.answer != nil {
		a.answer(w, r, n)
	}
}

func (a *backend) posts() []post {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.got)
}

// posted runs a test in which the workspace posts to an app.
func posted(t *testing.T, test func(l *lab, a *backend)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := pipe.Listen()
		const base = "http://app.test/"
		l := newLab(t, workspace.Options{RequestURLs: workspace.RequestURLs{
			Commands: base + "commands", Interactions: base + "interactions", Options: base + "options", Events: base + "events",
			SigningSecret: signingSecret, Dial: listener.Dial,
		}})
		a := &backend{t: t}
		server := &http.Server{Handler: a, ReadHeaderTimeout: time.Minute}
		ended := make(chan struct{})
		go func() { _ = server.Serve(listener); close(ended) }()
		t.Cleanup(func() { l.Close(); _ = server.Close(); <-ended })
		test(l, a)
	})
}

func TestCommandIsAForm(t *testing.T) {
	for name, row := range map[string]struct {
		kind, body, want string
	}{
		"JSON":       {"application/json; charset=utf-8", `{"text":"Planning *vm-x*"}`, "Planning *vm-x*"},
		"plain text": {"text/plain", "Planning", "Planning"},
		"nothing":    {"", "", ""},
		"broken":     {"application/json", "{", `/failover failed with the error "invalid_command_response"`},
	} {
		posted(t, func(l *lab, a *backend) {
			a.answer = func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header().Set("Content-Type", row.kind)
				_, _ = io.WriteString(w, row.body)
			}
			check(t, l.Type("ana", incident, "/failover vm-x & co"))
			synctest.Wait()
			p := a.posts()[0]
			form, err := url.ParseQuery(p.body)
			check(t, err)
			if p.path != "/commands" || p.kind != "application/x-www-form-urlencoded" || form.Get("text") != "vm-x & co" || form.Get("user_id") != "U0ANA" || form.Get("is_enterprise_install") != "false" || form.Get("trigger_id") == "" {
				t.Errorf("%s: %+v", name, p)
			}
			seen := l.Messages(incident, "U0ANA")
			if row.want == "" && len(seen) == 0 {
				return
			}
			if _, text := l.newest(t, "U0ANA"); text != row.want {
				t.Errorf("%s: ana sees %q", name, text)
			}
		})
	}
}

func TestRequestWithoutAnAnswer(t *testing.T) {
	posted(t, func(l *lab, a *backend) {
		a.answer = func(w http.ResponseWriter, r *http.Request, n int) {
			switch n {
			case 1:
				<-time.After(3*time.Second + time.Millisecond)
			case 2:
				w.WriteHeader(http.StatusInternalServerError)
			}
		}
		begin := time.Now()
		check(t, l.Type("ana", incident, "/failover vm-x"))
		pass(3 * time.Second)
		if _, text := l.newest(t, "U0ANA"); text != `/failover failed with the error "operation_timeout"` || time.Since(begin) != 3*time.Second {
			t.Errorf("ana sees %q", text)
		}
		check(t, l.Type("ana", incident, "/failover vm-x"))
		synctest.Wait()
		if _, text := l.newest(t, "U0ANA"); text != `/failover failed with the error "dispatch_failed"` {
			t.Errorf("ana sees %q", text)
		}
		pass(10 * time.Minute)
		if n := len(a.posts()); n != 2 {
			t.Errorf("%d requests: a command comes once", n)
		}
	})
}

func TestNoAppBehindTheURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := pipe.Listen()
		check(t, closed.Close())
		l := newLab(t, workspace.Options{RequestURLs: workspace.RequestURLs{Commands: "http://app.test/", SigningSecret: signingSecret, Dial: closed.Dial}})
		if err := l.Type("ana", incident, "/failover vm-x"); !errors.Is(err, workspace.ErrDispatchFailed) {
			t.Errorf("err = %v", err)
		}
		synctest.Wait()
		if _, text := l.newest(t, "U0ANA"); text != `/failover failed with the error "dispatch_failed"` {
			t.Errorf("ana sees %q", text)
		}
	})
}

// An app that accepts no connection is given up after 3 s, and who acted is not kept waiting.
func TestAppThatDoesNotAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{RequestURLs: workspace.RequestURLs{Commands: "http://app.test/", SigningSecret: signingSecret, Dial: pipe.Listen().Dial}})
		begin := time.Now()
		if err := l.Type("ana", incident, "/failover vm-x"); !errors.Is(err, workspace.ErrDispatchFailed) || time.Since(begin) != 3*time.Second {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		synctest.Wait()
		if _, text := l.newest(t, "U0ANA"); text != `/failover failed with the error "operation_timeout"` {
			t.Errorf("ana sees %q", text)
		}
	})
}

func TestEventsComeAgainOverHTTP(t *testing.T) {
	for name, row := range map[string]struct {
		answer func(w http.ResponseWriter)
		waits  []time.Duration // before each attempt
		reason string
	}{
		"accepted": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted) }, []time.Duration{0}, ""},
		"an error": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, []time.Duration{0, 0, time.Minute, 5 * time.Minute}, "http_error"},
		"too slow": {func(http.ResponseWriter) { <-time.After(4 * time.Second) }, []time.Duration{0, 3 * time.Second, 63 * time.Second, 303 * time.Second}, "http_timeout"},
		"no more": {func(w http.ResponseWriter) {
			w.Header().Set("X-Slack-No-Retry", "1")
			w.WriteHeader(http.StatusBadGateway)
		}, []time.Duration{0}, ""},
		"elsewhere": {func(w http.ResponseWriter) { w.Header().Set("Location", "/x"); w.WriteHeader(http.StatusFound) }, []time.Duration{0, 0, time.Minute, 5 * time.Minute}, "http_error"},
	} {
		t.Run(name, func(t *testing.T) {
			posted(t, func(l *lab, a *backend) {
				begin := time.Now()
				var at []time.Duration
				a.answer = func(w http.ResponseWriter, r *http.Request, n int) {
					a.mu.Lock()
					at = append(at, time.Since(begin))
					a.mu.Unlock()
					num, reason := r.Header.Get("X-Slack-Retry-Num"), r.Header.Get("X-Slack-Retry-Reason")
					if n == 1 && num+reason != "" || n > 1 && (num != string(rune('0'+n-1)) || reason != row.reason) {
						t.Errorf("attempt %d is retry %q because of %q", n, num, reason)
					}
					row.answer(w)
				}
				check(t, l.Type("ana", incident, "@ferry status"))
				pass(time.Hour)
				var want []time.Duration
				total := time.Duration(0)
				for _, wait := range row.waits {
					total += wait
					want = append(want, total)
				}
				if !slices.Equal(at, want) || a.hits != len(want) {
					t.Errorf("%d attempts after %v, want %v", a.hits, at, want)
				}
				if p := a.posts()[0]; p.path != "/events" || p.kind != "application/json" || !strings.Contains(p.body, `"app_mention"`) {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

func TestChallenge(t *testing.T) {
	for body, good := range map[string]bool{"plain": true, "json": true, "no": false} {
		posted(t, func(l *lab, a *backend) {
			a.answer = func(w http.ResponseWriter, _ *http.Request, n int) {
				_, challenge, _ := strings.Cut(a.posts()[n-1].body, `"challenge":"`)
				challenge, _, _ = strings.Cut(challenge, `"`)
				switch body {
				case "plain":
					_, _ = io.WriteString(w, challenge)
				case "json":
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, `{"challenge":"`+challenge+`"}`)
				}
			}
			if err := l.VerifyEvents(); (err == nil) != good {
				t.Errorf("%s: %v", body, err)
			}
		})
	}
}

// Whoever answers a submission closes the form with an empty body; a JSON of another shape is none that Slack takes.
func TestSubmissionOverHTTP(t *testing.T) {
	for body, want := range map[string]string{
		"": "", `{"ok":true}`: "trouble", "ok": "trouble", `{"response_action":"errors","errors":{"note":"Say why."}}`: "Say why.",
	} {
		posted(t, func(l *lab, a *backend) {
			trigger := ""
			a.answer = func(w http.ResponseWriter, _ *http.Request, n int) {
				p := a.posts()[n-1]
				form, _ := url.ParseQuery(p.body)
				if p.path == "/commands" {
					trigger = form.Get("trigger_id")
					return
				}
				if p.path != "/interactions" || !strings.Contains(form.Get("payload"), `"view_submission"`) || len(form) != 1 {
					t.Errorf("%+v", p)
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, body)
			}
			check(t, l.Type("ana", incident, "/failover vm-x"))
			synctest.Wait()
			note := slack.NewInputBlock("note", slack.NewTextBlockObject(slack.PlainTextType, "Note", false, false), nil, slack.NewPlainTextInputBlockElement(nil, "text"))
			note.Optional = true
			_, err := l.api.OpenViewContext(a.t.Context(), trigger, slack.ModalViewRequest{
				Type: slack.VTModal, Title: slack.NewTextBlockObject(slack.PlainTextType, "Form", false, false),
				Submit: slack.NewTextBlockObject(slack.PlainTextType, "Send", false, false), Blocks: slack.Blocks{BlockSet: []slack.Block{note}},
			})
			check(t, err)
			check(t, l.Submit("ana"))
			synctest.Wait()
			m, open := l.Modal("ana")
			if text := strings.Join(l.RenderModal(m), "\n"); open != (want != "") || !strings.Contains(text, want) {
				t.Errorf("%q: open %v\n%s", body, open, text)
			}
		})
	}
}

func TestOptionsHaveAURLOfTheirOwn(t *testing.T) {
	posted(t, func(l *lab, a *backend) {
		a.answer = func(w http.ResponseWriter, r *http.Request, _ int) {
			if r.URL.Path == "/options" {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"options":[{"text":{"type":"plain_text","text":"vm-x"},"value":"x"}]}`)
			}
		}
		menu := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, slack.NewTextBlockObject(slack.PlainTextType, "VM", false, false), "vm")
		l.post(a.t, slack.MsgOptionBlocks(slack.NewActionBlock("", menu)))
		check(t, l.Choose("ana", incident, "VM", "vm-x"))
		synctest.Wait()
		if p := a.posts(); len(p) != 2 || p[0].path != "/options" || p[1].path != "/interactions" {
			t.Errorf("requests: %+v", p)
		}
	})
}

func TestFaultsOfRequests(t *testing.T) {
	posted(t, func(l *lab, a *backend) {
		l.FaultRequests(workspace.RequestFault{Forge: true}, 1)
		l.FaultRequests(workspace.RequestFault{Age: 6 * time.Minute}, 1)
		l.FaultRequests(workspace.RequestFault{Age: -6 * time.Minute}, 1)
		for range 3 {
			check(t, l.Type("ana", incident, "/failover vm-x"))
			synctest.Wait()
			if _, text := l.newest(t, "U0ANA"); !strings.Contains(text, "dispatch_failed") {
				t.Errorf("ana sees %q", text)
			}
		}
		if n := len(a.posts()); n != 0 {
			t.Errorf("%d requests pass as signed", n)
		}
		l.FaultRequests(workspace.RequestFault{LoseAnswer: true}, 1)
		l.FaultRequests(workspace.RequestFault{Delay: 4 * time.Second}, 1)
		for n := range 2 {
			check(t, l.Type("ana", incident, "/failover vm-x"))
			pass(5 * time.Second)
			if _, text := l.newest(t, "U0ANA"); !strings.Contains(text, "operation_timeout") || len(a.posts()) != n+1 {
				t.Errorf("ana sees %q, and %d requests came", text, len(a.posts()))
			}
		}
		l.Duplicate(2)
		check(t, l.Type("ana", incident, "/failover vm-x"))
		synctest.Wait()
		p := a.posts()
		if len(p) != 5 || p[2].body != p[3].body || p[3].header.Get("X-Slack-Signature") != p[4].header.Get("X-Slack-Signature") {
			t.Errorf("%d requests", len(p))
		}
		sent := l.Requests()
		if r := l.Send(sent[len(sent)-1]); r.Status != http.StatusOK || len(a.posts()) != 6 || len(l.Requests()) != len(sent)+1 {
			t.Errorf("sent again: %+v", r)
		}
	})
}

func TestOutageOverHTTP(t *testing.T) {
	posted(t, func(l *lab, a *backend) {
		l.Outage(time.Minute)
		if err := l.Type("ana", incident, "/failover vm-x"); !errors.Is(err, workspace.ErrDispatchFailed) || len(a.posts()) != 0 {
			t.Errorf("%v, %d requests", err, len(a.posts()))
		}
		pass(time.Minute)
		check(t, l.Type("ana", incident, "/failover vm-x"))
	})
}
