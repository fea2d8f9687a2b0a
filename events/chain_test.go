package events

import (
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

func links(t *testing.T) []Message {
	t.Helper()
	var all []Message
	for i, f := range []failover.Fact{failover.Claimed{Executor: "a"}, failover.Parked{}, failover.Claimed{Executor: "b"}} {
		m, err := EncodeFact(op, "id", failover.Record{Fact: f, At: noon()})
		if err != nil {
			t.Fatal(err)
		}
		m.Seq = uint64(i) + 1
		all = append(all, m)
	}
	return all
}

func chainOf(all []Message) (c Chain) {
	for _, m := range all {
		c = c.Add(m, noon())
	}
	return c
}

// The sum is part of what Ferry publishes: whoever has an old head compares it for years.
func TestChainIsTheContract(t *testing.T) {
	t.Parallel()
	const want = "3:5902bb74a25aa8d53bd5f87d43608e27ca42d7fe8a6274e654f07c147795db5c"
	if got := chainOf(links(t)).String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Every part of every message counts, and the order of headers does not.
func TestChainChanges(t *testing.T) {
	t.Parallel()
	whole := chainOf(links(t))
	changes := map[string]func([]Message) []Message{
		"a payload":        func(m []Message) []Message { m[1].Data = []byte("[]"); return m },
		"a subject":        func(m []Message) []Message { m[1].Subject += "x"; return m },
		"a header's value": func(m []Message) []Message { m[1].Header[headerMsgID] = []string{"x"}; return m },
		"a header's name": func(m []Message) []Message {
			delete(m[1].Header, headerMsgID)
			m[1].Header["nats-msg-id"] = []string{"id"}
			return m
		},
		"another header":    func(m []Message) []Message { m[1].Header["x"] = nil; return m },
		"a second value":    func(m []Message) []Message { m[1].Header[headerMsgID] = []string{"id", ""}; return m },
		"a sequence":        func(m []Message) []Message { m[1].Seq++; return m },
		"a message missing": func(m []Message) []Message { return append(m[:1], m[2]) },
		"the order":         func(m []Message) []Message { m[0], m[1] = m[1], m[0]; return m },
		"a boundary":        func(m []Message) []Message { m[1].Subject += "{"; m[1].Data = []byte("}"); return m },
	}
	for name, change := range changes {
		if got := chainOf(change(links(t))); got.Sum == whole.Sum {
			t.Errorf("%s: not seen", name)
		}
	}
	if (Chain{}).Add(links(t)[0], noon()) == (Chain{}).Add(links(t)[0], noon().Add(time.Nanosecond)) {
		t.Error("the time of storing: not seen")
	}
}

func TestPageKnowsItsLinks(t *testing.T) {
	t.Parallel()
	page, chain := NewPage(Chain{}), Chain{}
	var chains []Chain
	for i := range PageSize {
		m := links(t)[0]
		m.Seq = uint64(i) + 1
		page, chain = page.Add(m, noon()), chain.Add(m, noon())
		chains = append(chains, chain)
	}
	if !page.Full() || page.Chain() != chain || len(page.Links) != PageSize*linkSize {
		t.Errorf("full %v, %s, want %s", page.Full(), page.Chain(), chain)
	}
	for _, c := range chains {
		other := c
		other.Sum[0]++
		if !page.Confirms(c) || page.Confirms(other) {
			t.Fatalf("at %d", c.Seq)
		}
	}
	if next := NewPage(page.Chain()); next.First != PageSize+1 || next.Full() || next.Chain() != chain {
		t.Errorf("goes on at %d with %s", next.First, next.Chain())
	}
	if !strings.Contains(Verdict{Wrong: 7, What: Changed}.Err().Error(), "message 7 is changed") || (Verdict{}).Err() != nil {
		t.Error("says it otherwise")
	}
}
