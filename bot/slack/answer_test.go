package slack_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

func TestCommandIsStoredBeforeItIsAcknowledged(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.commands.store = func(context.Context, int) error { <-time.After(time.Second); return nil }
		l.start()
		l.typed("U0ANA", "/failover vm-x latest --reason disk errors")
		if acks := l.Acks(); !acks[0].AckedAt.IsZero() {
			t.Fatal("acknowledged before it was stored")
		}
		pass(time.Second)
		if got := l.seams.ledger(); !slices.Equal(got, []string{"slack.store", "slack.ack", "slack.answer"}) {
			t.Errorf("order: %v", got)
		}
		ack := l.Acks()[0]
		if ack.AckedAt.Sub(ack.SentAt) != time.Second || len(ack.Payload) != 0 {
			t.Errorf("acknowledged after %s with %q", ack.AckedAt.Sub(ack.SentAt), ack.Payload)
		}
		cmd := l.commands.all()[0]
		want := failover.Command{
			MessageID: failover.MessageID("T0SANDBOX", ack.TriggerID), Verb: failover.VerbFailover, By: failover.Actor{ID: "U0ANA", Name: "ana"},
			Target: "vm-x", Point: failover.Point{Kind: failover.Latest}, Shutdown: true, Reason: "disk errors",
			At: ack.SentAt, ValidUntil: ack.SentAt.Add(failover.CommandValidity),
		}
		want.Op = failover.OpIDOf(want.MessageID, 0)
		if cmd != want {
			t.Errorf("stored\n%+v, want\n%+v", cmd, want)
		}
		l.wantTold("U0ANA", "waits for approval")
	})
}

func TestStoreThatHangsIsNeverCalledAnAcceptance(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.commands.store = func(ctx context.Context, _ int) error {
			select {
			case <-time.After(8 * time.Second): // a leader election
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		l.start()
		l.typed("U0ANA", "/failover vm-x")
		pass(2*time.Second + 499*time.Millisecond)
		l.wantTold("U0ANA")
		pass(time.Millisecond)
		if ack := l.Acks()[0]; ack.AckedAt.Sub(ack.SentAt) != 2500*time.Millisecond || !strings.Contains(string(ack.Payload), "Not confirmed") {
			t.Errorf("the acknowledgement after %s says %q", ack.AckedAt.Sub(ack.SentAt), ack.Payload)
		}
		pass(time.Minute)
		l.wantTold("U0ANA", "Not confirmed yet", "waits for approval")
		if n := len(l.commands.all()); n != 1 {
			t.Errorf("%d commands stored", n)
		}
	})
}

func TestStoreThatNeverWorks(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.commands.store = func(context.Context, int) error { return errors.New("no leader") }
		l.start()
		l.typed("U0ANA", "/failover vm-x")
		pass(failover.CommandValidity - time.Second)
		l.wantTold("U0ANA", "Not confirmed yet")
		pass(10 * time.Second)
		l.wantTold("U0ANA", "Not confirmed yet", "could not be stored")
		tries := l.commands.tries
		pass(time.Hour)
		if l.commands.tries != tries || tries < 10 {
			t.Errorf("%d tries while it was valid, %d in all", tries, l.commands.tries)
		}
	})
}

func TestStoreWhoseAnswersAreLostStillGivesTheDecision(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.seams.cut("slack.store", cut{after: true, err: func(int) error { return errCut }})
		l.start()
		l.typed("U0ANA", "/failover vm-x")
		pass(failover.CommandValidity + time.Minute)
		l.wantTold("U0ANA", "Not confirmed yet", "waits for approval")
	})
}

func TestSilentExecutor(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.commands.silent = 5 * time.Minute
		l.start()
		l.typed("U0ANA", "/failover vm-x")
		pass(2500 * time.Millisecond)
		l.wantTold("U0ANA", "stored as "+string(l.commands.all()[0].Op))
		pass(5 * time.Minute)
		l.wantTold("U0ANA", "stored as op-", "waits for approval")
	})
}

func TestAnswersThatNeedNoStore(t *testing.T) {
	for text, want := range map[string]string{
		"/failover aprove op-aaaaaaaa": "approve",
		"/failover help commit":        "Make a failover final",
		"/failover help":               "Look",
		"/failover status":             "op-aaaaaaaa",
		"/failover list":               "vm-x",
		"/failover jobs":               "outside Ferry",
		"/failover debt":               "/failover commit vm-x",
		"/failover readiness":          "held by op-aaaaaaaa",
	} {
		inBothModes(t, func(l *lab) {
			l.start()
			l.typed("U0EVE", text)
			l.wantTold("U0EVE", want)
			if len(l.Acks()[0].Payload) == 0 || len(l.commands.all()) != 0 {
				t.Errorf("%s: not answered in the acknowledgement, or stored", text)
			}
		})
	}
}

func TestReadThatNobodyAnswers(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.reads.err = errors.New("no responders")
		l.start()
		l.typed("U0EVE", "/failover list")
		pass(2200 * time.Millisecond)
		l.wantTold("U0EVE", "No executor answers")
	})
}

func TestDeliveredTwiceIsOneCommand(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		l.Duplicate(2)
		l.typed("U0ANA", "/failover vm-x")
		pass(time.Minute)
		if l.commands.tries != 3 || len(l.commands.all()) != 1 {
			t.Errorf("%d tries gave %d commands", l.commands.tries, len(l.commands.all()))
		}
		for _, a := range l.Acks() {
			if a.AckedAt.IsZero() {
				t.Error("a delivery was not acknowledged")
			}
		}
		l.wantTold("U0ANA", "waits for approval")
	})
}

func TestPanicIsSurvived(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.commands.store = func(_ context.Context, try int) error {
			if try == 1 {
				panic("store")
			}
			return nil
		}
		decided := 0
		l.commands.decide = func(cmd failover.Command) (failover.Operation, failover.Answer) {
			if decided++; decided == 1 {
				panic("decision")
			}
			return operation(cmd.Op, 1, requested()), failover.Answer{Did: failover.DidRequest}
		}
		l.start()
		l.typed("U0ANA", "/failover vm-x")
		pass(2400 * time.Millisecond)
		l.wantTold("U0ANA", "waits for approval")
	})
}

func TestAnswerOutlivesAnOutage(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.commands.silent = time.Minute
		l.start()
		l.typed("U0ANA", "/failover vm-x")
		pass(10 * time.Second)
		l.Outage(5 * time.Minute)
		pass(10 * time.Minute)
		l.wantTold("U0ANA", "stored as op-", "waits for approval")
	})
}

func TestResponseURLIsNotLogged(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.severed = "/commands/"
		l.start()
		l.typed("U0ANA", "/failover vm-x")
		pass(time.Hour)
		if log := l.log.String(); !strings.Contains(log, "a person got no answer") || strings.Contains(log, l.severed) {
			t.Errorf("log:\n%s", log)
		}
	})
}

// What changes nothing is answered once, too, however often Slack delivers it.
func TestRepeatedDeliveryIsAnsweredOnce(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		for i, line := range []string{"comit vm-x", "help comit", "help", "list"} {
			l.Duplicate(2)
			l.typed("U0EVE", "/failover "+line)
			pass(time.Second)
			if n := len(l.told("U0EVE")); n != i+1 {
				t.Errorf("%s: %d answers to %d lines", line, n, i+1)
			}
		}
	})
}

// What Slack says while it is unwell itself is no reason to leave a person without an answer, or a form half drawn.
func TestAnswerOutlivesWhatPasses(t *testing.T) {
	for _, code := range []string{"service_unavailable", "request_timeout", "internal_error"} {
		bubble(t, func(l *lab) {
			l.start()
			l.RefuseNext("chat.postEphemeral", code, 2)
			l.written("U0ANA", "", "@ferry status")
			l.RefuseNext("views.update", code, 2)
			l.typed("U0ANA", "/failover reprotect vm-x")
			pass(time.Minute)
			l.wantTold("U0ANA", "op-aaaaaaaa")
			l.wantForm("U0ANA", "north to west")
		})
	}
}
