package chaos_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// troupe is two bots and three executors on a cluster of three servers.
type troupe struct {
	*people
	cluster *cluster
	js      natsjs.JetStream
	board   *jetstream.Board
	chance  *rand.Rand
	alive   map[string]*proc // by name
	faults  []fault
}

// clustered kills and freezes processes of a cluster while people work.
func clustered(k *kit, how size, chance *rand.Rand) figures {
	o, c := k.outside(how.vms), k.cluster()
	o.config.NATS.URL, o.config.NATS.Replicas = c.url(), len(c.nodes)
	for i := range c.nodes {
		c.start(i)
	}
	t := &troupe{people: o.people(how), cluster: c, chance: chance, alive: map[string]*proc{}}
	for _, name := range []string{"bot-1", "bot-2", "executor-1", "executor-2", "executor-3"} {
		t.begin(name)
	}
	for _, p := range t.alive {
		p.says("ferry is up")
	}
	nc, js := c.connect()
	t.js = js
	watching, stop := context.WithCancel(k.Context())
	defer stop()
	writes := &writes{nc: nc}
	var loops sync.WaitGroup
	loops.Go(func() { writes.watch(watching) })
	loops.Go(func() { t.follow(watching) })
	defer loops.Wait()
	defer stop()

	done := make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() { t.work(done) })
	for round := range how.rounds {
		t.moment(chance, 5*time.Second)
		t.hit(round)
	}
	close(done)
	working.Wait()
	o.settled("executor-1")
	f := t.judge("three servers, two bots, three executors", read(k.Context(), k, js), t.faults)
	for _, x := range t.faults {
		if x.leader {
			f.leaderGap = append(f.leaderGap, writes.gap(x.at))
		}
	}
	return f
}

func (t *troupe) begin(name string) {
	role := name[:len(name)-2]
	t.alive[name] = t.start(name, role)
}

// follow keeps the board from which the driving executor is known.
func (t *troupe) follow(ctx context.Context) {
	client, err := jetstream.Connect(jetstream.Options{URL: t.cluster.url(), Name: "judge", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Error(err)
		return
	}
	defer client.Close()
	board := jetstream.NewBoard(client)
	t.mu.Lock()
	t.board = board
	t.mu.Unlock()
	if err := board.Run(ctx); err != nil && ctx.Err() == nil {
		t.Error(err)
	}
}

// driving is the name of an executor that drives an operation now; any executor when none does.
func (t *troupe) driving() (string, bool) {
	t.mu.Lock()
	board := t.board
	t.mu.Unlock()
	if board != nil {
		for _, op := range board.Open() {
			if op.Phase != failover.Running || op.Parked {
				continue
			}
			for name, p := range t.alive {
				if strings.HasSuffix(op.Executor, suffix(p)) {
					return name, true
				}
			}
		}
	}
	return t.one("executor-1", "executor-2", "executor-3"), false
}

func (t *troupe) one(names ...string) string { return names[t.chance.IntN(len(names))] }

// hit kills or freezes a process, brings it back and waits until all is as before. The first round is the worst: the driving
// executor is frozen, and the stream's leader killed meanwhile.
func (t *troupe) hit(round int) {
	freeze := t.chance.IntN(2) == 0
	switch draw := t.chance.IntN(100); {
	case round == 0 || draw < 5:
		t.hitDriver(func() { t.hitLeader(nil) })
	case draw < 30:
		t.hitLeader(t.frozen(freeze))
	case draw < 65:
		t.hitDriver(t.frozen(freeze))
	case draw < 75:
		t.hitNode(t.chance.IntN(len(t.cluster.nodes)), nil, false)
	case draw < 85:
		t.replace(t.one("bot-1", "bot-2", "executor-1", "executor-2", "executor-3"))
	default:
		t.hitFerry(t.one("bot-1", "bot-2", "executor-1", "executor-2", "executor-3"), t.frozen(freeze), false)
	}
	t.until("the cluster is whole", 2*time.Minute, func() bool { leader, whole := t.cluster.state(t.js); return leader >= 0 && whole })
	t.connected()
	for name, p := range t.alive {
		select {
		case <-p.done:
			t.Errorf("%s ended by itself with %d:\n%s", name, p.exits(time.Second), p.said.tail(5))
			t.begin(name)
		default:
		}
	}
}

// frozen is what happens while a process is frozen; nil means that it is killed instead.
func (t *troupe) frozen(freeze bool) func() {
	if !freeze {
		return nil
	}
	return func() {}
}

func (t *troupe) hitLeader(frozen func()) {
	leader := -1
	t.until("the stream has a leader", time.Minute, func() bool { leader, _ = t.cluster.state(t.js); return leader >= 0 })
	t.hitNode(leader, frozen, true)
}

func (t *troupe) hitNode(i int, frozen func(), leader bool) {
	what := "a nats-server"
	if leader {
		what = "the stream's leader"
	}
	t.fault(t.cluster.nodes[i].proc, what, frozen, fault{leader: leader}, func() { t.cluster.start(i) })
}

func (t *troupe) hitDriver(frozen func()) {
	name, driver := "", false
	holdsWithin(10*time.Second, func() bool { name, driver = t.driving(); return driver })
	t.hitFerry(name, frozen, driver)
}

func (t *troupe) hitFerry(name string, frozen func(), driver bool) {
	what := "another of Ferry's processes"
	if driver {
		what = "the driving executor"
	}
	t.fault(t.alive[name], what, frozen, fault{driver: driver}, func() { t.begin(name) })
}

// replace ends a process as a new release does, and starts it again.
func (t *troupe) replace(name string) {
	p := t.alive[name]
	t.note(fault{at: time.Now(), pid: p.pid(), what: "SIGTERM to one of Ferry's processes"}, p)
	p.signal(syscall.SIGTERM)
	if code := p.exits(time.Minute); code != 0 {
		t.Errorf("asked to end, %s exits with %d", name, code)
	}
	t.begin(name)
}

func (t *troupe) note(f fault, p *proc) {
	t.faults = append(t.faults, f)
	t.Logf("%s %d: %s, %s", f.at.UTC().Format("15:04:05.000"), len(t.faults), f.what, p.name)
}

// fault kills a process and starts it again a little later, or lets it stand still for longer than others wait for it.
func (t *troupe) fault(p *proc, what string, frozen func(), f fault, again func()) {
	f.at, f.pid, f.what = time.Now(), p.pid(), "kill -9 of "+what
	if frozen != nil {
		f.what = "freeze of " + what
	}
	t.note(f, p)
	if frozen == nil {
		p.kill()
		<-time.After(time.Duration(t.chance.Int64N(int64(2 * time.Second))))
		again()
		return
	}
	p.signal(syscall.SIGSTOP)
	thaw := time.After(10*time.Second + time.Duration(t.chance.Int64N(int64(5*time.Second))))
	if t.how.brief {
		thaw = time.After(ackWait + time.Second)
	}
	frozen()
	<-thaw
	p.signal(syscall.SIGCONT)
}

// ackWait is how long a silent driver keeps its operation: events/jetstream.
const ackWait = 10 * time.Second

// writes is when the stream's leader could write. It is asked for a write whose guard never holds: the answer takes a
// leader, and nothing is stored.
type writes struct {
	nc *nats.Conn
	mu sync.Mutex
	at []time.Time
}

func (w *writes) watch(ctx context.Context) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		m := nats.NewMsg(events.DriveSubject("op-probe222"))
		m.Header.Set(natsjs.ExpectedLastSubjSeqHeader, "1")
		asked, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		_, err := w.nc.RequestMsgWithContext(asked, m)
		cancel()
		if err == nil {
			w.mu.Lock()
			w.at = append(w.at, time.Now())
			w.mu.Unlock()
		}
	}
}

// gap is the longest time without a write that began or went on after a moment, within half a minute.
func (w *writes) gap(after time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	longest := time.Duration(0)
	first, _ := slices.BinarySearchFunc(w.at, after, time.Time.Compare)
	for i := max(1, first); i < len(w.at) && w.at[i-1].Before(after.Add(30*time.Second)); i++ {
		longest = max(longest, w.at[i].Sub(w.at[i-1]))
	}
	return longest
}
