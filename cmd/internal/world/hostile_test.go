package world

import (
	"encoding/json"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"ferry/config"
	"ferry/events/jetstream"
	"ferry/failover"
	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// What others write: markup that calls people, a person whom Ferry has no reason to call, a line that looks like Ferry's own, and
// what moves a terminal's cursor or turns its direction.
const (
	hostile     = "<!here> <@U0EVE> &lt;!channel&gt; https://evil.example ]\n" + forgedLine + "\r\x1b[2J\u202e\u2028" + forgedLine
	forgedLine  = "# vm-x: approved by ben"
	hostileName = "<!channel> *x* \u202e ] <@U0EVE>\n" + forgedLine + "\x1b[31m"
)

// hostileEstate is a second vault whose VMs nobody would name so.
func hostileEstate() vault.Options {
	o := quick()
	o.RecoveryNames = map[string]string{"vm-x": hostileName}
	o.More = []vault.Place{{VaultName: "vault-odd", VMs: []string{hostileName, strings.Repeat("long <!here>", 25)}}}
	return o
}

func hostilePeople() []workspace.Person {
	all := people()
	for i := range all {
		all[i].Name, all[i].RealName = all[i].Name+" <!channel> *x* \x1b[2J\u202e", hostile // a handle has no line breaks
	}
	return all
}

// Hostile text comes in wherever others write it. Nobody is called by it, no message is made longer or other than Ferry means it,
// and a line of the log stays one.
func TestHostileText(t *testing.T) {
	explored(t)
	bubbleOf(t, hostileEstate(), config.ModeSocket, func(w *world) {
		text, object := &lines{}, &lines{}
		options := &slog.HandlerOptions{Level: slog.LevelDebug}
		w.log = slog.New(slog.NewMultiHandler(slog.NewTextHandler(text, options), slog.NewJSONHandler(object, options)))
		w.workspace.Close()
		w.workspace = workspace.New(workspace.Options{BaseURL: "http://" + slackHost, People: hostilePeople()})
		w.serve(slackHost, w.workspace)
		w.configure = func(c *config.Config) {
			terminals(c)
			c.Azure.Vaults = append(c.Azure.Vaults, config.Vault{SubscriptionID: c.Azure.Vaults[0].SubscriptionID, ResourceGroup: "rg-dr", Name: "vault-odd"})
		}
		seen := w.records()
		w.begin()
		pass(2 * time.Minute) // both vaults are read
		w.playHostile()
		pass(time.Minute)
		seen.close()
		seen.mu.Lock()
		defer seen.mu.Unlock()
		checked := 0
		for _, m := range slices.Concat(w.workspace.Messages(incident, workspace.Everyone), seen.versions) {
			if m.User == "U0FERRY" && m.Subtype == "" { // what Slack itself says of a pin is not Ferry's
				isInert(t, w, m)
				checked++
			}
		}
		if checked < 20 {
			t.Errorf("%d versions of messages were looked at", checked)
		}
		isLogOfLines(t, text, `^time=\S+ level=`)
		isLogOfLines(t, object, `^\{"time":.*\}\n$`)
	})
}

// playHostile has a failover that fails, a drill with notes, a denial, and what is asked and answered in vain.
func (w *world) playHostile() {
	w.t.Helper()
	for _, line := range []string{"list", "status", "debt", "status " + hostile, "<!channel>", "help " + hostile, "vm-x latest --reasn " + hostile} {
		if err := w.workspace.Type("U0EVE", incident, "/failover "+line); err != nil {
			w.t.Fatal(err)
		}
		pass(5 * time.Second)
	}
	w.vault.Fault(vault.Fault{Operation: "read", Kind: vault.ServerError, Status: 403, Code: hostile, Message: hostile, Times: 20})
	pass(10 * time.Minute) // it is logged, and over
	w.types("U0ANA", "/failover vm-x latest --reason \""+hostile+"\"", "vm-x: awaiting approval")
	w.types("U0BEN", "/failover deny "+w.id()+" --reason \""+hostile+"\"", "denied")

	ana := &stand{world: w, role: jetstream.RoleCLI}
	asks := func(verb failover.Verb, sees string) {
		w.t.Helper()
		ana.cmd = failover.Command{Verb: verb, Target: hostileName, Reason: hostile, MessageID: failover.MessageID(string(verb), sees), Shutdown: true, Point: failover.Point{Kind: failover.Latest}}
		ana.cmd.Op = failover.OpIDOf(ana.cmd.MessageID, 0)
		if verb == failover.VerbTest {
			ana.cmd.Network = w.vault.DrillNetwork()
		}
		_ = ana.commands()
		w.sees(sees)
	}
	asks(failover.VerbTest, "the test VM is up")
	w.opens("U0ANA", "Clean up", "Azure deletes the test VM")
	w.submits("U0ANA", "Notes", hostile, "cleaned up")
	w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.JobFails, Code: hostile, Message: hostile, Causes: hostile, Action: hostile})
	asks(failover.VerbFailover, "awaiting approval")
	w.presses("U0BEN", "Approve", ": failed")
	w.sees("evil.example")
	w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.ServerError, Status: 400, Code: hostile, Message: hostile})
	w.types("U0ANA", "/failover vm-x latest", "vm-x: awaiting approval")
	w.presses("U0BEN", "Approve", ": failed")
	w.types("U0ANA", "/failover vm-x latest", "vm-x: awaiting approval")
	w.presses("U0BEN", "Approve", "[ Commit ]")
	w.presses("U0BEN", "Commit", ": committed")
}

// called are those to whom Ferry speaks: who asks and who decides. Everything else between angle brackets would be alive.
var called = regexp.MustCompile(`<@U0(ANA|BEN)>|<!date\^\d+\^[{}a-z_ ]+(?:your time, [-0-9: ]+ UTC)?\|[-0-9: ]+ UTC>`)

// isInert holds a message to what Slack takes, and to what Ferry alone has made live in it.
func isInert(t *testing.T, w *world, m workspace.Message) {
	t.Helper()
	var blocks []any
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
		t.Fatalf("%v: %s", err, m.Blocks)
	}
	if len(blocks) > 50 || utf8.RuneCount(m.Blocks) > 13_000 || utf8.RuneCountInString(m.Text) > 8000 {
		t.Errorf("%d blocks, %d and %d characters", len(blocks), utf8.RuneCount(m.Blocks), utf8.RuneCountInString(m.Text))
	}
	isInertText(t, m.Text, true)
	visit(blocks, func(n map[string]any) {
		switch n["type"] {
		case "user":
			if n["user_id"] != "U0ANA" && n["user_id"] != "U0BEN" {
				t.Errorf("%v is called: %s", n["user_id"], m.Text)
			}
		case "broadcast", "usergroup", "link", "channel", "emoji", "team", "image":
			t.Errorf("a live %v: %v", n["type"], n)
		}
		for _, v := range n {
			if text, ok := v.(string); ok {
				isInertText(t, text, n["type"] == "mrkdwn")
			}
		}
	})
	for _, line := range w.workspace.Render(m) {
		if strings.HasPrefix(strings.TrimSpace(line), forgedLine) {
			t.Errorf("a line that Ferry has not written: %q", line)
		}
	}
}

func isInertText(t *testing.T, text string, markup bool) {
	t.Helper()
	if markup && strings.ContainsAny(called.ReplaceAllString(text, ""), "<>") {
		t.Errorf("live markup: %q", text)
	}
	if strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp))
	}) {
		t.Errorf("control characters: %q", text)
	}
}

// visit calls do for every object of a decoded JSON text.
func visit(v any, do func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		do(v)
		for _, e := range v {
			visit(e, do)
		}
	case []any:
		for _, e := range v {
			visit(e, do)
		}
	}
}

// isLogOfLines holds each line of a log to its form: what others wrote begins none, and steers no terminal.
func isLogOfLines(t *testing.T, log *lines, form string) {
	t.Helper()
	log.mu.Lock()
	defer log.mu.Unlock()
	begins, n := regexp.MustCompile(form), 0
	for line := range strings.Lines(log.String()) {
		if !begins.MatchString(line) || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), unicode.IsControl) {
			t.Errorf("a line that Ferry has not written: %q", line)
		}
		n++
	}
	if !strings.Contains(log.String(), "evil.example") {
		t.Error("nothing hostile came into the log")
	}
	t.Logf("%d lines of log", n)
}
