package render

import (
	"fmt"
	"strings"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// ForecastText says how long a failover would take, in lines of plain text.
func ForecastText(f failover.Forecast) string {
	about := inert(f.What)
	if n := bot.VMs(f.VMs); about != n && f.VMs > 0 && (f.VMs > 1 || f.Waves > 0 && f.LeftOut != "") {
		about += " (" + n + ")"
	}
	if f.Waves > 1 && f.VMs > 0 {
		about += fmt.Sprintf(" in %d waves", f.Waves)
	}
	lines := []string{"Forecast of a failover of " + about}
	if f.VMs == 0 {
		lines = append(lines, "None of its VMs can be failed over now.")
	} else {
		e := f.Expected
		if f.VMs == 1 { // nothing holds one back
			e.Limit = ""
		}
		for _, l := range takes(e) {
			lines = append(lines, l.terminal())
		}
	}
	if f.Own > 0 && f.Own < f.VMs {
		lines = append(lines, fmt.Sprintf("%s of the %s have been failed over before; the others are taken to be like those.", bot.Number(f.Own), bot.VMs(f.VMs)))
	}
	if f.LeftOut != "" {
		lines = append(lines, "Left out: "+inert(f.LeftOut))
	}
	return strings.Join(append(lines, "Nothing was started."), "\n") + "\n"
}

// takes are the lines of a forecast: how long, by what limit, and from what that is known.
func takes(e failover.Expected) []line {
	if e.Seconds <= 0 {
		return nil
	}
	text := "about " + round(e.Took())
	if e.P95 > 0 {
		text += ", 19 times in 20 at most " + round(e.AtMost())
	}
	lines := []line{labelled("Takes", plain(text+promise(e, e.Took(), e.AtMost())+"."))}
	if held := e.Words(); held != "" {
		lines = append(lines, labelled("Held back by", plain(clip(inert(held), 200)+".")))
	}
	if n := len(e.Unlearned); n > 0 {
		vaults := "the vault " + clip(inert(e.Unlearned[0]), 80) + " works"
		if n > 1 {
			vaults = fmt.Sprintf("%d vaults work", n)
		}
		lines = append(lines, labelled("Not known", plain("how many VMs "+vaults+" on at a time; Azure does not publish it, and Ferry has not learned it yet. The times count on enough; with fewer it takes longer.")))
	}
	from := "a default, from runs in Microsoft's documentation; Ferry has no history yet"
	switch {
	case e.Of == 1:
		from = "1 earlier failover"
	case e.Of > 1:
		from = bot.Number(e.Of) + " earlier failovers"
	}
	return append(lines, labelled("By", plain(from+".")))
}

// promise holds how long it may take to the target.
func promise(e failover.Expected, likely, atMost time.Duration) string {
	target := round(e.Target())
	switch e.PromiseFor(likely, atMost) {
	case failover.PromiseKept:
		return "; the target of " + target + " is kept"
	case failover.PromiseLikely:
		return "; the target of " + target + " is likely kept, not surely"
	case failover.PromiseMissed:
		return "; the target of " + target + " is missed"
	}
	return ""
}
