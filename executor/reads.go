package executor

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"ferry/failover"
)

// Points reads the recovery points of the VM that a person typed, or of the item with a key. What cannot be read is
// refused; an error is the context's only.
func (e *Executor) Points(ctx context.Context, typed, key string) (failover.PointList, *failover.Refusal, error) {
	item, refusal, err := e.named(ctx, typed, key)
	if refusal != nil || err != nil {
		return failover.PointList{}, refusal, err
	}
	list := failover.PointList{Name: cmp.Or(typed, item.Name), At: time.Now()}
	if inv, err := e.list(ctx, 2*inventoryEvery); err == nil {
		list.Name = failover.Typed(item, inv.Items)
	}
	// The item of the inventory may have moved since, by a reprotect.
	if list.Item, err = e.Site.Item(ctx, item); err == nil {
		list.Points, err = e.Site.Points(ctx, list.Item)
	}
	if err != nil {
		refusal, err = unreadable(ctx, err)
		return failover.PointList{}, refusal, err
	}
	list.Points = failover.NewestFirst(list.Points)
	return list, nil, nil
}

// named finds an item by what was typed, or by its key.
func (e *Executor) named(ctx context.Context, typed, key string) (failover.Item, *failover.Refusal, error) {
	if key == "" {
		return e.resolve(ctx, typed)
	}
	inv, err := e.list(ctx, 2*inventoryEvery)
	if i := slices.IndexFunc(inv.Items, func(i failover.Item) bool { return i.Key == key }); i >= 0 {
		return inv.Items[i], nil, nil
	}
	if err != nil {
		refusal, err := unreadable(ctx, err)
		return failover.Item{}, refusal, err
	}
	return failover.Item{}, failover.Refuse(failover.UnknownName, "Type /failover list to see every replicated VM.", "This VM is not replicated any more."), nil
}

// unreadable turns trouble with Azure into the answer to who only wanted to look.
func unreadable(ctx context.Context, err error) (*failover.Refusal, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	const later = "Ask again in a moment; /failover list shows what was read last."
	said := strings.TrimSuffix(err.Error(), ".")
	if site, ok := errors.AsType[*failover.SiteError](err); ok && site.Kind == failover.RefusedBySite {
		return failover.Refuse(failover.Unavailable, cmp.Or(site.Fault.Action, later), "Azure refuses to show it: %s.", said), nil
	}
	return failover.Refuse(failover.Unavailable, later, "Azure did not answer: %s.", said), nil
}

// Jobs reads what runs in the vaults and what has ended lately. Which operation each belongs to is not known here.
func (e *Executor) Jobs(ctx context.Context) (failover.JobList, *failover.Refusal, error) {
	list := failover.JobList{At: time.Now(), Since: time.Now().Add(-failover.JobsWithin)}
	jobs, err := e.Site.Jobs(ctx, list.Since)
	if err != nil {
		refusal, err := unreadable(ctx, err)
		if err != nil || len(jobs) == 0 {
			return failover.JobList{}, refusal, err
		}
		list.Missing = refusal.Message
	}
	for _, j := range jobs {
		list.Jobs = append(list.Jobs, failover.VaultJob{Job: j})
	}
	return list, nil, nil
}
