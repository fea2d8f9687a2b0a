package jetstream_test

import (
	"reflect"
	"testing"
	"time"

	"ferry/events/jetstream"
	"ferry/failover"
)

// On a cluster a bucket is read from any server, also from one that lags behind. What a bot wrote itself it reads all the same:
// otherwise its next write would lose against its own.
func TestABotReadsWhatItWrote(t *testing.T) {
	bubble(t, func(l *lab) {
		m, err := l.client("bot", nil).OpenMessages(l.ctx)
		if err != nil {
			t.Fatal(err)
		}
		jetstream.Lag(l.ctx, m, string(opA))
		for _, value := range []string{"intent", "posted", "edited"} {
			_, rev, err := m.Get(l.ctx, opA)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Put(l.ctx, opA, []byte(value), rev); err != nil {
				t.Fatalf("storing %q: %v", value, err)
			}
			if got, _, err := m.Get(l.ctx, opA); string(got) != value || err != nil {
				t.Errorf("after storing %q it reads %q, %v", value, got, err)
			}
		}
		another, err := l.client("another", nil).OpenMessages(l.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := another.Get(l.ctx, opA); string(got) != "edited" || err != nil {
			t.Errorf("another bot reads %q, %v", got, err)
		}
	})
}

// Who is in Slack's groups counts by its age. A bot whose clock is ahead does not make it younger.
func TestMembersAreAsOldAsTheirStoring(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("bot", nil)
		if m, err := c.Members(l.ctx); err != nil || !m.At.IsZero() || len(m.Groups) > 0 {
			t.Fatalf("before anything was stored: %+v, %v", m, err)
		}
		read := time.Now().Add(-time.Minute)
		for _, at := range []time.Time{read, read.Add(time.Hour)} {
			put := failover.Membership{Groups: map[string][]string{"S1": {"U1", "U2"}}, At: at}
			if err := c.PutMembers(l.ctx, put); err != nil {
				t.Fatal(err)
			}
			got, err := l.client("executor", nil).Members(l.ctx)
			if err != nil || !reflect.DeepEqual(got.Groups, put.Groups) || got.At.After(time.Now()) || at.Equal(read) && !got.At.Equal(at) {
				t.Errorf("stored %v, read %v, %v", put, got, err)
			}
		}
	})
}

// Several bots read who is in Slack's groups: the newest reading counts, whoever is late with an older one.
func TestNewestMembersCount(t *testing.T) {
	bubble(t, func(l *lab) {
		now := time.Now()
		put := func(c *jetstream.Client, user string, age time.Duration) {
			t.Helper()
			if err := c.PutMembers(l.ctx, failover.Membership{Groups: map[string][]string{"S1": {user}}, At: now.Add(-age)}); err != nil {
				t.Fatal(err)
			}
		}
		one, two := l.client("one", nil), l.client("two", nil)
		for i, c := range []struct {
			by   *jetstream.Client
			user string
			age  time.Duration
			want string
		}{{one, "U1", time.Minute, "U1"}, {two, "U2", 2 * time.Minute, "U1"}, {two, "U3", time.Second, "U3"}, {one, "U4", 30 * time.Second, "U3"}, {one, "U5", time.Second, "U5"}} {
			put(c.by, c.user, c.age)
			if m, err := one.Members(l.ctx); err != nil || len(m.Groups["S1"]) != 1 || m.Groups["S1"][0] != c.want {
				t.Errorf("%d: %v, %v, want %s", i, m, err, c.want)
			}
		}
	})
}
