package vault

import (
	"cmp"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Bucket limits the requests of one principal to one subscription, of one kind. It is full at first, each request takes one
// token, and it refills steadily. The subscription as a whole has a bucket 15 times as large for all principals together.
type Bucket struct {
	Size      float64
	PerSecond float64 // tokens in a simulated second, so that a world at speed 60 bears 60 times the requests
}

// Buckets are the limits by kind of request; a POST is a write. A zero field is as Azure documents it since 2024: 250 reads
// and 25 a second, 200 writes or deletes and 10 a second.
type Buckets struct{ Reads, Writes, Deletes Bucket }

// globalFactor is documented, and agrees with a recorded pair of headers.
const globalFactor = 15

func (b Buckets) withDefaults() Buckets {
	fill := func(b *Bucket, size, perSecond float64) {
		b.Size, b.PerSecond = cmp.Or(b.Size, size), cmp.Or(b.PerSecond, perSecond)
	}
	fill(&b.Reads, 250, 25)
	fill(&b.Writes, 200, 10)
	fill(&b.Deletes, 200, 10)
	return b
}

func (b Buckets) of(kind string) Bucket {
	switch kind {
	case "write":
		return b.Writes
	case "delete":
		return b.Deletes
	default:
		return b.Reads
	}
}

func (b Bucket) times(factor float64) Bucket { return Bucket{b.Size * factor, b.PerSecond * factor} }

// bucketKey names a bucket; without an actor it is the subscription's.
type bucketKey struct{ subscription, actor, kind string }

// level is how full a bucket was at a moment of the machine's clock. Simulated time would not do: it stands still in a pause,
// while clients go on asking at the pace that they were told.
type level struct {
	tokens float64
	at     time.Time
}

// kind is what the resource manager counts the call as.
func (c *call) kind() string {
	switch c.request.Method {
	case http.MethodGet, http.MethodHead:
		return "read"
	case http.MethodDelete:
		return "delete"
	default:
		return "write"
	}
}

// fill brings a bucket up to now.
func (h *host) fill(key bucketKey, b Bucket) *level {
	now := wallNow()
	l, known := h.levels[key]
	if !known {
		l = &level{tokens: b.Size}
		h.levels[key] = l
	} else {
		l.tokens = min(b.Size, l.tokens+b.PerSecond*h.clock.speed()*max(0, now.Sub(l.at).Seconds()))
	}
	l.at = now
	return l
}

// bucketsOf returns the principal's bucket and the subscription's.
func (v *Vault) bucketsOf(c *call) (own, all *level, limit Bucket) {
	limit = v.options.Buckets.of(c.kind())
	key := bucketKey{strings.ToLower(v.options.SubscriptionID), c.actor, c.kind()}
	own = v.fill(key, limit)
	key.actor = ""
	return own, v.fill(key, limit.times(globalFactor)), limit
}

// spend takes the call's token, or refuses it with the documented answer. A refused call costs nothing (guessed).
func (v *Vault) spend(c *call) (r reply, refused bool) {
	own, all, limit := v.bucketsOf(c)
	if own.tokens >= 1 && all.tokens >= 1 {
		own.tokens--
		all.tokens--
		return reply{}, false
	}
	missing := max((1-own.tokens)/limit.PerSecond, (1-all.tokens)/limit.times(globalFactor).PerSecond)
	return v.throttled(c, Fault{RetryAfter: time.Duration(math.Ceil(missing)) * time.Second}), true
}

// remainingHeaders tell a client how far it may go. Those of the subscription were recorded for reads and writes; the name for
// deletes is guessed.
func (v *Vault) remainingHeaders(c *call, h http.Header) {
	own, all, _ := v.bucketsOf(c)
	kind := map[string]string{"read": "Reads", "write": "Writes", "delete": "Deletes"}[c.kind()]
	whole := func(tokens float64) string { return strconv.Itoa(int(tokens)) }
	h.Set("X-Ms-Ratelimit-Remaining-Subscription-"+kind, whole(own.tokens))
	h.Set("X-Ms-Ratelimit-Remaining-Subscription-Global-"+kind, whole(all.tokens))
}
