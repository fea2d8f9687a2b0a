package slack

import (
	"time"

	"golang.org/x/time/rate"
)

// Slack allows about 50 edits a minute for the whole workspace and one post a second for a channel, and tolerates short
// bursts. The burst of edits lets people see each step of a few operations; a thousand share the steady rate.
const (
	editEvery = 1200 * time.Millisecond
	editBurst = 10
	postEvery = time.Second
	postBurst = 2
	// cardEvery is the least time between two edits of one card: faster, nobody reads it.
	cardEvery = time.Second
)

// quota is what may be called now, for one Slack method. It belongs to the goroutine that draws.
type quota struct {
	limiter *rate.Limiter
	paused  time.Time // Slack said: not before
}

func newQuota(every time.Duration, burst int) *quota {
	return &quota{limiter: rate.NewLimiter(rate.Every(every), burst)}
}

// at is the earliest time of the next call, now or later.
func (q *quota) at(now time.Time) time.Time {
	at := now
	if missing := 1 - q.limiter.TokensAt(now); missing > 0 {
		at = now.Add(time.Duration(missing / float64(q.limiter.Limit()) * float64(time.Second))).Add(time.Millisecond) // rounded up
	}
	if q.paused.After(at) {
		return q.paused
	}
	return at
}

// spend takes one call off.
func (q *quota) spend(now time.Time) { q.limiter.AllowN(now, 1) }

// pause obeys a Retry-After.
func (q *quota) pause(until time.Time) {
	if until.After(q.paused) {
		q.paused = until
	}
}
