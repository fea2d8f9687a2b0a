// Package workspace is a stand-in for one Slack workspace with one app in it. A bot that reaches Slack over the Web API,
// Socket Mode or request URLs, and response_url can be pointed at it unchanged. People are played with [Workspace.Type], [Workspace.Reply],
// [Workspace.Click], [Workspace.Choose] and [Workspace.Shortcut]; with a modal in front of them, which [Workspace.Modal] shows, with
// [Workspace.Fill], [Workspace.Search], [Workspace.Submit] and [Workspace.Dismiss]; at the Home tab after
// [Workspace.OpenHome]. What an administrator does is
// [Workspace.SetKind], [Workspace.SetGroup] and [Workspace.Share].
//
// It owns the channel's messages, people's modals and Home tabs, and the rules that Slack puts on them: who sees what, limits, rates,
// deadlines, error strings. It refuses to know the bot: it speaks Slack's wire protocol only and shares no type with its clients, because
// a stand-in that shares their types shares their misunderstandings. What a comment calls documented stands in Slack's
// documentation, recorded was seen on the wire, inferred is neither; docs/simulated-slack.md has the list.
//
// Every exported method may be called from any goroutine. One mutex guards all state and is never held across I/O; all
// waiting goes through channels and package time, so that a workspace works inside a testing/synctest bubble.
// [Workspace.Close] ends every goroutine that the workspace started. Ledgers grow for as long as the workspace lives.
package workspace

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Options says how a workspace looks. The zero value is a complete one: team T0SANDBOX, app A0FERRY, the people ana, ben
// and eve in #incident, and the command /failover.
type Options struct {
	// BaseURL is the absolute http URL under which clients reach the workspace, without a final slash; see
	// [Workspace.SetBaseURL] when the port is known only later.
	BaseURL      string
	TeamID       string
	AppID        string
	BotToken     string // "xoxb-sandbox" when empty
	AppToken     string // "xapp-sandbox" when empty
	SlashCommand string // with its slash
	Shortcuts    []Shortcut
	People       []Person
	Channel      Channel
	Others       []Channel // where people can write besides
	UserGroups   []UserGroup
	// EnterpriseID is the organisation of a workspace in Enterprise Grid; empty: it is a workspace of its own.
	EnterpriseID string
	OrgInstall   bool // the app is installed for the whole organisation
	FreePlan     bool // has no user groups
	NoHome       bool // the app has its Home tab switched off
	// Scopes are of the bot's token; nil: all that the workspace knows. Events are the types that the app subscribes to; nil:
	// all that the workspace sends.
	Scopes, Events []string
	// RequestURLs, when they are given, take the place of Socket Mode.
	RequestURLs RequestURLs
	// NoRateLimits switches HTTP 429 off; everything else stays as strict.
	NoRateLimits bool
	// Page is what the page at "/" shows beside the channel.
	Page Page
}

// Workspace is the stand-in, made by [New]. It is the [http.Handler] of everything that a Slack app talks to.
type Workspace struct {
	opts     Options // not written after New, like the next seven
	people   map[string]Person
	channels map[string]*channel
	methods  map[string]method
	mux      *http.ServeMux
	upgrader websocket.Upgrader
	origin   *http.CrossOriginProtection
	courier  *http.Client   // of requests to the app
	tasks    sync.WaitGroup // added to only under mu while open, so that Close may wait

	mu            sync.Mutex
	closed        bool
	kinds         map[string]Kind // of people who have become somebody else
	groups        []UserGroup
	baseURL       string
	buckets       map[string]*bucket
	calls         []APICall
	hooks         map[string]*hook
	tickets       map[string]bool
	sockets       []*socket        // those that get payloads, oldest first
	open          map[*socket]bool // these and those that were told to go
	turn          int              // of the socket that gets the next payload
	deliveries    map[string]*delivery
	order         []*delivery // the same, as sent
	extra         int         // deliveries of the next payload on top of the first
	outageUntil   time.Time
	failures      []failure
	requests      []Request
	requestFaults []RequestFault
	subscribers   map[*subscriber]bool
	triggers      map[string]*trigger
	uploads       map[string]*upload // by the file's id
	modals        map[string][]*view // the stack of each person, by id, bottom first
	homes         map[string]*view   // the Home tab of each person, by id
	atHome        map[string]bool    // who has it open
	forms         map[formKey]*form  // of messages
	ended         chan struct{}      // closed by Close
}

// New returns an open workspace; an empty field of o takes its default. [Workspace.Close] it.
func New(o Options) *Workspace {
	o = o.withDefaults()
	w := &Workspace{
		opts:        o,
		people:      map[string]Person{},
		channels:    map[string]*channel{o.Channel.ID: {Channel: o.Channel}},
		courier:     newCourier(o.RequestURLs),
		mux:         http.NewServeMux(),
		upgrader:    websocket.Upgrader{CheckOrigin: fromSlackClient},
		origin:      http.NewCrossOriginProtection(),
		baseURL:     o.BaseURL,
		buckets:     map[string]*bucket{},
		hooks:       map[string]*hook{},
		tickets:     map[string]bool{},
		open:        map[*socket]bool{},
		deliveries:  map[string]*delivery{},
		subscribers: map[*subscriber]bool{},
		triggers:    map[string]*trigger{},
		uploads:     map[string]*upload{},
		modals:      map[string][]*view{},
		homes:       map[string]*view{},
		atHome:      map[string]bool{},
		forms:       map[formKey]*form{},
		kinds:       map[string]Kind{},
		groups:      slices.Clone(o.UserGroups),
		ended:       make(chan struct{}),
	}
	for _, p := range append(bots(), o.People...) {
		w.people[p.ID] = p
	}
	for _, c := range o.Others {
		w.channels[c.ID] = &channel{Channel: c}
	}
	w.methods = w.webMethods()
	w.mux.HandleFunc("/api/{method}", w.serveAPI)
	w.mux.HandleFunc("GET /link", w.serveLink)
	w.mux.HandleFunc("POST /commands/{team}/{key}", w.serveResponseURL)
	w.mux.HandleFunc("POST /actions/{team}/{key}", w.serveResponseURL)
	w.mux.HandleFunc("POST /upload/v1/{key}", w.serveUpload)
	w.mux.HandleFunc("POST /app/{team}/{key}", w.serveResponseURL)
	w.handlePage()
	return w
}

func (o Options) withDefaults() Options {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&o.BaseURL, "http://slack.test")
	set(&o.TeamID, "T0SANDBOX")
	set(&o.AppID, "A0FERRY")
	set(&o.BotToken, "xoxb-sandbox")
	set(&o.AppToken, "xapp-sandbox")
	set(&o.SlashCommand, "/failover")
	set(&o.Channel.ID, "C0INCIDENT")
	set(&o.Channel.Name, "incident")
	if o.People == nil {
		o.People = []Person{
			{ID: "U0ANA", Name: "ana", RealName: "Ana Silva"},
			{ID: "U0BEN", Name: "ben", RealName: "Ben Okafor"},
			{ID: "U0EVE", Name: "eve", RealName: "Eve Lind"},
		}
	}
	return o
}

// SetBaseURL changes where clients are sent from now on by the URLs that the workspace hands out (Socket Mode,
// response_url, permalinks): an absolute http URL without a final slash.
func (w *Workspace) SetBaseURL(url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.baseURL = url
}

// ServeHTTP answers 503 to everything but the page while the workspace is closed or in an [Workspace.Outage], and 403 to
// what a foreign web page had a browser send.
func (w *Workspace) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if err := w.foreign(r); err != nil {
		http.Error(rw, err.Error(), http.StatusForbidden)
		return
	}
	if !ofPage(r.URL.Path) && w.down() {
		http.Error(rw, "service unavailable", http.StatusServiceUnavailable)
		return
	}
	w.mux.ServeHTTP(rw, r)
}

func (w *Workspace) down() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed || time.Now().Before(w.outageUntil)
}

// Close drops the sockets, ends the subscriptions and waits until nothing of the workspace runs. Messages and ledgers
// can still be read. A second Close does nothing.
func (w *Workspace) Close() {
	w.mu.Lock()
	if !w.closed {
		close(w.ended)
	}
	w.closed = true
	w.dropSockets()
	for s := range w.subscribers {
		s.cancel()
	}
	for _, d := range w.order {
		d.interaction.deadline.Stop()
	}
	w.mu.Unlock()
	w.tasks.Wait()
	w.courier.CloseIdleConnections()
}
