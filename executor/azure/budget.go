package azure

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"ferry/failover"
)

const (
	// headroom is how many requests are sent to a subscription before its first answer has told what is left: another program
	// may have spent it.
	headroom = 20
	// reserve is the share of a bucket that is left to others: two programs that race for the last request both hear 429.
	reserve = 0.05
	// measureFor is how long it is watched how fast a bucket refills, with what others spend taken off; slowest is the share of
	// what is documented that is hoped for at least.
	measureFor, slowest = 5 * time.Second, 0.1
	// accuracy is the share of the rate that a measurement may be wrong by, because answers overtake each other.
	accuracy = 0.2
	// closedFor is how long nothing is sent after a 429 that does not say.
	closedFor = time.Second
)

// documented are size and refill of the buckets that Azure keeps for each subscription, principal and kind of request since
// 2024. Some subscriptions were recorded with 1100 reads and 800 writes, so they are where the learning begins, no more.
func documented(kind string) (size, perSecond float64) {
	if kind == "reads" {
		return 250, 25
	}
	return 200, 10
}

// budgets keeps the requests of a site, which has one principal, within what Azure takes from it. Kinds are apart, here as
// there, so that a write never waits for reads. Budgets are safe for concurrent use.
type budgets struct {
	mu sync.Mutex
	of map[budgetKey]*budget
}

type budgetKey struct{ subscription, kind string }

// Do implements [policy.Policy], around all tries of one request: a try too many shows in what the answer says is left.
func (b *budgets) Do(r *policy.Request) (*http.Response, error) {
	mine := b.budget(keyOf(r.Raw()))
	t, err := mine.take(r.Raw().Context())
	if err != nil {
		return nil, err
	}
	answer, err := r.Next()
	if after := closes(r.Raw().URL.Path, answer); after > 0 {
		mine.close(after, time.Now())
	} else {
		mine.learn(t, answer, time.Now())
	}
	return answer, err
}

func keyOf(r *http.Request) budgetKey {
	key := budgetKey{subscription: strings.ToLower(parseID(r.URL.Path).SubscriptionID), kind: "writes"}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		key.kind = "reads"
	case http.MethodDelete:
		key.kind = "deletes"
	}
	return key
}

func (b *budgets) budget(key budgetKey) *budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.of[key]
	if one == nil {
		size, perSecond := documented(key.kind)
		one = &budget{key: key, turn: make(chan struct{}, 1), tokens: headroom, size: size, perSecond: perSecond, at: time.Now()}
		b.of[key] = one
	}
	return one
}

// Budgets tells what is left in each subscription to which something was sent, as far as Azure's answers tell.
func (s *Site) Budgets() []failover.Budget {
	s.budgets.mu.Lock()
	defer s.budgets.mu.Unlock()
	var all []failover.Budget
	for _, one := range s.budgets.of {
		all = append(all, one.snapshot(time.Now()))
	}
	slices.SortFunc(all, func(x, y failover.Budget) int {
		return cmp.Or(cmp.Compare(x.Subscription, y.Subscription), cmp.Compare(x.Kind, y.Kind))
	})
	return all
}

// budget is a bucket as it is known here: other programs spend from the same one.
type budget struct {
	key  budgetKey
	turn chan struct{} // full while somebody waits for the next token; who comes later waits for the turn, in order

	mu              sync.Mutex
	size, perSecond float64
	tokens          float64
	at              time.Time // of tokens; in the future while it is closed
	heard           bool      // an answer has told what is left
	waiting         int
	sent, flying    int // requests, ever and now
	mark            mark
}

// mark is what was left when so many requests had been sent, since when the bucket was never full. The zero mark is none.
type mark struct {
	at           time.Time
	sent         int
	left, unsure float64 // unsure is how many others may or may not be counted in what was left
}

// ticket is what was known when a request was sent.
type ticket struct {
	at     time.Time
	sent   int
	flying int  // others
	full   bool // the bucket was, and nothing was on its way
}

// overspent is the error of a request that was not sent, because it would have waited too long.
type overspent struct {
	key   budgetKey
	after time.Duration
}

// Error implements error.
func (o *overspent) Error() string {
	return fmt.Sprintf("Azure takes no more %s in the subscription %s for now", o.key.kind, o.key.subscription)
}

// NonRetriable is the mark that the SDK's retry policy looks for.
func (*overspent) NonRetriable() {}

func (o *overspent) siteError() *failover.SiteError {
	return &failover.SiteError{Kind: failover.Retry, After: o.after, Fault: failover.Fault{Code: "Paced", Message: o.Error() + "."}}
}

// take waits for a token, at most half of the time that the call has left: the other half is for its answer.
func (b *budget) take(ctx context.Context) (ticket, error) {
	now := time.Now()
	t, wait := b.draw(now, true)
	if wait == 0 {
		return t, nil
	}
	defer b.leave()
	until := now.Add(beginTimeout / 2)
	if deadline, ok := ctx.Deadline(); ok && deadline.Sub(now) < beginTimeout {
		until = now.Add(deadline.Sub(now) / 2)
	}
	if now.Add(wait).After(until) {
		return t, &overspent{b.key, wait}
	}
	limited, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-limited.Done():
		return t, cmp.Or(ctx.Err(), error(&overspent{b.key, wait}))
	}
	for ctx.Err() == nil {
		now = time.Now()
		if t, wait = b.draw(now, false); wait == 0 {
			return t, nil
		}
		if now.Add(wait).After(until) {
			return t, &overspent{b.key, wait}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	return t, ctx.Err()
}

// draw takes a token, or says how long it takes to get one. Who has just come waits behind those who do.
func (b *budget) draw(now time.Time, came bool) (ticket, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(now)
	before := 0
	if came {
		before = b.waiting
	}
	if missing := float64(before+1) - b.tokens; missing > 0 || now.Before(b.at) {
		if came {
			b.waiting++
		}
		if came && !b.heard { // the first answer will tell of more
			missing -= b.size - headroom
		}
		wait := time.Duration(max(0, missing) / b.perSecond * float64(time.Second))
		return ticket{}, max(0, b.at.Sub(now)) + wait + time.Millisecond
	}
	if b.tokens >= b.size {
		b.mark = mark{}
	}
	t := ticket{at: now, sent: b.sent, flying: b.flying, full: b.flying == 0 && b.tokens >= b.size}
	b.tokens--
	b.sent++
	b.flying++
	return t, 0
}

func (b *budget) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting--
}

func (b *budget) fill(now time.Time) {
	if now.After(b.at) {
		b.tokens = min(b.size, b.tokens+now.Sub(b.at).Seconds()*b.perSecond)
		b.at = now
	}
}

// learn takes what an answer tells. It was true when Azure had the request: others on their way may or may not be counted
// in it, so that what is known moves no further than that leaves open.
func (b *budget) learn(t ticket, answer *http.Response, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flying--
	if answer == nil {
		return
	}
	left, told := remaining(answer.Header, b.key.kind)
	if !told || now.Before(b.at) {
		return
	}
	b.fill(now)
	b.heard = true
	unsure := float64(t.flying + b.sent - t.sent - 1)
	if left+1 > b.size || t.full && unsure == 0 {
		b.size = left + 1
	}
	b.measure(mark{t.at, t.sent, left, unsure})
	left -= reserve * b.size
	b.tokens = max(b.tokens, left-unsure)
	b.tokens = min(b.tokens, left+now.Sub(t.at).Seconds()*b.perSecond)
}

// measure compares what is left with what was and was sent since, where that tells enough: after a burst nobody knows which of many
// requests are counted in what is left. Half of what it finds counts.
func (b *budget) measure(now mark) {
	took := now.at.Sub(b.mark.at)
	switch wrong := (now.unsure + b.mark.unsure) / took.Seconds(); {
	case now.left+1 >= (1-reserve)*b.size: // what a full bucket would have got does not show
		b.mark = mark{}
		return
	case b.mark.at.IsZero():
	case took < measureFor || wrong > accuracy*b.perSecond:
		if now.unsure >= b.mark.unsure {
			return
		}
	default:
		found := (now.left - b.mark.left + float64(now.sent-b.mark.sent)) / took.Seconds()
		_, usual := documented(b.key.kind)
		b.perSecond = max((b.perSecond+found)/2, slowest*usual)
	}
	b.mark = now
}

// closes is for how long an answer says that Azure takes no more. A provider's own 429 counts when it is Site Recovery: of
// others, Ferry reads a little.
func closes(path string, answer *http.Response) time.Duration {
	if answer == nil || answer.StatusCode != http.StatusTooManyRequests {
		return 0
	}
	body, _ := runtime.Payload(answer) // kept for who reads it next
	if parseID(path).Name == "" && !strings.Contains(string(body), "RequestsThrottled") {
		return 0
	}
	return cmp.Or(retryAfter(answer.Header), closedFor)
}

// close keeps everything back for a while. Then one request finds out what is left.
func (b *budget) close(after time.Duration, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flying--
	b.heard = true
	if until := now.Add(after); until.After(b.at) {
		b.at, b.tokens = until, 1
	}
}

// remaining is the smaller of what is left to this principal and to all of the subscription.
func remaining(h http.Header, kind string) (float64, bool) {
	least, told := math.Inf(1), false
	for _, name := range []string{"X-Ms-Ratelimit-Remaining-Subscription-", "X-Ms-Ratelimit-Remaining-Subscription-Global-"} {
		if n, err := strconv.Atoi(h.Get(name + kind)); err == nil && n >= 0 {
			least, told = min(least, float64(n)), true
		}
	}
	return least, told
}

func (b *budget) snapshot(now time.Time) failover.Budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(now)
	s := failover.Budget{
		Subscription: b.key.subscription, Kind: b.key.kind, Left: max(0, b.tokens), Size: b.size, PerSecond: b.perSecond,
		Closed: max(0, b.at.Sub(now)), Waiting: b.waiting,
	}
	if !b.heard && s.Closed == 0 {
		s.Left = b.size // as documented
	}
	return s
}
