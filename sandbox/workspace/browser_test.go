package workspace_test

import (
	"context"
	"fmt"
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
)

// newBrowser starts Debian's chromium and returns what opens a tab. Where CI is not set, a test without a browser is skipped.
func newBrowser(t *testing.T) func() (context.Context, context.CancelFunc) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal("no chromium here, and CI must not do without: apt-get install chromium")
	default:
		t.Skip("no chromium here: apt-get install chromium")
	}
	allocator, free := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("force-color-profile", "srgb"))
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

// tab is one page in the browser.
type tab struct {
	*testing.T
	base  string
	inTab func() (context.Context, context.CancelFunc) // for one action; bounded

	mu   sync.Mutex
	evil []string // errors on the console, and requests to anybody else
}

func open(t *testing.T, newTab func() (context.Context, context.CancelFunc), base string, width, height int64) *tab {
	t.Helper()
	ctx, cancel := newTab()
	p := &tab{T: t, base: base, inTab: func() (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, 15*time.Second) }}
	check(t, chromedp.Listen(ctx, p.hear))
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
	p.until("the bot is connected", `document.getElementById("link").dataset.tone === "good"`)
	return p
}

func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.evil = append(p.evil, fmt.Sprint("exception ", e.ExceptionDetails.Text, e.ExceptionDetails.Exception.Description))
	case *runtime.EventConsoleAPICalled:
		p.evil = append(p.evil, fmt.Sprint("console.", e.Type, " ", e.Args))
	case *cdplog.EventEntryAdded:
		p.evil = append(p.evil, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, p.base+"/") && !strings.HasPrefix(e.Request.URL, "data:") { // the browser draws its own pickers
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
	limit := time.After(20 * time.Second)
	tick := time.NewTicker(30 * time.Millisecond)
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

// sees waits for a text in what a selector means.
func (p *tab) sees(selector, text string) {
	p.Helper()
	p.until(selector+" says "+text, `document.querySelector(`+strconv.Quote(selector)+`)?.innerText.includes(`+strconv.Quote(text)+`) === true`)
}

// clicks the last visible element of a selector that says a text, whatever the case. When the page moved under the pointer, so
// that something else was hit, it tries again, as a person would.
func (p *tab) clicks(selector, text string) {
	p.Helper()
	last := `[...document.querySelectorAll(` + strconv.Quote(selector) + `)].filter(e => e.checkVisibility() && e.innerText.trim().toLowerCase().startsWith(` + strconv.Quote(strings.ToLower(text)) + `)).at(-1)`
	for range 20 {
		p.until("there is "+selector+" "+text, last+` !== undefined`)
		at := eval[struct {
			X float64 `json:"x"`
			Y float64 `json:"y"`
		}](p, `(() => {
			const e = `+last+`;
			window.hit = false;
			e.addEventListener("mousedown", () => { window.hit = true; }, {once: true, capture: true});
			e.scrollIntoView({block: "nearest"});
			const r = e.getBoundingClientRect();
			return {x: r.x + r.width / 2, y: r.y + r.height / 2};
		})()`)
		p.do(chromedp.MouseClickXY(at.X, at.Y))
		if eval[bool](p, `window.hit`) {
			return
		}
	}
	p.Fatalf("cannot click %s %s; the page:\n%s", selector, text, p.text())
}

func (p *tab) types(keys string) {
	p.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// looks checks what can be seen wrong, and saves the page where FERRY_SCREENSHOTS says, in light and in dark.
func (p *tab) looks(name string) {
	p.Helper()
	for _, line := range eval[[]string](p, overflow) {
		p.Errorf("%s: wider than its place: %s", name, line)
	}
	dir := os.Getenv("FERRY_SCREENSHOTS")
	for _, theme := range []string{"dark", "light"} {
		p.do(scheme(theme))
		for _, line := range eval[[]string](p, contrast) {
			p.Errorf("%s, %s: hard to read: %s", name, theme, line)
		}
		if dir == "" {
			continue
		}
		ctx, cancel := p.inTab()
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		cancel()
		check(p.T, err)
		check(p.T, os.MkdirAll(dir, 0o700))
		check(p.T, os.WriteFile(filepath.Join(dir, name+"-"+theme+".png"), png, 0o600))
	}
}

// overflow lists what a person would have to scroll sideways for. It looks with other fonts than this
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
	e.tagName !== "INPUT" && getComputedStyle(e).textOverflow !== "ellipsis" && getComputedStyle(e).display !== "inline")
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
