package slack_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// The card is pinned when the operation starts, not while it only waits for its approval, and no longer when it has ended.
func TestCardIsPinnedWhileSomethingIsUnderWay(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		for i, op := range chapters("op-aaaaaaaa", 1, 6) {
			l.feed.publish(op)
			pass(10 * time.Second)
			var want []string
			if i > 0 && i < 5 {
				want = []string{l.refs.of(op.ID).Card.TS}
			}
			if got := l.Pins(incident); !slices.Equal(got, want) {
				t.Errorf("after fact %d pinned: %q, want %q", op.Seq, got, want)
			}
		}
		if add, remove := l.count("pins.add", ""), l.count("pins.remove", ""); add != 1 || remove != 1 || l.feed.acks() != 6 {
			t.Errorf("%d times pinned, %d taken off, %d acknowledged", add, remove, l.feed.acks())
		}
	})
}

// The bot dies in the middle of pinning or of taking the pin off, or its answers are lost: in the end nothing is pinned.
func TestPinsOfABotThatDies(t *testing.T) {
	for _, method := range []string{"pins.add", "pins.remove"} {
		for _, after := range []bool{false, true} {
			bubble(t, func(l *lab) {
				dead := false
				die := func(name string, nth int) {
					l.seams.cut(name, cut{after: after, err: func(n int) error {
						if dead = dead || n >= nth; dead {
							return errCut
						}
						return nil
					}})
				}
				die("slack.pin", map[string]int{"pins.add": 1, "pins.remove": 2}[method])
				stop := l.start()
				for _, op := range chapters("op-aaaaaaaa", 1, 6) {
					l.feed.publish(op)
					pass(10 * time.Second)
				}
				stop()
				l.seams.cut("slack.pin", cut{})
				l.start()
				l.feed.publish(chapters("op-aaaaaaaa", 1, 6)[5])
				pass(time.Minute)
				if got := l.Pins(incident); len(got) != 0 {
					t.Errorf("%s, after %v: pinned %q", method, after, got)
				}
			})
		}
	}
}

// What goes wrong with pins holds nothing up.
func TestPinsThatFail(t *testing.T) {
	for _, code := range []string{"missing_scope", "not_pinnable", "internal_error", "ratelimited", "channel_not_found"} {
		bubble(t, func(l *lab) {
			l.spoil = func(method string, _ url.Values) string {
				if strings.HasPrefix(method, "pins.") {
					return code
				}
				return ""
			}
			l.start()
			for i, op := range chapters("op-aaaaaaaa", 1, 6) {
				l.feed.publish(op)
				pass(5 * time.Second)
				if got := l.refs.of(op.ID).Card.Seq; got != op.Seq {
					t.Errorf("%s: fact %d is not shown after 5 s (%d is)", code, i+1, got)
				}
			}
			pass(10 * time.Minute)
			if l.feed.acks() != 6 || l.count("chat.postMessage", "ok") != 4 {
				t.Errorf("%s: %d acknowledged, %d posts", code, l.feed.acks(), l.count("chat.postMessage", "ok"))
			}
			if n := strings.Count(l.log.String(), "not pinned as it should be"); code == "missing_scope" && n != 1 {
				t.Errorf("said %d times", n)
			}
		})
	}
}

func TestNoPinsWithoutTheScope(t *testing.T) {
	bare(t, func(l *lab) {
		l.start()
		l.feed.publish(chapters("op-aaaaaaaa", 1, 6)...)
		pass(time.Minute)
		if n := l.count("pins.add", "") + l.count("pins.remove", ""); n != 0 || l.feed.acks() != 6 {
			t.Errorf("%d calls, %d acknowledged", n, l.feed.acks())
		}
		if !strings.Contains(l.log.String(), "the bot does without scopes that are optional") {
			t.Error("nothing is said of the missing scopes")
		}
	})
}
