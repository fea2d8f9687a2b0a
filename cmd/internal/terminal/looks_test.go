package terminal_test

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
)

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
	name = strings.TrimPrefix(p.name+"-"+name, "-")
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

// overflow lists what a person would have to scroll sideways for. It looks with other fonts than this
// machine's as well, as far as a machine with few of them can: wide letters, letters set apart, and text twice as large.
const overflow = `(() => {
	const root = document.documentElement.style, body = document.body.style, scroll = document.getElementById("scroll"), at = scroll.scrollTop, all = [];
	for (const [name, family, spacing, size] of [["", "", "", ""], ["wide", "monospace", "", ""], ["serif", "serif", "", ""], ["apart", "", "0.12em", ""], ["large", "", "", "200%"]]) {
		[body.fontFamily, body.letterSpacing, root.fontSize] = [family, spacing, size];
		all.push(...wide().map(line => line + " " + name));
	}
	[body.fontFamily, body.letterSpacing, root.fontSize] = ["", "", ""];
	scroll.scrollTop = at;
	return all;
	function wide() { return [...document.querySelectorAll("*")].filter(e => e.checkVisibility() && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1 &&
	e.tagName !== "INPUT" && getComputedStyle(e).textOverflow !== "ellipsis" && getComputedStyle(e).display !== "inline" && !e.closest(".completions"))
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
