// Package replicas stands between NATS clients and one nats-server and makes it answer publishes to JetStream as a stream
// with three replicas does: repeats are found before guards are checked, a lost guard has another code, acknowledgements
// get lost, and for seconds nobody leads.
//
// It owns what a client of a cluster has to live with, measured on real ones. It refuses to know who its clients are and what
// they store: it speaks the client protocol on net.Conn and nothing else, so it works over sockets and over net.Pipe, also
// within a synctest bubble. A connection has five goroutines, none of which outlives Close. A Proxy is safe for concurrent use.
//
// What it does not play: the loss of what was acknowledged, which a cluster does not do either, and clients that are on
// different sides of a partition.
package replicas

import (
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

// Options say what is played.
type Options struct {
	// Dial opens a connection to the server.
	Dial func() (net.Conn, error)
	// Subjects are the filters of the streams' subjects; a publish on another subject is none to JetStream.
	Subjects []string
	// Window is how long the streams remember message ids; 0 is 24 hours.
	Window time.Duration
	// Rand draws what a cluster leaves to chance. Without one a lost guard is always 10164, a server without a leader is
	// silent, and what was in flight at a leader that was cut off is stored.
	Rand *rand.Rand
}

// Odds are how likely an answer goes wrong by itself, each from 0 to 1.
type Odds struct {
	LostAck     float64 // of a publish that was stored
	BrokenBatch float64 // the leader changes before a batch is committed
}

// Tally counts what has been played.
type Tally struct {
	Duplicates   int // repeats answered with duplicate:true
	Constant     int // lost guards answered with 10164
	LostAcks     int
	BrokenBatch  int // answered with 10176
	InFlight     int // repeats of what was in flight, answered with 10158
	Silent       int // requests without an answer, for want of a leader
	NoResponders int
	Stale        int // reads answered from before
}

// Proxy is the stand-in. The zero value is not usable; see [New].
type Proxy struct {
	opts Options

	mu     sync.Mutex
	links  map[*link]struct{}
	closed bool
	odds   Odds
	tally  Tally

	lose, breaks int       // so many of the next
	leaderless   time.Time // until then nobody leads
	cutOff       time.Time // until then the leader has no majority
	stale        time.Time // until then reads are answered as of the sequence before
	before       uint64

	stored  map[string]stored   // by message id
	index   map[string][]uint64 // the sequences on each subject
	last    uint64
	batches map[string]*batch
	flying  []*flight
	timer   *time.Timer // ends what cutOff began

	running sync.WaitGroup
}

type stored struct {
	stream string
	seq    uint64
	at     time.Time
}

// New makes a proxy. Close it.
func New(o Options) *Proxy {
	if o.Window == 0 {
		o.Window = 24 * time.Hour
	}
	return &Proxy{opts: o, links: map[*link]struct{}{}, stored: map[string]stored{}, index: map[string][]uint64{}, batches: map[string]*batch{}}
}

// InProcessConn gives a client its connection; nats.InProcessServer takes the proxy for a server.
func (p *Proxy) InProcessConn() (net.Conn, error) {
	client, ours := net.Pipe()
	if err := p.begin(ours); err != nil {
		_ = client.Close()
		return nil, err
	}
	return client, nil
}

// Serve is for the connections of a listener: it returns when the connection is over.
func (p *Proxy) Serve(conn net.Conn) error {
	l, err := p.link(conn)
	if err != nil {
		return err
	}
	l.run()
	return nil
}

func (p *Proxy) begin(conn net.Conn) error {
	l, err := p.link(conn)
	if err == nil {
		go l.run()
	}
	return err
}

func (p *Proxy) link(conn net.Conn) (*link, error) {
	up, err := p.opts.Dial()
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	l := newLink(p, conn, up)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		l.close()
		return nil, net.ErrClosed
	}
	p.links[l] = struct{}{}
	p.running.Add(1)
	return l, nil
}

// Close ends all connections, and returns when nothing of the proxy runs any more.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	for l := range p.links {
		l.close()
		_ = l.up.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

// LoseAcks loses the acknowledgements of the next n publishes, or batches, that are stored.
func (p *Proxy) LoseAcks(n int) { p.set(func() { p.lose = n }) }

// BreakBatches has the leader change within the next n batches: none of their messages is stored.
func (p *Proxy) BreakBatches(n int) { p.set(func() { p.breaks = n }) }

// Draw sets how likely answers go wrong by themselves, until it is called again.
func (p *Proxy) Draw(odds Odds) { p.set(func() { p.odds = odds }) }

// StaleReads has messages read by sequence or subject as they were now, for a while; writes are not affected.
func (p *Proxy) StaleReads(d time.Duration) {
	p.set(func() { p.stale, p.before = time.Now().Add(d), p.last })
}

// NoLeader is the time between the death of a leader and the next election, 4 to 8 s in a real cluster: publishes, requests
// and acknowledgements reach nobody and consumers deliver nothing, while the connections stay alive. Batches that had
// begun are broken.
func (p *Proxy) NoLeader(d time.Duration) {
	p.set(func() { p.leaderless = time.Now().Add(d) })
	p.forget()
}

// forget has the server drop the batches that have begun: who staged them is gone.
func (p *Proxy) forget() {
	p.mu.Lock()
	begun := p.batches
	p.batches = map[string]*batch{}
	p.mu.Unlock()
	for _, b := range begun {
		b.link.push(b.gap(""))
	}
}

// CutOff is a leader that lost the majority and has not noticed: it answers reads, takes publishes and never acknowledges
// them. What it took is stored in the end, or lost when Rand says so.
func (p *Proxy) CutOff(d time.Duration) {
	p.set(func() {
		p.cutOff = time.Now().Add(d)
		p.timer = time.AfterFunc(d, p.land)
	})
}

// Tally tells what has been played so far.
func (p *Proxy) Tally() Tally {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tally
}

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// chance draws; without a source only what is sure happens.
func (p *Proxy) chance(odds float64) bool {
	return odds > 0 && p.opts.Rand != nil && p.opts.Rand.Float64() < odds
}

func (p *Proxy) streamed(subject string) bool {
	return slices.ContainsFunc(p.opts.Subjects, func(filter string) bool { return matches(filter, subject) })
}
