package slack

import (
	"sync"
	"time"

	"ferry/failover"
)

// maxUnacked bounds the deliveries kept for one operation while Slack is away. Older ones are dropped unacknowledged; the
// feed delivers them again.
const maxUnacked = 128

// board holds the operations whose messages lag behind. The reading goroutine puts states in, the drawing one takes them
// out; only the newest state of an operation is ever drawn.
type board struct {
	wake chan struct{} // holds one: something was put in

	mu    sync.Mutex
	cards map[failover.OpID]*card
}

func newBoard() *board {
	return &board{wake: make(chan struct{}, 1), cards: map[failover.OpID]*card{}}
}

// offer takes a delivery in.
func (b *board) offer(u Update, now time.Time) {
	op := u.Operation()
	b.mu.Lock()
	c := b.cards[op.ID]
	if c == nil {
		c = &card{id: op.ID, unsaved: map[string]Posted{}, ours: map[string]bool{}, sought: map[string]bool{}, limited: map[string]bool{}}
		b.cards[op.ID] = c
	}
	if op.Seq > c.op.Seq || !c.op.Exists() {
		c.op = op
	}
	if len(c.updates) == 0 {
		c.since = now
	}
	if c.updates = append(c.updates, u); len(c.updates) > maxUnacked {
		c.updates = c.updates[1:]
	}
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// pending is a card that lags, with the state to show.
type pending struct {
	*card
	op    failover.Operation
	since time.Time
}

// lagging returns every operation that has something undone.
func (b *board) lagging() []pending {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []pending
	for _, c := range b.cards {
		if len(c.updates) > 0 || len(c.unsaved) > 0 {
			found = append(found, pending{c, c.op, c.since})
		}
	}
	return found
}

// shownWithin is how soon a state is shown, or it is worth a word.
const shownWithin = 10 * time.Second

// late counts the operations that have waited for long to be shown.
func (b *board) late(now time.Time) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, c := range b.cards {
		if len(c.updates) > 0 && now.Sub(c.since) > shownWithin {
			n++
		}
	}
	return n
}

// take hands out the deliveries that a shown sequence answers for, and lets a finished operation go.
func (b *board) take(c *card, shown uint64) []Update {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.op.Seq > shown {
		return nil // a newer state came in meanwhile and answers for all
	}
	done := c.updates
	c.updates = nil
	if c.op.Phase.Final() && len(c.unsaved) == 0 {
		delete(b.cards, c.id)
	}
	return done
}
