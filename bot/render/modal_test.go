package render_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"
	"pgregory.net/rapid"

	"ferry/bot"
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
			if b.Hint != nil {
				need += "; " + b.Hint.Text
			}
			out.WriteString(b.Label.Text + " (" + need + "): " + entry(b.Element) + "\n")
		}
	}
	if v.Submit != nil {
		out.WriteString("[" + v.Submit.Text + "] ")
	}
	out.WriteString("[" + v.Close.Text + "]\n" + v.CallbackID + " " + v.PrivateMetadata + "\n\n")
	return out.String()
}

// entry is what stands in a field and what can be chosen there.
func entry(e slack.BlockElement) string {
	var options []*slack.OptionBlockObject
	chosen := ""
	switch e := e.(type) {
	case *slack.SelectBlockElement:
		options = e.Options
		if e.InitialOption != nil {
			chosen = e.InitialOption.Text.Text
		}
		for _, g := range e.OptionGroups {
			options = append(append(options, slack.NewOptionBlockObject("", slack.NewTextBlockObject("plain_text", "-- "+g.Label.Text+" --", false, false), nil)), g.Options...)
		}
	case *slack.CheckboxGroupsBlockElement:
		options = e.Options
		for _, o := range e.InitialOptions {
			chosen += "[x] " + o.Text.Text + " "
		}
	case *slack.RadioButtonsBlockElement:
		options, chosen = e.Options, e.InitialOption.Text.Text
	}
	text := chosen + "________"
	for _, o := range options {
		text += "\n    " + o.Text.Text
		if o.Value != "" {
			text += " = " + o.Value
		}
		if o.Description != nil {
			text += " (" + o.Description.Text + ")"
		}
	}
	return text
}

// fleet is an inventory in which a search finds every kind of VM.
func fleet() failover.Inventory {
	ready := failover.Item{Name: "vm-x", Vault: "kv-west", Key: "1", State: failover.StateProtected, TestState: "None", Allowed: []string{"UnplannedFailover", "TestFailover"}, RPO: 2 * time.Minute, From: "westeurope", To: "northeurope"}
	with := func(key, name, vault string, change func(*failover.Item)) failover.Item {
		i := ready
		i.Key, i.Name, i.Vault = key, name, vault
		change(&i)
		return i
	}
	return failover.Inventory{
		At: start(), Holders: map[string]failover.OpID{"4": "op-7f3kq2mz"}, Open: map[failover.OpID]failover.Holding{"op-7f3kq2mz": {Verb: failover.VerbFailover, By: ana()}},
		Freezes: []failover.Freeze{{Pattern: "web-*", By: ben(), Since: start()}},
		Items: []failover.Item{
			with("7", "sql-1", "kv-north", func(*failover.Item) {}), with("6", "sql-1", "kv-west", func(i *failover.Item) { i.RPO = -1 }),
			with("5", "vm-z", "kv-west", func(i *failover.Item) { i.State = failover.StateCommitPending }), with("4", "vm-y", "kv-west", func(*failover.Item) {}),
			with("3", "web-1", "kv-west", func(*failover.Item) {}), ready,
		},
	}
}

func pointsOfVM() failover.PointList {
	l := failover.PointList{Item: fleet().Items[5], Name: "vm-x", At: start()}
	for n := range 80 {
		at := start().Add(-time.Duration(n) * 15 * time.Minute)
		l.Points = append(l.Points, failover.RecoveryPoint{ID: fmt.Sprintf("/x/recoveryPoints/6c2f0a52-0000-0000-0000-%012d", n), Time: at, AppConsistent: n%4 == 3})
	}
	return l
}

// askForms are the forms of a failover and a drill in each of their states.
func askForms() map[string]slack.ModalViewRequest {
	list, waits, networks := pointsOfVM(), pointsOfVM(), []string{"/x/rg-1/virtualNetworks/vnet-drill", "/x/rg-1/virtualNetworks/vnet-lab"}
	waits.Item.State, waits.Points = failover.StateCommitPending, nil
	return map[string]slack.ModalViewRequest{
		"form_failover":         render.AskForm{Verb: failover.VerbFailover}.View(start()),
		"form_failover_points":  render.AskForm{Verb: failover.VerbFailover, VM: "vm-x", List: &list}.View(start()),
		"form_failover_slow":    render.AskForm{Verb: failover.VerbFailover, VM: "kv-west/sql-1", Note: bot.AzureSlow}.View(start()),
		"form_failover_not_now": render.AskForm{Verb: failover.VerbFailover, VM: "vm-x", List: &waits}.View(start()),
		"form_drill":            render.AskForm{Verb: failover.VerbTest, Networks: networks[:1]}.View(start()),
		"form_drill_points":     render.AskForm{Verb: failover.VerbTest, Networks: networks, VM: "vm-x", List: &list}.View(start()),
	}
}

func TestForms(t *testing.T) {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(askForms())) {
		v := askForms()[name]
		text.WriteString("=== " + name + " ===\n" + readableView(v))
		golden(t, name+".json", indented(t, v))
	}
	for _, query := range []string{"", "SQL", "vm-y", "wbe-1", "nothing like it"} {
		text.WriteString("=== searching for " + strconv.Quote(query) + " ===\n")
		for _, o := range render.VMOptions(fleet(), failover.VerbFailover, query) {
			text.WriteString(o.Value + ": " + o.Text.Text + " (" + o.Description.Text + ")\n")
		}
	}
	golden(t, "forms.txt", text.String())
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
	if _, problems := render.NoteOf(sent(v, strings.Repeat("x", 501))); problems["note"] != "At most 500 characters fit; these are 501." {
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
		list := failover.PointList{Name: hostile().Draw(t, "typed"), Item: targetGen().Draw(t, "target").Item, At: now}
		newest, id := sometime().Draw(t, "newest"), hostile().Draw(t, "point")
		for n := range rapid.IntRange(0, 300).Draw(t, "points") {
			list.Points = append(list.Points, failover.RecoveryPoint{ID: id + strconv.Itoa(n), Time: newest.Add(-time.Duration(n) * time.Hour)})
		}
		networks := rapid.SliceOfN(rapid.Map(hostile(), func(name string) string { return "/x/" + name }), 0, 5).Draw(t, "networks")
		for n := range rapid.IntRange(0, 120).Draw(t, "many networks") {
			networks = append(networks, "/x/vnet-"+strconv.Itoa(n))
		}
		ask := render.AskForm{Verb: failover.VerbTest, VM: "vm-x", List: &list, Note: hostile().Draw(t, "note"), Networks: networks}
		drill := ask.View(now)
		ask.Verb = failover.VerbFailover
		for _, v := range []slack.ModalViewRequest{
			drill, ask.View(now),
			render.ReprotectForm(render.Form{Op: "op-7f3kq2mz"}, r, now), render.CleanupForm(op, now), render.Said(hostile().Draw(t, "title"), hostile().Draw(t, "text")),
		} {
			checkView(t, v)
		}
	})
}

// checkView holds a modal to Slack's limits.
func checkView(t *rapid.T, v slack.ModalViewRequest) {
	t.Helper()
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

// formsHold holds the forms about an operation to the same.
func formsHold(t *rapid.T, op failover.Operation, now time.Time) {
	t.Helper()
	about := failover.Review{Name: hostile().Draw(t, "reprotected"), At: now, Op: op.ID}
	for _, target := range op.Targets {
		about.Reversal = target.Reversal
	}
	checkView(t, render.ReprotectForm(render.Form{Op: op.ID}, about, now))
	checkView(t, render.CleanupForm(op, now))
	checkView(t, render.CommitForm(render.Form{Op: op.ID}, op, now))
	if op.Plan.BrokenGlass != nil {
		checkView(t, render.ObjectionForm(op, now))
	}
}

// TestLimitsOfOptions: whatever VMs are called, Slack takes what a search offers, and each value is what to type.
func TestLimitsOfOptions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inv := fleet()
		for range rapid.IntRange(0, 30).Draw(t, "VMs") {
			i := fleet().Items[5]
			i.Name, i.Vault = hostile().Draw(t, "name"), hostile().Draw(t, "vault")
			i.State = rapid.SampledFrom([]string{failover.StateProtected, failover.StateCommitted, "<!channel>"}).Draw(t, "state")
			inv.Items = append(inv.Items, i)
		}
		options := render.VMOptions(inv, failover.VerbTest, rapid.OneOf(rapid.Just(""), hostile()).Draw(t, "query"))
		if len(options) > 100 {
			t.Fatalf("%d options", len(options))
		}
		for _, o := range options {
			if n := utf8.RuneCountInString(o.Text.Text); n == 0 || n > 75 || o.Value == "" || len(o.Value) > 150 || utf8.RuneCountInString(o.Description.Text) > 75 || o.Description.Text == "" {
				t.Fatalf("option %+v", o)
			}
		}
	})
}

// TestSearchPutsFirstWhatCanBeTaken, and of very many never hides the one that was typed whole.
func TestSearchPutsFirstWhatCanBeTaken(t *testing.T) {
	inv := failover.Inventory{At: start()}
	for n := range 1000 {
		i := fleet().Items[5]
		i.Name, i.Key = fmt.Sprintf("web-%d", n), strconv.Itoa(n)
		if n%2 == 1 {
			i.State = failover.StateCommitted
		}
		inv.Items = append(inv.Items, i)
	}
	options := render.VMOptions(inv, failover.VerbFailover, "web-1")
	if len(options) != 100 || options[0].Value != "web-1" || !strings.HasPrefix(options[0].Description.Text, "not now") || options[1].Value != "web-10" {
		t.Errorf("%d options, first %+v", len(options), options[0])
	}
	if all := render.VMOptions(inv, failover.VerbFailover, ""); len(all) != 100 || strings.HasPrefix(all[99].Description.Text, "not now") {
		t.Errorf("%d options, last %+v", len(all), all[99])
	}
}
