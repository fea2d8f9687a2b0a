// Package confidential knows by its looks what the stand-ins hand out in confidence: tokens, signing secrets, response URLs,
// tickets and signed URLs. None of it may be logged, shown or stored by whoever is given it, which tests check with [Leak].
//
// It refuses to know who leaks, and where. Everything is safe for concurrent use.
package confidential

import (
	"io"
	"regexp"
	"strings"
)

// pattern is written for stand-ins whose secrets have their default values, or begin with "canary-".
const pattern = `xoxb-[a-z]+|xapp-[a-z]+|canary-[a-z-]+` + // tokens; signing secrets and the identity's header, where a test sets them
	`|/(?:commands|actions)/T[A-Z0-9]+/[0-9a-f-]{36}` + // response_url
	`|v0=[0-9a-f]{64}` + // signature of a request
	`|ticket=[0-9a-f-]{36}` + // of a Socket Mode connection
	`|aHR0cHM6Ly9t[\w-]{20,}` + // access tokens for the resource manager
	`|MIIHpTCC|[?&][sh]=[\w-]{40,}` + // certificate and signatures of poll URLs
	`|\bS[UAO][A-Z2-7]{56}\b` // seeds of NATS identities

// Leak is the first secret in a text; empty when there is none.
func Leak(text []byte) string { return string(regexp.MustCompile(pattern).Find(text)) }

// Ear passes on what is written to it, and tells of each write with a secret. One that is cut by two writes is not recognised.
type Ear struct {
	to      io.Writer
	tell    func(secret, text string)
	pattern *regexp.Regexp
}

// Listen returns an ear that passes on to a writer.
func Listen(to io.Writer, tell func(secret, text string)) *Ear {
	return &Ear{to, tell, regexp.MustCompile(pattern)}
}

// Write implements [io.Writer].
func (e *Ear) Write(text []byte) (int, error) {
	if found := e.pattern.Find(text); found != nil {
		e.tell(string(found), strings.TrimSpace(string(text)))
	}
	return e.to.Write(text)
}
