package render_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"pgregory.net/rapid"

	"ferry/bot/render"
	"ferry/failover"
)

func roles(who ...string) failover.Policy {
	return failover.Policy{Roles: map[string][]string{"approver": who}}
}

func well() render.Health {
	return render.Health{Bot: "ferry-1", Version: "1.7.0", Sockets: 2, OfSockets: 2, NATS: true, Executor: true}
}

// called is a story under another id, and about another VM.
func called(s story, id failover.OpID, vm string) failover.Operation {
	op := s.op
	op.ID, op.Targets = id, slices.Clone(op.Targets)
	for i := range op.Targets {
		op.Targets[i].Item.Name = vm
	}
	return op
}

// busyHome is a Home with something in each of its lists.
func busyHome() render.Overview {
	all := scenarios()
	fresh := all["awaiting_approval"]
	mine := called(fresh, "op-bbbbbbbb", "sql-01")
	mine.RequestedBy = ben()
	return render.Overview{
		Operations: []failover.Operation{fresh.op, mine, called(halfway(), "op-cccccccc", "web-1"), called(all["needs_attention"], "op-dddddddd", "web-2"), called(all["succeeded"], "op-eeeeeeee", "web-3"), called(all["denied"], "op-ffffffff", "web-4")},
		Debt:       debtList(), Readiness: readinessList(), Policy: roles("U0BEN"), Health: well(),
	}
}

// manyHome is a Home of a bad night.
func manyHome() render.Overview {
	o := busyHome()
	for i := range 40 {
		for n, op := range busyHome().Operations {
			op.ID, op.Seq = failover.OpID(fmt.Sprintf("op-%c%c%caaaaa", 'a'+i%26, 'a'+i/26, 'a'+n)), uint64(100+10*i+n)
			o.Operations = append(o.Operations, op)
		}
		o.Debt.Debts = append(o.Debt.Debts, o.Debt.Debts[0])
		o.Readiness.Items = slices.Insert(o.Readiness.Items, 0, o.Readiness.Items[0])
	}
	return o
}

// TestHome draws each state of the Home tab: as people read it, and two of them as Slack gets them.
func TestHome(t *testing.T) {
	now := start().Add(10 * time.Second)
	empty := render.Overview{
		Debt: failover.DebtList{At: now}, Readiness: failover.ReadinessList{At: now, Items: []failover.ReadyItem{{Name: "vm-x", Vault: "v", Readiness: failover.Ready}}},
		Policy: roles("U0BEN"), Health: well(),
	}
	unwell, silent, unread := busyHome(), busyHome(), empty
	unwell.Health = render.Health{Bot: "ferry-1", Version: "1.7.0", Sockets: 1, OfSockets: 2, Lagging: 3, NATS: true}
	unwell.Readiness.At = now.Add(-time.Hour)
	silent.Health.NATS, silent.Health.Executor = false, false
	unread.Policy.Groups = map[string][]string{"approver": {"S1"}}
	unread.Debt, unread.Readiness = failover.DebtList{}, failover.ReadinessList{}
	frozen := empty
	frozen.Operations = []failover.Operation{emergencies()["freeze_declared"].op}
	late := render.Ephemeral("op-7f3kq2mz was already approved by <ben> at 2026-11-23 12:03 UTC.")
	rows := []struct {
		title string
		view  slack.HomeTabViewRequest
	}{
		{"empty", render.Home(empty, ben(), nil, now)},
		{"busy, for an approver", render.Home(busyHome(), ben(), nil, now)},
		{"busy, for who asked", render.Home(busyHome(), ana(), nil, now)},
		{"after a press that came second", render.Home(empty, ben(), &late, now)},
		{"a freeze", render.Home(frozen, ben(), nil, now)},
		{"many", render.Home(manyHome(), ben(), nil, now)},
		{"the bot is unwell", render.Home(unwell, failover.Actor{ID: "U0EVE"}, nil, now)},
		{"NATS is away", render.Home(silent, failover.Actor{ID: "U0EVE"}, nil, now)},
		{"Azure and Slack's groups were never read", render.Home(unread, ben(), nil, now)},
		{"may not look", render.HomeBarred(failover.StandingGuest.Barred())},
	}
	var text strings.Builder
	for _, row := range rows {
		text.WriteString("=== " + row.title + " ===\n" + readable(render.Message{Blocks: row.view.Blocks.BlockSet}) + "\n")
	}
	golden(t, "home.txt", text.String())
	for name, view := range map[string]slack.HomeTabViewRequest{"home_busy.json": rows[1].view, "home_barred.json": rows[len(rows)-1].view} {
		raw, err := json.MarshalIndent(view, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, string(raw)+"\n")
	}
}

// TestHomeOffersWhatIsLegal: only who may decide a gate has its buttons, and who asked may withdraw.
func TestHomeOffersWhatIsLegal(t *testing.T) {
	glass := emergencies()["glass_running"].op
	held := fleetsOf[12]()["on_hold"]
	attention := wave2(12)
	attention.op.Phase, attention.op.Targets = failover.NeedsAttention, slices.Clone(attention.op.Targets)
	attention.op.Targets[0].Phase = failover.Failed
	one := halfway().then(time.Second, failover.PutOnHold{By: ben()})
	both := scenarios()["awaiting_commit"].op // a commit and a review, of different people
	both.Plan.BrokenGlass = &failover.BrokenGlass{By: ben(), Wanted: 1, Reviewers: []string{"reviewer"}}
	rows := map[string]struct {
		op   failover.Operation
		who  failover.Actor
		want string
	}{
		"an approver":                   {scenarios()["awaiting_approval"].op, ben(), "[Approve] [Deny]"},
		"who asked":                     {scenarios()["awaiting_approval"].op, ana(), "[Withdraw]"},
		"somebody else":                 {scenarios()["awaiting_approval"].op, failover.Actor{ID: "U0EVE"}, ""},
		"an approver, while it runs":    {halfway().op, ben(), ""},
		"the commit":                    {scenarios()["awaiting_commit"].op, ben(), "[Commit]"},
		"who asked, at the commit":      {scenarios()["awaiting_commit"].op, ana(), ""},
		"on hold, who may cancel":       {held.op, failover.Actor{ID: "U0EVE"}, "[Resume] [Retry failed] [Skip failed]"},
		"on hold, an approver":          {held.op, ben(), ""},
		"some failed, who may cancel":   {attention.op, failover.Actor{ID: "U0EVE"}, "[Retry failed] [Skip failed]"},
		"it goes on, who may cancel":    {wave2(12).op, failover.Actor{ID: "U0EVE"}, ""},
		"one VM on hold":                {one.op, failover.Actor{ID: "U0EVE"}, ""},
		"a broken glass":                {glass, failover.Actor{ID: "U0CAS"}, "[Sign off] [Object]"},
		"the review, not the commit":    {both, failover.Actor{ID: "U0DAN"}, "[Sign off] [Object]"},
		"the commit, not the review":    {both, ben(), "[Commit]"},
		"who broke it":                  {glass, glass.Plan.BrokenGlass.By, ""},
		"frozen: it can only be denied": {emergencies()["awaiting_approval_frozen"].op, ben(), "[Deny]"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			o := render.Overview{Operations: []failover.Operation{row.op}, Policy: roles("U0BEN", "U0CAS"), Health: well()}
			o.Policy.Roles["reviewer"], o.Policy.Roles["lead"] = []string{"U0DAN"}, []string{"U0EVE"}
			o.Policy.Rules = []failover.Rule{{Classes: []failover.Class{failover.ClassCancel}, May: []string{"lead"}}}
			var got []string
			for _, b := range render.Home(o, row.who, nil, start().Add(time.Minute)).Blocks.BlockSet {
				if actions, ok := b.(*slack.ActionBlock); ok {
					for _, e := range actions.Elements.ElementSet {
						got = append(got, "["+e.(*slack.ButtonBlockElement).Text.Text+"]")
					}
				}
			}
			if strings.Join(got, " ") != row.want {
				t.Errorf("offers %v, want %s", got, row.want)
			}
			said := readable(render.Message{Blocks: render.Home(o, row.who, nil, start().Add(time.Minute)).Blocks.BlockSet})
			if strings.Contains(name, "on hold") && row.who.ID == "U0EVE" && (strings.Contains(said, "Nothing waits for you") || !strings.Contains(said, "On hold since")) {
				t.Errorf("it does not say what waits for them:\n%s", said)
			}
		})
	}
}

// homeHolds holds a Home to Slack's limits, whatever is in it.
func homeHolds(t *rapid.T) {
	who := failover.Actor{ID: "U0BEN"}
	o := render.Overview{
		Readiness: readinessGen().Draw(t, "readiness"), Debt: failover.DebtList{At: sometime().Draw(t, "at")}, Policy: failover.Policy{Roles: map[string][]string{}},
		Health: render.Health{Bot: hostile().Draw(t, "bot"), Version: hostile().Draw(t, "version"), Lagging: 1, Sockets: 1, OfSockets: 2},
	}
	for i, op := range rapid.SliceOfN(operationGen(), 0, 3).Draw(t, "operations") {
		for n := range rapid.IntRange(1, 20).Draw(t, "times") {
			op.Seq = uint64(1000*i + n)
			o.Operations = append(o.Operations, op)
		}
		for _, role := range slices.Concat(op.Plan.Rule.Approvers, op.Plan.Rule.May, op.Plan.CommitBy.Approvers, op.Plan.CommitBy.May) {
			o.Policy.Roles[role] = []string{"U0BEN"}
		}
		o.Debt.Debts = append(o.Debt.Debts, failover.Debt{Name: hostile().Draw(t, "name"), Vault: hostile().Draw(t, "vault"), Owner: someone().Draw(t, "owner"), Kind: failover.Uncommitted, Typed: hostile().Draw(t, "typed")})
	}
	said := render.Ephemeral(hostile().Draw(t, "said"))
	checkMessage(t, render.Message{Text: "Home", Blocks: render.Home(o, who, &said, sometime().Draw(t, "now")).Blocks.BlockSet}, 21_000)
	barred := failover.Refuse(failover.NotAllowed, hostile().Draw(t, "hint"), "%s", hostile().Draw(t, "why"))
	checkMessage(t, render.Message{Text: "Home", Blocks: render.HomeBarred(barred).Blocks.BlockSet}, 13_000)
}

// homeShows holds the Home to the same with an operation that waits for who looks, that they asked for, and that is open.
func homeShows(t *rapid.T, op failover.Operation, now time.Time) {
	t.Helper()
	decides := failover.Policy{Roles: map[string][]string{}}
	for _, role := range slices.Concat(op.Plan.Rule.Approvers, op.Plan.Rule.May, op.Plan.CommitBy.Approvers, op.Plan.CommitBy.May) {
		decides.Roles[role] = []string{"U0BEN"}
	}
	for _, p := range []failover.Policy{decides, {}} {
		o := render.Overview{Operations: []failover.Operation{op}, Policy: p}
		for _, who := range []failover.Actor{ben(), {ID: op.RequestedBy.ID}} {
			checkMessage(t, render.Message{Text: "Home", Blocks: render.Home(o, who, nil, now).Blocks.BlockSet}, 21_000)
		}
	}
}

func TestHomeFitsSlack(t *testing.T) { rapid.Check(t, homeHolds) }
