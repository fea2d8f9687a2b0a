package replicas

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// leadership is how many of the replicas follow the one that answers.
type leadership int

const (
	all    leadership = iota
	alone             // it lost the majority and has not noticed
	nobody            // there is none
)

func (p *Proxy) leads() leadership {
	now := time.Now()
	switch {
	case now.Before(p.leaderless):
		return nobody
	case now.Before(p.cutOff):
		return alone
	}
	return all
}

// flight is a publish that a leader without a majority took.
type flight struct {
	publish
	link         *link
	stored, lost []byte // what the server is sent in the end; nil is nothing
}

// unanswered is a request that reaches nobody. A server that noticed that the leader is gone says that nobody listens.
func (l *link) unanswered(f frame) verdict {
	p := l.proxy
	sid, ok := l.sidOf(f.reply())
	if ok && p.chance(0.5) {
		p.tally.NoResponders++
		return verdict{answer: noResponders(f.reply(), sid)}
	}
	p.tally.Silent++
	return verdict{}
}

// request judges a request to JetStream itself, or an acknowledgement.
func (l *link) request(f frame) verdict {
	p := l.proxy
	if strings.HasPrefix(f.subject(), "$JS.API.CONSUMER.MSG.NEXT.") {
		l.pulls[f.reply()] = true
	}
	if p.leads() == nobody {
		return l.unanswered(f)
	}
	var read getRequest
	if !time.Now().Before(p.stale) || !strings.HasPrefix(f.subject(), "$JS.API.STREAM.MSG.GET.") || json.Unmarshal(f.payload(), &read) != nil {
		return verdict{forward: f.bytes()}
	}
	seq, known := p.asOf(read)
	switch {
	case !known:
		return verdict{forward: f.bytes()}
	case seq == 0:
		p.tally.Stale++
		return l.refuse(f, 404, 10037, "no message found")
	}
	p.tally.Stale++
	return verdict{forward: request(f.subject(), f.reply(), read.exact(seq))}
}

// takeOff is a publish to a leader without a majority: no answer, but for what it can tell by itself. The messages of a
// batch before its last one are with the server already.
func (l *link) takeOff(f frame, pub publish, stored, lost []byte) verdict {
	p := l.proxy
	for _, other := range p.flying {
		if slices.ContainsFunc(pub.ids, func(id string) bool { return id != "" && slices.Contains(other.ids, id) }) {
			p.tally.InFlight++
			return l.refuse(f, 409, 10158, "duplicate message id is in process")
		}
	}
	for _, other := range p.flying {
		if pub.guarded && slices.ContainsFunc(pub.subjects, func(s string) bool { return slices.Contains(other.subjects, s) }) {
			p.tally.Constant++
			return l.refuse(f, 400, 10164, "wrong last sequence")
		}
	}
	p.flying = append(p.flying, &flight{pub, l, stored, lost})
	l.held.Add(1)
	if f.reply() != "" {
		l.pending[f.reply()] = pub
	}
	p.tally.Silent++
	return verdict{}
}

// land ends what a cut off leader began: its log is taken over, or dropped.
func (p *Proxy) land() {
	p.mu.Lock()
	flying := p.flying
	p.flying = nil
	lost := p.chance(0.5) // the log as a whole: a later entry never outlives an earlier one
	p.mu.Unlock()
	for _, fl := range flying {
		if lost {
			fl.link.land(fl.lost)
		} else {
			fl.link.land(fl.stored)
		}
	}
}
