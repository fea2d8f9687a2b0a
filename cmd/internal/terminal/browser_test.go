package terminal_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ferry/cmd/internal/terminal"
)

// sandboxed runs ferry sandbox until the end of the test and returns the address that it printed.
func sandboxed(t *testing.T, args ...string) string {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- terminal.Run(ctx, append([]string{"sandbox", "--listen", "127.0.0.1:0"}, args...), terminal.Streams{In: strings.NewReader(""), Out: in, Err: t.Output()})
		_ = in.Close()
	}()
	t.Cleanup(func() {
		end()
		if code := <-ended; code != 0 {
			t.Errorf("ferry sandbox ended with %d", code)
		}
	})
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	_, address, found := strings.Cut(strings.TrimSpace(first), "The sandbox is up: ")
	if err != nil || !found {
		t.Fatalf("the first line is no address: %q %v", first, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return address
}

// newBrowser starts Debian's chromium. Where CI is not set, a test without a browser is skipped.
// What it returns opens a tab.
func newBrowser(t *testing.T) func() (context.Context, context.CancelFunc) {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	switch {
	case path != "":
	case os.Getenv("CI") == "true":
		t.Fatal("no chromium here, and CI must not do without: apt-get install chromium")
	default:
		t.Skip("no chromium here: apt-get install chromium")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("force-color-profile", "srgb"),
	}
	allocator, free := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, quit := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		quit()
		free()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return func() (context.Context, context.CancelFunc) { return chromedp.NewContext(ctx) }
}

// tab is one page in the browser, and the person in front of it.
type tab struct {
	*testing.T
	base  string
	inTab func() (context.Context, context.CancelFunc) // for one action; bounded

	mu   sync.Mutex
	evil []string // errors on the console, and requests to anybody else
}

// open loads the page in a tab of its own, as wide and tall as said.
func open(t *testing.T, newTab func() (context.Context, context.CancelFunc), base string, width, height int64) *tab {
	t.Helper()
	ctx, cancel := newTab()
	p := &tab{T: t, base: base, inTab: func() (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, 15*time.Second) }}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, line := range p.evil {
			t.Errorf("in the browser: %s", line)
		}
	})
	p.do(chromedp.EmulateViewport(width, height), scheme("light"), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.Enable, network.EnableParams{})
		return err
	}), chromedp.Navigate(base+"/"))
	p.until("ferry is connected", `document.getElementById("link").dataset.tone === "good"`)
	return p
}

func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.evil = append(p.evil, fmt.Sprint("exception ", e.ExceptionDetails.Text, e.ExceptionDetails.Exception.Description))
	case *runtime.EventConsoleAPICalled:
		line := "console." + string(e.Type)
		for _, argument := range e.Args {
			line += fmt.Sprintf(" %s%s", argument.Description, argument.Value)
		}
		p.evil = append(p.evil, line)
	case *cdplog.EventEntryAdded:
		p.evil = append(p.evil, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, p.base+"/") {
			p.evil = append(p.evil, "a request to "+e.Request.URL)
		}
	}
}

func scheme(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return err
	})
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := p.inTab()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.Fatalf("%v; the page:\n%s", err, p.text())
	}
}

// eval gives the value of an expression in the page.
func eval[T any](p *tab, expression string) T {
	p.Helper()
	ctx, cancel := p.inTab()
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return value
}

// until asks again and again: the page forbids what chromedp's own waiting does in it.
func (p *tab) until(what, expression string) {
	p.Helper()
	limit := time.After(30 * time.Second)
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for !eval[bool](p, expression) {
		select {
		case <-tick.C:
		case <-limit:
			p.Fatalf("waited in vain until %s; the page:\n%s", what, p.text())
		}
	}
}

func (p *tab) text() string { return eval[string](p, `document.body.innerText`) }

// sees waits for a text among the messages.
func (p *tab) sees(text string) {
	p.Helper()
	p.until("the channel says "+text, `document.getElementById("messages").innerText.includes(`+strconv.Quote(text)+`)`)
}

func (p *tab) become(name string) {
	p.Helper()
	p.clicks(`[...document.querySelectorAll(".person")].filter(e => e.innerText.endsWith(` + strconv.Quote(name) + `))`)
	p.until("this is "+name, `document.querySelector(".person:has(:checked)").innerText.endsWith(`+strconv.Quote(name)+`)`)
}

// types goes to the message field and presses these keys in place of what is there.
func (p *tab) types(keys string) {
	p.Helper()
	p.clicks(`[document.getElementById("say")]`)
	eval[any](p, `document.getElementById("say").select()`)
	p.do(chromedp.KeyEvent(keys))
}

// presses clicks the newest button with this label, once it is there.
func (p *tab) presses(label string) {
	p.Helper()
	p.clicks(`[...document.querySelectorAll("#messages .button, #messages .replies, .confirm[open] button, #world button, #guide button, .tabs button")]
		.filter(e => e.innerText.trim() === ` + strconv.Quote(label) + `)`)
}

// clicks moves to the last of some elements that can be seen, and clicks. When the page was redrawn under the pointer, so
// that something else was hit, it tries again, as a person would.
func (p *tab) clicks(elements string) {
	p.Helper()
	last := elements + `.filter(e => e.checkVisibility()).at(-1)`
	for range 20 {
		p.until("there is "+elements, last+` !== undefined`)
		at := eval[struct {
			X float64 `json:"x"`
			Y float64 `json:"y"`
		}](p, `(() => {
			const e = `+last+`;
			window.hit = false;
			e.addEventListener("click", () => { window.hit = true; }, {once: true, capture: true});
			e.scrollIntoView({block: "nearest"});
			const r = e.getBoundingClientRect();
			return {x: r.x + r.width / 2, y: r.y + r.height / 2};
		})()`)
		p.do(chromedp.MouseClickXY(at.X, at.Y))
		if eval[bool](p, `window.hit`) {
			return
		}
	}
	p.Fatalf("cannot click %s; the page:\n%s", elements, p.text())
}

// shot saves what the page looks like where FERRY_SCREENSHOTS says.
func (p *tab) shot(name string) {
	p.Helper()
	dir := os.Getenv("FERRY_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := p.inTab()
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		p.Fatal(err)
	}
}

// looks checks what can be seen wrong: width and contrast, in light and in dark.
func (p *tab) looks(name string) {
	p.Helper()
	for _, line := range eval[[]string](p, overflow) {
		p.Errorf("%s: wider than its place: %s", name, line)
	}
	for _, theme := range []string{"dark", "light"} {
		p.do(scheme(theme))
		for _, line := range eval[[]string](p, contrast) {
			p.Errorf("%s, %s: hard to read: %s", name, theme, line)
		}
		p.shot(name + "-" + theme)
	}
}

// overflow lists what a person would have to scroll sideways for; preformatted text may. It looks with other fonts than this
// machine's as well, as far as a machine with few of them can: wide letters, letters set apart, and text twice as large.
const overflow = `(() => {
	const root = document.documentElement.style, body = document.body.style, all = [];
	for (const [name, family, spacing, size] of [["", "", "", ""], ["wide", "monospace", "", ""], ["serif", "serif", "", ""], ["apart", "", "0.12em", ""], ["large", "", "", "200%"]]) {
		[body.fontFamily, body.letterSpacing, root.fontSize] = [family, spacing, size];
		all.push(...wide().map(line => line + " " + name));
	}
	[body.fontFamily, body.letterSpacing, root.fontSize] = ["", "", ""];
	return all;
	function wide() { return [...document.querySelectorAll("*")].filter(e => e.checkVisibility() && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1 &&
	!["PRE", "INPUT"].includes(e.tagName) && getComputedStyle(e).textOverflow !== "ellipsis" && getComputedStyle(e).display !== "inline" && !e.closest(".completions"))
	.map(e => e.tagName + "." + e.className + " " + e.scrollWidth + " > " + e.clientWidth)
	.concat(document.scrollingElement.scrollWidth > innerWidth ? ["the page " + document.scrollingElement.scrollWidth] : []); }
})()`

// contrast lists visible texts below WCAG AA: 4.5, or 3 when large.
const contrast = `(() => {
	const parse = c => { const n = c.match(/[\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
	const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
	const light = c => { const f = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]); };
	const behind = e => { const layers = []; for (; e; e = e.parentElement) { layers.push(parse(getComputedStyle(e).backgroundColor)); if (layers.at(-1)[3] === 1) break; }
		return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]); };
	const bad = new Set(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = walk.nextNode();) {
		const e = n.parentElement;
		if (!n.data.trim() || !e.checkVisibility() || e.closest(":disabled, .hidden-label, .skip, noscript, script")) continue;
		const s = getComputedStyle(e), back = behind(e), a = light(over(parse(s.color), back)), b = light(back);
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(s.fontSize);
		if (ratio < (size >= 24 || size >= 18.66 && s.fontWeight >= 700 ? 3 : 4.5)) bad.add(ratio.toFixed(2) + " " + e.tagName + "." + e.className + " " + n.data.trim().slice(0, 40));
	}
	return [...bad];
})()`

// The story as people play it, by typing and clicking: wide, then on a phone, and in between what goes wrong.
func TestBrowser(t *testing.T) {
	newTab := newBrowser(t)
	base := sandboxed(t, "--speed", "40")
	desktop := open(t, newTab, base, 1280, 800)
	playStory(desktop, "vm-x", "desktop")
	playFault(desktop)
	playBlocks(desktop)
	playHostile(desktop)
	phone := open(t, newTab, base, 360, 740)
	playPhone(phone)
}

func playStory(p *tab, vm, name string) {
	p.Helper()
	p.looks(name + "-1-empty")
	p.types("/fai\tvm-z latest\r")
	p.sees(`No replicated VM is called "vm-z"`)
	p.types(kb.ArrowUp)
	p.until("the last command is back", `document.getElementById("say").value === "/failover vm-z latest"`)
	p.types("/failover " + vm[:len(vm)-1])
	p.until("VMs are proposed", `document.getElementById("completions").innerText.includes("`+vm+`")`)
	p.shot(name + "-2-completion")
	p.do(chromedp.KeyEvent(kb.Escape))
	p.until("escape closes", `document.getElementById("completions").hidden`)
	p.do(chromedp.KeyEvent(vm[len(vm)-1:] + " latest --reason disk errors\r"))
	p.sees("Failover of " + vm + ": awaiting approval")
	p.become("eve")
	p.until("eve sees no word to ana", `!document.getElementById("messages").innerText.includes("vm-z")`)
	p.presses("Approve")
	p.sees("You may not decide")
	p.shot(name + "-3-refused")
	p.become("ben")
	p.until("ben sees no word to eve", `!document.getElementById("messages").innerText.includes("You may not decide")`)
	p.looks(name + "-4-approval")
	p.presses("Approve")
	p.sees("Shut down the virtual machine: running")
	p.looks(name + "-5-running")
	p.sees("Failover of " + vm + ": awaiting commit")
	p.until("the guide is done", `document.getElementById("guide").hidden`)
	p.presses("Commit")
	p.until("it asks first", `document.querySelector(".confirm[open]") !== null`)
	p.looks(name + "-6-confirm")
	p.do(chromedp.KeyEvent(kb.Escape))
	p.until("escape closes the dialog", `document.querySelector(".confirm[open]") === null`)
	p.presses("Commit")
	p.presses("Commit") // in the dialog
	p.sees("Failover of " + vm + ": committed")
	p.looks(name + "-7-committed")
}

// playFault lets a job fail, as somebody who tries things out would.
func playFault(p *tab) {
	p.Helper()
	p.become("ana")
	p.presses("Failed job")
	p.until("it is armed", `document.querySelector(".armed").innerText.includes("Failed job")`)
	p.types("/failover vm-y latest\r")
	p.sees("Failover of vm-y: awaiting approval")
	p.become("ben")
	p.presses("Approve")
	p.sees("Failover of vm-y: failed")
	p.sees("What is wrong:")
	p.looks("desktop-8-failed")
	p.presses("Pause")
	p.until("the clock stands", `document.querySelector(".sim-time").innerText === "paused"`)
	p.presses("Source region down")
	p.until("VMs are ill", `document.querySelector('[data-vm="sql-01"] .pill').classList.contains("ill")`)
	p.looks("desktop-9-source-down")
	p.presses("Source region down")
	p.presses("300×")
	p.until("the portal can act", `document.querySelector('[data-vm="sql-01"] details').open = true`)
	p.clicks(`[...document.querySelectorAll('[data-vm="sql-01"] .as-portal button')]`)
	p.until("the portal's call is in the ledger", `document.querySelector(".ledger").innerText.includes("sql-01 by the portal")`)
	p.presses("Slack outage")
	p.until("the page says so", `!document.getElementById("outage").hidden`)
	p.looks("desktop-10-outage")
	p.clicks(`[...document.querySelectorAll("#world button")].filter(e => e.innerText.startsWith("Slack back"))`)
	p.until("ferry is back", `document.getElementById("link").dataset.tone === "good" && document.getElementById("outage").hidden`)
}

func playPhone(p *tab) {
	p.Helper()
	p.become("ana")
	p.types("/failover app-01\r")
	p.sees("Failover of app-01: awaiting approval")
	p.looks("phone-1-card")
	p.become("ben")
	p.presses("Approve")
	p.presses("World")
	p.until("the world is shown", `document.getElementById("world").checkVisibility() && !document.getElementById("say").checkVisibility()`)
	p.looks("phone-2-world")
	p.presses("Channel")
	p.presses("Commit")
	p.until("it asks first", `document.querySelector(".confirm[open]") !== null`)
	p.looks("phone-3-confirm")
	p.presses("Commit")
	p.sees("Failover of app-01: committed")
	p.looks("phone-4-committed")
}

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
	p.sees("details")
	card := `document.querySelector('[data-ts="` + ts + `"]')`
	for selector, want := range map[string]string{
		`[role=heading]`: "Title ⛴️", `.words b`: "bold", `.words i`: "italic", `.words s`: "gone", `.words code`: "code",
		`.words .mention`: "@ben", `.words a`: "link", `.words a:nth-of-type(2)`: "https://ok.example/bare", `.words blockquote`: "quoted",
		`.words pre`: "pre\n  formatted", `.accessory .button`: "Accessory", `.fields b`: "Left", `.fields div:last-child`: "❌ <b>",
		`.context`: "1970-01-02 as it was", `.rich b`: "strong", `.rich .mention`: "@eve", `.rich .swatch`: "", `.rich ol[start="3"] li`: "third",
		`.rich ul li`: "nested", `.rich blockquote`: "wise", `.rich pre`: "A   B", `hr`: "", `.thread .body`: "details",
	} {
		found := eval[string](p, `(e => e === null ? "nothing" : e.textContent)(`+card+`.querySelector(`+strconv.Quote(selector)+`))`)
		if found != want && selector != ".thread .body" || !strings.Contains(found, want) {
			p.Errorf("%s is %q, want %q", selector, found, want)
		}
	}
	if words := eval[string](p, card+`.querySelector(".words").innerText`); !strings.Contains(words, "a*b*c 2 * 3") || !strings.Contains(words, "a <b>") {
		p.Errorf("words: %q", words)
	}
	p.looks("desktop-11-blocks")
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
	p.looks("desktop-12-hostile")
}
