package workspace_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"ferry/sandbox/workspace"
)

// homeTab has a button, a menu and a field.
func homeTab(text string) slack.HomeTabViewRequest {
	point := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, words("Recovery point"), "point", option("newest"), option("oldest"))
	return slack.HomeTabViewRequest{
		Type: slack.VTHomeTab, CallbackID: "home", PrivateMetadata: "of ana",
		Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewHeaderBlock(words("Waiting for you")),
			slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, "*vm-x* "+text, false, false), nil, nil),
			slack.NewActionBlock("row", slack.NewButtonBlockElement("refresh", "all", words("Refresh")), point),
			slack.NewInputBlock("note", words("Note"), nil, slack.NewPlainTextInputBlockElement(nil, "note")),
		}},
	}
}

func (l *lab) publish(t *testing.T, user, hash string, view slack.HomeTabViewRequest) (*slack.ViewResponse, error) {
	t.Helper()
	r := slack.PublishViewContextRequest{UserID: user, View: view}
	if hash != "" {
		r.Hash = &hash
	}
	return l.api.PublishViewContext(t.Context(), r)
}

// opening is the app_home_opened that the bot gets next.
func (b *bot) opening(t *testing.T) *slackevents.AppHomeOpenedEvent {
	t.Helper()
	e := b.next(t, socketmode.EventTypeEventsAPI)
	b.ack(t, e)
	return e.Data.(slackevents.EventsAPIEvent).InnerEvent.Data.(*slackevents.AppHomeOpenedEvent)
}

func TestHomeTab(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		check(t, l.OpenHome("ana"))
		if o := b.opening(t); o.User != "U0ANA" || o.Tab != "home" || o.View != nil || !strings.HasPrefix(o.Channel, "D") {
			t.Errorf("opened: %+v", o)
		}
		if _, published := l.Home("ana"); published {
			t.Error("something is published")
		}
		first, err := l.publish(t, "U0ANA", "", homeTab("runs"))
		check(t, err)
		h, published := l.Home("ana")
		want := []string{"== Home ==", "# Waiting for you", "*vm-x* runs", "[ Refresh ] [ Recovery point v ] newest | oldest", "Note: [ _ ]"}
		if diff := cmp.Diff(want, l.RenderHome(h)); diff != "" || !published || !h.Open || h.ViewID != first.ID || len(h.Buttons) != 1 {
			t.Errorf("%+v %s", h, diff)
		}
		if _, published := l.Home("ben"); published {
			t.Error("ben sees what is ana's")
		}
		if again, err := l.publish(t, "U0ANA", first.Hash, homeTab("is done")); err != nil || again.ID != first.ID || again.Hash == first.Hash {
			t.Errorf("published again: %+v %v", again, err)
		}
		if _, err := l.publish(t, "U0ANA", first.Hash, homeTab("late")); err == nil || err.Error() != "hash_conflict" {
			t.Errorf("an old hash: %v", err)
		}
		check(t, l.OpenHome("ana"))
		if o := b.opening(t); o.View.ID != first.ID || o.View.CallbackID != "home" {
			t.Errorf("opened again: %+v", o)
		}
	})
}

func TestHomeTabIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		l.post(t, approveCard("vm-x"))
		_, err := l.publish(t, "U0ANA", "", homeTab("runs"))
		check(t, err)
		if _, err := l.Click("ana", incident, "Refresh"); err == nil {
			t.Error("ana clicked in a Home tab that is not open")
		}
		check(t, l.OpenHome("ana"))
		b.opening(t)
		check(t, l.Fill("ana", "Note", "typed"))
		if _, err = l.Click("ana", incident, "Approve"); err == nil || !strings.Contains(err.Error(), `no button "Approve" in the Home tab`) {
			t.Errorf("a button of the channel behind it: %v", err)
		}
		_, err = l.Click("ana", incident, "Refresh")
		check(t, err)
		e, i := b.interaction(t, slack.InteractionTypeBlockActions)
		if a := i.ActionCallback.BlockActions[0]; i.Container.Type != "view" || i.View.Type != slack.VTHomeTab || a.Value != "all" || i.TriggerID == "" || i.ResponseURL != "" ||
			i.View.State.Values["note"]["note"].Value != "typed" || i.View.PrivateMetadata != "of ana" {
			t.Errorf("a click: %s", e.Request.Payload)
		}
		pass(4e9)
		if h, _ := l.Home("ana"); !strings.Contains(strings.Join(l.RenderHome(h), "\n"), "trouble connecting") {
			t.Errorf("no acknowledgement, and no word of it: %+v", h)
		}
		check(t, l.Choose("ana", incident, "Recovery point", "oldest"))
		e, i = b.interaction(t, slack.InteractionTypeBlockActions)
		b.ack(t, e)
		if h, _ := l.Home("ana"); i.ActionCallback.BlockActions[0].SelectedOption.Value != "value-oldest" || h.Notice != "" {
			t.Errorf("a choice: %s %+v", e.Request.Payload, h)
		}
		_, err = l.api.OpenViewContext(t.Context(), i.TriggerID, runForm())
		check(t, err)
		check(t, l.Dismiss("ana"))
		if err := l.Dismiss("ana"); err == nil {
			t.Error("ana closed the Home tab as if it were a modal")
		}
		check(t, l.Type("ana", incident, "back in the channel"))
		_, err = l.Click("ana", incident, "Approve")
		check(t, err)
	})
}

func TestHomeTabsRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{People: []workspace.Person{{ID: "U0ANA", Name: "ana"}, {ID: "U0OUT", Name: "out", Kind: workspace.Stranger}}})
		call := func(user, view string) string {
			a := l.callJSON(t, "views.publish", `{"user_id": "`+user+`", "view": `+view+`}`)
			return fmt.Sprint(a.OK, " ", a.Error, " ", a.Metadata.Messages)
		}
		block := func(kind string) string { return `{"type":"home","blocks":[{"type":"` + kind + `"}]}` }
		rows := map[string][2]string{
			"U0NONE":                  {`{"type":"home","blocks":[]}`, "invalid `user_id`"},
			"U0ANA a modal":           {`{"type":"modal","title":{"type":"plain_text","text":"x"},"blocks":[]}`, "must be one of: home"},
			"U0ANA a title":           {`{"type":"home","title":{"type":"plain_text","text":"x"},"blocks":[]}`, "invalid additional property: title"},
			"U0ANA no blocks":         {`{"type":"home"}`, "missing required field: blocks"},
			"U0ANA too many":          {`{"type":"home","blocks":[` + strings.Repeat(`{"type":"divider"},`, 100) + `{"type":"divider"}]}`, "no more than 100 items"},
			"U0ANA just enough":       {`{"type":"home","blocks":[` + strings.Repeat(`{"type":"divider"},`, 99) + `{"type":"divider"}]}`, "true "},
			"U0ANA a table":           {block("table"), "unsupported type: table"},
			"U0ANA a plan":            {block("plan"), "unsupported type: plan"},
			"U0ANA a task":            {block("task_card"), "unsupported type: task_card"},
			"U0ANA markdown":          {block("markdown"), "unsupported type: markdown"},
			"U0ANA an alert":          {block("alert"), "unsupported type: alert"},
			"U0ANA data":              {block("data_table"), "unsupported type: data_table"},
			"U0ANA context actions":   {block("context_actions"), "unsupported type: context_actions"},
			"U0ANA a container":       {block("container"), "true "},
			"U0ANA a long callback":   {`{"type":"home","blocks":[],"callback_id":"` + strings.Repeat("x", 256) + `"}`, "less than 256 characters"},
			"U0ANA views over 250 kB": {`{"type":"home","blocks":[],"x":"` + strings.Repeat("x", 250_000) + `"}`, "view_too_large"},
		}
		for name, row := range rows {
			user, _, _ := strings.Cut(name, " ")
			if got := call(user, row[0]); !strings.Contains(got, row[1]) {
				t.Errorf("%s: %s, want %s", name, got, row[1])
			}
		}
		if err := l.OpenHome("out"); err == nil {
			t.Error("somebody of another organisation has a Home tab")
		}
		off := newLab(t, workspace.Options{NoHome: true, Events: []string{"app_mention"}})
		if _, err := off.publish(t, "U0ANA", "", homeTab("x")); err == nil || err.Error() != "not_enabled" {
			t.Errorf("a Home tab that is switched off: %v", err)
		}
		b := off.connect(t)
		if check(t, off.OpenHome("ana")); b.count(socketmode.EventTypeEventsAPI) != 0 {
			t.Error("an event that nobody subscribes to")
		}
	})
}
