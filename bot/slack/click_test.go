package slack_test

import (
	"context"
	"testing"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/failover"
)

func TestClick(t *testing.T) {
	inBothModes(t, func(l *lab) {
		op := operation("op-aaaaaaaa", 1, requested())
		l.commands.decide = func(failover.Command) (failover.Operation, failover.Answer) {
			return op, failover.Answer{Did: failover.DidOpenGate}
		}
		l.start()
		l.feed.publish(op)
		pass(time.Second)
		l.clicked("U0BEN", "Approve")
		ack := l.Acks()[0]
		want := failover.Command{
			MessageID: failover.MessageID("T0SANDBOX", ack.TriggerID), Op: op.ID, Verb: failover.VerbApprove, Seen: op.Token(failover.StepFailover),
			By: failover.Actor{ID: "U0BEN", Name: "ben"}, At: ack.SentAt, ValidUntil: ack.SentAt.Add(failover.CommandValidity),
		}
		if got := l.commands.all(); len(got) != 1 || got[0] != want {
			t.Errorf("stored %+v, want %+v", got, want)
		}
		l.wantTold("U0BEN", "is approved")
	})
}

func TestClickWithoutStoreIsNotAcknowledged(t *testing.T) {
	bubble(t, func(l *lab) {
		stored := make(chan struct{})
		l.commands.store = func(context.Context, int) error { <-stored; return nil }
		l.start()
		l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		pass(time.Second)
		l.clicked("U0BEN", "Approve")
		pass(time.Minute)
		if !l.Acks()[0].AckedAt.IsZero() {
			t.Error("acknowledged though it is not stored")
		}
		l.wantTold("U0BEN", "Not confirmed yet", "operation_timeout")
		close(stored)
		pass(time.Second)
		if l.Acks()[0].AckedAt.IsZero() {
			t.Error("not acknowledged though it is stored")
		}
		l.wantTold("U0BEN", "Not confirmed yet", "operation_timeout", "waits for approval")
	})
}

func TestButtonOfAnotherVersionIsAnsweredAndDoesNothing(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		label := slackapi.NewTextBlockObject(slackapi.PlainTextType, "Hand over", false, false)
		api := slackapi.New("xoxb-sandbox", slackapi.OptionHTTPClient(l.opts.HTTPClient), slackapi.OptionAPIURL(l.opts.APIURL))
		button := slackapi.NewButtonBlockElement("ferry_handover", "op-aaaaaaaa", label)
		if _, _, err := api.PostMessageContext(l.t.Context(), incident, slackapi.MsgOptionBlocks(slackapi.NewActionBlock("", button))); err != nil {
			t.Fatal(err)
		}
		l.clicked("U0BEN", "Hand over")
		pass(time.Second)
		l.wantTold("U0BEN", "another version")
		if l.Acks()[0].AckedAt.IsZero() || len(l.commands.all()) != 0 {
			t.Error("not acknowledged, or stored")
		}
	})
}

func TestRefusedClickSaysWhy(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.commands.decide = func(cmd failover.Command) (failover.Operation, failover.Answer) {
			no := failover.Refuse(failover.NotAllowed, "Ask another person.", "You asked for it yourself.")
			return operation(cmd.Op, 1, requested()), failover.Answer{Refused: no}
		}
		l.start()
		l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		pass(time.Second)
		l.clicked("U0ANA", "Approve")
		l.wantTold("U0ANA", "You asked for it yourself. Ask another person.")
	})
}
