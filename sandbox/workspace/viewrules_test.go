package workspace_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"ferry/sandbox/workspace"
)

func TestViewLimits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	view := func(extra, blocks string) string {
		return `{"type":"modal","title":{"type":"plain_text","text":"T"},"submit":{"type":"plain_text","text":"S"},` + extra + `"blocks":[` + blocks + `]}`
	}
	input := func(element string) string {
		return view("", `{"type":"input","label":{"type":"plain_text","text":"L"},"element":`+element+`}`)
	}
	options := func(n int) string {
		return repeat(n, `{"text":{"type":"plain_text","text":"O"},"value":"#"}`)
	}
	rows := map[string]struct{ view, problem string }{
		"title 25":            {strings.Replace(view("", ""), `"T"`, `"`+long(25)+`"`, 1), "must be less than 25 characters [json-pointer:/view/title/text]"},
		"submit 25":           {strings.Replace(view("", ""), `"S"`, `"`+long(25)+`"`, 1), "must be less than 25 characters [json-pointer:/view/submit/text]"},
		"close 25":            {view(`"close":{"type":"plain_text","text":"`+long(25)+`"},`, ""), "must be less than 25 characters [json-pointer:/view/close/text]"},
		"metadata 3001":       {view(`"private_metadata":"`+long(3001)+`",`, ""), "must be less than 3001 characters [json-pointer:/view/private_metadata]"},
		"callback_id 256":     {view(`"callback_id":"`+long(256)+`",`, ""), "must be less than 256 characters [json-pointer:/view/callback_id]"},
		"101 blocks":          {view("", repeat(101, `{"type":"divider"}`)), "no more than 100 items allowed [json-pointer:/view/blocks]"},
		"100 blocks":          {view("", repeat(100, `{"type":"divider"}`)), ""},
		"no title":            {`{"type":"modal","blocks":[]}`, "missing required field: title [json-pointer:/view]"},
		"a home tab":          {strings.Replace(view("", ""), "modal", "home", 1), "must be one of: modal [json-pointer:/view/type]"},
		"input, no submit":    {strings.Replace(input(`{"type":"plain_text_input"}`), `"submit":{"type":"plain_text","text":"S"},`, "", 1), "must define `submit` to use an `input` block in modals [json-pointer:/view]"},
		"label 2001":          {strings.Replace(input(`{"type":"plain_text_input"}`), `"L"`, `"`+long(2001)+`"`, 1), "must be less than 2001 characters [json-pointer:/view/blocks/0/label/text]"},
		"placeholder 151":     {input(`{"type":"plain_text_input","placeholder":{"type":"plain_text","text":"` + long(151) + `"}}`), "must be less than 151 characters [json-pointer:/view/blocks/0/element/placeholder/text]"},
		"max_length 3001":     {input(`{"type":"plain_text_input","max_length":3001}`), "must be between 0 and 3000 [json-pointer:/view/blocks/0/element/max_length]"},
		"a button as input":   {input(`{"type":"button","text":{"type":"plain_text","text":"B"}}`), "unsupported type: button [json-pointer:/view/blocks/0/element]"},
		"100 options":         {input(`{"type":"static_select","options":[` + options(100) + `]}`), ""},
		"101 options":         {input(`{"type":"static_select","options":[` + options(101) + `]}`), "no more than 100 items allowed [json-pointer:/view/blocks/0/element/options]"},
		"11 radio buttons":    {input(`{"type":"radio_buttons","options":[` + options(11) + `]}`), "no more than 10 items allowed [json-pointer:/view/blocks/0/element/options]"},
		"no options":          {input(`{"type":"static_select"}`), "missing required field: options [json-pointer:/view/blocks/0/element]"},
		"option text 76":      {input(`{"type":"static_select","options":[{"text":{"type":"plain_text","text":"` + long(76) + `"},"value":"v"}]}`), "must be less than 76 characters [json-pointer:/view/blocks/0/element/options/0/text/text]"},
		"option value 151":    {input(`{"type":"static_select","options":[{"text":{"type":"plain_text","text":"t"},"value":"` + long(151) + `"}]}`), "must be less than 151 characters [json-pointer:/view/blocks/0/element/options/0/value]"},
		"6 in an overflow":    {view("", `{"type":"section","text":{"type":"plain_text","text":"t"},"accessory":{"type":"overflow","options":[`+options(6)+`]}}`), "no more than 5 items allowed [json-pointer:/view/blocks/0/accessory/options]"},
		"an input in actions": {view("", `{"type":"actions","elements":[{"type":"plain_text_input"}]}`), "unsupported type: plain_text_input [json-pointer:/view/blocks/0/elements/0]"},
		"markdown":            {view("", `{"type":"markdown","text":"x"}`), "unsupported type: markdown [json-pointer:/view/blocks/0]"},
		"no such property":    {view(`"color":"red",`, ""), "invalid additional property: color [json-pointer:/view]"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, workspace.Options{})
				b := l.connect(t)
				check(t, l.Type("ana", incident, "/failover"))
				trigger := b.next(t, socketmode.EventTypeSlashCommand).Data.(slack.SlashCommand).TriggerID
				answer := l.callJSON(t, "views.open", fmt.Sprintf(`{"trigger_id":%q,"view":%s}`, trigger, row.view))
				if row.problem == "" {
					if !answer.OK {
						t.Errorf("refused: %+v", answer)
					}
					return
				}
				if diff := cmp.Diff([]string{"[ERROR] " + row.problem}, answer.Metadata.Messages); diff != "" || answer.Error != "invalid_arguments" {
					t.Errorf("%s %s", answer.Error, diff)
				}
			})
		})
	}
}

type apiAnswer struct {
	OK       bool
	Error    string
	Metadata struct{ Messages []string } `json:"response_metadata"`
}

// callJSON sends what slack-go's types would not let through.
func (l *lab) callJSON(t *testing.T, method, body string) apiAnswer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://slack.test/api/"+method, strings.NewReader(body))
	check(t, err)
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("Authorization", "Bearer xoxb-sandbox")
	response, err := l.http.Do(request)
	check(t, err)
	defer func() { check(t, response.Body.Close()) }()
	var answer apiAnswer
	check(t, json.NewDecoder(response.Body).Decode(&answer))
	return answer
}
