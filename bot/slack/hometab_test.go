package slack_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/bot/render"
	"ferry/failover"
	"ferry/sandbox/workspace"
)

// homes is what Home tabs are made of in a test.
type homes struct {
	mu      sync.Mutex
	view    render.Overview
	changed chan struct{}
}

func newHomes(ops ...failover.Operation) *homes {
	return &homes{changed: make(chan struct{}), view: render.Overview{
		Operations: ops, Policy: failover.Policy{Roles: map[string][]string{"approver": {"U0BEN"}}},
		Debt:   failover.DebtList{At: time.Now()},
		Health: render.Health{Bot: "ferry-1", Version: "1.7.0", NATS: true, Executor: true},
	}}
}

func (h *homes) Overview(context.Context) render.Overview {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.view.Readiness.At = time.Now() // the executor goes on reading
	return h.view
}

func (h *homes) Changes() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

// becomes is a fact.
func (h *homes) becomes(ops ...failover.Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.view.Operations = ops
	close(h.changed)
	h.changed = make(chan struct{})
}

// waiting is a request that ben may approve.
func waiting(id failover.OpID) failover.Operation {
	r := requested()
	r.Plan.Rule = failover.Rule{May: []string{"operator"}, Approvals: 1, Approvers: []string{"approver"}}
	return operation(id, 1, r)
}

// running is the same, approved.
func running(id failover.OpID) failover.Operation {
	op := waiting(id)
	op.Phase, op.Seq = failover.Running, 2
	return op
}

// home is what stands in a person's Home tab.
func (l *lab) home(user string) string {
	h, _ := l.Home(user)
	return strings.Join(l.RenderHome(h), "\n")
}

func (l *lab) opens(user string) {
	l.t.Helper()
	if err := l.OpenHome(user); err != nil {
		l.t.Fatal(err)
	}
	pass(time.Second)
}

// wantHome checks what stands in a person's Home tab: fragments, and with a "!" before it what does not.
func (l *lab) wantHome(user string, fragments ...string) {
	l.t.Helper()
	got := l.home(user)
	for _, f := range fragments {
		if absent, not := strings.CutPrefix(f, "!"); not == strings.Contains(got, absent) && not || !not && !strings.Contains(got, f) {
			l.t.Errorf("the Home tab of %s, want %q:\n%s", user, f, got)
		}
	}
}

func TestHomeIsPublishedAndPressed(t *testing.T) {
	inBothModes(t, func(l *lab) {
		h := newHomes(waiting("op-aaaaaaaa"))
		l.opts.Homes = h
		l.start()
		if l.opens("U0EVE"); l.count("views.publish", "") != 1 {
			t.Errorf("%d publications for who opened it", l.count("views.publish", ""))
		}
		l.wantHome("U0EVE", "Nothing waits for you", "op-aaaaaaaa", "!Approve", "ferry-1, version 1.7.0")
		l.opens("U0BEN")
		l.wantHome("U0BEN", "Failover of vm-x: awaiting approval", "[ Approve ]", "[ Deny ]", "!Your last press")
		l.commands.decide = func(failover.Command) (failover.Operation, failover.Answer) {
			h.becomes(running("op-aaaaaaaa"))
			return running("op-aaaaaaaa"), failover.Answer{Did: failover.DidApprove}
		}
		l.clicked("U0BEN", "Approve")
		pass(time.Second)
		stored := l.commands.all()
		if len(stored) != 1 || stored[0].Verb != failover.VerbApprove || stored[0].Op != "op-aaaaaaaa" || stored[0].By.ID != "U0BEN" || stored[0].Seen == "" {
			t.Fatalf("stored %+v", stored)
		}
		l.wantHome("U0BEN", "Your last press here", "Nothing waits for you", "!Approve ]")
		l.wantTold("U0BEN", "op-aaaaaaaa")
		pass(10 * time.Second)
		l.wantHome("U0EVE", "Failover of vm-x: running", "!Your last press")
		l.opens("U0BEN")
		l.wantHome("U0BEN", "!Your last press")
	})
}

// TestHomeOfWhoMayNotLook: it says so, and nothing else. Who loses the right while they look loses the sight too.
func TestHomeOfWhoMayNotLook(t *testing.T) {
	bubbleIn(t, workspace.Options{Events: []string{"app_home_opened"}}, func(l *lab) {
		l.opts.Homes = newHomes(waiting("op-aaaaaaaa"))
		l.opts.MayRead = func(by failover.Actor) *failover.Refusal {
			if by.ID == "U0EVE" {
				return failover.Refuse(failover.NotAllowed, "Ask somebody with a role.", "Only who holds a role may look here.")
			}
			return by.Standing.Barred()
		}
		if err := l.SetKind("U0ANA", workspace.Guest); err != nil {
			t.Fatal(err)
		}
		l.start()
		l.opens("U0EVE")
		l.opens("U0ANA")
		l.wantHome("U0EVE", "Only who holds a role may look here", "!vm-x", "!op-", "!Ferry itself")
		l.wantHome("U0ANA", "You are a guest", "!vm-x", "!op-", "!Ferry itself")
		l.opens("U0BEN")
		l.wantHome("U0BEN", "vm-x")
		if err := l.SetKind("U0BEN", workspace.Deactivated); err != nil {
			t.Fatal(err)
		}
		pass(7 * time.Minute) // without the event that tells of it
		l.wantHome("U0BEN", "This Slack account is deactivated", "!vm-x", "!op-")
	})
}

// TestHomeIsRenewedOnChange: soon, but not with every fact, only where something has changed, and not for ever.
func TestHomeIsRenewedOnChange(t *testing.T) {
	bubble(t, func(l *lab) {
		h := newHomes()
		l.opts.Homes = h
		l.start()
		l.opens("U0BEN")
		for i := range 20 {
			op := running("op-aaaaaaaa")
			op.RequestedAt = op.RequestedAt.Add(time.Duration(i) * time.Second)
			h.becomes(op)
			pass(time.Second)
		}
		pass(5 * time.Second)
		if n := l.count("views.publish", ""); n < 4 || n > 6 {
			t.Errorf("%d publications in 26 s of facts, want one each 5 s", n)
		}
		n := l.count("views.publish", "")
		pass(10 * time.Minute)
		if more := l.count("views.publish", "") - n; more != 0 {
			t.Errorf("%d publications of what has not changed", more)
		}
		h.mu.Lock()
		h.view.Health.NATS = false
		h.mu.Unlock()
		pass(90 * time.Second)
		l.wantHome("U0BEN", "NATS does not answer this bot")
		pass(10 * time.Minute)
		n = l.count("views.publish", "")
		h.becomes(waiting("op-bbbbbbbb"))
		pass(time.Minute)
		if more := l.count("views.publish", "") - n; more != 0 {
			t.Errorf("%d publications to somebody who has not looked for long", more)
		}
	})
}

// TestHomesAreBounded: of many people who look at once the newest are kept up to date, within what Slack allows.
func TestHomesAreBounded(t *testing.T) {
	var people []workspace.Person
	for i := range 60 {
		people = append(people, workspace.Person{ID: fmt.Sprintf("U0P%02d", i), Name: fmt.Sprintf("p%02d", i)})
	}
	bubbleIn(t, workspace.Options{People: people}, func(l *lab) {
		h := newHomes(waiting("op-aaaaaaaa"))
		l.opts.Homes = h
		l.start()
		for _, p := range people {
			if err := l.OpenHome(p.ID); err != nil {
				t.Fatal(err)
			}
		}
		pass(2 * time.Minute)
		n := l.count("views.publish", "")
		h.becomes(running("op-aaaaaaaa"))
		pass(2 * time.Minute)
		if more := l.count("views.publish", "") - n; more != 40 || l.count("views.publish", "429") != 0 {
			t.Errorf("%d publications after a change, %d limited", more, l.count("views.publish", "429"))
		}
	})
}

// TestHomeThatSlackDoesNotTake is let go and said once; one that could not be sent is tried again.
func TestHomeThatSlackDoesNotTake(t *testing.T) {
	bubbleIn(t, workspace.Options{NoHome: true}, func(l *lab) {
		l.opts.Homes = newHomes()
		l.start()
		l.opens("U0BEN")
		pass(10 * time.Minute)
		if n := l.count("views.publish", ""); n != 1 || strings.Count(l.log.String(), "does not take a Home tab") != 1 {
			t.Errorf("%d tries:\n%s", n, l.log)
		}
	})
	bubble(t, func(l *lab) {
		l.opts.Homes = newHomes()
		l.severed = "/api/views.publish"
		l.start()
		l.opens("U0BEN")
		l.meanwhile(func() { l.severed = "" })
		pass(time.Minute)
		l.wantHome("U0BEN", "Nothing waits for you")
	})
}

// TestHomeAfterARestart: nobody is remembered, and the next opening publishes it anew.
func TestHomeAfterARestart(t *testing.T) {
	bubble(t, func(l *lab) {
		h := newHomes(waiting("op-aaaaaaaa"))
		l.opts.Homes = h
		stop := l.start()
		l.opens("U0BEN")
		stop()
		l.start()
		h.becomes(running("op-aaaaaaaa"))
		pass(2 * time.Minute)
		if n := l.count("views.publish", ""); n != 1 {
			t.Errorf("%d publications", n)
		}
		l.opens("U0BEN")
		l.wantHome("U0BEN", "Failover of vm-x: running")
	})
}

// TestHomeOfASharedChannel: where another organisation takes part, a press in the tab is answered in the tab alone.
func TestHomeOfASharedChannel(t *testing.T) {
	bubble(t, func(l *lab) {
		l.opts.Homes = newHomes(waiting("op-aaaaaaaa"))
		l.shared()
		l.start()
		l.opens("U0BEN")
		l.clicked("U0BEN", "Approve")
		pass(time.Second)
		l.wantHome("U0BEN", "Your last press here")
		l.wantTold("U0BEN")
	})
}

// TestHomeSaysWhatIsLost of the bot's own connections.
func TestHomeSaysWhatIsLost(t *testing.T) {
	bubble(t, func(l *lab) {
		l.opts.Homes = newHomes()
		l.start()
		pass(time.Minute)
		l.opens("U0BEN")
		l.wantHome("U0BEN", "All is well")
		l.meanwhile(func() { l.severed = "/api/apps.connections.open" })
		l.Disconnect("link_disabled")
		pass(2 * time.Minute)
		l.wantHome("U0BEN", "0 of 2 connections to Slack are up")
		l.meanwhile(func() { l.severed = "" })
		pass(7 * time.Minute)
		l.wantHome("U0BEN", "All is well")
	})
}

// TestHomeOfAnotherBot: the press reaches the bot that did not publish it, and is answered in the tab all the same.
func TestHomeOfAnotherBot(t *testing.T) {
	bubble(t, func(l *lab) {
		h := newHomes(waiting("op-aaaaaaaa"))
		l.opts.Homes = h
		stop := l.start()
		l.opens("U0BEN")
		l.start()
		stop()
		l.commands.decide = func(failover.Command) (failover.Operation, failover.Answer) {
			return waiting("op-aaaaaaaa"), failover.Answer{Refused: failover.Refuse(failover.WrongState, "Nothing is left to do.", "It was approved already by cas.")}
		}
		l.clicked("U0BEN", "Approve")
		pass(time.Second)
		l.wantHome("U0BEN", "Your last press here", "approved already by cas")
		l.wantTold("U0BEN", "approved already by cas")
	})
}
