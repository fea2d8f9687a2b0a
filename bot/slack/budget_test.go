package slack_test

import (
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"ferry/sandbox/workspace"
)

// crowd is a workspace in which many people are.
func crowd(n int) workspace.Options {
	var o workspace.Options
	for i := range n {
		o.People = append(o.People, workspace.Person{ID: fmt.Sprintf("U%04d", i), Name: fmt.Sprintf("p%d", i)})
	}
	return o
}

// Slack says once that it is asked too often: nobody asks that again before the time, whoever it is for.
func TestRetryAfterHoldsForAllCallers(t *testing.T) {
	bubbleIn(t, crowd(20), func(l *lab) {
		var asked atomic.Int64
		l.spoil = func(method string, _ url.Values) string {
			if method == "users.info" && asked.Add(1) == 1 {
				return "ratelimited"
			}
			return ""
		}
		l.start()
		for i := range 19 {
			l.typed(fmt.Sprintf("U%04d", i), "/failover help")
			pass(1500 * time.Millisecond)
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times within 30 s", n)
		}
		pass(2 * time.Second)
		l.typed("U0019", "/failover vm-y latest")
		pass(time.Second)
		if n := asked.Load(); n < 2 || len(l.commands.all()) != 1 || l.commands.all()[0].By.Standing != "" {
			t.Errorf("asked %d times, %+v", n, l.commands.all())
		}
	})
}

// Twice as many come at once as Slack answers for: none of the calls is refused, and those for whom it takes too long are told
// that it is not known who they are.
func TestCallsOfManyGoroutinesStayWithinTheLimits(t *testing.T) {
	bubbleIn(t, crowd(60), func(l *lab) {
		l.start()
		for i := range 60 {
			if err := l.Type(fmt.Sprintf("U%04d", i), incident, "/failover vm-x latest"); err != nil {
				t.Fatal(err)
			}
		}
		pass(time.Minute)
		if n := l.count("users.info", "ok"); n < 20 || l.count("users.info", "") != n {
			t.Errorf("%d of %d questions were answered", n, l.count("users.info", ""))
		}
		good := 0
		for _, cmd := range l.commands.all() {
			if cmd.By.Standing == "" {
				good++
			}
		}
		if good < 20 || len(l.commands.all()) != 60 {
			t.Errorf("%d of %d were known", good, len(l.commands.all()))
		}
	})
}

// What is known of twenty people is asked anew while nobody waits for it. Who comes then does not stand behind that.
func TestWhoWaitsComesBeforeWhatIsReadAnew(t *testing.T) {
	bubbleIn(t, crowd(21), func(l *lab) {
		l.opts.Members = &members{}
		l.start()
		for i := range 20 {
			l.typed(fmt.Sprintf("U%04d", i), "/failover help")
		}
		known := l.count("users.info", "")
		for l.count("users.info", "") == known {
			pass(time.Second)
		}
		l.typed("U0020", "/failover help")
		pass(3 * time.Second)
		acks := l.Acks()
		if last := acks[len(acks)-1]; last.AckedAt.IsZero() || last.AckedAt.Sub(last.SentAt) > 0 {
			t.Errorf("acknowledged after %s", last.AckedAt.Sub(last.SentAt))
		}
		for _, c := range l.Calls() {
			if c.Status != "ok" {
				t.Errorf("%s: %s", c.Method, c.Status)
			}
		}
	})
}
