package render_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/slack-go/slack"
	"pgregory.net/rapid"

	"ferry/bot/render"
	"ferry/failover"
)

func review() failover.Review {
	return failover.Review{Item: committed(), Name: "vm-x", Reversal: reversal(), Seen: reversal().Token(), At: start()}
}

// readableView is a modal for the reviewer.
func readableView(v slack.ModalViewRequest) string {
	var out strings.Builder
	out.WriteString("# " + v.Title.Text + "\n" + readable(render.Message{Blocks: v.Blocks.BlockSet}))
	for _, b := range v.Blocks.BlockSet {
		if b, ok := b.(*slack.InputBlock); ok {
			need := map[bool]string{true: "optional", false: "required"}[b.Optional]
			out.WriteString(b.Label.Text + " (" + need + "; " + b.Hint.Text + "): ________\n")
		}
	}
	if v.Submit != nil {
		out.WriteString("[" + v.Submit.Text + "] ")
	}
	out.WriteString("[" + v.Close.Text + "]\n" + v.CallbackID + " " + v.PrivateMetadata + "\n\n")
	return out.String()
}

func TestModals(t *testing.T) {
	full, waiting := review(), review()
	full.Reversal.FullCopy, full.Reversal.Network, full.Reversal.AvailabilitySet, full.Reversal.Zone = true, "", "", "2"
	waiting.Op, waiting.Seen = "op-7f3kq2mz", "reprotect-1a2b3c4d"
	drill := drills()["drill_up"]
	var text strings.Builder
	for _, part := range []struct {
		title string
		view  slack.ModalViewRequest
	}{
		{"reprotect of a VM as typed", render.ReprotectForm(render.Form{VM: "vm-x"}, review(), start())},
		{"from the card of its failover, with a full copy", render.ReprotectForm(render.Form{Op: "op-aaaaaaaa"}, full, start())},
		{"of an operation that waits for it", render.ReprotectForm(render.Form{VM: "vm-x"}, waiting, start())},
		{"commit that asks for the name", render.CommitForm(render.Form{Op: "op-7f3kq2mz", Seen: "commit-1a2b3c4d"}, emergencies()["awaiting_commit_named"].op, start())},
		{"objection to a broken glass", render.ObjectionForm(emergencies()["glass_running"].op, start())},
		{"clean-up", render.CleanupForm(drill.op, drill.now)},
		{"refused", render.Said("Reprotect", "vm-x is still in its initial replication. Ask again when /failover list shows it as Protected.")},
	} {
		text.WriteString("=== " + part.title + " ===\n" + readableView(part.view))
	}
	golden(t, "modals.txt", text.String())
	raw, err := json.MarshalIndent(render.ReprotectForm(render.Form{VM: "vm-x"}, review(), start()), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "modal.json", string(raw)+"\n")
}

// sent is a form as Slack gives it back.
func sent(v slack.ModalViewRequest, note string) slack.View {
	return slack.View{
		CallbackID: v.CallbackID, PrivateMetadata: v.PrivateMetadata,
		State: &slack.ViewState{Values: map[string]map[string]slack.BlockAction{"note": {"ferry_note": {Value: note}}}},
	}
}

func TestFormComesBack(t *testing.T) {
	at := start()
	form, ours := render.FormOf(sent(render.ReprotectForm(render.Form{VM: "vm-x"}, review(), at), ""))
	cmd := form.Command("m", "home by Friday", ana(), at)
	want := failover.Command{
		MessageID: "m", Op: failover.OpIDOf("m", 0), Verb: failover.VerbReprotect, Target: "vm-x", Seen: review().Seen, Reason: "home by Friday", By: ana(), At: at, ValidUntil: at.Add(failover.CommandValidity),
	}
	if !ours || cmd != want {
		t.Errorf("%v %+v\nwant %+v", ours, cmd, want)
	}
	waiting := review()
	waiting.Op = "op-aaaaaaaa"
	form, _ = render.FormOf(sent(render.ReprotectForm(render.Form{VM: "vm-x"}, waiting, at), ""))
	if cmd := form.Command("m", "", ana(), at); cmd.Op != "op-aaaaaaaa" || cmd.Target != "" {
		t.Errorf("a press on what waits: %+v", cmd)
	}
	for name, v := range map[string]slack.View{
		"nothing": {}, "no callback": {PrivateMetadata: `{"vm":"vm-x"}`}, "another verb": {CallbackID: render.ActionCommit, PrivateMetadata: `{"vm":"vm-x"}`},
		"no VM": {CallbackID: render.ActionReprotect, PrivateMetadata: `{}`}, "no id": {CallbackID: render.ActionReprotect, PrivateMetadata: `{"op":"op-1"}`},
		"no JSON": {CallbackID: render.ActionReprotect, PrivateMetadata: `vm-x`},
	} {
		if form, ours := render.FormOf(v); ours {
			t.Errorf("%s is taken for a form: %+v", name, form)
		}
	}
}

func TestNotes(t *testing.T) {
	v := render.ReprotectForm(render.Form{VM: "vm-x"}, review(), start())
	for typed, want := range map[string]string{"": "", " a\n\tb\u202e ": "a b", strings.Repeat("é", 500): strings.Repeat("é", 500)} {
		if note, problems := render.NoteOf(sent(v, typed)); note != want || problems != nil {
			t.Errorf("%q became %q, %v", typed, note, problems)
		}
	}
	if _, problems := render.NoteOf(sent(v, strings.Repeat("x", 501))); problems["note"] != "At most 500 characters, please; these are 501." {
		t.Errorf("a long note: %v", problems)
	}
	if note, problems := render.NoteOf(slack.View{}); note != "" || problems != nil {
		t.Errorf("no state: %q %v", note, problems)
	}
}

// TestLimitsOfModals: whatever Azure says, Slack takes the modal and nothing in it is live.
func TestLimitsOfModals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := failover.Review{Name: hostile().Draw(t, "name"), Reversal: reversalGen().Draw(t, "reversal"), Seen: "reprotect-1a2b3c4d", At: sometime().Draw(t, "read")}
		now, op := sometime().Draw(t, "now"), operationGen().Draw(t, "operation")
		for _, v := range []slack.ModalViewRequest{
			render.ReprotectForm(render.Form{Op: "op-7f3kq2mz"}, r, now), render.CleanupForm(op, now), render.Said(hostile().Draw(t, "title"), hostile().Draw(t, "text")),
		} {
			for _, text := range []*slack.TextBlockObject{v.Title, v.Submit, v.Close} {
				if text != nil && (text.Text == "" || text.Type != "plain_text" || utf8.RuneCountInString(text.Text) > 24) {
					t.Fatalf("title or label %q", text.Text)
				}
			}
			if n := len(v.PrivateMetadata); n > 3000 {
				t.Fatalf("%d bytes of metadata", n)
			}
			checkMessage(t, render.Message{Text: "modal", Blocks: v.Blocks.BlockSet}, 30_000)
		}
	})
}
