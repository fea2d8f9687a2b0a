package workspace

import (
	"net/http"
	"slices"
	"time"
)

// failure is one answer that a Web API method will not give.
type failure struct {
	method string
	status int    // 0: carried out, and the connection closed without an answer
	code   string // Slack's error string, of a call that is refused
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
	w.fault(failure{method: method, status: status}, times)
}

// RefuseNext makes the next calls of a Web API method, as many as times says, answer an error of Slack and do nothing, such as
// token_expired to apps.connections.open.
func (w *Workspace) RefuseNext(method, code string, times int) {
	w.fault(failure{method: method, status: http.StatusOK, code: code}, times)
}

func (w *Workspace) fault(f failure, times int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, slices.Repeat([]failure{f}, times)...)
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

// RequestFault is what goes wrong with a request on its way to the app.
type RequestFault struct {
	Delay      time.Duration // before it gets there; the person does not wait any longer for that
	LoseAnswer bool          // it gets there, and the answer is lost
	Forge      bool          // it is signed with another secret
	Age        time.Duration // it was signed so long before; negative: ahead
}

// FaultRequests does something to the next requests, as many as times says. A later call follows on an earlier one.
func (w *Workspace) FaultRequests(f RequestFault, times int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requestFaults = append(w.requestFaults, slices.Repeat([]RequestFault{f}, times)...)
}

func (w *Workspace) nextRequestFault() RequestFault {
	if len(w.requestFaults) == 0 {
		return RequestFault{}
	}
	f := w.requestFaults[0]
	w.requestFaults = w.requestFaults[1:]
	return f
}

// Duplicate makes the next slash command or click reach the bot n more times: each with an envelope_id of its own and the
// same trigger_id, as Socket Mode's at-least-once delivery may, or as the same request, which a proxy may send again.
func (w *Workspace) Duplicate(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.extra = n
}
