package workspace

import (
	"slices"
	"time"
)

// failure is one answer that a Web API method will not give.
type failure struct {
	method string
	status int // 0: carried out, and the connection closed without an answer
}

// Outage takes Slack away for d: sockets are dropped, and the Web API, Socket Mode and response URLs answer 503.
func (w *Workspace) Outage(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outageUntil = time.Now().Add(d)
	w.dropSockets()
}

// FailNext makes the next calls of a Web API method, as many as times says, answer an HTTP status and do nothing.
// A 429 says Retry-After 1.
func (w *Workspace) FailNext(method string, status, times int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, slices.Repeat([]failure{{method, status}}, times)...)
}

// LoseAnswer makes the next calls of a Web API method, as many as times says, take effect and then break the connection:
// the caller cannot know whether its message is there.
func (w *Workspace) LoseAnswer(method string, times int) {
	w.FailNext(method, 0, times)
}

// nextFailure takes the oldest failure meant for method.
func (w *Workspace) nextFailure(method string) (failure, bool) {
	i := slices.IndexFunc(w.failures, func(f failure) bool { return f.method == method })
	if i < 0 {
		return failure{}, false
	}
	f := w.failures[i]
	w.failures = slices.Delete(w.failures, i, i+1)
	return f, true
}

// Duplicate makes the next slash command or click reach the bot n more times, each with an envelope_id of its own and the
// same trigger_id, as Socket Mode's at-least-once delivery may.
func (w *Workspace) Duplicate(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.extra = n
}
