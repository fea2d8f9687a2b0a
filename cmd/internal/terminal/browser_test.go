package terminal_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// sandboxed runs ferry sandbox as a process of its own until stop or the end of the test, and returns the URL that it printed.
func sandboxed(t *testing.T, listen string, args ...string) (base string, stop func()) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], append([]string{"sandbox", "--listen", listen}, args...)...)
	cmd.Env = append(os.Environ(), "FERRY_CHILD=1")
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("ferry sandbox ended with %v", err)
		}
		_ = in.Close()
	})
	t.Cleanup(stop)
	return address(t, out), stop
}

// address is what the sandbox's first line says; the rest of its output is read and forgotten.
func address(t *testing.T, out io.Reader) string {
	t.Helper()
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	_, base, found := strings.Cut(strings.TrimSpace(first), "The sandbox is up: ")
	if err != nil || !found {
		t.Fatalf("the first line is no address: %q %v", first, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return base
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
	patience time.Duration // how long it waits for something to be seen; 0: half a minute
	*testing.T
	name     string // of its screenshots
	base     string
	inTab    func() (context.Context, context.CancelFunc) // for one action; bounded
	forgives string                                       // what the console may say, if anything

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
			if p.forgives == "" || !strings.Contains(line, p.forgives) {
				t.Errorf("in the browser: %s", line)
			}
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
	limit := time.After(cmp.Or(p.patience, 30*time.Second))
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

// begins scrolls to the beginning of a card, as a person does who reads it.
func (p *tab) begins(title string) {
	p.Helper()
	p.until("there is the card", `(() => {
		const heading = [...document.querySelectorAll("#messages [role=heading]")].findLast(e => e.innerText.startsWith(`+strconv.Quote(title)+`));
		heading?.closest("li").scrollIntoView({block: "start"});
		return heading !== undefined;
	})()`)
}

// goes to the channel or the world, where only one of them has room.
func (p *tab) goes(to string) {
	p.Helper()
	if eval[bool](p, `document.querySelector(".tabs [data-tab=world]").checkVisibility()`) {
		p.presses(to)
		p.until(to+" is shown", `document.body.dataset.tab === "`+strings.ToLower(to)+`"`)
	}
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
	p.keys(keys)
}

// keys presses these one by one. chromedp's own way sends a character even after the page has taken the key for itself, such
// as Enter on a completion; a keyboard does not, and so neither does a raw key.
func (p *tab) keys(keys string) {
	p.Helper()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, r := range keys {
			for _, event := range kb.Encode(r) {
				if event.Type == input.DispatchKeyEventTypeKeyDown {
					event.Type = input.DispatchKeyEventTypeRawKeyDown
				}
				if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, *event); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// presses clicks the newest button with this label, once it is there.
func (p *tab) presses(label string) {
	p.Helper()
	p.clicks(`[...document.querySelectorAll("#messages .button, #messages .replies, #home .button, .confirm[open] button, #world button, #guide button, .tabs button")]
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
