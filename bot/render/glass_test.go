package render_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"ferry/bot/render"
	"ferry/failover"
)

// behindGlass is a failover that ben has started without the approval that its rule wants.
func behindGlass() failover.Requested {
	req := requested()
	req.By, req.Reason, req.ExpiresAt, req.Class = ben(), "the region is down", time.Time{}, failover.AuditBreakGlass
	req.Plan.Rule.Approvals = 0
	req.Plan.BrokenGlass = &failover.BrokenGlass{By: ben(), Wanted: 1, Reviewers: []string{"approver"}}
	return req
}

func storm() failover.Freeze {
	return failover.Freeze{Op: "op-ffffffff", Pattern: "vm-*", By: ana(), Since: start().Add(-time.Hour), Reason: "storm in West Europe"}
}

// emergencies are the cards of bad days.
func emergencies() map[string]story {
	opened := failover.GateOpened{Gate: failover.ClassFailover, Step: failover.StepFailover, Class: failover.AuditBreakGlass}
	broken := ask(behindGlass()).then(0, opened, failover.Claimed{Executor: "executor-1"})
	alike, named := requested(), requested()
	alike.Targets = slices.Clone(alike.Targets)
	alike.Targets[0].Alike, alike.Targets[0].MoreAlike = []failover.Alike{{Name: "VM-X", Vault: "vault-eus", Region: "East US", Twin: true}, {Name: "vm-y", Vault: "vault-neu", Region: "North Europe"}}, 3
	named.Plan.CommitBy.ConfirmName = true
	frozen := failover.Requested{Op: "op-7f3kq2mz", Verb: failover.VerbFreeze, By: ana(), Reason: "storm in West Europe", Plan: failover.Plan{Frozen: "vm-*", Rule: rule(), Digest: "3f9ac01d5e7b2c48"}}
	over := failover.Finished{Phase: failover.Succeeded, Note: "Ended by ana."}
	return map[string]story{
		"glass_running":             broken,
		"glass_over":                broken.then(time.Hour, failover.Finished{Phase: failover.Failed, Note: "Nothing was started."}).then(4*time.Hour, failover.Reminded{About: failover.RemindReview}),
		"glass_signed_off":          broken.then(time.Minute, failover.Reviewed{By: ana(), Approve: true}),
		"glass_objected":            broken.then(time.Minute, failover.Reviewed{By: ana(), Reason: "the region was up"}),
		"awaiting_approval_frozen":  ask(requested()).then(time.Minute, failover.Halted{By: []failover.Freeze{storm()}}),
		"awaiting_approval_alike":   ask(alike),
		"awaiting_approval_warned":  ask(requested()).then(10*time.Minute, failover.Reminded{About: failover.RemindExpiry}),
		"awaiting_approval_stopped": ask(requested()).then(time.Minute, failover.Decided{Gate: failover.ClassFailover, By: ben(), Approve: true}, opened, failover.Lapsed{Step: failover.StepFailover, Why: storm().Words(), ExpiresAt: start().Add(16 * time.Minute)}),
		"awaiting_commit_named":     failedOverOf(named),
		"freeze_declared":           ask(frozen),
		"freeze_over":               ask(frozen).then(time.Hour, over),
	}
}

// failedOverOf is a failover that waits for its commit.
func failedOverOf(req failover.Requested) story {
	return ask(req).then(time.Minute,
		failover.Decided{Gate: failover.ClassFailover, By: ben(), Approve: true}, failover.GateOpened{Gate: failover.ClassFailover},
		failover.StepStarted{Target: key, Kind: failover.StepFailover, Attempt: 1}, failover.StepDone{Target: key, Kind: failover.StepFailover, PointUsed: start(), EndedAt: start().Add(2 * time.Minute)})
}

func TestEmergencyNotices(t *testing.T) {
	for name, want := range map[string]string{
		"glass_running": "break_glass", "glass_over": "break_glass review_1 failed", "glass_signed_off": "break_glass reviewed/thread", "glass_objected": "break_glass reviewed",
		"awaiting_approval_frozen": "approval", "awaiting_approval_warned": "expiry_0 approval", "awaiting_approval_stopped": "lapsed_1 approval",
		"freeze_declared": "freeze", "freeze_over": "done",
	} {
		var keys []string
		for _, n := range render.Notices(emergencies()[name].op, []string{"U0CAT"}) {
			text := n.Key
			if n.Thread {
				text += "/thread"
			}
			keys = append(keys, text)
			if mentions := strings.Contains(n.Message.Text, "<@U0CAT>"); mentions != (n.Key == "break_glass" && emergencies()[name].op.Unreviewed() || strings.HasPrefix(n.Key, "review_") || strings.HasPrefix(n.Key, "expiry") || strings.HasPrefix(n.Key, "lapsed") || n.Key == "approval") {
				t.Errorf("%s of %s mentions approvers: %v", n.Key, name, mentions)
			}
		}
		if got := strings.Join(keys, " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// A form says what is not its name, and what it asks for is what was typed.
func TestNamedForms(t *testing.T) {
	op := emergencies()["awaiting_commit_named"].op
	f := render.Form{Verb: failover.VerbCommit, Op: op.ID, Name: "vm-x", Seen: "commit-1"}
	if f.Problems("vm-y") == nil || f.Problems("") == nil || f.Problems("VM-X") != nil {
		t.Error("the error at the field")
	}
	if cmd := f.Command("m", "vm-x", ben(), start()); cmd.Verb != failover.VerbCommit || cmd.Confirm != "vm-x" || cmd.Reason != "" || cmd.Seen != "commit-1" || cmd.Op != op.ID {
		t.Errorf("%+v", cmd)
	}
	objection := render.Form{Verb: failover.VerbDeny, Op: op.ID}
	if cmd := objection.Command("m", "no", ben(), start()); cmd.Verb != failover.VerbDeny || cmd.Reason != "no" || objection.Problems("") == nil || objection.Problems("no") != nil {
		t.Errorf("%+v", cmd)
	}
}

// emergency is what bad days add to an operation, whatever is in it.
func emergency(t *rapid.T, op *failover.Operation) {
	freeze := rapid.Custom(func(t *rapid.T) failover.Freeze {
		return failover.Freeze{Op: "op-ffffffff", Pattern: hostile().Draw(t, "pattern"), By: someone().Draw(t, "frozen by"), Since: sometime().Draw(t, "frozen since"), Reason: hostile().Draw(t, "frozen why")}
	})
	alike := rapid.Custom(func(t *rapid.T) failover.Alike {
		return failover.Alike{Name: hostile().Draw(t, "like"), Vault: hostile().Draw(t, "in"), Region: hostile().Draw(t, "region"), Twin: rapid.Bool().Draw(t, "twin")}
	})
	op.Frozen, op.Warned = rapid.SliceOfN(freeze, 0, 6).Draw(t, "freezes"), sometime().Draw(t, "warned")
	op.Plan.Digest, op.Plan.CommitBy.ConfirmName = rapid.StringMatching(`[0-9a-f]{0,32}`).Draw(t, "digest"), rapid.Bool().Draw(t, "named")
	op.Expected = failover.Expected{Seconds: rapid.IntRange(-1, 1e6).Draw(t, "expected"), Of: rapid.IntRange(0, 5).Draw(t, "of")}
	if rapid.Bool().Draw(t, "broken") {
		op.Plan.BrokenGlass = &failover.BrokenGlass{By: someone().Draw(t, "broken by"), Wanted: rapid.IntRange(0, 3).Draw(t, "wanted"), Reviewers: rapid.SliceOfN(hostile(), 0, 3).Draw(t, "reviewers")}
		op.Glass = failover.GlassReview{At: sometime().Draw(t, "reviewed"), Approve: rapid.Bool().Draw(t, "signed"), Reason: hostile().Draw(t, "finding"), Reminders: rapid.IntRange(0, 3).Draw(t, "reviews")}
		if rapid.Bool().Draw(t, "is reviewed") {
			op.Glass.By = someone().Draw(t, "reviewer")
		}
	}
	for i := range op.Targets {
		op.Targets[i].Alike, op.Targets[i].MoreAlike = rapid.SliceOfN(alike, 0, 5).Draw(t, "alike"), rapid.IntRange(0, 900).Draw(t, "more alike")
	}
}

// Forms stay within Slack's limits whatever an operation holds.
func TestLimitsOfNamedForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		op := operationGen().Draw(t, "operation")
		op.Plan.BrokenGlass = &failover.BrokenGlass{By: someone().Draw(t, "broken by")}
		commit := render.CommitForm(render.Form{Op: op.ID}, op, start())
		for _, v := range []string{commit.Title.Text, commit.Submit.Text} {
			if n := utf8.RuneCountInString(v); n == 0 || n > 24 {
				t.Fatalf("%q has %d characters", v, n)
			}
		}
		checkMessage(t, render.Message{Text: "form", Blocks: commit.Blocks.BlockSet}, 20_000)
		checkMessage(t, render.Message{Text: "form", Blocks: render.ObjectionForm(op, start()).Blocks.BlockSet}, 20_000)
		if n := utf8.RuneCountInString(commit.PrivateMetadata); n > 3000 {
			t.Fatalf("%d characters of metadata", n)
		}
	})
}

// A review is owed whether or not Azure could be read.
func TestReviewIsOwedWithoutAzure(t *testing.T) {
	op := emergencies()["glass_running"].op
	list := failover.Debts(failover.Inventory{}, []failover.Operation{op})
	for surface, text := range map[string]string{"terminal": render.DebtTable(list, start(), 0), "Slack": readable(render.Debts(list, start()))} {
		for _, want := range []string{"nobody has reviewed", "/failover approve op-7f3kq2mz, or deny with a reason", "Azure has not been read yet"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", surface, want, text)
			}
		}
	}
}

// However long a reason is and however many are mentioned, a notice of broken glass says the next step while there is one.
func TestNoticeOfBrokenGlassSaysTheNextStep(t *testing.T) {
	op := failover.Operation{
		ID: "op-7f3kq2mz", Verb: failover.VerbFailover, Phase: failover.Running, StartedAt: start(), Reason: strings.Repeat("the region is down ", 20),
		Plan:    failover.Plan{BrokenGlass: &failover.BrokenGlass{By: failover.Actor{ID: "U0BEN", Name: "ben"}, Wanted: 1}},
		Targets: []failover.Target{{Item: failover.Item{Name: "checkout-prod-1"}}},
	}
	const next = "Another approver has to sign it off on its card."
	for _, reviewer := range []string{"", "U0CAS"} {
		op.Glass.By.ID = reviewer
		told := render.Notices(op, []string{"U01234567A1", "U01234567A2", "U01234567A3", "U01234567A4", "U01234567A5", "U01234567A6"})[0].Message.Text
		if got := strings.Contains(told, next); got != (reviewer == "") {
			t.Errorf("reviewed by %q: %s", reviewer, told)
		}
	}
}
