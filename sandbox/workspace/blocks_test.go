package workspace_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"ferry/sandbox/workspace"
)

// postRaw sends blocks that slack-go's types would not let through.
func (l *lab) postRaw(t *testing.T, blocks string) error {
	t.Helper()
	_, _, err := l.api.PostMessageContext(t.Context(), incident, slack.UnsafeMsgOptionEndpoint(
		"http://slack.test/api/chat.postMessage", func(form url.Values) { form.Set("blocks", blocks) },
	))
	return err
}

func repeat(n int, item string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = strings.ReplaceAll(item, "#", fmt.Sprint(i))
	}
	return strings.Join(items, ",")
}

func TestBlockLimits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	text := func(kind string, n int) string { return fmt.Sprintf(`{"type":%q,"text":%q}`, kind, long(n)) }
	button := func(extra string) string {
		return `[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"B"},"action_id":"a"` + extra + `}]}]`
	}
	confirm := func(title, body, yes, no int) string {
		return button(fmt.Sprintf(`,"confirm":{"title":%s,"text":%s,"confirm":%s,"deny":%s}`,
			text("plain_text", title), text("plain_text", body), text("plain_text", yes), text("plain_text", no)))
	}
	cell, task := `{"type":"raw_text","text":""}`, `{"type":"task_card","task_id":"1","title":"Boot","status":"complete"}`
	pie := func(n, label int) string {
		return `{"type":"data_visualization","title":"RPO","chart":{"type":"pie","segments":[` + repeat(n, `{"label":"`+long(label)+`","value":1}`) + `]}}`
	}
	tests := map[string]struct{ blocks, problem string }{
		"section 3000":         {`[{"type":"section","text":` + text("mrkdwn", 3000) + `}]`, ""},
		"section 3001":         {`[{"type":"section","text":` + text("mrkdwn", 3001) + `}]`, "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
		"section empty text":   {`[{"type":"section","text":` + text("mrkdwn", 0) + `}]`, "must be more than 0 characters [json-pointer:/blocks/0/text/text]"},
		"section without text": {`[{"type":"section"}]`, "missing required field: text or fields [json-pointer:/blocks/0]"},
		"10 fields":            {`[{"type":"section","fields":[` + repeat(10, text("mrkdwn", 1000)) + `]}]`, ""},
		"11 fields":            {`[{"type":"section","fields":[` + repeat(11, text("mrkdwn", 1)) + `]}]`, "no more than 10 items allowed [json-pointer:/blocks/0/fields]"},
		"field 2001":           {`[{"type":"section","fields":[` + text("mrkdwn", 2001) + `]}]`, "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]"},
		"header 150":           {`[{"type":"header","text":` + text("plain_text", 150) + `}]`, ""},
		"header 151":           {`[{"type":"header","text":` + text("plain_text", 151) + `}]`, "must be less than 151 characters [json-pointer:/blocks/0/text/text]"},
		"header mrkdwn":        {`[{"type":"header","text":` + text("mrkdwn", 5) + `}]`, "must be a valid text object of type plain_text [json-pointer:/blocks/0/text]"},
		"context 11":           {`[{"type":"context","elements":[` + repeat(11, text("mrkdwn", 1)) + `]}]`, "no more than 10 items allowed [json-pointer:/blocks/0/elements]"},
		"actions 25":           {`[{"type":"actions","elements":[` + repeat(25, `{"type":"button","text":{"type":"plain_text","text":"B"},"action_id":"a#"}`) + `]}]`, ""},
		"actions 26":           {`[{"type":"actions","elements":[` + repeat(26, `{"type":"button","text":{"type":"plain_text","text":"B"},"action_id":"a#"}`) + `]}]`, "no more than 25 items allowed [json-pointer:/blocks/0/elements]"},
		"actions 0":            {`[{"type":"actions","elements":[]}]`, "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"},
		"same action_id":       {`[{"type":"actions","elements":[` + repeat(2, `{"type":"button","text":{"type":"plain_text","text":"B"},"action_id":"a"}`) + `]}]`, "`action_id` \"a\" already exists [json-pointer:/blocks/0/elements/1/action_id]"},
		"button text 76":       {`[{"type":"actions","elements":[{"type":"button","text":` + text("plain_text", 76) + `}]}]`, "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"},
		"button value 2000":    {button(`,"value":"` + long(2000) + `"`), ""},
		"button value 2001":    {button(`,"value":"` + long(2001) + `"`), "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]"},
		"button style":         {button(`,"style":"loud"`), "must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]"},
		"button disabled":      {button(`,"disabled":true`), "invalid additional property: disabled [json-pointer:/blocks/0/elements/0]"},
		"confirm fits":         {confirm(100, 300, 30, 30), ""},
		"confirm title":        {confirm(101, 300, 30, 30), "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]"},
		"confirm text":         {confirm(100, 301, 30, 30), "must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]"},
		"confirm yes":          {confirm(100, 300, 31, 30), "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]"},
		"confirm without deny": {button(`,"confirm":{"title":` + text("plain_text", 1) + `,"text":` + text("plain_text", 1) + `,"confirm":` + text("plain_text", 1) + `}`), "missing required field: deny [json-pointer:/blocks/0/elements/0/confirm]"},
		"block_id 255":         {`[{"type":"divider","block_id":"` + long(255) + `"}]`, ""},
		"block_id 256":         {`[{"type":"divider","block_id":"` + long(256) + `"}]`, "must be less than 256 characters [json-pointer:/blocks/0/block_id]"},
		"same block_id":        {`[{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}]`, "`block_id` \"a\" already exists [json-pointer:/blocks/1/block_id]"},
		"50 blocks":            {`[` + repeat(50, `{"type":"divider"}`) + `]`, ""},
		"51 blocks":            {`[` + repeat(51, `{"type":"divider"}`) + `]`, "no more than 50 items allowed [json-pointer:/blocks]"},
		"image without alt":    {`[{"type":"image","image_url":"https://x.test/a.png"}]`, "missing required field: alt_text [json-pointer:/blocks/0]"},
		"input label":          {`[{"type":"input","label":` + text("plain_text", 2001) + `,"element":{"type":"plain_text_input"}}]`, "must be less than 2001 characters [json-pointer:/blocks/0/label/text]"},
		"rich_text":            {`[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[]}]}]`, ""},
		"rich_text element":    {`[{"type":"rich_text","elements":[{"type":"text","text":"x"}]}]`, "unsupported type: text [json-pointer:/blocks/0/elements/0]"},
		"unknown block":        {`[{"type":"marquee"}]`, "unsupported type: marquee [json-pointer:/blocks/0]"},
		"unchecked block":      {`[{"type":"layout","text":"# x"}]`, ""},
		"table 100 by 20":      {`[{"type":"table","rows":[` + repeat(100, `[`+repeat(20, cell)+`]`) + `]}]`, ""},
		"table 101 rows":       {`[{"type":"table","rows":[` + repeat(101, `[`+cell+`]`) + `]}]`, "no more than 100 items allowed [json-pointer:/blocks/0/rows]"},
		"table 21 columns":     {`[{"type":"table","rows":[[` + repeat(21, cell) + `]]}]`, "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"},
		"table of buttons":     {`[{"type":"table","rows":[[{"type":"button"}]]}]`, "unsupported type: button [json-pointer:/blocks/0/rows/0/0]"},
		"plan":                 {`[{"type":"plan","title":"Steps","tasks":[` + task + `]}]`, ""},
		"plan without title":   {`[{"type":"plan","tasks":[` + task + `]}]`, "missing required field: title [json-pointer:/blocks/0]"},
		"task status":          {`[` + strings.Replace(task, "complete", "done", 1) + `]`, "must be one of: pending, in_progress, complete, error [json-pointer:/blocks/0/status]"},
		"pie":                  {`[` + pie(12, 20) + `]`, ""},
		"pie of 13":            {`[` + pie(13, 20) + `]`, "no more than 12 items allowed [json-pointer:/blocks/0/chart/segments]"},
		"pie label":            {`[` + pie(1, 21) + `]`, "must be less than 21 characters [json-pointer:/blocks/0/chart/segments/0/label]"},
		"three charts":         {`[` + repeat(3, pie(1, 1)) + `]`, "no more than 2 data_visualization blocks allowed [json-pointer:/blocks]"},
		"markdown":             {`[{"type":"markdown","text":"` + long(6000) + `"},{"type":"markdown","text":"` + long(6000) + `"}]`, ""},
		"too much markdown":    {`[{"type":"markdown","text":"` + long(6001) + `"},{"type":"markdown","text":"` + long(6000) + `"}]`, "markdown blocks must have less than 12001 characters together [json-pointer:/blocks]"},
		"alert":                {`[{"type":"alert"}]`, "unsupported type: alert [json-pointer:/blocks/0]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, workspace.Options{})
				err := l.postRaw(t, test.blocks)
				var refused slack.SlackErrorResponse
				switch {
				case test.problem == "":
					check(t, err)
				case !errors.As(err, &refused) || refused.Err != "invalid_blocks":
					t.Errorf("err = %v", err)
				default:
					if diff := cmp.Diff([]string{"[ERROR] " + test.problem}, refused.ResponseMetadata.Messages); diff != "" {
						t.Error(diff)
					}
				}
			})
		})
	}
}

func TestOneTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		if err := l.postRaw(t, `[`+repeat(2, `{"type":"table","rows":[[{"type":"raw_text","text":"x"}]]}`)+`]`); code(err) != "only_one_table_allowed" {
			t.Errorf("two tables: %v", err)
		}
	})
}

func TestBlocksThatAreNoArray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		if err := l.postRaw(t, `{"type":"divider"}`); err == nil || err.Error() != "invalid_blocks_format" {
			t.Errorf("err = %v", err)
		}
	})
}

func TestMissingIDsAreGeneratedAndTheRestKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		check(t, l.postRaw(t, `[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"B"}}]},{"type":"layout","text":"x","n":1.50}]`))
		m, _ := l.newest(t, "")
		var blocks []map[string]any
		check(t, json.Unmarshal(m.Blocks, &blocks))
		if b := m.Buttons[0]; b.BlockID == "" || b.ActionID == "" || b.BlockID != blocks[0]["block_id"] {
			t.Errorf("button: %+v in %s", b, m.Blocks)
		}
		if !strings.Contains(string(m.Blocks), `"n":1.50`) {
			t.Errorf("blocks: %s", m.Blocks)
		}
	})
}
