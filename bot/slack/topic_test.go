package slack_test

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/bot/slack"
	"ferry/failover"
	"ferry/sandbox/workspace"
)

const handover = "Handover at 8, ask @ops &amp; read the runbook"

// board is what is open.
type board struct {
	mu  sync.Mutex
	ops map[failover.OpID]failover.Operation
}

func (b *board) now(ops ...failover.Operation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, op := range ops {
		if b.ops[op.ID] = op; op.Phase.Final() {
			delete(b.ops, op.ID)
		}
	}
}

func (b *board) open() (open []failover.Operation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, op := range b.ops {
		open = append(open, op)
	}
	return open
}

// topical is a lab whose bots keep the topic, in which people wrote something.
func topical(l *lab) *board {
	b := &board{ops: map[failover.OpID]failover.Operation{}}
	l.opts.Topic, l.reads.open, l.reads.found = true, b.open, map[failover.OpID]failover.Operation{}
	l.says(handover)
	return b
}

// says sets the topic as people do.
func (l *lab) says(topic string) {
	l.t.Helper()
	if err := l.SetTopic("U0EVE", incident, topic); err != nil {
		l.t.Fatal(err)
	}
}

// happens lets something become known everywhere.
func (l *lab) happens(b *board, ops ...failover.Operation) {
	b.now(ops...)
	l.feed.publish(ops...)
	pass(10 * time.Second)
}

func (l *lab) wantTopic(want string) {
	l.t.Helper()
	if got := l.Topic(incident); got != want {
		l.t.Errorf("the topic is %q, want %q", got, want)
	}
}

// The topic says what is under way from the start of an operation to its end, behind what people wrote.
func TestTopicWhileSomethingIsUnderWay(t *testing.T) {
	bubble(t, func(l *lab) {
		b := topical(l)
		l.start()
		for i, op := range chapters("op-aaaaaaaa", 1, 6) {
			l.happens(b, op)
			want := handover
			if i > 0 && i < 5 {
				want += " | Ferry: failover of vm-x under way"
			}
			l.wantTopic(want)
		}
		if n := l.count("conversations.setTopic", ""); n != 2 {
			t.Errorf("set %d times", n)
		}
	})
}

func TestTopicOfTwoOperations(t *testing.T) {
	bubble(t, func(l *lab) {
		b := topical(l)
		l.start()
		first, second := chapters("op-aaaaaaaa", 1, 6), chapters("op-bbbbbbbb", 20, 6)
		l.happens(b, first[1], second[1])
		l.wantTopic(handover + " | Ferry: 2 operations under way")
		l.says("Bridge is open | Ferry: 2 operations under way | quiet please")
		l.happens(b, first[5])
		l.wantTopic("Bridge is open | quiet please | Ferry: failover of vm-x under way")
		l.happens(b, second[5])
		l.wantTopic("Bridge is open | quiet please")
		if n := l.count("conversations.setTopic", ""); n != 3 {
			t.Errorf("set %d times", n)
		}
	})
}

// Whoever answers reads knows an operation, and its end, later than the channel: the topic is right all the same.
func TestTopicIsNotBehindTheFeed(t *testing.T) {
	bubble(t, func(l *lab) {
		b := topical(l)
		l.start()
		story := chapters("op-aaaaaaaa", 1, 6)
		l.reads.found[story[0].ID] = story[0]
		l.feed.publish(story[1])
		pass(10 * time.Second)
		l.wantTopic(handover + " | Ferry: failover of vm-x under way")
		b.now(story[2])
		l.feed.publish(story[5])
		pass(10 * time.Second)
		l.wantTopic(handover)
	})
	bubble(t, func(l *lab) { // the end was delivered to another bot
		b := topical(l)
		l.start()
		story := chapters("op-aaaaaaaa", 1, 6)
		l.happens(b, story[1])
		b.now(story[5])
		l.reads.found[story[5].ID] = story[5]
		l.happens(b, chapters("op-bbbbbbbb", 20, 2)[1])
		l.wantTopic(handover + " | Ferry: failover of vm-x under way")
	})
}

// A bot dies before it sets the topic, or right after: the next one puts it right, though the end was announced long ago.
func TestTopicOfABotThatDies(t *testing.T) {
	for _, after := range []bool{false, true} {
		bubble(t, func(l *lab) {
			b := topical(l)
			stop := l.start()
			story := chapters("op-aaaaaaaa", 1, 6)
			l.happens(b, story[1])
			l.seams.cut("slack.topic", cut{after: after, err: func(int) error { return errCut }})
			l.happens(b, story[5])
			stop()
			l.seams.cut("slack.topic", cut{})
			if l.feed.acks() != 2 {
				t.Fatalf("%d acknowledged", l.feed.acks())
			}
			l.start()
			pass(10 * time.Second)
			l.wantTopic(handover)
		})
	}
}

// Of two bots, the one that announces sets the topic, once.
func TestTopicOfTwoBots(t *testing.T) {
	bubble(t, func(l *lab) {
		b := topical(l)
		l.start()
		l.start()
		story := chapters("op-aaaaaaaa", 1, 6)
		for _, op := range story {
			l.happens(b, op)
			l.happens(b, op) // delivered again, to any
		}
		l.wantTopic(handover)
		if n := l.count("conversations.setTopic", ""); n != 2 {
			t.Errorf("set %d times", n)
		}
	})
}

func TestTopicWithoutTheScope(t *testing.T) {
	bare(t, func(l *lab) {
		b := topical(l)
		l.start()
		l.happens(b, chapters("op-aaaaaaaa", 1, 6)[1])
		l.happens(b, chapters("op-aaaaaaaa", 1, 6)[5])
		l.happens(b, chapters("op-bbbbbbbb", 20, 2)[1])
		l.wantTopic(handover)
		if said := strings.Count(l.log.String(), "does not say what is under way"); said != 1 || l.count("conversations.setTopic", "") != 1 || !strings.Contains(l.log.String(), "allow channels:write.topic") {
			t.Errorf("said %d times after %d calls", said, l.count("conversations.setTopic", ""))
		}
		if l.feed.acks() != 3 {
			t.Errorf("%d acknowledged", l.feed.acks())
		}
	})
}

func TestTopicIsLeftAloneByDefault(t *testing.T) {
	bubble(t, func(l *lab) {
		b := topical(l)
		l.opts.Topic = false
		l.says(handover + " | Ferry: failover of vm-x under way")
		l.start()
		l.happens(b, chapters("op-aaaaaaaa", 1, 6)...)
		if n := l.count("conversations.setTopic", ""); n != 0 {
			t.Errorf("set %d times", n)
		}
		if found := l.examined(slack.Access{}, false); len(found) != 0 {
			t.Errorf("the doctor has found %q", found)
		}
	})
	bubbleIn(t, allScopesBut("channels:write.topic", "groups:write.topic"), func(l *lab) {
		if found := l.examined(slack.Access{}, false); len(found) != 0 {
			t.Errorf("without slack.topic the doctor misses its scopes: %q", found)
		}
		l.opts.Topic = true
		if found := l.examined(slack.Access{}, false); len(found) != 1 || !strings.Contains(found[0], "write.topic") {
			t.Errorf("with slack.topic it found %q", found)
		}
	})
}

// What goes wrong with the topic holds no card up; what passes is tried again, what does not is left.
func TestTopicThatFails(t *testing.T) {
	for code, tries := range map[string]int{"internal_error": 6, "ratelimited": 2, "restricted_action": 1} {
		bubble(t, func(l *lab) {
			b := topical(l)
			set := 0
			l.spoil = func(method string, _ url.Values) string {
				if method != "conversations.setTopic" {
					return ""
				}
				if set++; code == "ratelimited" && set > 1 {
					return ""
				}
				return code
			}
			l.start()
			op := chapters("op-aaaaaaaa", 1, 2)[1]
			b.now(op)
			l.feed.publish(op)
			pass(5 * time.Second)
			if got := l.refs.of(op.ID).Card.Seq; got != op.Seq || l.feed.acks() != 1 {
				t.Errorf("%s: the card waits", code)
			}
			pass(5 * time.Minute)
			if set != tries {
				t.Errorf("%s: tried %d times, want %d", code, set, tries)
			}
			if n := strings.Count(l.log.String(), "does not say what is under way"); n != min(1, tries%2+tries/6) {
				t.Errorf("%s: said %d times", code, n)
			}
		})
	}
}

// Slack is unwell while the last operation ends: the topic does not go on saying that it is under way.
func TestTopicComesRightAfterwards(t *testing.T) {
	bubble(t, func(l *lab) {
		b := topical(l)
		l.start()
		story := chapters("op-aaaaaaaa", 1, 6)
		l.happens(b, story[1])
		l.RefuseNext("conversations.setTopic", "internal_error", 6)
		l.happens(b, story[5])
		pass(5 * time.Minute)
		l.wantTopic(handover + " | Ferry: failover of vm-x under way")
		pass(10 * time.Minute)
		l.wantTopic(handover)
		if n := l.count("conversations.setTopic", "ok"); n != 2 {
			t.Errorf("set %d times", n)
		}
	})
}

// Ferry's part is shortened, then left out, and cannot be made to look like people's words, or to be more than a name.
func TestTopicHasRoomForPeopleFirst(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) }
	for own, want := range map[string]string{
		"":                         "| Ferry: failover of vm-x under way",
		long(213):                  long(213) + " | Ferry: failover of vm-x under way",
		long(215):                  long(215) + " | Ferry: 1 operation under way",
		long(219):                  long(219) + " | Ferry: 1 operation under way",
		long(220):                  long(220),
		long(250):                  long(250),
		"| Ferry: see the runbook": "| Ferry: see the runbook | Ferry: failover of vm-x under way",
	} {
		bubble(t, func(l *lab) {
			b := topical(l)
			l.says(own)
			l.start()
			l.happens(b, chapters("op-aaaaaaaa", 1, 2)[1])
			l.wantTopic(want)
			l.happens(b, chapters("op-aaaaaaaa", 1, 6)[5])
			l.wantTopic(own)
		})
	}
	for name, want := range map[string]string{
		"<!channel> & co":       "failover of &lt;!channel&gt; &amp; co",
		"a | b":                 "1 operation",
		"a\nb":                  "1 operation",
		"a under way, b":        "1 operation",
		strings.Repeat("x", 99): "failover of " + strings.Repeat("x", 99),
	} {
		bubble(t, func(l *lab) {
			b := topical(l)
			l.start()
			op := chapters("op-aaaaaaaa", 1, 2)[1]
			op.Targets = slices.Clone(op.Targets)
			op.Targets[0].Item.Name = name
			l.happens(b, op)
			l.wantTopic(handover + " | Ferry: " + want + " under way")
			l.happens(b, chapters("op-aaaaaaaa", 1, 6)[5])
			l.wantTopic(handover)
		})
	}
}

// Where another organisation takes part, nothing is said, and what was said is taken back.
func TestTopicOfASharedChannel(t *testing.T) {
	bubble(t, func(l *lab) {
		b := topical(l)
		l.start()
		l.happens(b, chapters("op-aaaaaaaa", 1, 2)[1])
		if err := l.Share(incident, workspace.Shared); err != nil {
			t.Fatal(err)
		}
		l.happens(b, chapters("op-bbbbbbbb", 20, 2)[1])
		l.wantTopic(handover)
	})
}
