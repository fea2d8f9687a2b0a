package azure

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// How a read of a vault insists on an answer. Until one succeeds nobody knows what has ended, and reads cost next to nothing: a
// thousand VMs take two in a second. In a brown-out that serves one request in four a read that is sent three times fails often, and
// three in a row have to succeed until the end of a job is known.
const (
	// triesMost bounds the requests of one read while the vault answers others: something within answeredWithin, and less than
	// doubtAfter tries ago, whoever made them. Else it is no brown-out but an outage, which the breaker is for, and triesFew have to do.
	triesMost, triesFew        = 20, 3
	answeredWithin, doubtAfter = time.Minute, 30
	// firstRest and lastRest are between a failure and the next try, give or take a quarter.
	firstRest, lastRest = 300 * time.Millisecond, 600 * time.Millisecond
	// slowAfter is how long a request is waited for before another goes beside it: one that is answered after a minute keeps all
	// waiting who want to know the same. It is hastyAfter while tries fail, within answeredWithin.
	slowAfter, hastyAfter = 3 * time.Second, time.Second
	// abreast bounds the requests of one read at a time, and insistMost the reads of a vault that have more than one under way, or
	// have sent more than triesFew: they spend from the bucket of all.
	abreast, insistMost = 3, 8
)

// insistence is one read that is sent until it is answered, within the time of its context. It belongs to one goroutine.
type insistence struct {
	*breaker
	left, out int  // tries that may be made yet, and those under way
	insists   bool // it is one of insistMost
	rest      time.Duration
	due       time.Time // when the next try is
	held      time.Time // until when Azure asked to wait
}

// outcome is what came of one try.
type outcome struct {
	answer *http.Response
	err    error
}

// insist sends a read. Never a write: of two, both may arrive.
func (b *breaker) insist(r *policy.Request) (*http.Response, error) {
	ctx, giveUp := context.WithCancel(r.Raw().Context())
	defer giveUp() // what is slower than the answer
	i := &insistence{breaker: b, left: triesMost, rest: firstRest, due: time.Now()}
	defer i.leave()
	back := make(chan outcome, triesMost)
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-i.begin():
			if i.begins() {
				go func() {
					answer, err := b.try(r.Raw().Clone(ctx))
					back <- outcome{answer, err}
				}()
			}
		case got := <-back:
			if i.ends(ctx, got) {
				return got.answer, got.err
			}
		}
	}
}

// try sends a request once, through a pipeline of its own: requests of one pipeline that are under way at the same time would share
// what the SDK notes about them. The pipeline has read the body whole when it returns.
//
//bodyclose:handled
func (b *breaker) try(r *http.Request) (*http.Response, error) {
	request, err := runtime.NewRequestFromRequest(r)
	if err != nil {
		return nil, err
	}
	return b.tries.Do(request)
}

// begin is when another try may begin.
func (i *insistence) begin() <-chan time.Time {
	if i.left == 0 || i.out == abreast {
		return nil
	}
	return time.After(time.Until(i.due))
}

// begins counts a try in, unless it would be one too many.
func (i *insistence) begins() bool {
	now := time.Now()
	i.due = now.Add(i.patience(now))
	if i.out > 0 && !i.enter() {
		return false
	}
	i.left, i.out = i.left-1, i.out+1
	return true
}

// enter makes the read one of those that insist, while there is room.
func (i *insistence) enter() bool {
	if !i.insists {
		select {
		case i.insisting <- struct{}{}:
			i.insists = true
		default:
		}
	}
	return i.insists
}

func (i *insistence) leave() {
	if i.insists {
		<-i.insisting
	}
}

// ends takes in what came of a try, and reports whether that is what came of the read.
func (i *insistence) ends(ctx context.Context, got outcome) bool {
	i.out--
	again, now := got.again(), time.Now()
	doubtful := i.doubts(ctx, got, now)
	if !again || triesMost-i.left >= triesFew && (doubtful || !i.enter()) {
		i.left = 0
	}
	if got.err == nil {
		i.held = latest(i.held, now.Add(retryAfter(got.answer.Header)))
	}
	apart := time.Duration(now.UnixNano()) % (i.rest / 2) // the last digits of the time are dice enough
	i.due = latest(i.held, now.Add(i.rest*3/4+apart))
	i.rest = min(2*i.rest, lastRest)
	if end, ok := ctx.Deadline(); ok && i.due.After(end) {
		i.left = 0
	}
	return got.err == nil && !again || i.left == 0 && i.out == 0
}

// again reports whether another try may end differently. 429 is not among them: the executor paces itself by it.
func (o outcome) again() bool {
	if o.err == nil {
		return slices.Contains(readRetries().StatusCodes, o.answer.StatusCode)
	}
	_, final := errors.AsType[interface {
		error
		NonRetriable()
	}](o.err)
	return !final
}

// doubts takes in what came of a try, and reports whether there is reason to take it for an outage.
func (b *breaker) doubts(ctx context.Context, got outcome, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case saysNothing(ctx, got.err):
	case got.err == nil && !got.again():
		b.unanswered, b.answered = 0, now
	default:
		b.unanswered++
		b.troubled = now
	}
	return b.unanswered >= doubtAfter || now.Sub(b.answered) > answeredWithin
}

// patience is how long a try is waited for before another goes beside it.
func (b *breaker) patience(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.troubled) < answeredWithin {
		return hastyAfter
	}
	return slowAfter
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
