package slack_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// rendered is the modal that a person has open, as readable lines.
func (l *lab) rendered(user string) string {
	l.t.Helper()
	m, ok := l.Modal(user)
	if !ok {
		l.t.Fatalf("%s has no modal open:\n%s", user, strings.Join(l.told(user), "\n"))
	}
	return strings.Join(l.RenderModal(m), "\n")
}

func (l *lab) wantRendered(user string, fragments ...string) {
	l.t.Helper()
	shown := l.rendered(user)
	for _, f := range fragments {
		if !strings.Contains(shown, f) {
			l.t.Errorf("the modal lacks %q:\n%s", f, shown)
		}
	}
}

// fieldError is what stands at a field of the modal.
func (l *lab) fieldError(user, label string) string {
	l.t.Helper()
	m, _ := l.Modal(user)
	for _, f := range m.Fields {
		if f.Label == label {
			return f.Error
		}
	}
	l.t.Fatalf("no field %q:\n%s", label, l.rendered(user))
	return ""
}

// picked opens a form and picks vm-x in it.
func (l *lab) picked(command string) {
	l.t.Helper()
	l.typed("U0ANA", command)
	l.filled("U0ANA", "VM", "vm-x")
	pass(time.Second)
}

// The form comes to the same command as the line that is typed.
func TestFailoverFormIsTheTypedCommand(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.picked("/failover")
		l.wantForm("U0ANA", "vm-x", "Chosen when it starts", "23:50:00, crash-consistent, 10 min old")
		l.filled("U0ANA", "Recovery point", "6c2f0a52-0000-0000-0000-000000000004")
		if err := l.Fill("U0ANA", "The VM that runs now"); err != nil {
			t.Fatal(err)
		}
		l.filled("U0ANA", "Reason", "disk\terrors")
		if n := len(l.commands.all()); n != 0 {
			t.Fatalf("%d commands before the form was sent", n)
		}
		l.submitted("U0ANA")
		l.wantForm("U0ANA", "waits for approval by the role approver")
		if err := l.Dismiss("U0ANA"); err != nil {
			t.Fatal(err)
		}
		l.typed("U0ANA", "/failover vm-x 6c2f0a52-0000-0000-0000-000000000004 --no-shutdown --reason disk errors")
		all := l.commands.all()
		if len(all) != 2 {
			t.Fatalf("stored %+v", all)
		}
		for i := range all {
			all[i].MessageID, all[i].Op, all[i].At, all[i].ValidUntil = "", "", time.Time{}, time.Time{}
		}
		if all[0] != all[1] {
			t.Errorf("the form came to\n%+v, the line to\n%+v", all[0], all[1])
		}
	})
}

func TestDrillForm(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.opts.Networks = []string{"/x/virtualNetworks/vnet-drill", "/x/virtualNetworks/vnet-lab"}
		l.start()
		l.picked("/failover Test")
		l.filled("U0ANA", "Isolated network", "vnet-lab")
		l.filled("U0ANA", "Or another point", "-20m")
		l.submitted("U0ANA")
		all := l.commands.all()
		if len(all) != 1 || all[0].Verb != failover.VerbTest || all[0].Target != "vm-x" || all[0].Network != "vnet-lab" || all[0].Point.Kind != failover.AtTime || all[0].Shutdown {
			t.Errorf("stored %+v", all)
		}
	})
}

// What is wrong stands at its field, and nothing is asked for before it is mended.
func TestFormMistakesStandAtTheirFields(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.typed("U0ANA", "/failover")
		if err := l.Submit("U0ANA"); err == nil { // Slack's own check
			t.Error("a form without a VM can be sent")
		}
		l.filled("U0ANA", "VM", "vm-x")
		pass(time.Second)
		for typed, want := range map[string]string{"yesterday": "A recovery point is latest", "14:5x": "no recovery point", "-0m": "no recovery point"} {
			l.filled("U0ANA", "Or another point", typed)
			l.submitted("U0ANA")
			if got := l.fieldError("U0ANA", "Or another point"); !strings.Contains(got, want) {
				t.Errorf("%q: at the field stands %q", typed, got)
			}
		}
		l.filled("U0ANA", "Or another point", "-20m")
		l.filled("U0ANA", "Recovery point", "latest-app")
		l.submitted("U0ANA")
		if got := l.fieldError("U0ANA", "Or another point"); !strings.Contains(got, "chosen above already") {
			t.Errorf("two points: at the field stands %q", got)
		}
		if n := len(l.commands.all()); n != 0 {
			t.Fatalf("%d commands stored", n)
		}
		l.filled("U0ANA", "Recovery point", "latest")
		l.submitted("U0ANA")
		if n := len(l.commands.all()); n != 1 {
			t.Errorf("%d commands stored", n)
		}
	})
}

// A refusal stands at the field that it is about. The form can be sent again, as another request about the same operation; a
// delivery more is none.
func TestFormRefusedAtAField(t *testing.T) {
	barred := func(about failover.About, kind failover.RefusalKind) *failover.Refusal {
		r := failover.Refuse(kind, "Say something else.", "It is not to be.")
		r.About = about
		return r
	}
	for label, r := range map[string]*failover.Refusal{
		"VM":             failover.Refuse(failover.NotAllowed, "Ask somebody else.", "You may not fail over vm-x."),
		"Recovery point": barred(failover.AboutForce, failover.WrongState),
	} {
		inBothModes(t, func(l *lab) {
			accept := l.commands.decide
			l.commands.decide = func(cmd failover.Command) (failover.Operation, failover.Answer) {
				if cmd.MessageID == l.commands.all()[0].MessageID {
					return failover.Operation{}, failover.Answer{Refused: r}
				}
				return accept(cmd)
			}
			l.start()
			l.picked("/failover")
			l.filled("U0ANA", "Reason", "home")
			l.Duplicate(2)
			l.submitted("U0ANA")
			pass(time.Second)
			want := bot.AtField(l.commands.all()[0], r)
			if got := l.fieldError("U0ANA", label); got != want {
				t.Errorf("at %s stands %q, want %q", label, got, want)
			}
			l.wantRendered("U0ANA", "home")
			l.submitted("U0ANA")
			pass(time.Second)
			l.wantForm("U0ANA", "waits for approval")
			all := l.commands.all()
			if len(all) != 2 || all[0].MessageID == all[1].MessageID || all[0].Op != all[1].Op {
				t.Errorf("stored %+v", all)
			}
		})
	}
}

// What is no field's business, and what is decided late, stands in the place of the form.
func TestFormRefusedWithoutAField(t *testing.T) {
	for name, late := range map[string]time.Duration{"at once": 0, "late": 5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, func(l *lab) {
				l.commands.silent = late
				l.commands.decide = func(failover.Command) (failover.Operation, failover.Answer) {
					kind := failover.Unavailable
					if late > 0 {
						kind = failover.Busy
					}
					return failover.Operation{}, failover.Answer{Refused: failover.Refuse(kind, "Ask again.", "It cannot be said now.")}
				}
				l.start()
				l.picked("/failover")
				l.submitted("U0ANA")
				pass(2600 * time.Millisecond)
				if late > 0 {
					l.wantForm("U0ANA", "no executor has answered yet")
				}
				pass(late)
				l.wantForm("U0ANA", "It cannot be said now. Ask again.")
			})
		})
	}
}

// The acknowledgement got lost, so its reader presses again. The two are sendings of one form: the executor lets one act.
func TestFormPressedTwiceIsAboutOneOperation(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.picked("/failover")
		lost := 0
		l.seams.cut("slack.ack", cut{err: func(int) error {
			if lost++; lost == 1 {
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
		all := l.commands.all()
		if len(all) != 2 || all[0].Op != all[1].Op {
			t.Errorf("stored %+v", all)
		}
		l.wantForm("U0ANA", "waits for approval")
	})
}

// The form is all in Slack: another process goes on with it.
func TestFormOutlivesTheBot(t *testing.T) {
	inBothModes(t, func(l *lab) {
		stop := l.start()
		l.picked("/failover")
		stop()
		l.start()
		l.filled("U0ANA", "Recovery point", "latest-processed")
		l.submitted("U0ANA")
		l.wantForm("U0ANA", "waits for approval")
		if all := l.commands.all(); len(all) != 1 || all[0].Target != "vm-x" || all[0].Point.Kind != failover.LatestProcessed {
			t.Errorf("stored %+v", all)
		}
	})
}

// While the store is away, the form opens, finds no VM, and whoever sends one is answered in time.
func TestFormWhileTheStoreIsAway(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.commands.store = func(_ context.Context, try int) error {
			return map[bool]error{true: errors.New("no responders")}[try < 4]
		}
		l.start()
		l.picked("/failover")
		l.submitted("U0ANA")
		pass(2900 * time.Millisecond)
		l.wantForm("U0ANA", bot.NotConfirmed)
		pass(time.Minute)
		l.wantForm("U0ANA", "waits for approval")
	})
	inBothModes(t, func(l *lab) {
		l.reads.err = errors.New("no responders")
		l.start()
		l.typed("U0BEN", "/failover")
		began := time.Now()
		offered, err := l.Search("U0BEN", "VM", "vm")
		if took := time.Since(began); err != nil || len(offered) != 0 || took > time.Second {
			t.Errorf("offered %v, %v after %s", offered, err, took)
		}
	})
}

// Who may not look is offered nothing and shown nothing.
func TestFormShowsNothingToWhoMayNotLook(t *testing.T) {
	inBothModes(t, func(l *lab) {
		stop := l.start()
		l.typed("U0ANA", "/failover")
		if offered, err := l.Search("U0ANA", "VM", "vm"); err != nil || len(offered) != 1 {
			t.Fatalf("offered %v, %v", offered, err)
		}
		stop()
		l.opts.MayRead = func(failover.Actor) *failover.Refusal {
			return failover.Refuse(failover.NotAllowed, "Ask for a role.", "Only who holds a role may look here.")
		}
		l.start()
		l.typed("U0EVE", "/failover")
		l.wantTold("U0EVE", "Only who holds a role may look here.")
		l.filled("U0ANA", "VM", "vm-x") // as found when it was still allowed
		pass(time.Second)
		if offered, err := l.Search("U0ANA", "VM", "vm"); err != nil || len(offered) != 0 {
			t.Errorf("offered %v, %v", offered, err)
		}
		if n := l.count("views.update", ""); n != 0 {
			t.Errorf("%d changes of the form", n)
		}
	})
}

// What is read for an older choice never takes the place of the newer one, nor that of the answer.
func TestFormShowsTheLastChoice(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.reads.names = []string{"vm-y", "vm-z"}
		l.reads.slowFor = map[string]time.Duration{"vm-x": 10 * time.Second}
		l.start()
		l.typed("U0ANA", "/failover")
		l.filled("U0ANA", "VM", "vm-x")
		pass(3 * time.Second)
		l.wantRendered("U0ANA", "Azure has not answered yet", "latest: what has arrived")
		l.filled("U0ANA", "VM", "vm-y")
		pass(time.Minute)
		l.wantRendered("U0ANA", "*vm-y* (vault v)")
		if strings.Contains(l.rendered("U0ANA"), "*vm-x* (vault v)") {
			t.Errorf("the points of the VM chosen before are shown:\n%s", l.rendered("U0ANA"))
		}
		l.filled("U0ANA", "VM", "vm-x")
		pass(time.Second)
		l.submitted("U0ANA")
		pass(time.Minute)
		l.wantForm("U0ANA", "waits for approval")
	})
}

// A point that is listed for another VM than the one in the form is never asked for.
func TestFormWithThePointOfAnotherVM(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.reads.names = []string{"vm-y"}
		l.start()
		l.picked("/failover")
		l.filled("U0ANA", "Recovery point", "6c2f0a52-0000-0000-0000-000000000004")
		l.spoil = func(method string, _ url.Values) string {
			return map[bool]string{true: "hash_conflict"}[method == "views.update"]
		}
		l.filled("U0ANA", "VM", "vm-y")
		pass(time.Second)
		l.submitted("U0ANA")
		if got := l.fieldError("U0ANA", "Recovery point"); !strings.Contains(got, "of another VM") || len(l.commands.all()) != 0 {
			t.Errorf("at the field stands %q, stored %+v", got, l.commands.all())
		}
	})
}

// A mention has no form: it is answered in words.
func TestMentionOpensNoForm(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.typed("U0ANA", "@ferry")
		l.typed("U0ANA", "@ferry test")
		pass(time.Second)
		told := l.told("U0ANA")
		if len(told) != 2 || !strings.Contains(told[0], "Act") || !strings.Contains(told[1], "needs the name of a VM") {
			t.Errorf("told %q", told)
		}
	})
}

func TestSearchForVMs(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.reads.names = []string{"web-1", "web-2"}
		l.start()
		l.typed("U0ANA", "/failover")
		for query, want := range map[string][]string{"": {"vm-x", "web-1", "web-2"}, "WEB": {"web-1", "web-2"}, "b-2": {"web-2"}, "wbe-1": {"web-1"}, "sql": {}} {
			got, err := l.Search("U0ANA", "VM", query)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%q finds %q, %v, want %q", query, got, err, want)
			}
		}
	})
}
