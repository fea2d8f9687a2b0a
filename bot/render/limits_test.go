package render_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/failover"
)

// hostile is outside text that wants to be more than text, or too much of it.
func hostile() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"", "<!channel>", "<!here|all fine>", "<@U0EVE>", "<!subteam^S1>", "<https://evil.example|Approve>", "*done*", "&lt;!channel&gt;",
			"line\nbreak\ttab", "\x1b[2J\x1b[31mgone", "\u202egnitset", "\u0000\u200b\ufeff", "a\xffb", ":white_check_mark:", `"\`, "vm-x",
		}),
		long(700, 700, 700, 6000), // nothing that is kept of an operation is shown with more than some hundred characters
		rapid.String(),
	)
}

// long is a text that goes on and on, up to so many times, of which the first are drawn most.
func long(most ...int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		unit := rapid.SampledFrom([]string{"x", "<!channel> ", "\"\\", "𝕏", "&", "long words \n", "\u2028"}).Draw(t, "unit")
		return strings.Repeat(unit, rapid.IntRange(1, rapid.SampledFrom(most).Draw(t, "most")).Draw(t, "times"))
	})
}

func someone() *rapid.Generator[failover.Actor] {
	return rapid.Custom(func(t *rapid.T) failover.Actor {
		id := rapid.OneOf(rapid.SampledFrom([]string{"U0ANA", "W0BEN", "cli:local", "U0ANA> <!channel>", "u0ana", "U"}), hostile()).Draw(t, "id")
		return failover.Actor{ID: id, Name: hostile().Draw(t, "name")}
	})
}

func sometime() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.IntRange(0, 9).Draw(t, "zero") == 0 {
			return time.Time{}
		}
		return start().Add(time.Duration(rapid.IntRange(-200_000, 200_000).Draw(t, "seconds")) * time.Second)
	})
}

func faultGen() *rapid.Generator[failover.Fault] {
	return rapid.Custom(func(t *rapid.T) failover.Fault {
		return failover.Fault{Code: hostile().Draw(t, "code"), Message: hostile().Draw(t, "message"), Cause: hostile().Draw(t, "cause"), Action: hostile().Draw(t, "action")}
	})
}

func kindGen() *rapid.Generator[failover.StepKind] {
	return rapid.SampledFrom([]failover.StepKind{
		failover.StepFailover, failover.StepCommit, failover.StepChange, failover.StepTest, failover.StepCleanup, failover.StepReprotect,
		failover.StepReprotectAgain, failover.StepProbe, failover.StepCheck, failover.StepSurvey, "",
	})
}

func reversalGen() *rapid.Generator[*failover.Reversal] {
	return rapid.Custom(func(t *rapid.T) *failover.Reversal {
		text := func(label string) string { return hostile().Draw(t, label) }
		disk := rapid.Custom(func(t *rapid.T) failover.ReversalDisk {
			return failover.ReversalDisk{Name: hostile().Draw(t, "disk"), Bytes: rapid.Int64Range(-1, 1<<45).Draw(t, "bytes"), Type: hostile().Draw(t, "type"), Cache: hostile().Draw(t, "cache")}
		})
		return &failover.Reversal{
			From: text("from"), To: text("to"), ResourceGroup: text("group"), Network: text("network"), AvailabilitySet: text("set"), Zone: text("zone"),
			FullCopy: rapid.Bool().Draw(t, "full"), Disks: rapid.SliceOfN(disk, 0, 40).Draw(t, "disks"), Creates: rapid.SliceOfN(hostile(), 0, 40).Draw(t, "creates"),
		}
	})
}

func checkedGen() *rapid.Generator[failover.CheckResult] {
	return rapid.Custom(func(t *rapid.T) failover.CheckResult {
		outcome := rapid.SampledFrom([]failover.CheckOutcome{failover.CheckPassed, failover.CheckFailed, failover.CheckNoData, "<!channel>"}).Draw(t, "outcome")
		return failover.CheckResult{Name: hostile().Draw(t, "name"), Outcome: outcome, Detail: hostile().Draw(t, "detail"), At: sometime().Draw(t, "at")}
	})
}

func leftoverGen() *rapid.Generator[failover.Leftover] {
	return rapid.Custom(func(t *rapid.T) failover.Leftover {
		return failover.Leftover{Kind: hostile().Draw(t, "kind"), Name: hostile().Draw(t, "name")}
	})
}

func stepGen() *rapid.Generator[failover.Step] {
	return rapid.Custom(func(t *rapid.T) failover.Step {
		task := rapid.Custom(func(t *rapid.T) failover.Task {
			state := rapid.OneOf(rapid.SampledFrom([]string{"NotStarted", "InProgress", "Succeeded", "Failed", "Skipped"}), hostile()).Draw(t, "state")
			return failover.Task{Name: hostile().Draw(t, "name"), State: state, StartedAt: sometime().Draw(t, "start"), EndedAt: sometime().Draw(t, "end"), Part: rapid.Bool().Draw(t, "part")}
		})
		return failover.Step{
			Kind: kindGen().Draw(t, "kind"), Attempt: rapid.IntRange(0, 3).Draw(t, "attempt"),
			State:     rapid.SampledFrom([]failover.StepState{failover.StateStarted, failover.StateDelayed, failover.StateAccepted, failover.StateDone, failover.StateFailed}).Draw(t, "state"),
			StartedAt: sometime().Draw(t, "start"), EndedAt: sometime().Draw(t, "end"), Unknown: sometime().Draw(t, "unknown"), Until: sometime().Draw(t, "until"),
			Adopted: rapid.Bool().Draw(t, "adopted"), Warning: hostile().Draw(t, "warning"), Tasks: rapid.SliceOfN(task, 0, 30).Draw(t, "tasks"),
		}
	})
}

func targetGen() *rapid.Generator[failover.Target] {
	return rapid.Custom(func(t *rapid.T) failover.Target {
		text := func(label string) string { return hostile().Draw(t, label) }
		target := failover.Target{
			Item: failover.Item{
				Key: "k", Name: text("vm"), Vault: text("vault"), ResourceGroup: text("group"), From: text("from"), To: text("to"),
				Health: text("health"), Errors: rapid.SliceOfN(faultGen(), 0, 5).Draw(t, "errors"),
			},
			Phase: rapid.SampledFrom(phases()).Draw(t, "phase"), Progress: text("progress"), PointUsed: sometime().Draw(t, "used"),
			Steps: rapid.SliceOfN(stepGen(), 0, 5).Draw(t, "steps"),
			Doing: kindGen().Draw(t, "doing"), Unplanned: rapid.IntRange(0, 4).Draw(t, "unplanned") == 0, Replaced: sometime().Draw(t, "replaced"),
			Checked: rapid.SliceOfN(checkedGen(), 0, 2).Draw(t, "checked"), Leftovers: rapid.SliceOfN(leftoverGen(), 0, 40).Draw(t, "left"), LeftoversNote: text("left note"),
		}
		target.Item.Home, target.Item.Allowed = text("home"), rapid.SliceOfN(hostile(), 0, 9).Draw(t, "allowed")
		target.Item.RPO, target.Item.LastTest, target.Item.LastFailover = time.Duration(rapid.IntRange(-1, 1e9).Draw(t, "rpo"))*time.Second, sometime().Draw(t, "drill"), sometime().Draw(t, "failover")
		if rapid.Bool().Draw(t, "turned") {
			target.Reversal = reversalGen().Draw(t, "reversal")
		}
		if rapid.Bool().Draw(t, "shown") {
			target.Shown = &failover.RecoveryPoint{ID: text("point"), Time: sometime().Draw(t, "at")}
		}
		if rapid.Bool().Draw(t, "wrong") {
			fault := faultGen().Draw(t, "fault")
			target.Error = &fault
		}
		return target
	})
}

func verbGen() *rapid.Generator[failover.Verb] {
	return rapid.SampledFrom([]failover.Verb{
		failover.VerbFailover, failover.VerbCommit, failover.VerbChange, failover.VerbTest, failover.VerbCleanup, failover.VerbReprotect,
		failover.VerbFailback, failover.VerbIncident, failover.VerbFreeze,
	})
}

// operationGen draws operations that no journal would hold: the limits have to hold for those too.
func operationGen() *rapid.Generator[failover.Operation] {
	return rapid.Custom(func(t *rapid.T) failover.Operation {
		decision := rapid.Custom(func(t *rapid.T) failover.Decision {
			gate := rapid.SampledFrom([]failover.Class{failover.ClassFailover, failover.ClassCommit, failover.ClassChange, failover.ClassFailback}).Draw(t, "gate")
			return failover.Decision{Step: kindGen().Draw(t, "step"), Spent: rapid.Bool().Draw(t, "spent"), Gate: gate, By: someone().Draw(t, "by"), At: sometime().Draw(t, "at"), Approve: rapid.Bool().Draw(t, "yes"), Reason: hostile().Draw(t, "why")}
		})
		access := failover.Rule{
			Approvals: rapid.IntRange(0, 3).Draw(t, "approvals"), SelfApproval: rapid.Bool().Draw(t, "self"),
			Approvers: rapid.SliceOfN(hostile(), 0, 3).Draw(t, "approvers"), May: rapid.SliceOfN(hostile(), 0, 3).Draw(t, "may"),
		}
		kind := rapid.SampledFrom([]failover.PointKind{"", failover.Latest, failover.LatestProcessed, failover.ByID}).Draw(t, "kind")
		var change *failover.Change
		if rapid.Bool().Draw(t, "changes") {
			change = &failover.Change{By: someone().Draw(t, "wisher"), At: sometime().Draw(t, "wished"), Point: failover.RecoveryPoint{ID: hostile().Draw(t, "other"), Time: sometime().Draw(t, "other at"), AppConsistent: true}}
		}
		op := failover.Operation{
			ID: "op-7f3kq2mz", Verb: verbGen().Draw(t, "verb"), Change: change,
			Phase: rapid.SampledFrom(phases()).Draw(t, "phase"), RequestedBy: someone().Draw(t, "asker"), RequestedAt: sometime().Draw(t, "asked"),
			Reason: hostile().Draw(t, "reason"), Plan: failover.Plan{
				Rule: access, CommitBy: access, ChangeBy: access, Network: hostile().Draw(t, "network"), Notes: hostile().Draw(t, "notes"),
				First: rapid.SampledFrom([]failover.StepKind{"", failover.StepReprotect, failover.StepFailover}).Draw(t, "first"), Forced: rapid.Bool().Draw(t, "forced"),
				Shutdown: rapid.Bool().Draw(t, "shutdown"), Point: failover.Point{Kind: kind, ID: hostile().Draw(t, "id")},
			},
			ExpiresAt: sometime().Draw(t, "expires"), Decisions: rapid.SliceOfN(decision, 0, 40).Draw(t, "decisions"),
			CommitAskedBy: rapid.SliceOfN(someone(), 0, 40).Draw(t, "commit asked"), Targets: rapid.SliceOfN(targetGen(), 0, 4).Draw(t, "targets"),
			StartedAt: sometime().Draw(t, "started"), FinishedAt: sometime().Draw(t, "finished"),
			Note: hostile().Draw(t, "note"), Hint: hostile().Draw(t, "hint"), Seq: rapid.Uint64().Draw(t, "seq"),
		}
		emergency(t, &op)
		if op.Verb == failover.VerbFreeze {
			op.Plan.Frozen = hostile().Draw(t, "frozen")
		}
		return op
	})
}

// node is decoded JSON: the rules are checked on what Slack reads, not on our types.
type node = map[string]any

// decode gives the blocks as Slack reads them, and how many characters they have.
func decode(t *rapid.T, m render.Message) ([]node, int) {
	t.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m.Blocks); err != nil {
		t.Fatal(err)
	}
	var blocks []node
	if err := json.Unmarshal(buf.Bytes(), &blocks); err != nil {
		t.Fatal(err)
	}
	return blocks, utf8.RuneCount(buf.Bytes())
}

// walk visits every object.
func walk(v any, visit func(node)) {
	switch v := v.(type) {
	case node:
		visit(v)
		for _, key := range slices.Sorted(func(yield func(string) bool) {
			for k := range v {
				if !yield(k) {
					return
				}
			}
		}) {
			walk(v[key], visit)
		}
	case []any:
		for _, e := range v {
			walk(e, visit)
		}
	}
}

var (
	userForm = regexp.MustCompile(`^[UW][A-Z0-9]+$`)
	// live is all of Slack's markup that may stand in a text: a person by id, the group of the approvers, and a date.
	live = regexp.MustCompile(`<@[UW][A-Z0-9]+>|<!subteam\^S0123456789ABCDEFGHIJ>|<!date\^\d+\^[{}a-z_ ]+(?:your time, [-0-9: ]+ UTC)?\|[-0-9: ]+ UTC>`)
)

// checkMessage holds a message to Slack's limits and to having nothing live in it that came from outside.
func checkMessage(t *rapid.T, m render.Message, most int) {
	t.Helper()
	blocks, size := decode(t, m)
	if size >= most || utf8.RuneCountInString(m.Text) > 8000 || len(blocks) > 50 || len(blocks) == 0 || m.Text == "" {
		t.Fatalf("%d characters in %d blocks, text %q", size, len(blocks), m.Text)
	}
	if strings.ContainsAny(live.ReplaceAllString(m.Text, ""), "<>") {
		t.Fatalf("live markup in the text: %q", m.Text)
	}
	ids := map[string]bool{}
	for _, b := range blocks {
		id, _ := b["block_id"].(string)
		if id == "" || utf8.RuneCountInString(id) > 255 || ids[id] {
			t.Fatalf("block id %q", id)
		}
		ids[id] = true
		walk(b, func(n node) { checkNode(t, n) })
	}
}

// unescaped is what people see of a text.
func unescaped(text string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

func checkNode(t *rapid.T, n node) {
	t.Helper()
	text, _ := n["text"].(string)
	length := utf8.RuneCountInString(text)
	switch kind := fmt.Sprint(n["type"]); kind {
	case "header":
		if inner, ok := n["text"].(node); !ok || inner["type"] != "plain_text" || utf8.RuneCountInString(fmt.Sprint(inner["text"])) > 150 {
			t.Fatalf("header %v", n)
		}
	case "mrkdwn":
		if length == 0 || length > 3000 || strings.ContainsAny(live.ReplaceAllString(text, ""), "<>") {
			t.Fatalf("markup %q", text)
		}
	case "plain_text", "text":
		if length == 0 || length > 5100 || kind == "plain_text" && length > 3000 || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) }) {
			t.Fatalf("text %q", text)
		}
	case "usergroup":
		if n["usergroup_id"] != "S0123456789ABCDEFGHIJ" {
			t.Fatalf("mention of %v", n["usergroup_id"])
		}
	case "user":
		if !userForm.MatchString(fmt.Sprint(n["user_id"])) {
			t.Fatalf("mention of %v", n["user_id"])
		}
	case "button":
		if n["action_id"] == render.ActionPoints || n["action_id"] == render.ActionShowAll || n["action_id"] == render.ActionPage {
			break
		}
		op, _, ours := render.ButtonOf(fmt.Sprint(n["value"]))
		if _, ok := render.VerbOf(fmt.Sprint(n["action_id"])); !ok || !ours || op != "op-7f3kq2mz" {
			t.Fatalf("button %v", n)
		}
		if label, ok := n["text"].(node); !ok || utf8.RuneCountInString(fmt.Sprint(label["text"])) > 75 {
			t.Fatalf("button %v", n)
		}
	case "<nil>": // a confirm dialog, an option, or a style
		if label, ok := n["text"].(node); ok && n["value"] != nil && (utf8.RuneCountInString(fmt.Sprint(label["text"])) > 75 || len(fmt.Sprint(n["value"])) > 150 || n["value"] == "") {
			t.Fatalf("option %v", n)
		}
		for key, most := range map[string]int{"title": 100, "text": 300, "confirm": 30, "deny": 30} {
			if inner, ok := n[key].(node); ok && utf8.RuneCountInString(fmt.Sprint(inner["text"])) > most {
				t.Fatalf("%s of a dialog: %v", key, inner)
			}
		}
	case "rich_text", "rich_text_section", "rich_text_preformatted", "date", "actions", "context", "static_select", "input", "plain_text_input", "external_select", "checkboxes", "radio_buttons":
	default:
		t.Fatalf("a %s block or element in a card", kind)
	}
}

// limitsHold draws whatever could be in an operation, and shows it everywhere.
func limitsHold(t *rapid.T) {
	op, now := operationGen().Draw(t, "operation"), sometime().Draw(t, "now")
	card := render.Card(op, now, rapid.Bool().Draw(t, "continued"))
	shown := unescaped(card.Text)
	checkMessage(t, card, 8000-utf8.RuneCountInString(shown))
	keys := map[string]bool{}
	for _, n := range render.Notices(op, []string{"S0123456789ABCDEFGHIJ", "S1> <!channel>", "U0BEN", "<!channel>", "W0123456789ABCDEF", "U2", "U33333333333", "U444444444444", "U555555555555", "U666666666666", "U777777777777"}) {
		checkMessage(t, n.Message, 2000)
		shown := unescaped(n.Message.Text)
		if utf8.RuneCountInString(shown) > 300 || keys[n.Key] {
			t.Fatalf("notice %s has %d characters: %q", n.Key, utf8.RuneCountInString(shown), n.Message.Text)
		}
		keys[n.Key] = true
	}
	terminalHolds(t, op, now)
	homeShows(t, op, now)
	formsHold(t, op, now)
}

// terminalHolds holds what a terminal shows of an operation: no control characters, a row a line, and Slack takes it as well.
func terminalHolds(t *rapid.T, op failover.Operation, now time.Time) {
	t.Helper()
	inv := failover.Inventory{At: now, Freezes: op.Frozen, Holders: map[string]failover.OpID{}, Open: map[failover.OpID]failover.Holding{}}
	for _, target := range op.Targets {
		inv.Items = append(inv.Items, target.Item)
		inv.Holders[target.Item.Key] = op.ID
		inv.Open[op.ID] = failover.Holding{Verb: op.Verb, By: op.RequestedBy, Since: op.RequestedAt, Reason: op.Reason}
	}
	found := failover.Found{Operations: []failover.Operation{op}, Foreign: inv.Items, Freezes: op.Frozen}
	did := rapid.SampledFrom([]failover.Did{failover.DidRequest, failover.DidStart, failover.DidOpenGate, failover.DidCancel, failover.DidAskChange, failover.DidAskCommit}).Draw(t, "did")
	refused := failover.Refusal{Kind: failover.UnknownName, Message: hostile().Draw(t, "why not"), Hint: "Near names: " + hostile().Draw(t, "near")}
	for name, lines := range map[string]struct {
		text string
		want int // 0: any
	}{
		"answer":         {bot.AnswerTo(failover.Command{Verb: op.Verb}, op, failover.Answer{Did: did}) + "\n", 1},
		"refusal":        {bot.AnswerTo(failover.Command{Verb: op.Verb}, op, failover.Answer{Refused: &refused}) + "\n", 1},
		"card":           {render.CardText(op, now), 0},
		"status":         {render.Status(found, hostile().Draw(t, "ref"), now, 0), 0},
		"open":           {render.StatusTable(found.Operations, now, 0), 2},
		"list":           {render.ListTable(inv, now, 0), listed(inv)},
		"frozen":         {render.Frozen(found.Operations), 0},
		"unknown":        {render.Status(failover.Found{}, "x"+hostile().Draw(t, "unknown"), now, 0), 1},
		"idle":           {render.Status(idle(append(slices.Clip(inv.Items), item())[0]), "x", now, 0), 1},
		"outside":        {render.Status(failover.Found{Foreign: inv.Items, Freezes: op.Frozen}, "", now, 0), len(inv.Items) + len(op.Frozen) + 1},
		"name of nobody": {render.Status(failover.Found{Freezes: op.Frozen}, "x", now, 0), len(op.Frozen) + 1},
	} {
		if strings.ContainsFunc(lines.text, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) }) {
			t.Fatalf("%s: the terminal is sent control characters: %q", name, lines.text)
		}
		if n := strings.Count(lines.text, "\n"); lines.want != 0 && n != lines.want || strings.ContainsAny(lines.text, "\u2028\u2029") {
			t.Fatalf("%s: %d lines, want %d: %q", name, n, lines.want, lines.text)
		}
		checkMessage(t, render.Preformatted(lines.text), 13_000)
	}
}

// listed is how many lines the list of an inventory has: what is frozen, a heading, a row for each VM, and how old it is.
func listed(inv failover.Inventory) int {
	if len(inv.Items) == 0 || inv.At.IsZero() {
		return 0
	}
	return len(inv.Freezes) + 1 + len(inv.Items) + 1
}

func TestLimitsHoldForAnything(t *testing.T) { rapid.Check(t, limitsHold) }

// FuzzLimits has the search choose what is drawn. An operation takes up to some ten thousand bytes: the seeds are longer.
func FuzzLimits(f *testing.F) {
	for i := range byte(6) {
		seed := make([]byte, 24<<10)
		_, _ = rand.NewChaCha8([32]byte{i}).Read(seed) // never fails
		f.Add(seed)
	}
	f.Fuzz(rapid.MakeFuzz(limitsHold))
}

func TestLimitsOfAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(hostile(), long(6000)).Draw(t, "text") + " until 2026-11-23 14:05 UTC, 2026-99-99 99:99 UTC\n" + rapid.OneOf(hostile(), long(6000)).Draw(t, "more")
		checkMessage(t, render.Ephemeral(text), 13_000)
		checkMessage(t, render.Preformatted(text), 13_000)
	})
}
