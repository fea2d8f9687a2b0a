package render_test

import (
	"strings"
	"testing"
	"time"

	"ferry/bot/render"
	"ferry/failover"
)

// A reminder mentions who can do something about it, each once, and none is left of a gate that has been passed.
func TestReminders(t *testing.T) {
	at := func(hours int) time.Time { return time.Date(2026, 11, 23, hours, 0, 0, 0, time.UTC) }
	item := failover.Item{Key: "k", Name: "vm-x", To: "north"}
	waits := failover.Operation{
		ID: "op-7f3kq2mz", Verb: failover.VerbFailover, Phase: failover.AwaitingCommit, RequestedBy: failover.Actor{ID: "U0ANA", Name: "ana"},
		Targets: []failover.Target{{Item: item, Phase: failover.AwaitingCommit, Doing: failover.StepCommit}}, WaitsSince: at(3), RemindedAt: at(11), Reminders: 2,
	}
	home := waits
	home.Verb, home.Phase, home.StartedAt = failover.VerbFailback, failover.AwaitingApproval, at(1)
	home.Targets = []failover.Target{{Item: item, Phase: failover.AwaitingApproval, Doing: failover.StepCheck}}
	passed := waits
	passed.WaitsSince = at(12)
	done := waits
	done.Phase, done.WaitsSince = failover.Succeeded, time.Time{}
	drill := done
	drill.Verb, drill.FinishedAt = failover.VerbTest, at(7)
	rows := map[string]struct {
		op   failover.Operation
		want string
	}{
		"commit":               {waits, "<@U0BEN> Reminder: vm-x waits for the commit since 2026-11-23 03:00 UTC (op-7f3kq2mz). Press Commit on its card."},
		"gate of the way home": {home, "<@U0BEN> Reminder: vm-x waits for the check by a person since 2026-11-23 03:00 UTC (op-7f3kq2mz). Press It works on its card."},
		"of another gate":      {passed, ""},
		"over":                 {done, ""},
		"drill":                {drill, "<@U0ANA> Reminder: the test VM of vm-x is still there, since 2026-11-23 07:00 UTC (op-7f3kq2mz). When it is not needed any more, type /failover cleanup vm-x."},
	}
	for name, r := range rows {
		got := ""
		for _, n := range render.Notices(r.op, []string{"U0BEN"}) {
			if strings.HasPrefix(n.Key, "reminder_") {
				if got = n.Message.Text; n.Key != "reminder_2" || n.Thread {
					t.Errorf("%s: %+v", name, n)
				}
			}
		}
		if got != r.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, r.want)
		}
	}
}
