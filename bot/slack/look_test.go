package slack_test

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

func TestPointsAreAnsweredInTheAcknowledgement(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.typed("U0EVE", "/failover points vm-x")
		l.wantTold("U0EVE", "Recovery points of vm-x")
		if len(l.Acks()[0].Payload) == 0 || len(l.commands.all()) != 0 {
			t.Error("not answered in the acknowledgement, or stored")
		}
	})
}

// A slow Azure is told as such within Slack's time, and its answer comes when it is there.
func TestSlowAzure(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.reads.slow = 9 * time.Second
		l.start()
		l.typed("U0EVE", "/failover points vm-x")
		pass(2200 * time.Millisecond)
		l.wantTold("U0EVE", "Azure has not answered yet")
		pass(time.Minute)
		l.wantTold("U0EVE", "Azure has not answered yet", "Recovery points of vm-x")
	})
}

func TestAzureThatNeverAnswers(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.reads.slow = time.Hour
		l.start()
		l.typed("U0EVE", "/failover points vm-x")
		pass(time.Minute)
		l.wantTold("U0EVE", "Azure has not answered yet", "Azure did not answer in time. Ask again")
	})
}

func TestPointsRefused(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.reads.refused = failover.Refuse(failover.UnknownName, "Near names: vm-x.", "No replicated VM is called vm-z.")
		l.start()
		l.typed("U0EVE", "/failover points vm-z")
		l.wantTold("U0EVE", "No replicated VM is called vm-z. Near names: vm-x.")
	})
}

func TestPointsWithoutAnExecutor(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.reads.err = errCut
		l.start()
		l.typed("U0EVE", "/failover points vm-x")
		l.wantTold("U0EVE", "No executor answers")
	})
}

// Whether everybody may look is a setting; the help is for all, and tells only who may look what is frozen.
func TestWhoMayLook(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.opts.MayRead = func(by failover.Actor) *failover.Refusal {
			p := failover.Policy{Roles: map[string][]string{"operator": {"U0ANA"}}}
			return p.MayRead(by, false)
		}
		frozen := requested()
		frozen.Verb, frozen.Reason, frozen.Plan.Frozen = failover.VerbFreeze, "takeover of the shop", "shop-*"
		op := operation("op-aaaaaaaa", 1, frozen)
		l.reads.op = &op
		l.start()
		for _, verb := range []string{"points vm-x", "status", "list", "help", "help commit"} {
			l.typed("U0EVE", "/failover "+verb)
			l.typed("U0ANA", "/failover "+verb)
		}
		for _, text := range l.told("U0ANA") {
			if strings.Contains(text, "holds a role") {
				t.Errorf("ana may look: %s", text)
			}
		}
		l.wantTold("U0EVE", "holds a role", "holds a role", "holds a role", "Act", "Make a failover final")
		for user, want := range map[string]bool{"U0ANA": true, "U0EVE": false} {
			for _, help := range l.told(user)[3:] {
				if strings.Contains(help, "takeover of the shop") != want {
					t.Errorf("help for %s: %s", user, help)
				}
			}
		}
	})
}

// Choosing answers only who chose, with the line to type, and stores nothing; older points come with another list.
func TestPickingAPoint(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.typed("U0EVE", "/failover points vm-x")
		if err := l.Choose("eve", incident, "Choose a recovery point", "4f1c.6c2f0a52-0000-0000-0000-000000000007"); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		l.clicked("U0EVE", "Older (24 more)")
		pass(time.Second)
		l.wantTold("U0EVE", "Recovery points of vm-x", "/failover vm-x 6c2f0a52-0000-0000-0000-000000000007", "3 h 0 min old")
		l.wantTold("U0ANA")
		if got := l.reads.asked; len(got) != 3 || got[0] != "vm-x" || got[1] != "4f1c" || got[2] != "4f1c" {
			t.Errorf("asked for %v", got)
		}
		if len(l.commands.all()) != 0 || len(l.shown()) != 0 {
			t.Error("looking stored a command, or showed in the channel")
		}
		for _, a := range l.Acks() {
			if a.AckedAt.IsZero() {
				t.Error("a choice was not acknowledged")
			}
		}
	})
}

func TestPickingIsForWhoMayLook(t *testing.T) {
	inBothModes(t, func(l *lab) {
		may := true
		l.opts.MayRead = func(by failover.Actor) *failover.Refusal { return failover.Policy{}.MayRead(by, may) }
		l.start()
		l.typed("U0EVE", "/failover points vm-x")
		may = false
		if err := l.Choose("eve", incident, "Choose a recovery point", "4f1c.6c2f0a52-0000-0000-0000-000000000007"); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		l.wantTold("U0EVE", "Recovery points of vm-x", "Only who holds a role may look here.")
	})
}
