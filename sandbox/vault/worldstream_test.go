package vault_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/sandbox/vault"
)

// following reads the world's stream; the channel closes with it, and what was not read is kept.
func (w *world) following(ctx context.Context) <-chan map[string]any {
	w.Helper()
	read, write := io.Pipe()
	states := make(chan map[string]any, 10000)
	go func() {
		defer func() { _ = write.Close() }()
		w.vault.World().ServeHTTP(&piped{httptest.NewRecorder(), write}, httptest.NewRequestWithContext(ctx, http.MethodGet, "/states", nil))
	}()
	go func() {
		defer close(states)
		for lines := bufio.NewScanner(read); lines.Scan(); {
			var state map[string]any
			if data, found := strings.CutPrefix(lines.Text(), "data: "); found && json.Unmarshal([]byte(data), &state) == nil {
				states <- state
			}
		}
	}()
	return states
}

// piped is a response of which each write is read before the next one.
type piped struct {
	*httptest.ResponseRecorder
	io.Writer
}

func (p *piped) Write(b []byte) (int, error) { return p.Writer.Write(b) }

// count is how many states came since the last look, once nothing more can come now.
func count(states <-chan map[string]any) (n int, last map[string]any) {
	synctest.Wait()
	for {
		select {
		case s, open := <-states:
			if !open {
				return n, last
			}
			n, last = n+1, s
		default:
			return n, last
		}
	}
}

func TestStreamTellsOfChangesOnly(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		ctx, leave := context.WithCancel(w.Context())
		states := w.following(ctx)
		if n, _ := count(states); n != 1 {
			w.Fatalf("%d states at once, want 1", n)
		}
		w.plays("/clock", `{"paused": true}`)
		pause(time.Second)
		if n, last := count(states); n != 1 || dig(w.T, last, "clock", "paused") != true {
			w.Errorf("after the pause began %d states, the last one %v", n, last)
		}
		pause(time.Hour)
		if n, _ := count(states); n != 240 {
			w.Errorf("%d states in an hour of pause, want one every 15 s", n)
		}
		for range 100 { // of which nobody could follow each
			w.plays("/fault", `{"kind": "throttle"}`)
		}
		pause(200 * time.Millisecond)
		if n, last := count(states); n != 1 || len(dig(w.T, last, "faults").([]any)) != 100 {
			w.Errorf("%d states for 100 faults at once", n)
		}
		leave()
		synctest.Wait()
		if _, open := <-states; open {
			w.Error("the stream goes on after its reader left")
		}
	})
}

func TestStreamFollowsAJob(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		states := w.following(w.Context())
		w.plays("/portal", `{"vm": "vm-x", "operation": "unplannedFailover"}`)
		pause(70 * time.Second)
		n, last := count(states)
		if done := dig(w.T, last, "jobs", 0, "done").(float64); n < 100 || n > 352 || done < 0.49 || done > 0.5 {
			w.Errorf("half-way %d states, the last one says %v", n, done)
		}
		pause(70 * time.Second)
		if _, last := count(states); dig(w.T, last, "vms", 0, "portal") != "failoverCommit" || dig(w.T, last, "jobs", 0, "end") == nil {
			w.Errorf("in the end %v", last)
		}
	})
}

// While nobody reads, the stream waits for its reader, and the world for nobody.
func TestStreamHoldsUpNobody(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		ctx, leave := context.WithCancel(w.Context())
		read, write := io.Pipe()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.vault.World().ServeHTTP(&piped{httptest.NewRecorder(), write}, httptest.NewRequestWithContext(ctx, http.MethodGet, "/states", nil))
		}()
		pause(time.Minute)
		w.failOver(latest("Required"))
		leave()
		_ = read.Close() // as the server does with the connection
		<-ended
	})
}
