package slack_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/failover"
	"ferry/sandbox/workspace"
)

func TestCardIsPostedOnceAndEditedInPlace(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		for i, op := range chapters("op-aaaaaaaa", 1, 6) {
			l.feed.publish(op)
			pass(5 * time.Second)
			if got := l.refs.of(op.ID).Card.Seq; got != op.Seq || l.feed.acks() != i+1 {
				t.Errorf("after fact %d: the reference shows %d, %d acknowledged", op.Seq, got, l.feed.acks())
			}
		}
		cards := l.cards()
		if len(cards) != 1 || !strings.Contains(cards[0], "cancelled") {
			t.Errorf("cards:\n%s", strings.Join(cards, "\n---\n"))
		}
		if edits := l.count("chat.update", ""); edits < 3 || edits > 5 {
			t.Errorf("%d edits", edits)
		}
		keys := l.refs.of("op-aaaaaaaa").Notices
		if len(keys) != 3 || l.count("chat.postMessage", "") != 4 {
			t.Errorf("notices %v, %d posts", keys, l.count("chat.postMessage", ""))
		}
		m := slices.DeleteFunc(l.Messages(incident, "U0EVE"), func(m workspace.Message) bool { return m.Subtype != "" })
		if !strings.Contains(string(m[0].Metadata), `"op":"op-aaaaaaaa"`) || m[3].ThreadTS != m[0].TS {
			t.Errorf("metadata %s; last notice in thread %q of %q", m[0].Metadata, m[3].ThreadTS, m[0].TS)
		}
	})
}

// An edit whose time comes while it is still being looked for is made then.
func TestTimePassesWhileChoosing(t *testing.T) {
	bubble(t, func(l *lab) {
		l.opts.Approvers = func(failover.Operation) []string {
			pass(1500 * time.Millisecond) // more than the time between two edits
			return nil
		}
		l.start()
		for _, op := range chapters("op-aaaaaaaa", 1, 6) {
			l.feed.publish(op)
			pass(2 * time.Second)
		}
		pass(10 * time.Second)
		if cards := l.cards(); len(cards) != 1 || !strings.Contains(cards[0], "cancelled") {
			t.Errorf("cards:\n%s", strings.Join(cards, "\n---\n"))
		}
	})
}

func TestFactThatShowsNothingNewCostsNoEdit(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		pass(5 * time.Second)
		l.feed.publish(operation("op-aaaaaaaa", 1, requested(), failover.Refused{}))
		pass(5 * time.Second)
		if l.count("chat.update", "") != 0 || l.feed.acks() != 2 {
			t.Errorf("%d edits, %d acknowledged", l.count("chat.update", ""), l.feed.acks())
		}
	})
}

func TestRefusalAloneMakesNoCard(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		l.feed.publish(operation("op-aaaaaaaa", 1, failover.Refused{}))
		pass(time.Minute)
		if l.feed.acks() != 1 || len(l.shown()) != 0 {
			t.Errorf("%d acknowledged, shown: %v", l.feed.acks(), l.shown())
		}
	})
}

func TestThrottledEditCatchesUpWithTheLatestState(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		ops := chapters("op-aaaaaaaa", 1, 6)
		l.feed.publish(ops[0])
		pass(5 * time.Second)
		l.FailNext("chat.update", 429, 2)
		for _, op := range ops[1:] {
			l.feed.publish(op)
			pass(100 * time.Millisecond)
		}
		pass(10 * time.Second)
		if cards := l.cards(); len(cards) != 1 || !strings.Contains(cards[0], "cancelled") {
			t.Errorf("cards: %v", cards)
		}
		if l.count("chat.update", "ok") != 1 || l.feed.acks() != 6 {
			t.Errorf("%d edits, %d acknowledged", l.count("chat.update", "ok"), l.feed.acks())
		}
	})
}

func TestOutageIsOneCatchUpEdit(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		ops := chapters("op-aaaaaaaa", 1, 6)
		l.feed.publish(ops[0])
		pass(5 * time.Second)
		l.Outage(20 * time.Minute)
		for _, op := range ops[1:] {
			l.feed.publish(op)
			pass(time.Minute)
		}
		if l.feed.acks() != 1 {
			t.Errorf("%d acknowledged though nobody can see them", l.feed.acks())
		}
		pass(17 * time.Minute)
		if l.count("chat.update", "ok") != 1 || l.feed.acks() != 6 || !strings.Contains(l.cards()[0], "cancelled") {
			t.Errorf("%d edits, %d acknowledged, card: %s", l.count("chat.update", "ok"), l.feed.acks(), l.cards()[0])
		}
		l.typed("U0ANA", "/failover vm-x")
		pass(time.Second)
		l.wantTold("U0ANA", "waits for approval")
	})
}

func TestOutageBeforeTheFirstCardDoesNotContinueIt(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		l.Outage(10 * time.Minute)
		l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		pass(15 * time.Minute)
		if cards := l.cards(); len(cards) != 1 || strings.Contains(cards[0], "Continued") {
			t.Errorf("cards: %v", cards)
		}
	})
}

func TestOldStateIsNotDrawnOverANewerOne(t *testing.T) {
	bubble(t, func(l *lab) {
		ops := chapters("op-aaaaaaaa", 1, 6)
		stop := l.start()
		l.feed.publish(ops[5])
		pass(time.Minute)
		stop()
		l.start()
		l.feed.publish(ops[2])
		pass(time.Minute)
		if l.count("chat.update", "") != 0 || l.feed.acks() != 2 || !strings.Contains(l.cards()[0], "cancelled") {
			t.Errorf("%d edits, %d acknowledged, card: %s", l.count("chat.update", ""), l.feed.acks(), l.cards()[0])
		}
	})
}

func TestDeletedCardIsPostedAgain(t *testing.T) {
	bubble(t, func(l *lab) {
		l.start()
		ops := chapters("op-aaaaaaaa", 1, 3)
		l.feed.publish(ops[0])
		pass(5 * time.Second)
		card := l.refs.of("op-aaaaaaaa").Card
		api := slackapi.New("xoxb-sandbox", slackapi.OptionHTTPClient(l.opts.HTTPClient), slackapi.OptionAPIURL(l.opts.APIURL))
		if _, _, err := api.DeleteMessageContext(l.t.Context(), card.Channel, card.TS); err != nil {
			t.Fatal(err)
		}
		l.feed.publish(ops[1:]...)
		pass(10 * time.Second)
		if cards := l.cards(); len(cards) != 1 || !strings.Contains(cards[0], "Continued here") || l.feed.acks() != 3 {
			t.Errorf("%d acknowledged, cards: %v", l.feed.acks(), cards)
		}
	})
}

func TestRefusedBlocksAreShownAsText(t *testing.T) {
	bubble(t, func(l *lab) {
		l.spoil = func(method string, form url.Values) string {
			if method == "chat.update" && len(form.Get("blocks")) > 2 {
				return "msg_blocks_too_long"
			}
			return ""
		}
		l.start()
		l.feed.publish(chapters("op-aaaaaaaa", 1, 2)...)
		pass(time.Second)
		l.feed.publish(chapters("op-aaaaaaaa", 1, 6)...)
		pass(time.Minute)
		if shown := l.shown()[0]; !strings.Contains(shown, "cancelled") || l.feed.acks() != 8 {
			t.Errorf("%d acknowledged, shown: %s", l.feed.acks(), shown)
		}
	})
}

func TestMissingThreadMakesNoFlood(t *testing.T) {
	bubble(t, func(l *lab) {
		l.spoil = func(_ string, form url.Values) string {
			if form.Get("thread_ts") != "" {
				return "thread_not_found"
			}
			return ""
		}
		l.start()
		l.feed.publish(chapters("op-aaaaaaaa", 1, 6)[5]) // with the states before, it would depend on which of them is drawn
		pass(time.Hour)
		if shown := l.shown(); len(shown) != 2 || len(l.cards()) != 1 {
			t.Errorf("shown:\n%s", strings.Join(shown, "\n---\n"))
		}
	})
}

func TestWrongChannelIsRetriedSlowlyAndSaysWhatToDo(t *testing.T) {
	bubble(t, func(l *lab) {
		l.opts.Channel = "C0ELSEWHERE"
		l.start()
		l.feed.publish(operation("op-aaaaaaaa", 1, requested()))
		pass(10 * time.Minute)
		if n := l.count("conversations.info", "channel_not_found"); n < 9 || n > 11 {
			t.Errorf("%d attempts in 10 minutes", n)
		}
		if n := strings.Count(l.log.String(), "slack.channel must be"); n != 1 {
			t.Errorf("the fix is logged %d times", n)
		}
	})
}

// Sixty operations at once share what Slack allows, and those that ended come first.
func TestFloodStaysWithinTheLimits(t *testing.T) {
	bubble(t, func(l *lab) {
		const n = 60
		id := func(i int) failover.OpID { return failover.OpIDOf(fmt.Sprint(i), 0) }
		l.start()
		for i := range n {
			l.feed.publish(chapters(id(i), 1, 1)...)
		}
		pass(5 * time.Minute) // card and notice of each, at one a second
		if got := len(l.cards()); got != n {
			t.Fatalf("%d cards", got)
		}
		for i := range n {
			l.feed.publish(chapters(id(i), 1, 5)[1:]...)
		}
		pass(2 * time.Second)
		l.feed.publish(chapters(id(0), 1, 6)...)
		l.feed.publish(chapters(id(n-1), 1, 6)...)
		pass(4 * time.Second)
		ended := 0
		for _, c := range l.cards() {
			if strings.Contains(c, "cancelled") {
				ended++
			}
		}
		pass(5 * time.Minute)
		if ended != 2 || l.feed.acks() != n*5+12 {
			t.Errorf("%d of 2 ends shown at once, %d of %d acknowledged", ended, l.feed.acks(), n*5+12)
		}
		for _, c := range l.Calls() {
			if c.Status != "ok" {
				t.Errorf("%s: %s", c.Method, c.Status)
			}
		}
	})
}
