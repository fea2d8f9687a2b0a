package render

import (
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// ActionReportForm is the callback id of the form of a report, ActionOperation the field in which an operation is searched.
const (
	ActionReportForm = "ferry_form_report"
	ActionOperation  = "ferry_operation"
)

const (
	blockOperation = "operation"
	blockParts     = "parts"
	blockWhere     = "where"
	actionParts    = "ferry_parts"
	actionWhere    = "ferry_where"

	partTimeline, partDecisions, partJobs = "timeline", "decisions", "jobs"
	whereMe, whereThread                  = "me", "thread"
)

// ReportForm asks which report, with what, for whom.
func ReportForm() slack.ModalViewRequest {
	least := 0
	pick := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, label("Type an id or a VM"), ActionOperation)
	pick.MinQueryLength = &least
	option := func(value, text string) *slack.OptionBlockObject {
		return slack.NewOptionBlockObject(value, label(text), nil)
	}
	parts := slack.NewCheckboxGroupsBlockElement(actionParts, option(partTimeline, "The timeline of its steps"), option(partDecisions, "Who decided what"), option(partJobs, "Azure's jobs with their tasks"))
	parts.InitialOptions = parts.Options[:2]
	with := slack.NewInputBlock(blockParts, label("With"), nil, parts)
	with.Optional = true
	where := slack.NewRadioButtonsBlockElement(actionWhere, option(whereMe, "To me alone"), option(whereThread, "Into the operation's thread, with my name"))
	where.InitialOption = where.Options[0]
	v := view("Report", []slack.Block{
		richText("report.lead", []line{words("A report tells what was asked and why, what was measured, and what is still owed.")}),
		slack.NewInputBlock(blockOperation, label("Operation"), nil, pick), with, slack.NewInputBlock(blockWhere, label("Post it"), nil, where),
	})
	v.CallbackID, v.Submit, v.Close = ActionReportForm, short("Post it"), short("Not now")
	return v
}

// Wanted is what came back with a [ReportForm].
type Wanted struct {
	Op       failover.OpID
	Parts    ReportParts
	InThread bool
}

// WantedOf reads the form of a report; false when it is none. Problems are errors to show at its fields.
func WantedOf(v slack.View) (w Wanted, problems map[string]string, ours bool) {
	if v.CallbackID != ActionReportForm {
		return w, nil, false
	}
	if v.State != nil {
		values := v.State.Values
		w.Op = failover.OpID(values[blockOperation][ActionOperation].SelectedOption.Value)
		for _, o := range values[blockParts][actionParts].SelectedOptions {
			w.Parts.Timeline = w.Parts.Timeline || o.Value == partTimeline
			w.Parts.Decisions = w.Parts.Decisions || o.Value == partDecisions
			w.Parts.Jobs = w.Parts.Jobs || o.Value == partJobs
		}
		w.InThread = values[blockWhere][actionWhere].SelectedOption.Value == whereThread
	}
	if !failover.IsOpID(string(w.Op)) {
		problems = map[string]string{blockOperation: "Choose an operation."}
	}
	return w, problems, true
}

// Unknown is the error at the field of an operation that nobody knows.
func (w Wanted) Unknown() map[string]string {
	return map[string]string{blockOperation: bot.RefusalText(failover.NoOperation(w.Op))}
}

// OperationOptions are the operations, newest first, whose id, target, verb or state has what somebody types, at most 100.
func OperationOptions(newest []failover.Operation, query string, now time.Time) []*slack.OptionBlockObject {
	query = strings.ToLower(inert(query))
	options := []*slack.OptionBlockObject{}
	for _, op := range newest {
		what := string(op.ID) + ": " + inert(bot.Noun(op.Verb)+" of "+bot.Targets(op))
		says := stateOf(op) + ", asked for by " + orElse(op.RequestedBy.Name, op.RequestedBy.ID) + " " + duration(now.Sub(op.RequestedAt)) + " ago"
		named := slices.ContainsFunc(op.Targets, func(t failover.Target) bool { return strings.Contains(strings.ToLower(t.Item.Name), query) })
		if failover.IsOpID(string(op.ID)) && len(options) < maxOptions && (named || strings.Contains(strings.ToLower(what+" "+says), query)) {
			options = append(options, slack.NewOptionBlockObject(string(op.ID), label(what), label(inert(says))))
		}
	}
	return options
}

// Posted puts who posted a report above it.
func Posted(m Message, by failover.Actor) Message {
	lead := line{plain("Posted by "), details()[1].person(by), plain(":")}
	return Message{Text: Escape(clip(lead.terminal(), maxText)) + " " + m.Text, Blocks: slices.Concat([]slack.Block{richText("posted", []line{lead})}, m.Blocks)}
}
