package slack_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/failover"
	"ferry/sandbox/workspace"
)

// The link is down while Slack refuses the bot, the connections or what it posts, and says what to fix; it is up again when Slack
// takes it again.
func TestLink(t *testing.T) {
	t.Parallel()
	type row struct {
		refuse func(*lab)
		why    string
		mended func(*lab)
	}
	for name, r := range map[string]row{
		"connections": {func(l *lab) {
			l.RefuseNext("apps.connections.open", "link_disabled", 24)
			l.Disconnect("link_disabled")
		}, "(link_disabled): Socket Mode is switched off", func(*lab) {}},
		"one connection of two": {func(l *lab) {
			l.RefuseNext("apps.connections.open", "token_expired", 12)
			l.Disconnect("refresh_requested")
		}, "(token_expired): the token is wrong or no longer valid; install the app again and set slack.app_token", func(*lab) {}},
		"posts": {func(l *lab) {
			l.RefuseNext("chat.postMessage", "token_revoked", 1)
			l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		}, "(token_revoked): the token is wrong or no longer valid; install the app again and set slack.bot_token", func(l *lab) {
			l.feed.publish(operation("op-bbbbbbbb", 1, requested(), failover.Refused{}))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, workspace.Options{})
				b, _ := l.startBot()
				pass(10 * time.Second) // both connections
				if link := b.Link(); !link.Up || link.Why != "" {
					t.Fatalf("at the start: %+v", link)
				}
				r.refuse(l)
				pass(20 * time.Second)
				if link := b.Link(); link.Up || !strings.Contains(link.Why, r.why) || time.Since(link.Since) > 20*time.Second {
					t.Errorf("refused: %+v", link)
				}
				r.mended(l)
				pass(3 * time.Hour) // each refusal is waited longer after
				if link := b.Link(); !link.Up || link.Why != "" || time.Since(link.Since) > 3*time.Hour {
					t.Errorf("taken again: %+v", link)
				}
			})
		})
	}
}
