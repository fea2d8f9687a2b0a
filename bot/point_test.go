package bot_test

import (
	"strings"
	"testing"
	"time"

	"ferry/bot"
	"ferry/failover"
)

func TestUpToIsNeverLess(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "up to 1 minute", 0: "up to 1 minute", 60 * time.Second: "up to 1 minute", 61 * time.Second: "up to 2 minutes",
		90 * time.Minute: "up to 90 minutes", 91 * time.Minute: "up to 2 hours", 121 * time.Minute: "up to 3 hours",
		48 * time.Hour: "up to 48 hours", 49 * time.Hour: "up to 3 days",
	} {
		if got := bot.UpTo(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

// What is offered is what the parser takes, and names that one point.
func TestToPointParses(t *testing.T) {
	p := failover.RecoveryPoint{ID: "/subscriptions/1/recoveryPoints/6c2f0a52-0000-0000-0000-000000000001"}
	item := failover.Item{State: failover.StateProtected}
	for name, want := range map[string]string{"vm-x": "vm-x", "vault-a/vm-x": "vault-a/vm-x", "list": "list"} {
		typed := bot.ToPoint(name, item, p)
		intent, refusal := bot.Parse(typed[len(bot.Command):], noon())
		if refusal != nil || intent.Verb != "run" || intent.VM != want || intent.Point.Kind != failover.ByID || intent.Point.ID != p.ShortID() {
			t.Errorf("%q means %+v, %v", typed, intent, refusal)
		}
	}
	item.State = failover.StateCommitPending
	typed := bot.ToPoint("vm-x", item, p)
	if i, refusal := bot.Parse(typed[len(bot.Command):], noon()); refusal != nil || i.Verb != "change" || i.VM != "vm-x" || i.Point.ID != p.ShortID() {
		t.Errorf("%q means %+v, %v", typed, i, refusal)
	}
	if typed := bot.ToPoint("vm-x", failover.Item{State: failover.StateCommitted}, p); typed != "" {
		t.Errorf("offered %q in a state that allows nothing", typed)
	}
}

func TestPointsTakesAVM(t *testing.T) {
	if i, refusal := bot.Parse(" points vault-a/vm-x", noon()); refusal != nil || i.Verb != "points" || !i.ReadOnly || i.Ref != "vault-a/vm-x" {
		t.Errorf("%+v, %v", i, refusal)
	}
	for text, hint := range map[string]string{
		"points": "Type /failover points vm-x.", "points vm-x latest": "Type /failover points VM.", "points op-7f3kq2mz": "status op-7f3kq2mz", "point vm-x": "/failover points vm-x",
	} {
		if _, refusal := bot.Parse(text, noon()); refusal == nil || !strings.Contains(refusal.Hint, hint) {
			t.Errorf("%s: %v", text, refusal)
		}
	}
}

// Every line that a debt says to type is one that the parser takes.
func TestSettleParses(t *testing.T) {
	for _, kind := range []failover.DebtKind{failover.Uncommitted, failover.Unprotected, failover.DrillOpen} {
		d := failover.Debt{Kind: kind, Typed: "vault-a/vm-x"}
		typed, ok := strings.CutPrefix(bot.Settle(d), "type "+bot.Command)
		if i, refusal := bot.Parse(typed, noon()); !ok || refusal != nil || i.VM != d.Typed {
			t.Errorf("%s: %q means %+v, %v", kind, bot.Settle(d), i, refusal)
		}
		if d.Job = "TestFailover"; strings.Contains(bot.Settle(d), bot.Command) {
			t.Errorf("while a job runs: %q", bot.Settle(d))
		}
	}
}
