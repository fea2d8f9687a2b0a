package executor

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"ferry/failover"
)

// gather reads the VMs of a group of the configuration, or those that were named in a row, as the vaults list them now.
func (e *Executor) gather(ctx context.Context, cmd failover.Command, c matter) (matter, *failover.Refusal, error) {
	if refusal := failover.Barred(cmd, c.situation); refusal != nil {
		return c, refusal, nil
	}
	inv, err := e.list(ctx, 0)
	if err != nil && (ctx.Err() != nil || len(inv.Items) == 0) {
		return unavailableFor(ctx, c, err)
	}
	var lost []string
	if err != nil { // the VMs of the vaults that answer are not kept waiting by the others
		refusal, err := unavailable(ctx, err)
		if err != nil || cmd.Row {
			return c, refusal, err
		}
		lost = append(lost, refusal.Message+" What belongs to it there is missing.")
	}
	gathered, refusal := e.gathered(inv.Items, cmd)
	if refusal != nil {
		return c, refusal, nil
	}
	s := &c.situation
	s.Fleet, s.Lost = &gathered.Fleet, append(lost, gathered.Lost...)
	for i, item := range gathered.Items {
		s.Members = append(s.Members, failover.Member{Item: item, Wave: gathered.Waves[i], Check: e.checkOf(item)})
	}
	if s.Incident, err = e.began(ctx); err != nil {
		return c, nil, err
	}
	return e.readMembers(ctx, cmd, c)
}

func (e *Executor) gathered(items []failover.Item, cmd failover.Command) (failover.Gathered, *failover.Refusal) {
	if cmd.Row {
		return failover.GatherRow(items, cmd.Target)
	}
	group, refusal := failover.ResolveGroup(e.Fleets, cmd.Target)
	if refusal != nil {
		return failover.Gathered{}, cmp.Or(failover.VMMeant(cmd.Verb, cmd.Target, items), refusal)
	}
	return group.Gather(items)
}

// readMembers reads who holds each VM, and of those that nobody holds what its part of the decision rests on.
func (e *Executor) readMembers(ctx context.Context, cmd failover.Command, c matter) (matter, *failover.Refusal, error) {
	c, refusal, err := e.holders(ctx, c)
	if refusal != nil || err != nil {
		return c, refusal, err
	}
	for _, m := range c.situation.Members {
		one := c.situation
		one.Item = m.Item
		if refusal := failover.Barred(cmd, one); refusal != nil {
			return c, refusal, nil
		}
	}
	slots := make(chan struct{}, memberReaders)
	var reading sync.WaitGroup
	for i := range c.situation.Members {
		slots <- struct{}{}
		reading.Go(func() {
			e.readMember(ctx, cmd, &c.situation.Members[i])
			<-slots
		})
	}
	reading.Wait()
	return c, nil, ctx.Err()
}

// takes are the holds of those VMs that a request is really about.
func takes(holds []failover.Hold, facts []failover.Fact) []failover.Hold {
	request, ok := facts[0].(failover.Requested)
	if !ok || len(request.Targets) == 0 {
		return holds
	}
	about := map[string]bool{}
	for _, t := range request.Targets {
		about[t.Item.Key] = true
	}
	return slices.DeleteFunc(slices.Clone(holds), func(h failover.Hold) bool { return !about[h.Key] })
}
