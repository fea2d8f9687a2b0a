package workspace_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"ferry/sandbox/workspace"
)

func TestSlashCommandIsAnsweredByItsAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		check(t, l.Type("ana", "#incident", "/failover vm-x  latest "))
		e := b.next(t, socketmode.EventTypeSlashCommand)
		command := e.Data.(slack.SlashCommand)
		if command.ResponseURL == "" || command.TriggerID == "" || command.Token == "" {
			t.Errorf("incomplete: %+v", command)
		}
		command.ResponseURL, command.TriggerID, command.Token = "", "", ""
		want := slack.SlashCommand{
			TeamID: "T0SANDBOX", TeamDomain: "sandbox", ChannelID: incident, ChannelName: "incident",
			UserID: "U0ANA", UserName: "ana", Command: "/failover", Text: "vm-x  latest", APIAppID: "A0FERRY",
		}
		if diff := cmp.Diff(want, command); diff != "" {
			t.Error(diff)
		}
		b.ack(t, e, map[string]any{"text": "Planning *vm-x*"})
		if m, text := l.newest(t, "U0ANA"); text != "Planning *vm-x*" || m.EphemeralFor != "U0ANA" || m.User != "U0FERRY" {
			t.Errorf("ana sees %q: %+v", text, m)
		}
		if seen := l.Messages(incident, "U0BEN"); len(seen) != 0 {
			t.Errorf("ben sees what is for ana: %+v", seen)
		}
	})
}

func TestAckInChannelShowsTheCommandToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		check(t, l.Type("ana", incident, "/failover help"))
		b.ack(t, b.next(t, socketmode.EventTypeSlashCommand), map[string]any{"text": "Help", "response_type": "in_channel"})
		var seen []string
		for _, m := range l.Messages(incident, "") {
			seen = append(seen, m.User+" "+m.Text)
		}
		if diff := cmp.Diff([]string{"U0ANA /failover help", "U0FERRY Help"}, seen); diff != "" {
			t.Error(diff)
		}
	})
}

func TestUnackedCommandShowsTimeoutAfterThreeSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		check(t, l.Type("ana", incident, "/failover vm-x"))
		e := b.next(t, socketmode.EventTypeSlashCommand)
		pass(3*time.Second - time.Millisecond)
		if seen := l.Messages(incident, workspace.Everyone); len(seen) != 0 {
			t.Fatalf("too early: %+v", seen)
		}
		pass(2 * time.Millisecond)
		if _, text := l.newest(t, "U0ANA"); text != `/failover failed with the error "operation_timeout"` {
			t.Errorf("ana sees %q", text)
		}
		b.ack(t, e, map[string]any{"text": "too late"})
		if seen := l.Messages(incident, workspace.Everyone); len(seen) != 1 {
			t.Errorf("a late ack is shown: %+v", seen)
		}
		if a := l.Acks()[0]; a.AckedAt.Sub(a.SentAt) < 3*time.Second || a.Type != "slash_commands" {
			t.Errorf("ledger: %+v", a)
		}
	})
}

func TestNoConnectionShowsDispatchFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		if err := l.Type("ana", incident, "/failover vm-x"); !errors.Is(err, workspace.ErrDispatchFailed) {
			t.Errorf("err = %v", err)
		}
		if _, text := l.newest(t, "U0ANA"); text != `/failover failed with the error "dispatch_failed"` {
			t.Errorf("ana sees %q", text)
		}
	})
}

func TestClickReachesTheBotInFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		old := l.post(t, approveCard("vm-a"))
		ts := l.post(t, slack.MsgOptionText("plain", false))
		_, _, _, err := l.api.UpdateMessageContext(t.Context(), incident, ts, slack.MsgOptionText("card", false), approveCard("vm-b"))
		check(t, err)

		result, err := l.Click("ben", incident, "Approve")
		check(t, err)
		if result.TS != ts || result.Confirm != "Fail over?\nvm-b to west\n[ Do it ] [ Not now ]" {
			t.Errorf("result: %+v", result)
		}
		e := b.next(t, socketmode.EventTypeInteractive)
		click := e.Data.(slack.InteractionCallback)
		action := click.ActionCallback.BlockActions[0]
		got := []string{
			string(click.Type), click.User.ID, click.User.TeamID, click.APIAppID, click.Team.Domain, click.Channel.Name,
			click.Container.MessageTs, click.Container.ChannelID, click.Message.Timestamp, click.Message.BotID, click.Message.Edited.User,
			action.ActionID, action.Value, action.Text.Text, string(action.Type),
		}
		want := []string{
			"block_actions", "U0BEN", "T0SANDBOX", "A0FERRY", "sandbox", "incident",
			ts, incident, ts, "B0FERRY", "U0FERRY", "approve", "op-1", "Approve", "button",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if action.BlockID == "" || action.ActionTs == "" || click.TriggerID == "" || click.ResponseURL == "" || len(click.Message.Blocks.BlockSet) != 2 {
			t.Errorf("incomplete: %s", e.Request.Payload)
		}
		if e.Request.AcceptsResponsePayload {
			t.Error("block_actions accepts no payload")
		}
		b.ack(t, e, map[string]any{"text": "ignored"})
		if m := l.Messages(incident, workspace.Everyone); len(m) != 2 {
			t.Errorf("the payload of an ack that accepts none is shown: %+v", m)
		}

		result, err = l.Click("ben", incident, "Deny", workspace.Containing("vm-a"))
		check(t, err)
		if result.TS != old {
			t.Errorf("clicked on %s, vm-a is on %s", result.TS, old)
		}
	})
}

func TestUnackedClickWarnsItsPersonOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		l.connect(t)
		l.post(t, approveCard("vm-x"))
		_, err := l.Click("ben", incident, "Deny")
		check(t, err)
		pass(4 * time.Second)
		if m, text := l.newest(t, "U0BEN"); m.EphemeralFor != "U0BEN" || text != `The button "Deny" failed with the error "operation_timeout"` {
			t.Errorf("ben sees %q", text)
		}
	})
}

func TestClickNamesTheButtonsThatAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		l.post(t, approveCard("vm-x"))
		_, err := l.Click("ben", incident, "Commit")
		if err == nil || !strings.Contains(err.Error(), `"Approve" "Deny"`) {
			t.Errorf("err = %v", err)
		}
		_, err = l.api.PostEphemeralContext(t.Context(), incident, "U0ANA",
			slack.MsgOptionBlocks(slack.NewActionBlock("", slack.NewButtonBlockElement("mine", "", slack.NewTextBlockObject("plain_text", "Mine", false, false)))))
		check(t, err)
		if _, err = l.Click("ben", incident, "Mine"); err == nil || errors.Is(err, workspace.ErrDispatchFailed) {
			t.Errorf("ben clicked on an ephemeral message of ana: %v", err)
		}
	})
}

func TestDuplicatesShareTheTrigger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		l.Duplicate(2)
		check(t, l.Type("ana", incident, "/failover vm-x"))
		check(t, l.Type("ana", incident, "/failover vm-y"))
		if n := b.count(socketmode.EventTypeSlashCommand); n != 4 {
			t.Fatalf("%d deliveries, want 3 and 1", n)
		}
		acks := l.Acks()
		envelopes := map[string]bool{}
		for _, a := range acks[:3] {
			envelopes[a.EnvelopeID] = true
			if a.TriggerID != acks[0].TriggerID {
				t.Errorf("another trigger_id: %+v", a)
			}
		}
		if len(envelopes) != 3 || acks[3].TriggerID == acks[0].TriggerID {
			t.Errorf("ledger: %+v", acks)
		}
	})
}

func TestEachPayloadGoesToOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		one, two := l.connect(t), l.connect(t)
		for i := range 6 {
			check(t, l.Type("ana", incident, fmt.Sprintf("/failover vm-%d", i)))
		}
		a, b := one.count(socketmode.EventTypeSlashCommand), two.count(socketmode.EventTypeSlashCommand)
		if a != 3 || b != 3 {
			t.Errorf("%d and %d of 6 payloads", a, b)
		}
	})
}

func TestEleventhConnectionIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{NoRateLimits: true})
		for range 10 {
			l.dialRaw(t)
		}
		conn := l.dialRaw(t)
		var frame struct{ Type, Reason string }
		check(t, conn.ReadJSON(&frame))
		if frame.Type != "disconnect" || frame.Reason != "too_many_websockets" {
			t.Errorf("frame: %+v", frame)
		}
		if err := conn.ReadJSON(&frame); err == nil || l.Connections() != 10 {
			t.Errorf("err %v, %d connections", err, l.Connections())
		}
	})
}

// dialRaw connects without slack-go, which hides the frames.
func (l *lab) dialRaw(t *testing.T) *websocket.Conn {
	t.Helper()
	_, url, err := l.api.StartSocketModeContext(t.Context())
	check(t, err)
	dialer := websocket.Dialer{NetDialContext: l.listener.Dial}
	conn, response, err := dialer.DialContext(t.Context(), url, nil)
	check(t, err)
	t.Cleanup(func() { _ = errors.Join(response.Body.Close(), conn.Close()) })
	synctest.Wait()
	if _, again, err := dialer.DialContext(t.Context(), url, nil); err == nil {
		t.Error("a ticket was good for two connections")
	} else {
		_ = again.Body.Close()
	}
	return conn
}

func TestClientThatDoesNotReadIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		l.dialRaw(t)
		start := time.Now()
		if err := l.Type("ana", incident, "/failover vm-x"); !errors.Is(err, workspace.ErrDispatchFailed) {
			t.Errorf("err = %v", err)
		}
		d := time.Since(start)
		synctest.Wait()
		if d != 10*time.Second || l.Connections() != 0 {
			t.Errorf("after %s: %d connections", d, l.Connections())
		}
		if _, text := l.newest(t, "U0ANA"); !strings.Contains(text, "operation_timeout") {
			t.Errorf("ana sees %q", text)
		}
	})
}

func TestRefreshReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		if n := l.Disconnect("refresh_requested"); n != 1 || l.Connections() != 0 {
			t.Fatalf("told %d, %d left", n, l.Connections())
		}
		b.next(t, socketmode.EventTypeHello)
		check(t, l.Type("ana", incident, "/failover vm-x"))
		b.ack(t, b.next(t, socketmode.EventTypeSlashCommand))
	})
}

func TestIdleConnectionStaysUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		pass(6 * time.Hour)
		if n := b.count(socketmode.EventTypeConnecting); n != 0 || l.Connections() != 1 {
			t.Errorf("%d reconnections, %d connections", n, l.Connections())
		}
	})
}

func TestClickOnWhatWasShownBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		ts := l.post(t, approveCard("vm-x"))
		shown, _ := l.newest(t, "")
		_, _, _, err := l.api.UpdateMessageContext(t.Context(), incident, ts, slack.MsgOptionText("over", false), slack.MsgOptionBlocks())
		check(t, err)
		check(t, l.ClickShown("ben", incident, shown, "Approve"))
		click := b.next(t, socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
		if action := click.ActionCallback.BlockActions[0]; action.Value != "op-1" || click.Message.Text != "over" {
			t.Errorf("%+v of %q", action, click.Message.Text)
		}
		if err := l.ClickShown("ben", incident, shown, "Commit"); err == nil {
			t.Error("a button that was never there")
		}
		shown.TS = "1.000000"
		if err := l.ClickShown("ben", incident, shown, "Approve"); !errors.Is(err, workspace.ErrGone) {
			t.Errorf("a message that is not there: %v", err)
		}
	})
}
