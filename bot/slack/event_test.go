package slack_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ferry/failover"
	"ferry/sandbox/workspace"
)

// written has a person write a message, into a thread if ts names one.
func (l *lab) written(user, ts, text string) {
	l.t.Helper()
	write := func() error { return l.Type(user, incident, text) }
	if ts != "" {
		write = func() error { return l.Reply(user, incident, ts, text) }
	}
	if err := write(); err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
}

func TestMentionIsACommandLikeAnyOther(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.written("U0ANA", "", "@ferry vm-x latest --reason disk errors")
		cmd, ack := l.commands.all()[0], l.Acks()[0]
		if ack.AckedAt.Sub(ack.SentAt) > 3*time.Second || ack.Type != "events_api" {
			t.Errorf("acknowledged: %+v", ack)
		}
		if cmd.Verb != failover.VerbFailover || cmd.By != (failover.Actor{ID: "U0ANA", Name: "ana"}) || cmd.Target != "vm-x" || cmd.Reason != "disk errors" || cmd.Op != failover.OpIDOf(cmd.MessageID, 0) {
			t.Errorf("stored: %+v", cmd)
		}
		l.wantTold("U0ANA", "waits for approval")
	})
}

func TestMentionInAThreadIsAnsweredThereAndToItsWriterOnly(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.written("U0EVE", "", "what is going on?")
		parent := l.Messages(incident, "U0EVE")[0].TS
		l.written("U0BEN", parent, "@ferry: approve op-aaaaaaaa")
		l.written("U0ANA", parent, "@ferry status vm-x")
		if got := l.commands.all(); len(got) != 1 || got[0].Verb != failover.VerbApprove || got[0].Op != "op-aaaaaaaa" || got[0].By.ID != "U0BEN" {
			t.Errorf("stored: %+v", got)
		}
		for _, user := range []string{"U0BEN", "U0ANA"} {
			answers := 0
			for _, m := range l.Messages(incident, user) {
				if m.EphemeralFor == user {
					answers++
					if m.ThreadTS != parent {
						t.Errorf("%s is answered in %q, not in the thread", user, m.ThreadTS)
					}
				}
			}
			if answers != 1 {
				t.Errorf("%s got %d answers", user, answers)
			}
		}
	})
}

func TestMentionsThatDoNothing(t *testing.T) {
	for text, want := range map[string]string{
		"let us ask @ferry to approve op-aaaaaaaa": "begins with my name",
		"@ben @ferry approve op-aaaaaaaa":          "begins with my name",
		"@ferry aprove op-aaaaaaaa":                "approve",
		"@ferry":                                   "Look",
		"@ferry reprotect vm-x":                    "no form for a mention",
	} {
		inBothModes(t, func(l *lab) {
			l.start()
			l.written("U0BEN", "", text)
			l.wantTold("U0BEN", want)
			if got := l.commands.all(); len(got) != 0 {
				t.Errorf("%q was stored: %+v", text, got)
			}
		})
	}
}

// Who may not ask is recorded, as at every other door, and once: also for what a form would be shown for.
func TestMentionOfAGuestIsRecordedOnce(t *testing.T) {
	for _, text := range []string{"@ferry vm-x", "@ferry reprotect vm-x"} {
		inBothModes(t, func(l *lab) {
			if err := l.SetKind("U0ANA", workspace.Guest); err != nil {
				l.t.Fatal(err)
			}
			l.start()
			l.start()
			l.Duplicate(3)
			l.written("U0ANA", "", text)
			if got := l.commands.all(); len(got) != 1 || got[0].By.Standing != failover.StandingGuest {
				t.Errorf("%q: stored %+v", text, got)
			}
		})
	}
}

func TestMentionThatComesAgainIsAnsweredOnce(t *testing.T) {
	for _, text := range []string{"@ferry status", "@ferry vm-x", "@ferry reprotect vm-x", "hello @ferry"} {
		inBothModes(t, func(l *lab) {
			l.start()
			l.Duplicate(3)
			l.written("U0ANA", "", text)
			if told := l.told("U0ANA"); len(told) != 1 {
				t.Errorf("%q was answered %d times: %q", text, len(told), told)
			}
			for _, a := range l.Acks() {
				if a.AckedAt.IsZero() {
					t.Errorf("%q: an event was not acknowledged", text)
				}
			}
		})
	}
}

// Slack sends an event again when it hears nothing. Of what it is then too late for nothing is made.
func TestMentionCountsFromWhenItWasWritten(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.commands.store = func(_ context.Context, try int) error {
			if try == 1 {
				<-time.After(4 * time.Minute)
				return errors.New("no leader")
			}
			return nil
		}
		l.start()
		begin := time.Now()
		l.written("U0ANA", "", "@ferry vm-x")
		pass(10 * time.Minute)
		for _, cmd := range l.commands.all() {
			if cmd.At.Before(begin.Add(-time.Second)) || cmd.At.After(begin) || cmd.ValidUntil.Sub(cmd.At) != failover.CommandValidity {
				t.Errorf("asked at %s, valid until %s; written at %s", cmd.At, cmd.ValidUntil, begin)
			}
		}
		if n := len(l.commands.all()); n != 1 {
			t.Errorf("%d commands", n)
		}
	})
}

// rawEvent delivers an event that the workspace itself would not send.
func (l *lab) rawEvent(change func(map[string]any)) {
	l.t.Helper()
	event := map[string]any{"type": "app_mention", "user": "U0BEN", "text": "<@U0FERRY> approve op-aaaaaaaa", "channel": incident, "ts": "1.1"}
	payload := map[string]any{
		"type": "event_callback", "event": event, "event_id": "Ev1", "event_time": time.Now().Unix(), "team_id": "T0SANDBOX",
		"api_app_id": "A0FERRY", "authorizations": []any{map[string]any{"user_id": "U0FERRY"}},
	}
	change(event)
	change(payload)
	if err := l.Event(payload); err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
}

func TestBotsAndEditsAskForNothing(t *testing.T) {
	for name, set := range map[string][2]any{
		"another bot":       {"bot_id", "B0OTHER"},
		"the bot itself":    {"user", "U0FERRY"},
		"nobody":            {"user", ""},
		"an edited message": {"edited", map[string]any{"user": "U0BEN", "ts": "1.2"}},
		"a kind of message": {"subtype", "bot_message"},
		"another event":     {"type", "message"},
	} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, func(l *lab) {
				l.start()
				l.rawEvent(func(m map[string]any) {
					if _, inner := m["channel"]; inner {
						m[set[0].(string)] = set[1]
					}
				})
				if got := l.commands.all(); len(got) != 0 || len(l.told("U0BEN")) != 0 {
					t.Errorf("stored %+v, told %q", got, l.told("U0BEN"))
				}
				if a := l.Acks()[0]; a.AckedAt.IsZero() {
					t.Error("not acknowledged: Slack sends it again")
				}
			})
		})
	}
}

func TestMentionFromElsewhereIsStoredSo(t *testing.T) {
	for key, standing := range map[string]failover.Standing{
		"team_id": failover.StandingOtherWorkspace, "api_app_id": failover.StandingOtherApp, "user_team": failover.StandingStranger,
		"is_ext_shared_channel": failover.StandingSharedChannel,
	} {
		inBothModes(t, func(l *lab) {
			if l.ports != nil && key == "api_app_id" {
				return // the secret is of one app
			}
			l.start()
			l.rawEvent(func(m map[string]any) {
				if _, outer := m["event_id"]; outer != (key == "user_team") {
					m[key] = "T0OTHER"
				}
				if key == "is_ext_shared_channel" {
					m[key] = true
				}
			})
			l.wantTold("U0BEN", standing.Barred().Message)
			l.wantStandings(standing)
		})
	}
}

// The SDK rejects a whole event for a block, or a number, that is not as it expects. It counts all the same.
func TestEventThatTheSDKRejects(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.rawEvent(func(m map[string]any) {
			if m["type"] == "app_mention" {
				m["blocks"] = []any{map[string]any{"type": "rich_text", "elements": 5}}
			}
		})
		if all := l.commands.all(); len(all) != 1 || all[0].Verb != failover.VerbApprove {
			t.Errorf("stored %+v", all)
		}
		if l.Acks()[0].AckedAt.IsZero() {
			t.Error("not acknowledged: Slack sends it again")
		}
	})
	grouped(t, workspace.Options{Events: []string{}}, both(), func(l *lab, m *members) {
		l.start()
		pass(10 * time.Second)
		l.setGroup(operators("U0BEN"))
		l.rawEvent(func(m map[string]any) {
			if m["type"] == "app_mention" {
				clear(m)
				m["type"], m["subteam_id"], m["added_users_count"] = "subteam_members_changed", "S0OPS", "1" // as documented
			}
		})
		pass(10 * time.Second)
		l.wantMembers(m, map[string][]string{"S0OPS": {"U0BEN"}, "S0LEADS": {"U0BEN", "U0EVE"}})
	})
}
