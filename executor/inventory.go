package executor

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"ferry/failover"
)

// itemCache is the last vault-wide list.
type itemCache struct {
	mu    sync.Mutex // held while reading: one list at a time, whoever wants it
	items []failover.Item
	at    time.Time
}

// list returns the items as read at or after a time.
func (e *Executor) list(ctx context.Context, since time.Time) ([]failover.Item, error) {
	e.items.mu.Lock()
	defer e.items.mu.Unlock()
	if !e.items.at.IsZero() && !e.items.at.Before(since) {
		return e.items.items, nil
	}
	items, err := e.Site.Items(ctx)
	if err != nil {
		return nil, err
	}
	e.items.items, e.items.at = items, time.Now()
	return items, nil
}

// resolve finds the item of a typed name. A name that an older list does not have is looked for in a new one.
func (e *Executor) resolve(ctx context.Context, typed string) (failover.Item, *failover.Refusal, error) {
	asked := time.Now()
	for _, since := range []time.Time{asked.Add(-2 * inventoryEvery), asked} {
		items, err := e.list(ctx, since)
		if err != nil {
			refusal, err := unavailable(ctx, err)
			return failover.Item{}, refusal, err
		}
		item, refusal := failover.Resolve(items, typed)
		if refusal == nil || since.Equal(asked) {
			return item, refusal, nil
		}
	}
	return failover.Item{}, nil, nil // not reached: the second list is the answer
}

// watch keeps the inventory, and closes the gate of an operation whose commit somebody made in the portal.
func (e *Executor) watch(ctx context.Context) error {
	for ctx.Err() == nil {
		items, err := e.list(ctx, time.Now())
		if err == nil {
			err = e.Shelf.SaveInventory(ctx, failover.Inventory{Items: items, At: time.Now()})
			e.notice(ctx, items)
		}
		if err != nil && ctx.Err() == nil {
			e.Log.WarnContext(ctx, "keeping the inventory", slog.Any("error", err))
		}
		pause(ctx, inventoryEvery)
	}
	return nil
}

func (e *Executor) notice(ctx context.Context, items []failover.Item) {
	for _, open := range e.Board.Open() {
		facts := failover.Noticed(open, items)
		if len(facts) == 0 {
			continue
		}
		// A conflict means that somebody decided meanwhile; the next round looks again.
		if _, err := e.append(ctx, open, failover.Batch{At: time.Now(), Facts: facts}); err != nil {
			e.Log.InfoContext(ctx, "noticed a commit outside Ferry, not recorded yet", slog.Any("op", open.ID), slog.Any("error", err))
		}
	}
}

// wake decides what the clock decides: requests that nobody answered. Every executor does; the guard picks one.
func (e *Executor) wake(ctx context.Context) error {
	for ctx.Err() == nil {
		changed := e.Board.Changes()
		next := e.expire(ctx)
		var due <-chan time.Time
		if !next.IsZero() {
			due = time.After(max(time.Until(next), time.Second))
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-due:
		}
	}
	return nil
}

// expire decides every request that is due and returns when the next one will be; zero is never.
func (e *Executor) expire(ctx context.Context) time.Time {
	var next time.Time
	now := time.Now()
	for _, op := range e.Board.Open() {
		at := failover.WakeAt(op)
		if at.IsZero() {
			continue
		}
		if !now.Before(at) {
			cmd := failover.Command{
				MessageID: failover.MessageID(string(op.ID), "expire"), Op: op.ID, Verb: failover.VerbExpire,
				By: failover.Actor{ID: "ferry", Name: "ferry"}, At: now, ValidUntil: now.Add(failover.CommandValidity),
			}
			if err := e.decide(ctx, cmd); err != nil {
				e.Log.WarnContext(ctx, "expiring a request, trying again", slog.Any("op", op.ID), slog.Any("error", err))
			}
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}
