package workspace_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"ferry/sandbox/workspace"
)

func menus() slack.MsgOption {
	point := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, words("Recovery point"), "point", option("latest"), option("oldest"))
	vm := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, words("Server"), "vm")
	more := slack.NewOverflowBlockElement("more", option("Details"), option("Log"))
	return slack.MsgOptionBlocks(
		slack.NewSectionBlock(words("What next?"), nil, slack.NewAccessory(more), slack.SectionBlockOptionBlockID("top")),
		slack.NewActionBlock("row", point, vm))
}

func TestMenusInMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		ts := l.post(t, menus())
		chose := func() string {
			e, i := b.interaction(t, slack.InteractionTypeBlockActions)
			b.ack(t, e)
			a := i.ActionCallback.BlockActions[0]
			if i.Message.Timestamp != ts || i.ResponseURL == "" || i.TriggerID == "" {
				t.Errorf("payload: %s", e.Request.Payload)
			}
			return fmt.Sprint(a.Type, " ", a.BlockID, " ", a.ActionID, " ", a.SelectedOption.Value, " ", i.BlockActionState.Values["row"]["point"].SelectedOption.Value)
		}
		check(t, l.Choose("ana", incident, "more", "Log"))
		got := []string{chose()}
		check(t, l.Choose("ana", incident, "Recovery point", "value-oldest"))
		got = append(got, chose())
		check(t, b.answering(t, map[string]any{"option_groups": []any{map[string]any{"label": words("West"), "options": []any{option("vm-x")}}}}, func() error {
			return l.Choose("ana", incident, "Server", "vm-x", workspace.Containing("What next"))
		}))
		got = append(got, chose())
		check(t, l.Press("ben", incident, ts, "row", "point", "value-latest"))
		got = append(got, chose())
		want := []string{
			"overflow top more value-Log ", "static_select row point value-oldest value-oldest",
			"external_select row vm value-vm-x value-oldest", "static_select row point value-latest value-latest",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for _, err := range []error{
			l.Choose("ana", incident, "Recovery point", "newest"), l.Choose("ana", incident, "Server", "vm"), l.Choose("ana", incident, "Nothing", "x"),
			l.Press("ana", incident, ts, "row", "point", "value-newest"), l.Press("ana", incident, ts, "row", "nothing", "x"),
		} {
			if err == nil || errors.Is(err, workspace.ErrDispatchFailed) {
				t.Errorf("err = %v", err)
			}
		}
	})
}

func TestSearchShowsWhatGoesWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b, _ := opened(t, l, runForm())
		var found []string
		check(t, b.answering(t, slack.OptionsResponse{Options: []*slack.OptionBlockObject{option("vm-x"), option("vm-y")}}, func() (err error) {
			found, err = l.Search("ana", "Server", "vm-")
			return err
		}))
		if diff := cmp.Diff([]string{"vm-x", "vm-y"}, found); diff != "" {
			t.Error(diff)
		}
		if _, err := l.Search("ana", "Server", "vm"); err == nil || !strings.Contains(err.Error(), "at least 3 characters") {
			t.Errorf("too short: %v", err)
		}
		tooMany := make([]*slack.OptionBlockObject, 101)
		for i := range tooMany {
			tooMany[i] = option(fmt.Sprint(i))
		}
		search := func() error {
			_, err := l.Search("ana", "Server", "vm-x")
			return err
		}
		if err := b.answering(t, slack.OptionsResponse{Options: tooMany}, search); err == nil || !strings.Contains(err.Error(), "no more than 100 items") {
			t.Errorf("too many: %v", err)
		}
		start := time.Now()
		if err := search(); err == nil || !strings.Contains(err.Error(), "operation_timeout") || time.Since(start) != 3*time.Second {
			t.Errorf("no answer: %v after %s", err, time.Since(start))
		}
		l.Outage(time.Minute)
		if err := search(); !errors.Is(err, workspace.ErrDispatchFailed) {
			t.Errorf("no bot: %v", err)
		}
	})
}

func TestModalCoversTheChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b, _ := opened(t, l, runForm())
		l.post(t, approveCard("vm-x"))
		l.post(t, menus())
		if _, err := l.Click("ana", incident, "Approve"); err == nil || !strings.Contains(err.Error(), "modal") {
			t.Errorf("ana pressed through the modal: %v", err)
		}
		if err := l.Choose("ana", incident, "Recovery point", "oldest"); err == nil {
			t.Error("ana chose through the modal")
		}
		_, err := l.Click("ben", incident, "Approve")
		check(t, err)
		e, _ := b.interaction(t, slack.InteractionTypeBlockActions)
		b.ack(t, e)
	})
}

// mention is the next app_mention that the bot gets.
func (b *bot) mention(t *testing.T) (socketmode.Event, *slackevents.AppMentionEvent) {
	t.Helper()
	e := b.next(t, socketmode.EventTypeEventsAPI)
	return e, e.Data.(slackevents.EventsAPIEvent).InnerEvent.Data.(*slackevents.AppMentionEvent)
}

func TestThreadsAndMentions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		ts := l.post(t, slack.MsgOptionText("card", false))
		check(t, l.Reply("ana", incident, ts, "is it done?"))
		reply, _ := l.newest(t, "")
		check(t, l.Reply("ben", incident, reply.TS, "@ferry status"))
		e, m := b.mention(t)
		b.ack(t, e)
		if m.User != "U0BEN" || m.Text != "<@U0FERRY> status" || m.ThreadTimeStamp != ts || m.TimeStamp <= reply.TS || m.Channel != incident {
			t.Errorf("mention: %+v", m)
		}
		check(t, l.Type("ana", incident, "@ferry help"))
		e, m = b.mention(t)
		b.ack(t, e)
		if m.ThreadTimeStamp != "" || m.Text != "<@U0FERRY> help" {
			t.Errorf("mention: %+v", m)
		}
		if err := l.Reply("ana", incident, ts, "/failover vm-x"); err == nil {
			t.Error("a command was taken in a thread")
		}
		if m, text := l.newest(t, "U0ANA"); text != "/failover is not supported in threads. Sorry!" || m.ThreadTS != ts || m.EphemeralFor != "U0ANA" {
			t.Errorf("ana sees %q: %+v", text, m)
		}
		if err := l.Reply("ana", incident, "1.000001", "x"); err == nil {
			t.Error("a reply to nothing")
		}
		if n := b.count(socketmode.EventTypeSlashCommand); n != 0 {
			t.Errorf("%d commands", n)
		}
	})
}

func TestUnackedEventComesAgain(t *testing.T) {
	for _, acked := range []int{2, 3} { // the attempt, of which the fourth is the last
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, workspace.Options{})
			b := l.connect(t)
			start := time.Now()
			check(t, l.Type("ana", incident, "@ferry help"))
			ids := map[string]bool{}
			for attempt, after := range []time.Duration{0, 3 * time.Second, 66 * time.Second, 369 * time.Second}[:acked+1] {
				pass(time.Until(start.Add(after)))
				e, _ := b.mention(t)
				if e.Request.RetryAttempt != attempt || time.Since(start) != after {
					t.Errorf("attempt %d after %s, want %d after %s", e.Request.RetryAttempt, time.Since(start), attempt, after)
				}
				ids[e.Data.(slackevents.EventsAPIEvent).Data.(*slackevents.EventsAPICallbackEvent).EventID] = true
				if attempt == acked {
					b.ack(t, e)
				}
			}
			pass(time.Hour)
			if n := b.count(socketmode.EventTypeEventsAPI); n != 0 || len(ids) != 1 || ids[""] {
				t.Errorf("%d more; ids %v", n, ids)
			}
			if seen := l.Messages(incident, workspace.Everyone); len(seen) != 1 {
				t.Errorf("somebody was told: %+v", seen)
			}
		})
	}
}

func TestSearchedMultiSelect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		vms := slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeExternal, words("Servers"), "vms")
		most := 2
		vms.MaxSelectedItems, vms.MinQueryLength = &most, &most
		view := runForm()
		view.Blocks.BlockSet = []slack.Block{slack.NewInputBlock("vms", words("Servers"), nil, vms)}
		b, _ := opened(t, l, view)
		fill := func(values ...string) error {
			done := make(chan error, 1)
			go func() { done <- l.Fill("ana", "Servers", values...) }()
			for range values {
				e, i := b.interaction(t, slack.InteractionTypeBlockSuggestion)
				b.ack(t, e, slack.OptionsResponse{Options: []*slack.OptionBlockObject{option(i.Value)}})
			}
			return <-done
		}
		check(t, fill("vm-x", "vm-y"))
		if err := l.Fill("ana", "Servers", "vm-x", "vm-y", "vm-x"); err == nil || !strings.Contains(err.Error(), "takes 2 options at most") {
			t.Errorf("three of two: %v", err)
		}
		check(t, l.Submit("ana"))
		e, i := b.interaction(t, slack.InteractionTypeViewSubmission)
		b.ack(t, e)
		if chosen := i.View.State.Values["vms"]["vms"].SelectedOptions; len(chosen) != 2 || chosen[0].Value != "value-vm-x" || chosen[1].Value != "value-vm-y" {
			t.Errorf("submitted: %+v", chosen)
		}
	})
}
