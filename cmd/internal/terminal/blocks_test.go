package terminal_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/chromedp/chromedp/kb"
)

// hostile is what a bot could pass on from names, reasons and error messages of others, with each way to be more than text.
const hostile = `[
	{"type": "section", "text": {"type": "mrkdwn", "text": "<script>window.pwned=1</script> <img src=x onerror=window.pwned=2> <javascript:window.pwned=3|press me> <data:text/html,x|data> <vbscript:x|vb> <file:///etc/passwd|file> < javascript:x|space> <JaVaScRiPt:x|case> <java\tscript:x|tab> <//evil.example|relative> <https://ok.example/|good> <mailto:a@ok.example|mail> <!date^1^{date}^javascript:x|when>"}},
	{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "<b>not bold</b>"}, {"type": "link", "url": "javascript:window.pwned=4", "text": "rich"}, {"type": "link", "url": "\u0001javascript:x"}, {"type": "color", "value": "red;background:url(https://evil.example/)"}, {"type": "wonder", "html": "<i>x</i>"}]}]},
	{"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "<u>Go</u>"}, "url": "javascript:window.pwned=5", "action_id": "x"}, {"type": "users_select", "action_id": "y"}]},
	{"type": "image", "image_url": "https://evil.example/x.png", "alt_text": "<svg onload=window.pwned=6>"},
	{"type": "video", "title": {"type": "plain_text", "text": "<iframe src=https://evil.example>"}}
]`

// said posts as the bot does, over the wire, and returns the ts.
func (p *tab) said(form url.Values) string {
	p.Helper()
	form.Set("token", "xoxb-sandbox")
	form.Set("channel", "C0INCIDENT")
	r, err := http.NewRequestWithContext(p.Context(), http.MethodPost, p.base+"/api/chat.postMessage", strings.NewReader(form.Encode()))
	if err != nil {
		p.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	defer answer.Body.Close()
	var posted struct {
		OK bool   `json:"ok"`
		TS string `json:"ts"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&posted); err != nil || !posted.OK {
		p.Fatalf("the workspace did not take the message: %v %+v", err, posted)
	}
	return posted.TS
}

// everything is each kind of block and of markup once.
const everything = `[
	{"type": "header", "text": {"type": "plain_text", "text": "Title :ferry:"}},
	{"type": "section", "text": {"type": "mrkdwn", "text": "*bold* _italic_ ~gone~ ` + "`code`" + ` a*b*c 2 * 3 <@U0BEN> <#C0INCIDENT> <!here> <https://ok.example/|link> a &lt;b&gt; https://ok.example/bare.\n&gt; quoted\n` + "```pre\\n  formatted```" + `"},
		"accessory": {"type": "button", "action_id": "acc", "text": {"type": "plain_text", "text": "Accessory"}}},
	{"type": "section", "fields": [{"type": "mrkdwn", "text": "*Left*"}, {"type": "plain_text", "text": ":x: <b>"}]},
	{"type": "divider"},
	{"type": "context", "elements": [{"type": "mrkdwn", "text": "<!date^86400^{date_num}|never> <!date^x^{nothing}|as it was>"}]},
	{"type": "rich_text", "elements": [
		{"type": "rich_text_section", "elements": [{"type": "text", "text": "strong", "style": {"bold": true}}, {"type": "user", "user_id": "U0EVE"}, {"type": "emoji", "name": "rocket", "unicode": "1f680"}, {"type": "broadcast", "range": "here"}, {"type": "color", "value": "#ff0000"}]},
		{"type": "rich_text_list", "style": "ordered", "offset": 2, "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "third"}]}]},
		{"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "nested"}]}]},
		{"type": "rich_text_quote", "elements": [{"type": "text", "text": "wise"}]},
		{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "A   B"}]}]}
]`

// playBlocks looks at each kind of block as drawn.
func playBlocks(p *tab) {
	p.Helper()
	ts := p.said(url.Values{"text": {"fallback"}, "blocks": {everything}})
	p.said(url.Values{"text": {"details"}, "thread_ts": {ts}})
	p.sees("1 reply")
	p.presses("1 reply")
	p.until("the thread is open", `document.getElementById("thread").innerText.includes("details")`)
	p.until("both have their place", `document.querySelector(".thread-messages").clientHeight > 300 && document.getElementById("scroll").clientHeight > 300`)
	p.looks("13-thread")
	p.keys(kb.Escape)
	p.until("escape closes the thread", `document.getElementById("thread").hidden`)
	card := `document.querySelector('[data-ts="` + ts + `"]')`
	for selector, want := range map[string]string{
		`[role=heading]`: "Title ⛴️", `.words b`: "bold", `.words i`: "italic", `.words s`: "gone", `.words code`: "code",
		`.words .mention`: "@ben", `.words a`: "link", `.words a:nth-of-type(2)`: "https://ok.example/bare", `.words blockquote`: "quoted",
		`.words pre`: "pre\n  formatted", `.accessory .button`: "Accessory", `.fields b`: "Left", `.fields div:last-child`: "❌ <b>",
		`.context`: "1970-01-02 as it was", `.rich b`: "strong", `.rich .mention`: "@eve", `.rich .swatch`: "", `.rich ol[start="3"] li`: "third",
		`.rich ul li`: "nested", `.rich blockquote`: "wise", `.rich pre`: "A   B", `hr`: "",
	} {
		found := eval[string](p, `(e => e === null ? "nothing" : e.textContent)(`+card+`.querySelector(`+strconv.Quote(selector)+`))`)
		if found != want {
			p.Errorf("%s is %q, want %q", selector, found, want)
		}
	}
	if words := eval[string](p, card+`.querySelector(".words").innerText`); !strings.Contains(words, "a*b*c 2 * 3") || !strings.Contains(words, "a <b>") {
		p.Errorf("words: %q", words)
	}
	p.looks("14-blocks")
}

// playHostile shows what is meant to be more than text.
func playHostile(p *tab) {
	p.Helper()
	p.said(url.Values{"text": {"hostile"}, "blocks": {hostile}})
	p.types("<img src=x onerror=window.pwned=7> @ana *bold*\r")
	p.sees("<img src=x onerror=window.pwned=7>")
	for _, text := range []string{"scriptwindow.pwned=1/script", "press me (javascript:window.pwned=3)", "<b>not bold</b>", "<u>Go</u>", `"html": "<i>x</i>"`, "users_select", "<svg onload=window.pwned=6>", "<iframe src=https://evil.example>"} {
		p.sees(text)
	}
	alive := eval[[]string](p, `[...document.querySelectorAll("#messages :is(script, img, iframe, svg, object, embed, form, style)")].map(e => e.outerHTML)
		.concat([...document.querySelectorAll("#messages [href]")].map(a => a.href).filter(h => !/^(https?|mailto):/.test(h)))
		.concat([...document.querySelectorAll("#messages *")].flatMap(e => [...e.attributes]).filter(a => /^on|^style$/.test(a.name) && !/^margin-inline-start|^background-color/.test(a.value)).map(a => a.name + "=" + a.value))
		.concat(window.pwned === undefined ? [] : ["a script ran: " + window.pwned])`)
	for _, line := range alive {
		p.Errorf("hostile text is alive: %s", line)
	}
	good := eval[[]string](p, `[...document.querySelectorAll("#messages > li:nth-last-child(2) a")].map(a => a.href)`)
	if want := "https://ok.example/ mailto:a@ok.example"; !strings.HasPrefix(strings.Join(good, " "), want) {
		p.Errorf("links %q, want %s first", good, want)
	}
	p.looks("15-hostile")
}
