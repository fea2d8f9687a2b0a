package world

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// wallClock is the clock of the host of a process.
func (w *world) wallClock(process string) func() time.Time {
	replica, _, _ := strings.Cut(process, ".")
	return func() time.Time {
		ahead, _ := w.wrong.Load(replica)
		d, _ := ahead.(time.Duration)
		return time.Now().Add(d)
	}
}

// calls notes when a call reached Azure, taken or not.
type calls struct {
	mu sync.Mutex
	at []time.Time
}

func (c *calls) watch(action string, refuse int) func(http.ResponseWriter, *http.Request) bool {
	return func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, action) {
			return false
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.at = append(c.at, time.Now())
		if len(c.at) <= refuse {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
		return len(c.at) <= refuse
	}
}

// driver is the executor that has made a call.
func (f *fleet) driver() *seat {
	for _, s := range f.seats {
		p, _ := s.now()
		p.cut.mu.Lock()
		called := p.cut.seen["azure.failover"] > 0
		p.cut.mu.Unlock()
		if called {
			return s
		}
	}
	return nil
}

// The clocks of three hosts are hours apart, and the executor dies whose call got no answer: a request lives as long as it
// should, presses count, and the call is made again three minutes later and once, whichever of the clocks took over.
func TestClocksThatDiffer(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"fast": 3 * time.Hour, "slow": -3 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			if name == "slow" {
				long(t)
			}
			bubble(t, func(w *world) {
				w.wrong.Store("bot-1", -ahead)
				w.wrong.Store("executor-1", ahead)
				w.wrong.Store("executor-2", -ahead/2)
				f := w.newFleet(1, 2)
				f.start()
				defer f.close()
				pass(time.Minute)
				w.types("ana", "/failover vm-x latest", "[ Approve ]")
				pass(10 * time.Minute)
				var c calls
				w.stand(azureHost, c.watch("/unplannedFailover", 1))
				w.presses("ben", "Approve", "outcome not known")
				f.driver().life.kill()
				w.sees("[ Commit ]")
				if len(c.at) != 2 || c.at[1].Sub(c.at[0]) < 3*time.Minute || c.at[1].Sub(c.at[0]) > 6*time.Minute {
					t.Errorf("called at %s", c.at)
				}
				w.once()
				w.types("ana", "/failover vm-y latest", "[ Approve ]")
				pass(16 * time.Minute)
				w.sees(": expired")
			})
		})
	}
}

// The clock of a host is set while it works, forward and far back: nothing expires, nothing is called again, and no loop stops.
func TestClockIsSet(t *testing.T) {
	bubble(t, func(w *world) {
		f := w.newFleet(1, 1)
		f.start()
		defer f.close()
		pass(time.Minute)
		set := func(ahead time.Duration) {
			w.wrong.Store("executor-1", ahead)
			w.wrong.Store("bot-1", ahead)
			pass(time.Second)
		}
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		set(3 * time.Hour)
		pass(5 * time.Minute)
		set(-6 * time.Hour)
		w.presses("ben", "Approve", ": running")
		pass(30 * time.Second)
		set(2 * time.Hour)
		begun := time.Now()
		w.sees("[ Commit ]")
		if d := time.Since(begun); d > 10*time.Minute {
			t.Errorf("it took %s", d)
		}
		w.once()
		set(-24 * time.Hour)
		w.presses("ben", "Commit", ": committed")
	})
}
