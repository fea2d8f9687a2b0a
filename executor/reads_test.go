package executor

import (
	"context"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

func TestPointsOfAVM(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		list, refusal, err := e.Points(b.Context(), "VM-X", "")
		if err != nil || refusal != nil || list.Name != "vm-x" || list.Item.Key != key || len(list.Points) != 2 || list.At.IsZero() {
			t.Fatalf("%+v %v %v", list, refusal, err)
		}
		if list, refusal, err = e.Points(b.Context(), "", key); err != nil || refusal != nil || list.Name != "vm-x" {
			t.Errorf("by key: %+v %v %v", list, refusal, err)
		}
		for _, ask := range [][2]string{{"vm-z", ""}, {"", "nokey"}} {
			_, refusal, err := e.Points(b.Context(), ask[0], ask[1])
			if err != nil || refusal == nil || refusal.Kind != failover.UnknownName || refusal.Hint == "" {
				t.Errorf("%v: %v %v", ask, refusal, err)
			}
		}
		if _, refusal, _ := e.Points(b.Context(), "vm-z", ""); !strings.Contains(refusal.Hint, "vm-x") {
			t.Errorf("no near name: %v", refusal)
		}
		if b.vault.sent() != 0 {
			t.Error("reading called")
		}
	})
}

// Trouble with Azure is an answer with something to do, and never what was read before.
func TestPointsWhileAzureIsAway(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.must(e, b.command(failover.VerbFailover, ana, "vm-x")) // the list is known from here on
		for want, trouble := range map[string]error{"Azure did not answer: NoAnswer": silent(), "Azure refuses to show it: 403": refused("403", "no permission")} {
			b.vault.change(func(v *vault) { v.trouble = trouble })
			_, refusal, err := e.Points(b.Context(), "vm-x", "")
			if err != nil || refusal == nil || refusal.Kind != failover.Unavailable || !strings.HasPrefix(refusal.Message, want) || refusal.Hint == "" {
				t.Errorf("%v: %v %v", trouble, refusal, err)
			}
		}
		b.vault.change(func(v *vault) { v.trouble, v.late = nil, time.Minute })
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		if _, refusal, err := e.Points(ctx, "vm-x", ""); err == nil || refusal != nil {
			t.Errorf("out of time: %v %v", refusal, err)
		}
	})
}

func TestJobsOfTheVaults(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		if list, refusal, err := e.Jobs(b.Context()); err != nil || refusal != nil || len(list.Jobs) != 0 || list.At.Sub(list.Since) != 24*time.Hour {
			t.Errorf("%+v %v %v", list, refusal, err)
		}
		b.failedOver(e)
		pass(23 * time.Hour)
		if list, _, _ := e.Jobs(b.Context()); len(list.Jobs) != 1 || list.Jobs[0].State != failover.JobSucceeded || list.Missing != "" {
			t.Errorf("%+v", list)
		}
		b.vault.change(func(v *vault) { v.trouble, v.part = silent(), true })
		if list, refusal, _ := e.Jobs(b.Context()); refusal != nil || len(list.Jobs) != 1 || !strings.Contains(list.Missing, "did not answer") {
			t.Errorf("a part is told as one: %+v %v", list, refusal)
		}
		b.vault.change(func(v *vault) { v.part = false })
		if _, refusal, err := e.Jobs(b.Context()); err != nil || refusal == nil || refusal.Hint == "" {
			t.Errorf("Azure is away: %v %v", refusal, err)
		}
		b.vault.change(func(v *vault) { v.trouble = nil })
		pass(2 * time.Hour)
		if list, _, _ := e.Jobs(b.Context()); len(list.Jobs) != 0 {
			t.Errorf("a day later: %+v", list)
		}
	})
}

// A forecast is of what is typed, by what the past says; whoever is unknown is told the near names, and nothing is called.
func TestForecast(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		e.RTO = time.Hour
		e.Fleets = map[string]failover.Group{"shop": {Name: "shop", Waves: []failover.GroupWave{{VMs: []string{"vm-*", "gone"}}}}}
		f, refusal, err := e.Forecast(b.Context(), failover.ForecastOf{VMs: "VM-X"})
		if err != nil || refusal != nil || f.What != "vm-x" || f.VMs != 1 || f.Seconds != 240 || f.P95 <= f.Seconds || f.RTO != 3600 || f.Promise() != failover.PromiseKept {
			t.Fatalf("%+v %v %v", f, refusal, err)
		}
		if f, refusal, err = e.Forecast(b.Context(), failover.ForecastOf{Group: "shop"}); err != nil || refusal != nil || f.What != "group shop" || f.VMs == 0 || f.LeftOut != "gone is not replicated." {
			t.Errorf("%+v %v %v", f, refusal, err)
		}
		b.vault.plans = []failover.RecoveryPlan{{ID: "/plans/shop", Key: "v|plan/shop", Name: "plan-shop", Groups: []failover.PlanGroup{{Keys: []string{"v|a", "v|b"}}, {Keys: []string{"v|c"}}}}}
		if f, refusal, err = e.Forecast(b.Context(), failover.ForecastOf{Plan: "plan-shop"}); err != nil || refusal != nil || f.VMs != 3 || f.Waves != 2 {
			t.Errorf("%+v %v %v", f, refusal, err)
		}
		if _, refusal, _ = e.Forecast(b.Context(), failover.ForecastOf{VMs: "SHOP"}); refusal == nil || refusal.Error() != "shop is a group, not a VM. Type /failover forecast group shop." {
			t.Errorf("a group without the word: %v", refusal)
		}
		if _, refusal, _ = e.Review(b.Context(), "shop", ""); refusal == nil || !strings.Contains(refusal.Hint, "/failover reprotect group shop") {
			t.Errorf("a group reprotected without the word: %v", refusal)
		}
		for _, of := range []failover.ForecastOf{{VMs: "vm-z"}, {VMs: "vm-x vm-x"}, {Group: "shap"}, {Plan: "none"}} {
			if _, refusal, err := e.Forecast(b.Context(), of); err != nil || refusal == nil || refusal.Hint == "" {
				t.Errorf("%+v: %v %v", of, refusal, err)
			}
		}
		if b.vault.sent() != 0 {
			t.Error("a forecast called")
		}
	})
}
