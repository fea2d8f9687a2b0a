package workspace

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

// Page is what the page at "/" knows beside what is on the wire. The zero value is a page with the channel alone.
//
// The page is a client of the workspace like any other: it shows the Block Kit JSON that the bot sent, and what people do
// on it goes through [Workspace.Type] and [Workspace.Press].
type Page struct {
	Verbs    []Verb   // of the slash command, for completion
	Groups   []string // names of groups, completed behind the word group
	Hints    []Hint   // a first run in steps
	Terminal []string // command lines that reach the same bot from a terminal
	// World serves what stands beside the channel, under /world/ and without that prefix: GET states, a stream of events
	// that the page gets along with those of the channel; POST portal, fault, clear, clock and source. Nil for nothing. It is
	// reached by the page only.
	World http.Handler
}

// Verb is one way to go on after the slash command.
type Verb struct {
	Name string `json:"name"`
	// Args names the positional arguments, such as "VM... [POINT]" or "VM|group NAME": the page completes VM from the world, OP
	// from what the channel shows, POINT from a fixed list; VM... are one or more.
	Args    string   `json:"args"`
	Summary string   `json:"summary"`
	Flags   []string `json:"flags"` // with their dashes
}

// Hint is one step of the first run.
type Hint struct {
	Text string `json:"text"`
	Type string `json:"type"` // what one click on the hint puts into the composer, if anything
	As   string `json:"as"`   // the id of the person that one click on the hint becomes, if anybody
	// Until are texts of messages: with one of them in the channel this step is done, and so are those before it. A step
	// without any is done as soon as its person acts.
	Until []string `json:"until"`
}

//go:embed page
var pageFiles embed.FS

func (w *Workspace) handlePage() {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the name is a constant, and valid
	}
	handle := func(pattern string, h http.Handler) { w.mux.Handle(pattern, sealed(h)) }
	handle("GET /{$}", http.FileServerFS(files))
	handle("GET /page/", http.StripPrefix("/page", http.FileServerFS(files)))
	handle("GET /client/about", http.HandlerFunc(w.serveAbout))
	handle("GET /client/events", http.HandlerFunc(w.serveEvents))
	handle("GET /client/file/{id}", http.HandlerFunc(w.serveFile))
	handle("POST /client/type", http.HandlerFunc(w.serveType))
	handle("POST /client/press", http.HandlerFunc(w.servePress))
	handle("POST /client/shortcut", http.HandlerFunc(w.serveShortcut))
	handle("POST /client/search", http.HandlerFunc(w.serveSearch))
	handle("POST /client/submit", http.HandlerFunc(w.serveSubmit))
	handle("POST /client/dismiss", http.HandlerFunc(w.serveDismiss))
	handle("POST /client/home", http.HandlerFunc(w.serveHome))
	handle("POST /client/outage", http.HandlerFunc(w.serveOutage))
	if world := w.opts.Page.World; world != nil {
		handle("/world/", http.StripPrefix("/world", world))
	}
}

// ofPage reports whether a path belongs to the page, which stays up when the Slack behind it is away.
func ofPage(path string) bool {
	return path == "/" || strings.HasPrefix(path, "/page/") || strings.HasPrefix(path, "/client/") || strings.HasPrefix(path, "/world/")
}
