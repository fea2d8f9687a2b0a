package workspace_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"ferry/sandbox/workspace"
)

func words(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

func option(name string) *slack.OptionBlockObject {
	return slack.NewOptionBlockObject("value-"+name, words(name), nil)
}

// runForm has one input of each kind that people use.
func runForm() slack.ModalViewRequest {
	reason := slack.NewPlainTextInputBlockElement(words("Why"), "reason")
	reason.Multiline, reason.MinLength = true, 5
	point := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, words("Choose"), "point", option("latest"), option("oldest"))
	point.InitialOption = option("latest")
	vm := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, words("Search"), "vm")
	kind := slack.NewRadioButtonsBlockElement("kind", option("planned"), option("unplanned"))
	extras := slack.NewCheckboxGroupsBlockElement("extras", option("shutdown"), option("notify"))
	notes := slack.NewInputBlock("notes", words("Notes"), nil, slack.NewPlainTextInputBlockElement(nil, "notes"))
	notes.Optional = true
	more := slack.NewInputBlock("extras", words("Extras"), nil, extras)
	more.Optional = true
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: "run", PrivateMetadata: "op-1", Title: words("Fail over"), Submit: words("Ask"), Close: words("Cancel"),
		NotifyOnClose: true,
		Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, "What is to be *failed over*?", false, false), nil, nil),
			slack.NewInputBlock("vm", words("Server"), nil, vm),
			slack.NewInputBlock("point", words("Recovery point"), nil, point),
			slack.NewInputBlock("kind", words("Kind"), nil, kind),
			more,
			slack.NewInputBlock("reason", words("Reason"), words("Stands in the record"), reason),
			notes,
			slack.NewInputBlock("day", words("Day"), nil, slack.NewDatePickerBlockElement("day")),
			slack.NewInputBlock("hour", words("Hour"), nil, slack.NewTimePickerBlockElement("hour")),
			slack.NewInputBlock("count", words("Count"), nil, slack.NewNumberInputBlockElement(nil, "count", false)),
		}},
	}
}

// opened is a bot that answered ana's command with a modal.
func opened(t *testing.T, l *lab, view slack.ModalViewRequest) (*bot, *slack.ViewResponse) {
	t.Helper()
	b := l.connect(t)
	check(t, l.Type("ana", incident, "/failover"))
	e := b.next(t, socketmode.EventTypeSlashCommand)
	b.ack(t, e)
	v, err := l.api.OpenViewContext(t.Context(), e.Data.(slack.SlashCommand).TriggerID, view)
	check(t, err)
	return b, v
}

// interaction is the next one that the bot gets.
func (b *bot) interaction(t *testing.T, kind slack.InteractionType) (socketmode.Event, slack.InteractionCallback) {
	t.Helper()
	e := b.next(t, socketmode.EventTypeInteractive)
	i := e.Data.(slack.InteractionCallback)
	if i.Type != kind {
		t.Fatalf("a %s, want a %s", i.Type, kind)
	}
	return e, i
}

// answering lets a person search while the bot answers with options.
func (b *bot) answering(t *testing.T, answer any, act func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- act() }()
	e, _ := b.interaction(t, slack.InteractionTypeBlockSuggestion)
	b.ack(t, e, answer)
	return <-done
}

func (l *lab) modal(t *testing.T, user string) workspace.Modal {
	t.Helper()
	m, open := l.Modal(user)
	if !open {
		t.Fatalf("%s has no modal open", user)
	}
	return m
}

func (l *lab) closed(t *testing.T, user string) {
	t.Helper()
	if m, open := l.Modal(user); open {
		t.Fatalf("%s has a modal open: %+v", user, m)
	}
}

func fieldErrors(m workspace.Modal) map[string]string {
	found := map[string]string{}
	for _, f := range m.Fields {
		if f.Error != "" {
			found[f.BlockID] = f.Error
		}
	}
	return found
}

func TestModalIsFilledInAndSubmitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b, v := opened(t, l, runForm())
		if v.ID == "" || v.Hash == "" || v.RootViewID != v.ID || v.PrivateMetadata != "op-1" || v.AppID != "A0FERRY" {
			t.Errorf("the answer: %+v", v.View)
		}
		l.closed(t, "ben")
		if m := l.modal(t, "ana"); m.Title != "Fail over" || m.Depth != 1 || m.Submit != "Ask" || m.Close != "Cancel" || len(m.Fields) != 9 {
			t.Errorf("modal: %+v", m)
		}
		err := l.Submit("ana")
		want := map[string]string{}
		for _, id := range []string{"vm", "kind", "reason", "day", "hour", "count"} {
			want[id] = "Please complete this required field."
		}
		if diff := cmp.Diff(want, fieldErrors(l.modal(t, "ana"))); diff != "" || err == nil || b.count(socketmode.EventTypeInteractive) != 0 {
			t.Errorf("an empty form: %v %s", err, diff)
		}
		check(t, b.answering(t, slack.OptionsResponse{Options: []*slack.OptionBlockObject{option("vm-x"), option("vm-y")}}, func() error {
			return l.Fill("ana", "Server", "vm-x")
		}))
		for field, value := range map[string]string{"Kind": "unplanned", "reason": "abc", "Day": "2026-01-31", "Hour": "23:59", "count": "2.5"} {
			check(t, l.Fill("ana", field, value))
		}
		check(t, l.Fill("ana", "Extras", "shutdown", "value-notify"))
		if err := l.Submit("ana"); err == nil || !strings.Contains(err.Error(), "at least 5 characters") || !strings.Contains(err.Error(), "Please enter a number.") {
			t.Errorf("err = %v", err)
		}
		check(t, l.Fill("ana", "reason", "disk errors"))
		check(t, l.Fill("ana", "Count", "2"))
		check(t, l.Submit("ana"))
		e, s := b.interaction(t, slack.InteractionTypeViewSubmission)
		checkSubmission(t, e, s, v.ID)
		if m := l.modal(t, "ana"); !m.Busy {
			t.Error("it is not being sent")
		}
		if err := l.Submit("ana"); err == nil {
			t.Error("it was sent twice")
		}
		b.ack(t, e)
		l.closed(t, "ana")
	})
}

func checkSubmission(t *testing.T, e socketmode.Event, s slack.InteractionCallback, id string) {
	t.Helper()
	if !e.Request.AcceptsResponsePayload || s.User.ID != "U0ANA" || s.View.ID != id || s.View.CallbackID != "run" || s.TriggerID == "" || s.View.PrivateMetadata != "op-1" {
		t.Errorf("submission: %s", e.Request.Payload)
	}
	var payload struct {
		View struct {
			State struct{ Values json.RawMessage }
		}
	}
	check(t, json.Unmarshal(e.Request.Payload, &payload))
	o := func(name string) string {
		return fmt.Sprintf(`{"text":{"text":%q,"type":"plain_text"},"value":"value-%s"}`, name, name)
	}
	want := `{"count":{"count":{"type":"number_input","value":"2"}},"day":{"day":{"selected_date":"2026-01-31","type":"datepicker"}},` +
		`"extras":{"extras":{"selected_options":[` + o("shutdown") + `,` + o("notify") + `],"type":"checkboxes"}},` +
		`"hour":{"hour":{"selected_time":"23:59","type":"timepicker"}},"kind":{"kind":{"selected_option":` + o("unplanned") + `,"type":"radio_buttons"}},` +
		`"notes":{"notes":{"type":"plain_text_input","value":null}},"point":{"point":{"selected_option":` + o("latest") + `,"type":"static_select"}},` +
		`"reason":{"reason":{"type":"plain_text_input","value":"disk errors"}},"vm":{"vm":{"selected_option":` + o("vm-x") + `,"type":"external_select"}}}`
	if diff := cmp.Diff(want, strings.ReplaceAll(string(payload.View.State.Values), `"emoji":false,`, "")); diff != "" {
		t.Error(diff)
	}
}

func TestSubmissionAnswers(t *testing.T) {
	section := slack.NewSectionBlock(words("Done"), nil, nil, slack.SectionBlockOptionBlockID("done"))
	next := func(title string) *slack.ModalViewRequest {
		return &slack.ModalViewRequest{Type: slack.VTModal, Title: words(title), Blocks: slack.Blocks{BlockSet: []slack.Block{section}}}
	}
	const trouble = "We had some trouble connecting. Try again?"
	rows := map[string]struct {
		answer any
		shows  string // title, depth, notice and errors; empty for closed
	}{
		"nothing":                  {nil, ""},
		"clear":                    {slack.NewClearViewSubmissionResponse(), ""},
		"errors":                   {slack.NewErrorsViewSubmissionResponse(map[string]string{"name": "taken"}), "First 1 {taken}"},
		"an error for no input":    {slack.NewErrorsViewSubmissionResponse(map[string]string{"text": "taken"}), "First 1 {} " + trouble},
		"no errors":                {slack.NewErrorsViewSubmissionResponse(nil), "First 1 {} " + trouble},
		"update":                   {slack.NewUpdateViewSubmissionResponse(next("Second")), "Second 1 {}"},
		"push":                     {slack.NewPushViewSubmissionResponse(next("Second")), "Second 2 {}"},
		"update with a long title": {slack.NewUpdateViewSubmissionResponse(next(strings.Repeat("x", 25))), "First 1 {} " + trouble},
		"no such action":           {map[string]string{"response_action": "wonder"}, "First 1 {} " + trouble},
		"not what Slack takes":     {map[string]bool{"ok": true}, "First 1 {} " + trouble},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, workspace.Options{})
				input := slack.NewPlainTextInputBlockElement(nil, "name")
				view := slack.ModalViewRequest{Type: slack.VTModal, Title: words("First"), Submit: words("Go"), Blocks: slack.Blocks{BlockSet: []slack.Block{
					slack.NewSectionBlock(words("x"), nil, nil, slack.SectionBlockOptionBlockID("text")), slack.NewInputBlock("name", words("Name"), nil, input),
				}}}
				b, _ := opened(t, l, view)
				check(t, l.Fill("ana", "Name", "typed"))
				check(t, l.Submit("ana"))
				e, _ := b.interaction(t, slack.InteractionTypeViewSubmission)
				b.ack(t, e, row.answer)
				m, open := l.Modal("ana")
				shows := ""
				if open {
					shows = strings.TrimSpace(fmt.Sprintf("%s %d {%s} %s", m.Title, m.Depth, fieldErrors(m)["name"], m.Notice))
				}
				if shows != row.shows {
					t.Errorf("ana sees %q, want %q", shows, row.shows)
				}
				if m.Title == "First" && m.Fields[0].Value != "typed" {
					t.Errorf("what was typed is gone: %+v", m.Fields)
				}
			})
		})
	}
}

func TestUnansweredSubmissionKeepsWhatWasTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		view := runForm()
		view.Blocks.BlockSet = view.Blocks.BlockSet[6:7] // the notes
		b, _ := opened(t, l, view)
		check(t, l.Fill("ana", "Notes", "typed"))
		check(t, l.Submit("ana"))
		e, _ := b.interaction(t, slack.InteractionTypeViewSubmission)
		pass(3*time.Second + time.Millisecond)
		if m := l.modal(t, "ana"); m.Busy || !strings.Contains(m.Notice, "trouble connecting") || m.Fields[0].Value != "typed" {
			t.Errorf("modal: %+v", m)
		}
		b.ack(t, e) // too late
		l.modal(t, "ana")
		check(t, l.Submit("ana"))
		again, _ := b.interaction(t, slack.InteractionTypeViewSubmission)
		b.ack(t, again)
		l.closed(t, "ana")
	})
}

func TestTriggersOpenOneViewInThreeSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		b := l.connect(t)
		trigger := func() string {
			check(t, l.Type("ana", incident, "/failover"))
			e := b.next(t, socketmode.EventTypeSlashCommand)
			b.ack(t, e)
			return e.Data.(slack.SlashCommand).TriggerID
		}
		open := func(id string) string {
			if _, err := l.api.OpenViewContext(t.Context(), id, runForm()); err != nil {
				return err.Error()
			}
			return "ok"
		}
		once := trigger()
		got := []string{open(once), open(once), open("1.2.abc")}
		late := trigger()
		pass(3*time.Second + time.Millisecond)
		got = append(got, open(late))
		if diff := cmp.Diff([]string{"ok", "exchanged_trigger_id", "invalid_trigger_id", "expired_trigger_id"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStackOfViews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		view := runForm()
		more := slack.NewButtonBlockElement("more", "42", words("More"))
		view.Blocks.BlockSet = []slack.Block{slack.NewActionBlock("go", more)}
		view.ExternalID = "root"
		b, root := opened(t, l, view)
		view.ExternalID = ""
		push := func() (*slack.ViewResponse, error) {
			_, err := l.Click("ana", incident, "More")
			check(t, err)
			e, i := b.interaction(t, slack.InteractionTypeBlockActions)
			b.ack(t, e)
			if i.Container.Type != "view" || i.Container.ViewID != i.View.ID || i.ActionCallback.BlockActions[0].Value != "42" || i.ResponseURL != "" {
				t.Errorf("a click in a view: %s", e.Request.Payload)
			}
			return l.api.PushViewContext(t.Context(), i.TriggerID, view)
		}
		second, err := push()
		check(t, err)
		_, err = push()
		check(t, err)
		if _, err = push(); err == nil || err.Error() != "push_limit_reached" {
			t.Errorf("a fourth view: %v", err)
		}
		if m := l.modal(t, "ana"); m.Depth != 3 || second.PreviousViewID != root.ID || second.RootViewID != root.ID {
			t.Errorf("stack: %+v; second: %+v", m, second.View)
		}
		view.ExternalID, view.Title = "root", words("Changed")
		_, err = l.api.UpdateViewContext(t.Context(), view, "root", root.Hash, "")
		check(t, err)
		if _, err = l.api.UpdateViewContext(t.Context(), view, "", root.Hash, root.ID); err == nil || err.Error() != "hash_conflict" {
			t.Errorf("an old hash: %v", err)
		}
		if _, err = l.api.UpdateViewContext(t.Context(), view, "", "", second.ID); err == nil || err.Error() != "duplicate_external_id" {
			t.Errorf("a taken external_id: %v", err)
		}
		if _, err = l.api.UpdateViewContext(t.Context(), view, "", "", "V0NONE"); err == nil || err.Error() != "not_found" {
			t.Errorf("no view: %v", err)
		}
		for depth := 2; depth >= 0; depth-- {
			check(t, l.Dismiss("ana"))
			e, i := b.interaction(t, slack.InteractionTypeViewClosed)
			b.ack(t, e)
			if i.IsCleared || i.View.ID == "" {
				t.Errorf("closed: %s", e.Request.Payload)
			}
			if m, open := l.Modal("ana"); open != (depth > 0) || m.Depth != depth {
				t.Errorf("after closing: %+v, want depth %d", m, depth)
			}
		}
		if err := l.Dismiss("ana"); !errors.Is(err, workspace.ErrNoModal) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestUpdateKeepsWhatWasTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		_, v := opened(t, l, runForm())
		check(t, l.Fill("ana", "Reason", "disk errors"))
		check(t, l.Fill("ana", "Notes", "of another kind"))
		check(t, l.Fill("ana", "Recovery point", "oldest"))
		view := runForm()
		view.Title = words("Again")
		view.Blocks.BlockSet[2] = slack.NewInputBlock("point", words("Recovery point"), nil, slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, "point", option("newest")))
		view.Blocks.BlockSet[6] = slack.NewInputBlock("notes", words("Notes"), nil, slack.NewRadioButtonsBlockElement("notes", option("yes")))
		_, err := l.api.UpdateViewContext(t.Context(), view, "", v.Hash, v.ID)
		check(t, err)
		if text := strings.Join(l.RenderModal(l.modal(t, "ana")), "\n"); !strings.Contains(text, "== Again ==") || !strings.Contains(text, "Reason: disk errors\n  Stands in the record") {
			t.Errorf("ana sees\n%s", text)
		}
		for _, f := range l.modal(t, "ana").Fields {
			if kept := f.BlockID == "reason"; f.Value != "" != kept {
				t.Errorf("%s holds %q", f.Label, f.Value)
			}
		}
	})
}

func TestEarlyActionsAndClearing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		view := runForm()
		view.ClearOnClose = true
		early := slack.NewInputBlock("early", words("Early"), nil, slack.NewPlainTextInputBlockElement(nil, "early"))
		early.DispatchAction = true
		kind := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, words("Kind"), "kind", option("planned"), option("unplanned"))
		view.Blocks.BlockSet = []slack.Block{early, slack.NewActionBlock("row", kind)}
		b, root := opened(t, l, view)
		for field, value := range map[string]string{"Early": "typed", "Kind": "planned"} {
			check(t, l.Fill("ana", field, value))
			e, i := b.interaction(t, slack.InteractionTypeBlockActions)
			a := i.ActionCallback.BlockActions[0]
			state := i.View.State.Values[a.BlockID][a.ActionID]
			if got := a.Value + a.SelectedOption.Value; !strings.HasSuffix(got, value) || state.Value+state.SelectedOption.Value != got || i.View.ID != root.ID {
				t.Errorf("%s: %s", field, e.Request.Payload)
			}
			b.ack(t, e)
		}
		check(t, l.Fill("ana", "Kind", "unplanned"))
		e, i := b.interaction(t, slack.InteractionTypeBlockActions)
		b.ack(t, e)
		_, err := l.api.PushViewContext(t.Context(), i.TriggerID, view)
		check(t, err)
		check(t, l.Dismiss("ana"))
		l.closed(t, "ana")
		for range 2 {
			e, i := b.interaction(t, slack.InteractionTypeViewClosed)
			if b.ack(t, e); !i.IsCleared {
				t.Errorf("closed: %s", e.Request.Payload)
			}
		}
	})
}
