package world

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/config"
	"ferry/failover"
	"ferry/sandbox/workspace"
)

// answers has somebody (an id) type a command, and checks the answer to it.
func (w *world) answers(who, line, want string) {
	w.t.Helper()
	before := len(w.workspace.Messages(incident, who))
	if err := w.workspace.Type(who, incident, line); err != nil {
		w.t.Fatal(err)
	}
	var said string
	answered := w.until(time.Minute, func() bool {
		said = ""
		for _, m := range w.workspace.Messages(incident, who)[before:] {
			if m.EphemeralFor == who {
				said = strings.Join(w.workspace.Render(m), "\n")
			}
		}
		return strings.Contains(said, want)
	})
	if !answered {
		w.t.Fatalf("%s by %s was answered %q, want %q", line, who, said, want)
	}
}

// byGroup has operators by a Slack group alone, and dan by his id.
func byGroup(c *config.Config) {
	c.Access.Roles["operator"] = config.Role{Users: []string{"U0DAN"}, Groups: []string{"S0OPS"}}
}

func (w *world) operators(users ...string) {
	w.t.Helper()
	if err := w.workspace.SetGroup(workspace.UserGroup{ID: "S0OPS", Handle: "ops", Users: users}); err != nil {
		w.t.Fatal(err)
	}
}

// may asks for a failover and takes it back.
func (w *world) may(who string) {
	w.t.Helper()
	w.answers(who, "/failover vm-x", "approv")
	w.answers(who, "/failover withdraw "+w.id(), "withdrawn")
}

const denied = "may not"

// Who is taken out of a group has no right any more: at once when Slack tells, within two minutes when the event is lost, and
// when Slack is silent as soon as what was read last is too old. Who is named by id goes on.
func TestOperatorByGroupAlone(t *testing.T) {
	bubble(t, func(w *world) {
		w.configure = byGroup
		w.operators("U0ANA")
		w.begin()
		pass(10 * time.Second)
		w.may("U0ANA")
		w.answers("U0EVE", "/failover vm-x", denied)

		w.operators("U0EVE")
		pass(5 * time.Second)
		w.answers("U0ANA", "/failover vm-x", denied)
		w.may("U0EVE")

		w.workspace.Outage(2 * time.Second)
		w.operators("U0ANA")
		pass(2 * time.Minute)
		w.answers("U0EVE", "/failover vm-x", denied)
		w.may("U0ANA")

		w.workspace.FailNext("usergroups.users.list", 503, 1000)
		pass(3 * time.Minute)
		w.may("U0ANA")
		pass(3 * time.Minute)
		w.answers("U0ANA", "/failover vm-x", "Slack's groups were last read at")
		w.may("U0DAN")
	})
}

// cat and dan have every right, and what they are keeps them from it: each try is on record, with what was found out and the
// refusal, and Azure is never called.
func TestWhoIsNoMemberInGoodStandingIsRecordedAndRefused(t *testing.T) {
	kinds := map[workspace.Kind]failover.Standing{
		workspace.Guest: failover.StandingGuest, workspace.SingleChannelGuest: failover.StandingGuest, workspace.OtherBot: failover.StandingBot,
		workspace.WorkflowBot: failover.StandingBot, workspace.Deactivated: failover.StandingDeactivated,
	}
	bubble(t, func(w *world) {
		w.configure = func(c *config.Config) {
			c.Access.Roles["operator"] = config.Role{Users: []string{"U0ANA", "U0CAT", "U0DAN"}}
			c.Access.Roles["approver"] = config.Role{Users: []string{"U0CAT", "U0DAN"}}
		}
		w.begin()
		w.types("ana", "/failover vm-x", "[ Approve ]")
		var want []failover.Standing
		refused := func(who string, s failover.Standing, do func() error) {
			t.Helper()
			if err := do(); err != nil {
				t.Fatal(err)
			}
			if !w.until(10*time.Second, func() bool { return strings.Contains(w.told(who), s.Barred().Message) }) {
				t.Errorf("%s was told %s", s, w.told(who))
			}
			want = append(want, s)
		}
		become := func(kind workspace.Kind) {
			if err := w.workspace.SetKind("cat", kind); err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
		}
		for kind, standing := range kinds {
			become(kind)
			refused("U0CAT", standing, func() error { return w.workspace.Type("cat", incident, "/failover test vm-y") })
			refused("U0CAT", standing, func() error { _, err := w.workspace.Click("cat", incident, "Approve"); return err })
		}
		if err := w.workspace.Share(incident, workspace.Shared); err != nil {
			t.Fatal(err)
		}
		become(workspace.Stranger)
		refused("U0CAT", failover.StandingStranger, func() error { _, err := w.workspace.Click("cat", incident, "Approve"); return err })
		refused("U0DAN", failover.StandingSharedChannel, func() error { _, err := w.workspace.Click("dan", incident, "Approve"); return err })
		refused("U0DAN", failover.StandingSharedChannel, func() error { return w.workspace.Type("dan", incident, "/failover test vm-y") })
		pass(time.Minute)
		if calls := w.vault.Ledger(); len(calls) > 0 {
			t.Errorf("Azure was called: %+v", calls)
		}
		if err := w.workspace.Share(incident, ""); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		w.answers("U0DAN", "/failover test vm-y", "started") // the same wish, without what kept him from it
		pass(time.Minute)
		w.stop()
		w.areRefused(want)
	})
}

// areRefused compares the refusals for somebody's standing on record with what is wanted, in any order.
func (w *world) areRefused(want []failover.Standing) {
	w.t.Helper()
	stored, err := w.readStream()
	if err != nil {
		w.t.Fatal(err)
	}
	var got []failover.Standing
	for _, records := range stored.records {
		for _, r := range records {
			if f, ok := r.Fact.(failover.Refused); ok && f.By.Standing != "" {
				got = append(got, f.By.Standing)
				if f.Refusal.Message != f.By.Standing.Barred().Message {
					w.t.Errorf("%s was refused with %q", f.By.Standing, f.Refusal.Message)
				}
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("on record are %q, want %q", got, want)
	}
}
