package executor

import (
	"context"
	"strings"

	"ferry/failover"
)

// Forecast says how long a failover would take of a group, of a recovery plan, or of VMs as typed with blanks between, by what is
// known now. Nothing is started, and whether it could be is not looked at beyond the state of each VM.
func (e *Executor) Forecast(ctx context.Context, of failover.ForecastOf) (failover.Forecast, *failover.Refusal, error) {
	s := e.forecasting(failover.Situation{Past: e.Board.All()})
	if of.Plan != "" {
		return e.forecastPlan(ctx, of.Plan, s)
	}
	inv, err := e.list(ctx, 2*inventoryEvery)
	if err != nil && len(inv.Items) == 0 {
		refusal, err := unreadable(ctx, err)
		return failover.Forecast{}, refusal, err
	}
	gathered, refusal := e.meantBy(of, inv.Items)
	if refusal != nil {
		return failover.Forecast{}, refusal, nil
	}
	return s.ForecastGathered(gathered), nil, nil
}

func (e *Executor) meantBy(of failover.ForecastOf, items []failover.Item) (failover.Gathered, *failover.Refusal) {
	if of.Group == "" {
		gathered, refusal := failover.GatherRow(items, of.VMs)
		if g, no := failover.ResolveGroup(e.Fleets, of.VMs); refusal != nil && no == nil {
			refusal = failover.Refuse(failover.UnknownName, "Type /failover forecast group "+g.Name+".", "%s is a group, not a VM.", g.Name)
		}
		return gathered, refusal
	}
	group, refusal := failover.ResolveGroup(e.Fleets, of.Group)
	if refusal != nil {
		return failover.Gathered{}, refusal
	}
	return group.Gather(items)
}

func (e *Executor) forecastPlan(ctx context.Context, name string, s failover.Situation) (failover.Forecast, *failover.Refusal, error) {
	plans, err := e.Site.Plans(ctx)
	if err != nil {
		refusal, err := unreadable(ctx, err)
		return failover.Forecast{}, refusal, err
	}
	found, refusal := failover.ResolvePlan(plans, strings.TrimSpace(name))
	if refusal != nil {
		return failover.Forecast{}, refusal, nil
	}
	if found, err = e.Site.Plan(ctx, found.ID); err != nil { // the list has no VMs
		refusal, err := unreadable(ctx, err)
		return failover.Forecast{}, refusal, err
	}
	return s.ForecastPlan(found), nil, nil
}

// forecasting adds what holds many VMs back.
func (e *Executor) forecasting(s failover.Situation) failover.Situation {
	s.RTO, s.Paces = e.RTO, e.pace.limits()
	if e.pace.budgets != nil {
		s.Budgets = e.pace.budgets()
	}
	return s
}
