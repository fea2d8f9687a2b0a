package slack_test

import (
	"context"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ferry/bot/slack"
)

func TestRunEndsWhenSlackRefusesForGood(t *testing.T) {
	for token, want := range map[string]string{
		"xoxb-sandbox": "wrong kind", // on which slack-go itself retries for ever
		"xapp-other":   "set slack.app_token",
	} {
		bubble(t, func(l *lab) {
			l.opts.AppToken = token
			b, err := slack.New(l.opts)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Run(l.t.Context()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Run with %q: %v, want %q in it", token, err, want)
			}
		})
	}
}

func TestSocketModeSwitchedOffEndsTheBot(t *testing.T) {
	bubble(t, func(l *lab) {
		l.spoil = func(method string, _ url.Values) string {
			if method == "apps.connections.open" {
				return "link_disabled"
			}
			return ""
		}
		b, err := slack.New(l.opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Run(l.t.Context()); err == nil || !strings.Contains(err.Error(), "switch it on") {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestBothConnectionsComeBack(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		pass(time.Second)
		if l.Connections() != 2 {
			t.Fatalf("%d connections", l.Connections())
		}
		for range 4 {
			l.Disconnect("refresh_requested")
			l.typed("U0EVE", "/failover help") // the other one takes it
			pass(time.Second)
		}
		if l.Connections() != 2 || len(l.told("U0EVE")) != 4 {
			t.Errorf("%d connections, %d answers", l.Connections(), len(l.told("U0EVE")))
		}
	})
}

// A token that is revoked while the bot runs ends nothing: it is tried again every minute, without a flood, and with the
// token's return the bot listens as before.
func TestTokenRevokedWhileRunning(t *testing.T) {
	bubble(t, func(l *lab) {
		var revoked atomic.Bool
		var asked atomic.Int64
		l.spoil = func(string, url.Values) string {
			if !revoked.Load() {
				return ""
			}
			asked.Add(1)
			return "invalid_auth"
		}
		l.start()
		pass(time.Second)
		revoked.Store(true)
		l.Disconnect("refresh_requested")
		l.Disconnect("refresh_requested")
		pass(30 * time.Minute)
		if n := asked.Load(); n < 30 || n > 70 {
			t.Errorf("Slack was asked %d times in 30 minutes", n)
		}
		revoked.Store(false)
		pass(2 * time.Minute)
		l.typed("U0EVE", "/failover help")
		pass(time.Second)
		if l.Connections() != 2 || len(l.told("U0EVE")) != 1 {
			t.Errorf("%d connections, %d answers", l.Connections(), len(l.told("U0EVE")))
		}
	})
}

func TestStopsWhileSlackIsAway(t *testing.T) {
	bubble(t, func(l *lab) {
		l.Outage(time.Hour)
		b, err := slack.New(l.opts)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		if err := b.Run(ctx); err != nil || time.Since(begin) > time.Minute+5*time.Second {
			t.Errorf("Run ended with %v after %s", err, time.Since(begin))
		}
	})
}

func TestStopLetsWhatCameInBeStored(t *testing.T) {
	bubble(t, func(l *lab) {
		l.commands.store = func(context.Context, int) error { <-time.After(2 * time.Second); return nil }
		stop := l.start()
		l.typed("U0ANA", "/failover vm-x")
		stop()
		if ack := l.Acks()[0]; ack.AckedAt.Sub(ack.SentAt) != 2*time.Second || len(l.commands.all()) != 1 {
			t.Errorf("stored %d, acknowledged after %s", len(l.commands.all()), ack.AckedAt.Sub(ack.SentAt))
		}
	})
}

// Who was acknowledged just before the process ends hears that the request is kept: no other process can tell them.
func TestStopLeavesNobodyWithoutAnAnswer(t *testing.T) {
	for name, storing := range map[string]time.Duration{"stored before": 0, "stored meanwhile": time.Second} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				l.commands.store = func(context.Context, int) error { <-time.After(storing); return nil }
				l.commands.silent = time.Minute // the executors end, too
				stop := l.start()
				l.typed("U0ANA", "/failover vm-x")
				begun := time.Now()
				stop()
				l.wantTold("U0ANA", "is stored as op-")
				if took := time.Since(begun); took > 3*time.Second {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

// Each of these slack-go itself tries again for ever, or gives up on: the log says once what to mend, operations go on, and when
// it is mended both connections come back.
func TestSlackStopsLettingTheBotIn(t *testing.T) {
	for code, fix := range map[string]string{
		"link_disabled": "switch it on", "token_expired": "set slack.app_token", "not_allowed_token_type": "xapp-", "missing_scope": "lacks a scope",
		"account_inactive": "set slack.app_token", "app_uninstalled": "install it",
	} {
		t.Run(code, func(t *testing.T) {
			bubble(t, func(l *lab) {
				var refused atomic.Bool
				l.spoil = func(method string, _ url.Values) string {
					if refused.Load() && method == "apps.connections.open" {
						return code
					}
					return ""
				}
				l.start()
				pass(time.Second)
				refused.Store(true)
				reason := "refresh_requested"
				if code == "link_disabled" {
					reason = code
				}
				l.Disconnect(reason)
				l.Disconnect(reason)
				pass(5 * time.Minute)
				l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
				pass(time.Minute)
				if n := strings.Count(l.log.String(), "does not let the bot in any more"); n < 1 || n > 2 || !strings.Contains(l.log.String(), fix) {
					t.Errorf("said %d times by two connections:\n%s", n, l.log)
				}
				if len(l.cards()) != 1 {
					t.Error("cards are not shown any more")
				}
				refused.Store(false)
				pass(11 * time.Minute)
				l.typed("U0EVE", "/failover help")
				pass(time.Second)
				if l.Connections() != 2 || len(l.told("U0EVE")) != 1 {
					t.Errorf("%d connections, %d answers", l.Connections(), len(l.told("U0EVE")))
				}
			})
		})
	}
}

// Slack drops a connection because there are too many: the bot opens another one, without a flood, and the second one hears all
// the while.
func TestTooManyConnections(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		pass(time.Second)
		before := l.count("apps.connections.open", "")
		for range 3 {
			l.Disconnect("too_many_websockets")
			l.typed("U0EVE", "/failover help")
			pass(10 * time.Second)
		}
		if opened := l.count("apps.connections.open", "") - before; l.Connections() != 2 || opened > 6 || len(l.told("U0EVE")) != 3 {
			t.Errorf("%d connections, opened %d times, %d answers", l.Connections(), opened, len(l.told("U0EVE")))
		}
	})
}
