package terminal

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/cmd/internal/app"
	"ferry/events"
	"ferry/failover"
)

// azureWithin is how long the terminal waits for what an executor has to ask Azure for.
const azureWithin = 30 * time.Second

// read answers what changes nothing.
func (g *globals) read(ctx context.Context, client *app.Client, intent bot.Intent, own verbFlags) error {
	switch intent.Verb {
	case "list":
		inv, err := client.List(ctx)
		if err != nil {
			return err
		}
		return g.print(own, listOf(inv), render.ListTable(inv, time.Now(), g.screen()))
	case "status":
		found, err := client.Status(ctx, intent.Ref)
		if err != nil {
			return err
		}
		return g.status(found, intent.Ref, own)
	case "points":
		return g.points(ctx, client, intent.Ref, own)
	case "jobs":
		return g.jobs(ctx, client, own)
	case "forecast":
		return g.forecast(ctx, client, intent.Forecast(), own)
	case "report":
		report, known, err := client.Report(ctx, failover.OpID(intent.Ref))
		switch {
		case err != nil:
			return err
		case !known:
			return g.refused("", failover.NoOperation(failover.OpID(intent.Ref)), own)
		}
		return g.print(own, events.ReportOf(report), render.ReportText(report, time.Now()))
	case "readiness":
		list, err := client.Readiness(ctx)
		if err != nil {
			return err
		}
		return g.print(own, events.ReadinessOf(list), render.ReadinessTable(list, time.Now(), g.screen()))
	case "debt":
		list, err := client.Debt(ctx)
		if err != nil {
			return err
		}
		return g.print(own, events.DebtOf(list), render.DebtTable(list, time.Now(), g.screen()))
	}
	return exit(exitUsage, fmt.Errorf("%s is not available yet", intent.Verb))
}

func (g *globals) status(found failover.Found, ref string, own verbFlags) error {
	ops, foreign := found.Operations, events.ForeignOf(found.Foreign)
	width, height := g.size()
	text := render.StatusOn(found, ref, time.Now(), width, height)
	switch {
	case ref == "":
		all := []events.Status{}
		for _, op := range ops {
			all = append(all, events.StatusOf(op))
		}
		return g.print(own, map[string]any{"v": 1, "operations": all, "foreign_jobs": foreign, "frozen": events.FrozenOf(failover.Freezes(ops))}, text)
	case len(ops) == 0 && (found.Idle != nil || len(foreign)+len(found.Freezes) > 0):
		all := map[string]any{"v": 1, "foreign_jobs": foreign, "frozen": events.FrozenOf(found.Freezes)}
		if found.Idle != nil {
			all["vm"] = events.ItemLine(*found.Idle, failover.Inventory{})
		}
		return g.print(own, all, text)
	case len(ops) == 0 && found.Unknown != nil:
		return g.refused("", failover.Refuse(failover.UnknownName, found.Unknown.Hint, "No operation is known under %q. %s", ref, found.Unknown.Message), own)
	case len(ops) == 0:
		return g.refused("", found.NoOperation(ref), own)
	case !ops[0].Exists(): // such an id has no phase
		return g.print(own, map[string]any{"v": 1, "id": ops[0].ID}, text)
	}
	return g.print(own, events.StatusOf(ops[0]), text)
}

func listOf(inv failover.Inventory) map[string]any {
	items := []events.ListItem{}
	for _, i := range inv.Items {
		line := events.ItemLine(i, inv)
		if slices.Contains(inv.Foreign, i.Key) {
			line.ForeignJob = i.Scenario
		}
		items = append(items, line)
	}
	groups := inv.Groups
	if groups == nil {
		groups = []failover.GroupLine{}
	}
	return map[string]any{"v": 1, "items": items, "groups": groups, "frozen": events.FrozenOf(inv.Freezes)}
}

func (g *globals) points(ctx context.Context, client *app.Client, vm string, own verbFlags) error {
	ctx, cancel := context.WithTimeout(ctx, azureWithin)
	defer cancel()
	list, refusal, err := client.Points(ctx, vm)
	switch {
	case err != nil:
		return err
	case refusal != nil:
		return g.refused("", refusal, own)
	}
	now := time.Now()
	return g.print(own, events.PointsOf(list, now), render.PointsTable(list, now, g.screen()))
}

func (g *globals) jobs(ctx context.Context, client *app.Client, own verbFlags) error {
	ctx, cancel := context.WithTimeout(ctx, azureWithin)
	defer cancel()
	list, refusal, err := client.Jobs(ctx)
	switch {
	case err != nil:
		return err
	case refusal != nil:
		return g.refused("", refusal, own)
	}
	return g.print(own, events.JobsOf(list), render.JobsTable(list, time.Now(), g.screen()))
}

func (g *globals) forecast(ctx context.Context, client *app.Client, of failover.ForecastOf, own verbFlags) error {
	ctx, cancel := context.WithTimeout(ctx, azureWithin)
	defer cancel()
	f, refusal, err := client.Forecast(ctx, of)
	switch {
	case err != nil:
		return err
	case refusal != nil:
		return g.refused("", refusal, own)
	}
	return g.print(own, events.ForecastOf(f), render.ForecastText(f))
}
