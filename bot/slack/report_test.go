package slack_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/bot/slack"
	"ferry/failover"
)

func TestReport(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.typed("U0ANA", "/failover report op-aaaaaaaa")
		l.typed("U0ANA", "/failover report op-zzzzzzzz")
		l.wantTold("U0ANA", "Report: Failover of vm-x", `There is no operation op-zzzzzzzz`)
	})
}

// reportForm opens the form and chooses an operation and where its report goes.
func (l *lab) reportForm(op, where string) {
	l.t.Helper()
	l.typed("U0ANA", "/failover report")
	l.filled("U0ANA", "Operation", op)
	l.filled("U0ANA", "Post it", where)
}

func TestReportForm(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.shownCard(operation("op-aaaaaaaa", 1, story()...))
		before := len(l.shown())
		l.reportForm("op-aaaaaaaa", "To me alone")
		if found, err := l.Search("U0ANA", "Operation", "VM-X"); err != nil || len(found) != 2 {
			t.Errorf("a search finds %q, %v", found, err)
		}
		if found, err := l.Search("U0ANA", "Operation", "cancelled"); err != nil || !slices.Equal(found, []string{"op-aaaaaaaa: failover of vm-x"}) {
			t.Errorf("a search finds %q, %v", found, err)
		}
		if err := l.Fill("U0ANA", "With", "Azure's jobs with their tasks"); err != nil {
			t.Fatal(err)
		}
		l.Duplicate(3)
		l.submitted("U0ANA")
		pass(time.Second)
		l.wantForm("U0ANA", "only you see it")
		l.wantTold("U0ANA", "Azure's jobs")
		if told := l.told("U0ANA")[0]; strings.Contains(told, "Timeline") || strings.Contains(told, "Decisions") {
			t.Errorf("what was not wanted is told:\n%s", told)
		}
		if n := len(l.shown()); n != before {
			t.Errorf("%d messages to all, want %d", n, before)
		}
	})
}

// A report in the thread says who posted it, and stands there once.
func TestReportIntoTheThread(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.shownCard(operation("op-aaaaaaaa", 1, story()...))
		l.reportForm("op-aaaaaaaa", "Into the operation's thread, with my name")
		l.Duplicate(3)
		l.submitted("U0ANA")
		pass(time.Second)
		l.wantForm("U0ANA", "in the thread of the operation's card")
		l.wantTold("U0ANA")
		posts := 0
		for _, m := range l.Messages(incident, "U0EVE") {
			if text := strings.Join(l.Render(m), "\n"); strings.Contains(text, "Report: Failover of vm-x") {
				posts++
				if m.ThreadTS == "" || !strings.Contains(text, "Posted by @ana:") {
					t.Errorf("not in a thread, or not by whom:\n%s", text)
				}
			}
		}
		if posts != 1 {
			t.Errorf("%d reports", posts)
		}
	})
}

func TestReportThatCannotBePosted(t *testing.T) {
	const thread = "Into the operation's thread, with my name"
	t.Run("no such operation", func(t *testing.T) {
		inBothModes(t, func(l *lab) {
			l.start()
			l.reportForm("op-zzzzzzzz", thread)
			l.submitted("U0ANA")
			if got := l.fieldError("U0ANA", "Operation"); !strings.Contains(got, "There is no operation") {
				t.Errorf("at the field stands %q", got)
			}
		})
	})
	t.Run("no card", func(t *testing.T) {
		inBothModes(t, func(l *lab) {
			l.start()
			l.reportForm("op-aaaaaaaa", thread)
			l.submitted("U0ANA")
			l.wantForm("U0ANA", "has no card in the channel")
		})
	})
	t.Run("a channel that is shared", func(t *testing.T) {
		inBothModes(t, func(l *lab) {
			l.start()
			l.shownCard(operation("op-aaaaaaaa", 1, story()...))
			l.reportForm("op-aaaaaaaa", thread)
			l.shared()
			l.submitted("U0ANA")
			pass(time.Second)
			l.wantForm("U0ANA", "not known whether the report was posted")
			if strings.Contains(strings.Join(l.shown(), "\n"), "Report:") {
				t.Error("a report is shown to another organisation")
			}
		})
	})
	t.Run("a bug on the way there", func(t *testing.T) {
		inBothModes(t, func(l *lab) {
			stop := l.start()
			l.shownCard(operation("op-aaaaaaaa", 1, story()...))
			l.reportForm("op-aaaaaaaa", thread)
			stop()
			l.opts.Refs = brokenRefs{l.refs}
			l.start()
			l.submitted("U0ANA")
			l.wantForm("U0ANA", "not known whether the report was posted")
		})
	})
	t.Run("nobody answers", func(t *testing.T) {
		inBothModes(t, func(l *lab) {
			stop := l.start()
			l.reportForm("op-aaaaaaaa", thread)
			stop()
			l.reads.err = errors.New("no responders")
			l.start()
			l.submitted("U0ANA")
			l.wantForm("U0ANA", "No executor answers")
		})
	})
	t.Run("who may not look", func(t *testing.T) {
		inBothModes(t, func(l *lab) {
			stop := l.start()
			l.reportForm("op-aaaaaaaa", thread)
			stop()
			l.opts.MayRead = func(failover.Actor) *failover.Refusal {
				return failover.Refuse(failover.NotAllowed, "Ask for a role.", "Only who holds a role may look here.")
			}
			l.start()
			l.submitted("U0ANA")
			l.wantForm("U0ANA", "Only who holds a role may look here.")
		})
	})
}

// brokenRefs panics when it is read.
type brokenRefs struct{ slack.Refs }

func (brokenRefs) Get(context.Context, failover.OpID) (slack.Ref, error) { panic("refs") }
