package world

import (
	"fmt"
	"strings"
	"testing/synctest"
	"time"

	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// tale is a story whose processes may die anywhere, and what comes of it all the same: ana asks, ben approves, ana asks
// for a VM that is held, ben commits. People repeat what had no effect.
type tale struct {
	name  string
	vault func() vault.Options
	line  string         // what ana types
	card  string         // the title of what it begins
	rival string         // what ana types while the VM is held
	calls map[string]int // accepted, by kind; no others are
}

func tales() []tale {
	return []tale{
		{
			"failover", brisk(1), "/failover vm-x latest", "# Failover of vm-x", "/failover vm-x latest",
			map[string]int{"unplannedFailover": 1, "failoverCommit": 1},
		},
		{
			"plan", brisk(planned), "/failover plan plan-shop latest-processed", "# Failover of recovery plan plan-shop", "/failover vm-y latest",
			map[string]int{"planUnplannedFailover": 1, "planFailoverCommit": 1},
		},
	}
}

// brisk is a vault of so many VMs in which jobs take a quarter of the time: in the rest of it nothing happens but what
// the clock brings.
func brisk(vms int) func() vault.Options {
	return func() vault.Options {
		o := quick()
		o.VMs, o.Speed = vms, 4
		if vms < planned {
			o.Plans = []vault.Plan{}
		}
		return o
	}
}

// telling is a tale as it is being played by the processes of a fleet.
type telling struct {
	*world
	tale tale
	acts []act
}

// act is something that a person did.
type act struct {
	who, what string
	at        time.Time
}

// tell plays a tale to its end.
func (w *world) tell(t tale) *telling {
	w.t.Helper()
	told := &telling{world: w, tale: t}
	told.asks(t.line, func() bool { return strings.Contains(w.card(""), t.card) })
	told.clicks("Approve", "[ Commit ]")
	told.asks(t.rival, func() bool { return strings.Contains(w.told("U0ANA"), "is already under way") })
	told.clicks("Commit", ": committed")
	pass(10 * time.Second) // whatever is late
	return told
}

// asks has ana type a line until it has an effect.
func (t *telling) asks(line string, effect func() bool) {
	t.t.Helper()
	t.insists("ana", line, effect, func() error { return t.workspace.Type("ana", incident, line) })
}

// clicks has ben press a button until it is gone, and waits for what the card says then.
func (t *telling) clicks(label, want string) {
	t.t.Helper()
	button := "[ " + label + " ]"
	says := func(text string) func() bool { return func() bool { return strings.Contains(t.card(""), text) } }
	if !t.soon(10*time.Minute, says(button)) {
		t.t.Fatalf("the card never said %q:\n%s", button, t.card(""))
	}
	t.insists("ben", label, func() bool { return !says(button)() }, func() error {
		_, err := t.workspace.Click("ben", incident, label)
		return err
	})
	if !t.soon(20*time.Minute, says(want)) {
		t.t.Fatalf("the card never said %q:\n%s", want, t.card(""))
	}
}

// insists does something until its effect shows, as an impatient person would.
func (t *telling) insists(who, what string, effect func() bool, do func() error) {
	t.t.Helper()
	for range 5 {
		t.soon(time.Minute, func() bool { return t.workspace.Connections() > 0 })
		t.acts = append(t.acts, act{who, what, time.Now()})
		_ = do() // who is refused sees it
		if t.soon(time.Minute, effect) {
			return
		}
	}
	t.t.Fatalf("%s had no effect:\n%s", what, t.told("*"))
}

// soon waits at most so long for something to be true, and says whether it is.
func (t *telling) soon(limit time.Duration, holds func() bool) bool {
	step := 100 * time.Millisecond
	for end := time.Now().Add(limit); ; step = min(2*step, 10*time.Second) {
		synctest.Wait()
		switch {
		case holds():
			return true
		case time.Now().After(end):
			return false
		}
		pass(step)
	}
}

// check looks at what has come of the tale after so many deaths of a process.
func (t *telling) check(deaths int) {
	t.t.Helper()
	t.calledOnce()
	t.heldOnce(deaths)
	for _, i := range t.vault.Items() {
		if i.ProtectionState != committed || i.Job != "" {
			t.t.Errorf("%s is %s, with the job %q", i.Name, i.ProtectionState, i.Job)
		}
	}
	if silent := t.unanswered(); len(silent) > deaths {
		t.t.Errorf("after %d deaths nobody answered %+v:\n%s", deaths, silent, t.told(workspace.Everyone))
	}
}

// calledOnce checks that each intent came to one accepted call, and that no other call was accepted.
func (t *telling) calledOnce() {
	t.t.Helper()
	got, intents := map[string]int{}, map[string]bool{}
	for _, c := range t.vault.Ledger() {
		if !c.Accepted {
			continue
		}
		got[c.Operation]++
		if intents[c.ClientRequestID] || c.ClientRequestID == "" {
			t.t.Errorf("two calls of one intent were accepted: %+v", c)
		}
		intents[c.ClientRequestID] = true
	}
	if fmt.Sprint(got) != fmt.Sprint(t.tale.calls) {
		t.t.Errorf("accepted were %v, want %v", got, t.tale.calls)
	}
}

// heldOnce checks that no second operation came to hold a VM of the tale, and that the one has one card, or after a death
// one more, which says so and is the one that is kept up.
func (t *telling) heldOnce(deaths int) {
	t.t.Helper()
	ops, cards := map[string]bool{}, 0
	for _, m := range t.workspace.Messages(incident, "") {
		text := strings.Join(t.workspace.Render(m), "\n")
		if !strings.HasPrefix(text, "# ") {
			continue
		}
		cards++
		ops[string(m.Metadata)] = true
		if cards > 1 && !strings.Contains(text, "Continued here") {
			t.t.Errorf("a second card does not say that it continues the first:\n%s", text)
		}
	}
	if len(ops) != 1 || cards > 1+deaths {
		t.t.Errorf("%d cards of %d operations after %d deaths", cards, len(ops), deaths)
	}
}

// unanswered are the acts that were not followed by words to that person, before that person's next act.
func (t *telling) unanswered() []act {
	var silent []act
	for i, a := range t.acts {
		until := time.Now()
		for _, next := range t.acts[i+1:] {
			if next.who == a.who {
				until = next.at
				break
			}
		}
		if !t.spokenTo(a.who, a.at, until) {
			silent = append(silent, a)
		}
	}
	return silent
}

// spokenTo reports that there were words to one person only in a stretch of time.
func (t *telling) spokenTo(who string, from, until time.Time) bool {
	for _, m := range t.workspace.Messages(incident, workspace.Everyone) {
		at := posted(m)
		if t.workspace.Name(m.EphemeralFor) == who && !at.Before(from) && !at.After(until) {
			return true
		}
	}
	return false
}

// posted is when a message came, to the microsecond.
func posted(m workspace.Message) time.Time {
	var seconds, micros int64
	_, _ = fmt.Sscanf(m.TS, "%d.%d", &seconds, &micros)
	return time.Unix(seconds, micros*1000)
}
