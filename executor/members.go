package executor

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"ferry/failover"
)

// memberReaders bounds how many VMs of one command are read at the same time.
const memberReaders = 8

// plan reads the recovery plan that a command names, and its VMs as the vault lists them now.
func (e *Executor) plan(ctx context.Context, cmd failover.Command, c matter) (matter, *failover.Refusal, error) {
	if refusal := failover.Barred(cmd, c.situation); refusal != nil {
		return c, refusal, nil
	}
	plans, err := e.Site.Plans(ctx)
	if err != nil {
		return unavailableFor(ctx, c, err)
	}
	found, refusal := failover.ResolvePlan(plans, cmd.Target)
	if refusal != nil {
		return c, refusal, nil
	}
	if found, err = e.Site.Plan(ctx, found.ID); err != nil {
		return unavailableFor(ctx, c, err)
	}
	c.situation.Recovery = &found
	inv, err := e.list(ctx, 0)
	if err != nil {
		return unavailableFor(ctx, c, err)
	}
	for _, key := range found.Keys() {
		m := failover.Member{Item: failover.Item{Key: key, Name: key}}
		if i := slices.IndexFunc(inv.Items, func(i failover.Item) bool { return i.Key == key }); i >= 0 {
			m.Item, m.Check = inv.Items[i], e.checkOf(inv.Items[i])
		} else {
			m.Trouble = failover.Refuse(failover.WrongState, "Look at the recovery plan in the portal.", "A VM of the recovery plan is not replicated any more.")
		}
		c.situation.Members = append(c.situation.Members, m)
	}
	if c.situation.Incident, err = e.began(ctx); err != nil {
		return c, nil, err
	}
	return e.holders(ctx, c, found.Key)
}

func unavailableFor(ctx context.Context, c matter, err error) (matter, *failover.Refusal, error) {
	refusal, err := unavailable(ctx, err)
	return c, refusal, err
}

// holders reads who holds each member, and what else is to be taken with them.
func (e *Executor) holders(ctx context.Context, c matter, more ...string) (matter, *failover.Refusal, error) {
	for i := range c.situation.Members {
		m := &c.situation.Members[i]
		hold, err := e.Journal.Holder(ctx, m.Item.Key)
		if err == nil && hold.Op != "" {
			m.Holder, err = e.Journal.Load(ctx, hold.Op)
		}
		if err != nil {
			return c, nil, err
		}
		c.holds = append(c.holds, hold)
	}
	for _, key := range more {
		hold, err := e.Journal.Holder(ctx, key)
		if err != nil {
			return c, nil, err
		}
		c.holds = append(c.holds, hold)
	}
	return c, nil, nil
}

// allOf reads every VM of an operation that is over, for a reprotect of all that can be.
func (e *Executor) allOf(ctx context.Context, cmd failover.Command, c matter, targets []failover.Target) (matter, *failover.Refusal, error) {
	for _, t := range targets {
		if !t.Lead {
			c.situation.Members = append(c.situation.Members, failover.Member{Item: t.Item})
		}
	}
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
			e.readMember(ctx, &c.situation.Members[i])
			<-slots
		})
	}
	reading.Wait()
	// Only what will be part of the operation is taken.
	c.holds = slices.DeleteFunc(c.holds, func(h failover.Hold) bool {
		return !slices.ContainsFunc(c.situation.Members, func(m failover.Member) bool { return m.Item.Key == h.Key && m.Reversal != nil })
	})
	return c, nil, ctx.Err()
}

func (e *Executor) readMember(ctx context.Context, m *failover.Member) {
	if m.Holder.Exists() {
		return
	}
	item, err := e.Site.Item(ctx, m.Item)
	if err == nil {
		m.Item = item
		if item.State == failover.StateCommitted && item.JobID == "" {
			var r failover.Reversal
			if r, err = e.Site.Reversal(ctx, item); err == nil {
				m.Reversal = &r
			}
		}
	}
	if err != nil {
		refusal, _ := unavailable(ctx, err)
		m.Trouble = cmp.Or(refusal, failover.Refuse(failover.Unavailable, "Ask again.", "%s could not be read.", m.Item.Name))
	}
}

// readPlan reads a recovery plan and all its VMs, by one list.
func (d *driver) readPlan(ctx context.Context, lead failover.Item, seen *failover.Observation) error {
	plan, err := d.Site.Plan(ctx, lead.ID)
	if err != nil {
		return err
	}
	inv, err := d.list(ctx, 0)
	if err != nil {
		return err
	}
	seen.Recovery, seen.Members = plan, map[string]failover.Item{}
	for _, i := range inv.Items {
		seen.Members[i.Key] = i
	}
	seen.Item = lead
	seen.Item.Allowed, seen.Item.Scenario, seen.Item.JobID = plan.Allowed, plan.Scenario, plan.JobID
	seen.LookedAt = inv.At
	return nil
}
