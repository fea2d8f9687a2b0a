package executor

import (
	"context"
	"slices"

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

// allOf reads every VM of an operation that is over, for what follows for all of them.
func (e *Executor) allOf(ctx context.Context, cmd failover.Command, c matter, over failover.Operation) (matter, *failover.Refusal, error) {
	for _, t := range over.Targets {
		if !t.Lead {
			c.situation.Members = append(c.situation.Members, failover.Member{Item: t.Item, Wave: t.Wave, Check: e.checkOf(t.Item)})
		}
	}
	c.situation.Fleet = over.Plan.Fleet
	return e.readMembers(ctx, cmd, c)
}

// readMember reads a VM that nobody holds as far as a verb needs it. A failover of many goes by the list that they were found in:
// only a recovery point that is chosen now has to be read.
func (e *Executor) readMember(ctx context.Context, cmd failover.Command, m *failover.Member) {
	if m.Holder.Exists() {
		return
	}
	var err error
	if cmd.Verb != failover.VerbGroup {
		if m.Item, err = e.Site.Item(ctx, m.Item); err != nil {
			m.Trouble = troubleWith(ctx, m.Item.Name, err)
			return
		}
	}
	back := m.Item.State == failover.StateCommitted && m.Item.JobID == ""
	switch {
	case cmd.Verb == failover.VerbGroup && cmd.Point.Moving(), cmd.Verb == failover.VerbReprotect && !back:
	case cmd.Verb == failover.VerbGroup, cmd.Verb == failover.VerbFailback && !back:
		m.Points, err = e.Site.Points(ctx, m.Item)
	default:
		var r failover.Reversal
		if r, err = e.Site.Reversal(ctx, m.Item); err == nil {
			m.Reversal = &r
		}
	}
	if err != nil {
		m.Trouble = troubleWith(ctx, m.Item.Name, err)
	}
}

// troubleWith is why a VM is left out that could not be read.
func troubleWith(ctx context.Context, name string, err error) *failover.Refusal {
	refusal, _ := unavailable(ctx, err)
	if refusal == nil {
		return failover.Refuse(failover.Unavailable, "Ask again.", "%s could not be read.", name)
	}
	refusal.Message = name + ": " + refusal.Message
	return refusal
}

// readPlan reads a recovery plan and all its VMs, by one list.
func (v view) readPlan(ctx context.Context, seen *failover.Observation) error {
	lead := v.item
	plan, err := v.Site.Plan(ctx, lead.ID)
	if err != nil {
		return err
	}
	inv, err := v.Executor.list(ctx, 0)
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
