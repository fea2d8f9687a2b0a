package executor

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"ferry/failover"
)

// itemCache is the last vault-wide list, and what came of the last attempt at one.
type itemCache struct {
	reading chan struct{} // full while somebody reads: one list at a time, whoever wants it
	whole   failover.Inventory
	last    failover.Inventory              // may lack the vaults that did not answer
	err     error                           // of last
	era     int                             // of the clock by which they were read
	known   atomic.Pointer[[]failover.Item] // what was read last, for who does not wait for a reading
}

// list returns the items as read by a list that began at most so long ago, or begins now. With an error come the items
// that could be read all the same. Who waits for somebody else's list takes its outcome.
func (e *Executor) list(ctx context.Context, age time.Duration) (failover.Inventory, error) {
	c, asked, era := &e.items, e.now(), e.Clock.Era()
	select {
	case c.reading <- struct{}{}:
	case <-ctx.Done():
		return failover.Inventory{}, ctx.Err()
	}
	defer func() { <-c.reading }()
	if c.era != era { // nobody knows any more how old they are
		c.era, c.whole, c.last = era, failover.Inventory{}, failover.Inventory{}
	}
	if !c.whole.At.IsZero() && !c.whole.At.Before(asked.Add(-age)) {
		return c.whole, nil
	}
	if !c.last.At.IsZero() && !c.last.At.Before(asked) {
		return c.last, c.err
	}
	begun := e.now()
	items, err := e.Site.Items(ctx)
	if ctx.Err() != nil {
		return failover.Inventory{}, ctx.Err()
	}
	c.last, c.err = failover.Inventory{Items: items, At: begun}, err
	if err == nil {
		c.whole = c.last
	}
	if err == nil || c.known.Load() == nil {
		c.known.Store(&items)
	}
	return c.last, err
}

// resolve finds the item of a typed name. A name that an older list does not have is looked for in a new one.
func (e *Executor) resolve(ctx context.Context, typed string) (item failover.Item, refusal *failover.Refusal, err error) {
	for _, age := range []time.Duration{2 * inventoryEvery, 0} {
		var inv failover.Inventory
		if inv, err = e.list(ctx, age); err != nil {
			return resolvePart(ctx, inv.Items, typed, err)
		}
		if item, refusal = failover.Resolve(inv.Items, typed); refusal == nil {
			break
		}
	}
	return item, refusal, nil
}

// resolvePart finds an item although some vault did not answer. A bare name may have its twin there, so that only
// vault/name is certain.
func resolvePart(ctx context.Context, items []failover.Item, typed string, err error) (failover.Item, *failover.Refusal, error) {
	found, unknown := failover.Resolve(items, typed)
	if unknown == nil && strings.Contains(typed, "/") && ctx.Err() == nil {
		return found, nil, nil
	}
	refusal, err := unavailable(ctx, err)
	if refusal != nil && unknown == nil {
		refusal.Hint = "Nothing was started. To go on without the vaults that do not answer, type " + found.Vault + "/" + found.Name + "."
	}
	return failover.Item{}, refusal, err
}

// watch keeps the inventory, and closes the gate of an operation whose commit somebody made in the portal.
func (e *Executor) watch(ctx context.Context) error {
	for whole := false; ctx.Err() == nil; {
		inv, err := e.list(ctx, 0)
		if err == nil {
			if !whole {
				e.warnOfChecks(ctx, inv.Items)
			}
			whole = true
			inv.Groups = failover.GroupLines(e.Fleets, inv.Items)
			err = e.Shelf.SaveInventory(ctx, slim(inv))
		}
		e.notice(ctx, inv)
		e.remindDrills(ctx, inv.Items)
		if err != nil && ctx.Err() == nil {
			e.Log.WarnContext(ctx, "keeping the inventory", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
		case <-e.moved:
		case <-time.After(inventoryEvery):
		}
	}
	return nil
}

// warnOfChecks tells once of checks that ask about no VM: most likely the name is mistyped.
func (e *Executor) warnOfChecks(ctx context.Context, items []failover.Item) {
	used := map[string]bool{}
	for _, i := range items {
		if c := e.checkOf(i); c != nil {
			used[c.Name] = true
		}
	}
	for _, name := range e.CheckNames {
		if !used[name] {
			e.Log.WarnContext(ctx, "a check of the configuration asks about no VM: write the name of a VM, or of a group under groups", slog.String("check", name))
		}
	}
}

// slim leaves out what nobody shows of a list: the inventory is one message, and it grows with every VM.
func slim(inv failover.Inventory) failover.Inventory {
	inv.Items = slices.Clone(inv.Items)
	for i := range inv.Items {
		inv.Items[i].VM, inv.Items[i].Caches = "", nil
	}
	return inv
}

// notice tells what somebody did in the portal to the VMs of operations that wait.
func (e *Executor) notice(ctx context.Context, inv failover.Inventory) {
	for _, open := range e.Board.Open() {
		facts := failover.Noticed(open, inv.Items)
		for _, other := range failover.OtherPoints(open, inv.Items, inv.At) {
			other.PointUsed = e.timeOf(ctx, inv.Items, other)
			facts = append(facts, other)
		}
		if len(facts) == 0 {
			continue
		}
		// A conflict means that somebody decided meanwhile; the next round looks again.
		if _, err := e.append(ctx, open, failover.Batch{At: e.now(), Facts: facts}); err != nil {
			e.Log.InfoContext(ctx, "noticed what was done outside Ferry, not recorded yet", slog.Any("op", open.ID), slog.Any("error", err))
		}
	}
}

// timeOf is when the recovery point was made that an item uses; zero when it cannot be read.
func (e *Executor) timeOf(ctx context.Context, items []failover.Item, used failover.StepDone) time.Time {
	i := slices.IndexFunc(items, func(i failover.Item) bool { return i.Key == used.Target })
	points, err := e.Site.Points(ctx, items[i])
	if err != nil {
		e.Log.WarnContext(ctx, "reading the recovery point in use", slog.Any("error", err))
	}
	point, refusal := failover.Choose(points, failover.Point{Kind: failover.ByID, ID: used.Point})
	if refusal != nil {
		return time.Time{}
	}
	return point.Time
}

// wake does what the clock decides: requests that nobody answered end, of gates that wait for long people are reminded, and
// VMs that an operation left held are let go.
// Every executor does; the guard picks one.
func (e *Executor) wake(ctx context.Context) error {
	done := map[failover.OpID]bool{}
	for ctx.Err() == nil {
		changed := e.Board.Changes()
		e.halt(ctx)
		next := sooner(sooner(e.letGo(ctx, done), e.warn(ctx)), sooner(e.expire(ctx), e.remind(ctx)))
		var due <-chan time.Time
		if !next.IsZero() {
			due = time.After(min(max(next.Sub(e.now()), time.Second), wakeWithin))
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
	now := e.now()
	for _, op := range e.Board.Open() {
		at := failover.WakeAt(op)
		if at.IsZero() {
			continue
		}
		if !now.Before(at) {
			cmd := failover.Command{ // under an id that nobody can have used before
				MessageID: failover.MessageID(string(op.ID), "expire", rand.Text()), Op: op.ID, Verb: failover.VerbExpire,
				By: failover.Actor{ID: "ferry", Name: "ferry"}, At: now, ValidUntil: now.Add(failover.CommandValidity),
			}
			if err := e.decide(ctx, cmd); err != nil {
				e.Log.WarnContext(ctx, "expiring a request, trying again", slog.Any("op", op.ID), slog.Any("error", err))
			}
		}
		next = sooner(next, at)
	}
	return next
}
