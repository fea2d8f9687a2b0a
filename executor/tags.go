package executor

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"ferry/failover"
)

// recallPause is how long the executor rests before it reads the inventory again that it could not read.
const recallPause = time.Second

// tagKeeper is a site whose items keep the tags that were read last while they cannot be read, so that an outage takes no
// right away, nor gives one.
type tagKeeper struct {
	Site
	mu   sync.Mutex
	last map[string]map[string]string // by item key
}

// Items implements [ItemReader].
func (k *tagKeeper) Items(ctx context.Context) ([]failover.Item, error) {
	items, err := k.Site.Items(ctx)
	for i := range items {
		items[i] = k.keep(items[i])
	}
	return items, err
}

// Item implements [ItemReader].
func (k *tagKeeper) Item(ctx context.Context, item failover.Item) (failover.Item, error) {
	item, err := k.Site.Item(ctx, item)
	if err != nil {
		return item, err
	}
	return k.keep(item), nil
}

func (k *tagKeeper) keep(item failover.Item) failover.Item {
	k.mu.Lock()
	defer k.mu.Unlock()
	if item.Tags != nil {
		k.last[item.Key] = item.Tags
	}
	item.Tags = k.last[item.Key]
	return item
}

// recall takes the tags from the inventory that was stored last, before any item is read: what is stored then has them, too.
func (e *Executor) recall(ctx context.Context) {
	k, ok := e.Site.(*tagKeeper)
	for ok && ctx.Err() == nil {
		inv, err := e.Shelf.Inventory(ctx)
		if err == nil {
			for _, item := range inv.Items {
				k.keep(item)
			}
			return
		}
		e.Log.WarnContext(ctx, "reading the tags in the inventory, trying again", slog.Any("error", err))
		pause(ctx, recallPause)
	}
}
