package workspace

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// policy lets the page load its own files and nothing else, and nobody put it into a frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// sealed sets the headers of everything that belongs to the page.
func sealed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		header := rw.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store") // the next binary has other files at the same address
		h.ServeHTTP(rw, r)
	})
}

var errHost = errors.New("this host is not served here: open the page under the address that was printed")

// foreign says why a request must come from a web page of somebody else. Tokens do not help against that: those of the
// workspace are no secret. Bots send none of the headers that browsers do.
func (w *Workspace) foreign(r *http.Request) error {
	if !w.answersTo(r.Host) {
		return errHost // a name that somebody else made point to this machine
	}
	return w.origin.Check(r)
}

// answersTo accepts every name of this machine's loopback, and the host of the base URL.
func (w *Workspace) answersTo(hostport string) bool {
	w.mu.Lock()
	base := w.baseURL
	w.mu.Unlock()
	if u, err := url.Parse(base); err == nil && strings.EqualFold(u.Host, hostport) {
		return true
	}
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
