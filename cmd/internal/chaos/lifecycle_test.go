package chaos_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/failover"
	"ferry/sandbox/vault"
)

// How a process begins and ends.
func TestLifecycle(t *testing.T) {
	if testing.Short() {
		t.Skip("the built programs have no race detector to look for; go test without -short runs them")
	}
	t.Parallel()
	k := build(t)
	for name, test := range map[string]func(*kit){
		"one server on a directory":      oneOnADirectory,
		"a signal lets a call end":       drains,
		"a second signal ends it":        secondSignal,
		"any order":                      anyOrder,
		"work is handed over":            handsOver,
		"a store that cannot be written": storeFull,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(k.within(t))
		})
	}
}

func oneOnADirectory(k *kit) {
	o := k.outside(1)
	o.start("first", "up").says("ferry is up")
	second := o.start("second", "up")
	if code := second.exits(10 * time.Second); code != 2 {
		k.Errorf("the second process on a directory exits with %d", code)
	}
	second.says(o.config.DataDir, "another ferry process", "end it first, or name another data_dir")
}

// slowCall has a failover's call answered after so long, and waits until it is on its way.
func (o *outside) slowCall(answer time.Duration) {
	o.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.Slow, Delay: speed * answer})
	o.types("ana", "/failover vm-x latest")
	o.presses("ben", "Approve", "vm-x")
	o.until("the call is on its way", time.Minute, func() bool { return o.accepted("unplannedFailover") == 1 })
}

func drains(k *kit) {
	o := k.outside(1)
	up := o.start("up", "up")
	o.connected()
	o.slowCall(3 * time.Second)
	up.signal(syscall.SIGTERM)
	if code := up.exits(20 * time.Second); code != 0 {
		k.Errorf("it exits with %d", code)
	}
	recorded := 0
	for _, f := range o.embedded().facts {
		if f, ok := f.Fact.(failover.StepAccepted); ok && !f.Adopted {
			recorded++
		}
	}
	if recorded != 1 {
		k.Errorf("the answer that came while the process ended is recorded %d times", recorded)
	}
}

func secondSignal(k *kit) {
	o := k.outside(1)
	up := o.start("up", "up")
	o.connected()
	o.slowCall(20 * time.Second)
	up.signal(syscall.SIGTERM)
	up.says("ending")
	up.signal(syscall.SIGTERM)
	if code := up.exits(5 * time.Second); code != -1 {
		k.Errorf("the second signal ended it with %d", code)
	}
}

func anyOrder(k *kit) {
	o, c := k.outside(1), k.cluster()
	o.config.NATS.URL, o.config.NATS.Replicas = c.url(), 3
	bot, early := o.start("bot", "bot"), o.start("early", "executor")
	bot.says("waiting for NATS", "a connection")
	early.says("waiting for NATS", "a connection")
	c.start(0)
	early.says("waiting for NATS", "stream, consumers and buckets") // one server of three decides nothing
	early.signal(syscall.SIGTERM)
	if code := early.exits(10 * time.Second); code != 0 {
		k.Errorf("asked to end while it waits, it exits with %d", code)
	}
	c.start(1)
	c.start(2)
	bot.says("waiting for NATS", "an executor to set up")
	o.start("late", "executor").says("ferry is up")
	bot.says("ferry is up")
	o.types("ana", "/failover vm-x latest")
	o.presses("ben", "Approve", "vm-x")
}

func handsOver(k *kit) {
	o, c := k.outside(1), k.cluster()
	o.config.NATS.URL, o.config.NATS.Replicas = c.url(), 3
	for i := range c.nodes {
		c.start(i)
	}
	o.start("bot", "bot")
	executors := []*proc{o.start("e1", "executor"), o.start("e2", "executor")}
	o.connected()
	for _, e := range executors {
		e.says("ferry is up")
	}
	o.vault.SetSpeed(1) // Azure takes its time
	o.types("ana", "/failover vm-x latest")
	o.presses("ben", "Approve", "vm-x")
	_, js := c.connect()
	claims := func() []string {
		var all []string
		for _, f := range read(k.Context(), k, js).facts {
			if f, ok := f.Fact.(failover.Claimed); ok {
				all = append(all, f.Executor)
			}
		}
		return all
	}
	o.until("somebody drives", time.Minute, func() bool { return len(claims()) == 1 })
	first, other := executors[0], executors[1]
	if !strings.HasSuffix(claims()[0], suffix(first)) {
		first, other = other, first
	}
	first.signal(syscall.SIGTERM)
	begin := time.Now()
	o.until("the other drives", 5*time.Second, func() bool { all := claims(); return strings.HasSuffix(all[len(all)-1], suffix(other)) })
	k.Logf("handed over after %s", time.Since(begin))
	if code := first.exits(10 * time.Second); code != 0 {
		k.Errorf("it exits with %d", code)
	}
}

// storeFull has a disk that takes no more, as far as the process can tell.
func storeFull(k *kit) {
	o := k.outside(12)
	up := o.starved("up", "up", "160")
	o.connected()
	limit := time.After(time.Minute)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for asked := 0; ; asked++ {
		select {
		case <-up.done:
			if code := up.exits(time.Second); code != 1 {
				k.Errorf("it exits with %d", code)
			}
			up.says("ferry: embedded NATS server", "stores nothing more", "make room on the disk of data_dir, then start ferry again")
			o.start("again", "up").says("ferry is up") // with room
			return
		case <-limit:
			k.Fatalf("it goes on after %d commands", asked)
		case <-tick.C:
			_ = o.workspace.Type("ana", incident, "/failover vm-x latest") // what it says is not the point here
		}
	}
}
