package slack_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"ferry/bot/slack"
	"ferry/failover"
	"ferry/sandbox/workspace"
)

// bare is a workspace whose app has none of the optional scopes.
func bare(t *testing.T, test func(l *lab)) {
	t.Helper()
	bubbleIn(t, workspace.Options{Scopes: slack.Scopes()}, test)
}

// The process dies after Slack took a message and before its reference is stored: whoever comes next finds it in the channel,
// the card as well as the notice, and each is there once.
func TestWhatWasPostedBeforeACrashIsFound(t *testing.T) {
	for _, nth := range []int{2, 4} { // the writes are intent and reference of the card, and of the notice
		bubble(t, func(l *lab) {
			op := operation("op-aaaaaaaa", 1, requested())
			l.seams.cut("refs.put", cut{err: func(n int) error {
				if n >= nth {
					return errCut
				}
				return nil
			}})
			stop := l.start()
			l.feed.publish(op)
			pass(time.Minute)
			posted := l.count("chat.postMessage", "ok")
			stop()
			l.seams.cut("refs.put", cut{})
			pass(3 * time.Hour) // the channel lives on
			l.start()
			l.feed.publish(op)
			pass(time.Minute)
			l.feed.publish(chapters(op.ID, 1, 3)...)
			pass(time.Minute)
			cards := l.cards()
			if len(cards) != 1 || strings.Contains(cards[0], "Continued") || !strings.Contains(cards[0], ": running") || l.count("chat.postMessage", "") != 2 {
				t.Errorf("%d posts after %d, cards:\n%s", l.count("chat.postMessage", ""), posted, strings.Join(cards, "\n---\n"))
			}
			if n := l.count("conversations.history", ""); n != 1 {
				t.Errorf("looked %d times", n)
			}
			if ref := l.refs.of(op.ID); ref.Card.State != slack.StatePosted || ref.Notices["approval"].State != slack.StatePosted {
				t.Errorf("reference: %+v", ref)
			}
		})
	}
}

func TestLostAnswerToAPostIsFound(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		l.LoseAnswer("chat.postMessage", 2)
		for _, op := range chapters("op-aaaaaaaa", 1, 6) {
			l.feed.publish(op)
			pass(5 * time.Second)
		}
		if n := l.count("chat.postMessage", ""); n != 4 {
			t.Errorf("%d posts of a card and three notices", n)
		}
		if cards := l.cards(); len(cards) != 1 || strings.Contains(cards[0], "Continued") || !strings.Contains(cards[0], "cancelled") || l.count("conversations.history", "") != 2 {
			t.Errorf("looked %d times, cards: %v", l.count("conversations.history", ""), cards)
		}
	})
}

// A notice in the thread, of which the answer is lost or before whose reference the process dies, is looked for there.
func TestWhatMayStandInTheThreadIsFound(t *testing.T) {
	for _, dies := range []bool{false, true} {
		bubble(t, func(l *lab) {
			stop := l.start()
			story := chapters("op-aaaaaaaa", 1, 6)
			l.feed.publish(story[:5]...)
			pass(time.Minute)
			before := l.count("chat.postMessage", "")
			if dies {
				l.seams.cut("refs.put", cut{err: func(int) error {
					if l.count("chat.postMessage", "") > before {
						return errCut
					}
					return nil
				}})
			} else {
				l.LoseAnswer("chat.postMessage", 1)
			}
			l.feed.publish(story[5])
			pass(10 * time.Second)
			if dies {
				stop()
				l.seams.cut("refs.put", cut{})
				l.start()
				l.feed.publish(story[5])
			}
			pass(time.Minute)
			ended := 0
			for _, m := range l.Messages(incident, "U0EVE") {
				if m.ThreadTS != "" && strings.Contains(strings.Join(l.Render(m), ""), "cancelled") {
					ended++
				}
			}
			if ended != 1 || l.count("conversations.replies", "ok") != 1 || l.count("conversations.history", "") != 0 {
				t.Errorf("dies %v: it stands there %d times: %q", dies, ended, l.shown())
			}
		})
	}
}

// Slack does not let a bot read threads: that is said once, and it goes on looking in the channel.
func TestThreadsThatMayNotBeRead(t *testing.T) {
	bubble(t, func(l *lab) {
		l.spoil = func(method string, _ url.Values) string {
			return map[bool]string{true: "missing_scope"}[method == "conversations.replies"]
		}
		l.start()
		for i, id := range []failover.OpID{"op-aaaaaaaa", "op-bbbbbbbb"} {
			story := chapters(id, uint64(1+20*i), 6)
			l.LoseAnswer("chat.postMessage", 1)
			l.feed.publish(story[:5]...)
			pass(time.Minute)
			l.LoseAnswer("chat.postMessage", 1)
			l.feed.publish(story[5])
			pass(time.Minute)
		}
		if n := strings.Count(l.log.String(), "does not show what stands in the channel"); n != 1 || len(l.cards()) != 2 || l.count("conversations.history", "ok") != 2 {
			t.Errorf("said %d times, looked in the channel %d times, cards: %q", n, l.count("conversations.history", "ok"), l.cards())
		}
	})
}

// The bot has given up looking once, in a long outage: what it cannot know afterwards is looked for again.
func TestLooksAgainAfterItHasGivenUp(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		l.LoseAnswer("chat.postMessage", 2)
		l.RefuseNext("conversations.history", "internal_error", 4)
		l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		pass(10 * time.Minute)
		if cards := l.cards(); len(cards) != 2 || l.count("conversations.history", "ok") != 1 {
			t.Errorf("looked %d times, cards: %q", l.count("conversations.history", "ok"), cards)
		}
	})
}

// Slack says that it was called too often, and has posted the card all the same: there is no second one.
func TestLimitedPostIsLookedFor(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		l.FailNext("chat.postMessage", 429, 1)
		l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		pass(time.Minute)
		cards := l.cards()
		if len(cards) != 1 || strings.Contains(cards[0], "Continued") || l.count("conversations.history", "ok") != 1 {
			t.Errorf("looked %d times, cards: %v", l.count("conversations.history", ""), cards)
		}
	})
}

// What another app posts with the same mark is none of ours.
func TestForgedMarkIsNotFound(t *testing.T) {
	bubble(t, func(l *lab) {
		l.opts.HTTPClient = &http.Client{Transport: forger{l}}
		l.start()
		l.LoseAnswer("chat.postMessage", 1)
		l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		pass(time.Minute)
		if cards := l.cards(); len(cards) != 2 || l.count("conversations.history", "ok") != 1 || l.count("chat.update", "") != 0 {
			t.Errorf("%d edits, cards: %v", l.count("chat.update", ""), cards)
		}
	})
}

// forger has all messages of a history be somebody else's.
type forger struct{ *lab }

func (f forger) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := f.lab.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/conversations.history") {
		return answer, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	forged := regexp.MustCompile(`"user":"[^"]*"`).ReplaceAllString(string(body), `"user":"U0OTHERAPP"`)
	answer.Body, answer.ContentLength = io.NopCloser(strings.NewReader(forged)), int64(len(forged))
	return answer, err
}

// When Slack does not show the channel although the token should let it, the message is posted once more, which is said once.
func TestChannelThatIsNotShown(t *testing.T) {
	for _, code := range []string{"missing_scope", "internal_error"} {
		bubble(t, func(l *lab) {
			l.spoil = func(method string, _ url.Values) string {
				if method == "conversations.history" {
					return code
				}
				return ""
			}
			l.start()
			l.LoseAnswer("chat.postMessage", 1)
			l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
			pass(3 * time.Minute)
			if cards := l.cards(); len(cards) != 2 || !strings.Contains(cards[1], "Continued here") {
				t.Errorf("%s: cards: %v", code, cards)
			}
			if n := strings.Count(l.log.String(), "does not show what stands in the channel"); code == "missing_scope" && n != 1 {
				t.Errorf("said %d times", n)
			}
		})
	}
}

// The process dies after Slack took the card and before its reference is stored: whoever comes next cannot know, posts
// once more and says so.
func TestCrashBetweenPostAndReference(t *testing.T) {
	bare(t, func(l *lab) {
		op := operation("op-aaaaaaaa", 1, requested())
		l.seams.cut("refs.put", cut{err: func(n int) error {
			if n > 1 {
				return errCut
			}
			return nil
		}})
		stop := l.start()
		l.feed.publish(op)
		pass(time.Minute)
		if l.feed.acks() != 0 || len(l.cards()) != 1 {
			t.Fatalf("%d acknowledged, cards: %v", l.feed.acks(), l.cards())
		}
		stop()
		l.seams.cut("refs.put", cut{})
		l.start()
		l.feed.publish(op) // delivered again
		pass(time.Minute)
		l.feed.publish(op)
		pass(time.Minute)
		cards := l.cards()
		if len(cards) != 2 || !strings.Contains(cards[1], "Continued here") || l.feed.acks() != 2 {
			t.Errorf("%d acknowledged, cards:\n%s", l.feed.acks(), strings.Join(cards, "\n---\n"))
		}
		if ref := l.refs.of(op.ID); ref.Card.State != slack.StatePosted || !ref.Card.Continued || ref.Notices["approval"].State != slack.StatePosted {
			t.Errorf("reference: %+v", ref)
		}
	})
}

func TestLostAnswerToAPostIsContinuedOnce(t *testing.T) {
	bare(t, func(l *lab) {
		l.start()
		l.LoseAnswer("chat.postMessage", 1)
		l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		pass(time.Minute)
		if cards := l.cards(); len(cards) != 2 || !strings.Contains(cards[1], "Continued here") {
			t.Errorf("cards: %v", cards)
		}
	})
}

func TestReferenceThatCannotBeStoredIsNotForgotten(t *testing.T) {
	bubble(t, func(l *lab) {
		l.seams.cut("refs.put", cut{err: func(n int) error {
			if n%3 != 0 { // each write fails twice
				return errCut
			}
			return nil
		}})
		l.start()
		for _, op := range chapters("op-aaaaaaaa", 1, 6) {
			l.feed.publish(op)
			pass(5 * time.Minute)
		}
		if cards := l.cards(); len(cards) != 1 || strings.Contains(cards[0], "Continued") || l.count("chat.postMessage", "") != 4 || l.feed.acks() != 6 {
			t.Errorf("%d posts, %d acknowledged, cards: %v", l.count("chat.postMessage", ""), l.feed.acks(), cards)
		}
	})
}

func TestUnknownOutcomesAreTriedMoreAndMoreSlowly(t *testing.T) {
	bubble(t, func(l *lab) {
		l.LoseAnswer("chat.postMessage", 1000)
		l.start()
		l.feed.publish(chapters("op-aaaaaaaa", 1, 1)...)
		pass(10 * time.Minute)
		if n := l.count("chat.postMessage", ""); n > 6 {
			t.Errorf("%d cards in ten minutes", n)
		}
	})
}

// Another bot takes over while this one waits for Slack with an intent in hand: what this one knows is old by then, and it
// neither posts nor draws over what is newer.
func TestAnotherBotWasFaster(t *testing.T) {
	for name, theirs := range map[string]slack.Posted{
		"it has posted":       {State: slack.StatePosted, Channel: incident, TS: "1.000000", Seq: 6},
		"it is about to":      {State: slack.StateIntent, By: "another", Seq: 6, Continued: true},
		"it ran an old Ferry": {State: slack.StateIntent, Seq: 6, Continued: true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				l.start()
				l.Outage(10 * time.Minute)
				op := operation("op-aaaaaaaa", 1, requested())
				l.feed.publish(op)
				pass(time.Minute)
				ref := l.refs.of(op.ID)
				if ref.Card.State != slack.StateIntent || ref.Card.By == "" {
					t.Fatalf("no intent: %+v", ref)
				}
				ref.Card = theirs
				if err := l.refs.Put(t.Context(), op.ID, ref); err != nil {
					t.Fatal(err)
				}
				pass(15 * time.Minute)
				cards := l.cards()
				if posted := theirs.State == slack.StatePosted; posted && len(cards) != 0 || !posted && (len(cards) != 1 || !strings.Contains(cards[0], "Continued here")) {
					t.Errorf("cards: %v", cards)
				}
			})
		})
	}
}
