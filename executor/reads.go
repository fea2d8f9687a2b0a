package executor

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"ferry/failover"
)

// Points reads the recovery points of the VM that a person typed, or of the item with a key. What cannot be read is
// refused; an error is the context's only.
func (e *Executor) Points(ctx context.Context, typed, key string) (failover.PointList, *failover.Refusal, error) {
	item, refusal, err := e.named(ctx, typed, key)
	if refusal != nil || err != nil {
		return failover.PointList{}, refusal, err
	}
	list := failover.PointList{Name: cmp.Or(typed, item.Name), At: e.now()}
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

// Review reads what a reprotect would do to the VM that a person typed, or to the VM of an operation; the answers are those
// of Points.
func (e *Executor) Review(ctx context.Context, typed string, id failover.OpID) (failover.Review, *failover.Refusal, error) {
	items, refusal, err := e.meant(ctx, typed, id)
	if refusal != nil || err != nil {
		return failover.Review{}, refusal, err
	}
	if len(items) > 1 {
		var names []string
		for _, i := range items {
			names = append(names, i.Name)
		}
		return failover.Review{Name: strings.Join(names, ", "), At: e.now()}, nil, nil
	}
	item := items[0]
	hold, err := e.Journal.Holder(ctx, item.Key)
	if err != nil {
		return failover.Review{}, nil, err
	}
	if hold.Op != "" {
		holder, err := e.Journal.Load(ctx, hold.Op)
		if err != nil {
			return failover.Review{}, nil, err
		}
		review, refusal := holder.Review()
		return review, refusal, nil
	}
	review := failover.Review{Name: cmp.Or(typed, item.Name), At: e.now()}
	if review.Item, err = e.Site.Item(ctx, item); err == nil {
		if refusal := failover.Legal(failover.StepReprotect, review.Item); refusal != nil {
			return failover.Review{}, refusal, nil
		}
		var reversal failover.Reversal
		reversal, err = e.Site.Reversal(ctx, review.Item)
		review.Reversal, review.Seen = &reversal, reversal.Token()
	}
	if err != nil {
		refusal, err = unavailable(ctx, err)
		return failover.Review{}, refusal, err
	}
	return review, nil, nil
}

// meant finds an item by what was typed, or the VMs of an operation; there is at least one.
func (e *Executor) meant(ctx context.Context, typed string, id failover.OpID) ([]failover.Item, *failover.Refusal, error) {
	if id == "" {
		item, refusal, err := e.resolve(ctx, typed)
		if refusal != nil && refusal.Kind == failover.UnknownName {
			refusal = cmp.Or(failover.GroupMeant(failover.VerbReprotect, typed, e.Fleets), failover.PlanMeant(failover.VerbReprotect, typed, e.Board.All()), refusal)
		}
		return []failover.Item{item}, refusal, err
	}
	op, err := e.Journal.Load(ctx, id)
	var items []failover.Item
	for _, t := range op.Targets {
		if !t.Lead {
			items = append(items, t.Item)
		}
	}
	if err == nil && len(items) == 0 {
		return nil, failover.Refuse(failover.UnknownName, "To see what is open, type /failover status.", "There is no operation %s on a VM.", id), nil
	}
	return items, nil, err
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
	list := failover.JobList{At: e.now(), Since: e.now().Add(-failover.JobsWithin)}
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
