package world

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/config"
	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// atHome waits until a person's Home tab says everything that is wanted, and nothing that is not: those begin with "!".
func (w *world) atHome(within time.Duration, person string, says ...string) {
	w.t.Helper()
	text := ""
	right := func() bool {
		h, _ := w.workspace.Home(person)
		text = strings.ReplaceAll(strings.Join(w.workspace.RenderHome(h), "\n"), "*", "")
		for _, want := range says {
			if absent, not := strings.CutPrefix(want, "!"); not == strings.Contains(text, absent) {
				return false
			}
		}
		return true
	}
	for end := time.Now().Add(within); !right(); pass(time.Second) {
		if time.Now().After(end) {
			w.t.Fatalf("the Home tab of %s never says %q:\n%s", person, says, text)
		}
	}
}

// goesHome lets a person open their Home tab.
func (w *world) goesHome(person string) {
	w.t.Helper()
	if err := w.workspace.OpenHome(person); err != nil {
		w.t.Fatal(err)
	}
}

// Ben and cat have their Home tabs open, ana hers: the request, the press of ben, that of cat which comes second, the run and the
// commit are seen and answered there, with two bots of which each may get any press.
func TestHomeTab(t *testing.T) {
	bubble(t, func(w *world) {
		w.configure = func(c *config.Config) { c.Access.Roles["approver"] = config.Role{Users: []string{"U0BEN", "U0CAT"}} }
		f := w.newFleet(2, 1)
		f.start()
		defer f.close()
		pass(time.Minute)
		for _, person := range []string{"ana", "ben", "cat"} {
			w.goesHome(person)
			w.atHome(5*time.Second, person, "Nothing waits for you", "Nothing else is open", "Nothing is owed", "of 3.", "All is well")
		}
		if err := w.workspace.LeaveHome("ana"); err != nil {
			t.Fatal(err)
		}
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		w.goesHome("ana")
		w.atHome(10*time.Second, "ben", "Failover of vm-x: awaiting approval", "When approved: vm-x is shut down", "[ Approve ]", "[ Deny ]", "vm-x (vault vault-dr) not ready")
		w.atHome(10*time.Second, "cat", "[ Approve ]")
		w.atHome(10*time.Second, "ana", "Asked for by you", "[ Withdraw ]", "![ Approve ]")
		w.press("ben", "Approve")
		w.press("cat", "Approve") // at the same moment: one of them is second
		w.atHome(10*time.Second, "ben", "Your last press here", "op-", "![ Approve ]")
		w.atHome(10*time.Second, "cat", "Your last press here", "op-", "![ Approve ]")
		both := strings.Join(slices.Concat(w.toldAlone("U0BEN"), w.toldAlone("U0CAT")), "\n")
		if strings.Count(both, "is approved") != 1 || strings.Count(both, "approved by") != 1 {
			t.Errorf("two presses were answered with\n%s", both)
		}
		w.atHome(10*time.Second, "ana", "Failover of vm-x: running", "![ Withdraw ]")
		w.atHome(10*time.Minute, "ben", "Failover of vm-x: awaiting commit", "[ Commit ]")
		w.once()
		w.press("ben", "Commit")
		w.atHome(5*time.Minute, "ana", "Failover of vm-x: committed", "Left open", "vm-x (vault vault-dr) is not protected")
		if err := w.workspace.SetKind("cat", workspace.Guest); err != nil {
			t.Fatal(err)
		}
		// The event may reach the bot that has not published the tab; the other asks again after five minutes.
		pass(6 * time.Minute)
		w.atHome(time.Minute, "cat", "You are a guest", "!vm-x", "!op-")
	})
}

// What Ferry has put on hold waits for who may cancel it, on their Home tab and by name; who decided about it is not called for that.
func TestHomeOfAHold(t *testing.T) {
	bubble(t, func(w *world) {
		w.groups = shop()
		w.configure = func(c *config.Config) {
			for i := range c.Access.Rules {
				if slices.Contains(c.Access.Rules[i].Verbs, "cancel") {
					c.Access.Rules[i].May = []string{"lead"}
				}
			}
			c.Access.Roles["lead"] = config.Role{Users: []string{"U0CAT"}}
		}
		w.up(1, func(*fleet) {
			w.vault.Fault(vault.Fault{Operation: "unplannedFailover", VM: "sql-01", Kind: vault.JobFails, Code: "28031", Message: "A policy denies it.", Causes: "A policy.", Action: "Exempt it."})
			w.goesHome("cat")
			w.goesHome("ben")
			w.types("ana", "/failover group shop", "[ Approve ]")
			w.atHome(10*time.Second, "ben", "[ Approve ]")
			w.presses("ben", "Approve", "@cat The failover of group shop (3 VMs) is on hold")
			w.atHome(10*time.Second, "ben", "Nothing waits for you")
			w.atHome(10*time.Second, "cat", "Waiting for you", "On hold since", "[ Resume ]", "[ Retry failed ]")
			w.press("cat", "Retry failed")
			w.sees("[ Commit all ]")
			w.atHome(10*time.Second, "cat", "Nothing waits for you")
		})
	})
}

// While NATS is away the Home tab says so, and a press there is not confirmed, and decided once when it is back. Without an
// executor it says that.
func TestHomeTabInTrouble(t *testing.T) {
	explored(t)
	bubble(t, func(w *world) {
		w.up(1, func(f *fleet) {
			w.types("ana", "/failover vm-x latest", "[ Approve ]")
			w.goesHome("ben")
			w.atHome(5*time.Second, "ben", "[ Approve ]", "All is well")
			w.nats.setCut(true)
			w.press("ben", "Approve")
			w.atHome(10*time.Second, "ben", "Not confirmed yet", "NATS does not answer this bot", "Failover of vm-x: awaiting approval")
			pass(time.Minute)
			w.nats.setCut(false)
			w.atHome(time.Minute, "ben", "is approved", "!NATS does not answer", "![ Approve ]")
			w.sees("[ Commit ]")
			w.once()
		})
	})
}
