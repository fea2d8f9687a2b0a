package slack_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ferry/bot/slack"
	"ferry/failover"
	"ferry/sandbox/workspace"
)

func operators(users ...string) workspace.UserGroup {
	return workspace.UserGroup{ID: "S0OPS", Handle: "ops", Users: users}
}

// grouped is a lab whose bot tells who is in some groups; one of them is locked.
func grouped(t *testing.T, o workspace.Options, ids []string, test func(l *lab, m *members)) {
	t.Helper()
	o.UserGroups = append(o.UserGroups, operators("U0ANA"), workspace.UserGroup{ID: "S0LEADS", Handle: "leads", Users: []string{"U0BEN", "U0EVE"}, MembershipLocked: true})
	bubbleIn(t, o, func(l *lab) {
		m := &members{}
		l.opts.Groups, l.opts.Members = ids, m
		test(l, m)
	})
}

func (l *lab) setGroup(g workspace.UserGroup) {
	l.t.Helper()
	if err := l.SetGroup(g); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) wantMembers(m *members, want map[string][]string) {
	l.t.Helper()
	if diff := cmp.Diff(want, m.newest().Groups); diff != "" {
		l.t.Error(diff)
	}
}

func both() []string { return []string{"S0OPS", "S0LEADS"} }

func TestMembersAreToldAndKeptFresh(t *testing.T) {
	grouped(t, workspace.Options{}, both(), func(l *lab, m *members) {
		l.start()
		pass(10 * time.Second)
		l.wantMembers(m, map[string][]string{"S0OPS": {"U0ANA"}, "S0LEADS": {"U0BEN", "U0EVE"}})
		for range 60 {
			pass(time.Minute)
			if age := time.Since(m.newest().At); age > 2*time.Minute {
				t.Fatalf("what was read is %s old", age)
			}
		}
		if n := l.count("usergroups.users.list", "ratelimited"); n != 0 {
			t.Errorf("%d questions too many", n)
		}
		log := l.log.String()
		if strings.Count(log, "may be open to anybody") != 1 || !strings.Contains(log, "@ops") {
			t.Errorf("of the group that is not locked the log says: %s", log)
		}
	})
}

func TestChangeOfAGroup(t *testing.T) {
	for name, c := range map[string]struct {
		events []string
		within time.Duration
	}{"by the event": {slack.Events(), 10 * time.Second}, "and without it": {[]string{"app_mention"}, 2 * time.Minute}} {
		t.Run(name, func(t *testing.T) {
			grouped(t, workspace.Options{Events: c.events}, both(), func(l *lab, m *members) {
				l.start()
				pass(15 * time.Second)
				before := time.Now()
				l.setGroup(operators("U0BEN"))
				pass(c.within)
				l.wantMembers(m, map[string][]string{"S0OPS": {"U0BEN"}, "S0LEADS": {"U0BEN", "U0EVE"}})
				if m.newest().At.Before(before) {
					t.Error("the reading is older than the change")
				}
			})
		})
	}
}

// Several bots share what Slack allows: one of them reads. A change is read at once by whoever hears of it, also at the second try.
func TestSeveralBotsReadOnce(t *testing.T) {
	grouped(t, workspace.Options{}, both(), func(l *lab, m *members) {
		for range 3 {
			l.start()
			pass(7 * time.Second)
		}
		pass(time.Hour)
		if n := l.count("usergroups.users.list", "ok"); n < 100 || n > 140 {
			t.Errorf("%d questions in an hour, want about 2 a minute", n)
		}
		if age := time.Since(m.newest().At); age > 2*time.Minute {
			t.Errorf("what was read is %s old", age)
		}
		for range 5 {
			l.FailNext("usergroups.users.list", 503, 1)
			l.setGroup(operators("U0BEN"))
			pass(25 * time.Second)
			l.wantMembers(m, map[string][]string{"S0OPS": {"U0BEN"}, "S0LEADS": {"U0BEN", "U0EVE"}})
			l.setGroup(operators("U0ANA"))
			pass(17 * time.Second)
		}
	})
}

// A token of a whole organisation has to name a workspace, also when the configuration names one to listen to.
func TestGroupsWithATokenOfTheWholeOrganisation(t *testing.T) {
	for _, team := range []string{"", "T0SANDBOX"} {
		grouped(t, workspace.Options{EnterpriseID: "E0OURS", OrgInstall: true}, both(), func(l *lab, m *members) {
			l.opts.TeamID = team
			l.start()
			pass(10 * time.Second)
			l.wantMembers(m, map[string][]string{"S0OPS": {"U0ANA"}, "S0LEADS": {"U0BEN", "U0EVE"}})
			if log := l.log.String(); !strings.Contains(log, "may be open to anybody") {
				t.Errorf("log: %s", log)
			}
			access := slack.Access{Groups: map[string][]string{"lead": {"S0LEADS"}}}
			if found := l.examined(access, false); len(found) != 0 {
				t.Errorf("found %q", found)
			}
		})
	}
}

// A bot whose configuration names more groups than another's makes a reading of its own.
func TestReadingWithoutOneOfTheGroupsIsNotEnough(t *testing.T) {
	grouped(t, workspace.Options{}, []string{"S0OPS"}, func(l *lab, m *members) {
		l.start()
		pass(5 * time.Second)
		l.opts.Groups = both()
		l.start()
		pass(10 * time.Second)
		l.wantMembers(m, map[string][]string{"S0OPS": {"U0ANA"}, "S0LEADS": {"U0BEN", "U0EVE"}})
	})
}

// A limit that another program has used up delays the reading and spoils nothing.
func TestRateLimitedReadingGoesOn(t *testing.T) {
	grouped(t, workspace.Options{}, both(), func(l *lab, m *members) {
		l.FailNext("usergroups.users.list", 429, 1)
		l.start()
		pass(6 * time.Second)
		l.wantMembers(m, map[string][]string{"S0OPS": {"U0ANA"}, "S0LEADS": {"U0BEN", "U0EVE"}})
	})
}

// While Slack says nothing, nothing is stored: what was read grows old.
func TestSilentSlackIsNoReading(t *testing.T) {
	for _, code := range []string{"internal_error", "ratelimited", "token_revoked"} {
		t.Run(code, func(t *testing.T) {
			grouped(t, workspace.Options{}, both(), func(l *lab, m *members) {
				l.start()
				pass(15 * time.Second)
				n := len(m.puts)
				l.fails(map[string]string{"usergroups.users.list": code})
				pass(30 * time.Minute)
				if len(m.puts) > n {
					t.Errorf("stored %+v", m.puts[n:])
				}
				if log := l.log.String(); strings.Count(log, "cannot be read") != 1 {
					t.Errorf("log: %s", log)
				}
				l.fails(nil)
				pass(20 * time.Second)
				l.wantMembers(m, map[string][]string{"S0OPS": {"U0ANA"}, "S0LEADS": {"U0BEN", "U0EVE"}})
				if log := l.log.String(); !strings.Contains(log, "read again") {
					t.Errorf("log: %s", log)
				}
			})
		})
	}
}

// fails makes Slack answer some methods, or one group of usergroups.users.list, with an error.
func (l *lab) fails(codes map[string]string) {
	l.meanwhile(func() {
		l.spoil = func(method string, form url.Values) string {
			if code := codes[form.Get("usergroup")]; code != "" {
				return code
			}
			return codes[method]
		}
	})
}

// A group of which Slack says that it is not there, or not to be read, has no members; the others go on. One that fails
// otherwise is given a minute.
func TestOneGroupThatCannotBeRead(t *testing.T) {
	for code, c := range map[string]struct {
		after time.Duration
		says  string
	}{
		"no_such_subteam": {10 * time.Second, "mend access.roles"}, "missing_scope": {10 * time.Second, "ferry manifest"},
		"plan_upgrade_required": {10 * time.Second, "has no user groups"}, "internal_error": {80 * time.Second, "internal_error"},
	} {
		t.Run(code, func(t *testing.T) {
			grouped(t, workspace.Options{}, both(), func(l *lab, m *members) {
				l.start()
				pass(15 * time.Second)
				l.fails(map[string]string{"S0OPS": code})
				l.setGroup(workspace.UserGroup{ID: "S0LEADS", Users: []string{"U0BEN"}})
				if code == "internal_error" {
					pass(30 * time.Second)
					l.wantMembers(m, map[string][]string{"S0OPS": {"U0ANA"}, "S0LEADS": {"U0BEN", "U0EVE"}})
				}
				pass(c.after)
				l.wantMembers(m, map[string][]string{"S0LEADS": {"U0BEN"}})
				if log := l.log.String(); !strings.Contains(log, "S0OPS: ") || !strings.Contains(log, c.says) {
					t.Errorf("log: %s", log)
				}
			})
		})
	}
}

// Without user groups in the workspace nobody is in one, which is an answer.
func TestNoUserGroupsAtAll(t *testing.T) {
	grouped(t, workspace.Options{FreePlan: true}, both(), func(l *lab, m *members) {
		l.start()
		pass(10 * time.Second)
		if got := m.newest(); got.At.IsZero() || len(got.Groups) != 0 {
			t.Errorf("stored %+v", got)
		}
	})
}

// Many groups, changes and the limits of Slack: all are read within two minutes.
func TestManyGroups(t *testing.T) {
	var o workspace.Options
	var ids []string
	for i := range 18 {
		g := workspace.UserGroup{ID: fmt.Sprint("S", i), Users: []string{"U0ANA"}}
		o.UserGroups, ids = append(o.UserGroups, g), append(ids, g.ID)
	}
	grouped(t, o, ids, func(l *lab, m *members) {
		l.start()
		pass(70 * time.Second)
		for i := range 30 {
			o.UserGroups[i%18].Users = []string{"U0ANA", fmt.Sprint("U0", []string{"BEN", "EVE"}[i%2])}
			l.setGroup(o.UserGroups[i%18])
			pass(20 * time.Second)
			if age := time.Since(m.newest().At); age > failover.MembershipLife/2 {
				t.Fatalf("what was read is %s old", age)
			}
		}
		pass(2 * time.Minute)
		want := map[string][]string{}
		for _, g := range o.UserGroups {
			want[g.ID] = g.Users
		}
		l.wantMembers(m, want)
		if n := l.count("usergroups.users.list", "ratelimited"); n != 0 {
			t.Errorf("%d questions too many", n)
		}
	})
}

// Each scope of the manifest is needed, and no other.
func TestScopesAreThoseThatAreUsed(t *testing.T) {
	for _, lacks := range append(slack.Scopes(), "") {
		t.Run("without "+lacks, func(t *testing.T) {
			o := workspace.Options{Others: []workspace.Channel{{ID: "G0OPS", Name: "ops", Private: true}}}
			for _, scope := range slack.Scopes() {
				if scope != lacks {
					o.Scopes = append(o.Scopes, scope)
				}
			}
			grouped(t, o, both(), func(l *lab, _ *members) {
				l.start()
				l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
				_ = l.Type("ana", incident, "/failover vm-x")
				_ = l.Type("ana", "ops", "/failover vm-x")
				_ = l.Type("ana", incident, "@ferry list")
				pass(10 * time.Second)
				unmet := len(l.Acks()) < 3
				for _, c := range l.Calls() {
					unmet = unmet || c.Status == "missing_scope"
				}
				if unmet != (lacks != "") {
					t.Errorf("something was missing: %v", unmet)
				}
				if said := strings.Contains(l.log.String(), "lacks scopes"); said != (lacks != "") {
					t.Errorf("said so at the start: %v", said)
				}
			})
		})
	}
}

// Who asked for something and is no member in good standing any more is told of, also where no role has a group: at once when
// Slack tells, else within minutes. Who is one again is left out, or what was told of them grows old.
func TestStandingsAreTold(t *testing.T) {
	for name, ids := range map[string][]string{"with groups": both(), "without": nil} {
		for how, events := range map[string][]string{"by the event": slack.Events(), "and without it": {"app_mention"}} {
			t.Run(name+" "+how, func(t *testing.T) {
				grouped(t, workspace.Options{Events: events}, ids, func(l *lab, m *members) {
					within := 10 * time.Second
					if how != "by the event" {
						within = 7 * time.Minute
					}
					become := func(kind workspace.Kind, want map[string]failover.Standing) {
						l.t.Helper()
						if err := l.SetKind("ana", kind); err != nil {
							t.Fatal(err)
						}
						pass(within)
						if diff := cmp.Diff(want, m.newest().Standings); diff != "" {
							t.Error(diff)
						}
					}
					l.start()
					pass(15 * time.Second)
					l.typed("ana", "/failover test vm-x")
					pass(5 * time.Second)
					become(workspace.Deactivated, map[string]failover.Standing{"U0ANA": failover.StandingDeactivated})
					become(workspace.Guest, map[string]failover.Standing{"U0ANA": failover.StandingGuest})
					if age := time.Since(m.newest().At); age > 2*time.Minute {
						t.Errorf("what was told is %s old", age)
					}
					if ids != nil {
						become("", map[string]failover.Standing{})
					}
				})
			})
		}
	}
}

// What one bot has been told of somebody is not taken back by another, to which Slack told nothing and whose answer is older.
func TestStandingIsNotTakenBackByABotThatKnowsLess(t *testing.T) {
	grouped(t, workspace.Options{}, both(), func(l *lab, m *members) {
		for range 2 {
			l.start()
			pass(15 * time.Second)
			for range 4 { // each bot is asked
				l.typed("ana", "/failover list")
			}
			pass(time.Second)
		}
		if n := l.count("users.info", "ok"); n != 2 {
			t.Fatalf("%d bots know ana, want 2", n)
		}
		for _, kind := range []workspace.Kind{workspace.Guest, workspace.Deactivated} {
			if err := l.SetKind("ana", kind); err != nil {
				t.Fatal(err)
			}
			pass(5 * time.Second)
			for range 70 {
				pass(5 * time.Second)
				if got := m.newest().Standings["U0ANA"]; got == "" {
					t.Fatalf("%s, and told of as a member in good standing", kind)
				}
			}
		}
		if err := l.SetKind("ana", ""); err != nil {
			t.Fatal(err)
		}
		pass(7 * time.Minute)
		if got := m.newest().Standings["U0ANA"]; got != "" {
			t.Errorf("a member again, and still told of as %s", got)
		}
	})
}

// The same where no role has a group and nobody whom this bot knows is barred: what another bot goes on telling is mended.
func TestWhoIsAMemberAgainIsNotToldOfForEver(t *testing.T) {
	grouped(t, workspace.Options{}, nil, func(l *lab, m *members) {
		ben := map[string]failover.Standing{"U0BEN": failover.StandingGuest}
		both := map[string]failover.Standing{"U0ANA": failover.StandingGuest, "U0BEN": failover.StandingGuest}
		l.start()
		_ = m.PutMembers(l.t.Context(), failover.Membership{At: time.Now(), Standings: both})
		l.typed("ana", "/failover list")
		pass(2 * time.Minute)
		if diff := cmp.Diff(ben, m.newest().Standings); diff != "" {
			t.Error(diff)
		}
	})
}
