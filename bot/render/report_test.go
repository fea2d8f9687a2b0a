package render_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"
	"pgregory.net/rapid"

	"ferry/bot/render"
	"ferry/failover"
)

func TestReports(t *testing.T) {
	now := start().Add(2 * time.Hour)
	var text strings.Builder
	story := func(name string, owed ...failover.Debt) failover.Report {
		return failover.Report{Operation: scenarios()[name].op, Owed: owed, TargetRTO: 3600, TargetRPO: 30}
	}
	glass := failover.Report{Operation: emergencies()["glass_signed_off"].op}
	for _, part := range []struct {
		title  string
		report failover.Report
		parts  render.ReportParts
	}{
		{"committed, all of it", story("succeeded", debtList().Debts[0]), render.AllParts()},
		{"committed, the frame", story("succeeded"), render.ReportParts{}},
		{"in need of attention", story("needs_attention"), render.AllParts()},
		{"denied", story("denied"), render.AllParts()},
		{"behind broken glass", glass, render.ReportParts{Decisions: true}},
	} {
		m := render.Report(part.report, part.parts, now)
		text.WriteString("=== " + part.title + " ===\n" + readable(m) + "=== fallback ===\n" + m.Text + "\n\n")
	}
	text.WriteString("=== terminal ===\n" + render.ReportText(story("succeeded"), now))
	text.WriteString("\n=== in a thread ===\n" + readable(render.Posted(render.Report(story("denied"), render.ReportParts{}, now), ana())))
	text.WriteString("=== form ===\n" + readableView(render.ReportForm()))
	var ops []failover.Operation
	for _, name := range []string{"succeeded", "denied", "running"} {
		ops = append(ops, scenarios()[name].op.Brief())
	}
	for _, query := range []string{"", "VM-X", "denied", "nothing like it"} {
		text.WriteString("=== searching for " + query + " ===\n")
		for _, o := range render.OperationOptions(ops, query, now) {
			text.WriteString(o.Value + ": " + o.Text.Text + " (" + o.Description.Text + ")\n")
		}
	}
	golden(t, "reports.txt", text.String())
	golden(t, "report.json", wire(t, render.Report(story("succeeded"), render.AllParts(), now)))
	golden(t, "report_posted.json", wire(t, render.Posted(render.Report(story("denied"), render.ReportParts{}, now), ana())))
	golden(t, "form_report.json", indented(t, render.ReportForm()))
}

func TestReportFormComesBack(t *testing.T) {
	sent := slack.View{CallbackID: render.ActionReportForm}
	if _, problems, ours := render.WantedOf(sent); !ours || problems["operation"] == "" {
		t.Errorf("an empty form: %v %v", ours, problems)
	}
	option := func(value string) slack.OptionBlockObject { return slack.OptionBlockObject{Value: value} }
	sent.State = &slack.ViewState{Values: map[string]map[string]slack.BlockAction{
		"operation": {render.ActionOperation: {SelectedOption: option("op-7f3kq2mz")}},
		"parts":     {"ferry_parts": {SelectedOptions: []slack.OptionBlockObject{option("jobs"), option("decisions")}}},
		"where":     {"ferry_where": {SelectedOption: option("thread")}},
	}}
	want := render.Wanted{Op: "op-7f3kq2mz", Parts: render.ReportParts{Jobs: true, Decisions: true}, InThread: true}
	if got, problems, ours := render.WantedOf(sent); !ours || problems != nil || got != want {
		t.Errorf("got %+v %v %v", got, problems, ours)
	}
}

// TestLimitsOfReports: whatever has happened, Slack takes the report, and the terminal shows letters only.
func TestLimitsOfReports(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		op, now := operationGen().Draw(t, "operation"), sometime().Draw(t, "now")
		debt := failover.Debt{Name: hostile().Draw(t, "name"), Vault: hostile().Draw(t, "vault"), Typed: hostile().Draw(t, "typed"), Kind: failover.Unprotected, Op: op.ID, Owner: someone().Draw(t, "owner")}
		r := failover.Report{Operation: op, Owed: []failover.Debt{debt, debt}, TargetRTO: 60}
		parts := render.ReportParts{Timeline: rapid.Bool().Draw(t, "timeline"), Decisions: rapid.Bool().Draw(t, "decisions"), Jobs: rapid.Bool().Draw(t, "jobs")}
		checkMessage(t, render.Report(r, parts, now), 8000)
		checkMessage(t, render.Posted(render.Report(r, parts, now), someone().Draw(t, "by")), 9000)
		checkMessage(t, render.Preformatted(render.ReportText(r, now)), 13_000)
		for _, o := range render.OperationOptions([]failover.Operation{op.Brief()}, "", now) {
			if utf8.RuneCountInString(o.Text.Text) > 75 || utf8.RuneCountInString(o.Description.Text) > 75 || o.Description.Text == "" {
				t.Fatalf("option %+v", o)
			}
		}
	})
}
