package slack_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/bot/render"
	"ferry/failover"
	"ferry/sandbox/workspace"
)

// committed is an operation whose card offers the reprotect, and drilled one that offers the clean-up.
func committed() failover.Operation {
	facts := append(story()[:5:5],
		failover.GateOpened{Gate: failover.ClassCommit, Step: failover.StepCommit}, failover.StepStarted{Target: "k", Kind: failover.StepCommit, Attempt: 1},
		failover.StepDone{Target: "k", Kind: failover.StepCommit}, failover.Finished{Phase: failover.Succeeded})
	return operation("op-aaaaaaaa", 1, facts...)
}

func drilled() failover.Operation {
	r := requested()
	r.Verb = failover.VerbTest
	return operation("op-aaaaaaaa", 1, r, failover.GateOpened{Gate: failover.ClassTest, Step: failover.StepTest},
		failover.StepStarted{Target: "k", Kind: failover.StepTest, Attempt: 1}, failover.StepDone{Target: "k", Kind: failover.StepTest}, failover.Finished{Phase: failover.Succeeded})
}

// form is what a person reads in the modal that is open, without the blocks' own markup.
func (l *lab) form(user string) string {
	l.t.Helper()
	m, ok := l.Modal(user)
	if !ok {
		l.t.Fatalf("%s has no modal open:\n%s", user, strings.Join(l.told(user), "\n"))
	}
	return m.Title + "\n" + string(m.Blocks)
}

func (l *lab) wantForm(user string, fragments ...string) {
	l.t.Helper()
	form := l.form(user)
	for _, f := range fragments {
		if !strings.Contains(form, f) {
			l.t.Errorf("the modal lacks %q:\n%s", f, form)
		}
	}
}

func (l *lab) submitted(user string) {
	l.t.Helper()
	if err := l.Submit(user); err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
}

func (l *lab) filled(user, field, text string) {
	l.t.Helper()
	if err := l.Fill(user, field, text); err != nil {
		l.t.Fatal(err)
	}
}

// shownCard publishes an operation and waits for its card.
func (l *lab) shownCard(op failover.Operation) {
	l.t.Helper()
	l.feed.publish(op)
	pass(time.Second)
}

func TestReprotectIsShownBeforeItIsAskedFor(t *testing.T) {
	for name, press := range map[string]func(l *lab){
		"button": func(l *lab) { l.clicked("U0ANA", "Reprotect") },
		"typed":  func(l *lab) { l.typed("U0ANA", "/failover reprotect vm-x") },
		"phone":  func(l *lab) { l.typed("U0ANA", "/failover Reprotect op-aaaaaaaa") },
	} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, func(l *lab) {
				l.start()
				l.shownCard(committed())
				press(l)
				l.wantForm("U0ANA", "north to west", "rg-shop", "vm-x-os, 127 GiB, Premium_LRS", "+ New", "replica disk vm-x-os-ASRReplica", "Takes about")
				if n := len(l.commands.all()); n != 0 {
					t.Fatalf("%d commands stored before anybody pressed", n)
				}
				l.filled("U0ANA", "Reason", "home by\tFriday")
				l.submitted("U0ANA")
				all := l.commands.all()
				if len(all) != 1 || all[0].Verb != failover.VerbReprotect || all[0].Seen != "reprotect-1a2b3c4d" || all[0].Reason != "home by Friday" || all[0].By.ID != "U0ANA" {
					t.Fatalf("stored %+v", all)
				}
				if typed := name == "typed"; typed != (all[0].Target == "vm-x") || !typed && all[0].Op != "op-aaaaaaaa" {
					t.Errorf("stored %+v", all[0])
				}
				l.wantForm("U0ANA", "waits for approval by the role approver")
			})
		})
	}
}

// A form is one request, however often it is delivered.
func TestFormDeliveredTwiceActsOnce(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.typed("U0ANA", "/failover reprotect vm-x")
		l.Duplicate(2)
		l.submitted("U0ANA")
		pass(time.Minute)
		if n := len(l.commands.all()); n != 1 {
			t.Errorf("%d commands stored", n)
		}
		l.wantForm("U0ANA", "waits for approval")
	})
}

// Slack got no answer and keeps the form, so its reader presses again: it is the same request, and the answer is the same.
func TestFormSentTwiceActsOnce(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.typed("U0ANA", "/failover reprotect vm-x")
		l.seams.cut("slack.ack", cut{err: func(n int) error {
			if n == 2 { // after that of the slash command
				return errCut
			}
			return nil
		}})
		l.submitted("U0ANA")
		pass(time.Minute)
		if m, _ := l.Modal("U0ANA"); m.Notice == "" || m.Submit == "" {
			t.Fatalf("the form is gone, or says nothing: %+v", m)
		}
		l.submitted("U0ANA")
		if n := len(l.commands.all()); n != 1 {
			t.Errorf("%d commands stored", n)
		}
		l.wantForm("U0ANA", "waits for approval")
	})
}

// Of two forms about the same VM each is a request of its own: the executor decides.
func TestFormOpenedAgainIsAnotherRequest(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		for range 2 {
			l.typed("U0ANA", "/failover reprotect vm-x")
			l.submitted("U0ANA")
		}
		if n := len(l.commands.all()); n != 2 {
			t.Errorf("%d commands stored", n)
		}
	})
}

func TestClickDeliveredTwiceOpensOneForm(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.shownCard(committed())
		l.Duplicate(2)
		l.clicked("U0ANA", "Reprotect")
		pass(time.Second)
		if n := l.count("views.open", ""); n != 1 {
			t.Errorf("%d calls of views.open", n)
		}
		l.wantForm("U0ANA", "north to west")
		l.wantTold("U0ANA")
	})
}

func TestFormSaysWhatCannotBeShown(t *testing.T) {
	for name, row := range map[string]struct {
		reads *reads
		after time.Duration
		want  []string // one after the other, each after the time
	}{
		"refused":     {&reads{refused: failover.Refuse(failover.WrongState, "Commit it first: /failover commit vm-x.", "vm-x waits for its commit.")}, 0, []string{"vm-x waits for its commit. Commit it first"}},
		"no executor": {&reads{err: errors.New("nobody")}, 0, []string{"No executor answers"}},
		"slow":        {&reads{slow: 4 * time.Second}, 2200 * time.Millisecond, []string{"Azure has not answered yet", "north to west"}},
		"silent":      {&reads{slow: time.Hour}, 2200 * time.Millisecond, []string{"Azure has not answered yet", "Azure did not answer in time"}},
	} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, func(l *lab) {
				l.reads.err, l.reads.refused, l.reads.slow = row.reads.err, row.reads.refused, row.reads.slow
				after := row.after
				l.start()
				l.typed("U0ANA", "/failover reprotect vm-x")
				for _, want := range row.want {
					pass(after)
					l.wantForm("U0ANA", want)
					after = time.Minute
				}
				l.wantTold("U0ANA")
			})
		})
	}
}

func TestFormThatSlackDoesNotOpen(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.spoil = func(method string, _ url.Values) string {
			return map[bool]string{true: "expired_trigger_id"}[method == "views.open"]
		}
		l.start()
		l.typed("U0ANA", "/failover reprotect vm-x")
		l.wantTold("U0ANA", "Slack did not let me open the form")
	})
}

// What Ferry decides late is told in the form, or to who has closed it, in the channel.
func TestFormDecidedLate(t *testing.T) {
	for _, closes := range []bool{false, true} {
		inBothModes(t, func(l *lab) {
			l.commands.silent = 10 * time.Second
			l.start()
			l.typed("U0ANA", "/failover reprotect vm-x")
			l.submitted("U0ANA")
			pass(2600 * time.Millisecond)
			l.wantForm("U0ANA", "no executor has answered yet")
			if closes {
				if err := l.Dismiss("U0ANA"); err != nil {
					t.Fatal(err)
				}
				l.FailNext("chat.postEphemeral", 503, 2)
			}
			pass(time.Minute)
			if closes {
				l.wantTold("U0ANA", "waits for approval")
				return
			}
			l.wantForm("U0ANA", "waits for approval")
			l.wantTold("U0ANA")
		})
	}
}

func TestFormNotStored(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.commands.store = func(context.Context, int) error { return errCut }
		l.start()
		l.typed("U0ANA", "/failover reprotect vm-x")
		l.submitted("U0ANA")
		pass(2600 * time.Millisecond)
		l.wantForm("U0ANA", "Not confirmed yet")
		pass(11 * time.Minute)
		l.wantForm("U0ANA", "could not be stored in time")
	})
}

func TestCleanUpAsksForNotes(t *testing.T) {
	inBothModes(t, func(l *lab) {
		op := drilled()
		l.reads.op = &op
		l.start()
		l.shownCard(op)
		l.clicked("U0ANA", "Clean up")
		l.wantForm("U0ANA", "Azure deletes the test VM of vm-x in north")
		l.filled("U0ANA", "Notes", "web front answered")
		l.submitted("U0ANA")
		all := l.commands.all()
		if len(all) != 1 || all[0].Verb != failover.VerbCleanup || all[0].Op != op.ID || all[0].Notes != "web front answered" {
			t.Errorf("stored %+v", all)
		}
	})
}

func TestFormOfAnotherOrganisationIsRefused(t *testing.T) {
	people := []workspace.Person{{ID: "U0ANA", Name: "ana"}, {ID: "U0EVE", Name: "eve"}, {ID: "U0OUT", Name: "out", Kind: workspace.Stranger}}
	bubbleIn(t, workspace.Options{People: people}, func(l *lab) {
		l.start()
		l.shownCard(committed())
		l.shared()
		l.clicked("U0OUT", "Reprotect")
		pass(time.Second)
		l.wantTold("U0OUT", "another organisation")
		if n := l.count("views.open", ""); n != 0 {
			t.Errorf("%d forms opened", n)
		}
		// However they came by one: what they send is refused too.
		api := slackapi.New("xoxb-sandbox", slackapi.OptionHTTPClient(l.opts.HTTPClient), slackapi.OptionAPIURL(l.opts.APIURL))
		form := render.ReprotectForm(render.Form{VM: "vm-x"}, failover.Review{Name: "vm-x"}, time.Now())
		if _, err := api.OpenViewContext(l.t.Context(), l.Acks()[len(l.Acks())-1].TriggerID, form); err != nil {
			t.Fatal(err)
		}
		l.submitted("U0OUT")
		l.wantForm("U0OUT", "another organisation")
		l.wantStandings(failover.StandingStranger, failover.StandingStranger)
	})
}

// Who may not look is shown no form: it says what an operation is about.
func TestFormIsForWhoMayRead(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.opts.MayRead = func(failover.Actor) *failover.Refusal {
			return failover.Refuse(failover.NotAllowed, "Ask ana.", "You may not look.")
		}
		l.start()
		l.feed.publish(namedCommit())
		pass(time.Second)
		l.typed("U0EVE", "/failover reprotect vm-x")
		l.clicked("U0EVE", "Commit")
		l.wantTold("U0EVE", "You may not look. Ask ana.", "You may not look. Ask ana.")
		if n := l.count("views.open", ""); n != 0 {
			t.Errorf("%d forms were opened", n)
		}
	})
}
