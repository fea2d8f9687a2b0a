package azure

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"ferry/failover"
)

const (
	// tripAfter failures in a row the breaker opens: one alone is everyday life.
	tripAfter = 5
	// firstPause and lastPause bound the time between two probes of a vault that does not answer.
	firstPause = 5 * time.Second
	lastPause  = time.Minute
	// spread is the distance at which those who were kept back come again: all at once would bring Azure down anew.
	spread = 50 * time.Millisecond
)

// breaker keeps the requests of all drivers to one vault back while Azure does not answer there, but for one read at a time
// that finds out whether it does again. A write is never the probe. Nothing is abandoned: who is kept back is told when to
// come again. A breaker is safe for concurrent use.
type breaker struct {
	vault string
	log   *slog.Logger

	mu      sync.Mutex
	failed  int       // in a row
	since   time.Time // of the first of them
	last    closed    // what the newest failure was
	next    time.Time // when a probe may go
	pause   time.Duration
	probing bool
	kept    int // requests kept back since the last probe

	tries      runtime.Pipeline // from the breaker on, for reads
	answered   time.Time        // when a try of a read was, last
	troubled   time.Time        // when one failed, last
	unanswered int              // tries that failed since one was answered
	insisting  chan struct{}    // full while as many reads insist as may
}

func newBreaker(vault string, log *slog.Logger, tries runtime.Pipeline) *breaker {
	return &breaker{vault: vault, log: log, tries: tries, insisting: make(chan struct{}, insistMost)}
}

// closed is the error of a request that was not sent, because Azure does not answer.
type closed struct {
	after  time.Duration // until it is worth coming again
	silent time.Duration // since the first failure
	status int           // of the newest answer; 0 is none at all
	token  *tokenError   // the identity service is what fails
}

// Error implements error.
func (c *closed) Error() string { return "Azure does not answer" }

// NonRetriable is the mark that the SDK's retry policy looks for.
func (*closed) NonRetriable() {}

// Do implements [policy.Policy], around all tries of one request.
func (b *breaker) Do(r *policy.Request) (*http.Response, error) {
	read := r.Raw().Method == http.MethodGet
	if err := b.admit(read, time.Now()); err != nil {
		return nil, err
	}
	send := r.Next
	if read {
		send = func() (*http.Response, error) { return b.insist(r) }
	}
	answer, err := send()
	b.learn(r.Raw().Context(), answer, err, time.Now())
	return answer, err
}

func (b *breaker) admit(read bool, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed < tripAfter {
		return nil
	}
	if read && !b.probing && !now.Before(b.next) {
		b.probing, b.kept = true, 0
		return nil
	}
	b.kept++
	refused := b.last
	refused.silent = now.Sub(b.since)
	refused.after = max(b.next.Sub(now), time.Second) + min(time.Duration(b.kept)*spread, lastPause)
	return &refused
}

// learn counts failures of Azure as a whole: what it refuses to one caller is an answer.
func (b *breaker) learn(ctx context.Context, answer *http.Response, err error, now time.Time) {
	token, _ := errors.AsType[*tokenError](err)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	if saysNothing(ctx, err) {
		return
	}
	if err == nil && answer.StatusCode < 500 && answer.StatusCode != http.StatusRequestTimeout && answer.StatusCode != http.StatusUnauthorized {
		if b.failed >= tripAfter {
			b.log.InfoContext(ctx, "Azure answers again", slog.String("vault", b.vault), slog.Duration("after", now.Sub(b.since)))
		}
		b.failed, b.pause, b.since = 0, 0, time.Time{}
		return
	}
	if b.failed++; b.failed == 1 {
		b.since = now
	}
	b.last = closed{token: token}
	asked := time.Duration(0)
	if err == nil {
		b.last.status, asked = answer.StatusCode, retryAfter(answer.Header)
	}
	if b.failed < tripAfter || now.Before(b.next) {
		return
	}
	if b.pause == 0 {
		b.log.WarnContext(ctx, "Azure does not answer: requests are kept back, but for a probe now and then", slog.String("vault", b.vault), slog.String("last", b.last.reason()))
	}
	b.pause = min(max(2*b.pause, firstPause), lastPause)
	b.next = now.Add(max(b.pause, asked))
}

// saysNothing reports whether an error is Ferry's own, and tells nothing about Azure.
func saysNothing(ctx context.Context, err error) bool {
	_, foreign := errors.AsType[*foreignHostError](err)
	_, unsent := errors.AsType[*overspent](err)
	return foreign || unsent || errors.Is(ctx.Err(), context.Canceled)
}

func (c *closed) reason() string {
	switch {
	case c.token != nil:
		return c.token.fault().Message
	case c.status != 0:
		return fmt.Sprintf("HTTP %d %s", c.status, http.StatusText(c.status))
	}
	return "no answer in time"
}

// siteError says when to come again, and since when Azure does not answer, or does not let Ferry in.
func (c *closed) siteError(o operation) *failover.SiteError {
	e := &failover.SiteError{Kind: failover.Retry, After: c.after, Silent: c.silent}
	switch {
	case c.token != nil:
		e.Fault = c.token.fault()
	case c.status == http.StatusUnauthorized:
		e.Fault = failover.Fault{Code: "401", Message: c.reason(), Action: o.action(c.status, "")}
	default:
		e.Fault = failover.Fault{Code: "NoAnswer", Message: "Azure does not answer (" + c.reason() + ")"}
	}
	return e
}
