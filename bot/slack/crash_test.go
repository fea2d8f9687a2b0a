package slack_test

import (
	"strings"
	"testing"
	"time"

	"ferry/bot/slack"
)

// The process dies after Slack took the card and before its reference is stored: whoever comes next cannot know, posts
// once more and says so.
func TestCrashBetweenPostAndReference(t *testing.T) {
	bubble(t, func(l *lab) {
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
		if ref := l.refs.refs[op.ID]; ref.Card.State != slack.StatePosted || !ref.Card.Continued || ref.Notices["approval"].State != slack.StatePosted {
			t.Errorf("reference: %+v", ref)
		}
	})
}

func TestLostAnswerToAPostIsContinuedOnce(t *testing.T) {
	bubble(t, func(l *lab) {
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
				ref := l.refs.refs[op.ID]
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
