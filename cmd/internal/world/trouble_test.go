package world

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// trouble is one thing that goes wrong with a mutating call, or with the job that it starts.
type trouble struct {
	name  string
	fault vault.Fault // of the call, unless it names an operation
	arm   func(*world)
	says  string   // on the card while it lasts
	ends  ending   // of most callers; see the table
	shows []string // on the card in the end
	calls int      // how many of Ferry's are accepted
}

// ending is how an operation may end so that a person would accept it.
type ending int

const (
	good      ending = iota // done, and the vault agrees
	refused                 // not done, the vault is as before, and the card says why and what to do
	attention               // not known: a person is asked to look, and nothing more is done
)

func troubles() []trouble {
	failure := vault.Fault{Code: "28031", Message: "It could not be created.", Causes: "The quota of the region is used up.", Action: "Raise the quota."}
	job := func(kind vault.Kind) vault.Fault { f := failure; f.Kind = kind; return f }
	return []trouble{
		{name: "throttled", fault: vault.Fault{Kind: vault.Throttle, RetryAfter: 90 * time.Second}, says: "asked to wait", calls: 1},
		{name: "5xx before the work", fault: vault.Fault{Kind: vault.ServerError}, says: "outcome not known", calls: 1},
		{name: "5xx after the work", fault: vault.Fault{Kind: vault.ErrorAfterWork}, calls: 1},
		{name: "lost answer", fault: vault.Fault{Kind: vault.LostAnswer}, calls: 1},
		{name: "slow", fault: vault.Fault{Kind: vault.Slow, Delay: 90 * time.Second}, calls: 1},
		{name: "late", fault: vault.Fault{Kind: vault.Late, Delay: 2 * time.Minute}, says: "outcome not known", calls: 1},
		{name: "later than a second call", fault: vault.Fault{Kind: vault.Late, Delay: 5 * time.Minute}, says: "outcome not known", calls: 1},
		{name: "not allowed", fault: vault.Fault{Kind: vault.Forbid}, ends: refused, shows: []string{"AuthorizationFailed", "Give Ferry's identity"}},
		{name: "portal was faster", fault: vault.Fault{Kind: vault.PortalFirst, VM: "vm-x"}, ends: refused, shows: []string{"OperationNotAllowed", "Another operation runs on it"}},
		{name: "job fails", fault: job(vault.JobFails), ends: refused, shows: []string{"28031", failure.Causes, failure.Action}, calls: 1},
		{name: "job warns", fault: job(vault.JobWarns), shows: []string{failure.Message, failure.Action}, calls: 1},
		{name: "job informs", fault: job(vault.JobInforms), shows: []string{failure.Message, failure.Action}, calls: 1},
		{name: "job vanishes", fault: vault.Fault{Kind: vault.JobVanishes, Delay: 5 * time.Second}, shows: []string{"does not show the job any more"}, calls: 1},
		{name: "job cannot be read", fault: vault.Fault{Kind: vault.ServerError, Operation: "job", Times: 200}, says: "does not answer since", calls: 1},
		{name: "role Operator", arm: func(w *world) { w.vault.SetOperator(true) }, calls: 1},
	}
}

// caller is one verb at the moment before its mutating call.
type caller struct {
	name, call string
	before     func(*world) // up to where somebody only has to start it
	start      func(*world)
	done       string // on the card when it went well
	state      string // protectionState of vm-x then
	gate       string // to which a refusal goes back; empty: the operation ends
}

const (
	protected     = "Protected"
	commitPending = "UnplannedFailoverCommitPendingStatesBegin"
	committed     = "UnplannedFailoverCommitted"
)

func callers() []caller {
	press := func(label string) func(*world) { return func(w *world) { w.press("ben", label) } }
	failedOver, moved := []string{"unplannedFailover"}, []string{"unplannedFailover", "failoverCommit", "switchprotection"}
	asked := func(line, gate string, portal ...string) func(*world) {
		return func(w *world) {
			w.portal(portal...)
			w.begin()
			w.types("ana", line, "[ "+gate+" ]")
		}
	}
	return []caller{
		{"failover", "unplannedFailover", asked("/failover vm-x latest", "Approve"), press("Approve"), "awaiting commit", commitPending, ""},
		{"test", "testFailover", (*world).begin, func(w *world) { w.typed("ana", "/failover test vm-x") }, "the test VM is up", protected, ""},
		{"cleanup", "testFailoverCleanup", func(w *world) { w.portal("testFailover"); w.begin() }, func(w *world) { w.typed("ana", "/failover cleanup vm-x --notes fine") }, "cleaned up", protected, ""},
		{"change", "applyRecoveryPoint", asked("/failover change vm-x -90m", "Approve", failedOver...), press("Approve"), "awaiting commit", commitPending, ""},
		{"commit", "failoverCommit", asked("/failover commit vm-x", "Commit", failedOver...), press("Commit"), "[ Reprotect ]", committed, "Commit"},
		{"reprotect", "switchprotection", func(w *world) {
			w.portal("unplannedFailover", "failoverCommit")
			w.begin()
			w.typed("ana", "/failover reprotect vm-x")
			w.form("ana", "replica disk")
			w.submits("ana", "Reason", "the region is back", "[ Approve ]")
		}, press("Approve"), ": protected", protected, ""},
		{"failback", "unplannedFailover", asked("/failover failback vm-x", "Approve", moved...), press("Approve"), "[ It works ]", commitPending, ""},
		{"failback's commit", "failoverCommit", func(w *world) {
			asked("/failover failback vm-x", "Approve", moved...)(w)
			w.presses("ben", "Approve", "[ It works ]")
			w.presses("ben", "It works", "[ Commit ]")
		}, press("Commit"), "[ Reprotect ]", committed, "Commit"},
		{"plan", "planUnplannedFailover", asked("/failover plan plan-shop", "Approve"), press("Approve"), "awaiting commit", commitPending, ""},
		{"plan's commit", "planFailoverCommit", func(w *world) {
			asked("/failover plan plan-shop", "Approve")(w)
			w.presses("ben", "Approve", "[ Commit ]")
		}, press("Commit"), ": committed", committed, "Commit"},
	}
}

// Every trouble with every call ends in a way that a person would accept: nothing done twice, no success that the vault does
// not have, and in place of it the cause and what to do. Of the part that is played daily each row and column has some.
func TestTroubles(t *testing.T) {
	explored(t)
	const one = 8
	played := 0
	for i, trouble := range troubles() {
		for j, c := range callers() {
			if !nightly && (i+j)%one != 0 && trouble.of(c).ends == trouble.ends {
				continue
			}
			played++
			t.Run(trouble.name+"/"+c.name, func(t *testing.T) {
				bubble(t, func(w *world) { w.suffers(trouble.of(c), c) })
			})
		}
	}
	t.Logf("%d of %d cells", played, len(troubles())*len(callers()))
}

// of is the trouble as it ends for one caller, where that differs from the others.
func (t trouble) of(c caller) trouble {
	switch {
	// Azure would take a second change, too.
	case c.name == "change" && t.name == "5xx before the work":
		t.ends, t.calls = attention, 0
	case c.name == "change" && t.name == "later than a second call":
		t.ends = attention
	// The plan takes along what is left of it.
	case t.fault.Kind == vault.PortalFirst && c.name == "plan":
		t.ends, t.shows, t.calls = good, nil, 1
	case t.fault.Kind == vault.PortalFirst && c.name == "plan's commit":
		t.ends, t.shows, t.calls = good, nil, 1
	case t.fault.Kind == vault.PortalFirst && c.gate != "":
		t.ends, t.shows = good, []string{"done outside Ferry"}
	}
	return t
}

// suffers plays one cell of the table.
func (w *world) suffers(trouble trouble, c caller) {
	c.before(w)
	state, calls := w.vault.Items()[0].ProtectionState, w.called(c.call)
	w.arm(trouble, c)
	c.start(w)
	if trouble.says != "" {
		w.sees(trouble.says)
	}
	switch trouble.ends {
	case good:
		for _, want := range append(trouble.shows, c.done) {
			w.sees(want)
		}
		state = c.state
	case refused:
		if trouble.fault.Kind == vault.PortalFirst {
			state = c.state // by the portal
		}
		for _, want := range trouble.shows {
			w.sees(want)
		}
		if c.gate == "" {
			w.sees(": failed")
		} else {
			w.sees("[ " + c.gate + " ]")
		}
		if strings.Contains(w.card(""), c.done) {
			w.t.Errorf("what was refused looks done:\n%s", w.card(""))
		}
	case attention:
		w.sees("needs attention")
		w.sees("/failover cancel op-")
	}
	pass(6 * time.Minute) // what is late has arrived, and nothing more is done
	if n := w.called(c.call) - calls; n != trouble.calls {
		w.t.Errorf("%d calls were accepted, want %d: %+v", n, trouble.calls, w.vault.Ledger())
	}
	now := ""
	if !w.until(30*time.Minute, func() bool { now = w.vault.Items()[0].ProtectionState; return now == state }) {
		w.t.Errorf("vm-x is %s, want %s; the card says:\n%s", now, state, w.card(""))
	}
}

// arm prepares what goes wrong.
func (w *world) arm(trouble trouble, c caller) {
	if trouble.arm != nil {
		trouble.arm(w)
		return
	}
	f := trouble.fault
	if f.Operation == "" {
		f.Operation = c.call
	}
	if f.Kind == vault.PortalFirst {
		f.Portal = strings.TrimPrefix(strings.Replace(c.call, "planU", "u", 1), "plan")
	}
	w.vault.Fault(f)
}

// called counts Ferry's own calls of a kind that started work in Azure.
func (w *world) called(operation string) int {
	mine := func(c vault.Call) bool { return c.Accepted && c.Source == vault.SourceAPI && c.Operation == operation }
	return len(slices.DeleteFunc(w.vault.Ledger(), func(c vault.Call) bool { return !mine(c) }))
}

func (w *world) press(who, label string) {
	w.t.Helper()
	if _, err := w.workspace.Click(who, incident, label); err != nil {
		w.t.Fatalf("%s: %v\n%s", label, err, w.card(""))
	}
}

func (w *world) typed(who, line string) {
	w.t.Helper()
	if err := w.workspace.Type(who, incident, line); err != nil {
		w.t.Fatalf("%s: %v", line, err)
	}
}

// portal does operations on vm-x in the portal, each to its end.
func (w *world) portal(operations ...string) {
	w.t.Helper()
	for _, o := range operations {
		if err := w.vault.Portal("vm-x", o); err != nil {
			w.t.Fatal(err)
		}
		for busy := true; busy; {
			pass(30 * time.Second)
			it := w.vault.Items()[0]
			busy = it.Job != "" || o == "switchprotection" && it.ProtectionState != protected
		}
	}
}
