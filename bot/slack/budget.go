package slack

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"
	"golang.org/x/time/rate"
)

// cardEvery is the least time between two edits of one card: faster, nobody reads it.
const cardEvery = time.Second

// fleetEvery is the same of an operation on several VMs while it runs: its numbers change all the time, and all operations of a
// workspace share 50 edits a minute.
const fleetEvery = 3 * time.Second

// allowance is how often one app may call a method in one workspace. Slack publishes the rate ("tiers 2 to 4"), not the burst
// that it tolerates: a fifth of a minute's calls is inferred. A posting is counted by channel; Ferry posts into one.
type allowance struct{ perMinute, burst int }

func tier(perMinute int) allowance { return allowance{perMinute, perMinute / 5} }

// allowanceOf knows every method that this package calls; any other gets little. The SDK has a back-off of its own for
// the opening of connections, and it must not wait for others.
func allowanceOf(method string) allowance {
	switch method {
	case "chat.postMessage":
		return allowance{60, 2}
	case "chat.update", "conversations.info", "conversations.history", "conversations.replies":
		return tier(50)
	case "chat.postEphemeral", "users.info", "views.open", "views.push", "views.update", "views.publish", "files.getUploadURLExternal", "files.completeUploadExternal":
		return tier(100)
	case "auth.test", "chat.getPermalink":
		return tier(600)
	case "apps.connections.open":
		return allowance{}
	}
	return tier(20)
}

// budget is the way of all calls to the Web API, so that no call can forget what Slack allows: it keeps to the rate of each
// method, and obeys a Retry-After for all callers of it. A call that would have to wait for longer than its caller does is
// not made, and fails as one that Slack has limited. It may be used from any goroutine.
type budget struct {
	next http.RoundTripper
	base string // of the Web API

	mu      sync.Mutex
	methods map[string]*quota
}

func newBudget(next http.RoundTripper, base string) *budget {
	if next == nil {
		next = http.DefaultTransport
	}
	return &budget{next: next, base: base, methods: map[string]*quota{}}
}

// RoundTrip makes a call when there is room for it. What does not go to the Web API passes.
func (b *budget) RoundTrip(r *http.Request) (*http.Response, error) {
	method, isCall := strings.CutPrefix(r.URL.Scheme+"://"+r.URL.Host+r.URL.Path, b.base)
	if !isCall {
		return b.next.RoundTrip(r)
	}
	q := b.of(method)
	if err := q.wait(r.Context()); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as every RoundTripper has to
		}
		return nil, err
	}
	answer, err := b.next.RoundTrip(r)
	if err == nil && answer.StatusCode == http.StatusTooManyRequests {
		if seconds, wrong := strconv.Atoi(answer.Header.Get("Retry-After")); wrong == nil {
			q.pause(time.Now().Add(time.Duration(seconds) * time.Second))
		}
	}
	return answer, err
}

// of is the quota of a method.
func (b *budget) of(method string) *quota {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.methods[method]
	if q == nil {
		q = &quota{allowance: allowanceOf(method)}
		q.limiter = q.full()
		b.methods[method] = q
	}
	return q
}

// quota is what may be called now, of one method.
type quota struct {
	allowance

	mu      sync.Mutex
	limiter *rate.Limiter
	paused  time.Time // Slack said: not before
}

func (q *quota) full() *rate.Limiter {
	if q.perMinute == 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(float64(q.perMinute)/60), q.burst)
}

// at is the earliest time of the next call, now or later.
func (q *quota) at(now time.Time) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.earliest(now, 0)
}

// earliest is when a call can be made and so many more. It is called with the lock held.
func (q *quota) earliest(now time.Time, more int) time.Time {
	at := now
	if q.paused.After(at) {
		at = q.paused
	}
	if missing := float64(1+more) - q.limiter.TokensAt(at); missing > 0 && q.limiter.Limit() != rate.Inf {
		at = at.Add(time.Duration(missing / float64(q.limiter.Limit()) * float64(time.Second))).Add(time.Millisecond) // rounded up
	}
	return at
}

// wait takes one call off as soon as there is room. A call for which nobody waits leaves half of the burst to the others, so
// that they never stand behind it.
func (q *quota) wait(ctx context.Context) error {
	more := 0
	if isIdle(ctx) {
		more = q.burst / 2
	}
	for {
		now := time.Now()
		at, taken := q.take(now, more)
		if taken {
			return nil
		}
		deadline, bounded := ctx.Deadline()
		if bounded && at.After(deadline) {
			return &slackapi.RateLimitedError{RetryAfter: at.Sub(now)}
		}
		if pause(ctx, at.Sub(now)); over(ctx) {
			return &slackapi.RateLimitedError{RetryAfter: time.Until(at)}
		}
	}
}

func (q *quota) take(now time.Time, more int) (at time.Time, taken bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if at = q.earliest(now, more); at.After(now) {
		return at, false
	}
	return at, q.limiter.AllowN(now, 1)
}

// pause obeys a Retry-After. Slack's own bucket is empty then, so that the calls after it come one by one.
func (q *quota) pause(until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !until.After(q.paused) {
		return
	}
	q.paused, q.limiter = until, q.full()
	if q.burst > 0 {
		q.limiter.ReserveN(until, q.burst-1)
	}
}

// idle marks calls for whose answer nobody waits.
func idle(ctx context.Context) context.Context { return context.WithValue(ctx, idleKey{}, true) }

func isIdle(ctx context.Context) bool { return ctx.Value(idleKey{}) != nil }

type idleKey struct{}
