package slack_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/bot/slack"
	"ferry/failover"
	"ferry/sandbox/workspace"
)

func shows(t *testing.T, test func(l *lab)) {
	t.Helper()
	bubbleIn(t, workspace.Options{Shortcuts: []workspace.Shortcut{{Name: slack.ShortcutName, CallbackID: slack.ShortcutShow, Type: workspace.MessageShortcut}}}, test)
}

// uses has somebody use the shortcut on the newest message with a text, and gives the modal that they see then.
func (l *lab) uses(who, on string) string {
	l.t.Helper()
	if err := l.Shortcut(who, incident, slack.ShortcutName, workspace.Containing(on)); err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
	pass(time.Second)
	m, open := l.Modal(who)
	if !open {
		return ""
	}
	if err := l.Dismiss(who); err != nil {
		l.t.Fatal(err)
	}
	return string(m.Blocks)
}

// The shortcut shows the operation of a card, of a notice, and of what somebody has written; on anything else it says what to do.
func TestShortcutShowsAnOperation(t *testing.T) {
	shows(t, func(l *lab) {
		l.reads.found = map[failover.OpID]failover.Operation{"op-aaaaaaaa": operation("op-aaaaaaaa", 1, requested()), "op-bbbbbbbb": operation("op-bbbbbbbb", 1, requested())}
		l.start()
		l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		pass(10 * time.Second)
		for _, line := range []string{"look at op-bbbbbbbb please", "good morning"} {
			if err := l.Type("U0ANA", incident, line); err != nil {
				t.Fatal(err)
			}
		}
		for on, want := range map[string]string{"as of": "op-aaaaaaaa", "Approval needed": "op-aaaaaaaa", "look at": "op-bbbbbbbb"} {
			if got := l.uses("U0EVE", on); !strings.Contains(got, want) || !strings.Contains(got, "Failover of vm-x") {
				t.Errorf("on %q: %q, want %s", on, got, want)
			}
		}
		l.wantTold("U0EVE")
		if got := l.uses("U0EVE", "good morning"); got != "" {
			t.Errorf("a modal about nothing: %s", got)
		}
		l.wantTold("U0EVE", "about no operation of Ferry")
		if n := len(l.commands.all()); n != 0 {
			t.Errorf("%d commands", n)
		}
	})
}

// Who may not look is shown nothing.
func TestShortcutIsForWhoMayLook(t *testing.T) {
	shows(t, func(l *lab) {
		l.opts.MayRead = func(failover.Actor) *failover.Refusal {
			return failover.Refuse(failover.NotAllowed, "Ask ops.", "You may not look here.")
		}
		l.start()
		l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		pass(10 * time.Second)
		if got := l.uses("U0EVE", "as of"); got != "" {
			t.Errorf("shown: %s", got)
		}
		l.wantTold("U0EVE", "You may not look here.")
	})
}
