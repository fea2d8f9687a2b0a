package slack_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"ferry/bot/render"
	"ferry/bot/slack"
	"ferry/sandbox/workspace"
)

// counted is a record that has a message more each time somebody asks.
type counted struct{ n uint64 }

func (c *counted) Head(context.Context) (render.Head, error) {
	c.n++
	return render.Head{Messages: c.n, Text: "17:abcd"}, nil
}

// nineOClock is the newest nine o'clock.
func nineOClock(now time.Time) time.Time {
	due := time.Date(now.Year(), now.Month(), now.Day(), 9, 0, 0, 0, time.UTC)
	if due.After(now) {
		due = due.AddDate(0, 0, -1)
	}
	return due
}

// heralded is a lab whose bots post heads.
func heralded(t *testing.T, test func(l *lab)) {
	t.Helper()
	bubble(t, func(l *lab) {
		l.opts.Heads, l.opts.Daily = &counted{}, nineOClock
		test(l)
	})
}

// heads counts the lines in the channel.
func (l *lab) heads() int {
	n := 0
	for _, m := range l.Messages("#incident", workspace.Everyone) {
		if strings.Contains(strings.Join(l.Render(m), "\n"), "ferry audit verify --head 17:abcd") {
			n++
		}
	}
	return n
}

func (l *lab) wantHeads(when string, n int) {
	l.t.Helper()
	if got := l.heads(); got != n {
		l.t.Errorf("%s: %d heads, want %d\n%s", when, got, n, l.log)
	}
}

// tomorrow lets the time pass until a quarter past nine.
func tomorrow() {
	now := time.Now()
	pass(nineOClock(now).AddDate(0, 0, 1).Add(15 * time.Minute).Sub(now))
}

func TestOneHeadADay(t *testing.T) {
	heralded(t, func(l *lab) {
		l.start()
		l.start()
		l.wantHeads("at first", 0)
		for day := range 5 {
			tomorrow()
			l.wantHeads("day", day+1)
		}
	})
}

func TestHeadOfABotThatStartsLate(t *testing.T) {
	heralded(t, func(l *lab) {
		pass(12 * time.Hour)
		stop := l.start()
		pass(time.Hour)
		l.wantHeads("new at noon", 0)
		tomorrow()
		l.wantHeads("the next day", 1)
		stop()
		pass(30 * time.Hour)
		l.start()
		pass(time.Minute)
		l.wantHeads("down at nine", 2)
	})
}

func TestHeadWhileSlackIsAway(t *testing.T) {
	heralded(t, func(l *lab) {
		l.start()
		pass(8 * time.Hour)
		l.trouble.Lock()
		l.spoil = func(method string, _ url.Values) string {
			return map[string]string{"chat.postMessage": "not_in_channel"}[method]
		}
		l.trouble.Unlock()
		pass(3 * time.Hour)
		l.trouble.Lock()
		l.spoil = nil
		l.trouble.Unlock()
		pass(5 * time.Minute)
		l.wantHeads("after it came back", 1)
	})
}

// Where nobody knows whether a head was posted it is not posted again: by the bot that lost the answer, by the next one, and by
// one that died between its intent and the call.
func TestHeadIsNeverPostedTwice(t *testing.T) {
	heralded(t, func(l *lab) {
		stop := l.start()
		l.LoseAnswer("chat.postMessage", 1)
		tomorrow()
		l.wantHeads("a lost answer", 1)
		l.seams.cut("refs.put", cut{err: func(int) error { return errCut }, after: true})
		tomorrow()
		l.seams.cut("refs.put", cut{})
		pass(5 * time.Minute)
		l.wantHeads("a lost store", 2)
		l.seams.cut("slack.post", cut{err: func(int) error { return errCut }})
		tomorrow()
		stop()
		l.seams.cut("slack.post", cut{})
		l.start()
		pass(time.Hour)
		l.wantHeads("a crash before the call", 2)
		tomorrow()
		l.wantHeads("the day after", 3)
	})
}

// Where another organisation listens no head is posted either; whoever runs Ferry reads why, once, and what to do.
func TestNoHeadInASharedChannel(t *testing.T) {
	heralded(t, func(l *lab) {
		l.start()
		l.shared()
		tomorrow()
		l.wantHeads("shared", 0)
		if log := l.log.String(); strings.Count(log, "head of the audit") != 1 || !strings.Contains(log, "set slack.channel") {
			t.Errorf("log: %s", log)
		}
		if err := l.Share(incident, ""); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		l.wantHeads("not shared any more", 1)
	})
}

var _ slack.Heads = (*counted)(nil)
