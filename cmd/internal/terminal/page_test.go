package terminal_test

import (
	"path"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// Each of these has a browser and a sandbox of its own, and waits for the page most of the time.
func TestBrowser(t *testing.T) {
	t.Parallel()
	t.Run("desktop", playAll(1280, 800))
	t.Run("phone", playAll(360, 800))
	t.Run("connects again", playReturn)
	t.Run("tabs", playTabs)
}

// playAll is the story as people play it, by typing and clicking, and what goes wrong.
func playAll(width, height int64) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		base, _ := sandboxed(t, "127.0.0.1:0", "--speed", "60")
		p := open(t, newBrowser(t), base, width, height)
		p.name = path.Base(t.Name())
		playTypo(p)
		playStory(p)
		playHome(p)
		playDrill(p)
		playReview(p)
		playForm(p)
		playPlan(p)
		playFault(p)
		playWorld(p)
		playOutage(p)
		playBlocks(p)
		playHostile(p)
	}
}

func playTypo(p *tab) {
	p.Helper()
	p.looks("1-empty")
	p.types("/fai\tvm-z latest\r")
	p.sees(`No replicated VM is called "vm-z"`)
	p.types(kb.ArrowUp)
	p.until("the last command is back", `document.getElementById("say").value === "/failover vm-z latest"`)
	p.types("/failover st")
	p.until("verbs are proposed", `document.getElementById("completions").innerText.includes("status")`)
	p.types("/failover vm-")
	p.until("VMs are proposed", `document.getElementById("completions").innerText.includes("vm-x")`)
	p.looks("2-completion")
	p.types("/failover group ")
	p.until("groups are proposed", `document.getElementById("completions").innerText.includes("checkout")`)
	p.types("/failover forecast group re")
	p.until("a group is proposed for a forecast", `document.getElementById("completions").innerText.startsWith("region")`)
	p.keys(kb.Escape)
	p.until("escape closes", `document.getElementById("completions").hidden`)
}

func playStory(p *tab) {
	p.Helper()
	p.types("/failover vm-" + kb.ArrowDown + kb.Enter)
	p.until("the VM is completed", `document.getElementById("say").value === "/failover vm-x "`)
	p.keys("latest --reason disk errors\r")
	p.sees("Failover of vm-x: awaiting approval")
	p.sees("disk errors")
	p.become("eve")
	p.until("eve sees no word to ana", `!document.getElementById("messages").innerText.includes("vm-z")`)
	p.presses("Approve")
	p.sees("You may not decide")
	p.looks("3-refused")
	p.become("ben")
	p.until("ben sees no word to eve", `!document.getElementById("messages").innerText.includes("You may not decide")`)
	p.begins("Failover of vm-x")
	p.looks("4-approval")
	p.goes("World")
	p.presses("20×") // so that it can be looked at
	p.goes("Channel")
	p.presses("Approve")
	p.sees("Shut down the virtual machine: running")
	p.begins("Failover of vm-x")
	p.looks("5-running")
	p.goes("World")
	p.until("the task is seen in Azure too", `document.querySelector('[data-vm="vm-x"] .inprogress') !== null`)
	p.looks("6-world-running")
	p.presses("60×")
	p.goes("Channel")
	p.sees("Failover of vm-x: awaiting commit")
	p.until("the guide is done", `document.getElementById("guide").hidden`)
	p.presses("Commit")
	p.until("it asks first", `document.querySelector(".confirm[open]") !== null`)
	p.looks("7-confirm")
	p.keys(kb.Escape)
	p.until("escape closes the dialog", `document.querySelector(".confirm[open]") === null`)
	p.presses("Commit")
	p.presses("Commit") // in the dialog
	p.sees("Failover of vm-x: committed")
	p.begins("Failover of vm-x")
	p.looks("8-committed")
}

// playHome is a request that an approver finds and decides in the Home tab of the app.
func playHome(p *tab) {
	p.Helper()
	home := func(what, text string) {
		p.Helper()
		p.until(what, `document.getElementById("home").innerText.includes("`+text+`")`)
	}
	p.become("ana")
	p.types("/failover files-01 latest\r")
	p.sees("Failover of files-01: awaiting approval")
	p.become("ben")
	p.presses("Home")
	home("ben finds what waits for him", "Failover of files-01: awaiting approval")
	home("and what is not protected", "vm-x (vault vault-dr) is not protected")
	p.looks("8d-home")
	p.presses("Deny")
	home("the press is answered there", "Your last press here")
	home("and the request is over", "Failover of files-01: denied")
	home("and nothing is left", "Nothing waits for you.")
	p.looks("8e-home-after")
	p.presses("Channel")
	p.sees("Failover of files-01: denied")
}

// playDrill is a drill with its clean-up in a form; the world shows the test VM while it is there.
func playDrill(p *tab) {
	p.Helper()
	p.become("ana")
	p.types("/failover cle")
	p.until("cleanup is proposed", `document.getElementById("completions").innerText.startsWith("cleanup")`)
	p.types("/failover test app-01\r")
	p.sees("Test failover of app-01: the test VM is up")
	p.looks("8a-drill")
	p.goes("World")
	p.until("the world has the test VM", `document.querySelector('[data-vm="app-01"] .also').innerText.includes("Test VM app-01-test is up")`)
	p.goes("Channel")
	p.presses("Clean up")
	p.until("the form is there", `document.querySelector(".modal [type=submit]") !== null`)
	p.keys("the web front answered")
	p.looks("8b-clean-up")
	p.clicks(`[...document.querySelectorAll(".modal [type=submit]")]`)
	p.sees("Clean-up of app-01: cleaned up")
	p.until("the form says what became of it", `document.querySelector(".modal").innerText.includes("has started")`)
	p.keys(kb.Escape)
	p.until("the form is closed", `document.querySelector(".modal") === null`)
	p.until("the test VM is gone", `document.querySelector('[data-vm="app-01"] .also').hidden`)
}

// playReview looks at what a reprotect would do, and does not do it.
func playReview(p *tab) {
	p.Helper()
	p.presses("Reprotect")
	p.until("the review is there", `document.querySelector(".modal")?.innerText.includes("Cache storage") === true`)
	p.looks("8c-reprotect")
	p.keys(kb.Escape)
	p.until("the review is closed", `document.querySelector(".modal") === null`)
}

// playForm asks for a failover in the form: the command alone opens it, and a point that is none stands at its field.
func playForm(p *tab) {
	p.Helper()
	p.types("/failover\r")
	p.until("the form is there", `document.querySelector(".modal [type=submit]") !== null`)
	p.keys("queue")
	p.until("the VM is found", `document.querySelector(".picks:not([hidden])")?.innerText.includes("queue-01") === true`)
	p.looks("8d-search")
	p.keys(kb.ArrowDown + kb.Enter)
	p.until("its points are there", `document.querySelector(".modal").innerText.includes("vault-dr")`)
	p.clicks(`[...document.querySelectorAll(".modal [data-action=ferry_typed]")]`)
	p.keys("yesterday")
	p.clicks(`[...document.querySelectorAll(".modal [type=submit]")]`)
	p.until("what is wrong stands at the field", `document.querySelector(".modal [data-problem=typed]")?.innerText.includes("That is no recovery point.") === true`)
	eval[any](p, `document.querySelector(".modal [data-action=ferry_typed]").select()`)
	p.keys(kb.Backspace)
	p.until("a changed field is not called wrong", `document.querySelector(".modal [data-problem=typed]").hidden && document.querySelector(".modal [aria-invalid]") === null`)
	p.clicks(`[...document.querySelectorAll(".modal [data-action]")].filter(e => e.closest("[data-block=reason], .field, .input")?.innerText.includes("Reason"))`)
	p.keys("queue is stuck")
	p.looks("8e-form")
	p.clicks(`[...document.querySelectorAll(".modal [type=submit]")]`)
	p.sees("Failover of queue-01: awaiting approval")
	p.until("the form says what became of it", `document.querySelector(".modal").innerText.includes("waits for approval")`)
	p.keys(kb.Escape)
	p.until("the form is closed", `document.querySelector(".modal") === null`)
	p.sees("queue is stuck")
	p.become("ben")
	p.presses("Deny")
	p.sees("Failover of queue-01: denied")
	p.become("ana")
}

// playPlan is a recovery plan: completed by its name, and its job in the world.
func playPlan(p *tab) {
	p.Helper()
	p.types("/failover plan \t")
	p.until("the plan is completed", `document.getElementById("say").value === "/failover plan plan-shop "`)
	p.keys("latest-processed\r")
	p.sees("Failover of recovery plan plan-shop")
	p.become("ben")
	p.goes("World")
	p.until("the plan's groups are shown", `document.querySelector('[data-plan="plan-shop"]').innerText.includes("sql-01, sql-02 → app-01, app-02")`)
	p.goes("Channel")
	p.presses("Approve")
	p.goes("World")
	p.until("its job runs", `document.querySelector('[data-plan="plan-shop"] .pill').innerText.endsWith(" runs")`)
	p.looks("8f-plan")
	p.goes("Channel")
	p.presses("Commit")
	p.presses("Commit") // in the dialog
	p.until("the plan is committed", `document.getElementById("messages").innerText.includes("plan-shop (6 VMs): committed")`)
}

// playFault lets a job fail, as somebody who tries things out would.
func playFault(p *tab) {
	p.Helper()
	p.become("ana")
	p.goes("World")
	p.presses("Failed job")
	p.until("it is armed", `document.querySelector(".armed").innerText.includes("Failed job")`)
	p.goes("Channel")
	p.types("/failover vm-y latest\r")
	p.sees("Failover of vm-y: awaiting approval")
	p.become("ben")
	p.presses("Approve")
	p.sees("Failover of vm-y: failed")
	p.sees("What is wrong:")
	p.begins("Failover of vm-y")
	p.looks("9-failed")
	p.goes("World")
	p.until("Azure says so", `document.querySelector('[data-vm="vm-y"] .trouble').innerText.includes("Failover failed")`)
}

// playWorld goes through the controls of the simulated Azure.
func playWorld(p *tab) {
	p.Helper()
	p.presses("429 from Azure")
	p.presses("Lost answer")
	p.until("both are armed", `["429", "Lost answer"].every(e => document.querySelector(".armed").innerText.includes(e))`)
	p.presses("Disarm")
	p.until("none is armed", `document.querySelector(".armed").innerText === ""`)
	p.presses("Pause")
	p.until("the clock stands", `document.querySelector(".sim-time").innerText === "paused"`)
	p.presses("Source region down")
	p.until("VMs are ill", `document.querySelector('[data-vm="cache-01"] .pill').innerText === "Protected, critical"`)
	eval[any](p, `fetch("/world/portal", {method: "POST", body: JSON.stringify({vm: "files-01", operation: "update Standard_D4as_v5"})})`)
	p.until("its size is being changed", `document.querySelector('[data-vm="files-01"] .pill').innerText === "Update the virtual machine runs"`)
	p.looks("10-source-down")
	p.presses("Source region down")
	p.presses("300×")
	p.until("the source is back", `document.querySelector('[data-vm="cache-01"] .pill').innerText === "Protected"`)
	p.clicks(`[...document.querySelectorAll('[data-vm="cache-01"] summary')]`)
	for _, call := range []string{"Failover", "Commit"} {
		p.clicks(`[...document.querySelectorAll('[data-vm="cache-01"] .as-portal button')].filter(e => e.innerText === "` + call + `")`)
		p.until("the ledger has it", `document.querySelector(".ledger").innerText.includes("`+call+` cache-01 by the portal")`)
	}
	p.until("it is done", `document.querySelector('[data-vm="cache-01"] .pill').innerText === "Committed"`)
	p.looks("11-portal")
}

func playOutage(p *tab) {
	p.Helper()
	p.presses("Slack outage")
	p.goes("Channel")
	p.until("the page says so", `document.getElementById("outage").innerText.includes("Slack is down")`)
	p.looks("12-outage")
	p.goes("World")
	p.clicks(`[...document.querySelectorAll("#world button")].filter(e => e.innerText.startsWith("Slack back"))`)
	p.goes("Channel")
	p.until("ferry is back", `document.getElementById("link").dataset.tone === "good" && document.getElementById("outage").hidden`)
}

// playReturn ends the sandbox and starts another: the page says that what it shows is old, and goes on by itself.
func playReturn(t *testing.T) {
	t.Parallel()
	base, stop := sandboxed(t, "127.0.0.1:0")
	p := open(t, newBrowser(t), base, 1280, 800)
	p.forgives = "net::ERR_" // the browser's own words about a server that is gone
	p.types("/failover status\r")
	p.sees("Only visible to you")
	stop()
	p.until("the page says so", `document.getElementById("link").innerText.includes("not connected") && document.querySelector(".sim-time").innerText === "not connected"`)
	p.looks("not-connected")
	again, _ := sandboxed(t, strings.TrimPrefix(base, "http://"))
	if again != base {
		t.Fatalf("the second one is at %s", again)
	}
	p.until("the page goes on", `document.getElementById("link").dataset.tone === "good" && document.querySelector(".sim-time").innerText.includes("60×") && document.getElementById("outage").hidden`)
	p.until("what was there before is gone", `document.getElementById("messages").children.length === 0`)
}

// playTabs has several people at one browser: it opens six connections to one host, and every tab keeps one.
func playTabs(t *testing.T) {
	t.Parallel()
	base, _ := sandboxed(t, "127.0.0.1:0")
	newTab := newBrowser(t)
	for range 3 {
		open(t, newTab, base, 1280, 800)
	}
	p := open(t, newTab, base, 360, 740)
	p.types("/failover list\r")
	p.sees("files-01")
	p.looks("list")
}
