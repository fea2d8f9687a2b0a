package world

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ferry/config"
)

// What a VM says when it is asked whether it works stands on the card before anybody commits: of its own check, of its
// group's, and that nobody answered. None of it opens the gate by itself, and another recovery point is asked about anew.
func TestChecksBeforeTheCommit(t *testing.T) {
	bubble(t, func(w *world) {
		var status atomic.Int64
		status.Store(http.StatusInternalServerError)
		w.serve("10.2.0.4:80", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(int(status.Load())) }))
		w.serve("10.2.0.5:5432", http.NotFoundHandler())
		w.checks = map[string]config.Check{"vm-x": {HTTP: "http://10.2.0.4/healthz"}, "data": {TCP: "10.2.0.5:5432"}, "vm-y": {TCP: "10.2.0.6:22"}, "vm-zz": {NATS: true}}
		w.groups = map[string]config.Group{"data": {Waves: []config.Wave{{VMs: []string{"sql-*", "vm-x"}}}}}
		log := &lines{}
		w.log = slog.New(slog.NewTextHandler(log, nil))
		w.begin()

		w.overTo("vm-x", "*check vm-x:* ✗ failed: http://10.2.0.4/healthz answers 500")
		w.ledger("failoverCommit", 0)
		status.Store(http.StatusOK)
		w.types("ana", "/failover change vm-x latest-app", "ana asks for another recovery point")
		w.presses("ben", "Change point", "*check vm-x:* ✓ passed: http://10.2.0.4/healthz answers 200")
		w.presses("ben", "Commit", "failover of vm-x: committed")

		w.overTo("sql-01", "*check data:* ✓ passed: 10.2.0.5:5432 takes connections")
		begun := time.Now()
		w.overTo("vm-y", "*check vm-y:* ? no answer, which is no pass")
		if asked := time.Since(begun); asked < 5*time.Minute {
			t.Errorf("a silent VM was given up after %s", asked)
		}
		w.ledger("failoverCommit", 1)
		w.presses("ben", "Commit", "failover of vm-y: committed") // whether it is enough is for people to say
		for name, want := range map[string]int{"vm-zz": 1, "vm-y": 0, "data": 0} {
			if n := log.count("asks about no VM", "check="+name); n != want {
				t.Errorf("%d warnings about the check %s", n, name)
			}
		}
	})
}

// overTo fails a VM over and waits for the commit's gate with what the check says on the card.
func (w *world) overTo(vm, says string) {
	w.t.Helper()
	w.types("ana", "/failover "+vm, "failover of "+vm+": awaiting approval")
	w.presses("ben", "Approve", "[ Commit ]")
	w.sees(says)
}

// lines keeps what is logged.
type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *lines) count(texts ...string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range strings.Lines(l.String()) {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(line, text)
		}
		if all {
			n++
		}
	}
	return n
}
