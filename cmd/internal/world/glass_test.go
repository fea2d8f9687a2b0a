package world

import (
	"strings"
	"testing"
	"time"

	"ferry/config"
)

// glassy lets ben and cat break the glass, and asks for the name before a commit.
func glassy(c *config.Config) {
	approvers := config.Role{Users: []string{"U0BEN", "U0CAT"}}
	c.Access.Roles["approver"] = approvers
	c.Access.BreakGlass = &config.BreakGlass{Role: "approver", ReasonRequired: true}
	c.Access.Rules[0].ConfirmName = true
}

func (w *world) breaksGlass() {
	w.configure = glassy
	w.begin()
	w.tells("ben", "/failover vm-x --break-glass", "needs a reason")
	w.tells("ana", "/failover vm-x --break-glass --reason the region is down", "You may not break the glass")
	w.types("ben", "/failover vm-x --break-glass --reason the region is down", "vm-x behind broken glass")
}

// tells has somebody type a line, and waits for what they alone are told.
func (w *world) tells(who, line, want string) {
	w.t.Helper()
	if err := w.workspace.Type(who, incident, line); err != nil {
		w.t.Fatalf("%s: %v", line, err)
	}
	id := "U0" + strings.ToUpper(who)
	if !w.until(time.Minute, func() bool { return strings.Contains(w.newest(id), want) }) {
		w.t.Fatalf("%s is not told %q:\n%s", who, want, w.newest(id))
	}
}

// Who cannot wait starts alone, everybody is told, and somebody else signs it off, long after it is over if need be.
func TestBreakGlassIsToldAndReviewed(t *testing.T) {
	bubble(t, func(w *world) { w.glass(t) })
}

func (w *world) glass(t *testing.T) {
	t.Helper()
	w.breaksGlass()
	for _, want := range []string{"Broken glass: ben started the failover of vm-x, and 1 approval was skipped", "Reason: the region is down.", "@cat"} {
		if told := w.told(""); !strings.Contains(told, want) {
			t.Errorf("the channel lacks %q:\n%s", want, told)
		}
	}
	w.sees("awaiting commit")
	w.tells("cat", "/failover commit vm-x", "Type /failover commit vm-x --confirm vm-x.")
	w.opens("cat", "Commit", "type vm-x")
	if err := w.workspace.Fill("cat", "Name", "vm-y"); err != nil {
		t.Fatal(err)
	}
	if err := w.workspace.Submit("cat"); err != nil {
		t.Fatal(err)
	}
	if !w.until(time.Minute, func() bool {
		m, _ := w.workspace.Modal("cat")
		return strings.Contains(strings.Join(w.workspace.RenderModal(m), "\n"), "That is not its name. Type vm-x.")
	}) {
		t.Error("another name is not told at its field")
	}
	w.submits("cat", "Name", "vm-x", ": committed")
	if !testing.Short() { // hours cost seconds
		pass(5 * time.Hour) // a reminder
		if !strings.Contains(w.told(""), "Reminder: nobody has reviewed the broken glass") {
			t.Errorf("nobody is reminded:\n%s", w.told(""))
		}
	}
	w.tells("ana", "/failover debt", "has a broken glass that nobody has reviewed")
	w.tells("ben", "/failover approve "+w.id(), "its review needs somebody else")
	w.presses("cat", "Sign off", "signed off by:* @cat")
	w.tells("ana", "/failover debt", "is not protected")
	if strings.Contains(w.newest("U0ANA"), "nobody has reviewed") {
		t.Errorf("it is still owed:\n%s", w.newest("U0ANA"))
	}
}

// frozen: a request waits when somebody freezes; nobody lets it begin before the end, and what is half-way is finished.
func (w *world) frozen() {
	w.asks()
	op := w.id()
	w.types("ana", "/failover freeze vm-* --reason storm", "new work on vm-* is stopped")
	if !w.until(time.Minute, func() bool { return strings.Contains(w.card("of vm-x"), "! Frozen:* @ana has frozen new work on vm-*") }) {
		w.t.Fatalf("the card does not say what it waits behind:\n%s", w.card("of vm-x"))
	}
	w.tells("ben", "/failover approve "+op, "storm")
	w.tells("ana", "/failover vm-y", "ana has frozen new work on vm-*")
	w.tells("ana", "/failover list", "ana has frozen new work on vm-*")
	w.tells("ana", "/failover help", "ana has frozen new work on vm-*")
	w.tells("ana", "/failover status", "storm")
	w.tells("ana", "/failover status vm-y", "Frozen: ana has frozen new work on vm-*")
	w.tells("ana", "/failover unfreeze", "Say which: /failover unfreeze vm-*")
	w.types("ana", "/failover unfreeze vm-*", "freeze of vm-*: over")
	w.tells("ben", "/failover approve "+op, "has started")
	if card := w.card("of vm-x"); strings.Contains(card, "Frozen:") {
		w.t.Errorf("it still stands behind the freeze:\n%s", card)
	}
}

func TestFreezeStopsWhatWaits(t *testing.T) {
	bubble(t, func(w *world) { w.frozen() })
}
