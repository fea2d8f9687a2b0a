package slack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/bot/slack"
	"ferry/failover"
	"ferry/sandbox/workspace"
)

// wantStandings checks as what those are stored who have given commands so far.
func (l *lab) wantStandings(want ...failover.Standing) {
	l.t.Helper()
	var got []failover.Standing
	for _, cmd := range l.commands.all() {
		got = append(got, cmd.By.Standing)
	}
	if !slices.Equal(got, want) {
		l.t.Errorf("stored with the standings %q, want %q", got, want)
	}
}

func kinds() map[workspace.Kind]failover.Standing {
	return map[workspace.Kind]failover.Standing{
		workspace.Guest: failover.StandingGuest, workspace.SingleChannelGuest: failover.StandingGuest,
		workspace.OtherBot: failover.StandingBot, workspace.WorkflowBot: failover.StandingBot, workspace.ConnectorBot: failover.StandingBot,
		workspace.Deactivated: failover.StandingDeactivated,
	}
}

// At every door: what would act is stored with the standing, so that the refusal is recorded; what only looks is refused there.
func TestWhoIsNoMemberIsStoredSoAndAnsweredSo(t *testing.T) {
	for kind, standing := range kinds() {
		t.Run(string(kind), func(t *testing.T) {
			inBothModes(t, func(l *lab) {
				if err := l.SetKind("U0EVE", kind); err != nil {
					t.Fatal(err)
				}
				l.start()
				l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
				pass(time.Second)
				said := standing.Barred().Message
				l.typed("U0EVE", "/failover vm-x")
				l.typed("U0EVE", "/failover reprotect vm-x")
				l.clicked("U0EVE", "Approve")
				l.wantStandings(standing, standing, standing)
				l.typed("U0EVE", "/failover list")
				l.typed("U0EVE", "/failover points vm-x")
				l.typed("U0EVE", "/failover commit vm-z")
				l.typed("U0EVE", "/failover freeze what")
				l.typed("U0EVE", "@ferry failover vm-x")
				pass(time.Second)
				for _, text := range l.told("U0EVE") {
					if !strings.Contains(text, said) {
						t.Errorf("told %q, want %q", text, said)
					}
				}
				if n := len(l.told("U0EVE")); n != 8 {
					t.Errorf("told %d times", n)
				}
				if n := l.count("views.open", "") + len(l.reads.asked); n != 0 {
					t.Errorf("%d forms or reads for somebody of no standing", n)
				}
				l.typed("U0EVE", "/failover help")
				if help := l.told("U0EVE"); strings.Contains(help[8], said) {
					t.Errorf("help is refused: %q", help[8])
				}
			})
		})
	}
}

func TestStrangerIsStoredSo(t *testing.T) {
	people := []workspace.Person{{ID: "U0EVE", Name: "eve"}, {ID: "U0OUT", Name: "out", Kind: workspace.Stranger}}
	bubbleIn(t, workspace.Options{People: people}, func(l *lab) {
		l.start()
		l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		pass(time.Second)
		l.shared()
		l.clicked("U0OUT", "Approve")
		l.clicked("U0EVE", "Approve")
		l.typed("U0EVE", "/failover vm-x")
		l.typed("U0EVE", "/failover list")
		l.wantStandings(failover.StandingStranger, failover.StandingSharedChannel, failover.StandingSharedChannel)
		l.wantTold("U0OUT", "another organisation")
		l.wantTold("U0EVE", "is shared", "is shared", "is shared")
		if n := l.count("users.info", ""); n != 1 {
			t.Errorf("asked %d times who somebody is", n)
		}
	})
}

// Slack Connect's invitation counts before it is taken. A private channel that the bot is not in cannot be looked at, which is
// no reason to trust it.
func TestChannelsThatAreAskedFrom(t *testing.T) {
	others := []workspace.Channel{
		{ID: "C0PENDING", Name: "pending", Sharing: workspace.PendingShared},
		{ID: "C0SHARED", Name: "shared", Sharing: workspace.Shared},
		{ID: "G0HIDDEN", Name: "hidden", Private: true, NoBot: true},
		{ID: "G0OPS", Name: "ops", Private: true},
		{ID: "C0OPEN", Name: "open", NoBot: true},
		{ID: "D0ANA", Name: "direct", Private: true, NoBot: true},
	}
	bubbleIn(t, workspace.Options{Others: others}, func(l *lab) {
		l.start()
		for _, c := range others {
			if err := l.Type("U0ANA", c.ID, "/failover vm-x"); err != nil {
				t.Fatal(err)
			}
			pass(10 * time.Second)
		}
		shared := failover.StandingSharedChannel
		l.wantStandings(shared, shared, failover.StandingHiddenChannel, "", "", "")
		if n := len(l.Messages("G0HIDDEN", "U0ANA")); n != 1 {
			t.Errorf("%d answers where the bot is not", n)
		}
	})
}

// Of a direct message of several people Slack tells an app nothing without one more scope: there it is no use to ask again.
func TestConversationThatSlackDoesNotTellOf(t *testing.T) {
	bubbleIn(t, workspace.Options{Others: []workspace.Channel{{ID: "G0SEVERAL", Name: "several", NoBot: true}}}, func(l *lab) {
		l.fails(map[string]string{"conversations.info": "missing_scope"})
		l.start()
		if err := l.Type("U0ANA", "G0SEVERAL", "/failover vm-x"); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		l.wantStandings(failover.StandingHiddenChannel)
		if m := l.Messages("G0SEVERAL", "U0ANA"); len(m) != 1 || !strings.Contains(strings.Join(l.Render(m[0]), ""), "in a direct message to Ferry") {
			t.Errorf("told %+v", m)
		}
	})
}

// Those whom nobody waits for are asked about so slowly that Slack answers for everybody.
func TestManyPeopleAreWithinWhatSlackAnswers(t *testing.T) {
	var o workspace.Options
	for i := range 150 {
		o.People = append(o.People, workspace.Person{ID: fmt.Sprint("U1", i), Name: fmt.Sprint("p", i)})
	}
	grouped(t, o, nil, func(l *lab, _ *members) {
		l.start()
		for _, p := range o.People {
			l.typed(p.ID, "/failover list")
			pass(time.Second)
		}
		pass(20 * time.Minute)
		if n := l.count("users.info", "ratelimited"); n != 0 {
			t.Errorf("%d questions too many", n)
		}
	})
}

func TestSharingIsNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		events []string
		after  time.Duration
	}{
		"by the event":   {slack.Events(), 0},
		"and without it": {[]string{"app_mention"}, 6 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			bubbleIn(t, workspace.Options{Events: c.events}, func(l *lab) {
				l.start()
				l.typed("U0ANA", "/failover vm-x")
				l.shared()
				pass(c.after)
				l.typed("U0ANA", "/failover vm-x")
				if err := l.Share(incident, ""); err != nil {
					t.Fatal(err)
				}
				pass(c.after)
				l.typed("U0ANA", "/failover vm-x")
				l.wantStandings("", failover.StandingSharedChannel, "")
			})
		})
	}
}

// Production is not spoken of where another organisation listens: neither in new messages nor in old ones.
func TestNothingIsShownInASharedChannel(t *testing.T) {
	bubbleIn(t, workspace.Options{Channel: workspace.Channel{Sharing: workspace.PendingShared}}, func(l *lab) {
		l.start()
		ops := chapters("op-aaaaaaaa", 1, 3)
		l.feed.publish(ops[0])
		pass(10 * time.Minute)
		if shown := l.shown(); len(shown) != 0 || l.feed.acks() != 0 {
			t.Errorf("shown to strangers: %q", shown)
		}
		if log := l.log.String(); !strings.Contains(log, "shared with another organisation") || !strings.Contains(log, "set slack.channel") {
			t.Errorf("log: %s", log)
		}
		if err := l.Share(incident, ""); err != nil {
			t.Fatal(err)
		}
		pass(6 * time.Minute)
		if n := len(l.cards()); n != 1 {
			t.Fatalf("%d cards when nobody listens any more", n)
		}
		l.shared()
		l.feed.publish(ops[1], ops[2])
		pass(10 * time.Minute)
		if m := l.Messages(incident, "U0EVE"); m[0].Edits != 0 {
			t.Error("a card is edited before strangers")
		}
	})
}

// Slow or silent, users.info keeps nobody waiting: what it said within the last hour counts, else the person is unchecked.
func TestSilentUsersInfo(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		l.meanwhile(func() { l.held = map[string]time.Duration{"users.info": 5 * time.Second} })
		l.typed("U0ANA", "/failover vm-x")
		pass(2500 * time.Millisecond)
		l.wantStandings(failover.StandingUnchecked)
		l.wantTold("U0ANA", "Slack did not say in time")
		pass(5 * time.Second) // the answer came meanwhile
		l.typed("U0ANA", "/failover vm-x")
		l.wantStandings(failover.StandingUnchecked, "")
		l.meanwhile(func() { l.held = nil })
		l.fails(map[string]string{"users.info": "internal_error"})
		pass(50 * time.Minute)
		l.typed("U0ANA", "/failover vm-x")
		l.wantStandings(failover.StandingUnchecked, "", "")
		pass(20 * time.Minute)
		l.typed("U0ANA", "/failover vm-x")
		l.wantStandings(failover.StandingUnchecked, "", "", failover.StandingUnchecked)
	})
}

// A read that has to wait for the check is answered in time all the same.
func TestSlowCheckLeavesTimeForTheAnswer(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		l.meanwhile(func() { l.held = map[string]time.Duration{"users.info": 900 * time.Millisecond} })
		l.reads.err, l.reads.slow = fmt.Errorf("nobody"), 10*time.Second
		start := time.Now()
		for _, text := range []string{"/failover list", "/failover points vm-x", "/failover vm-x"} {
			l.typed("U0EVE", text)
		}
		pass(2500 * time.Millisecond)
		if n := len(l.told("U0EVE")); n != 3 {
			t.Errorf("%d answers in time", n)
		}
		for _, a := range l.Acks() {
			if a.AckedAt.IsZero() || a.AckedAt.Sub(start) > 2500*time.Millisecond {
				t.Errorf("acknowledged at %s", a.AckedAt.Sub(start))
			}
		}
	})
}

// A question that failed is not asked again with every press.
func TestFailedCheckIsNotRepeatedAtOnce(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		l.FailNext("users.info", 503, 10)
		for range 3 {
			l.typed("U0ANA", "/failover list")
		}
		if n := l.count("users.info", ""); n != 1 {
			t.Errorf("asked %d times", n)
		}
		pass(3 * time.Second)
		l.typed("U0ANA", "/failover list")
		if n := l.count("users.info", ""); n != 2 {
			t.Errorf("asked %d times later", n)
		}
	})
}

func TestChangeOfAPersonIsNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		events []string
		after  time.Duration
	}{"by the event": {slack.Events(), 0}, "and without it": {[]string{"app_mention"}, 6 * time.Minute}} {
		t.Run(name, func(t *testing.T) {
			bubbleIn(t, workspace.Options{Events: c.events}, func(l *lab) {
				l.start()
				l.typed("U0ANA", "/failover vm-x")
				l.typed("U0ANA", "/failover vm-x")
				if n := l.count("users.info", "ok"); n != 1 {
					t.Errorf("users.info was asked %d times", n)
				}
				if err := l.SetKind("ana", workspace.Deactivated); err != nil {
					t.Fatal(err)
				}
				pass(c.after)
				l.typed("U0ANA", "/failover vm-x")
				l.wantStandings("", "", failover.StandingDeactivated)
			})
		})
	}
}

// In an enterprise ids of other workspaces of it are ours, and which workspaces count is by the token and slack.team_id.
func TestEnterprise(t *testing.T) {
	grid := workspace.Options{EnterpriseID: "E0OURS", People: []workspace.Person{{ID: "W0ANA", Name: "ana", TeamID: "T0SISTER"}, {ID: "W0OUT", Name: "out", Kind: workspace.Stranger}}}
	org := grid
	org.OrgInstall = true
	for name, c := range map[string]struct {
		o    workspace.Options
		team string
		want failover.Standing
	}{
		"one workspace":               {grid, "", ""},
		"one workspace, named":        {grid, "T0SANDBOX", ""},
		"the whole enterprise":        {org, "", ""},
		"the whole enterprise, named": {org, "E0OURS", ""},
		"one of the enterprise":       {org, "T0SANDBOX", ""},
		"another of the enterprise":   {org, "T0SISTER", failover.StandingOtherWorkspace},
	} {
		t.Run(name, func(t *testing.T) {
			bubbleIn(t, c.o, func(l *lab) {
				l.opts.TeamID = c.team
				l.start()
				l.typed("W0ANA", "/failover vm-x")
				l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
				pass(time.Second)
				l.clicked("W0ANA", "Approve")
				l.shared()
				l.clicked("W0OUT", "Approve")
				stranger := c.want
				if stranger == "" {
					stranger = failover.StandingStranger
				}
				l.wantStandings(c.want, c.want, stranger)
			})
		})
	}
}

func TestTokenOfAnotherWorkspaceEndsTheBot(t *testing.T) {
	bubble(t, func(l *lab) {
		l.opts.TeamID = "T0OTHER"
		b, err := slack.New(l.opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Run(l.t.Context()); err == nil || !strings.Contains(err.Error(), "slack.team_id") {
			t.Errorf("Run: %v", err)
		}
	})
}
