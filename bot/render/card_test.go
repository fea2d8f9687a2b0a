package render_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/failover"
)

// actions are the buttons of a message, by action id.
func actions(m render.Message) []string {
	var ids []string
	for _, b := range m.Blocks {
		if b, ok := b.(*slack.ActionBlock); ok {
			for _, e := range b.Elements.ElementSet {
				if e, ok := e.(*slack.ButtonBlockElement); ok {
					ids = append(ids, e.ActionID)
				}
			}
		}
	}
	return ids
}

// TestButtonsAreLegal: a card offers what would not be refused for its phase, and nothing else.
func TestButtonsAreLegal(t *testing.T) {
	for name, s := range scenarios() {
		var want []string
		switch {
		case name == "awaiting_approval_expired" || slices.ContainsFunc(s.op.Targets, func(t failover.Target) bool { return t.Unplanned }):
		case s.op.Phase == failover.AwaitingApproval && s.op.Started():
			want = []string{render.ActionApprove}
		case len(s.op.Frozen) > 0:
			want = []string{render.ActionDeny}
		case s.op.Phase == failover.AwaitingApproval:
			want = []string{render.ActionApprove, render.ActionDeny}
		case name == "change_asked":
			want = []string{render.ActionCommit, render.ActionChange}
		case name == "awaiting_commit_named":
			want = []string{render.ActionCommitNamed}
		case s.op.Unreviewed():
			want = []string{render.ActionSignOff, render.ActionObject}
		case s.op.Phase == failover.AwaitingCommit:
			want = []string{render.ActionCommit}
		case s.op.Phase == failover.Succeeded && s.op.Verb == failover.VerbFailover:
			want = []string{render.ActionReprotect}
		case name == "drill_up" || name == "drill_reminded":
			want = []string{render.ActionCleanup}
		}
		if got := actions(render.Card(s.op, s.now, false)); !slices.Equal(got, want) {
			t.Errorf("%s offers %v, want %v", name, got, want)
		}
	}
}

func TestVerbOf(t *testing.T) {
	for action, want := range map[string]failover.Verb{
		render.ActionApprove: failover.VerbApprove, render.ActionDeny: failover.VerbDeny, render.ActionWithdraw: failover.VerbWithdraw,
		render.ActionCommit: failover.VerbCommit, render.ActionCancel: failover.VerbCancel,
		render.ActionCommitNamed: failover.VerbCommit, render.ActionSignOff: failover.VerbApprove, render.ActionObject: failover.VerbDeny,
		render.ActionChange: failover.VerbChange, render.ActionReprotect: failover.VerbReprotect, render.ActionCleanup: failover.VerbCleanup,
	} {
		if got, ok := render.VerbOf(action); !ok || got != want {
			t.Errorf("VerbOf(%s) = %s, %v", action, got, ok)
		}
	}
	if verb, ok := render.VerbOf("ferry_expire"); ok {
		t.Errorf("a button can ask for %s", verb)
	}
}

// TestFirstThingsFirst: state, target and who is waited for stand in the first 400 characters, on every surface.
func TestFirstThingsFirst(t *testing.T) {
	waits := map[failover.Phase]string{
		failover.AwaitingApproval: "the role approver", failover.AwaitingCommit: "the role approver", failover.Running: "Waits for Azure",
		failover.NeedsAttention: "Waits for a person", failover.Succeeded: "Nobody has to act",
	}
	others := map[string]string{ // in which no decision and no Azure is waited for
		"failback_failed": "press Fail back again", "drill_reminded": "press Clean up", "failback_asking": "nobody has to act", "failback_preparing": "nobody has to act yet", "failback_blocked": "cannot be decided yet",
		"failback_home": "make sure that nothing else uses it", "failback_home_unread": "look there", "drill_up": "press Clean up",
		"succeeded": "press Reprotect", "succeeded_outside": "press Reprotect", "incident_declared": "incident over", "freeze_declared": "unfreeze", "freeze_over": "New work may start again",
	}
	for name, s := range scenarios() {
		want := cmp.Or(others[name], waits[s.op.Phase])
		switch {
		case name == "awaiting_approval_expired":
			want = "ask again"
		case want == "":
			want = "waits for nobody"
		}
		card := render.Card(s.op, s.now, false)
		for surface, text := range map[string]string{"Slack": readable(card), "text": card.Text, "terminal": render.CardText(s.op, s.now)} {
			first := string([]rune(text)[:min(400, len([]rune(text)))])
			if !strings.Contains(first, bot.Targets(s.op)) && s.op.Verb != failover.VerbIncident || !strings.Contains(first, want) {
				t.Errorf("%s on %s begins %q, without %q", name, surface, first, want)
			}
		}
	}
}

// TestBlockIDsChange: Slack wants other block ids in an edited message.
func TestBlockIDsChange(t *testing.T) {
	before, after := accepted(), halfway()
	seen := map[string]bool{}
	for _, b := range render.Card(before.op, before.now, false).Blocks {
		seen[b.ID()] = true
	}
	for _, b := range render.Card(after.op, after.now, false).Blocks {
		if seen[b.ID()] {
			t.Errorf("block id %s stays", b.ID())
		}
	}
}

func TestContinued(t *testing.T) {
	s := halfway()
	if text := readable(render.Card(s.op, s.now, true)); !strings.Contains(text, "Continued here") {
		t.Errorf("not said:\n%s", text)
	}
}

// TestLostStepsDoNotTick: nobody looks any more how a step of an ended operation goes on, so no clock runs on its card.
func TestLostStepsDoNotTick(t *testing.T) {
	s := halfway().then(time.Minute, failover.Finished{Phase: failover.Cancelled, Note: "Ended by ben."})
	early, late := render.Card(s.op, s.now, false), render.Card(s.op, s.now.Add(time.Hour), false)
	if strings.Contains(readable(late), "running for") || !strings.Contains(readable(late), "not known how it ended") {
		t.Errorf("the card claims to know:\n%s", readable(late))
	}
	if early.Text != late.Text {
		t.Errorf("%q became %q", early.Text, late.Text)
	}
}

// TestPartsStandBelowTheirTask: what a task is made of is indented further than the task.
func TestPartsStandBelowTheirTask(t *testing.T) {
	s := halfway()
	all := []failover.Task{{Name: "Reprotecting", State: "InProgress", StartedAt: s.now}, {Name: "Enable replication", State: "InProgress", StartedAt: s.now, Part: true}}
	s = s.then(time.Second, failover.Observed{Target: s.op.Targets[0].Item.Key, Kind: failover.StepFailover, Tasks: all})
	if text := readable(render.Card(s.op, s.now, false)); !strings.Contains(text, "   ▶ Reprotecting: running") || !strings.Contains(text, "      ▶ Enable replication: running") {
		t.Errorf("the card does not nest:\n%s", text)
	}
}

// TestManyTargets: a thousand VMs are one card, worst first.
func TestManyTargets(t *testing.T) {
	op := halfway().op
	one := op.Targets[0]
	op.Targets = nil
	for i := range 1000 {
		target := one
		target.Item.Name = fmt.Sprintf("vm-%03d", i)
		if i == 700 {
			target.Phase, target.Error = failover.Failed, &failover.Fault{Message: "no capacity"}
		}
		op.Targets = append(op.Targets, target)
	}
	text := readable(render.Card(op, start(), false))
	for _, part := range []string{"Failover of 1,000 VMs", "1 failed · 999 running", "1 failed: vm-700", "no capacity"} {
		if !strings.Contains(text, part) {
			t.Errorf("the card lacks %q:\n%s", part, text)
		}
	}
	if strings.Index(text, "1 failed: vm-700") > strings.Index(text, "vm-000") {
		t.Error("the failed VM does not come first")
	}
}

// TestNoticeKeys: what notifies in which phase, and where.
func TestNoticeKeys(t *testing.T) {
	want := map[string]string{
		"awaiting_approval": "approval", "awaiting_commit": "commit", "awaiting_commit_asked": "commit commit_asked",
		"awaiting_commit_failed": "commit commit_failed_1", "needs_attention": "attention", "failed": "failed", "succeeded": "done",
		"denied": "done/thread", "expired": "done/thread", "withdrawn": "done/thread", "cancelled": "done/thread", "running": "",
	}
	all := scenarios()
	for name, want := range want {
		var keys []string
		for _, n := range render.Notices(all[name].op, nil) {
			if n.Thread {
				n.Key += "/thread"
			}
			keys = append(keys, n.Key)
		}
		if got := strings.Join(keys, " "); got != want {
			t.Errorf("%s notifies %q, want %q", name, got, want)
		}
	}
}

// TestTables draws what status and list say, full and empty.
func TestTables(t *testing.T) {
	var ops []failover.Operation
	for _, name := range []string{"succeeded", "running", "needs_attention", "awaiting_approval", "awaiting_commit", "awaiting_approval_unhealthy"} {
		ops = append(ops, scenarios()[name].op)
	}
	now := start().Add(10 * time.Minute)
	second, third := item(), item()
	second.Name, second.Key, second.State, second.Active, second.RPO = "sql-01", "b", failover.StateCommitPending, "North Europe", -1
	third.Name, third.Key, third.Vault, third.Health, third.RPO = "app-01", "c", "vault-eus", "", 95*time.Second
	inv := failover.Inventory{At: now.Add(-42 * time.Second), Items: []failover.Item{item(), second, third}, Holders: map[string]failover.OpID{"b": "op-7f3kq2mz"}, Groups: []failover.GroupLine{{Name: "checkout", VMs: 2, Waves: 2}, {Name: "web", VMs: 1, Waves: 1}}}
	help, _ := bot.Help("", nil)
	if !strings.Contains(wire(t, render.Preformatted(help)), "Not available yet") {
		t.Error("the overview of the help does not fit into an answer")
	}
	page, _ := bot.Help("run", nil)
	golden(t, "tables.txt", strings.Join([]string{
		render.StatusTable(ops, now, 0), render.StatusTable(nil, now, 0), render.ListTable(inv, now, 0),
		render.ListTable(failover.Inventory{At: now}, now, 0), render.ListTable(failover.Inventory{}, now, 0), help + "\n", page + "\n",
	}, "----\n"))
	if inv.Items[0].Name != "vm-x" || ops[0].Phase != failover.Succeeded {
		t.Error("a table sorted its caller's list")
	}
}

// TestEphemeral: the reader's own time stands beside a full one, and nothing is live.
func TestEphemeral(t *testing.T) {
	m := render.Ephemeral("<!channel> until 2026-11-23 14:05 UTC.\nAsk & wait.")
	golden(t, "ephemeral.json", wire(t, m))
	if m.Text != "&lt;!channel&gt; until 2026-11-23 14:05 UTC.\nAsk &amp; wait." {
		t.Errorf("text is %q", m.Text)
	}
}

// TestPreformattedSaysWhatItLeftOut: a table that is too long ends after a whole line.
func TestPreformattedSaysWhatItLeftOut(t *testing.T) {
	text := readable(render.Preformatted(strings.Repeat("vm-x  Protected\n", 1000)))
	if !strings.Contains(text, "lines are not shown.") || strings.Contains(text, "vm-x  Prot…") {
		t.Errorf("cut to %q", text[len(text)-60:])
	}
}

// TestNoticeMentionsWhoMayDecide: users and user groups, and nothing else that looks like an id.
func TestNoticeMentionsWhoMayDecide(t *testing.T) {
	n := render.Notices(scenarios()["awaiting_approval"].op, []string{"S0APPROVERS", "U0BEN", "cli:ben", "here", "!channel", "S0 X"})[0]
	if want := "<!subteam^S0APPROVERS> <@U0BEN> Approval needed"; !strings.HasPrefix(n.Message.Text, want) {
		t.Errorf("got %q, want it to begin with %q", n.Message.Text, want)
	}
	data, err := json.Marshal(n.Message.Blocks)
	if err != nil || !strings.Contains(string(data), `{"type":"usergroup","usergroup_id":"S0APPROVERS"}`) {
		t.Errorf("got %s, %v", data, err)
	}
	if !strings.Contains(string(data), `until 2026-11-23 12:18 UTC ("},{"type":"date","timestamp":1795436280,"format":"{time} your time"`) {
		t.Errorf("the reader's own time is not told: %s", data)
	}
}

// At an end who asked is named, and nobody is called: also when they are an approver.
func TestNoticeOfAnEndCallsNobody(t *testing.T) {
	for _, name := range []string{"succeeded", "failed", "denied", "expired", "withdrawn", "cancelled"} {
		n := render.Notices(scenarios()[name].op, []string{"U0ANA", "U0BEN"})[0]
		if !strings.HasPrefix(n.Message.Text, "ana: The failover of vm-x ") || strings.Contains(n.Message.Text, "<") {
			t.Errorf("%s: %q", name, n.Message.Text)
		}
	}
	if n := render.Notices(scenarios()["needs_attention"].op, []string{"U0BEN"})[0]; !strings.HasPrefix(n.Message.Text, "<@U0BEN> ana: vm-x needs attention") {
		t.Errorf("%q", n.Message.Text)
	}
}

// TestNoticeIsCut: long names and many approvers do not make a notice long.
func TestNoticeIsCut(t *testing.T) {
	op := failedOver().op
	op.Targets[0].Item.Name, op.Targets[0].Item.To = strings.Repeat("n", 90), strings.Repeat("r", 90)
	approvers := slices.Repeat([]string{"U0123456789ABCDEF"}, 9)
	for _, n := range render.Notices(op, approvers) {
		if size := len([]rune(n.Message.Text)); size != 300 || strings.Count(n.Message.Text, "<@") != 6 {
			t.Errorf("%d characters: %s", size, n.Message.Text)
		}
	}
}

// TestDecisionFitsAPhone: who decides sees the whole of it with the buttons, without scrolling. A phone has room for about 30 lines
// of 42 characters between its bars; an ordinary request leaves some for the title and for what stands before the card.
func TestDecisionFitsAPhone(t *testing.T) {
	for name, s := range scenarios() {
		card := render.Card(s.op, s.now, false)
		text, _, asks := strings.Cut(readable(card), "[Approve]")
		if !asks {
			continue
		}
		lines := 0
		for l := range strings.Lines(text) {
			lines += (len([]rune(strings.TrimSpace(l))) + 41) / 42
		}
		limit := 30
		if name == "awaiting_approval" {
			limit = 22
		}
		if lines > limit {
			t.Errorf("%s: %d lines before the buttons:\n%s", name, lines, text)
		}
		for _, want := range []string{"*VM", "*Asked by:*", "When approved: "} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q does not stand before the buttons:\n%s", name, want, text)
			}
		}
	}
}
