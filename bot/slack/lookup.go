package slack

import (
	"context"
	"maps"
	"sync"
	"time"

	"ferry/failover"
)

const (
	// checkTime is how long after receipt of a request it is asked who gave it. The rest of the time is for storing it.
	checkTime = time.Second
	// freshFor is how long what Slack said is not asked again, unless an event tells of a change.
	freshFor = 5 * time.Minute
	// staleFor is how long it counts while Slack does not answer.
	staleFor = time.Hour
	// failedFor is how long a question that failed is not asked again.
	failedFor = 2 * time.Second
	// renewed is how many are asked about at once without anybody waiting: of the 100 questions that Slack allows a minute, the
	// rest is for those who wait.
	renewed = 20
)

// lookups remembers what Slack says of people, or of channels. Its methods may be called from any goroutine.
type lookups struct {
	read func(ctx context.Context, id string) (failover.Standing, error)
	run  func(func()) // what is still asked when nobody waits any more

	mu    sync.Mutex
	known map[string]*lookup
}

// lookup is what is known of one id. Its fields are guarded by all.mu.
type lookup struct {
	all     *lookups
	wanted  time.Time // when a request made it count last
	said    failover.Standing
	at      time.Time     // of the answer; zero: none yet
	err     error         // of the newest question
	failed  time.Time     // when it failed
	waiting chan struct{} // closed at the answer to the question that is open; nil: none is
}

func newLookups(run func(func()), read func(context.Context, string) (failover.Standing, error)) *lookups {
	return &lookups{read: read, run: run, known: map[string]*lookup{}}
}

// ask makes sure that something is known, or asked for.
func (l *lookups) ask(ctx context.Context, id string) *lookup {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	k := l.known[id]
	if k == nil {
		maps.DeleteFunc(l.known, func(_ string, old *lookup) bool { return old.waiting == nil && now.Sub(old.wanted) > staleFor })
		k = &lookup{all: l}
		l.known[id] = k
	}
	k.wanted = now
	return l.look(ctx, id, k)
}

// look asks unless something fresh is known, or asked for. It holds the lock.
func (l *lookups) look(ctx context.Context, id string, k *lookup) *lookup {
	now := time.Now()
	if k.waiting != nil || k.fresh(now) || now.Sub(k.failed) < failedFor {
		return k
	}
	k.waiting = make(chan struct{})
	l.run(func() { k.learn(ctx, id) })
	return k
}

// forget drops what is known of an id, and reports whether there was anything; a question that is open answers only who has
// asked already.
func (l *lookups) forget(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.known[id]
	if k != nil {
		l.known[id] = &lookup{all: l, wanted: k.wanted}
	}
	return k != nil
}

// finding is what Slack said of somebody, and how long ago.
type finding struct {
	standing failover.Standing
	age      time.Duration
}

func (f finding) bad() bool { return f.standing != "" }

// all gives what Slack says of everybody who was asked about within the last hour; who it says nothing of is left out.
func (l *lookups) all(ctx context.Context) map[string]finding {
	l.mu.Lock()
	asked, open := map[string]*lookup{}, 0
	for id, k := range l.known {
		if time.Since(k.wanted) > staleFor {
			continue
		}
		asked[id] = k
		if open < renewed && !k.fresh(time.Now()) && time.Since(k.failed) >= freshFor { // nobody waits for it
			l.look(idle(ctx), id, k)
			open++
		}
	}
	l.mu.Unlock()
	said, until := map[string]finding{}, time.Now().Add(callTimeout)
	for id, k := range asked {
		if found, _ := k.answer(ctx, until); found != failover.StandingUnchecked {
			said[id] = k.finding()
		}
	}
	return said
}

func (k *lookup) fresh(now time.Time) bool { return !k.at.IsZero() && now.Sub(k.at) < freshFor }

func (k *lookup) finding() finding {
	k.all.mu.Lock()
	defer k.all.mu.Unlock()
	return finding{k.said, time.Since(k.at)}
}

func (k *lookup) learn(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var said failover.Standing
	err := guarded(func() (err error) {
		said, err = k.all.read(ctx, id)
		return err
	})
	k.all.mu.Lock()
	defer k.all.mu.Unlock()
	if k.err = err; err == nil {
		k.said, k.at = said, time.Now()
	} else {
		k.failed = time.Now()
	}
	close(k.waiting)
	k.waiting = nil
}

// answer is what is known by a time. With an older answer there is no error while that counts; without one it is unchecked,
// and the error says why, if that is known.
func (k *lookup) answer(ctx context.Context, until time.Time) (failover.Standing, error) {
	k.all.mu.Lock()
	waiting := k.waiting
	k.all.mu.Unlock()
	if waiting != nil {
		select {
		case <-waiting:
		case <-time.After(time.Until(until)):
		case <-ctx.Done():
		}
	}
	k.all.mu.Lock()
	defer k.all.mu.Unlock()
	if !k.at.IsZero() && time.Since(k.at) <= staleFor {
		return k.said, nil
	}
	return failover.StandingUnchecked, k.err
}
